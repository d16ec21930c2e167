"""evidence.json and the recorded arrays -> one self-contained HTML page."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nuclr import files
from nuclr.report import beside, cards, curves, explore, gallery, reading, slips, summaries, words

TEMPLATES = Path(__file__).parent / "templates"
GOLDEN, CLAIMS = Path("golden"), Path("claims")


def write(
    evidence_file: Path, out: Path, golden: Path = GOLDEN, claims: Path = CLAIMS, small: bool = False
) -> list[str]:
    """Write the page of `evidence_file` to `out` and its summaries beside it; what is wrong with the evidence, in sentences.

    The page says it too, and is written whole or not at all. `golden` is the folder of golden evidence, `claims` that of the
    tests; either may be missing. A `small` page has no explorers, and no script.
    Raises NuclrError where there is no evidence.
    """
    evidence, troubles = reading.read(evidence_file)
    files.write(out, _render(evidence, troubles, evidence_file.parent, golden, claims, small).encode())
    summaries.write(evidence, troubles, out.parent)
    return troubles


def build(found: Any, folder: Path, golden: Path = GOLDEN, claims: Path = CLAIMS, small: bool = False) -> str:
    """The page of the evidence `found` as HTML text; `folder` is where the paths of its arrays start.

    What is missing or cannot be drawn is named in words where it belongs.
    """
    evidence, troubles = reading.usable(found, str(folder))
    return _render(evidence, troubles, folder, golden, claims, small)


def environment() -> Environment:
    """The templates with the filters that turn evidence into words; everything is escaped unless it is Markup."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        number=words.number,
        span=words.span,
        unit=words.unit,
        values=words.values,
        duration=words.duration,
        moment=words.moment,
        signs=words.signs,
        prose=words.prose,
        shape_name=words.shape,
        drawing=lambda panel: Markup(panel.svg),
    )
    return made


def assets() -> dict[str, Any]:
    """Style sheet and script, and the content policy that lets in these two: nothing else may load, run or submit."""
    css, script = _text("page.css"), _text("explore.js") + _text("topography.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(css)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return {"css": Markup(css), "script": Markup(script), "policy": policy}


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _render(
    evidence: dict[str, Any], troubles: list[str], folder: Path, golden: Path, claims: Path, small: bool
) -> str:
    profile = evidence["profile"]
    made = [cards.card(name, claim, folder, profile, claims) for name, claim in evidence["claims"].items()]
    trainings = curves.trainings(made, folder)
    main, rest = words.headline(card["verdict"] for card in made)
    provenance = {"versions": {}, "device": None, "command": None, "seconds": None} | evidence["provenance"]
    return (
        environment()
        .get_template("page.html")
        .render(
            **assets(),
            main=main,
            rest=rest,
            evidence=evidence,
            troubles=troubles,
            provenance=provenance,
            commit=words.commit(evidence["provenance"]),
            claims=made,
            verdicts=reading.VERDICTS,
            goldens=beside.columns(golden, evidence),
            gallery=gallery.entries(made),
            explorers=None if small else explore.explorers(made, folder),
            slips=slips,
            trainings=trainings,
            trained={training.name: training.place for training in trainings if training.plots},
        )
        .lstrip()
    )
