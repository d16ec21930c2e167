"""How a run was trained, as the report shows it: its error and the structure of its embeddings against the step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nuclr.analysis.pca import leading
from nuclr.analysis.structure import orderedness, parity_split
from nuclr.config import AdditionConfig
from nuclr.data.observables import TARGETS
from nuclr.model.probe import TRAINED_NUMBERS
from nuclr.train.store import StoredRun
from nuclr.verdict.evidence import Curve

Array = NDArray[np.float64]

POINTS = 36  # about evenly spaced in the logarithm of the step: more would not be seen
CHECKPOINT, ENDING = "checkpoint-", ".safetensors"


def curve(run: StoredRun) -> Curve:
    """The error of the leading observable of a run on nuclides, and order and R_P of its embeddings at its checkpoints; of
    modular addition the accuracy. Step 0, which has no place on a logarithmic axis, is left out."""
    data, points = run.config.data, [point for point in run.curves() if point["step"] > 0]
    if isinstance(data, AdditionConfig):
        return Curve("accuracy", "1", _thinned(points, "train_accuracy", "validation_accuracy"))
    name = data.observables[0]
    arrays = _thinned(points, f"train_rms.{name}", f"validation_rms.{name}")
    return Curve(f"RMS of {name}", TARGETS[name].unit, arrays | _structure(run))


def _thinned(points: list[dict[str, float]], train: str, validation: str) -> dict[str, Array]:
    """step, train, validation: (k,), k at most POINTS. NaN where a point lacks one of them."""
    steps = np.array([point["step"] for point in points])
    wanted = np.geomspace(1, steps.max(initial=1), POINTS)
    kept = sorted({int(np.abs(np.log(steps / step)).argmin()) for step in wanted}) if len(steps) else []
    columns = {"step": "step", "train": train, "validation": validation}
    return {name: np.array([points[i].get(key, np.nan) for i in kept]) for name, key in columns.items()}


def _structure(run: StoredRun) -> dict[str, Array]:
    """at: steps (m,) of the checkpoints; order-Z, order-N, parity-Z, parity-N: orderedness of PC0 and R_P there, (m,)."""
    names = [name for name in run.manifest["files"] if name.startswith(CHECKPOINT)]
    steps = sorted(int(name.removeprefix(CHECKPOINT).removesuffix(ENDING)) for name in names)
    steps = [step for step in steps if step > 0]
    found: dict[str, list[float]] = {f"{measure}-{symbol}": [] for symbol in "ZN" for measure in ("order", "parity")}
    for step in steps:
        probe = run.probe(step)
        for symbol in "ZN":
            embedding = probe.embedding(symbol)
            found[f"order-{symbol}"].append(orderedness(leading(embedding, 1)[:, 0]))
            found[f"parity-{symbol}"].append(parity_split(embedding, TRAINED_NUMBERS[symbol]))
    return {"at": np.array(steps, dtype=float)} | {name: np.array(values) for name, values in found.items()}
