"""The first component of the embeddings orders Z and N, also without them as targets (section 5.1, figures 5 and 20)."""

import numpy as np
import pytest

from claims.figures import ON_WEIGHTING
from nuclr.analysis.pca import leading
from nuclr.analysis.structure import orderedness
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("number-order")

VARIANTS = {"joint": "", "joint-without-numbers": "-without-numbers"}


def pc0(probe, symbol):
    return along(probe.embedding(symbol))


def along(embedding):
    return leading(embedding, 1)[:, 0]


def test_the_first_component_counts(runs, core, evidence):
    panels, told = [], []
    for name, suffix in VARIANTS.items():
        kind = runs(name)
        for symbol in ("Z", "N"):
            measure = f"order-{symbol.lower()}{suffix}"
            evidence.measure(measure, [orderedness(pc0(run.probe, symbol)) for run in kind])
            drawn = kind[0].probe.untrained_embedding
            untrained = [orderedness(along(drawn(symbol, seed))) for seed in range(50)]
            evidence.control("untrained embeddings", untrained, [measure])
            told.append(f"{orderedness(pc0(kind[0].probe, symbol)):.2f} for {symbol} of {name}")
        evidence.note(
            f"validation RMS of the binding energy, {name}", [r.error("validation_rms.binding") for r in kind], "keV"
        )
        panels.append(order_panel(kind, name))
    evidence.note("the SEMF with the paper's coefficients", core.semf_rms, "keV")
    evidence.figure(
        "figure-05",
        title="PC0 of the embeddings against the number",
        caption="A rising (or falling) line means that the network has put the numbers in order, though it only ever saw them as "
        "unrelated tokens. First seed, sign and scale of PC0 normalised.",
        alt=f"First principal component of the embeddings of Z and N against the number; orderedness {', '.join(told)}.",
        panels=panels,
    )
    evidence.remark(ON_WEIGHTING)
    evidence.conclude()


def order_panel(kind, name):
    arrays = {}
    for symbol in ("Z", "N"):
        values = pc0(kind[0].probe, symbol)
        arrays[f"{symbol}.x"] = np.arange(1, len(values) + 1)
        arrays[f"{symbol}.y"] = values / values.std() * np.sign(values[-1] - values[0])
    return Panel(
        "lines",
        {"joint": "all ten observables", "joint-without-numbers": "without Z and N as targets"}[name],
        arrays,
        {
            "series": [{"key": s, "label": s, "style": "points"} for s in ("Z", "N")],
            "xlabel": "number",
            "ylabel": "PC0",
        },
    )
