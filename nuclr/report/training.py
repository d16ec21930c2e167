"""Training curves of the seeds of a run as panels: the loss, then train and validation error of each observable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nuclr.report import plots
from nuclr.report.plots import Part

Curve = Sequence[Mapping[str, float]]  # a point a recorded step: "step", "loss", "train_rms.<observable>", ...


def save(curves: Sequence[Curve], units: Mapping[str, str], out: Path) -> list[str]:
    """Draw the `curves`, one a seed, into `out`; the observables that were drawn. `units`: unit of each observable.

    A line is the mean over the seeds, its band their range. Raises NuclrError for a format that cannot be written.
    """
    measured = [key.removeprefix("train_rms.") for key in curves[0][-1] if key.startswith("train_rms.")]
    observables = [name for name in measured if name in units]
    parts = [_panel("loss", "loss", {"loss": "loss"}, curves)]
    for name in observables:
        sides = {"train": f"train_rms.{name}", "validation": f"validation_rms.{name}"}
        shown = {label: key for label, key in sides.items() if key in curves[0][-1]}
        parts.append(_panel(name, "RMS" if units[name] == "1" else f"RMS ({units[name]})", shown, curves))
    plots.write(parts, out, seed="training")
    return observables


def _panel(title: str, ylabel: str, series: Mapping[str, str], curves: Sequence[Curve]) -> Part:
    arrays: dict[str, np.ndarray] = {}
    for label, key in series.items():
        by_step = [{point["step"]: point[key] for point in curve if key in point} for curve in curves]
        steps = sorted(set.intersection(*map(set, by_step)) - {0.0})  # a logarithmic axis has no place for step 0
        table = np.array([[seed[step] for step in steps] for seed in by_step])
        drawn = {"x": np.array(steps), "y": table.mean(axis=0), "low": table.min(axis=0), "high": table.max(axis=0)}
        arrays |= {f"0.{label}.{part}": array for part, array in drawn.items()}
    options = {
        "series": [{"key": label, "label": label, "style": "line"} for label in series],
        "xlabel": "step",
        "ylabel": ylabel,
        "xlog": True,
        "ylog": True,
    }
    return {"kind": "lines", "title": title, "options": options}, arrays, 0
