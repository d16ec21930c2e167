"""evidence.json and the recorded arrays -> one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nuclr import files
from nuclr.errors import NuclrError
from nuclr.report import figures, intervals, reading, words

_UNMEASURED: dict[str, Any] = {
    "paper": None,
    "values": [],
    "value": None,
    "interval": None,
    "method": None,
    "controls": [],
}
_RUN: dict[str, Any] = {
    "seed": None,
    "steps": None,
    "device": None,
    "precision": None,
    "arithmetic": None,
    "seconds": None,
}


def build(evidence: dict[str, Any], folder: Path) -> str:
    """The page of `evidence` as HTML text; `folder` is where the paths of its arrays start.

    Raises NuclrError when the evidence is malformed. A figure that cannot be drawn is named in words in its card.
    """
    reading.check(evidence, str(folder))
    return _render(evidence, folder)


def write(evidence_file: Path, out: Path) -> None:
    """Write the page of `evidence_file` to `out`, whole or not at all. Raises NuclrError for malformed evidence."""
    files.write(out, _render(reading.read(evidence_file), evidence_file.parent).encode())


def _render(evidence: dict[str, Any], folder: Path) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=words.number,
        span=words.span,
        unit=words.unit,
        values=words.values,
        duration=words.duration,
        moment=words.moment,
        signs=words.signs,
        prose=words.prose,
    )
    claims = [_card(name, claim, folder, evidence["profile"]) for name, claim in evidence["claims"].items()]
    main, rest = words.headline(claim["verdict"] for claim in claims)
    return (
        environment.get_template("page.html")
        .render(
            main=main,
            rest=rest,
            evidence=evidence,
            provenance={"versions": {}, "device": None, "command": None, "seconds": None} | evidence["provenance"],
            commit=words.commit(evidence["provenance"]),
            claims=claims,
            verdicts=reading.VERDICTS,
            paper_figures=_by_figure(claims),
        )
        .lstrip()
    )


def _card(name: str, claim: Mapping[str, Any], folder: Path, profile: str) -> dict[str, Any]:
    """The claim with what the template needs beside it: plots, drawings, and the command that judges it again."""
    measures = [
        {**_UNMEASURED, "verdict": claim["verdict"], "reason": "", **measure, "plot": intervals.plot(measure)}
        for measure in claim["measures"]
    ]
    test = claim.get("test")
    return {
        "changed": None,
        "value": None,
        "interval": None,
        "unit": None,
        "paper_value": None,
        **claim,
        "id": name,
        "shape": claim["verdict"].replace(" ", "-"),
        "measures": measures,
        "lead": _lead(claim, measures),
        "drawings": [_drawing(name, figure, folder) for figure in claim["figures_drawn"]],
        "runs": [{**_RUN, **run} for run in claim["runs"]],
        "test": test,
        "command": f"python -m pytest {test or 'claims/' + claim['module']} --profile {profile}",
        "commit": words.commit(claim.get("provenance")),
        "judged_at": (claim.get("provenance") or {}).get("judged_at"),
        "shown": claim["verdict"] != "not run" or any(measure["value"] is not None for measure in measures),
    }


def _lead(claim: Mapping[str, Any], measures: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The measure whose value stands for the claim in the table of all claims: the first with the claim's verdict."""
    measured = [measure for measure in measures if measure["value"] is not None]
    return next((one for one in measured if one["verdict"] == claim["verdict"]), measured[0] if measured else None)


def _drawing(claim: str, figure: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    try:
        arrays = reading.arrays(folder / figure["arrays"])
        svg, trouble = Markup(figures.draw(figure["panels"], arrays, f"{claim}-{figure['id']}")), ""
    except NuclrError as error:
        svg, trouble = Markup(""), str(error)
    return {**figure, "svg": svg, "trouble": trouble}


def _by_figure(claims: list[dict[str, Any]]) -> list[tuple[int, list[dict[str, Any]]]]:
    """The figures of the paper in order, each with the claims that speak of it."""
    numbers = sorted({number for claim in claims for number in claim["figures"]})
    return [(number, [claim for claim in claims if number in claim["figures"]]) for number in numbers]
