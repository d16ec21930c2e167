"""The landscape of a network over the latent space of one embedding: any points in place of those of the numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claims.conftest import Nuclides
from nuclr.analysis.topography import grid
from nuclr.model.probe import TRAINED_NUMBERS, Probe
from nuclr.verdict.evidence import Panel

Array = NDArray[np.float64]

# Where a landscape is recorded to be looked at: every tenth N, and the magic ones.
EXPLORED = tuple(sorted({*range(10, 161, 10), 28, 82, 126}))
CELLS = 21


def most_bound(nuclides: Nuclides, neutrons: Iterable[int]) -> NDArray[np.int64]:
    """For every N the Z of the isotone with the largest binding energy per nucleon."""
    per_nucleon = nuclides.binding / (nuclides.z + nuclides.n)
    isotones = [np.flatnonzero(nuclides.n == n) for n in neutrons]
    return np.array([nuclides.z[here[per_nucleon[here].argmax()]] for here in isotones])


def explored(
    title: str,
    probe: Probe,
    nuclides: Nuclides,
    own: Array,
    axes: tuple[Array, Array],
    places: Callable[[Array, int], Array],
    options: dict[str, Any],
    ring: dict[str, Array] | None = None,
) -> Panel:
    """The landscape over a plane of the embedding of Z at each N of EXPLORED: energies in MeV, and what lies in the plane.

    own: coordinates (118, 2) of the numbers in the plane. axes: the grid to the right (c,) and upwards (r,). places: points
    (m, d) for coordinates (m, 2) beside an N whose most bound Z is given. ring: for "energy" and "per_nucleon" the place
    (k, 2) on a ring that is most bound. The energy per nucleon is that of as many nucleons as the network itself reads.
    """
    stable = most_bound(nuclides, EXPLORED)
    cells = grid(*axes)
    here, n = np.concatenate([places(cells, int(z)) for z in stable]), np.repeat(EXPLORED, len(cells))
    energy = probe.predict_at(here, n, "binding") / 1000
    per_nucleon = energy / (probe.predict_at(here, n, "z") + n)
    many, shape = len(EXPLORED), (len(axes[0]), len(axes[1]))
    arrays = {
        "n": np.array(EXPLORED),
        "most_bound": stable,
        "x": axes[0],
        "y": axes[1],
        "energy": np.reshape(energy, (many, *shape)).transpose(0, 2, 1),
        "per_nucleon": np.reshape(per_nucleon, (many, *shape)).transpose(0, 2, 1),
        "points": own,
        "known": np.array([np.isin(TRAINED_NUMBERS["Z"], nuclides.z[nuclides.n == n]) for n in EXPLORED]),
    }
    small = {name: array.astype(np.float32) if array.dtype == np.float64 else array for name, array in arrays.items()}
    return Panel("landscape", title, small | {f"ring.{name}": place for name, place in (ring or {}).items()}, options)
