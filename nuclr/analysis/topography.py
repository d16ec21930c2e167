"""Latent space topography (figures 6 and 7): move along a few principal components, leave the others, read the output.

The points are made here; a network reads them elsewhere. Signs of components are arbitrary: nothing here depends on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nuclr.analysis.pca import Components

Array = NDArray[np.float64]


def points(found: Components, which: Sequence[int], coordinates: Array) -> Array:
    """Points (m, d) with the coordinates (m, len(which)) along the components `which` and the mean along all others."""
    return found.mean + coordinates @ found.directions[list(which)]


def grid(x: Array, y: Array) -> Array:
    """All pairs of x (p,) and y (q,) as coordinates (p q, 2), y running fastest."""
    across, up = np.meshgrid(x, y, indexing="ij")
    return np.stack([across.ravel(), up.ravel()], axis=1)


def own_range(coordinates: Array, steps: int) -> Array:
    """`steps` equal steps over the range that the embedding itself takes along one component, coordinates (k,)."""
    return np.linspace(coordinates.min(), coordinates.max(), steps)


def ring(radius: float, steps: int) -> tuple[Array, Array]:
    """Angles (steps,) in radians round a full turn, and the coordinates (steps, 2) of the circle about the mean."""
    angles = np.linspace(0.0, 2 * np.pi, steps, endpoint=False)
    return angles, radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def circular_correlation(a: Array, b: Array) -> float:
    """Correlation of two angles (k,) in radians after Fisher and Lee (1983), in [-1, 1].

    1 where they go round together, -1 where they go round in opposite senses, about 0 where they are unrelated or one of
    them stays where it is; where the angles are counted from does not matter. Raises ValueError below three angles, and
    where one takes a single direction (or its opposite) only.
    """
    if len(a) < 3:
        raise ValueError("A circular correlation needs at least three angles.")
    sines_a, sines_b = (np.sin(angle[:, None] - angle[None, :]) for angle in (a, b))
    norm = float(np.sqrt(np.square(sines_a).sum() * np.square(sines_b).sum()))
    if norm < 1e-12:
        raise ValueError("Angles that are all the same have no circular correlation.")
    return float((sines_a * sines_b).sum()) / norm
