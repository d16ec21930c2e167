"""Golden evidence beside this run: a column of the table of claims for each golden, and what differs from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nuclr.report import reading, words
from nuclr.verdict import golden

GOLDENS = {"paper": "golden, paper scale", "cpu": "golden, cpu"}


@dataclass(frozen=True)
class Column:
    """The golden evidence of one profile.

    source: commit, device and date in a line. trouble: why it cannot be used, else "". own: whether it is of the profile
    of this run, whose verdicts should then be the same. changes: what differs in this run.
    """

    title: str
    profile: str
    source: str
    trouble: str
    own: bool
    claims: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    changes: tuple[golden.Change, ...] = ()

    @property
    def differing(self) -> list[str]:
        """The claims whose verdict is another in this run."""
        return [change.claim for change in self.changes if not change.measure]

    @property
    def common(self) -> int:
        """How many claims have a verdict in the golden evidence."""
        return sum(claim["verdict"] not in ("not run", "error") for claim in self.claims.values())


def columns(root: Path, evidence: Mapping[str, Any]) -> list[Column]:
    """The goldens under the folder `root`, the paper's scale first; one that is not there has no column."""
    found = []
    for profile, title in GOLDENS.items():
        file = golden.file_of(root, profile)
        if file.is_file():
            found.append(_column(file, profile, title, evidence))
    return found


def _column(file: Path, profile: str, title: str, evidence: Mapping[str, Any]) -> Column:
    known, troubles = reading.read(file)
    if troubles:
        return Column(title, profile, str(file), troubles[0], own=False)
    made = known["provenance"]
    source = ", ".join(
        (f"commit {words.commit(made)}", made.get("device") or "device not recorded", words.moment(known["updated"]))
    )
    own = known["profile"] == evidence["profile"]
    changes = tuple(golden.compare(known, dict(evidence))) if own else ()
    return Column(title, profile, source, "", own, known["claims"], changes)
