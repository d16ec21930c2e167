"""Does a norm do as well as none where it is trained otherwise (Appendix B)? `python -m studies.norms` prints the table of
docs/norms.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from claims.conftest import Run
from studies.reading import Trained, main, markdown, told, trained

# The runs that the claim is judged on, of the cpu profile: learning rate 1e-2, 5000 steps.
BESIDE = {
    "binding-brief": "none-rate-0.01",
    "binding-layer-norm": "layer-rate-0.01",
    "binding-rms-norm": "rms-rate-0.01",
}
HEADER = ("norm", "training", "train RMS (keV)", "val RMS (keV)", "val RMS over that of none")


def errors(runs: list[Run], part: str) -> np.ndarray:
    return np.array([run.error(f"{part}_rms.binding") for run in runs])


def line(name: str, found: Trained) -> list[str]:
    norm, _, training = name.partition("-")
    validation, plain = errors(found[name], "validation"), found.get(f"none-{training}")
    ratio = "" if plain is None else f"{np.exp(np.mean(np.log(validation / errors(plain, 'validation')))):.2f}"
    return [norm, training, told(errors(found[name], "train"), 0), told(validation, 0), ratio]


def tell(store: Path) -> str:
    found = {BESIDE[name]: runs for name, runs in trained("cpu", store, BESIDE).items()} | trained("norms", store)
    by_training = sorted(found, key=lambda name: name.partition("-")[2])
    return markdown(HEADER, [line(name, found) for name in by_training])


if __name__ == "__main__":
    main(tell, __doc__ or "")
