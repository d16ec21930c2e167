"""How every run of the evidence was trained: its error and the structure of its embeddings against the step, seeds together.

As for the intervals only positions are worked out here, as paths on a square of 1000 x 1000, so that the page can draw a plot at
any width with text of one size. A tenth of what a plotting library would write, which is what lets the page hold every run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuclr.errors import NuclrError
from nuclr.report import reading, words

Array = NDArray[np.float64]
SIDE = 1000
LEFT_OUT = "judge the claims again to record it."


@dataclass(frozen=True)
class Line:
    """A path on the square; `number` is that of its series, of which all seeds have the same look."""

    number: int
    path: str


@dataclass(frozen=True)
class Plot:
    """Lines against the step with their ticks (place in per cent, text), and what they show in a sentence."""

    title: str
    alt: str
    series: tuple[str, ...]
    lines: tuple[Line, ...]
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Training:
    """The runs of one name. place: its id in the page. rows: what each seed ends at, as texts. troubles: runs of which there is
    no curve, in sentences."""

    place: str
    name: str
    runs: list[dict[str, Any]]
    quantity: str
    ends: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    plots: list[Plot]
    troubles: list[str] = field(default_factory=list)


def trainings(cards: Iterable[Mapping[str, Any]], folder: Path) -> list[Training]:
    """A training a name, in the order in which the claims use them; every run once, whichever claims rest on it."""
    runs = {run["fingerprint"]: run for card in cards for run in card["runs"]}
    names = dict.fromkeys(run["name"] for run in runs.values())
    return [
        _training(f"training-{number}", name, [run for run in runs.values() if run["name"] == name], folder)
        for number, name in enumerate(names, start=1)
    ]


def _training(place: str, name: str, runs: list[dict[str, Any]], folder: Path) -> Training:
    read: list[tuple[dict[str, Any], dict[str, Array]]] = []
    troubles = []
    for run in runs:
        try:
            read.append((run, _arrays(run, folder)))
        except NuclrError as trouble:
            troubles.append(f"Seed {words.number(run.get('seed'))}: {trouble}")
    if len(troubles) == len(runs) > 1 and len({trouble.split(": ", 1)[1] for trouble in troubles}) == 1:
        troubles = [troubles[0].split(": ", 1)[1]]  # one sentence for all
    quantity, unit = (read[0][0]["curve"][key] for key in ("quantity", "unit")) if read else ("", "1")
    curves = [arrays for _, arrays in read]
    plots = []
    if read:
        label = f"{quantity}{f' ({unit})' if unit != '1' else ''}"
        plots.append(
            _plot(label, "step", {"train": "train", "validation": "validation"}, curves, quantity != "accuracy")
        )
    structured = [arrays for arrays in curves if "at" in arrays]
    for title, key in (("order of PC0", "order"), ("parity split R_P", "parity")) if structured else ():
        plots.append(_plot(title, "at", {"Z": f"{key}-Z", "N": f"{key}-N"}, structured, logarithmic=False))
    columns = ["seed", "train", "validation"]
    columns += ["order of Z", "order of N", "R_P of Z", "R_P of N"] if structured else []
    rows = [_row(run, arrays, unit, bool(structured)) for run, arrays in read]
    measured = quantity.split(" of ")[0]
    ends = _ends(f"validation {measured}", "validation", curves, unit) or _ends(
        f"train {measured}", "train", curves, unit
    )
    return Training(
        place, name, runs, quantity, ends, tuple(columns), rows, [plot for plot in plots if plot.lines], troubles
    )


def _arrays(run: Mapping[str, Any], folder: Path) -> dict[str, Array]:
    """The curve of a run. Raises NuclrError where none was recorded, and where it cannot be read or drawn."""
    curve = run.get("curve")
    if not curve:
        raise NuclrError(f"no training curve was recorded; {LEFT_OUT}")
    arrays = {name: np.asarray(array) for name, array in reading.arrays(folder / curve["arrays"]).items()}
    for axis, *beside in (("step", "train", "validation"), ("at", "order-Z", "order-N", "parity-Z", "parity-N")):
        if axis == "at" and axis not in arrays:
            continue
        for name in (axis, *beside):
            if name not in arrays or arrays[name].ndim != 1 or arrays[name].size != arrays[axis].size:
                raise NuclrError(f"its training curve lacks the array {name!r}, or one of its length; {LEFT_OUT}")
            if arrays[name].dtype.kind not in "biuf":
                raise NuclrError(f"{name!r} of its training curve is not of numbers; {LEFT_OUT}")
    return {name: array.astype(float) for name, array in arrays.items()}


def _plot(title: str, axis: str, series: Mapping[str, str], curves: list[dict[str, Array]], logarithmic: bool) -> Plot:
    """The plot of `series` (label -> array) of all seeds against the logarithm of the step, without the gaps."""
    drawn = []
    for number, key in enumerate(series.values(), start=1):
        for arrays in curves:
            x, y = arrays[axis], arrays[key]
            kept = np.isfinite(x) & np.isfinite(y) & (x > 0) & ((y > 0) | (not logarithmic))
            if kept.any():
                drawn.append((number, np.log10(x[kept]), np.log10(y[kept]) if logarithmic else y[kept]))
    if not drawn:
        return Plot(title, "", tuple(series), (), (), ())
    right = max(float(x.max()) for _, x, _ in drawn) or 1.0
    low, high = (float(end([end(y) for _, _, y in drawn])) for end in (np.min, np.max))
    margin = 0.04 * ((high - low) or abs(high) or 1.0)
    low, high = low - margin, high + margin
    lines = [Line(number, _path(x / right, (y - low) / (high - low))) for number, x, y in drawn]
    decades = list(range(math.floor(right + 1e-9) + 1))
    across = [(100 * exponent / right, _power(exponent)) for exponent in decades[:: 1 + len(decades) // 7]]
    return Plot(
        title,
        _told(title, series, curves),
        tuple(series),
        tuple(lines),
        tuple(across),
        _up(low, high, logarithmic),
    )


def _path(x: Array, y: Array) -> str:
    """A path through points (k,) from 0 to 1, in whole numbers and steps relative to the last: the shortest text."""
    across, down = (np.rint(SIDE * values).astype(int) for values in (x, 1 - y))
    steps = zip(np.diff(across).tolist(), np.diff(down).tolist(), strict=True)
    return f"M{across[0]} {down[0]}l" + " ".join(f"{dx} {dy}" for dx, dy in steps) if len(x) > 1 else ""


def _up(low: float, high: float, logarithmic: bool) -> tuple[tuple[float, str], ...]:
    if logarithmic:
        decades = range(math.ceil(low), math.floor(high) + 1)
        ticks = [(float(exponent), _power(exponent)) for exponent in decades][:: 1 + len(decades) // 6]
        if len(ticks) < 2:
            ticks = [(place, words.number(float(f"{10**place:.2g}"))) for place in np.linspace(low, high, 5)[1:-1]]
    else:
        step = 10 ** math.floor(math.log10(high - low))
        step = next(step * part for part in (0.2, 0.5, 1, 2) if (high - low) / (step * part) <= 5)
        first = math.ceil(low / step)
        values = [step * (first + i) for i in range(int((high - first * step) / step) + 1)]
        places = max(0, -math.floor(math.log10(step) + 1e-9))
        ticks = [(value, f"{value:.{places}f}".replace("-", "−")) for value in values]
    return tuple((round(100 * (1 - (place - low) / (high - low)), 2), text) for place, text in ticks)


def _power(exponent: int) -> str:
    return (
        f"{10**exponent:g}"
        if -3 <= exponent < 4
        else "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    )


def _told(title: str, series: Mapping[str, str], curves: list[dict[str, Array]]) -> str:
    """What the lines show: from where to where, the mean over the seeds."""
    parts = []
    for label, key in series.items():
        ends = [arrays[key][np.isfinite(arrays[key])] for arrays in curves]
        if ends := [values for values in ends if values.size]:
            first, last = (np.mean([values[place] for values in ends]) for place in (0, -1))
            parts.append(f"{label} from {words.number(float(f'{first:.3g}'))} to {words.number(float(f'{last:.3g}'))}")
    return (
        f"{title} against the step: {', '.join(parts)} (mean over {len(curves)} seed{'' if len(curves) == 1 else 's'})"
    )


def _row(run: Mapping[str, Any], arrays: Mapping[str, Array], unit: str, structured: bool) -> tuple[str, ...]:
    keys = ["train", "validation", *(["order-Z", "order-N", "parity-Z", "parity-N"] if structured else [])]
    ends = [_last(arrays[key]) if key in arrays else None for key in keys]
    texts = [words.number(None if end is None else float(f"{end:.4g}")) for end in ends]
    return (
        words.number(run.get("seed")),
        *(f"{text}{words.unit(unit) if i < 2 and text != words.NOTHING else ''}" for i, text in enumerate(texts)),
    )


def _ends(label: str, key: str, curves: list[dict[str, Array]], unit: str) -> str:
    """ "validation RMS 1190 to 1310 keV": the range over the seeds at the end; empty where there is none."""
    ends = [end for end in (_last(arrays[key]) for arrays in curves) if end is not None]
    if not ends:
        return ""
    low, high = (words.number(float(f"{end:.3g}")) for end in (min(ends), max(ends)))
    return f"{label} {low}{f' to {high}' if high != low else ''}{words.unit(unit)}"


def _last(values: Array) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if finite.size else None
