"""Looks: a claim that its seeds leave undecided is judged again on more seeds, and every interval is wider for that.

Who looks k times at 95 % and stops as soon as it suits is wrong in up to k times 5 % of cases. So the intervals of a claim that may be
looked at k times have confidence 1 - 0.05 / k (Bonferroni): whenever it stops, all of them hold at once in 95 % of cases.
Group-sequential bounds (Jennison and Turnbull 2000) would be a little narrower, but need normal data of known correlation, which
bootstrapped rank correlations are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from nuclr.verdict.bound import Bound, Interval
from nuclr.verdict.statistics import CONFIDENCE

MOST = 1000  # seeds that a forecast names


@dataclass(frozen=True)
class Looks:
    """count: how often a claim may be looked at. trained(look): whether the runs of that look, counted from 1, are there."""

    count: int = 1
    trained: Callable[[int], bool] = lambda _: True

    @property
    def confidence(self) -> float:
        """Of the intervals at every look."""
        return 1 - (1 - CONFIDENCE) / self.count


def straddles(interval: Interval | None, bound: Bound) -> bool:
    """Whether more seeds may decide: there is no interval yet, or it reaches over an end of the bound."""
    return interval is None or not (bound.contains(interval) or bound.disjoint(interval))


def seeds_needed(value: float, interval: Interval | None, bound: Bound, seeds: int) -> int | None:
    """About how many seeds in all would decide, if the estimate stays where it is and its interval narrows as 1/sqrt(seeds).

    None where that is more than MOST, or where the estimate lies on the bound.
    """
    if interval is None or value in bound.ends:
        return None
    low, high = interval
    shares = [
        (value - low) / (value - end) if end < value else (high - value) / (end - value)
        for end in bound.ends
        if low <= end <= high
    ]
    needed = math.floor(seeds * max(shares, default=0.0) ** 2) + 1
    return needed if needed <= MOST else None
