"""What a person sees of a training: the plan, then runs done, rows a second and time left; plain lines without a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from nuclr.train.plan import Planned
    from nuclr.train.worker import Job

NOT_BEGUN = -1
PLAIN_EVERY = 15.0  # seconds between lines where there is no terminal


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

        reused = [run for run in runs if run.stored]
        self.console.print(
            f"{len(runs)} runs: {len(reused)} reused, {len(runs) - len(reused)} to train.", highlight=False
        )
        reasons: dict[tuple[str, str], list[int]] = {}
        for run in runs:
            if not run.stored:
                reasons.setdefault((run.config.name, run.reason.split(":")[0]), []).append(run.config.seed)
        for (name, reason), seeds in reasons.items():
            self.console.print(f"  train {name}, seeds {', '.join(map(str, seeds))} ({reason})", highlight=False)
        self.fleets, self.done = len(jobs), 0
        self.total = sum(cost(job) for job in jobs)

    def __enter__(self) -> Self:
        self.started = self.printed = time.monotonic()
        self.first: dict[int, int] = {}
        self.progress.start()
        self.task = self.progress.add_task("training", total=self.total, status="")
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def update(self, seen: Sequence[int]) -> None:
        """`seen` holds for each fleet the rows that it has seen, or NOT_BEGUN."""
        begun = {fleet: rows for fleet, rows in enumerate(seen) if rows != NOT_BEGUN}
        self.first = begun | self.first  # a resumed fleet begins with rows that this session did not train
        rows = sum(begun.values())
        elapsed = time.monotonic() - self.started
        rate = (rows - sum(self.first.values())) / elapsed
        left = _clock((self.total - rows) / rate) if rate else "?"
        status = f"{self.done}/{self.fleets} fleets, {rate:,.0f} rows/s, {left} left"
        self.progress.update(self.task, completed=rows, status=status)
        if not self.console.is_terminal and time.monotonic() - self.printed > PLAIN_EVERY:
            self.console.print(f"  {rows / self.total:4.0%}  {status}", highlight=False)
            self.printed = time.monotonic()

    def finished(self, job: Job) -> None:
        self.done += 1
        seeds = ", ".join(str(config.seed) for config in job.configs)
        self.console.print(
            f"  trained {job.configs[0].name}, seeds {seeds} after {_clock(time.monotonic() - self.started)}",
            highlight=False,
        )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"
