"""Runs whose embeddings separate even from odd numbers generalise better (section 5.1, figure 9).

R_P is not free of order: on a line the nearest numbers are of the other parity, so that R_P is 0.98, while noise has 1. Pairs
of numbers in place of single ones (0, 1 against 2, 3, and so on) share this and know no parity: the notes subtract them.
"""

import pytest

from claims.fractions import (
    SYMBOLS,
    Sweep,
    chance,
    embedding,
    interval,
    note_confounders,
    parity,
    rho,
    scatter,
)
from nuclr.analysis.ranks import rank_correlation
from nuclr.analysis.structure import parity_split

pytestmark = pytest.mark.claim("parity-tracks-validation")


def over_pairs(probe, symbol):
    """R_P less that of pairs of numbers."""
    points, numbers = embedding(probe, symbol)
    return parity_split(points, numbers) - parity_split(points, numbers // 2)


def test_parity_goes_with_a_low_validation_error(runs, evidence):
    sweep = Sweep.read(runs)
    found = {symbol: sweep.each(parity, symbol) for symbol in SYMBOLS}
    for symbol in SYMBOLS:
        x, error, name = found[symbol], sweep.validation, f"rho-{symbol.lower()}"
        evidence.measure(name, rank_correlation(x, error), over="run", interval=interval(rho, x, error))
        _, upper = chance(rho, [x], [error]).T
        evidence.control("upper end of the interval with permuted errors", upper, [name])

        least, most = sweep.fraction == sweep.fraction.min(), sweep.fraction == sweep.fraction.max()
        evidence.note(f"R_P of {symbol}, runs on the least and on the most rows", [x[least].mean(), x[most].mean()])
        _, numbers = embedding(sweep.runs[0].probe, symbol)
        evidence.note(f"R_P of as many numbers on a straight line: {symbol}", parity_split(numbers[:, None], numbers))
        beyond = sweep.each(over_pairs, symbol)
        evidence.note(
            f"R_P of {symbol} less that of pairs, runs on the least and on the most rows",
            [beyond[least].mean(), beyond[most].mean()],
        )
        evidence.note(f"rho of R_P of {symbol} less that of pairs with the error", rank_correlation(beyond, error))
    note_confounders(evidence, sweep, found)
    evidence.figure(
        "figure-09-parity",
        title="Parity split and validation error",
        caption="A point a run. In the paper R_P reaches 1.05 and more, and the error falls with it; 1 is no split at all.",
        alt="Validation error against the parity split of the embeddings of Z and N, runs on more rows being set apart by their marks.",
        panels=[scatter(sweep, found[symbol], symbol, "parity split R_P") for symbol in SYMBOLS],
    )
    evidence.conclude()
