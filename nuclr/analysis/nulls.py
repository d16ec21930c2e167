"""What structureless but smooth embeddings look like: the nulls that a measure of structure must beat.

Each null is a generator of (draws, k, d) arrays for k consecutive numbers in d dimensions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from nuclr.analysis.pca import leading

Array = NDArray[np.float64]


def random_walks(k: int, d: int, draws: int, seed: int) -> Array:
    """Independent random walks in every dimension."""
    return np.cumsum(np.random.default_rng(seed).standard_normal((draws, k, d)), axis=1)


def smooth_noise(k: int, d: int, width: float, line_share: float, draws: int, seed: int) -> Array:
    """White noise smoothed along the numbers with a Gaussian of standard deviation `width`, plus a straight line that
    carries the share `line_share` of the variance."""
    rng = np.random.default_rng(seed)
    # Smoothing and taking off the mean are linear along the numbers, so a small matrix does both at once.
    smooth = gaussian_filter1d(np.eye(k), width, axis=0)
    noise: Array = (smooth - smooth.mean(axis=0)) @ rng.standard_normal((draws, k, d))
    direction = rng.standard_normal((draws, 1, d))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    line = np.linspace(-1.0, 1.0, k)[:, None]
    power = np.einsum("rkd,rkd->r", noise, noise)[:, None, None]
    noise += line * (direction * np.sqrt(power / np.square(line).sum() * line_share / (1 - line_share)))
    return noise


def like(embedding: Array, draws: int, seed: int) -> Array:
    """Smooth noise matched to an embedding (k, d) of consecutive numbers: the same share of variance along a line, and a
    smoothing width at which neighbours correlate, about that line, as they do in the embedding."""
    k, d = embedding.shape
    t = np.linspace(-1.0, 1.0, k)
    line, _ = np.linalg.qr(np.stack([np.ones(k), t], axis=1))
    rest = embedding - line @ (line.T @ embedding)
    share = 1 - float(np.square(rest).sum() / np.square(embedding - embedding.mean(0)).sum())
    neighbours = float((rest[1:] * rest[:-1]).sum() / np.square(rest).sum())
    # White noise under a Gaussian of width s has a correlation of exp(-1 / 4 s^2) between neighbours.
    width = np.sqrt(-1 / (4 * np.log(np.clip(neighbours, 0.05, 0.999))))
    return smooth_noise(k, d, float(width), min(max(share, 0.0), 0.99), draws, seed)


def leading_axes(draws: Array, count: int = 3) -> list[Array]:
    """The first `count` principal coordinates of every draw: what a measure of an embedding is given."""
    return [leading(draw, count) for draw in draws]


def smooth_functions(z: NDArray[np.int64], n: NDArray[np.int64], width: float, draws: int, seed: int) -> Array:
    """Random smooth functions of (Z, N) at k nuclei: white noise on the chart under a Gaussian of `width`: (draws, k)."""
    rng = np.random.default_rng(seed)
    charts = rng.standard_normal((draws, int(z.max()) + 1, int(n.max()) + 1))
    return gaussian_filter(charts, (0, width, width))[:, z, n]
