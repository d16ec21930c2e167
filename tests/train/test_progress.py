"""What a person sees of a training, on a clock that the test turns."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from nuclr.train import progress
from nuclr.train.plan import Planned, cost
from nuclr.train.progress import NOT_BEGUN, Display
from nuclr.train.worker import Job


@dataclass(frozen=True)
class Ended:
    trained: int
    notes: tuple[str, ...] = ()


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def jobs(tiny):
    """Two fleets, each of 7680 rows a run in 120 steps."""

    def job(*configs):
        return Job("smoke", configs, tuple(config.label for config in configs), Path("runs"), "cpu", 1)

    return [job(tiny(seed=0), tiny(seed=1, name="other")), job(tiny(seed=2))]


@pytest.fixture
def display(jobs):
    display = Display(Console(file=io.StringIO(), width=200))
    runs = [Planned(config, "f", None, "missing") for job in jobs for config in job.configs]
    display.plan(runs, jobs)
    return display


def lines(display):
    return display.console.file.getvalue().splitlines()


def test_the_plan_names_what_is_trained_and_why(display):
    assert lines(display) == [
        "3 runs: 0 reused, 3 to train.",
        "  missing: tiny (2), other (1)",
    ]


def test_the_first_line_comes_soon_and_then_one_now_and_then(display, clock, jobs):
    assert [cost(job) for job in jobs] == [15360, 7680]
    with display:
        clock.now += 5  # the processes start
        display.update([NOT_BEGUN, NOT_BEGUN])
        display.update([0, NOT_BEGUN])
        clock.now += 2
        display.update([2304, 0])
        clock.now += 2
        display.update([4608, 0])
        assert len(lines(display)) == 3
        assert lines(display)[2] == "   10%  0/3 runs, 18 steps/s, 1,152 rows/s, 0:18 left"
        clock.now += 14
        display.update([9216, 2304])
        assert lines(display)[3] == "   50%  0/3 runs, 10 steps/s, 640 rows/s, 0:18 left"
    assert len(lines(display)) == 4


def test_resumed_rows_are_done_but_were_not_trained_now(display, clock):
    with display:
        display.update([7680, 3840])
        clock.now += 10
        display.update([7680 + 1280, 3840])
        assert lines(display)[-1] == "   56%  0/3 runs, 2 steps/s, 128 rows/s, 1:20 left"


def test_what_is_left_out_is_named_and_no_longer_waited_for(display, clock, jobs):
    with display:
        display.update([0, 0])
        clock.now += 10
        display.update([7680, 3840])
        display.finished(jobs[0], Ended(1, ("Run [other], seed 1 diverged.",)))
        clock.now += 20
        display.update([7680, 5760])
        assert lines(display)[-3:] == [
            "  trained 1 of tiny (1), other (1) after 0:10",
            "  Run [other], seed 1 diverged.",
            "   92%  1/3 runs, 7 steps/s, 448 rows/s, 0:04 left",
        ]
        display.finished(jobs[1], Ended(0, ("Run tiny, seed 2 is left to another process.",)))
        clock.now += 20
        display.update([7680, 5760])
        assert lines(display)[-1].startswith("  100%  1/3 runs")


def test_a_fleet_of_many_kinds_ends_in_one_short_line(tiny, display, jobs):
    many = Job("smoke", tuple(tiny(name=f"run-{n}") for n in range(9)), ("f",) * 9, Path("runs"), "cpu", 1)
    display.plan([], [*jobs, many])
    with display:
        display.finished(many, Ended(9))
    assert lines(display)[-1] == "  trained run-0 (1), run-1 (1), run-2 (1), run-3 (1) and 5 kinds more after 0:00"


def test_a_kind_that_trains_in_several_fleets_ends_in_one_line(tiny, display):
    fleets = [Job("smoke", (tiny(seed=s),), ("f",), Path("runs"), "cpu", 1) for s in (0, 1, 2)]
    display.plan([], fleets)
    begun = len(lines(display))
    with display:
        for number, job in enumerate(fleets):
            assert len(lines(display)) == begun, number
            display.finished(job, Ended(1))
    assert lines(display)[begun:] == ["  trained tiny (3) after 0:00"]


def test_what_is_left_is_weighed_in_predicted_seconds(tiny, display, clock):
    fast, slow = (
        Job("smoke", (tiny(seed=s),), ("f",), Path("runs"), "cpu", 1, seconds) for s, seconds in ((0, 10), (1, 90))
    )
    display.plan([], [fast, slow])
    with display:
        display.update([0, NOT_BEGUN])
        clock.now += 10
        display.update([7680, 0])
        assert lines(display)[-1] == "   10%  0/2 runs, 12 steps/s, 768 rows/s, 1:30 left"


def test_a_stopped_fleet_is_not_taken_for_done(display, clock, jobs):
    with display:
        display.update([0, 0])
        display.finished(jobs[0], Ended(0))
        clock.now += 3
        display.update([0, 7680])
        assert lines(display)[-1].startswith("   33%  0/3 runs")


def test_a_terminal_has_a_bar_and_notes_above_it(jobs, clock):
    display = Display(Console(file=io.StringIO(), width=120, force_terminal=True))
    display.plan([], jobs)
    with display:
        display.update([0, 0])
        clock.now += 4
        display.update([7680, 0])
        display.note("a note")
    shown = display.console.file.getvalue()
    assert "0/3 runs, 30 steps/s, 1,920 rows/s, 0:08 left" in shown
    assert "  a note" in shown


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3723, "1:02:03")])
def test_the_clock(seconds, shown):
    assert progress._clock(seconds) == shown
