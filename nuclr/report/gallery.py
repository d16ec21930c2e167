"""The 24 figures of the paper, in its order, each with what this run drew in answer to it.

An evidence figure answers figure 9 when its id is "figure-09" or begins with "figure-09-": several claims may each draw a part.
"""

from __future__ import annotations

import re
from typing import Any

# What the paper's figure shows, in our words: read beside our counterpart, and where there is none.
FIGURES = {
    1: "the embeddings of the neutron numbers, a helix",
    2: "modular addition: the circle of the embeddings, and how it is learnt",
    3: "what the mass formula leaves over, on the chart of nuclides",
    4: "the error with ever more principal components kept",
    5: "the leading component of the embeddings against the number",
    6: "the predicted energy over the leading component of Z",
    7: "the predicted energy over the ring of PC1 and PC2, for several N",
    8: "the embeddings of Z and N, with the helix of Equation 2",
    9: "order and parity split against the error",
    10: "order during training",
    11: "components of the penultimate layer beside terms of the mass formulas",
    12: "joint training against one observable at a time",
    13: "the output after the helix is stretched, widened, or turned faster",
    14: "the helix in networks trained on data",
    15: "the helix in networks trained on the mass formula",
    16: "parity split during training",
    17: "what the mass formula leaves over, along N and Z",
    18: "the helix, observable by observable",
    19: "the parity split, observable by observable",
    20: "order, observable by observable",
    21: "a few components of the penultimate layer, and their error",
    22: "a formula found by symbolic regression",
    23: "components of the penultimate layer on the chart of nuclides",
    24: "the embeddings with and without weight decay",
}
ID = re.compile(r"figure-(\d\d)(?:-[a-z0-9-]+)?")


def entries(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An entry a figure of the paper: number, what it shows, claims that speak of it, our drawings, or why there is none."""
    drawn: dict[int, list[dict[str, Any]]] = {number: [] for number in FIGURES}
    for card in cards:
        for figure in card["drawings"]:
            found = ID.fullmatch(figure["id"])
            if found and int(found[1]) in drawn:
                drawn[int(found[1])].append(figure | {"claim": card["id"]})
    return [_entry(number, drawn[number], cards) for number in FIGURES]


def _entry(number: int, drawings: list[dict[str, Any]], cards: list[dict[str, Any]]) -> dict[str, Any]:
    claims = [card for card in cards if number in card["figures"]]
    shown = [drawing for drawing in drawings if drawing["panels"]]
    return {
        "number": number,
        "shows": FIGURES[number],
        "claims": claims,
        "drawings": shown,
        "why": "" if shown else _why(drawings, claims),
    }


def _why(drawings: list[dict[str, Any]], claims: list[dict[str, Any]]) -> str:
    """Why a figure is not drawn, in a sentence."""
    if drawings:
        return str(drawings[0]["trouble"])
    silent = [claim for claim in claims if claim["verdict"] in ("not run", "error")]
    if silent:
        return f"“{silent[0]['title']}” has no verdict: {silent[0]['reason']}"
    return "none of the claims judged here draws it." if claims else "no claim of this evidence speaks of it."
