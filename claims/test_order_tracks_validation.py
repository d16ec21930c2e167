"""Runs whose embeddings are better ordered generalise better (section 5.1, figure 9)."""

import pytest

from claims.fractions import SYMBOLS, Sweep, chance, interval, note_confounders, order, rho, scatter
from nuclr.analysis.ranks import rank_correlation

pytestmark = pytest.mark.claim("order-tracks-validation")


def test_order_goes_with_a_low_validation_error(runs, evidence):
    sweep = Sweep.read(runs)
    found = {symbol: sweep.each(order, symbol) for symbol in SYMBOLS}
    rhos = {symbol: float(rank_correlation(found[symbol], sweep.validation)) for symbol in SYMBOLS}
    for symbol in SYMBOLS:
        x, error, name = found[symbol], sweep.validation, f"rho-{symbol.lower()}"
        evidence.measure(name, rhos[symbol], over="run", interval=interval(rho, evidence.confidence, x, error))
        _, upper = chance(rho, evidence.confidence, [x], [error]).T
        evidence.control("upper end of the interval with permuted errors", upper, [name])
    note_confounders(evidence, sweep, found)
    evidence.figure(
        "figure-09",
        title="Order and validation error",
        caption="A point a run. Where the claim holds, the points fall; the notes say what is left of it between runs on as many rows.",
        alt="Validation error against the orderedness of the embeddings, rho {Z:.2f} for Z and {N:.2f} for N; "
        "runs on more rows are set apart by their marks.".format(**rhos),
        panels=[scatter(sweep, found[symbol], symbol, "orderedness of PC0") for symbol in SYMBOLS],
    )
    evidence.conclude()
