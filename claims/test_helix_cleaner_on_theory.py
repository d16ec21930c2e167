"""Training on energies of the semi-empirical mass formula gives a cleaner helix than training on data (Appendix A, figure 1)."""

import numpy as np
import pytest

from claims.test_helix import FIT_WINDOW, window
from nuclr.analysis import helix
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("helix-cleaner-on-theory")

SYMBOLS = ("Z", "N")


def test_theory_gives_a_cleaner_helix(runs, evidence):
    kinds = {"data": runs("binding"), "SEMF": runs("binding-semf")}
    assert [run.seed for run in kinds["data"]] == [run.seed for run in kinds["SEMF"]]
    fits = {
        (name, symbol): [helix.fit(window(run.axes(symbol), symbol)) for run in kind]
        for name, kind in kinds.items()
        for symbol in SYMBOLS
    }
    assert all(fit.converged for found in fits.values() for fit in found)
    r2 = {place: np.array([fit.r2 for fit in found]) for place, found in fits.items()}
    differences = {symbol: r2["SEMF", symbol] - r2["data", symbol] for symbol in SYMBOLS}
    evidence.measure("r2-difference", np.mean(list(differences.values()), axis=0))  # one value a run: mean of Z and N

    for symbol in SYMBOLS:
        evidence.note(f"R2 of {symbol}, SEMF minus data", differences[symbol])
        scores = {name: np.array([helix.score(run.axes(symbol)).h for run in kind]) for name, kind in kinds.items()}
        for name in kinds:
            evidence.note(
                f"R2 of Equation 2 for {symbol}, numbers {FIT_WINDOW[symbol]}, trained on {name}", r2[name, symbol]
            )
            evidence.note(
                f"turns of {symbol} in the window, trained on {name}", [f.turns for f in fits[name, symbol]], "turns"
            )
            evidence.note(f"H of {symbol}, trained on {name}", scores[name])
        # R2 forgives whatever is smooth (see nuclr.analysis.helix); H does not.
        evidence.note(f"H of {symbol}, SEMF minus data", scores["SEMF"] - scores["data"])
    for name, kind in kinds.items():
        errors = [run.error("validation_rms.binding") for run in kind]
        evidence.note(f"validation RMS of the binding energy, trained on {name}", errors, "keV")
    h = {name: helix.score(kind[0].axes("N")).h for name, kind in kinds.items()}
    evidence.figure(
        "figure-01",
        title="The neutron numbers in networks trained on data and on theory",
        caption="The embedding of every N along the first three principal components, the first seed; consecutive numbers are joined. "
        "The paper shows a helix in both, the cleaner one on theory. 1 would be a perfect helix.",
        alt="Embeddings of N along three principal components, joined in order: helix score "
        + " and ".join(f"{score:.2f} for {name}" for name, score in h.items())
        + ".",
        panels=[whole_panel(kind[0], "N", f"trained on {name}", h[name]) for name, kind in kinds.items()],
    )
    for figure, name in (("figure-14", "data"), ("theory-helix", "SEMF")):
        evidence.figure(
            figure,
            title=f"The helix in networks trained on {name}",
            caption="Embeddings along their first three principal components in the window, the first seed, and the fit of Equation 2. "
            "The closer the points stay to the curve, the cleaner the helix.",
            alt=f"Embeddings of Z and N of a network trained on {name} with a fitted helix, R2 "
            + " and ".join(f"{r2[name, symbol][0]:.2f}" for symbol in SYMBOLS)
            + ".",
            panels=[helix_panel(kinds[name][0], fits[name, symbol][0], symbol) for symbol in SYMBOLS],
        )
    evidence.conclude()


def whole_panel(run, symbol, title, h):
    axes = run.axes(symbol)
    arrays = {"numbers": np.arange(1, len(axes) + 1), "axes": axes}
    return Panel("helix", title, arrays, {"symbol": symbol, "fit": f"H = {h:.2f}"})


def helix_panel(run, found, symbol):
    low, high = FIT_WINDOW[symbol]
    return Panel(
        "helix",
        f"{symbol} = {low} to {high}",
        {"numbers": np.arange(low, high + 1), "axes": window(run.axes(symbol), symbol), "curve": found.curve},
        {"symbol": symbol, "fit": f"Equation 2: {found.turns:.1f} turns, R² = {found.r2:.2f}"},
    )
