"""Order, parity and continuity of the embeddings of consecutive numbers (section 5.1 of the paper)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

Array = NDArray[np.float64]


def orderedness(values: Array) -> float:
    """Share of neighbours in the right order, max over the sign: 1 is perfectly ordered, about 0.5 is none.

    values: (k,), the coordinate of consecutive numbers along one direction. Raises ValueError below two values.
    """
    if len(values) < 2:
        raise ValueError("Orderedness needs at least two numbers.")
    rising = float(np.mean(np.diff(values) > 0))
    return max(rising, 1 - rising)


def parity_split(embedding: Array, numbers: NDArray[np.int64]) -> float:
    """R_P = 2 d(even, odd) / (d(even, even) + d(odd, odd)), d the mean pairwise L2 distance over distinct pairs.

    embedding: (k, d), numbers: (k,). 1 is no split, more is a split. Raises ValueError below two even or odd numbers.
    """
    even, odd = embedding[numbers % 2 == 0], embedding[numbers % 2 == 1]
    if min(len(even), len(odd)) < 2:
        raise ValueError("The parity split needs at least two even and two odd numbers.")
    return float(2 * cdist(even, odd).mean() / (pdist(even).mean() + pdist(odd).mean()))


def neighbour_distance(embedding: Array) -> float:
    """Mean distance of neighbours over the mean distance of all pairs: small where the embedding is continuous, 1 at random.

    embedding: (k, d) of consecutive numbers. Raises ValueError below three numbers.
    """
    if len(embedding) < 3:
        raise ValueError("Continuity needs at least three numbers.")
    steps = np.linalg.norm(np.diff(embedding, axis=0), axis=1)
    return float(steps.mean() / pdist(embedding).mean())
