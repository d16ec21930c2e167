"""From measured values to a verdict: intervals, negative controls, and the rule that decides.

The rule is the same for every claim: an interval inside the bound reproduces the claim if its controls stay outside,
an interval outside the bound refutes it, and everything between says that nothing was learnt.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from nuclr.errors import NuclrError
from nuclr.verdict.bound import Bound, Interval
from nuclr.verdict.wording import estimate, listed, number, texts

CONFIDENCE = 0.95
CONTROL_SHARE = 0.05
RESAMPLES = 4999
BATCH = 256


class Verdict(StrEnum):
    """What became of a claim."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    NOT_RUN = "not run"


SEVERITY = (Verdict.REPRODUCED, Verdict.INCONCLUSIVE, Verdict.NOT_REPRODUCED, Verdict.ERROR)


class EvidenceError(NuclrError):
    """The evidence cannot be judged: the test that gathered it is broken, which says nothing about the claim."""


@dataclass(frozen=True)
class Control:
    """Draws or seeds of something that must not satisfy a bound."""

    label: str
    values: tuple[float, ...]

    def share_inside(self, bound: Bound) -> float:
        """The share of the values that satisfy `bound`, from 0 to 1."""
        return sum(map(bound.satisfied, self.values)) / len(self.values)

    def outside(self, bound: Bound) -> bool:
        """Whether at most 5 % of the values satisfy `bound` (of three values: none)."""
        return self.share_inside(bound) <= CONTROL_SHARE


def finite(values: ArrayLike, what: str) -> tuple[float, ...]:
    """`values` (a number or any array of numbers) as a flat tuple of floats.

    Raises EvidenceError, which names `what`, where there is none or where one is NaN or infinite.
    """
    try:
        flat = np.asarray(values, dtype=float).ravel()
    except (TypeError, ValueError):
        raise EvidenceError(f"{what} is not made of numbers: {values!r}.") from None
    if flat.size == 0:
        raise EvidenceError(f"{what} is empty.")
    bad = int(np.count_nonzero(~np.isfinite(flat)))
    if bad:
        raise EvidenceError(f"{what} is not finite: {bad} of {flat.size} values are NaN or infinite.")
    return tuple(flat.tolist())


def closed(interval: ArrayLike, what: str) -> Interval:
    """`interval` as (low, high). Raises EvidenceError, which names `what`, unless it is finite and the right way up."""
    ends = finite(interval, what)
    if len(ends) != 2 or ends[0] > ends[1]:
        raise EvidenceError(f"{what} must be (low, high) with low not above high: {interval!r}.")
    return ends[0], ends[1]


def student(values: Sequence[float], clip: Interval | None = None, confidence: float = CONFIDENCE) -> Interval | None:
    """Student t interval of the mean of `values`, cut to `clip`; None for fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    mean = float(np.mean(values))
    half = float(special.stdtrit(n - 1, (1 + confidence) / 2)) * float(np.std(values, ddof=1)) / math.sqrt(n)
    low, high = clip or (-math.inf, math.inf)
    return min(max(mean - half, low), high), max(min(mean + half, high), low)


def bootstrap(
    values: ArrayLike,
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    seed: int,
    confidence: float = CONFIDENCE,
) -> Interval:
    """BCa bootstrap interval of `statistic`, which maps rows of `values`, (..., n) or (..., n, k), to (...) numbers.

    Rows are drawn together, so that paired columns stay paired. Raises EvidenceError for fewer than two rows and where
    the interval is not finite.
    """
    from scipy import stats  # takes a second to import, and most sessions never need it

    rows = np.asarray(values, dtype=float)
    finite(rows, "The bootstrap sample")
    if rows.ndim == 0 or len(rows) < 2:
        raise EvidenceError("A bootstrap needs at least two rows.")
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # gives NaN, which is dealt with below
        found = stats.bootstrap(
            (np.arange(len(rows)),),
            lambda drawn, **_: statistic(rows[drawn.astype(int)]),
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=BATCH,
            confidence_level=confidence,
            method="BCa",
            random_state=np.random.default_rng(seed),
        )
    resampled = finite(found.bootstrap_distribution, "The bootstrapped statistic")
    low, high = min(resampled), max(resampled)
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # a perfect trend, say, has no spread but for rounding
        return low, high
    return closed(found.confidence_interval, "The bootstrap interval")


def decide(
    interval: Interval | None,
    bound: Bound,
    controls: Sequence[Control] = (),
    *,
    value: float | None = None,
    seeds: tuple[int, int] | None = None,
) -> tuple[Verdict, str]:
    """The verdict on one measure, and the sentence that says why.

    `interval` is None where too few values give one; `value` is the estimate inside it; `seeds` is (there are, needed).
    Raises EvidenceError where anything is NaN or infinite, or the interval is upside down.
    """
    _check(interval, controls, value)
    if seeds is not None and seeds[0] < seeds[1]:
        return Verdict.INCONCLUSIVE, f"Only {seeds[0]} of {seeds[1]} seeds."
    if interval is None:
        return Verdict.INCONCLUSIVE, "One value gives no interval."
    found = estimate(value, interval, bound.ends)
    if bound.disjoint(interval):
        return Verdict.NOT_REPRODUCED, f"{found} is not {bound.predicate()}."
    if not bound.contains(interval):
        crossed = [end for end in bound.ends if interval[0] <= end <= interval[1]]
        span = " to ".join(texts(interval, bound.ends))
        noun = "bound" if len(crossed) == 1 else "bounds"
        return (
            Verdict.INCONCLUSIVE,
            f"The interval {span} straddles the {noun} {listed([f'{end:.15g}' for end in crossed])}.",
        )
    for control in controls:
        if not control.outside(bound):
            share = f"in {number(100 * control.share_inside(bound), 2)} % of its values"
            passes = f"The control {control.label!r} satisfies the bound too, {share}, so the measure shows nothing."
            return Verdict.INCONCLUSIVE, passes
    stay = ("", "; the control stays outside", "; the controls stay outside")[min(len(controls), 2)]
    return Verdict.REPRODUCED, f"{found} is {bound.predicate()}{stay}."


def worst(verdicts: Iterable[Verdict]) -> int:
    """The place of the first among the worst: error, then not reproduced, then inconclusive, then reproduced."""
    ranks = [SEVERITY.index(verdict) for verdict in verdicts]
    return ranks.index(max(ranks))


def _check(interval: Interval | None, controls: Sequence[Control], value: float | None) -> None:
    if interval is not None:
        closed(interval, "The interval")
    if value is not None:
        finite(value, "The value")
    for control in controls:
        finite(control.values, f"The control {control.label!r}")
