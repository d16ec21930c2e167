"""Evidence as it stands in the file: what is malformed or missing is left out and named, never guessed."""

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
_EMPTY: dict[str, Any] = {
    "profile": "unknown",
    "updated": "",
    "paper": {"title": "The paper is not named", "authors": "", "venue": "", "arxiv": ""},
    "provenance": {},
    "problems": [],
    "claims": {},
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
    "over": str,
    "interval": list,
    "method": str,
    "verdict": str,
    "reason": str,
    "controls": list,
}
_LOOKS: dict[str, type] = {"made": int, "of": int, "seeds": int, "confidence": float, "undecided": bool}
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
_RUN_TOLD: dict[str, type] = {
    "seed": int,
    "steps": int,
    "device": str,
    "precision": str,
    "arithmetic": str,
    "seconds": float,
    "driver": str,
    "curve": dict,
}
_CURVE: dict[str, type] = {"arrays": str, "quantity": str, "unit": str}
_PROVENANCE: dict[str, type] = {"commit": str, "versions": dict, "device": str, "command": str, "seconds": float}
_FIGURE: dict[str, type] = {"id": str, "title": str, "caption": str, "alt": str, "arrays": str, "panels": list}
_WORDS = {
    str: "text",
    dict: "an object",
    list: "a list",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def read(file: Path) -> tuple[dict[str, Any], list[str]]:
    """What can be used of the evidence in `file`, and a sentence for each part that cannot.

    Raises NuclrError where there is no such file.
    """
    try:
        return usable(json.loads(file.read_text(encoding="utf-8")), str(file))
    except FileNotFoundError as absent:
        raise NuclrError(f"There is no evidence at {file}: judge first, with `python -m pytest claims`.") from absent
    except (OSError, ValueError) as trouble:
        sentence = f"The evidence in {file} cannot be read ({trouble}): judge again with `python -m pytest claims`."
        return usable({"schema": SCHEMA} | _EMPTY, str(file))[0], [sentence]


def usable(found: Any, source: str) -> tuple[dict[str, Any], list[str]]:
    """What the page can show of `found`, complete in itself, and a sentence, naming `source` and the place, for each fault.

    A claim whose record is malformed becomes an error, which is no verdict on it.
    """
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        schema = found.get("schema") if isinstance(found, dict) else None
        return dict(_EMPTY), [str(_malformed(source, "schema", f"should be {SCHEMA} and is {schema!r}"))]
    troubles: list[str] = []
    evidence = _known(found, _EVIDENCE, _EMPTY, source, "", troubles)
    evidence["provenance"] = {
        key: value for key, value in evidence["provenance"].items() if _fits(key, value, source, troubles)
    }
    evidence["paper"] = _known(evidence["paper"], _PAPER, _EMPTY["paper"], source, "paper.", troubles)
    evidence["claims"] = dict(evidence["claims"])
    for name, claim in evidence["claims"].items():
        try:
            _claim(claim, source, f"claims.{name}.")
        except NuclrError as fault:
            troubles.append(str(fault))
            evidence["claims"][name] = _damaged(name, claim, str(fault))
    return evidence, troubles


def _known(
    found: Any, spec: Mapping[str, type], empty: Mapping[str, Any], source: str, place: str, troubles: list[str]
) -> dict[str, Any]:
    """`found` with the entries of `spec`; a wrong one is replaced by that of `empty` and told in `troubles`."""
    kept = dict(found)
    for key, kind in spec.items():
        try:
            _require(found, {key: kind}, source, place)
        except NuclrError as fault:
            troubles.append(str(fault))
            kept[key] = empty[key]
    return kept


def _fits(key: str, value: Any, source: str, troubles: list[str]) -> bool:
    """Whether an entry of the provenance is of its kind; if not, it is told in `troubles`."""
    try:
        _optional({key: value}, _PROVENANCE, source, "provenance.")
    except NuclrError as fault:
        troubles.append(str(fault))
        return False
    return True


def _damaged(name: str, claim: Any, fault: str) -> dict[str, Any]:
    """The record of a claim of which only the texts can be trusted."""
    told = claim if isinstance(claim, dict) else {}
    blank: dict[str, Any] = {key: kind() for key, kind in _CLAIM.items()}
    texts = {key: told[key] for key, kind in _CLAIM.items() if kind is str and isinstance(told.get(key), str)}
    control = {"text": "", "outside": None}
    return blank | {"title": name, "judged": True} | texts | {"control": control, "verdict": "error", "reason": fault}


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
    _numbers({"value": [claim.get("value") or 0], "interval": claim.get("interval")}, source, place)
    _tolerance(claim.get("tolerance"), source, f"{place}tolerance")
    if claim.get("looks") is not None:  # evidence of before there were looks has none
        _require(claim["looks"], _LOOKS, source, f"{place}looks.")
    for index, measure in enumerate(claim["measures"]):
        here = f"{place}measures[{index}]."
        _require(measure, _MEASURE, source, here)
        _numbers({"bound": list(measure["bound"].values())}, source, here)
        if measure.get("value") is None:
            continue
        _require(measure, _RESULT, source, here)
        if measure["verdict"] not in VERDICTS:
            raise _malformed(source, f"{here}verdict", f"should be one of {', '.join(VERDICTS)}")
        _numbers({key: measure[key] for key in ("values", "interval")}, source, here)
        for factor in ("half", "double"):
            _tolerance(measure.get("tolerance"), source, f"{here}tolerance", factor)
        for number, control in enumerate(measure["controls"]):
            _require(control, _CONTROL, source, f"{here}controls[{number}].")
    for key, spec in (("notes", _NOTE), ("figures_drawn", _FIGURE), ("runs", _RUN)):
        for index, entry in enumerate(claim[key]):
            _require(entry, spec, source, f"{place}{key}[{index}].")
            _optional(entry, _RUN_TOLD if key == "runs" else {}, source, f"{place}{key}[{index}].")
            if entry.get("curve") is not None:
                _require(entry["curve"], _CURVE, source, f"{place}{key}[{index}].curve.")
            for number, panel in enumerate(entry.get("panels", ())):
                _require(panel, {"kind": str}, source, f"{place}{key}[{index}].panels[{number}].")


def _optional(mapping: Mapping[str, Any], spec: Mapping[str, type], source: str, place: str) -> None:
    """Raise unless each entry of `spec` that `mapping` has is of its kind or None."""
    there = {key: kind for key, kind in spec.items() if mapping.get(key) is not None}
    _require(mapping, there, source, place)


def _numbers(lists: Mapping[str, Any], source: str, place: str) -> None:
    for key, values in lists.items():
        if not all(isinstance(value, int | float) for value in values or ()):
            raise _malformed(source, place + key, "should hold numbers")
        if key == "interval" and values is not None and len(values) != 2:
            raise _malformed(source, place + key, "should hold two numbers")


def _tolerance(found: Any, source: str, place: str, factor: str = "") -> None:
    """Evidence of before there were tolerances has none; what there is names verdicts, of a measure also the bounds."""
    if found is None or (factor and isinstance(found, dict) and "none" in found):
        return
    spec: dict[str, type] = {factor: dict} if factor else {"half": str, "double": str}
    _require(found, spec, source, f"{place}.")
    if factor:
        _require(found[factor], {"bound_text": str, "verdict": str}, source, f"{place}.{factor}.")


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
