"""The principal components are not the oscillations that PCA finds in any smooth noise (section 4.2).

The null has its form from planted tests (nuclr.analysis.phantom), settled after two others had met trained runs: one kept
the peaks of the spectrum, so that a helix was its own null, and judged "reproduced"; one took a line off apart, failed planted
walks, and judged "inconclusive".
"""

from dataclasses import astuple

import numpy as np
import pytest

from nuclr.analysis.phantom import COMPONENTS, band, portrait, walks_like
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("not-phantom")

DRAWS = 60
MEASURES = ("spectrum-distance", "variance-distance")
FEWER = 16  # dimensions of a null that has fewer than the embedding


def margins(embedding, dimensions, seed):
    """How far spectrum and variances lie beyond the band of walks with the autocorrelation of the embedding."""
    return astuple(band(embedding, dimensions, DRAWS, seed).margins(portrait(embedding)))


def test_the_structure_is_not_phantom_oscillation(runs, evidence):
    joint = runs("joint")
    embeddings = {symbol: [run.probe.embedding(symbol) for run in joint] for symbol in ("Z", "N")}
    width = embeddings["Z"][0].shape[1]
    by_symbol = {
        symbol: np.array([margins(found, width, seed=run.seed) for run, found in zip(joint, of_runs, strict=True)])
        for symbol, of_runs in embeddings.items()
    }
    # Both embeddings must leave the band: the smaller margin decides.
    smaller = np.min(list(by_symbol.values()), axis=0)
    noise = noise_margins(embeddings["Z"][0], len(joint))
    for i, measure in enumerate(MEASURES):
        evidence.measure(measure, smaller[:, i])
        evidence.control("further walks, as many to a mean as there are seeds", noise[:, i], [measure])
        for symbol, found in by_symbol.items():
            evidence.note(f"{measure} of {symbol}", found[:, i])
    for symbol, of_runs in embeddings.items():
        few = np.array([margins(found, FEWER, seed=run.seed) for run, found in zip(joint, of_runs, strict=True)])
        for i, measure in enumerate(MEASURES):
            evidence.note(f"{measure} of {symbol} from walks in only {FEWER} dimensions", few[:, i])
    figure(embeddings["Z"][0], evidence)
    evidence.conclude()


def noise_margins(embedding, seeds, groups=40):
    """What the measure makes of noise: means over as many walks as there are seeds, (groups, 2)."""
    width = embedding.shape[1]
    null = band(embedding, width, DRAWS, seed=1000)
    walks = walks_like(embedding, width, groups * seeds, seed=1001)
    found = np.array([astuple(null.margins(portrait(walk))) for walk in walks])
    return found.reshape(groups, seeds, 2).mean(axis=1)


def figure(embedding, evidence):
    """PC spectra and variances of one embedding beside those of the walks."""
    found = portrait(embedding)
    null = band(embedding, embedding.shape[1], DRAWS, seed=0).middle
    turns = np.arange(30) / 2
    panels = [
        Panel(
            "lines",
            f"PC{i}",
            {
                "found.x": turns,
                "found.y": found.spectra[i, : len(turns)],
                "null.x": turns,
                "null.y": null.spectra[i, : len(turns)],
            },
            {
                "series": [
                    {"key": "found", "label": "embedding of Z", "style": "both"},
                    {"key": "null", "label": "smooth random walks", "style": "line"},
                ],
                "xlabel": "turns over all numbers",
                "ylabel": "share of the power",
                "vlines": [{"at": (i + 1) / 2, "label": "phantom"}],
            },
        )
        for i in range(1, 4)
    ]
    panels.append(
        Panel(
            "lines",
            "explained variance",
            {
                "found.x": np.arange(COMPONENTS),
                "found.y": found.share,
                "null.x": np.arange(COMPONENTS),
                "null.y": null.share,
            },
            {
                "series": [
                    {"key": "found", "label": "embedding of Z", "style": "both"},
                    {"key": "null", "label": "smooth random walks", "style": "both"},
                ],
                "xlabel": "principal component",
                "ylabel": "share of the variance",
                "ylog": True,
            },
        )
    )
    evidence.figure(
        "phantom",
        title="Waves in the components, beside those of noise",
        caption="Power of each component in cosines of 0, 1/2, 1 ... turns, the first seed, and the mean over random walks of the same "
        "autocorrelation. PCA of smooth noise puts component i at (i + 1) / 2 turns.",
        alt="Spectra of PC1 to PC3 of the embedding of Z, largest at "
        + ", ".join(f"{found.spectra[i].argmax() / 2:g}" for i in range(1, 4))
        + " turns, and of smooth random walks at "
        + ", ".join(f"{null.spectra[i].argmax() / 2:g}" for i in range(1, 4))
        + f"; PC0 has {found.share[0]:.0%} of the variance, and of the walks {null.share[0]:.0%}.",
        panels=panels,
    )
