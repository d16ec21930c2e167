"""The rule that decides: properties that hold for all numbers, and known numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from nuclr.analysis.ranks import rank_correlation
from nuclr.verdict.bound import Bound
from nuclr.verdict.statistics import Control, EvidenceError, Verdict, bootstrap, decide, finite, student, worst
from nuclr.verdict.wording import estimate, number, texts

YES, NO, OPEN = Verdict.REPRODUCED, Verdict.NOT_REPRODUCED, Verdict.INCONCLUSIVE
numbers = st.floats(-1e6, 1e6)
intervals = st.tuples(numbers, numbers).map(lambda ends: (min(ends), max(ends)))


@st.composite
def bounds(draw: st.DrawFn) -> Bound:
    low, high = draw(intervals.filter(lambda ends: ends[0] < ends[1]))
    lower = draw(st.sampled_from([{}, {"above": low}, {"at_least": low}]))
    upper = draw(st.sampled_from([{"below": high}, {"at_most": high}] + ([{}] if lower else [])))
    return Bound(**lower, **upper)


@given(bounds(), intervals, st.floats(0, 1))
def test_contains_and_disjoint_agree_with_every_point(
    bound: Bound, interval: tuple[float, float], share: float
) -> None:
    point = min(max(interval[0] + share * (interval[1] - interval[0]), interval[0]), interval[1])
    if bound.contains(interval):
        assert bound.satisfied(point)
    if bound.disjoint(interval):
        assert not bound.satisfied(point)
    assert not (bound.contains(interval) and bound.disjoint(interval))


@given(bounds(), numbers)
def test_a_point_is_inside_or_outside_and_never_between(bound: Bound, value: float) -> None:
    assert bound.contains((value, value)) == bound.satisfied(value) != bound.disjoint((value, value))


@given(bounds(), intervals, st.lists(numbers, min_size=1, max_size=30))
def test_decide_follows_the_rule(bound: Bound, interval: tuple[float, float], draws: list[float]) -> None:
    control = Control("draws", tuple(draws))
    verdict, reason = decide(interval, bound, [control])
    assert reason.endswith(".")
    assert (verdict is Verdict.REPRODUCED) == (bound.contains(interval) and control.outside(bound))
    assert (verdict is Verdict.NOT_REPRODUCED) == bound.disjoint(interval)
    assert verdict in (Verdict.REPRODUCED, Verdict.NOT_REPRODUCED, Verdict.INCONCLUSIVE)
    too_few, _ = decide(interval, bound, [control], seeds=(2, 3))
    assert too_few is Verdict.INCONCLUSIVE


@given(bounds(), intervals, intervals)
def test_a_narrower_interval_never_turns_a_verdict_round(
    bound: Bound, wide: tuple[float, float], other: tuple[float, float]
) -> None:
    narrow = max(wide[0], other[0]), min(wide[1], other[1])
    assume(narrow[0] <= narrow[1])
    before, after = decide(wide, bound)[0], decide(narrow, bound)[0]
    assert before is Verdict.INCONCLUSIVE or after is before


@given(
    bounds(),
    intervals,
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.sampled_from(["low", "high", "control", "value"]),
)
def test_nothing_that_is_not_finite_gets_a_verdict(
    bound: Bound, interval: tuple[float, float], bad: float, where: str
) -> None:
    low, high = (bad if where == "low" else interval[0]), (bad if where == "high" else interval[1])
    controls = [Control("c", (0.0, bad if where == "control" else 0.0))]
    with pytest.raises(EvidenceError):
        decide((low, high), bound, controls, value=bad if where == "value" else None)


def test_an_interval_upside_down_is_refused() -> None:
    with pytest.raises(EvidenceError, match="low not above high"):
        decide((1.0, 0.0), Bound(above=0.5))


@pytest.mark.parametrize(
    ("inside", "n", "outside"),
    [(0, 3, True), (1, 3, False), (1, 19, False), (1, 20, True), (5, 100, True), (6, 100, False)],
)
def test_a_control_is_outside_when_one_in_twenty_passes(inside: int, n: int, outside: bool) -> None:
    control = Control("draws", (1.0,) * inside + (0.0,) * (n - inside))
    assert control.outside(Bound(above=0.5)) is outside


@pytest.mark.parametrize(
    ("interval", "bound", "controls", "value", "verdict", "reason"),
    [
        ((0.994, 0.999), Bound(above=0.95), 2, None, YES, "0.994 to 0.999 is above 0.95; the controls stay outside."),
        ((0.994, 0.999), Bound(above=0.95), 0, 0.997, YES, "0.997 (0.994 to 0.999) is above 0.95."),
        ((4604.3, 4604.3), Bound(at_least=4370, at_most=4830), 0, 4604.3, YES, "4604 is between 4370 and 4830."),
        ((10.0, 10.0), Bound(at_least=10, at_most=10), 0, 10.0, YES, "10 is exactly 10."),
        ((0.41, 0.58), Bound(above=0.5), 0, 0.5, OPEN, "The interval 0.41 to 0.58 straddles the bound 0.5."),
        ((0.4, 3.0), Bound(above=0.5, below=2), 0, 1.0, OPEN, "The interval 0.4 to 3 straddles the bounds 0.5 and 2."),
        ((0.5, 0.6), Bound(above=0.5), 0, 0.55, OPEN, "The interval 0.5 to 0.6 straddles the bound 0.5."),
        ((0.94, 0.94996), Bound(above=0.95), 0, 0.945, NO, "0.945 (0.94 to 0.94996) is not above 0.95."),
        ((0.5, 0.5), Bound(above=0.5), 0, 0.5, NO, "0.5 is not above 0.5."),
        (None, Bound(above=0.5), 0, 0.7, OPEN, "One value gives no interval."),
    ],
)  # fmt: skip
def test_reasons_are_sentences(
    interval: tuple[float, float] | None,
    bound: Bound,
    controls: int,
    value: float | None,
    verdict: Verdict,
    reason: str,
) -> None:
    assert decide(interval, bound, [Control(f"c{i}", (-1.0,)) for i in range(controls)], value=value) == (
        verdict,
        reason,
    )


def test_a_disjoint_interval_refutes_even_where_a_control_passes() -> None:
    assert decide((0.0, 0.1), Bound(above=0.5), [Control("c", (0.9,))])[0] is Verdict.NOT_REPRODUCED


def test_the_worst_verdict_decides_and_the_first_of_equals() -> None:
    good, unsure, bad, error = Verdict.REPRODUCED, Verdict.INCONCLUSIVE, Verdict.NOT_REPRODUCED, Verdict.ERROR
    assert [worst(case) for case in ([good, good], [good, unsure, unsure], [unsure, bad, bad], [bad, error])] == [
        0,
        1,
        1,
        1,
    ]


@given(st.lists(numbers, min_size=2, max_size=10))
def test_student_is_the_textbook_interval(values: list[float]) -> None:
    assume(np.std(values) > 1e-6)
    expected = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    assert student(values) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_student_needs_two_values_and_stays_in_range() -> None:
    assert student([0.5]) is None
    assert student([0.7, 0.7]) == (0.7, 0.7)
    low, high = student([0.9, 0.95, 1.0], (0.0, 1.0)) or (0.0, 0.0)
    assert 0.82 < low < 0.83
    assert high == 1.0


def test_student_covers_the_mean_in_95_of_100() -> None:
    draws = np.random.default_rng(0).normal(size=(2000, 3))
    covered = [low <= 0 <= high for low, high in filter(None, map(student, draws.tolist()))]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows.mean(axis=-1))


def test_bootstrap_of_the_mean_is_close_to_student_and_repeatable() -> None:
    values = np.random.default_rng(1).normal(5.0, 1.0, size=60)
    found = bootstrap(values, mean, seed=0)
    assert found == pytest.approx(student(values.tolist()), abs=0.06)
    assert found == bootstrap(values, mean, seed=0)
    assert found != bootstrap(values, mean, seed=1)


def test_bootstrap_keeps_rows_together() -> None:
    x = np.linspace(0, 1, 40)
    pairs = np.column_stack([x, 2 * x + 1])

    def slope(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = np.moveaxis(rows - rows.mean(axis=-2, keepdims=True), -1, 0)
        found: NDArray[np.float64] = (x * y).sum(-1) / (x * x).sum(-1) + 1e-9 * rows[..., 0].mean(-1)
        return found

    assert bootstrap(pairs, slope, seed=0) == pytest.approx((2.0, 2.0), abs=1e-6)


def test_bootstrap_refuses_what_it_cannot_answer() -> None:
    with pytest.raises(EvidenceError, match="two rows"):
        bootstrap([1.0], mean, seed=0)
    with pytest.raises(EvidenceError, match="not finite"):
        bootstrap([1.0, math.nan], mean, seed=0)
    with pytest.raises(EvidenceError, match="The bootstrapped statistic is not finite"):
        bootstrap([1.0, 2.0, 3.0], lambda rows: np.where(rows[..., 0] == 1.0, math.nan, rows[..., 0]), seed=0)


def test_bootstrap_of_a_perfect_trend_has_no_spread() -> None:
    assert bootstrap([2.0, 2.0, 2.0], mean, seed=0) == (2.0, 2.0)
    falling = np.column_stack([np.arange(12.0), -np.arange(12.0)])
    found = bootstrap(falling, lambda rows: rank_correlation(rows[..., 0], rows[..., 1]), seed=0)
    assert found == pytest.approx((-1.0, -1.0), abs=1e-12)


@pytest.mark.parametrize("values", [[], [None], ["a"], [1.0, math.nan], math.inf, [[1.0], [-math.inf]], object()])
def test_finite_refuses_everything_else(values: object) -> None:
    with pytest.raises(EvidenceError, match=r"^The thing is"):
        finite(values, "The thing")  # type: ignore[arg-type]


def test_finite_takes_numbers_and_arrays() -> None:
    assert finite(3, "x") == (3.0,)
    assert finite(np.array([[1, 2], [3, 4]], dtype=np.float32), "x") == (1.0, 2.0, 3.0, 4.0)


@given(numbers, numbers)
def test_a_printed_value_stays_on_its_side_of_the_bound(value: float, end: float) -> None:
    shown = float(texts([value], [end])[0])
    assert (shown > end, shown < end) == (value > end, value < end)


@given(numbers)
def test_three_digits_are_close(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, rel=0.006)


def test_numbers_read_as_written_by_hand() -> None:
    shown = [number(x) for x in (0.0, -0.0, 0.997, 4604.3, 9.996, -0.05, 100.0, 0.00012, 1e-5, 123456789.0)]
    assert shown == ["0", "0", "0.997", "4604", "10", "-0.05", "100", "0.00012", "1.00e-05", "1.23e+08"]
    assert estimate(None, None) == ""
    assert estimate(0.5, None) == "0.5"
    assert estimate(None, (1.0, 2.0)) == "1 to 2"
