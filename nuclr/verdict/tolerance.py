"""How a verdict hangs on its tolerance: the bound moved half and twice as far, judged again on the same numbers.

The tolerance of a bound is its distance from what would be perfect agreement:

    the paper prints a number                  from that number
    the measure has a range (a cosine, R2)     from the end of the range that the bound points to
    a ratio bounded above by more than 1       "within a factor 1.5": the factor is squared, or its root taken
    any other bound                            an upper end is halved or doubled, a lower end the other way round

A bound at 0 (a sign), a ratio bounded by 1 (a comparison of equals) and a bound that is the paper's number itself have no
tolerance: none is made up for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nuclr.verdict.bound import Bound, Interval
from nuclr.verdict.record import Record
from nuclr.verdict.registry import Measure
from nuclr.verdict.statistics import Control, decide

FACTORS = {"half": 0.5, "double": 2.0}
SIGN = "the bound is a sign"
EQUAL = "the bound compares two of a kind"
PRINTED = "the bound is the paper's own number"
DIGITS = 6  # of a moved end: roots and differences of decimals are not to be read to the last bit


def without(measure: Measure) -> str | None:
    """Why the bound of `measure` has no tolerance, or None where it has one."""
    ends = measure.bound.ends
    if 0.0 in ends:
        return SIGN
    if measure.paper is not None:
        return PRINTED if measure.paper in ends else None
    return EQUAL if measure.unit == "1" and measure.range is None and 1.0 in ends else None


def moved(measure: Measure, factor: float) -> Bound:
    """The bound of `measure` at `factor` times its tolerance; see the module for what that means."""
    move = _mover(measure, factor)
    ends = {name: float(f"{move(name, end):.{DIGITS}g}") for name, end in measure.bound.as_dict().items()}
    return Bound(**ends)


def judged(
    measure: Measure,
    interval: Interval | None,
    controls: Sequence[Control],
    value: float,
    seeds: tuple[int, int] | None,
) -> Record:
    """{"half": {"bound", "bound_text", "verdict"}, "double": ...}, or {"none": why there is no tolerance}."""
    if why := without(measure):
        return {"none": why}
    found: Record = {}
    for name, factor in FACTORS.items():
        bound = moved(measure, factor)
        verdict, _ = decide(interval, bound, controls, value=value, seeds=seeds)
        found[name] = {"bound": bound.as_dict(), "bound_text": str(bound), "verdict": str(verdict)}
    return found


def _mover(measure: Measure, factor: float) -> Callable[[str, float], float]:
    def upper(name: str) -> bool:
        return name in ("below", "at_most")

    if measure.paper is not None:
        paper = measure.paper
        return lambda _, end: paper + factor * (end - paper)
    if measure.range is not None:
        low, high = measure.range
        return lambda name, end: low + factor * (end - low) if upper(name) else high - factor * (high - end)
    if measure.unit == "1" and any(upper(name) and end > 1 for name, end in measure.bound.as_dict().items()):
        return lambda _, end: end**factor
    return lambda name, end: end * factor if upper(name) else end / factor
