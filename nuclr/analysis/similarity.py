"""How alike are two representations of the same numbers, whatever the directions in which they lie? And two kinds of them?

Two networks never agree on directions, so both measures ignore rotation, scale and shift. What they would not ignore is the
noise of initialisation: in as many dimensions as there are points an orthogonal matrix turns any noise well into any
other, and the distance saturates. Compare leading components, therefore, not whole embeddings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def procrustes_distance(x: Array, y: Array) -> float:
    """Distance left between x and y (k, d) after the best shift, scale, rotation and reflection: 0 for the same shape, 1 for
    shapes without anything in common.

    It is sqrt(1 - s^2) with s the sum of the singular values of X'Y, X and Y centred and of unit Frobenius norm (Schönemann
    1966, Gower 1975); it is symmetric. Widths may differ. Raises ValueError for other lengths and for a single point.
    """
    x, y = _unit(x), _unit(y)
    _same_points(x, y)
    alike = float(np.linalg.svd(x.T @ y, compute_uv=False).sum())
    return float(np.sqrt(max(0.0, 1 - alike**2)))


def cka(x: Array, y: Array) -> float:
    """Linear centred kernel alignment of x (k, d) and y (k, e), in [0, 1]: 1 for the same shape (Kornblith et al. 2019).

    Raises ValueError for other lengths and for a single point.
    """
    x, y = _unit(x), _unit(y)
    _same_points(x, y)
    cross, own_x, own_y = (float(np.linalg.norm(product)) for product in (x.T @ y, x.T @ x, y.T @ y))
    return cross**2 / (own_x * own_y)


Distance = Callable[[Array, Array], float]


def distances(first: Sequence[Array], second: Sequence[Array], distance: Distance) -> Array:
    """Distance of every representation in `first` to every one in `second`: (len(first), len(second))."""
    return np.array([[distance(x, y) for y in second] for x in first])


def separation(first: Array, second: Array, across: Array) -> Array:
    """For each of n seeds: distance to the nearest run of the other kind over the distance to the runs of its own kind: (n,).

    first, second: (n, n) distances within each kind; across: (n, n) from the first (rows) to the second (columns). Pairs of
    one seed are left out, for they began with the same noise. The distance across is the mean of both directions, that within
    is of the kind whose seeds are further apart: noise in one kind alone must not pass for a difference between the kinds.
    Where kinds do not differ it is below 1, the nearest of several being nearer than their mean. Raises ValueError below
    three seeds.
    """
    n = len(across)
    if n < 3:
        raise ValueError(f"Comparing kinds needs at least three seeds of each: got {n}.")
    others = ~np.eye(n, dtype=bool)

    def away(square: Array) -> Array:
        return square[others].reshape(n, n - 1)

    nearest = (away(across).min(axis=1) + away(across.T).min(axis=1)) / 2
    within: Array = np.maximum(away(first).mean(axis=1), away(second).mean(axis=1))
    return nearest / within


def separation_of_halves(within: Array) -> float:
    """The same for the seeds of one kind, one seed against the others, mean over the choice of that one: the control.

    within: (n, n). Below 1 unless the seeds themselves fall into groups. Raises ValueError below three seeds.
    """
    n = len(within)
    if n < 3:
        raise ValueError(f"Splitting the seeds of a kind in two needs at least three: got {n}.")
    ratios = []
    for one in range(n):
        rest = [i for i in range(n) if i != one]
        own = np.mean([within[i, j] for i, j in permutations(rest, 2)])
        ratios.append(float(within[one, rest].min() / own))
    return float(np.mean(ratios))


def _unit(x: Array) -> Array:
    """x (k, d) centred, of unit Frobenius norm."""
    centred = x - x.mean(axis=0)
    norm = float(np.linalg.norm(centred))
    if len(x) < 2 or norm == 0.0:
        raise ValueError("A representation needs at least two points that differ.")
    unit: Array = centred / norm
    return unit


def _same_points(x: Array, y: Array) -> None:
    if len(x) != len(y):
        raise ValueError(f"Representations of the same numbers have as many points: got {len(x)} and {len(y)}.")
