"""Waves in the embeddings of consecutive numbers, as the NuCLR-MechInterp project asks for; parity is the fastest of them.

A wave of frequency f has f turns from a number to the next: 1/2 alternates between even and odd.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

ALTERNATING = 0.5
BESIDE = np.linspace(0.3, 0.45, 61)  # frequencies beside that of parity, past what a Hann window of 100 numbers smears


def detrended(embedding: Array) -> Array:
    """What a straight line through the embeddings (k, d) of consecutive numbers leaves: (k, d)."""
    t = np.arange(len(embedding), dtype=np.float64)
    line, _ = np.linalg.qr(np.stack([np.ones_like(t), t], axis=1))
    rest: Array = embedding - line @ (line.T @ embedding)
    return rest


def power(embedding: Array, frequencies: ArrayLike) -> Array:
    """Power (m,) of the waves of these frequencies (m,) in embeddings (k, d) of consecutive numbers, summed over the dimensions:
    1 at every frequency for white noise of the same variance.

    About a straight line and under a Hann window, so that a strong slow wave does not spill over into fast ones.
    """
    k = len(embedding)
    window = np.hanning(k + 2)[1:-1]
    turns = np.asarray(frequencies, dtype=np.float64)[:, None] * np.arange(k)
    found = np.square(np.abs((window * np.exp(-2j * np.pi * turns)) @ detrended(embedding))).sum(axis=1)
    return np.asarray(found / (np.square(window).sum() * np.var(embedding, axis=0).sum()))


def alternation(embedding: Array) -> float:
    """How far parity stands out: the power of the alternating wave over the median of those BESIDE it. About 1 for none.

    embedding: (k, d) of consecutive numbers. Raises ValueError below 40 numbers, which do not tell those waves apart.
    """
    if len(embedding) < 40:
        raise ValueError("The alternating wave does not stand apart from its neighbours in fewer than 40 numbers.")
    (there,) = power(embedding, [ALTERNATING])
    return float(there / np.median(power(embedding, BESIDE)))


def without_wave(embedding: Array, frequency: float) -> Array:
    """The embeddings (k, d) of consecutive numbers less their best wave of a frequency, fitted about a straight line: (k, d)."""
    turns = 2 * np.pi * frequency * np.arange(len(embedding))
    wave = np.cos(turns)[:, None] if frequency == ALTERNATING else np.stack([np.cos(turns), np.sin(turns)], axis=1)
    window = np.sqrt(np.hanning(len(embedding) + 2)[1:-1])[:, None]
    weights = np.linalg.lstsq(window * wave, window * detrended(embedding), rcond=None)[0]
    rest: Array = embedding - wave @ weights
    return rest
