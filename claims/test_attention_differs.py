"""With learned attention the network finds a qualitatively different solution (section 3, Appendix B)."""

import numpy as np
import pytest

from nuclr.analysis import helix
from nuclr.analysis.pca import leading
from nuclr.analysis.similarity import cka, distances, procrustes_distance, separation, separation_of_halves
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("attention-differs")

COMPONENTS = 10  # what carries the performance (few-pcs); the many others hold the noise of initialisation
BESIDE = {
    "layer-norm": "layer norm",
    "rms-norm": "RMS norm",
    "batch-norm": "batch norm",
}  # other changes of the network, of which the paper says no such thing


def apart(x, y, distance=procrustes_distance):
    """Distance of two runs, mean over the embeddings of Z and N; x and y: {"Z": (k, d), "N": (k, d)}."""
    return float(np.mean([distance(x[symbol], y[symbol]) for symbol in ("Z", "N")]))


def between(first, second):
    """Distances within the first kind, within the second, and across them: what `separation` takes."""
    return distances(first, first, apart), distances(second, second, apart), distances(first, second, apart)


def test_learned_attention_finds_another_solution(runs, core, evidence):
    fixed, learned = runs("binding-brief"), runs("binding-learned-attention")
    assert [run.seed for run in fixed] == [run.seed for run in learned]
    ours, theirs = embeddings(fixed), embeddings(learned)
    within, within_learned, across = between(ours, theirs)
    evidence.measure("distance-ratio", separation(within, within_learned, across))
    halves = [separation_of_halves(within), separation_of_halves(within_learned)]
    evidence.control("seeds of one kind, split in two", halves)

    others = ~np.eye(len(fixed), dtype=bool)
    for label, square in {"fixed": within, "learned": within_learned, "fixed against learned": across}.items():
        evidence.note(f"Procrustes distance between seeds, attention {label}", square[others])
    evidence.note("Procrustes distance, fixed against learned, the same seed", np.diag(across))
    # The measure asks that the nearest run of the other kind be further than the seeds of the more scattered kind. Milder ones:
    seeds = (within[others].mean() + within_learned[others].mean()) / 2
    evidence.note(
        "mean distance between kinds, other seeds, over mean distance between seeds", across[others].mean() / seeds
    )
    evidence.note(
        "mean distance between kinds, the same seed, over mean distance between seeds", np.diag(across).mean() / seeds
    )
    evidence.note(
        "largest weight of a token in learned attention, mean over nuclides (uniform: 0.33)",
        [largest_weight(run, core) for run in learned],
    )
    for label, (one, other) in {
        "fixed": (ours, ours),
        "learned": (theirs, theirs),
        "fixed against learned": (ours, theirs),
    }.items():
        alike = distances(one, other, lambda x, y: apart(x, y, cka))
        evidence.note(f"CKA between seeds, attention {label}", alike[others])
    for name, title in BESIDE.items():
        ratio = separation(*between(ours, embeddings(runs(f"binding-{name}"))))
        evidence.note(f"the same ratio for {title} in place of learned attention", ratio)
    for label, kind in (("fixed", fixed), ("learned", learned)):
        for symbol in ("Z", "N"):
            evidence.note(f"H of {symbol}, attention {label}", [helix.score(run.axes(symbol)).h for run in kind])
        errors = [run.error("validation_rms.binding") for run in kind]
        evidence.note(f"validation RMS of the binding energy, attention {label}", errors, "keV")
    evidence.figure(
        "distances",
        title="Distances between networks with fixed and with learned attention",
        caption="Procrustes distance of the ten leading components of the embeddings, mean over Z and N: 0 is the same shape, 1 has "
        f"nothing in common. Of different seeds, {within[others].mean():.2f} with fixed attention, {within_learned[others].mean():.2f} "
        f"with learned, {across[others].mean():.2f} of one kind to the other.",
        alt="Table of distances between runs; mean over different seeds "
        f"{within[others].mean():.2f} with fixed attention, {within_learned[others].mean():.2f} with learned, "
        f"{across[others].mean():.2f} between the two.",
        panels=[
            Panel(
                "heatmap",
                "",
                {"value": np.block([[within, across], [across.T, within_learned]])},
                {
                    "rows": (labels := [f"{kind} {run.seed}" for kind in ("fixed", "learned") for run in fixed]),
                    "columns": labels,
                    "label": "Procrustes distance",
                    "low": 0.0,
                    "high": 1.0,
                },
            )
        ],
    )
    evidence.figure(
        "embeddings",
        title="Embeddings of Z with fixed and with learned attention",
        caption="Along the first three principal components, the first seed of each.",
        alt="Two embeddings of Z along three principal components: helix score "
        f"{helix.score(fixed[0].axes('Z')).h:.2f} with fixed attention, {helix.score(learned[0].axes('Z')).h:.2f} with learned.",
        panels=[
            Panel(
                "helix",
                f"{label} attention",
                {"numbers": np.arange(1, len(kind[0].axes("Z")) + 1), "axes": kind[0].axes("Z")},
                {"symbol": "Z"},
            )
            for label, kind in (("fixed", fixed), ("learned", learned))
        ],
    )
    evidence.conclude()


def embeddings(kind):
    return [{symbol: leading(run.probe.embedding(symbol), COMPONENTS) for symbol in ("Z", "N")} for run in kind]


def largest_weight(run, nuclides):
    """Mean over the nuclides of the largest of the three weights: 1/3 where attention stays uniform, 1 where it picks a token."""
    return float(run.probe.attention(nuclides.z, nuclides.n, "binding").max(-1).mean())
