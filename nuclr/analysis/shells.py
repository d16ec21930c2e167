"""What the liquid drop leaves over at closed shells: residuals data - formula around magic numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Samples = list[tuple[Array, Array]]


def excess_samples(residual: Array, number: Numbers, magic: Sequence[int], at: Sequence[int]) -> Samples:
    """For each number in `at` (members of `magic`): the residuals there, and those in the two adjoining mid-shells.

    residual and number: (k,). Mid-shell: within one nucleon of half way to the next magic number on either side.
    Raises ValueError where a number or its mid-shells hold no nuclide.
    """
    samples = []
    for closed in at:
        index = list(magic).index(closed)
        if not 0 < index < len(magic) - 1:
            raise ValueError(f"{closed} needs a magic number on either side, for its mid-shells.")
        middles = [(magic[index - 1] + closed) / 2, (closed + magic[index + 1]) / 2]
        between = np.min([np.abs(number - middle) for middle in middles], axis=0) <= 1
        if not (number == closed).any() or not between.any():
            raise ValueError(f"No nuclides at {closed} or in its mid-shells.")
        samples.append((residual[number == closed], residual[between]))
    return samples


def kink_samples(residual: Array, number: Numbers, other: Numbers, at: Sequence[int]) -> Samples:
    """For each number in `at`: by how much the residual there exceeds the mean at its even neighbours in the same chain.

    number: (k,) counts along the chain, other: (k,) names it (Z for isotopes, N for isotones). The neighbours are two
    nucleons away, so that pairing drops out. The differences are taken within each chain, whose three nuclides belong
    together; beside them stands 0. Raises ValueError where no chain has all three.
    """
    value = {(a, b): r for a, b, r in zip(number.tolist(), other.tolist(), residual.tolist(), strict=True)}
    samples = []
    for closed in at:
        kinks = [
            there - (value[closed - 2, chain] + value[closed + 2, chain]) / 2
            for (position, chain), there in value.items()
            if position == closed and (closed - 2, chain) in value and (closed + 2, chain) in value
        ]
        if not kinks:
            raise ValueError(f"No chain has nuclides at {closed} and two nucleons to either side.")
        samples.append((np.array(kinks), np.zeros(1)))
    return samples


def smallest_difference(samples: Samples) -> float:
    """The smallest, over the numbers, of mean there minus mean beside."""
    return min(float(there.mean() - beside.mean()) for there, beside in samples)


def smallest_difference_interval(samples: Samples, draws: int, seed: int) -> tuple[float, float]:
    """95 % percentile bootstrap interval of `smallest_difference`, nuclides resampled at each number and beside it."""
    rng = np.random.default_rng(seed)

    def means(values: Array) -> Array:
        return values[rng.integers(len(values), size=(draws, len(values)))].mean(axis=1)

    smallest = np.min([means(there) - means(beside) for there, beside in samples], axis=0)
    low, high = np.quantile(smallest, [0.025, 0.975])
    return float(low), float(high)
