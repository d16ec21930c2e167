"""The bound of a measure: the set of values that would make the paper's statement true."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nuclr.errors import NuclrError

Interval = tuple[float, float]


@dataclass(frozen=True)
class Bound:
    """An interval of the real line, open at `above` and `below`, closed at `at_least` and `at_most`.

    Raises NuclrError for a bound without ends, with two ends on one side, not finite, or empty.
    """

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if not self.as_dict():
            raise NuclrError("it has no bound: give above, at_least, below or at_most.")
        if not all(math.isfinite(end) for end in self.ends):
            raise NuclrError(f"the bound {self.as_dict()} is not finite: give numbers.")
        if self.above is not None and self.at_least is not None:
            raise NuclrError("the bound has both above and at_least: keep one.")
        if self.below is not None and self.at_most is not None:
            raise NuclrError("the bound has both below and at_most: keep one.")
        closed = self.at_least is not None and self.at_most is not None
        if len(self.ends) == 2 and not (self.ends[0] < self.ends[1] or (closed and self.ends[0] == self.ends[1])):
            raise NuclrError(f"no value satisfies the bound {self}: the lower end must be below the upper.")

    @property
    def ends(self) -> tuple[float, ...]:
        """The one or two ends, in ascending order."""
        return tuple(end for end in (self.above, self.at_least, self.below, self.at_most) if end is not None)

    def satisfied(self, value: float) -> bool:
        """Whether `value` lies in the bound; NaN never does."""
        return (
            not math.isnan(value)
            and (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )

    def contains(self, interval: Interval) -> bool:
        """Whether every value of the closed `interval` (low, high) satisfies the bound."""
        return all(self.satisfied(end) for end in interval)

    def disjoint(self, interval: Interval) -> bool:
        """Whether no value of the closed `interval` (low, high) satisfies the bound."""
        low, high = interval
        return (
            (self.above is not None and high <= self.above)
            or (self.at_least is not None and high < self.at_least)
            or (self.below is not None and low >= self.below)
            or (self.at_most is not None and low > self.at_most)
        )

    def as_dict(self) -> dict[str, float]:
        """The ends that are given, by name, as in paper.toml."""
        named = {"above": self.above, "at_least": self.at_least, "below": self.below, "at_most": self.at_most}
        return {name: end for name, end in named.items() if end is not None}

    def __str__(self) -> str:
        return self._words(" and ", above="> ", at_least=">= ", below="< ", at_most="<= ", exactly="= ")

    def predicate(self) -> str:
        """What a value in the bound is: "above 0.95", "between 4370 and 4830", "exactly 10"."""
        words = {"above": "above ", "at_least": "at least ", "below": "below ", "at_most": "at most "}
        return self._words(" and ", exactly="exactly ", **words)

    def _words(self, joint: str, exactly: str, **words: str) -> str:
        if self.at_least is not None and self.at_most is not None:
            if self.at_least == self.at_most:
                return f"{exactly}{self.at_least:.15g}"
            return f"between {self.at_least:.15g} and {self.at_most:.15g}"
        return joint.join(f"{words[name]}{end:.15g}" for name, end in self.as_dict().items())
