"""Numbers and positions: what a reader takes for the result."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuclr.report import intervals, words


@pytest.mark.parametrize(
    ("value", "interval", "expected"),
    [
        (0.99312, [0.9902, 0.9960], "0.9931"),
        (4612.34, [4400.0, 4800.0], "4612"),
        (-0.2367, [-0.61, 0.14], "−0.24"),
        (3363, None, "3363"),
        (0.66, None, "0.66"),
        (5127.0, [5127.0, 5127.0], "5127"),
        (1.5e-7, None, "1.5e−07"),
        (None, None, "–"),
        ("two arcs", None, "two arcs"),
        (-0.0001, [-0.5, 0.5], "0.00"),
    ],
)
def test_digits_follow_the_interval(value: Any, interval: Any, expected: str) -> None:
    assert words.number(value, interval) == expected


def test_an_exact_value_has_no_interval() -> None:
    assert words.span([5127.0, 5127.0]) == "exact"
    assert words.span([-0.61, 0.14]) == "−0.61 to 0.14"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["reproduced"], ("1 of 1 judged claim reproduced", "")),
        (["error", "not run"], ("No claim was judged", "1 ended in an error, 1 not run")),
        (
            ["reproduced", "inconclusive", "error"],
            ("1 of 2 judged claims reproduced", "1 inconclusive; 1 ended in an error"),
        ),
    ],
)
def test_an_error_is_no_verdict(verdicts: list[str], expected: tuple[str, str]) -> None:
    assert words.headline(verdicts) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.42, "0.4 s"), (59.7, "1 min 0 s"), (125.0, "2 min 5 s"), (7300.0, "2 h 1 min")]
)
def test_durations(seconds: float, expected: str) -> None:
    assert words.duration(seconds) == expected


def test_a_sentence_keeps_a_single_backtick() -> None:
    assert words.prose("run `nuclr train` <now>") == "run <code>nuclr train</code> &lt;now&gt;"
    assert words.prose("a ` alone, <= 3") == "a ` alone, &lt;= 3"


def measure(
    value: float, half: float, bound: dict[str, float], control: tuple[float, float], paper: float | None
) -> Any:
    low, high = control
    return {
        "value": value,
        "interval": [value - half, value + half],
        "values": [value],
        "bound": bound,
        "paper": paper,
        "controls": [{"label": "c", "low": low, "median": (low + high) / 2, "high": high}],
    }


finite = st.floats(-1e4, 1e4, allow_nan=False)


@given(
    value=finite,
    half=st.floats(0, 1e3),
    edge=finite,
    control=st.tuples(finite, finite).map(sorted),
    paper=st.none() | finite,
)
def test_the_plot_shows_inside_and_outside_as_they_are(
    value: float, half: float, edge: float, control: list[float], paper: float | None
) -> None:
    plot = intervals.plot(measure(value, half, {"above": edge}, (control[0], control[1]), paper))
    assert plot is not None
    assert plot.band is not None
    assert plot.interval is not None
    start = plot.band[0]
    assert plot.band[0] + plot.band[1] == pytest.approx(100, abs=0.01)
    assert (plot.interval[0] >= start) or value - half < edge
    assert (plot.interval[1] <= start) or value + half > edge
    assert 0 < plot.interval[0] <= plot.interval[1] < 100
    assert all(0 <= x <= 100 for x, _ in plot.ticks)
    assert plot.controls[0].beyond or 0 < plot.controls[0].low <= plot.controls[0].high < 100


def test_a_far_control_is_an_arrow_and_leaves_the_scale_alone() -> None:
    plot = intervals.plot(measure(5127.0, 0.0, {"at_least": 4370.0, "at_most": 4830.0}, (61000.0, 61000.0), 4600.0))
    assert plot is not None
    assert plot.controls[0].beyond == "right"
    assert plot.controls[0].text == "61000"
    assert plot.band is not None
    assert plot.paper is not None
    assert plot.band[0] < plot.paper < plot.band[0] + plot.band[1] < plot.value


def test_nothing_measured_is_no_plot() -> None:
    assert intervals.plot({"value": None}) is None


def test_a_negative_number_gets_its_sign_and_a_hyphen_stays() -> None:
    assert words.signs("-0.939 (-0.979 to -0.841) is below 0") == "−0.939 (−0.979 to −0.841) is below 0"
    assert words.signs("a half-1 fit of figure-08") == "a half-1 fit of figure-08"
