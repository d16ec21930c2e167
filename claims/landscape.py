"""The landscape of a network over the latent space of one embedding: any points in place of those of the numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nuclr.model.probe import TRAINED_NUMBERS, Probe

Array = NDArray[np.float64]


def reading(probe: Probe, points: Array, partner: int, observable: str = "binding", symbol: str = "Z") -> Array:
    """Predictions (m,) in physical units for points (m, d) in place of the embedding of a Z, at the neutron number
    `partner`; for the symbol "N" in place of that of an N, at that proton number."""
    rooms = TRAINED_NUMBERS[symbol]
    found = []
    for first in range(0, len(points), len(rooms)):  # as many at a time as there are numbers to stand in for
        these = points[first : first + len(rooms)]
        table = probe.embedding(symbol)
        table[: len(these)] = these
        own = rooms[: len(these)]
        beside = np.full_like(own, partner)
        z, n = (own, beside) if symbol == "Z" else (beside, own)
        found.append(probe.with_embedding(symbol, table).predict(z, n, observable))
    return np.concatenate(found)
