"""The pytest plugin: a test marked @pytest.mark.claim("id") is judged, and every other test is left alone.

Verdicts are no test results. A claim that is not reproduced passes pytest; a test that cannot say anything fails it.

This half runs where tests run, which under pytest-xdist is a worker: it sends each record along with the test's last
report. The other half, the keeper, runs in the main process and writes the evidence.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nuclr.errors import NuclrError, unknown
from nuclr.verdict import registry
from nuclr.verdict.evidence import SILENT, Evidence
from nuclr.verdict.judging import assign
from nuclr.verdict.keeper import LETTER, PROPERTY, Keeper, claims_file
from nuclr.verdict.record import Record, blank
from nuclr.verdict.registry import Claim
from nuclr.verdict.statistics import EvidenceError, Verdict


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("nuclr", "claims of the paper")
    group.addoption("--profile", default="auto", help="profile whose trained runs are judged (default: %(default)s)")
    group.addoption(
        "--reports", default="reports", metavar="DIR", help="where evidence is written (default: %(default)s)"
    )
    group.addoption("--store", default="runs", metavar="DIR", help="where trained runs lie (default: %(default)s)")
    group.addoption("--claim", action="append", metavar="ID", help="judge this claim alone; may be given again")
    group.addoption(
        "--looks", type=int, metavar="N", help="look at most N times at a claim (default: as often as the profile)"
    )
    group.addoption(
        "--device", default="auto", help="where trained networks are read: cpu, cuda, or auto: cuda where there is one"
    )
    group.addoption("--claims-file", metavar="FILE", help="what is claimed (default: claims/paper.toml)")
    group.addoption("--strict-claims", action="store_true", help="fail where a claim is not reproduced or inconclusive")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "claim(id): the claim of claims/paper.toml that this test judges")
    config.option.reports = str(Path(config.option.reports).absolute())
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        letter = Path(workerinput[LETTER])
        config.pluginmanager.register(Bench(config, lambda found: _leave(letter, found)), "nuclr-bench")
        return
    keeper = Keeper(config)
    config.pluginmanager.register(keeper, "nuclr-keeper")
    config.pluginmanager.register(Bench(config, keeper.assigned), "nuclr-bench")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    option = session.config.option
    if option.profile == "auto":
        option.profile = "cpu"
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?", option.profile):
        raise pytest.UsageError(
            f"The profile {option.profile!r} is not a name: use letters, digits, hyphens and underscores, as in cpu or paper-x0.001."
        )


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """The recorder of the claim that the test judges; see nuclr.verdict.evidence."""
    trial = request.node.stash.get(TRIAL, None)
    if trial is None:
        raise NuclrError(f'{request.node.nodeid} uses the fixture evidence: mark it with @pytest.mark.claim("id").')
    trial.evidence = Evidence(trial.claim, request.config.option.profile, Path(request.config.option.reports))
    return trial.evidence


@dataclass
class Trial:
    """One claim test while it runs: what it recorded, and what stopped it."""

    claim: Claim
    evidence: Evidence | None = None
    stopped: tuple[Verdict, str] | None = None
    duration: float = 0.0

    def stop(self, verdict: Verdict, reason: str) -> None:
        """Note why there is no verdict; the first reason counts, but an error outranks a skip."""
        if self.stopped is None or (self.stopped[0], verdict) == (Verdict.NOT_RUN, Verdict.ERROR):
            self.stopped = (verdict, reason)

    def outcome(self, profile: str) -> Record:
        """The record of the claim when the test is over."""
        if self.stopped is None and self.evidence is not None:
            return self.evidence.record()
        verdict, reason = self.stopped or (Verdict.ERROR, SILENT)
        if self.evidence is None or verdict is Verdict.NOT_RUN:
            return blank(self.claim, profile, verdict, reason)
        return self.evidence.record() | {"verdict": str(verdict), "reason": reason}


TRIAL = pytest.StashKey[Trial]()


class Bench:
    """Runs the trials and hands over, through `assigned`, which test judges which claim."""

    def __init__(self, config: pytest.Config, assigned: Callable[[dict[str, Any]], None]) -> None:
        self.config = config
        self.assigned = assigned

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what --claim does not name."""
        wanted = self.config.option.claim
        if not wanted:
            return
        try:
            known = registry.load(claims_file(self.config)).claims
            for name in wanted:
                if name not in known:
                    raise unknown("claim", name, known)
        except NuclrError as error:
            raise pytest.UsageError(str(error)) from None
        chosen = {
            item: {mark.args[0] for mark in item.iter_markers("claim") if mark.args} & set(wanted) for item in items
        }
        self.config.hook.pytest_deselected(items=[item for item in items if not chosen[item]])
        items[:] = [item for item in items if chosen[item]]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        marked = [item for item in session.items if item.get_closest_marker("claim")]
        tests: dict[str, str] = {}
        try:
            if marked:
                claims = registry.load(claims_file(self.config))
                tests = assign(
                    ((item.nodeid, [mark.args for mark in item.iter_markers("claim")]) for item in marked), claims
                )
                for item, name in zip(marked, tests, strict=True):
                    item.stash[TRIAL] = Trial(claims.claims[name])
        except NuclrError as error:
            self.assigned({"error": str(error)})
            return
        self.assigned({"tests": tests})

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Call the test of a claim at its first look, and again for as long as the claim stays undecided and has seeds left."""
        trial = pyfuncitem.stash.get(TRIAL, None)
        if trial is None:
            return None
        test = pyfuncitem.obj
        arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}
        test(**arguments)
        while trial.evidence is not None and trial.evidence.look_again():
            test(**arguments)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        trial = item.stash.get(TRIAL, None)
        if trial is not None and (trial.evidence is None or not trial.evidence.concluded):
            raise EvidenceError(SILENT)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        trial = item.stash.get(TRIAL, None)
        if trial is None:
            return report
        trial.duration += call.duration
        if call.excinfo is not None:
            error = call.excinfo.value
            skipped = isinstance(error, pytest.skip.Exception)
            trial.stop(Verdict.NOT_RUN if skipped else Verdict.ERROR, reason_of(error))
            if isinstance(error, NuclrError) and report.failed:
                report.longrepr = str(error)
        if call.when == "teardown":
            found = trial.outcome(self.config.option.profile)
            sent = {"claim": trial.claim.id, "record": found, "duration": round(trial.duration, 3)}
            report.user_properties.append((PROPERTY, json.dumps(sent, allow_nan=False)))
        return report

    def pytest_exception_interact(
        self, call: pytest.CallInfo[Any], report: pytest.CollectReport | pytest.TestReport
    ) -> None:
        """Keep what stopped a collection in its report, which a worker sends to the main process."""
        if isinstance(report, pytest.CollectReport) and call.excinfo is not None:
            error = call.excinfo.value
            report.claim_reason = reason_of(error.__cause__ or error)  # type: ignore[attr-defined]


def reason_of(error: BaseException) -> str:
    """What stopped a test: our own sentence or the reason of a skip as it is, else the type and the first line."""
    if isinstance(error, NuclrError | pytest.skip.Exception):
        return str(error)
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def _leave(letter: Path, found: dict[str, Any]) -> None:
    letter.write_text(json.dumps(found), encoding="utf-8")
