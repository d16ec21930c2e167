"""How far, at most, do several errors lie from the one that they are compared with? For statements that errors are similar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def largest_ratio(logs: Array, lows: Array, highs: Array) -> tuple[float, tuple[float, float]]:
    """The largest of several ratios, either way round, so at least 1; and its interval.

    logs, lows, highs: (m,), the logarithm of each ratio and the ends of its interval. All ratios are similar only where
    each one is: the upper end is the end furthest from 1 of any, and needs no correction for their number; the lower end is
    the largest that some ratio has for certain. Logarithms are averaged over seeds before this, since the largest of noisy
    ratios grows with the noise. Raises ValueError for none, and for an interval without its estimate.
    """
    logs, lows, highs = (np.asarray(x, dtype=float) for x in (logs, lows, highs))
    if not len(logs) or not ((lows <= logs) & (logs <= highs)).all():
        raise ValueError("The largest ratio needs ratios, each inside its interval.")
    certain = np.max([np.zeros_like(logs), lows, -highs], axis=0)
    value, low, high = (float(np.exp(np.max(x))) for x in (np.abs(logs), certain, np.abs([lows, highs])))
    return value, (low, high)
