"""The landscape of a network over the latent space of one embedding: any points in place of those of the numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nuclr.model.probe import TRAINED_NUMBERS, Probe

Array = NDArray[np.float64]


def reading(probe: Probe, points: Array, n: int, observable: str = "binding") -> Array:
    """Predictions (m,) in physical units for points (m, d) in place of the embedding of a Z, at the neutron number n."""
    rooms = TRAINED_NUMBERS["Z"]
    found = []
    for first in range(0, len(points), len(rooms)):  # as many at a time as there are numbers to stand in for
        these = points[first : first + len(rooms)]
        table = probe.embedding("Z")
        table[: len(these)] = these
        z = rooms[: len(these)]
        found.append(probe.with_embedding("Z", table).predict(z, np.full_like(z, n), observable))
    return np.concatenate(found)
