"""Refeed a changed helix and read output/A: a longer one shifts it, a wider one sharpens its arcs, one of twice the frequency
has twice as many (Appendix A, figures 13 and 15).

The helix of Equation 2 is fitted to the embedding of Z (or N) and fed back in its place: along the three components of the fit
the parametric curve, along all others the mean. Then one parameter is changed, and the network read along one turn, beside
partners that keep their own embedding (see claims/refeeding.py). Every value is the mean of Z and N.

A longer helix has a larger P in Equation 2: its end at the low numbers stays where it is. (Stretched about its middle it could
not shift the mean of anything that is linear along it.)
"""

import numpy as np
import pytest

from claims.refeeding import PARTNERS, Refed
from nuclr.analysis.perturbation import (
    TURN,
    arc_ratio,
    arcs,
    growth,
    mean_shift,
    offset_share,
    shape_change,
    sharpness,
    tops,
)
from nuclr.physics.formulas import SEMF
from nuclr.verdict.evidence import Panel

LENGTHS = np.arange(1.05, 1.501, 0.05)  # the longest still ends among the numbers that are trained
RADII = np.arange(1.0, 2.01, 0.1)
PHASES = 2 * np.pi * np.arange(1, 11) / 11  # instead: the control of all three
SYMBOLS = ("Z", "N")
SEMF_RUNS, OWN_REST = "trained on the SEMF", "with the other components of the embedding itself"


def refed(runs, nuclides):
    """One list a run: its helices of Z and of N."""
    return [[Refed(run.probe, symbol, nuclides) for symbol in SYMBOLS] for run in runs]


def lengthened(fed, kind="length", strengths=LENGTHS, **how):
    """Of one helix: rho of length and size of the mean shift of output/A, and mean shift over change of shape."""
    before = fed.output(**how)
    after = [fed.output(**{kind: strength}, **how) for strength in strengths]
    shifts = [mean_shift(before, output) for output in after]
    return growth(strengths, np.abs(shifts)), offset_share(shifts, [shape_change(before, output) for output in after])


def sharpnesses(fed, kind="radius", strengths=RADII, **how):
    """Of one helix: the mean curvature at every strength, keV per number squared, of the arcs that the fitted helix has."""
    top = tops(fed.output(**how))
    return np.array([sharpness(fed.output(**{kind: one}, **how), top, fed.spacing) for one in strengths])


def sharpened(fed, kind="radius", strengths=RADII, **how):
    """Of one helix: rho of radius and curvature of output/A."""
    return growth(strengths, sharpnesses(fed, kind, strengths, **how))


def multiplied(both, kind="frequency", strength=2.0, **how):
    """Of the helices of Z and N together: arcs of output/A over those at the fitted helix."""
    after, before = (sum(arcs(fed.output(**change, **how)) for fed in both) for change in ({kind: strength}, {}))
    return arc_ratio(after, before)


def over(networks, measured, *arguments, **how):
    """`measured` of every network, mean over its helices of Z and N."""
    return np.mean([[measured(fed, *arguments, **how) for fed in both] for both in networks], axis=1)


def alone(networks, place, measured):
    """`measured` of every network, of its helix of Z (place 0) or N (place 1) alone."""
    return np.array([measured(both[place]) for both in networks])


def note_fits(evidence, data, theory):
    """How much of a helix there is to be changed: no seed is left out, however little that is."""
    for name, networks in (("", data), (f", {SEMF_RUNS}", theory)):
        for place, symbol in enumerate(SYMBOLS):
            fed = [both[place] for both in networks]
            evidence.note(f"R2 of Equation 2 for {symbol}{name}", [one.fitted.r2 for one in fed])
            evidence.note(f"turns of {symbol} in the window{name}", [one.fitted.turns for one in fed], "turns")
            moved = [one.rms() for one in fed]
            evidence.note(f"RMS by which the fitted helix of {symbol} moves the energies{name}", moved, "keV")


@pytest.mark.claim("helix-length")
def test_a_longer_helix_shifts_the_output(runs, core, evidence):
    data, theory = refed(runs("binding"), core), refed(runs("binding-semf"), core)
    monotone, share = over(data, lengthened).T
    evidence.measure("monotone", monotone)
    evidence.measure("offset-share", share)
    monotone, share = over(data, lengthened, "phase", PHASES).T
    evidence.control("rotating the phase instead", monotone, ["monotone"])
    evidence.control("rotating the phase instead", share, ["offset-share"])

    variants = {
        SEMF_RUNS: over(theory, lengthened),
        OWN_REST: over(data, lengthened, own_rest=True),
        **{f"of {symbol} alone": alone(data, place, lengthened) for place, symbol in enumerate(SYMBOLS)},
    }
    for name, values in variants.items():
        evidence.note(f"rho of axis length and mean shift, {name}", values[:, 0])
        evidence.note(f"mean shift over change of shape, {name}", values[:, 1])
    note_fits(evidence, data, theory)
    evidence.figure("figure-13", **changed_helices(data[0][0], "data", core, core.binding))
    evidence.figure("figure-15", **changed_helices(theory[0][0], "the SEMF", core, SEMF.predict(core.z, core.n)))
    evidence.conclude()


@pytest.mark.claim("helix-radius")
def test_a_wider_helix_sharpens_the_arcs(runs, core, evidence):
    data, theory = refed(runs("binding"), core), refed(runs("binding-semf"), core)
    evidence.measure("monotone", over(data, sharpened))
    evidence.control("rotating the phase instead", over(data, sharpened, "phase", PHASES))

    wider, rotated = over(data, sharpnesses), over(data, sharpnesses, "phase", PHASES)
    evidence.note("curvature at the fitted helix", wider[:, 0], "keV per number squared")
    evidence.note("curvature at twice the radius", wider[:, -1], "keV per number squared")
    variants = {
        SEMF_RUNS: over(theory, sharpened),
        OWN_REST: over(data, sharpened, own_rest=True),
        **{f"of {symbol} alone": alone(data, place, sharpened) for place, symbol in enumerate(SYMBOLS)},
    }
    for name, values in variants.items():
        evidence.note(f"rho of radius and curvature, {name}", values)
    note_fits(evidence, data, theory)
    evidence.figure("curvature", **curvatures(wider, rotated))
    evidence.conclude()


