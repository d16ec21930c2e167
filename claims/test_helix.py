"""Proton and neutron numbers lie on a helix in a network trained on binding energies (section 5.1, figures 1, 8, 14)."""

import numpy as np
import pytest

from nuclr.analysis import helix, nulls
from nuclr.analysis.pca import components
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("helix")

DRAWS = 100
FIT_WINDOW = {"Z": (25, 80), "N": (40, 120)}  # where Appendix A fits Equation 2


def quantile_95(draws):
    return float(np.quantile([helix.score(axes).h for axes in nulls.leading_axes(draws)], 0.95))


def noise(embedding):
    """95 % of H of noise of the shape (k, d) of an embedding, by the kind of noise."""
    k, d = embedding.shape
    return {
        "random walks": quantile_95(nulls.random_walks(k, d, DRAWS, seed=0)),
        **{
            f"smooth noise of width {width} and a line": quantile_95(
                nulls.smooth_noise(k, d, width, line_share=0.5, draws=DRAWS, seed=width)
            )
            for width in (3, 5, 10)
        },
    }


def margin(run, symbol, highest):
    """H of an embedding less that of noise: the highest of `noise`, or of walks that are as smooth as the embedding itself."""
    matched = quantile_95(nulls.like(run.probe.embedding(symbol), DRAWS, seed=run.seed))
    return helix.score(run.axes(symbol)).h - max(highest, matched)


def test_numbers_lie_on_a_helix(runs, evidence):
    binding, other = runs("binding"), runs("neutron-separation")
    for symbol, name in (("Z", "margin-z"), ("N", "margin-n")):
        k, d = binding[0].probe.embedding(symbol).shape
        common = noise(binding[0].probe.embedding(symbol))
        highest = max(common.values())
        evidence.measure(name, [margin(run, symbol, highest) for run in binding])
        others = [margin(run, symbol, highest) for run in other]
        evidence.control("networks trained on the neutron separation energy", others, [name])
        lines = nulls.smooth_noise(k, d, width=0.1, line_share=0.9, draws=DRAWS, seed=99)
        straight = [helix.score(axes).h - highest for axes in nulls.leading_axes(lines)]
        evidence.control("a noisy straight line", straight, [name])

        for label, quantile in common.items():
            evidence.note(f"95 % of H of {symbol} for {label}", quantile)
        scores = [helix.score(run.axes(symbol)) for run in binding]
        evidence.note(f"H of {symbol}", [score.h for score in scores])
        # A wave in a plane would reach H = 0.5 as well, with as much in the other sense.
        evidence.note(f"share of {symbol} in the opposite sense", [score.opposite for score in scores])
        evidence.note(f"turns of {symbol} at H, over the whole range", [abs(score.turns) for score in scores], "turns")
        fits = [helix.fit(window(run.axes(symbol), symbol)) for run in binding]
        assert all(found.converged for found in fits)
        evidence.note(f"R2 of Equation 2 for {symbol}, numbers {FIT_WINDOW[symbol]}", [found.r2 for found in fits])
        evidence.note(f"turns of Equation 2 for {symbol} in that window", [found.turns for found in fits], "turns")
        evidence.note(f"radius over axis length for {symbol} in that window", [f.radius / f.length for f in fits])
        evidence.note(f"pitch for {symbol} in that window", [f.length / f.turns for f in fits], "units of the PCs")
        whole = [helix.fit(run.axes(symbol)) for run in binding]
        assert all(found.converged for found in whole)
        evidence.note(f"R2 of Equation 2 for {symbol}, all numbers", [found.r2 for found in whole])
        evidence.note(f"turns of Equation 2 for {symbol}, all numbers", [found.turns for found in whole], "turns")
        without = [margin(run, symbol, highest) for run in runs("binding-without-decay")]
        evidence.note(f"margin of {symbol} without weight decay", without)
    evidence.note("train RMS of the binding energy", [run.error("train_rms.binding") for run in binding], "keV")
    evidence.note(
        "validation RMS of the binding energy", [run.error("validation_rms.binding") for run in binding], "keV"
    )
    draw(binding[0], evidence)
    evidence.conclude()


def window(axes, symbol):
    """The axes (k, 3) of the numbers in FIT_WINDOW; numbers start at 1."""
    low, high = FIT_WINDOW[symbol]
    return axes[low - 1 : high]


def draw(run, evidence):
    panels, fits = [], []
    for symbol in ("Z", "N"):
        axes, (low, high) = run.axes(symbol), FIT_WINDOW[symbol]
        found = helix.fit(window(axes, symbol))
        fits.append(f"{found.turns:.1f} turns and R2 {found.r2:.2f} for {symbol}")
        panels.append(
            Panel(
                "helix",
                f"Embedding of {symbol}",
                {"numbers": np.arange(1, len(axes) + 1), "axes": axes, "curve": found.curve},
                {
                    "symbol": symbol,
                    "fit": f"Equation 2 through {symbol} = {low} to {high}: {found.turns:.1f} turns, R² = {found.r2:.2f}",
                },
            )
        )
    evidence.figure(
        "figure-08",
        title="The embeddings of Z and N, and the helix through them",
        caption="Coordinates along the first three principal components, the first seed. A helix runs along PC0 and turns in the "
        "plane of PC1 and PC2; the line is the fit of Equation 2. Look for consecutive numbers that go round together.",
        alt=f"Embeddings of Z and N along three principal components, with a fitted helix: {' and '.join(fits)}.",
        panels=panels,
    )
    shares = {symbol: components(run.probe.embedding(symbol)).share[:12] for symbol in ("Z", "N")}
    evidence.figure(
        "explained-variance",
        title="How much of each dimension there is",
        caption="Share of the variance of the embeddings along each principal component, the first seed.",
        alt="Explained variance falling with the number of the principal component, from "
        + " and ".join(
            f"{share[0]:.2f} at PC0 to {share[-1]:.3f} at PC{len(share) - 1} for {s}" for s, share in shares.items()
        )
        + ".",
        panels=[
            Panel(
                "lines",
                "",
                {f"{symbol}.x": np.arange(12) for symbol in shares}
                | {f"{symbol}.y": share for symbol, share in shares.items()},
                {
                    "series": [{"key": s, "label": s, "style": "both"} for s in shares],
                    "xlabel": "principal component",
                    "ylabel": "share of the variance",
                    "ylog": True,
                },
            )
        ],
    )
