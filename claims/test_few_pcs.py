"""A few principal components, at an embedding or at the penultimate layer, carry the performance (section 4.1, figures 4, 21)."""

import numpy as np
import pytest

from nuclr.analysis.pca import components, random_directions
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("few-pcs")

PLACES = ("z", "n", "penultimate")
FEW = 3  # as many as the paper keeps in figure 21


def counts_to_try(width):
    """Every count around the bound of ten, then coarser."""
    return [k for k in (*range(1, 13), 16, 24, 32, 64, 128, 256, 512, 1024) if k < width] + [width]


def counts_of_control(width):
    """Half decades: random directions need nearly all of an embedding, and at width 2048 each count takes a second."""
    return [k for k in (1, FEW, 10, 32, 128, 512) if k < width] + [width]


def at_place(probe, nuclides, place):
    """The points (m, d) whose directions are kept or dropped."""
    if place == "penultimate":
        return probe.penultimate(nuclides.z, nuclides.n, "binding")
    return probe.embedding(place.upper())


def rms_by_count(probe, nuclides, place, points, directions, counts=None):
    """{k: RMS in keV of the binding energy with only the first k directions of the points (m, d) kept}, at every count to try or
    at these."""
    counts = counts or counts_to_try(points.shape[1])
    if place == "penultimate":
        # The readout is linear: every direction adds a share of its own.
        mean, *ends = probe.read_out(np.vstack([directions.mean, directions.mean + directions.directions]), "binding")
        told = mean + np.cumsum(directions.project(points) * (np.array(ends) - mean), axis=1)
        return {k: nuclides.rms(told[:, min(k, told.shape[1]) - 1]) for k in counts}
    # A wide network has fewer numbers, and so directions, than dimensions: more than all of them cannot be kept.
    most = len(directions.directions)

    def rms(k):
        kept = probe.with_embedding(place.upper(), directions.keep(points, k))
        return nuclides.rms(kept.predict(nuclides.z, nuclides.n, "binding"))

    found = {k: rms(k) for k in {min(k, most) for k in counts}}
    return {k: found[min(k, most)] for k in counts}


def needed(curve, target, width):
    """The smallest count whose RMS is below the target; one more than there are where none is."""
    return next((k for k, rms in curve.items() if rms < target), width + 1)


def test_a_few_components_carry_the_performance(runs, core, evidence):
    joint = runs("joint")
    width = joint[0].probe.config.model.width
    curves, shares, told = {}, {"principal": [], "random": []}, []
    for run in joint:
        for place in PLACES:
            points = at_place(run.probe, core, place)
            principal = components(points)
            random = random_directions(principal, run.seed)
            coarse = None if place == "penultimate" else counts_of_control(width)
            for kind, directions, counts in (("principal", principal, None), ("random", random, coarse)):
                curves[kind, place, run.seed] = rms_by_count(run.probe, core, place, points, directions, counts)
            if place == "penultimate":
                told.append(run.probe.read_out(principal.keep(points, FEW), "binding"))
        for kind, values in shares.items():
            values.append(max(needed(curves[kind, place, run.seed], core.semf_rms, width) for place in PLACES) / width)
    for place in PLACES:
        count = {
            kind: [needed(curves[kind, place, run.seed], core.semf_rms, width) for run in joint] for kind in shares
        }
        evidence.measure(f"components-{place}", count["principal"])
        evidence.control("random orthonormal directions", count["random"], [f"components-{place}"])
    evidence.measure("share-of-width", shares["principal"])
    evidence.control("random orthonormal directions", shares["random"], ["share-of-width"])

    # With all of its directions kept a layer is what it was.
    whole = [curves["principal", "penultimate", run.seed][width] for run in joint]
    evidence.note("RMS of the whole network", whole, "keV")
    evidence.note("RMS of the SEMF, to be beaten", core.semf_rms, "keV")
    evidence.note(
        "RMS with three components of the penultimate layer (the paper: 1198)",
        [curves["principal", "penultimate", run.seed][FEW] for run in joint],
        "keV",
    )
    kept = {
        (kind, place): np.mean([curves[kind, place, run.seed][FEW] for run in joint])
        for kind in shares
        for place in ("z", "n")
    }
    evidence.figure(
        "figure-04",
        title="RMS of the binding energy against the components of an embedding kept",
        caption="Mean over seeds. Principal components bring the error below that of the mass formula within a few; as many "
        "random directions do not.",
        alt=f"RMS falling with the number of components; with {FEW} of them "
        + ", ".join(f"{rms:.0f} keV for {kind} ones of {place.upper()}" for (kind, place), rms in kept.items())
        + ".",
        panels=[curve_panel(curves, place, joint, core.semf_rms) for place in ("z", "n")],
    )
    rms = core.rms(told[0])
    evidence.figure(
        "figure-21",
        title=f"What {FEW} components of the penultimate layer say",
        caption="RMS against the components kept, mean over seeds, and what the first seed misses with "
        f"{FEW} of them: {rms:.0f} keV (the paper: 1198). Look for what is left along the magic numbers and between even and odd.",
        alt=f"RMS falling with the components of the penultimate layer, and a chart of what {FEW} of them miss, {rms:.0f} keV RMS.",
        panels=[
            curve_panel(curves, "penultimate", joint, core.semf_rms),
            Panel(
                "chart",
                f"data minus network, {FEW} components, first seed",
                {"z": core.z, "n": core.n, "value": (core.binding - told[0]) / 1000},
                {"label": "residual", "unit": "MeV", "diverging": True},
            ),
        ],
    )
    evidence.conclude()


def curve_panel(curves, place, joint, semf):
    arrays = {}
    for kind in ("principal", "random"):
        table = [curves[kind, place, run.seed] for run in joint]
        arrays[f"{kind}.x"] = list(table[0])
        arrays[f"{kind}.y"] = np.mean([list(curve.values()) for curve in table], axis=0)
    return Panel(
        "lines",
        {"z": "Z embedding", "n": "N embedding", "penultimate": "penultimate layer"}[place],
        arrays,
        {
            "series": [
                {"key": "principal", "label": "principal", "style": "both"},
                {"key": "random", "label": "random", "style": "both"},
            ],
            "xlabel": "components kept",
            "ylabel": "RMS (keV)",
            "xlog": True,
            "ylog": True,
            "hlines": [{"at": semf, "label": "SEMF"}],
        },
    )
