"""Runs whose embeddings separate even from odd numbers generalise better (section 5.1, figure 9)."""

import pytest

from claims.figures import ON_WAVE, ON_WEIGHTING
from claims.fractions import (
    SYMBOLS,
    Sweep,
    chance,
    embedding,
    interval,
    note_confounders,
    parity,
    parity_over_pairs,
    parity_wave,
    rho,
    scatter,
    waves_beside,
)
from nuclr.analysis.ranks import rank_correlation
from nuclr.analysis.structure import parity_split

pytestmark = pytest.mark.claim("parity-tracks-validation")


def test_parity_goes_with_a_low_validation_error(runs, evidence):
    sweep = Sweep.read(runs)
    found = {symbol: sweep.each(parity, symbol) for symbol in SYMBOLS}
    rhos = {symbol: float(rank_correlation(found[symbol], sweep.validation)) for symbol in SYMBOLS}
    for symbol in SYMBOLS:
        x, error, name = found[symbol], sweep.validation, f"rho-{symbol.lower()}"
        evidence.measure(name, rhos[symbol], over="run", interval=interval(rho, evidence.confidence, x, error))
        _, upper = chance(rho, evidence.confidence, [x], [error]).T
        evidence.control("upper end of the interval with permuted errors", upper, [name])

        least, most = sweep.fraction == sweep.fraction.min(), sweep.fraction == sweep.fraction.max()
        evidence.note(f"R_P of {symbol}, runs on the least and on the most rows", [x[least].mean(), x[most].mean()])
        _, numbers = embedding(sweep.runs[0].probe, symbol)
        evidence.note(f"R_P of as many numbers on a straight line: {symbol}", parity_split(numbers[:, None], numbers))
        beyond = sweep.each(parity_over_pairs, symbol)
        evidence.note(
            f"R_P of {symbol} less that of pairs, runs on the least and on the most rows",
            [beyond[least].mean(), beyond[most].mean()],
        )
        evidence.note(f"rho of R_P of {symbol} less that of pairs with the error", rank_correlation(beyond, error))
        for read, what in (
            (parity_wave, "the wave that alternates between even and odd"),
            (waves_beside, "waves nearly as fast"),
        ):
            power = sweep.each(read, symbol)
            ends = [power[least].mean(), power[most].mean()]
            evidence.note(f"power of {what}, {symbol}, 1 for white noise, runs on the least and on the most rows", ends)
            evidence.note(f"rho of that power with the error: {symbol}, {what}", rank_correlation(power, error))
    note_confounders(evidence, sweep, found)
    evidence.figure(
        "figure-09-parity",
        title="Parity split and validation error",
        caption="A point a run. Where the claim holds, the points fall. In the paper R_P reaches 1.05 and more; noise has 1, and "
        "numbers on a line have 0.98 or 0.99.",
        alt="Validation error against the parity split of the embeddings, rho {Z:.2f} for Z and {N:.2f} for N; "
        "runs on more rows are set apart by their marks.".format(**rhos),
        panels=[scatter(sweep, found[symbol], symbol, "parity split R_P") for symbol in SYMBOLS],
    )
    evidence.remark(ON_WEIGHTING)
    evidence.remark(ON_WAVE)
    evidence.conclude()
