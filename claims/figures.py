"""Measures and figures that several claims share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claims.conftest import Nuclides
from nuclr.analysis.pca import cosine
from nuclr.verdict.evidence import Panel

Array = NDArray[np.float64]

# A remark of claims whose runs are weighted by chi2, and would come out otherwise weighted otherwise.
ON_WEIGHTING = (
    "It hangs on how the observables are weighted in the loss: docs/parity.md has R_P, order and pairing "
    "under other weights."
)

ON_WAVE = (
    "R_P may miss a parity that networks hold and use: docs/mechanisms.md has the wave of the embeddings that carries the odd-even "
    "staggering in the profile cpu, where it does not grow as the error falls either. Its power stands among the notes."
)


@dataclass(frozen=True)
class Match:
    """The component that resembles a term most: its number, and the absolute cosine."""

    component: int
    cosine: float


def best_match(axes: Array, term: Array, first: int = 1, last: int = 15) -> Match:
    """The best of components `first` to `last` (columns of axes, (k, count)) for a term (k,)."""
    cosines = {i: abs(cosine(axes[:, i], term)) for i in range(first, min(last + 1, axes.shape[1]))}
    best = max(cosines, key=lambda i: cosines[i])
    return Match(best, cosines[best])


def match_figure(name: str, nuclides: Nuclides, axes: Array, term: Array, match: Match) -> dict[str, Any]:
    """Arguments of `evidence.figure`: the component and the term that it resembles, side by side on the chart."""
    component = axes[:, match.component]
    component = component * np.sign(cosine(component, term))
    title = f"PC{match.component} and the {name}"
    return {
        "title": title,
        "caption": f"Both on the chart of nuclides, the first seed; their cosine is {match.cosine:.2f}. Look for the same pattern.",
        "alt": f"Two charts of nuclides: a component of the penultimate layer and the {name}, alike with cosine {match.cosine:.2f}.",
        "panels": [
            Panel(
                "chart",
                label,
                {"z": nuclides.z, "n": nuclides.n, "value": (values - values.mean()) / values.std()},
                {"label": "standardised", "diverging": True},
            )
            for label, values in ((f"PC{match.component} of the penultimate layer", component), (f"the {name}", term))
        ],
    }
