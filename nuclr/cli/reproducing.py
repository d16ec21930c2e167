"""`python -m nuclr reproduce`: trains what is missing, judges each claim as soon as its runs are there, writes the page anew.

Claims without runs come first, then the headline claims, cheap ones before dear ones. A claim that its seeds leave undecided gets the
runs of its next look, and is judged again.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from nuclr.cli.app import (
    CLAIMS_FILE,
    GOLDEN,
    BudgetOption,
    ProfileOption,
    ReportsOption,
    ScaleOption,
    StoreOption,
    WorkersOption,
    app,
    from_root,
    profile_named,
)
from nuclr.cli.judging import against_golden
from nuclr.cli.reporting import report
from nuclr.errors import Incomplete, NuclrError, Stopped
from nuclr.files import write
from nuclr.model.device import device_named
from nuclr.verdict import record, summary
from nuclr.verdict.judging import UNFINISHED
from nuclr.verdict.provenance import cores, now
from nuclr.verdict.record import Record
from nuclr.verdict.registry import GROUPS, Claim, Registry, load
from nuclr.verdict.statistics import Verdict

if TYPE_CHECKING:
    from nuclr.train.worker import Job

MOST_AT_ONCE = 8  # claims; each reads networks of its own into memory
LOOK_EVERY = 1.0  # seconds between looks for verdicts that have fallen
TO_BE_CONTINUED = 75  # EX_TEMPFAIL: nothing is wrong, the same command goes on


@app.command(
    epilog="Examples: `python -m nuclr reproduce --profile cpu --strict`, `python -m nuclr reproduce --looks 1` (the first seeds "
    "alone), `python -m nuclr reproduce --profile paper --budget 9m`"
)
def reproduce(
    profile: ProfileOption = "auto",
    store: StoreOption = Path("runs"),
    reports: ReportsOption = Path("reports"),
    workers: WorkersOption = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on any claim that is not reproduced.")] = False,
    looks: Annotated[
        int, typer.Option(min=0, help="Look at most so often at a claim, with more seeds each time; 0: as the profile.")
    ] = 0,
    budget: BudgetOption = "",
    scale: ScaleOption = 1.0,
) -> None:
    """Train what is missing, judge each claim as soon as its runs are there, write the report.

    Ends 0 when every claim got a verdict, and 75 when a budget was spent before that: call it again.
    """
    from nuclr.train.budget import seconds_of

    from_root(CLAIMS_FILE)
    name, began = profile_named(profile, scale), time.monotonic()
    deadline = began + seconds_of(budget) if budget else None
    judge = Judge(load(CLAIMS_FILE), name, store, reports, looks)
    try:
        troubles, finished = _train_and_judge(judge, workers, deadline)
    except KeyboardInterrupt:  # while claims were judged; the training turns its own into this
        raise Stopped("Stopped: what was trained and judged is kept, and the same command goes on.") from None
    finally:
        judge.stop()
        if judge.evidence.exists():  # also after Ctrl-C: a page that says what is missing
            judge.show_all()
            report(reports / "evidence.json", reports / "index.html")
    if (GOLDEN / name).exists():
        against_golden(name, reports)
    print(f"{time.monotonic() - began:.0f} s in all. What pytest said is in {judge.log}.")
    if troubles:
        raise troubles[0]
    if not finished:
        raise typer.Exit(TO_BE_CONTINUED)
    if judge.failed(strict):
        raise typer.Exit(1)


def _train_and_judge(judge: Judge, workers: int, deadline: float | None) -> tuple[list[Incomplete], bool]:
    """Look after look until no claim is open; the runs that could not be trained, and whether the budget lasted."""
    device = device_named("auto")
    from nuclr.runs import looks as looks_of
    from nuclr.train.plan import survey, train_missing
    from nuclr.train.progress import Display
    from nuclr.train.store import Store

    console, profile, store = judge.console, judge.profile, judge.store
    console.print(f"Profile {profile} on {device}, store {store}.", highlight=False)
    troubles: list[Incomplete] = []
    claims = list(judge.registry.claims.values())
    for look in range(1, looks_of(profile) + 1):
        if look > 1:
            claims = judge.open_claims(look - 1)
        if not claims:
            continue
        claims = in_order(claims, profile, look)
        names = runs_of(claims, profile)
        if look > 1:
            titles = ", ".join(claim.id for claim in claims)
            console.print(f"Look {look}: more seeds for {titles}.", highlight=False, soft_wrap=True)
        judge.begin(claims, look)
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            train_missing(
                *(profile, store, device, workers or cores(), Display(console), names),
                *(left, look, names, judge.ended),
            )
        except Incomplete as trouble:  # a diverged run stops its own claims alone
            troubles.append(trouble)
        absent = [run for run in survey(profile, Store(store), names, look) if not run.stored]
        over = deadline is not None and time.monotonic() >= deadline and bool(absent)
        judge.finish(all_of_them=not over)
        if over:
            print(f"The budget is spent and {len(absent)} runs are left: the same command goes on.")
            return troubles, False
    return troubles, True


def runs_of(claims: Iterable[Claim], profile: str) -> list[str]:
    """Names of the runs that the claims rest on, those of the first claim first."""
    from nuclr.runs import matching

    return list(dict.fromkeys(name for claim in claims for name in matching(profile, claim.runs)))


def in_order(claims: Iterable[Claim], profile: str, look: int) -> list[Claim]:
    """The claims by group, and within a group those first whose runs take less work."""
    from nuclr.runs import planned
    from nuclr.train.plan import work

    costs = {claim.id: work(planned(profile, runs_of([claim], profile), look)) for claim in claims}
    return sorted(claims, key=lambda claim: (costs[claim.id] > 0, GROUPS.index(claim.group), costs[claim.id]))


class Judge:
    """Judges claims beside the training, in a pytest of its own: a batch of those whose runs are there, then the next batch.

    A verdict is shown when it falls, and the page is written after each batch.
    """

    def __init__(self, registry: Registry, profile: str, store: Path, reports: Path, looks: int) -> None:
        self.registry, self.profile, self.store, self.reports, self.looks = registry, profile, store, reports, looks
        self.evidence = record.file_of(reports, profile)
        self.log = reports / "judging.log"
        self.console = Console()
        self._lacking: dict[str, set[str]] = {}  # fingerprints of the runs that a waiting claim lacks
        self._ready: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._pytest: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._shown = False  # the header of the table
        self._pages = 0  # how often the page was written
        self._trouble: Exception | None = None

    def begin(self, claims: Sequence[Claim], look: int) -> None:
        """Wait for the runs of these claims, and judge those at once whose runs are there."""
        from nuclr.train.plan import survey
        from nuclr.train.store import Store

        runs = survey(self.profile, Store(self.store), runs_of(claims, self.profile), look)
        absent = {run.config.name: set[str]() for run in runs}
        for run in runs:
            if not run.stored:
                absent[run.config.name].add(run.fingerprint)
        self._lacking = {
            claim.id: set[str]().union(*(absent[name] for name in runs_of([claim], self.profile))) for claim in claims
        }
        self._thread = threading.Thread(target=self._judge, daemon=True)
        self._thread.start()
        self._hand_over([name for name, lacking in self._lacking.items() if not lacking])

    def ended(self, job: Job) -> None:
        """A job of the training has come to its end: the claims that have all of their runs now are to be judged."""
        from nuclr.train.pool import absent

        if absent(job):
            return
        for lacking in self._lacking.values():
            lacking.difference_update(job.fingerprints)
        self._hand_over([name for name, lacking in self._lacking.items() if not lacking])

    def finish(self, all_of_them: bool = True) -> None:
        """Wait until the claims at hand are judged; `all_of_them`: also those whose runs are not there, which are errors."""
        if all_of_them:
            self._hand_over(list(self._lacking))
        self._ready.put(None)
        if self._thread is not None:
            self._thread.join()
        if self._trouble:
            raise self._trouble

    def stop(self) -> None:
        """End the judging at once: what is being judged stays an error in the evidence."""
        self._stopped = True
        if self._pytest is not None:
            with suppress(ProcessLookupError):
                self._pytest.terminate()
        self._ready.put(None)
        if self._thread is not None:
            self._thread.join()

    def open_claims(self, made: int) -> list[Claim]:
        """Claims that were looked at so often and are undecided, where there is another look."""
        found = {name: one.get("looks") for name, one in self._records().items()}
        return [
            self.registry.claims[name]
            for name, looks in found.items()
            if looks and looks["undecided"] and looks["made"] == made < looks["of"]
        ]

    def failed(self, strict: bool) -> bool:
        """Whether a claim is an error, or (strict) anything else than reproduced."""
        failing = {Verdict.ERROR} | ({Verdict.NOT_REPRODUCED, Verdict.INCONCLUSIVE} if strict else set())
        return any(Verdict(one["verdict"]) in failing for one in self._records().values())

    def show_all(self) -> None:
        """The whole table, in the order of the paper, with the reason of each verdict that is not "reproduced"."""
        records = self._records()
        self.console.print()
        for line, _ in summary.told(records, records):
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    # ------------------------------------------------------------------------------------------- beside the training

    def _hand_over(self, names: Collection[str]) -> None:
        for name in names:
            del self._lacking[name]
            self._ready.put(name)

    def _judge(self) -> None:
        while not self._stopped:
            batch = [self._ready.get()]
            with suppress(queue.Empty):
                while True:
                    batch.append(self._ready.get_nowait())
            claims = [self.registry.claims[name] for name in batch if name is not None]
            # What needs no run takes seconds, and is not to wait for a search that takes minutes.
            for part in ([one for one in claims if not one.runs], [one for one in claims if one.runs]):
                if part and not self._stopped and self._trouble is None:
                    try:
                        self._run(part)
                    except Exception as trouble:  # a thread has nobody to tell: finish() raises it
                        self._trouble = trouble
            if None in batch:
                return

    def _run(self, claims: Sequence[Claim]) -> None:
        """Judge some claims and show their verdicts."""
        modules = list(dict.fromkeys(str(self.registry.module_of(claim)) for claim in claims))
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *_side_by_side(len(claims)),
            *(module for module in modules if Path(module).is_file()),
            *("--profile", self.profile, "--store", str(self.store), "--reports", str(self.reports)),
            *(["--looks", str(self.looks)] if self.looks else []),
            *(word for claim in claims for word in ("--claim", claim.id)),
        ]
        began, shown = now(), set[str]()
        # In a session of its own Ctrl-C does not reach it: stop() ends it.
        self._pytest = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        said = None
        while said is None:
            with suppress(subprocess.TimeoutExpired):
                said, _ = self._pytest.communicate(timeout=LOOK_EVERY)
            if self._stopped:
                self._pytest.wait()
                return
            fallen = [claim.id for claim in claims if claim.id not in shown and self._judged(claim.id, began)]
            self._show(fallen)
            shown.update(fallen)
        write(self.log, (self.log.read_bytes() if self._pages else b"") + said)
        if self._pytest.returncode not in (0, 1, 5):  # passed, failed, or every module skipped itself
            raise NuclrError(f"pytest could not judge {', '.join(claim.id for claim in claims)}: see {self.log}.")
        self._write_page()

    def _judged(self, name: str, since: str) -> bool:
        """Whether a claim has a verdict, or an error of its own, of since then."""
        if not self.evidence.exists():
            return False
        one = self._records()[name]
        return (one["provenance"].get("judged_at") or "") >= since and one["reason"] != UNFINISHED

    def _show(self, names: Sequence[str]) -> None:
        if not names:
            return
        records = self._records()
        lines = summary.aligned([summary.HEADER, *summary.rows(records, records)])
        by_name = dict(zip((row[0] for row in summary.rows(records, records)), lines[1:], strict=True))
        if not self._shown:
            self._shown = True
            self.console.print(lines[0], highlight=False, markup=False, soft_wrap=True)
        for name in names:
            if name in by_name:
                self.console.print(by_name[name], highlight=False, markup=False, soft_wrap=True)

    def _write_page(self) -> None:
        from nuclr.report import page

        page.write(self.reports / "evidence.json", self.reports / "index.html", GOLDEN, CLAIMS_FILE.parent)
        self._pages += 1

    def _records(self) -> dict[str, Record]:
        found: dict[str, Record] = record.load(self.evidence)["claims"]
        return found


def _side_by_side(claims: int) -> list[str]:
    """Have pytest judge as many claims at once as there are cores, where its xdist is at hand."""
    at_once = min(cores(), MOST_AT_ONCE, claims)
    return ["-n", str(at_once), "--dist", "worksteal"] if find_spec("xdist") and at_once > 1 else []
