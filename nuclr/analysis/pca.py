"""Principal components, numbered from 0 as in the paper. Their signs are arbitrary: no measure may depend on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, svd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Components:
    """mean (d,); directions (m, d), orthonormal rows, the strongest first; share (m,) of the variance of each."""

    mean: Array
    directions: Array
    share: Array

    def project(self, x: Array, count: int | None = None) -> Array:
        """Coordinates of the points x (k, d) along the first `count` components: (k, count)."""
        return (x - self.mean) @ self.directions[:count].T

    def keep(self, x: Array, count: int) -> Array:
        """The points x (k, d) with only their first `count` components and the mean kept: (k, d)."""
        return self.mean + self.project(x, count) @ self.directions[:count]


def components(x: Array) -> Components:
    """Principal components of the points x (k, d). Raises ValueError unless x is finite and has at least two points."""
    if len(x) < 2 or not np.isfinite(x).all():
        raise ValueError("Principal components need at least two points, all of them finite.")
    mean = x.mean(axis=0)
    centred = x - mean
    if len(x) > x.shape[1]:  # then the covariance is the smaller matrix, and its directions are found ten times sooner
        power, columns = eigh(centred.T @ centred)
        power, directions = power[::-1].clip(0.0), columns.T[::-1]
    else:
        _, singular, directions = svd(centred, full_matrices=False)
        power = np.square(singular)
    return Components(mean, directions * _signs(directions)[:, None], power / power.sum())


def leading(x: Array, count: int) -> Array:
    """The first `count` principal coordinates (k, count) of the points x (k, d), without the work for the others, which nulls of
    thousands of draws would spend. Signs are those of `components`. Raises ValueError unless x is finite and both k and d are
    at least `count`."""
    centred = x - x.mean(axis=0)
    if len(x) > x.shape[1]:
        directions = _strongest(centred.T @ centred, count)[1].T
        return centred @ directions.T * _signs(directions)
    power, along = _strongest(centred @ centred.T, count)
    return along * np.sqrt(power.clip(0.0)) * _signs(along.T @ centred)


def _strongest(symmetric: Array, count: int) -> tuple[Array, Array]:
    """The `count` largest eigenvalues of a symmetric matrix (m, m), the largest first, and their vectors, columns (m, count)."""
    size = len(symmetric)
    values, vectors = eigh(symmetric, subset_by_index=(size - count, size - 1))
    return values[::-1], vectors[:, ::-1]


def _signs(directions: Array) -> Array:
    """For each of directions (m, d) the sign of its largest entry: (m,). It makes a component the same however it was found."""
    largest = np.abs(directions).argmax(axis=1)
    return np.copysign(1.0, np.take_along_axis(directions, largest[:, None], axis=1)[:, 0])


def random_directions(like: Components, seed: int) -> Components:
    """As many random orthonormal directions about the same mean: the control for principal ones. Shares are not defined
    for them and left empty."""
    count, width = like.directions.shape
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((width, count)))
    return Components(like.mean, basis.T, np.empty(0))


def cosine(a: Array, b: Array) -> float:
    """Cosine of two centred vectors (k,): their correlation coefficient. Raises ValueError when one is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    if norm == 0.0:
        raise ValueError("A constant vector has no direction: its cosine is undefined.")
    return float(a @ b) / norm


def cosines(columns: Array, terms: Array) -> Array:
    """Cosines of every centred column of (k, p) with every centred column of (k, q): (p, q)."""
    return np.array([[cosine(column, term) for term in terms.T] for column in columns.T])
