"""As N grows, the most bound Z moves round the ring of PC1 and PC2 (figure 7)."""

from functools import partial

import numpy as np
import pytest

from claims.landscape import CELLS, EXPLORED, explored, most_bound
from nuclr.analysis.pca import components
from nuclr.analysis.topography import circular_correlation, points, ring
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("ring-is-stability")

NEUTRONS = range(20, 101)
STEPS = 120  # of three degrees
RING, BESIDE = (1, 2), (3, 4)


class Ring:
    """A network's ring in the plane of two components of Z: its radius is the embedding's own, its centre their mean.

    Which ring: PC0 carries the bulk (claim pc0-is-bulk). Left at its mean it asks for some sixty protons beside every N, a
    nucleus that for most N does not exist. So the ring goes round the axis where the axis has the Z that is looked for.

    Which energy: on that ring the network's own reading of Z still changes by several protons, and the total energy with
    it, by tens of MeV: its largest value says where the bulk tilts, not what is stable. So the energy is taken per nucleon,
    of as many nucleons as the network reads from the same point.
    """

    def __init__(self, probe, plane):
        self.probe, self.plane = probe, plane
        embedding = probe.embedding("Z")
        self.found = components(embedding)
        self.own = self.found.project(embedding, 5)
        self.radius = np.sqrt(np.square(self.own[:, plane]).sum(axis=1).mean())

    def points(self, coordinates, z=None):
        """Points at coordinates (m, 2) in the plane, PC0 that of a Z (None: at its mean), the rest at their mean."""
        bulk = 0.0 if z is None else self.own[z - 1, 0]
        along = np.column_stack([np.full(len(coordinates), bulk), coordinates])
        return points(self.found, (0, *self.plane), along)

    def true(self, stable):
        """Angles (k,) of the embeddings of the Z in `stable`."""
        across, up = self.own[stable - 1][:, self.plane].T
        return np.arctan2(up, across)

    def per_nucleon(self, place, n):
        """Predicted binding energy (m,) in keV over the nucleons that the network reads, at points (m, d) beside n (m,)."""
        return self.total(place, n) / (self.probe.predict_at(place, n, "z") + n)

    def total(self, place, n):
        """Predicted binding energy (m,) in keV at points (m, d) beside n (m,)."""
        return self.probe.predict_at(place, n, "binding")

    def predicted(self, stable, energy, bulk_at_mean=False, neutrons=NEUTRONS):
        """Angles (k,) at which the network finds the ring most bound, for each N."""
        angles, circle = ring(self.radius, STEPS)
        places = np.concatenate([self.points(circle, None if bulk_at_mean else z) for z in stable])
        return angles[energy(places, np.repeat(neutrons, STEPS)).reshape(-1, STEPS).argmax(axis=1)]


def correlation(probe, stable, plane=RING, energy=Ring.per_nucleon, bulk_at_mean=False):
    found = Ring(probe, plane)
    predicted = found.predicted(stable, partial(energy, found), bulk_at_mean)
    return circular_correlation(predicted, found.true(stable))


def test_the_most_bound_moves_round_the_ring(runs, core, evidence):
    joint, stable = runs("joint"), most_bound(core, NEUTRONS)
    evidence.measure("circular-correlation", [correlation(run.probe, stable) for run in joint])
    evidence.control("the plane of PC3 and PC4", [correlation(run.probe, stable, BESIDE) for run in joint])
    first = Ring(joint[0].probe, RING)
    predicted, true = first.predicted(stable, first.per_nucleon), first.true(stable)
    rng = np.random.default_rng(0)
    evidence.control("shuffled N", [circular_correlation(predicted, rng.permutation(true)) for _ in range(300)])
    variants = {
        "PC0 at its mean": {"bulk_at_mean": True},
        "the total energy": {"energy": Ring.total},
        "the total energy and PC0 at its mean": {"energy": Ring.total, "bulk_at_mean": True},
    }
    for name, changed in variants.items():
        evidence.note(f"circular correlation with {name}", [correlation(r.probe, stable, **changed) for r in joint])
    evidence.note(
        "circular correlation with the total energy, runs of the binding energy alone",
        [correlation(run.probe, stable, energy=Ring.total) for run in runs("binding")],
    )
    evidence.note(
        "protons by which the network's reading changes on the ring, N = 60", [protons(r, stable) for r in joint]
    )
    evidence.note(
        "turns that the embeddings of the most bound Z make round the ring",
        [abs(np.diff(np.unwrap(Ring(run.probe, RING).true(stable))).sum()) / (2 * np.pi) for run in joint],
        "turns",
    )
    figure(first, core, predicted, true, evidence)
    evidence.conclude()


def protons(run, stable, n=60):
    found = Ring(run.probe, RING)
    circle = ring(found.radius, STEPS)[1]
    return np.ptp(run.probe.predict_at(found.points(circle, stable[n - NEUTRONS.start]), n, "z"))


def figure(found, core, predicted, true, evidence):
    reach = 1.1 * np.abs(found.own[:, RING]).max()  # all of the embedding
    side = np.linspace(-reach, reach, CELLS)
    stable = most_bound(core, EXPLORED)
    best = {
        name: found.predicted(stable, energy, neutrons=EXPLORED)
        for name, energy in (("energy", found.total), ("per_nucleon", found.per_nucleon))
    }
    over_ring = explored(
        "Over PC1 and PC2",
        found.probe,
        core,
        found.own[:, RING],
        (side, side),
        found.points,
        {
            "xlabel": "PC1",
            "ylabel": "PC2",
            "first": "per_nucleon",
            "shown": [30, 60, 90],
            "along": "PC0 is that of the most bound Z at this N, the other components are at their mean",
            "radius": found.radius,
        },
        {name: found.radius * np.column_stack([np.cos(angle), np.sin(angle)]) for name, angle in best.items()},
    )
    n = np.array(NEUTRONS)
    angles = Panel(
        "lines",
        "the angle on the ring",
        {"true.x": n, "true.y": np.rad2deg(true) % 360, "found.x": n, "found.y": np.rad2deg(predicted)},
        {
            "series": [
                {"key": "true", "label": "embedding of the most bound Z", "style": "points"},
                {"key": "found", "label": "most bound place on the ring", "style": "points"},
            ],
            "xlabel": "N",
            "ylabel": "angle (degrees)",
        },
    )
    evidence.figure(
        "figure-07",
        title="Where the ring is most bound",
        caption="Predicted binding energy per nucleon over PC1 and PC2 of Z at three N, first seed, with the embeddings of Z: large "
        "where the nuclide is known, a triangle where it is most bound. The star is the most bound place on the ring. Star and "
        "triangle lie in one direction where the claim holds.",
        alt="Landscapes over PC1 and PC2 of Z at three N, and two angles on the ring against N, with a circular correlation of "
        f"{circular_correlation(predicted, true):.2f}.",
        panels=[over_ring, angles],
    )
