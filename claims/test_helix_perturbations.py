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
    STEPS,
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
UNTRAINED = "untrained networks"
ON_UNTRAINED = (
    "It tells how a network answers a helix, not that it learnt one: untrained networks that are fed one satisfy the bounds as well, "
    "see the notes. The control, fixed beforehand, is the phase."
)


def refed(runs, nuclides):
    """One list a run: its helices of Z and of N."""
    found = [[Refed(run.probe, symbol, nuclides) for symbol in SYMBOLS] for run in runs]
    assert all(fed.fitted.converged for both in found for fed in both)
    return found


def untrained(runs, nuclides):
    """The same of networks that learnt nothing, and have no helix but that of chance. They are noted and no control: a network
    that is nearly linear follows whatever helix it is fed, and meets every bound here. The bounds say how a network answers to
    a helix, not that it has learnt one."""
    networks = [runs[0].probe.untrained(seed) for seed in range(5)]
    return [[Refed(network, symbol, nuclides) for symbol in SYMBOLS] for network in networks]


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


def arcs_of(fed, **change):
    """Of one helix: the arcs of output/A on all its turns together."""
    return arcs(fed.output(**change))


def over(networks, measured, *arguments, **how):
    """`measured` of every network, apart for its helices of Z and of N: (networks, 2, ...)."""
    return np.array([[measured(fed, *arguments, **how) for fed in both] for both in networks])


def rho(strengths, responses):
    """`growth` of responses (networks, 2, strengths): (networks, 2)."""
    return np.apply_along_axis(lambda one: growth(strengths, one), 2, responses)


def ratios(changed, fitted):
    """Arcs of the helices of Z and N together, both (networks, 2), over those at the fitted helix: one a network."""
    return [arc_ratio(*counts) for counts in zip(changed.sum(axis=1), fitted.sum(axis=1), strict=True)]


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
    fresh = untrained(runs("binding"), core)
    found = over(data, lengthened)
    monotone, share = found.mean(axis=1).T
    evidence.measure("monotone", monotone)
    evidence.measure("offset-share", share)
    monotone, share = over(data, lengthened, "phase", PHASES).mean(axis=1).T
    evidence.control("rotating the phase instead", monotone, ["monotone"])
    evidence.control("rotating the phase instead", share, ["offset-share"])

    variants = {
        SEMF_RUNS: over(theory, lengthened).mean(axis=1),
        OWN_REST: over(data, lengthened, own_rest=True).mean(axis=1),
        UNTRAINED: over(fresh, lengthened).mean(axis=1),
        **{f"of {symbol} alone": found[:, place] for place, symbol in enumerate(SYMBOLS)},
    }
    for name, values in variants.items():
        evidence.note(f"rho of axis length and mean shift, {name}", values[:, 0])
        evidence.note(f"mean shift over change of shape, {name}", values[:, 1])
    note_fits(evidence, data, theory)
    evidence.figure("figure-13", **changed_helices(data[0][0], "data", core, core.binding))
    evidence.figure("figure-15", **changed_helices(theory[0][0], "the SEMF", core, SEMF.predict(core.z, core.n)))
    evidence.remark(ON_UNTRAINED)
    evidence.conclude()


@pytest.mark.claim("helix-radius")
def test_a_wider_helix_sharpens_the_arcs(runs, core, evidence):
    data, theory = refed(runs("binding"), core), refed(runs("binding-semf"), core)
    fresh = untrained(runs("binding"), core)
    wider, rotated = over(data, sharpnesses), over(data, sharpnesses, "phase", PHASES)
    evidence.measure("monotone", rho(RADII, wider).mean(axis=1))
    evidence.control("rotating the phase instead", rho(PHASES, rotated).mean(axis=1))

    variants = {
        SEMF_RUNS: rho(RADII, over(theory, sharpnesses)).mean(axis=1),
        OWN_REST: rho(RADII, over(data, sharpnesses, own_rest=True)).mean(axis=1),
        UNTRAINED: rho(RADII, over(fresh, sharpnesses)).mean(axis=1),
        **{f"of {symbol} alone": rho(RADII, wider)[:, place] for place, symbol in enumerate(SYMBOLS)},
    }
    for name, values in variants.items():
        evidence.note(f"rho of radius and curvature, {name}", values)
    wider, rotated = wider.mean(axis=1), rotated.mean(axis=1)
    evidence.note("curvature at the fitted helix", wider[:, 0], "keV per number squared")
    evidence.note("curvature at twice the radius", wider[:, -1], "keV per number squared")
    note_fits(evidence, data, theory)
    evidence.figure("curvature", **curvatures(wider, rotated))
    evidence.remark(ON_UNTRAINED)
    evidence.conclude()


