"""All models fit their training data to tens of keV (section 5.1)."""

import numpy as np
import pytest

from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("train-fits")

TITLES = {"binding": "binding energy alone", "joint": "all ten observables"}


def test_every_model_fits_its_training_data(runs, evidence):
    kinds = {name: runs(name) for name in TITLES}
    assert len({tuple(run.seed for run in kind) for kind in kinds.values()}) == 1
    train, validation = (
        {name: [run.error(f"{part}_rms.binding") for run in kind] for name, kind in kinds.items()}
        for part in ("train", "validation")
    )
    evidence.measure("train-rms", np.max(list(train.values()), axis=0))
    for name, title in TITLES.items():
        evidence.note(f"train RMS of the binding energy, {title}", train[name], "keV")
        evidence.note(f"validation RMS of the binding energy, {title}", validation[name], "keV")
    curves = {name: kind[0].stored.curves() for name, kind in kinds.items()}
    evidence.figure(
        "training",
        title="The training error falls",
        caption="RMS of the binding energy against the step, the first seed of each kind. The line is the paper's tens of keV.",
        alt="Train RMS of the binding energy against the step, ending at "
        + " and ".join(f"{train[name][0]:.0f} keV for {title}" for name, title in TITLES.items())
        + ".",
        panels=[
            Panel(
                "lines",
                title,
                {
                    f"{part}.{axis}": [point[key] for point in curves[name] if point["step"] > 0]
                    for part in ("train", "validation")
                    for axis, key in (("x", "step"), ("y", f"{part}_rms.binding"))
                },
                {
                    "series": [
                        {"key": "train", "label": "train", "style": "line"},
                        {"key": "validation", "label": "validation", "style": "line"},
                    ],
                    "xlabel": "step",
                    "ylabel": "RMS (keV)",
                    "xlog": True,
                    "ylog": True,
                    "hlines": [{"at": 100.0, "label": "100 keV"}],
                },
            )
            for name, title in TITLES.items()
        ],
    )
    evidence.conclude()
