"""Order and parity split grow during training in generalising runs and not in memorising ones (figures 10 and 16)."""

import numpy as np
import pytest

from claims.figures import ON_WAVE, ON_WEIGHTING
from claims.fractions import SYMBOLS, order, parity, parity_over_pairs, parity_wave, waves_beside
from nuclr.runs import GENERALISING, MEMORISING
from nuclr.train.schedule import CHECKPOINTS, log_spaced
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("structure-evolution")

KINDS = {"generalising": GENERALISING, "memorising": MEMORISING}


def test_structure_grows_where_the_network_generalises(runs, evidence):
    kinds = {label: runs(name) for label, name in KINDS.items()}
    generalising, memorising = kinds.values()
    assert [run.seed for run in generalising] == [run.seed for run in memorising]
    steps = log_spaced(generalising[0].stored.manifest["steps"], CHECKPOINTS)
    for name, reading, figure in (("order", order, "figure-10"), ("parity", parity, "figure-16")):
        found = {
            (label, symbol): np.array([[reading(run.stored.probe(step), symbol) for step in steps] for run in kind])
            for label, kind in kinds.items()
            for symbol in SYMBOLS
        }
        gaps = [found["generalising", symbol][:, -1] - found["memorising", symbol][:, -1] for symbol in SYMBOLS]
        evidence.measure(f"{name}-gap", np.min(gaps, axis=0))  # the smaller of Z and N: the claim is of both
        for (label, symbol), values in found.items():
            evidence.note(f"{NAMES[name]} of {symbol}, {label}: grown by", values[:, -1] - values[:, 0])
        evidence.figure(
            figure,
            title=f"{NAMES[name]} of the embeddings during training",
            caption=f"Mean over seeds, and the range of them, at steps spaced evenly in their logarithm. {LOOK[name]}",
            alt=f"{NAMES[name]} against the step; at the end "
            + ", ".join(f"{values[:, -1].mean():.3f} for {symbol} {label}" for (label, symbol), values in found.items())
            + ".",
            panels=[evolution(steps, found, symbol, NAMES[name]) for symbol in SYMBOLS],
        )
    for symbol in SYMBOLS:
        first, second = ([parity_over_pairs(run.probe, symbol) for run in kind] for kind in kinds.values())
        evidence.note(f"R_P of {symbol} less that of pairs of numbers, generalising", first)
        evidence.note(f"R_P of {symbol} less that of pairs of numbers, memorising", second)
        for read, what in (
            (parity_wave, "the wave that alternates between even and odd"),
            (waves_beside, "waves nearly as fast"),
        ):
            for label, kind in kinds.items():
                power = [read(run.probe, symbol) for run in kind]
                evidence.note(f"power of {what}, {symbol}, 1 for white noise, {label}", power)
    for label, kind in kinds.items():
        ratio = [run.error("validation_rms.binding") / run.error("train_rms.binding") for run in kind]
        evidence.note(f"validation over train RMS of the binding energy, {label}", ratio)
    evidence.remark(ON_WEIGHTING)
    evidence.remark(ON_WAVE)
    evidence.conclude()


NAMES = {"order": "Orderedness", "parity": "Parity split R_P"}
LOOK = {"order": "About 0.5 is no order.", "parity": "Noise has 1, and numbers on a line have 0.98 or 0.99."}


def evolution(steps, found, symbol, ylabel):
    shown = slice(1, None)  # a logarithm has no place for step 0
    arrays = {}
    for label in KINDS:
        values = found[label, symbol][:, shown]
        arrays |= {f"{label}.x": steps[shown], f"{label}.y": values.mean(0)}
        arrays |= {f"{label}.low": values.min(0), f"{label}.high": values.max(0)}
    return Panel(
        "lines",
        f"{symbol} embedding",
        arrays,
        {
            "series": [{"key": label, "label": label, "style": "both"} for label in KINDS],
            "xlabel": "step",
            "ylabel": ylabel,
            "xlog": True,
        },
    )
