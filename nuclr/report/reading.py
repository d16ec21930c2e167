"""Evidence as it stands in the file: read, checked, and never repaired."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nuclr.errors import NuclrError

SCHEMA = 1
VERDICTS = ("reproduced", "not reproduced", "inconclusive", "error", "not run")

_EVIDENCE: dict[str, type] = {
    "profile": str,
    "updated": str,
    "paper": dict,
    "provenance": dict,
    "problems": list,
    "claims": dict,
}
_PAPER: dict[str, type] = {"title": str, "authors": str, "venue": str, "arxiv": str}
_CLAIM: dict[str, type] = {
    "verdict": str,
    "reason": str,
    "bound_text": str,
    "control": dict,
    "title": str,
    "statement": str,
    "where": str,
    "figures": list,
    "paper": str,
    "why": str,
    "module": str,
    "judged": bool,
    "measures": list,
    "notes": list,
    "runs": list,
    "figures_drawn": list,
}
_MEASURE: dict[str, type] = {"name": str, "label": str, "unit": str, "bound": dict, "bound_text": str}
_RESULT: dict[str, type] = {
    "value": float,
    "values": list,
    "interval": list,
    "method": str,
    "verdict": str,
    "reason": str,
    "controls": list,
}
_CONTROL: dict[str, type] = {
    "label": str,
    "n": int,
    "share_inside": float,
    "median": float,
    "low": float,
    "high": float,
    "outside": bool,
}
_NOTE: dict[str, type] = {"label": str, "values": list, "unit": str}
_RUN: dict[str, type] = {"fingerprint": str, "name": str}
_FIGURE: dict[str, type] = {"id": str, "title": str, "caption": str, "alt": str, "arrays": str, "panels": list}
_WORDS = {
    str: "text",
    dict: "an object",
    list: "a list",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def read(file: Path) -> dict[str, Any]:
    """The checked evidence of `file`. Raises NuclrError that names the file and what is missing or malformed."""
    try:
        evidence = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as absent:
        raise NuclrError(f"There is no evidence at {file}: judge first, with `python -m pytest claims`.") from absent
    except (OSError, ValueError) as trouble:
        raise NuclrError(
            f"The evidence in {file} cannot be read ({trouble}): judge again with `python -m pytest claims`."
        ) from trouble
    check(evidence, str(file))
    return evidence


def check(evidence: Any, source: str) -> None:
    """Raise NuclrError, naming `source` and the place, unless `evidence` has what the page needs."""
    if not isinstance(evidence, dict) or evidence.get("schema") != SCHEMA:
        found = evidence.get("schema") if isinstance(evidence, dict) else None
        raise _malformed(source, "schema", f"should be {SCHEMA} and is {found!r}")
    _require(evidence, _EVIDENCE, source, "")
    _require(evidence["paper"], _PAPER, source, "paper.")
    for name, claim in evidence["claims"].items():
        _claim(claim, source, f"claims.{name}.")


def arrays(file: Path) -> dict[str, np.ndarray]:
    """The recorded arrays of one figure, by "<panel index>.<array name>". Raises NuclrError if they cannot be read."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except FileNotFoundError as absent:
        raise NuclrError(f"its arrays file {file.name} is missing; judge the claim again to record it.") from absent
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as trouble:  # a damaged archive
        raise NuclrError(f"its arrays file {file.name} cannot be read ({trouble}); judge the claim again.") from trouble


def _claim(claim: Any, source: str, place: str) -> None:
    _require(claim, _CLAIM, source, place)
    if claim["verdict"] not in VERDICTS:
        raise _malformed(
            source, f"{place}verdict", f"should be one of {', '.join(VERDICTS)} and is {claim['verdict']!r}"
        )
    for index, measure in enumerate(claim["measures"]):
        here = f"{place}measures[{index}]."
        _require(measure, _MEASURE, source, here)
        if measure.get("value") is None:
            continue
        _require(measure, _RESULT, source, here)
        if measure["verdict"] not in VERDICTS:
            raise _malformed(source, f"{here}verdict", f"should be one of {', '.join(VERDICTS)}")
        for key in ("values", "interval"):
            if not all(isinstance(value, int | float) for value in measure[key] or ()):
                raise _malformed(source, here + key, "should hold numbers")
        for number, control in enumerate(measure["controls"]):
            _require(control, _CONTROL, source, f"{here}controls[{number}].")
    for key, spec in (("notes", _NOTE), ("figures_drawn", _FIGURE), ("runs", _RUN)):
        for index, entry in enumerate(claim[key]):
            _require(entry, spec, source, f"{place}{key}[{index}].")
            for number, panel in enumerate(entry.get("panels", ())):
                _require(panel, {"kind": str}, source, f"{place}{key}[{index}].panels[{number}].")


def _require(mapping: Any, spec: Mapping[str, type], source: str, place: str) -> None:
    if not isinstance(mapping, dict):
        raise _malformed(source, place.rstrip("."), "should be an object")
    for key, kind in spec.items():
        if key not in mapping:
            raise _malformed(source, place + key, "is missing")
        value, accepted = mapping[key], (int, float) if kind is float else (kind,)
        nullable = key in ("interval", "method", "verdict", "reason") and kind is not str
        if not isinstance(value, accepted) and not (value is None and nullable):
            raise _malformed(source, place + key, f"should be {_WORDS[kind]}")


def _malformed(source: str, place: str, what: str) -> NuclrError:
    return NuclrError(
        f"The evidence in {source} is not complete: {place} {what}; judge again with `python -m pytest claims`."
    )
