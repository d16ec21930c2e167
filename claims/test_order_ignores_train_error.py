"""Order in the embeddings goes with the validation error and not with the training error (section 5.1, runs of figure 9)."""

import numpy as np
import pytest

from claims.fractions import SYMBOLS, Sweep, chance, interval, order
from nuclr.analysis.ranks import rank_correlation, rank_correlation_within
from nuclr.verdict.evidence import Panel
from nuclr.verdict.statistics import bootstrap

pytestmark = pytest.mark.claim("order-ignores-train-error")


def difference(rows):
    """abs rho with validation minus abs rho with train, the smaller of Z and N; columns (..., k, 4) as unpacked."""
    order_z, order_n, validation, train = np.moveaxis(rows, -1, 0)
    return np.minimum(
        *(np.abs(rank_correlation(x, validation)) - np.abs(rank_correlation(x, train)) for x in (order_z, order_n))
    )


def test_order_goes_with_validation_and_not_with_train(runs, evidence):
    sweep = Sweep.read(runs)
    found = {symbol: sweep.each(order, symbol) for symbol in SYMBOLS}
    columns = (found["Z"], found["N"], sweep.validation, sweep.train)
    value = float(difference(np.stack(columns, axis=1)))
    evidence.measure("rho-difference", value, over="run", interval=interval(difference, evidence.confidence, *columns))
    lower, _ = chance(difference, evidence.confidence, [found["Z"], found["N"]], [sweep.validation, sweep.train]).T
    evidence.control("lower end of the interval with permuted errors", lower)
    # The percentile interval of a smaller of two is a cautious one; beside it stands one that corrects for its bias.
    corrected = bootstrap(np.stack(columns, axis=1), difference, 0, evidence.confidence)
    evidence.note("the difference, ends of the BCa interval", corrected)

    rhos = {
        label: [float(rank_correlation(found[symbol], error)) for symbol in SYMBOLS]
        for label, error in (("validation", sweep.validation), ("train", sweep.train))
    }
    for label, both in rhos.items():
        evidence.note(f"rho with the {label} RMS: Z, N", both)
    evidence.note(
        "rho with the train RMS at a fixed fraction: Z, N",
        [rank_correlation_within(found[symbol], sweep.train, sweep.fraction) for symbol in SYMBOLS],
    )
    # Every run takes as many steps with as many rows: fewer rows to fit are seen more often and fitted better.
    evidence.note("rho of the train RMS with the fraction", rank_correlation(sweep.train, sweep.fraction))
    evidence.note("train RMS, smallest and largest of the runs", [sweep.train.min(), sweep.train.max()], "keV")
    evidence.figure(
        "figure-09-train",
        title="Order and both errors",
        caption="Two points a run. Where the claim holds, the error on rows held out falls with order, and that on rows which "
        "trained goes its own way.",
        alt="Both errors against the orderedness of the embeddings of Z, N; rho {validation[0]:.2f}, {validation[1]:.2f} with the "
        "validation error, {train[0]:.2f}, {train[1]:.2f} with the train error.".format(**rhos),
        panels=[both_errors(sweep, found[symbol], symbol) for symbol in SYMBOLS],
    )
    evidence.conclude()


def both_errors(sweep, found, symbol):
    arrays = {"validation.x": found, "validation.y": sweep.validation, "train.x": found, "train.y": sweep.train}
    return Panel(
        "lines",
        f"{symbol} embedding",
        arrays,
        {
            "series": [{"key": key, "label": key, "style": "points"} for key in ("validation", "train")],
            "xlabel": "orderedness of PC0",
            "ylabel": "RMS, binding (keV)",
            "ylog": True,
        },
    )
