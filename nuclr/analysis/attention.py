"""Has learned attention left its uniform start? A network whose attention stays uniform says nothing about attention."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def uniformity(weights: Array) -> float:
    """Mean distance of attention weights from uniform ones: 0 where all are equal, 1 - 1/k where each picks one of k tokens.

    weights: (..., k), which sum to 1 over the last axis; the mean is over all others (rows, layers, heads, queries). The
    distance is that of total variation, half the sum of the absolute differences from 1/k: the share of attention that would
    have to move to make it uniform. Raises ValueError for weights that do not sum to 1.
    """
    weights = np.asarray(weights, dtype=float)
    if not np.allclose(weights.sum(-1), 1, atol=1e-6):
        raise ValueError("Attention weights sum to 1 over the last axis.")
    return float(np.abs(weights - 1 / weights.shape[-1]).sum(-1).mean() / 2)