@pytest.mark.claim("helix-frequency")
def test_twice_the_frequency_gives_two_arcs(runs, core, evidence):
    data, theory = refed(runs("binding"), core), refed(runs("binding-semf"), core)
    fresh = untrained(runs("binding"), core)
    fitted, doubled = over(data, arcs_of), over(data, arcs_of, frequency=2.0)
    evidence.measure("arc-ratio", ratios(doubled, fitted))
    rotated = [ratios(over(data, arcs_of, phase=phase), fitted) for phase in PHASES]
    evidence.control("rotating the phase instead", rotated)

    for name, networks, how in ((SEMF_RUNS, theory, {}), (OWN_REST, data, {"own_rest": True}), (UNTRAINED, fresh, {})):
        counts = over(networks, arcs_of, frequency=2.0, **how), over(networks, arcs_of, **how)
        evidence.note(f"ratio of arcs, {name}", ratios(*counts))
    for place, symbol in enumerate(SYMBOLS):
        for name, counts in (("the fitted", fitted), ("twice the", doubled)):
            each = counts[:, place] / len(PARTNERS[symbol])
            evidence.note(f"arcs a turn of {symbol} at {name} frequency", each, "arcs")
    note_fits(evidence, data, theory)
    evidence.figure("arcs", **one_arc_or_two([both[0] for both in data]))
    evidence.remark(ON_UNTRAINED)
    evidence.conclude()


def changed_helices(fed, name, nuclides, energies, partner=80):
    """Figure 13 or 15: output/A along the helix of Z, MeV, for some of each change."""
    factors = {"length": (1.1, 1.25, 1.5), "radius": (1.25, 1.5, 2), "frequency": (2,)}
    changes = {
        **{kind: {f"{one:g} times": {kind: one} for one in ones} for kind, ones in factors.items()},
        "phase (the control)": {f"{turn}°": {"phase": np.deg2rad(turn)} for turn in (90, 180, 270)},
    }
    z, output = fed.chain(partner)
    means = [fed.chain(partner, length=one)[1][TURN].mean() / 1000 for one in (1.0, factors["length"][-1])]
    known = np.flatnonzero((nuclides.n == partner) & (z[0] <= nuclides.z) & (nuclides.z <= z[-1]))
    dots = nuclides.z[known], energies[known] / (nuclides.z[known] + partner) / 1000
    panels = []
    for title, ones in changes.items():
        lines = {"as fitted": (z, output / 1000)}
        lines |= {label: (z, fed.chain(partner, **change)[1] / 1000) for label, change in ones.items()}
        panels.append(curves(title, lines, "Z", "output/A (MeV)", turn=(z[TURN.start], z[TURN.stop]), dots=dots))
    return {
        "title": f"A changed helix, networks trained on {name}",
        "caption": f"Predicted binding energy per nucleon beside N = {partner} while Z runs along the fitted helix "
        f"(R² = {fed.fitted.r2:.2f}, {fed.fitted.turns:.1f} turns in the window), changed in one parameter; the first seed. Dots "
        f"are the energies of {name}; what is measured lies between the upright lines. Where the claims hold, length shifts the "
        "arc, radius sharpens it, and twice the frequency makes two of it.",
        "alt": f"Binding energy per nucleon against Z for several lengths, radii, frequencies and phases of the helix, {name}; "
        f"its mean over the turn is {means[0]:.2f} MeV as fitted and {means[1]:.2f} MeV at {factors['length'][-1]} times the length.",
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
        "alt": "Curvature of the output over that at the fitted helix, against the radius and against the phase, a line a seed: at "
        f"twice the radius {', '.join(f'{ratio:.1f}' for ratio in wider[:, -1] / wider[:, 0])}.",
        "panels": [
            curves(title, {f"seed {i}": (x, y) for i, y in enumerate(lines)}, xlabel, "curvature over that of the fit")
            for (title, xlabel), (x, lines) in relative.items()
        ],
    }


def one_arc_or_two(networks, partner=80):
    panels, counted = [], []
    for title, frequency in (("the fitted helix", 1.0), ("twice the frequency", 2.0)):
        lines = {}
        for seed, fed in enumerate(networks):
            output = fed.chain(partner, frequency=frequency)[1] / 1000
            lines[f"seed {seed}"] = (np.arange(output.size) - TURN.start) / STEPS, output - output[TURN].mean()
        panels.append(curves(title, lines, "place on the turn", "output/A less its mean (MeV)", turn=(0.0, 1.0)))
        counted.append(np.mean([arcs_of(fed, frequency=frequency) for fed in networks]) / len(PARTNERS["Z"]))
    return {
        "title": "One arc or two",
        "caption": f"Predicted binding energy per nucleon beside N = {partner} along one turn of the helix fitted to the embedding "
        "of Z and a little beyond, less its mean; a line a seed. Where the claim holds, one top lies between the upright lines "
        "on the left and two on the right.",
        "alt": "Binding energy per nucleon along one turn of the helix, at the fitted and at twice the frequency, a line a seed: on "
        f"average {counted[0]:.1f} arcs a turn and {counted[1]:.1f}.",
        "panels": panels,
    }


def curves(title, lines, xlabel, ylabel, turn=None, dots=None):
    """A panel of named lines, label -> (x, y), maybe with the ends of the turn and with dots (x, y)."""
    named = ([("", "points", *dots)] if dots else []) + [(label, "line", x, y) for label, (x, y) in lines.items()]
    arrays = {f"{i}.{axis}": one for i, (_, _, *xy) in enumerate(named) for axis, one in zip("xy", xy, strict=True)}
    options = {
        "series": [{"key": str(i), "label": label, "style": style} for i, (label, style, *_) in enumerate(named)],
        "xlabel": xlabel,
        "ylabel": ylabel,
        "direct": True,
    }
    if turn:
        options["vlines"] = [{"at": float(turn[0]), "label": "one turn"}, {"at": float(turn[1]), "label": ""}]
    return Panel("lines", title, arrays, options)
