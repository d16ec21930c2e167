"""Rank correlations between runs: how two readings go together, also where a third thing moves both."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]


def rank_correlation(a: ArrayLike, b: ArrayLike) -> Array:
    """Spearman's rho along the last axis of a and b (..., k): (...). Ties share their mean rank.

    Raises ValueError where either is constant: it has no order.
    """
    return _correlation(*(rankdata(values, axis=-1) for values in (a, b)))


def rank_correlation_within(a: ArrayLike, b: ArrayLike, group: ArrayLike) -> float:
    """Correlation of the ranks of a and b (k,) less their means in each group (k,): what is left of rho where groups, which
    move both, are held fixed. Raises ValueError where either is constant in every group."""
    _, index = np.unique(group, return_inverse=True)
    count = np.bincount(index)
    ranks = (rankdata(values) for values in (a, b))
    return float(_correlation(*(rank - (np.bincount(index, rank) / count)[index] for rank in ranks)))


def percentile_interval(
    statistic: Callable[[Array], Array], rows: ArrayLike, draws: int, seed: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic of the rows (k, m), which are drawn together.

    statistic maps (draws, k, m) to (draws,) at once: many intervals, as those of a control, then cost little.
    """
    table = np.asarray(rows, dtype=float)
    chosen = np.random.default_rng(seed).integers(len(table), size=(draws, len(table)))
    low, high = np.quantile(statistic(table[chosen]), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _correlation(x: Array, y: Array) -> Array:
    x, y = (v - v.mean(axis=-1, keepdims=True) for v in (x, y))
    norm = np.sqrt(np.square(x).sum(axis=-1) * np.square(y).sum(axis=-1))
    if np.any(norm <= 1e-9 * x.shape[-1]):  # ranks are of the order of k
        raise ValueError("A constant has no order: its rank correlation is undefined.")
    return np.asarray((x * y).sum(axis=-1) / norm)
