"""The half of the plugin that keeps the evidence: it runs in pytest's main process and is the only one to write it."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nuclr.errors import NuclrError
from nuclr.verdict import registry, summary
from nuclr.verdict.judging import Judging
from nuclr.verdict.record import file_of
from nuclr.verdict.statistics import Verdict

PROPERTY = "claim"  # the name under which a test's last report carries its record
LETTER = "nuclr_letter"  # the key under which a worker of pytest-xdist finds where to leave its assignment
COLOURS = {
    Verdict.REPRODUCED: {"green": True},
    Verdict.NOT_REPRODUCED: {"red": True},
    Verdict.INCONCLUSIVE: {"yellow": True},
    Verdict.ERROR: {"red": True, "bold": True},
}


class Keeper:
    """Turns what happens in a session into evidence. Does nothing in a session without claim tests."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.claims_file = claims_file(config)
        self._judging: Judging | None = None
        self._assignment: dict[str, str] = {}
        self._letters: tempfile.TemporaryDirectory[str] | None = None

    @property
    def judging(self) -> Judging:
        """The judging session, opened when the first claim turns up. Raises NuclrError."""
        if self._judging is None:
            option, given = self.config.option, self.config.invocation_params
            command = shlex.join(["pytest", *map(str, given.args)])
            claims = registry.load(self.claims_file)
            self._judging = Judging(
                claims, option.profile, Path(option.reports), self.config.rootpath, command, option.device
            )
        return self._judging

    def assigned(self, assignment: dict[str, Any]) -> None:
        """Take which test judges which claim, {"tests": {claim id: node id}}, or {"error": sentence}."""
        if "error" in assignment:
            raise pytest.UsageError(assignment["error"])
        self._assignment = assignment["tests"]

    def begin(self) -> None:
        """Start to judge, once, if there is something to judge."""
        if self._assignment and not (self._judging and self._judging.tests):
            with usage():
                self.judging.start(self._assignment)

    # ------------------------------------------------------------------------------------------------ collection

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A claim whose module cannot be imported is an error; where the module skips itself, it is not run."""
        module = self.config.rootpath / report.nodeid.split("::")[0]
        if report.passed or module.parent != self.claims_file.parent or not self.claims_file.is_file():
            return
        with usage():
            if report.skipped:
                self.judging.module_stopped(module, Verdict.NOT_RUN, skip_reason(report.longrepr))
            else:
                reason = getattr(report, "claim_reason", "the module cannot be collected")
                self.judging.module_stopped(module, Verdict.ERROR, reason)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        option = self.config.option
        stopped = session.testsfailed and not option.continue_on_collection_errors
        if not option.collectonly and not stopped:
            self.begin()

    # ------------------------------------------------------------------------------------------ workers of xdist

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        if self._letters is None:
            self._letters = tempfile.TemporaryDirectory(prefix="nuclr-")
        node.workerinput[LETTER] = str(Path(self._letters.name) / f"{node.gateway.id}.json")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        self.assigned(json.loads(Path(node.workerinput[LETTER]).read_text(encoding="utf-8")))
        self.begin()

    # ---------------------------------------------------------------------------------------------------- judging

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not self._assignment:
            return
        with usage():
            for name, content in report.user_properties:
                if name == PROPERTY:
                    sent = json.loads(str(content))
                    self.judging.finish(sent["claim"], sent["record"], sent["duration"])
            if report.when not in ("setup", "call", "teardown"):  # xdist's report of a worker that died
                self.judging.crashed(report.nodeid, str(report.longrepr).splitlines()[0])

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._letters is not None:
            self._letters.cleanup()
        if self._judging is None or exitstatus == pytest.ExitCode.USAGE_ERROR or self.config.option.collectonly:
            return
        with usage():
            self._judging.save()
        failing = {Verdict.ERROR}
        if self.config.option.strict_claims:
            failing |= {Verdict.NOT_REPRODUCED, Verdict.INCONCLUSIVE}
        if exitstatus == pytest.ExitCode.OK and failing & self._judging.verdicts(self._judging.judged):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._judging is None or self.config.option.collectonly:
            return
        records, judged, tr = self._judging.records, self._judging.judged, terminalreporter
        tr.write_sep("=", f"claims, profile {self._judging.profile}")
        for problem in self._judging.problems:
            tr.write_line(f"Problem: {problem}", red=True)
        for line, verdict in summary.told(records, judged):
            tr.write_line(line, **(COLOURS.get(verdict, {}) if verdict else {}))
        if any(name not in judged for name, *_ in summary.rows(records, judged)):
            tr.write_line(f"{summary.KEPT} judged in an earlier session")
        tr.write_line(f"Evidence: {file_of(self._judging.reports, self._judging.profile)}")


def claims_file(config: pytest.Config) -> Path:
    """The file that says what is claimed, as an absolute path."""
    given = config.option.claims_file
    return Path(given).absolute() if given else config.rootpath / "claims" / "paper.toml"


def skip_reason(longrepr: Any) -> str:
    """The reason in what pytest keeps of a skip: (path, line, "Skipped: reason")."""
    return str(longrepr[2] if isinstance(longrepr, tuple) else longrepr).removeprefix("Skipped: ")


@contextmanager
def usage() -> Iterator[None]:
    """Let pytest show an error that the user can mend as one sentence, without a traceback."""
    try:
        yield
    except NuclrError as error:
        raise pytest.UsageError(str(error)) from None
