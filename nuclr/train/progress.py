"""What a person sees of a training: the plan, then runs done, steps and rows a second, time left; plain lines without a terminal."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from nuclr.config import RunConfig

if TYPE_CHECKING:
    from nuclr.train.plan import Planned
    from nuclr.train.worker import Job

NOT_BEGUN = -1
NAMED = 4  # kinds of runs that are named when a fleet has ended
PLAIN_AFTER, PLAIN_EVERY = 2.0, 15.0  # seconds to the first line, and between lines, where there is no terminal


class Outcome(Protocol):
    """How a fleet ended: how many of its runs were trained, and a sentence for each that was not."""

    @property
    def trained(self) -> int: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


class Display:
    """One display for all fleets of a training."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[status]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def plan(self, runs: Sequence[Planned], jobs: Sequence[Job]) -> None:
        """Say what is reused, what is trained, and why."""
        from nuclr.train.plan import cost

        missing = [run for run in runs if not run.stored]
        self._print(f"{len(runs)} runs: {len(runs) - len(missing)} reused, {len(missing)} to train.")
        reasons: dict[str, list[RunConfig]] = {}
        for run in missing:
            reasons.setdefault(run.reason.split(":")[0], []).append(run.config)
        for reason, configs in reasons.items():
            self.note(f"{reason}: {', '.join(_titles(configs))}")
        self.jobs = list(jobs)
        self.rows = [cost(job) for job in jobs]
        # Rows of one network cost far more time than those of another: what is left is weighed in the seconds predicted.
        self.weights = [job.seconds or rows for job, rows in zip(jobs, self.rows, strict=True)]
        self.waiting = Counter(_kinds(job) for job in jobs)
        self.trained: Counter[tuple[str, ...]] = Counter()
        self.runs, self.done = sum(len(job.configs) for job in jobs), 0
        self.time_left: float | None = None  # seconds at the pace so far, as last shown

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        self.next_line = math.inf
        self.seen = [0] * len(self.jobs)
        self.first: dict[int, int] = {}
        self.closed: set[int] = set()
        self.progress.start()
        self.task = self.progress.add_task("training", total=sum(self.weights), status="")
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def update(self, seen: Sequence[int]) -> None:
        """`seen` holds for each fleet the rows that it has seen, or NOT_BEGUN."""
        now = time.monotonic()
        begun = {fleet: rows for fleet, rows in enumerate(seen) if rows != NOT_BEGUN}
        if begun and not self.first:  # the processes need seconds to start, which say nothing of their speed
            self.began, self.next_line = now, now + PLAIN_AFTER
        self.first = begun | self.first  # a resumed fleet begins with rows that this session did not train
        self.seen = [max(rows, 0) for rows in seen]
        status = self._status(now)
        self.progress.update(self.task, completed=sum(self.weights) - self._left(), status=status)
        if not self.console.is_terminal and now >= self.next_line:
            self.note(f"{1 - self._left() / sum(self.weights):4.0%}  {status}")
            self.next_line = now + PLAIN_EVERY

    def finished(self, job: Job, outcome: Outcome) -> None:
        """A fleet has ended: its runs are trained, or there is a note why not."""
        self.done += outcome.trained
        if outcome.trained or outcome.notes:  # else it was stopped, and its rows remain to be seen
            self.closed.add(self.jobs.index(job))
        kinds = _kinds(job)
        self.waiting[kinds] -= 1
        self.trained[kinds] += outcome.trained
        if not self.waiting[kinds] and self.trained[kinds]:  # all fleets of these kinds have ended: one line for them
            configs = [config for other in self.jobs if _kinds(other) == kinds for config in other.configs]
            part = "" if self.trained[kinds] == len(configs) else f"{self.trained[kinds]} of "
            titles, after = _titles(configs), _clock(time.monotonic() - self.started)
            more = f" and {len(titles) - NAMED} kinds more" if len(titles) > NAMED else ""
            self.note(f"trained {part}{', '.join(titles[:NAMED])}{more} after {after}")
        for text in outcome.notes:
            self.note(text)

    def note(self, text: str) -> None:
        """A line of its own, above the bar where there is one."""
        self._print(f"  {text}")

    def _left(self) -> float:
        """The weight of the rows still to be seen: none in a fleet that has ended, even where it left some of its runs."""
        shares = [1 - seen / rows for seen, rows in zip(self.seen, self.rows, strict=True)]
        return sum(share * self.weights[fleet] for fleet, share in enumerate(shares) if fleet not in self.closed)

    def _status(self, now: float) -> str:
        trained = {fleet: self.seen[fleet] - first for fleet, first in self.first.items()}
        rows = sum(trained.values())
        steps = sum(rows * self._steps(fleet) / self.rows[fleet] for fleet, rows in trained.items())
        done = sum(rows * self.weights[fleet] / self.rows[fleet] for fleet, rows in trained.items())
        status = f"{self.done}/{self.runs} runs"
        if not rows:
            return status
        elapsed = max(now - self.began, 1e-3)
        self.time_left = self._left() / (done / elapsed)
        return f"{status}, {steps / elapsed:,.0f} steps/s, {rows / elapsed:,.0f} rows/s, {_clock(self.time_left)} left"

    def _steps(self, fleet: int) -> int:
        return sum(config.training.steps for config in self.jobs[fleet].configs)

    def _print(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _kinds(job: Job) -> tuple[str, ...]:
    return tuple(dict.fromkeys(config.name for config in job.configs))


def _titles(configs: Iterable[RunConfig]) -> list[str]:
    """Runs for a reader, a name at a time, with the number of seeds: "joint (3)"."""
    return [f"{name} ({count})" for name, count in Counter(config.name for config in configs).items()]


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
