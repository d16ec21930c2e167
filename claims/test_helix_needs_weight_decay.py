"""Without weight decay the embeddings are continuous but not helical, at a similar test error (Appendix F, figure 24)."""

import numpy as np
import pytest

from nuclr.analysis import helix
from nuclr.analysis.pca import leading
from nuclr.analysis.structure import neighbour_distance
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("helix-needs-weight-decay")


def test_the_helix_needs_weight_decay(runs, core, evidence):
    with_decay, without = runs("binding"), runs("binding-without-decay")
    assert [run.seed for run in with_decay] == [run.seed for run in without]
    for symbol, name in (("Z", "difference-z"), ("N", "difference-n")):
        scores, scores_without = ([helix.score(run.axes(symbol)).h for run in kind] for kind in (with_decay, without))
        evidence.measure(name, np.subtract(scores, scores_without))
        evidence.note(f"H of {symbol} with weight decay", scores)
        evidence.note(f"H of {symbol} without weight decay", scores_without)

    evidence.measure("continuity", [roughness(embeddings(run)) for run in without])
    evidence.note("continuity with weight decay", [roughness(embeddings(run)) for run in with_decay])
    for label, kind in (("without", without), ("with", with_decay)):
        rough = [roughness(embeddings(run), None) for run in kind]
        evidence.note(f"continuity in all dimensions, {label} weight decay", rough)
    drawn = without[0].probe.untrained_embedding
    untrained = [roughness([drawn(symbol, seed) for symbol in ("Z", "N")]) for seed in range(20)]
    evidence.control("untrained embeddings", untrained, ["continuity"])

    errors, errors_without = ([run.error("validation_rms.binding") for run in kind] for kind in (with_decay, without))
    evidence.measure("validation-ratio", np.divide(errors_without, errors))
    spread = float(np.std(core.binding))
    evidence.control("predicting the mean for every nucleus", np.divide(spread, errors), ["validation-ratio"])
    evidence.note("validation RMS with weight decay", errors, "keV")
    evidence.note("validation RMS without weight decay", errors_without, "keV")
    evidence.figure(
        "figure-24",
        title="With and without weight decay",
        caption="Embeddings of Z of the same seed. Look for neighbours that stay together in both, and for turns in the plane of PC1 "
        "and PC2 that only weight decay brings; H says how clear they are.",
        alt="Two embeddings of Z along three principal components: helix score "
        f"{helix.score(with_decay[0].axes('Z')).h:.2f} with weight decay, {helix.score(without[0].axes('Z')).h:.2f} without.",
        panels=[
            Panel(
                "helix",
                title,
                {"numbers": np.arange(1, len(kind[0].axes("Z")) + 1), "axes": kind[0].axes("Z")},
                {"symbol": "Z", "fit": f"H = {helix.score(kind[0].axes('Z')).h:.2f}"},
            )
            for title, kind in (("with weight decay", with_decay), ("without weight decay", without))
        ],
    )
    evidence.conclude()


def embeddings(run):
    return [run.probe.embedding(symbol) for symbol in ("Z", "N")]


def roughness(both, dimensions=3):
    """Neighbour distance over random pair distance in the leading components (None: in all), the larger of Z and N."""
    return max(neighbour_distance(e if dimensions is None else leading(e, dimensions)) for e in both)
