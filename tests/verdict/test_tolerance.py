"""The bound at half and twice its tolerance, for every sort of bound there is; and what it does to a verdict."""

import pytest

from nuclr.verdict import tolerance
from nuclr.verdict.bound import Bound
from nuclr.verdict.registry import Measure
from nuclr.verdict.statistics import Control


def measure(bound, paper=None, range=None, unit="1"):
    return Measure(name="m", label="m", unit=unit, paper=paper, range=range, bound=Bound(**bound))


@pytest.mark.parametrize(
    ("given", "half", "double"),
    [
        (measure({"at_least": 4370, "at_most": 4830}, paper=4600, unit="keV"), "between 4485 and 4715", "between 4140 and 5060"),
        (measure({"above": 0.5}, paper=0.66, range=(0, 1)), "> 0.58", "> 0.34"),
        (measure({"below": 1.0}, paper=0.575), "< 0.7875", "< 1.425"),
        (measure({"above": 0.9}, range=(0, 1)), "> 0.95", "> 0.8"),
        (measure({"above": 0.8}, range=(-1, 1)), "> 0.9", "> 0.6"),
        (measure({"below": 0.2}, range=(0, 1)), "< 0.1", "< 0.4"),
        (measure({"below": 1.5}), "< 1.22474", "< 2.25"),
        (measure({"above": 0.5, "below": 2.0}), "> 0.707107 and < 1.41421", "> 0.25 and < 4"),
        (measure({"at_most": 10}, unit="components"), "<= 5", "<= 20"),
        (measure({"below": 0.5}), "< 0.25", "< 1"),
        (measure({"above": 3.0}), "> 6", "> 1.5"),
    ],
)  # fmt: skip
def test_the_bound_moves_with_its_tolerance(given, half, double):
    assert tolerance.without(given) is None
    assert [str(tolerance.moved(given, factor)) for factor in (0.5, 2.0)] == [half, double]
    assert tolerance.moved(given, 1.0) == given.bound


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (measure({"above": 0.0}, range=(-1, 1)), tolerance.SIGN),
        (measure({"below": 0.0}, paper=-0.5), tolerance.SIGN),
        (measure({"below": 1.0}), tolerance.EQUAL),
        (measure({"at_least": 10, "at_most": 10}, paper=10), tolerance.PRINTED),
    ],
)
def test_no_tolerance_is_made_up(given, why):
    assert tolerance.without(given) == why
    assert tolerance.judged(given, (1.0, 2.0), (), 1.5, None) == {"none": why}


def test_the_same_interval_is_judged_at_the_moved_bounds():
    given = measure({"above": 0.9}, range=(0, 1))
    found = tolerance.judged(given, (0.85, 0.93), (), 0.89, None)
    assert found["half"]["verdict"] == "not reproduced"
    assert found["double"] == {"bound": {"above": 0.8}, "bound_text": "> 0.8", "verdict": "reproduced"}


def test_a_loose_bound_lets_its_control_in():
    found = tolerance.judged(measure({"above": 0.9}, range=(0, 1)), (0.96, 0.98), [Control("c", (0.85,))], 0.97, None)
    assert found["half"]["verdict"] == "reproduced"
    assert found["double"]["verdict"] == "inconclusive"
