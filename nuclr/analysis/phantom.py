"""Is it more than phantom oscillation? PCA of any smooth noise gives cosines of 1/2, 1, 3/2 ... turns with shares that fall
like 1/i^2 (section 4.2; Shinn 2023), so that waves in principal components prove nothing by themselves.

An embedding is compared with smooth random walks of the same autocorrelation, in as many dimensions (or in fewer,
where the band is wider).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, idct
from scipy.optimize import isotonic_regression

Array = NDArray[np.float64]

COMPONENTS = 6
FEWEST = COMPONENTS  # dimensions of a walk


@dataclass(frozen=True)
class Portrait:
    """spectra (m, k): share of the power of each leading PC in the cosine of 0, 1/2, 1 ... turns over the numbers;
    share (m,) of the variance in each. Neither knows of signs, units, or rotations of the embedding."""

    spectra: Array
    share: Array


def portrait(embedding: Array) -> Portrait:
    """The portrait of an embedding (k, d) of consecutive numbers. Raises ValueError where it has too few dimensions or
    numbers, or is constant."""
    if min(embedding.shape) < FEWEST:
        raise ValueError(f"A portrait needs at least {FEWEST} numbers and dimensions: got {embedding.shape}.")
    centred = embedding - embedding.mean(0)
    # A thousand walks are portrayed, and few numbers have small Gram matrices, however many the dimensions.
    power, along = np.linalg.eigh(centred @ centred.T)
    if power[-1] == 0.0:
        raise ValueError("A constant embedding has no principal components.")
    strongest = np.arange(len(power))[: -COMPONENTS - 1 : -1]
    spectra = np.square(dct(along[:, strongest], axis=0, norm="ortho")).T
    return Portrait(spectra, power[strongest] / power.sum())


def walks_like(embedding: Array, dimensions: int, draws: int, seed: int) -> list[Array]:
    """Smooth random walks (k, dimensions) with the autocorrelation of an embedding (k, d), as nearly as noise can have it:
    the same power in cosines of 1/2, 1, 3/2 ... turns, but falling, since noise prefers no frequency.

    Were peaks kept, a process with the autocorrelation of a helix would be a helix: cosine and sine of one frequency.
    """
    power = np.square(dct(embedding, axis=0, norm="ortho")).sum(axis=1)[1:]
    amplitude = np.sqrt(isotonic_regression(power, increasing=False).x)[:, None]
    rng = np.random.default_rng(seed)
    walks = []
    for _ in range(draws):
        waves = rng.standard_normal((len(amplitude), dimensions))
        waves *= amplitude / np.linalg.norm(waves, axis=1, keepdims=True)
        walks.append(idct(np.vstack([np.zeros((1, dimensions)), waves]), axis=0, norm="ortho"))
    return walks


@dataclass(frozen=True)
class Distances:
    """How far a portrait is from the middle of a null: total variation in [0, 1], spectra averaged over the components."""

    spectrum: float
    variance: float


@dataclass(frozen=True)
class Band:
    """What walks of one kind look like: their mean portrait, and 95 % quantiles of the distances of walks from it."""

    middle: Portrait
    quantile: Distances

    def margins(self, found: Portrait) -> Distances:
        """How far beyond the band a portrait lies; negative inside."""
        here = _distances(found, self.middle)
        return Distances(here.spectrum - self.quantile.spectrum, here.variance - self.quantile.variance)


def band(embedding: Array, dimensions: int, draws: int, seed: int) -> Band:
    """The band of walks like an embedding (k, d), from `draws` walks for its middle and as many others for its width."""
    portraits = [portrait(walk) for walk in walks_like(embedding, dimensions, 2 * draws, seed)]
    first, others = portraits[:draws], portraits[draws:]
    middle = Portrait(np.mean([p.spectra for p in first], axis=0), np.mean([p.share for p in first], axis=0))
    distances = [_distances(other, middle) for other in others]
    return Band(
        middle,
        Distances(
            float(np.quantile([d.spectrum for d in distances], 0.95)),
            float(np.quantile([d.variance for d in distances], 0.95)),
        ),
    )


def _distances(one: Portrait, other: Portrait) -> Distances:
    return Distances(
        float(np.abs(one.spectra - other.spectra).sum(axis=1).mean() / 2),
        float(np.abs(one.share - other.share).sum() / 2),
    )
