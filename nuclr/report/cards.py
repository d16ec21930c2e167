"""A claim of the evidence with what its card shows beside it: plots, drawings, its runs grouped, its test, its command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuclr.errors import NuclrError
from nuclr.report import figures, intervals, reading, words

FEW_RUNS = 8  # as many runs are listed one by one; more are grouped by name first
FEW_NOTES = 8
_UNMEASURED: dict[str, Any] = {
    "paper": None,
    "values": [],
    "value": None,
    "interval": None,
    "method": None,
    "controls": [],
    "tolerance": None,
}
_RUN: dict[str, Any] = {
    "seed": None,
    "steps": None,
    "device": None,
    "precision": None,
    "arithmetic": None,
    "seconds": None,
    "driver": None,
    "curve": None,
}
_CLAIM: dict[str, Any] = {
    "changed": None,
    "remarks": [],
    "value": None,
    "interval": None,
    "unit": None,
    "paper_value": None,
    "tolerance": None,
    "looks": None,
    "test": None,
}


def card(name: str, claim: Mapping[str, Any], folder: Path, profile: str, claims: Path) -> dict[str, Any]:
    """The claim `name` for the template; `folder` is where its arrays lie, `claims` where its test may lie."""
    measures = [
        {**_UNMEASURED, "verdict": claim["verdict"], "reason": "", **measure, "plot": intervals.plot(measure)}
        for measure in claim["measures"]
    ]
    for measure in measures:
        measure["tolerance"] = measure["tolerance"] and {"none": None, **measure["tolerance"]}
    tolerances = [measure["tolerance"] for measure in measures if measure["tolerance"]]
    runs = [{**_RUN, **run} for run in claim["runs"]]
    test = claim.get("test")
    return {
        **_CLAIM,
        **claim,
        "id": name,
        "shape": words.shape(claim["verdict"]),
        "measures": measures,
        "lead": _lead(claim, measures),
        "drawings": [_drawing(name, figure, folder) for figure in claim["figures_drawn"]],
        "moved": [one for one in tolerances if not one["none"]],
        "fixed": list(dict.fromkeys(one["none"] for one in tolerances if one["none"])),
        "runs": runs,
        "groups": _groups(runs) if len(runs) > FEW_RUNS else [],
        "many_notes": len(claim["notes"]) > FEW_NOTES,
        "source": _source(claims / claim["module"]),
        "command": f"python -m pytest {test or 'claims/' + claim['module']} --profile {profile}",
        "commit": words.commit(claim.get("provenance")),
        "judged_at": (claim.get("provenance") or {}).get("judged_at"),
        "shown": claim["verdict"] != "not run"
        or bool(claim["figures_drawn"])
        or any(measure["value"] is not None for measure in measures),
    }


def _lead(claim: Mapping[str, Any], measures: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The measure whose value stands for the claim in the table of all claims: the first with the claim's verdict."""
    measured = [measure for measure in measures if measure["value"] is not None]
    return next((one for one in measured if one["verdict"] == claim["verdict"]), measured[0] if measured else None)


def _drawing(claim: str, figure: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The figure with its drawn `panels` (`kinds`: as recorded), or the `trouble` that kept it from being drawn."""
    try:
        arrays = reading.arrays(folder / figure["arrays"])
        drawn, trouble = figures.draw(figure["panels"], arrays, f"{claim}-{figure['id']}"), ""
    except NuclrError as error:
        drawn, trouble = [], str(error)
    return {
        **figure,
        "place": f"{claim}-{figure['id']}",
        "kinds": figure["panels"],
        "panels": drawn,
        "trouble": trouble,
    }


def _groups(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs by name, in order: seeds, steps and device of each group, and how long its runs took together."""
    groups = []
    for name in dict.fromkeys(run["name"] for run in runs):
        members = [run for run in runs if run["name"] == name]
        seconds = [run["seconds"] for run in members]
        groups.append(
            {
                "name": name,
                "seeds": ", ".join(str(run["seed"]) for run in members),
                "seconds": None if None in seconds else sum(seconds),
                "driver": " or ".join(dict.fromkeys(run["driver"] for run in members if run["driver"])),
                **{
                    key: " or ".join(dict.fromkeys(str(run[key] or words.NOTHING) for run in members))
                    for key in ("steps", "device", "precision")
                },
            }
        )
    return groups


def _source(module: Path) -> str | None:
    """The text of the test that judges, where this page is written beside it."""
    try:
        return module.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
