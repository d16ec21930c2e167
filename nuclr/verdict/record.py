"""The record of a claim and the evidence file of a profile: JSON without NaN, of which no reader ever sees half."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nuclr.errors import NuclrError
from nuclr.files import write
from nuclr.verdict.registry import Claim
from nuclr.verdict.statistics import EvidenceError, Verdict

SCHEMA = 1
Record = dict[str, Any]
NO_PROVENANCE: Record = {
    "commit": None,
    "dirty": None,
    "versions": {},
    "device": None,
    "judged_at": None,
    "duration": None,
}


def blank(claim: Claim, profile: str, verdict: Verdict, reason: str, test: str | None = None) -> Record:
    """The record of `claim` before anything is measured. `test` is the node id of its test, where there is one.

    The table's digest goes in too: a verdict must not outlive a change of what it was given on.
    """
    first = next(iter(claim.measures.values()))
    return {
        "verdict": str(verdict),
        "reason": reason,
        "value": None,
        "interval": None,
        "bound": first.bound.as_dict(),
        "bound_text": str(first.bound),
        "paper_value": claim.paper if first.paper is None else first.paper,
        "unit": first.unit,
        "control": {"text": claim.control, "outside": None},
        "title": claim.title,
        "statement": claim.statement,
        "where": claim.where,
        "figures": list(claim.figures),
        "paper": claim.paper,
        "why": claim.why,
        "seeds": claim.seeds,
        "module": claim.module,
        "changed": claim.changed,
        "judged": claim.judged_in(profile),
        "measures": [],
        "notes": [],
        "remarks": [],
        "runs": [],
        "figures_drawn": [],
        "tolerance": None,
        "looks": None,
        "test": test,
        "provenance": dict(NO_PROVENANCE),
        "digest": claim.digest,
    }


def plain(value: Any, what: str) -> Any:
    """`value`, which may hold numpy's types, in JSON's own. Raises EvidenceError for anything else and for NaN."""
    if value is None or isinstance(value, bool | int | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(key): plain(item, what) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, what) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist(), what)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EvidenceError(f"{what} holds a value that is NaN or infinite.")
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise EvidenceError(f"{what} holds a {type(value).__name__}: give numbers, texts, lists and dictionaries.")


def encode(value: Any) -> str:
    """`value` as JSON. Raises ValueError for NaN: nothing of the kind may reach a file."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, indent=1) + "\n"


def save(reports: Path, evidence: Record) -> None:
    """Write `evidence` as the state of its profile and, byte for byte the same, as the last judged one."""
    content = encode(evidence).encode()
    write(file_of(reports, evidence["profile"]), content)
    write(reports / "evidence.json", content)


def load(path: Path) -> Record:
    """The evidence in the file at `path`. Raises NuclrError that names the file where it is not what `save` writes."""
    try:
        evidence = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        _check(evidence)
    except (OSError, ValueError) as error:
        raise NuclrError(f"The evidence file {path} is not usable ({error}): move it away and judge again.") from None
    return dict(evidence)


def file_of(reports: Path, profile: str) -> Path:
    """Where the evidence of `profile` lies."""
    return reports / f"evidence-{profile}.json"


def last_verdicts(reports: Path) -> dict[str, dict[str, Verdict]]:
    """The last verdict of every claim, by profile and claim id; empty where nothing was judged yet."""
    states = [load(path) for path in sorted(reports.glob("evidence-*.json"))]
    return {
        state["profile"]: {name: Verdict(record["verdict"]) for name, record in state["claims"].items()}
        for state in states
    }


def _refuse(constant: str) -> float:
    raise ValueError(f"it holds {constant}")


def _check(evidence: Any) -> None:
    """Raise ValueError unless the parts that judging and merging rely on are there."""
    if not isinstance(evidence, dict) or evidence.get("schema") != SCHEMA:
        raise ValueError(f"it is not evidence of schema {SCHEMA}")
    if not isinstance(evidence.get("profile"), str) or not isinstance(evidence.get("claims"), dict):
        raise ValueError("its profile or its claims are missing")
    for name, record in evidence["claims"].items():
        if not isinstance(record, dict) or record.get("verdict") not in set(Verdict):
            raise ValueError(f"claim {name!r} has no verdict")
        if missing := {"reason", "digest", "test", "value", "interval", "bound", "measures"} - record.keys():
            raise ValueError(f"claim {name!r} lacks {', '.join(sorted(missing))}")
