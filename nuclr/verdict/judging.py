"""One judging session: who is judged, what is kept from before, and the evidence file that says so at every moment.

A record starts as an error and must earn its verdict, so that a process that dies leaves errors behind and never an
old success.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nuclr.errors import NuclrError, unknown
from nuclr.trials import trial
from nuclr.verdict import provenance, record
from nuclr.verdict.record import Record
from nuclr.verdict.registry import Claim, Registry
from nuclr.verdict.statistics import Verdict

UNFINISHED = "judging started and did not finish"


class Judging:
    """The state of `profile` under `reports` while claims are judged.

    Raises NuclrError where the evidence of an earlier session is malformed, or where `reports` cannot be written.
    """

    def __init__(
        self, registry: Registry, profile: str, reports: Path, root: Path, command: str, device: str = "cpu"
    ) -> None:
        self.registry = registry
        self.profile = profile
        self.reports = reports
        self.judged: set[str] = set()
        self.tests: dict[str, str] = {}
        self.problems: list[str] = []
        self._provenance = provenance.gather(root, device)
        self._session = {"command": command, "started": provenance.now()}
        self._clock = time.monotonic()
        file = record.file_of(reports, profile)
        earlier: Record = record.load(file) if file.exists() else {"profile": profile, "claims": {}}
        if earlier["profile"] != profile:
            raise NuclrError(
                f"The evidence file {file} is of the profile {earlier['profile']!r}: move it away and judge again."
            )
        claims = registry.claims.values()
        self.records = {claim.id: self._kept(claim, earlier["claims"].get(claim.id)) for claim in claims}

    def start(self, tests: dict[str, str]) -> None:
        """Begin to judge `tests` (claim id -> node id): each is an error on disk until it is finished."""
        self.tests = tests
        for name, test in tests.items():
            self._put(name, self._blank(name, Verdict.ERROR, UNFINISHED, test))
        self.save()

    def finish(self, name: str, found: Record, duration: float | None = None) -> None:
        """Take the record `found` for the claim `name`; `duration` in seconds."""
        found["test"] = self.tests.get(name)
        self._put(name, found, duration)
        self.save()

    def crashed(self, test: str, reason: str) -> None:
        """Note that the process that ran `test` (a node id) died."""
        for name, running in self.tests.items():
            if running == test:
                self.finish(name, self._blank(name, Verdict.ERROR, reason, test))

    def module_stopped(self, module: Path, verdict: Verdict, reason: str) -> None:
        """Note that `module` could not be collected: its claims are errors, or not run where it skips itself."""
        owned = [claim for claim in self.registry.claims.values() if self.registry.module_of(claim) == module]
        for claim in owned:
            self._put(claim.id, self._blank(claim.id, verdict, reason, self.records[claim.id]["test"]))
        if not owned and verdict is Verdict.ERROR:
            self.problems.append(f"collection of {self._shown(module)} failed: {reason}")

    def save(self) -> None:
        """Write the evidence of this profile as it stands."""
        seconds = round(time.monotonic() - self._clock, 3)
        evidence: dict[str, Any] = {
            "schema": record.SCHEMA,
            "profile": self.profile,
            "updated": provenance.now(),
            "paper": self.registry.paper,
            "provenance": self._provenance | self._session | {"seconds": seconds},
            "problems": self.problems,
            "claims": self.records,
        }
        if trial(self.profile):
            evidence["trial"] = trial(self.profile)
        record.save(self.reports, evidence)

    def verdicts(self, names: Iterable[str]) -> set[Verdict]:
        """The verdicts that occur among the claims `names`."""
        return {Verdict(self.records[name]["verdict"]) for name in names}

    def _put(self, name: str, found: Record, duration: float | None = None) -> None:
        found["provenance"] = self._provenance | {"judged_at": provenance.now(), "duration": duration}
        self.judged.add(name)
        self.records[name] = found

    def _blank(self, name: str, verdict: Verdict, reason: str, test: str | None) -> Record:
        return record.blank(self.registry.claims[name], self.profile, verdict, reason, test)

    def _kept(self, claim: Claim, earlier: Record | None) -> Record:
        """The record of `claim` before this session: what an earlier one found, if that still means something."""
        module = self.registry.module_of(claim)
        if not module.is_file():
            reason = claim.untested or f"{self._shown(module)} does not exist."
        elif earlier is None or (earlier["verdict"] == Verdict.NOT_RUN and earlier["test"] is None):
            reason = f"Not judged in the profile {self.profile} so far."
        elif earlier["digest"] != claim.digest:
            reason = f"Its table in {self.registry.path.name} has changed since it was judged: judge it again."
            return record.blank(claim, self.profile, Verdict.NOT_RUN, reason, earlier["test"])
        else:
            return earlier
        return record.blank(claim, self.profile, Verdict.NOT_RUN, reason)

    def _shown(self, module: Path) -> str:
        return f"{module.parent.name}/{module.name}"


def assign(marked: Iterable[tuple[str, list[tuple[Any, ...]]]], registry: Registry) -> dict[str, str]:
    """Which test judges which claim: claim id -> node id, from (node id, arguments of its claim markers).

    Raises NuclrError for a marker without exactly one id, an unknown id, and two tests of one claim.
    """
    tests: dict[str, str] = {}
    for test, markers in marked:
        if len(markers) != 1 or len(markers[0]) != 1 or not isinstance(markers[0][0], str):
            raise NuclrError(f'{test} does not name one claim: write @pytest.mark.claim("id") once, with one id.')
        (name,) = markers[0]
        if name not in registry.claims:
            raise NuclrError(f"{test}: {unknown('claim', name, registry.claims)}")
        if name in tests:
            raise NuclrError(f"The claim {name!r} is judged by two tests, {tests[name]} and {test}: keep one.")
        tests[name] = test
    return tests
