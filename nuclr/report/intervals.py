"""The interval plot of a measure: our interval against the bound, the controls below, the paper's value as a mark.

Only positions are worked out here, in per cent of the width, so that the page can draw the plot at any width with
text of one size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import MaxNLocator

from nuclr.report import words

REACH = 8.0  # how far a control may stretch the axis, in widths of what decides: beyond it an arrow says where it is


@dataclass(frozen=True)
class Control:
    """A control's 5 to 95 % range and median in per cent; `beyond` is "left" or "right" where it runs off the axis."""

    label: str
    text: str
    low: float
    high: float
    median: float
    beyond: str


@dataclass(frozen=True)
class Plot:
    """Positions in per cent of the width. `band` is the visible part of the bound, (start, width)."""

    band: tuple[float, float] | None
    edges: tuple[float, ...]
    interval: tuple[float, float] | None
    value: float
    dots: tuple[float, ...]
    paper: float | None
    controls: tuple[Control, ...]
    ticks: tuple[tuple[float, str], ...]


def plot(measure: Mapping[str, Any]) -> Plot | None:
    """The plot of a measure of the evidence, or None where nothing was measured."""
    if measure.get("value") is None:
        return None
    value, interval, paper = measure["value"], measure["interval"], measure.get("paper")
    start, end = _bound(measure["bound"])
    core = [value, *measure["values"], *(interval or ()), *(edge for edge in (start, end) if math.isfinite(edge))]
    core += [paper] if paper is not None else []
    low, high = _domain(core, [(one["low"], one["high"]) for one in measure["controls"]])

    def place(x: float) -> float:
        return round(100 * (min(max(x, low), high) - low) / (high - low), 3)

    band = (place(start), round(place(end) - place(start), 3)) if start < high and end > low else None
    locations = [
        x
        for x in MaxNLocator(nbins=6, min_n_ticks=4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        if low <= x <= high
    ]
    step = [0.0, locations[1] - locations[0]] if len(locations) > 1 else None
    return Plot(
        band=band,
        edges=tuple(place(edge) for edge in (start, end) if low < edge < high),
        interval=(place(interval[0]), place(interval[1])) if interval else None,
        value=place(value),
        dots=tuple(place(x) for x in measure["values"]),
        paper=place(paper) if paper is not None else None,
        controls=tuple(_control(one, low, high, place) for one in measure["controls"]),
        ticks=tuple((place(x), _tick(x, step)) for x in locations),
    )


def _bound(bound: Mapping[str, float]) -> tuple[float, float]:
    return (
        bound.get("above", bound.get("at_least", -math.inf)),
        bound.get("below", bound.get("at_most", math.inf)),
    )


def _domain(core: list[float], controls: list[tuple[float, float]]) -> tuple[float, float]:
    low, high = min(core), max(core)
    if low == high:
        spare = max(abs(high), 1.0) * 0.05
        low, high = low - spare, high + spare
    reach = REACH * (high - low)
    near = [edge for ends in controls if low - reach <= ends[0] and ends[1] <= high + reach for edge in ends]
    low, high = min([low, *near]), max([high, *near])
    margin = 0.08 * (high - low)
    return low - margin, high + margin


def _control(one: Mapping[str, Any], low: float, high: float, place: Any) -> Control:
    beyond = "left" if one["low"] < low else "right" if one["high"] > high else ""
    text = words.number(one["median"]) if one["low"] == one["high"] else words.span([one["low"], one["high"]])
    return Control(one["label"], text, place(one["low"]), place(one["high"]), place(one["median"]), beyond)


def _tick(x: float, step: list[float] | None) -> str:
    if step is None or not step[1]:
        return words.number(x)
    places = max(0, -math.floor(math.log10(step[1]) + 1e-9))
    text = f"{x:.{places + (1 if round(step[1] * 10**places, 6) % 1 else 0)}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")