@pytest.mark.claim("helix-frequency")
def test_twice_the_frequency_gives_two_arcs(runs, core, evidence):
    data, theory = refed(runs("binding"), core), refed(runs("binding-semf"), core)
    evidence.measure("arc-ratio", [multiplied(both) for both in data])
    rotated = [[multiplied(both, "phase", phase) for phase in PHASES] for both in data]
    evidence.control("rotating the phase instead", rotated)

    evidence.note(f"ratio of arcs, {SEMF_RUNS}", [multiplied(both) for both in theory])
    evidence.note(f"ratio of arcs, {OWN_REST}", [multiplied(both, own_rest=True) for both in data])
    for place, symbol in enumerate(SYMBOLS):
        for name, frequency in (("the fitted", 1.0), ("twice the", 2.0)):
            found = [arcs(both[place].output(frequency=frequency)) / len(PARTNERS[symbol]) for both in data]
            evidence.note(f"arcs a turn of {symbol} at {name} frequency", found, "arcs")
    note_fits(evidence, data, theory)
    evidence.figure("arcs", **one_arc_or_two([both[0] for both in data]))
    evidence.conclude()


def changed_helices(fed, name, nuclides, energies, partner=80):
    """Figure 13 or 15: output/A along one turn of the helix of Z, MeV, for some of each change."""
    changes = {
        "length": {f"{factor:g} times": {"length": factor} for factor in (1, 1.1, 1.25, 1.5)},
        "radius": {f"{factor:g} times": {"radius": factor} for factor in (1, 1.25, 1.5, 2)},
        "frequency": {f"{factor:g} times": {"frequency": factor} for factor in (1, 2)},
        "phase (the control)": {f"{turn}°": {"phase": np.deg2rad(turn)} for turn in (0, 90, 180, 270)},
    }
    beside = np.flatnonzero(nuclides.n == partner)
    known = {"known.x": nuclides.z[beside], "known.y": energies[beside] / (nuclides.z[beside] + partner) / 1000}
    panels = []
    for title, ones in changes.items():
        chains = {}
        for label, change in ones.items():
            z, output = fed.chain(partner, **change)
            chains[label] = z[TURN], output[TURN] / 1000
        panels.append(curves(title, chains, "Z", "output/A (MeV)", known))
    return {
        "title": f"A changed helix, networks trained on {name}",
        "caption": f"Predicted binding energy per nucleon beside N = {partner} while Z runs along one turn of the fitted helix "
        f"(R² = {fed.fitted.r2:.2f}, {fed.fitted.turns:.1f} turns in the window), changed in one parameter; the first seed. Dots "
        f"are the energies of {name}. Where the claims hold, length shifts the arc, radius sharpens it, and twice the frequency "
        "makes two of it.",
        "alt": f"Binding energy per nucleon against Z for several lengths, radii, frequencies and phases of the helix, {name}.",
        "panels": panels,
    }


def curvatures(wider, rotated):
    relative = {
        ("a wider helix", "radius over the fitted one"): (RADII, wider / wider[:, :1]),
        ("the phase rotated (the control)", "phase (degrees)"): (np.rad2deg(PHASES), rotated / wider[:, :1]),
    }
    return {
        "title": "How sharp the arcs are",
        "caption": "Mean curvature of the arcs of the predicted binding energy per nucleon, half a turn of the helix about their "
        "tops, over that at the fitted helix; mean of Z and N, a line a seed.",
        "alt": "Curvature of the output over that at the fitted helix, against the radius and against the phase, a line a seed.",
        "panels": [
            curves(title, {f"seed {i}": (x, y) for i, y in enumerate(lines)}, xlabel, "curvature over that of the fit")
            for (title, xlabel), (x, lines) in relative.items()
        ],
    }


def one_arc_or_two(networks, partner=80):
    panels = []
    for title, frequency in (("the fitted helix", 1.0), ("twice the frequency", 2.0)):
        chains = {}
        for seed, fed in enumerate(networks):
            output = fed.chain(partner, frequency=frequency)[1][TURN] / 1000
            chains[f"seed {seed}"] = np.linspace(-0.5, 0.5, output.size, endpoint=False), output - output.mean()
        panels.append(curves(title, chains, "place on the turn", "output/A less its mean (MeV)"))
    return {
        "title": "One arc or two",
        "caption": f"Predicted binding energy per nucleon beside N = {partner} along one turn of the helix fitted to the embedding "
        "of Z, less its mean, a line a seed. Where the claim holds there is one arc on the left and there are two on the right.",
        "alt": "Binding energy per nucleon along one turn of the helix, at the fitted and at twice the frequency, a line a seed.",
        "panels": panels,
    }


def curves(title, lines, xlabel, ylabel, dots=None):
    """A panel of named lines, label -> (x, y)."""
    arrays, series = dict(dots or {}), [{"key": "known", "label": "", "style": "points"}] if dots else []
    for i, (label, (x, y)) in enumerate(lines.items()):
        arrays |= {f"line{i}.x": x, f"line{i}.y": y}
        series.append({"key": f"line{i}", "label": label, "style": "line"})
    return Panel("lines", title, arrays, {"series": series, "xlabel": xlabel, "ylabel": ylabel, "direct": True})
