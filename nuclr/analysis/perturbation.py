"""Refeed a changed helix (Appendix A, figures 13 and 15): where along it the output is read, and what is read off.

A chain is one turn of the fitted helix, sampled finely, with a margin on both sides. What depends on the angle alone goes
through exactly one period on it: its mean does not move when the phase is rotated, it has one arc, and two at twice the
frequency. On a part of a turn, or on a turn and a half, where the chain happens to end would decide how many arcs it has.

Signs and rotations of the components do not matter: the helix is fitted in the frame into which it is fed back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import find_peaks

from nuclr.analysis.helix import Helix
from nuclr.analysis.pca import Components
from nuclr.analysis.ranks import rank_correlation

Array = NDArray[np.float64]

STEPS = 48  # samples of a turn
MARGIN = 12  # samples on either side, a quarter of a turn: a maximum at the very end of the turn is one
TURN = slice(MARGIN, MARGIN + STEPS)
LEAST_ARC = 0.1  # of the chain's own range: what rises less over its surroundings is a ripple
LEAST_GROWTH = 0.01


def one_turn(fitted: Helix, middle: float) -> Array:
    """Places t (STEPS + 2 MARGIN,) along one turn of the fitted helix about t = middle, and a quarter of a turn beyond; the
    length of the whole fit in place of a turn where the fit makes less than one."""
    return middle + (np.arange(-MARGIN, STEPS + MARGIN) / STEPS - 0.5) / max(fitted.turns, 1.0)


def refed(basis: Components, fitted: Helix, t: Array, rest: Array | None = None, **change: Any) -> Array:
    """Embeddings (m, d) on the helix at t (m,), changed as `Helix.points` says, along the first three components of
    `basis`; along the others the mean of all numbers, or `rest` (m, d), see `own_rest`."""
    flat = basis.mean + fitted.points(t, **change) @ basis.directions[:3]
    return flat if rest is None else flat + rest


def own_rest(embedding: Array, basis: Components, places: Array) -> Array:
    """What embeddings (k, d) have beyond their mean and first three components, at `places` (m,) counted in rows from 0,
    interpolated linearly between numbers and, beyond the first and the last, theirs: (m, d)."""
    beyond, places = embedding - basis.keep(embedding, 3), np.clip(places, 0, len(embedding) - 1)
    below = np.minimum(places.astype(int), len(embedding) - 2)
    share = (places - below)[:, None]
    return (1 - share) * beyond[below] + share * beyond[below + 1]


def mean_shift(before: Array, after: Array) -> float:
    """Mean change of the outputs, chains (c, STEPS + 2 MARGIN), over their turns."""
    return float((after - before)[:, TURN].mean())


def shape_change(before: Array, after: Array) -> float:
    """What of the change of the outputs (c, STEPS + 2 MARGIN) is no constant: its standard deviation along a turn, mean
    over the chains."""
    return float((after - before)[:, TURN].std(axis=1).mean())


def offset_share(shifts: ArrayLike, shapes: ArrayLike) -> float:
    """Mean size of the shifts over the mean change of shape, both (k,). 0 where the output does not shift at all; raises
    ValueError where it shifts and keeps its shape to the last digit, for which there is no number."""
    shift, shape = float(np.abs(np.asarray(shifts)).mean()), float(np.asarray(shapes).mean())
    if shift == 0.0:
        return 0.0
    if shape == 0.0:
        raise ValueError("An output that shifts without any change of shape has no finite share.")
    return shift / shape


def tops(output: Array) -> NDArray[np.int64]:
    """Samples (c,) of the largest output on the turn of each chain (c, STEPS + 2 MARGIN)."""
    highest: NDArray[np.int64] = TURN.start + output[:, TURN].argmax(axis=1)
    return highest


def sharpness(output: Array, top: NDArray[np.int64], spacing: float) -> float:
    """Mean curvature of the arcs of the outputs (c, STEPS + 2 MARGIN), samples `spacing` numbers apart: what the slope loses
    over the half turn about each `top` (c,), per number. Unit of the output per number squared; negative for a trough.

    About the tops of the fitted helix it says what becomes of its arcs; ripples, which the slope gains and loses, do not
    count.
    """
    slope, chains = np.diff(output, axis=1) / spacing, np.arange(len(output))
    rise, fall = slope[chains, top - MARGIN], slope[chains, top + MARGIN - 1]
    return float((rise - fall).mean()) / ((2 * MARGIN - 1) * spacing)


def arcs(output: Array) -> int:
    """How many maxima the outputs (c, STEPS + 2 MARGIN) have on their turns, all chains together."""
    return sum(_arcs(chain) for chain in output)


def _arcs(chain: Array) -> int:
    height = float(np.ptp(chain[TURN]))
    if height == 0.0:
        return 0
    peaks, _ = find_peaks(chain, prominence=LEAST_ARC * height)
    return int(np.count_nonzero((peaks >= TURN.start) & (peaks < TURN.stop)))


def arc_ratio(doubled: int, fitted: int) -> float:
    """Arcs at twice the frequency over those at the fitted one. 0 where there is no arc that could have become two."""
    return doubled / fitted if fitted else 0.0


def growth(strengths: ArrayLike, responses: ArrayLike) -> float:
    """Spearman's rho of the strength of a change and the response to it, both (k,). 0 where the response stays within a
    hundredth of its own size: that is no growth, however orderly."""
    size = float(np.abs(np.asarray(responses)).max())
    return 0.0 if np.ptp(responses) <= LEAST_GROWTH * size else float(rank_correlation(strengths, responses))
