"""A function of the nuclide as a sum of functions of one number each, in decreasing importance (NuCLR-MechInterp)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lstsq

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


def numbers_of(z: Numbers, n: Numbers) -> dict[str, Numbers]:
    """The numbers of nuclides z, n (k,) that a piece may be a function of: {"A": (k,), ...}."""
    return {"A": z + n, "N - Z": n - z, "Z": z, "N": n, "parities": 2 * (z % 2) + n % 2}


def rest(values: Array, pieces: Sequence[Numbers]) -> Array:
    """What is left of values (k,) after the best sum of one function of each of the numbers (k,), by least squares: (k,).

    A function is free at every number that occurs, so nothing is assumed of its form.
    """
    indicators = [piece[:, None] == np.unique(piece) for piece in pieces]
    design = np.concatenate(indicators, axis=1).astype(np.float64)
    # The functions overlap (a shift of one is a shift of another): what counts as nothing must lie well above rounding.
    weights = lstsq(design, values, cond=1e-10, lapack_driver="gelsy")[0]
    left: Array = values - design @ weights
    return left


def in_order(values: Array, numbers: Mapping[str, Numbers]) -> dict[str, float]:
    """RMS left of values (k,) after each piece, {name: RMS}: first the piece that leaves least, then the one that does so with
    the first beside it, and so on; all functions are fitted anew each time."""
    found: dict[str, float] = {}
    while len(found) < len(numbers):
        left = {
            name: float(np.sqrt(np.mean(rest(values, [numbers[one] for one in (*found, name)]) ** 2)))
            for name in numbers
            if name not in found
        }
        best = min(left, key=lambda name: left[name])
        found[best] = left[best]
    return found
