"""Measures as the published code takes them, where they are not what the text says.

Written from a description of that code in words; none of it is used. No verdict rests on them: docs/slips.md says what each changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuclr.physics import formulas

Array = NDArray[np.float64]

TURNS = np.arange(0.5, 8.0, 0.01)


def parity_split(embedding: Array, numbers: NDArray[np.int64]) -> float:
    """R_P from the entries above zero in the upper triangle of each matrix of distances; nuclr.analysis.structure takes all pairs.

    embedding: (k, d), numbers: (k,) in rising order. In single precision the distance of a number to itself is zero for some and a
    rounding error for the others, which then count.
    """
    even, odd = (embedding[numbers % 2 == parity].astype(np.float32) for parity in (0, 1))
    return 2 * _upper_mean(even, odd) / (_upper_mean(even, even) + _upper_mean(odd, odd))


def _upper_mean(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    square = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
    upper = np.triu(np.sqrt(np.maximum(square, 0)))
    return float(upper[upper > 0].mean(dtype=np.float64))


def pairing(z: ArrayLike, n: ArrayLike) -> Array:
    """The pairing term with +A^(-1/2) for odd A as well, where nuclr.physics.formulas has zero. z, n and the result: one shape."""
    a = formulas.volume(z, n)
    return formulas.pairing(z, n) + (a % 2) / np.sqrt(a)


def affine_helix_r2(axes: Array) -> float:
    """R2 of the closest affine image of a helix through axes (k, 3), where nuclr.analysis.helix.fit has Equation 2 itself.

    A helix times a free 3 x 3 matrix is M (cos, sin, t) plus a point, with the turns free: 13 numbers. For given turns it is linear.
    """
    t = np.linspace(0.0, 1.0, len(axes))
    centred = axes - axes.mean(0)
    power = np.square(centred).sum()
    return max(_explained(2 * np.pi * turns * t, t, centred) for turns in TURNS) / float(power)


def _explained(angle: Array, t: Array, centred: Array) -> float:
    helix = np.stack([np.cos(angle), np.sin(angle), t], axis=1)
    basis, _ = np.linalg.qr(helix - helix.mean(0))
    return float(np.square(basis.T @ centred).sum())
