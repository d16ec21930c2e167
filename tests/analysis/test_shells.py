"""Excess and kink at closed shells, on residuals made by hand."""

import numpy as np
import pytest

from nuclr.analysis.shells import excess_samples, kink_samples, smallest_difference, smallest_difference_interval

Z, N = (grid.ravel() for grid in np.meshgrid(np.arange(20, 100), np.arange(20, 140), indexing="ij"))
MAGIC = (20, 28, 50, 82, 126)


def test_a_bump_at_each_magic_number_is_found():
    bumps = 1000.0 * np.isin(N, (28, 50, 82))
    samples = excess_samples(bumps, N, MAGIC, (28, 50, 82))
    assert smallest_difference(samples) == pytest.approx(1000.0)
    assert smallest_difference(kink_samples(bumps, N, Z, (28, 50, 82))) == pytest.approx(1000.0)


def test_a_missing_bump_decides():
    bumps = 1000.0 * np.isin(N, (28, 82))
    assert smallest_difference(excess_samples(bumps, N, MAGIC, (28, 50, 82))) == 0.0


def test_a_linear_trend_is_no_kink():
    assert smallest_difference(kink_samples(7.0 * N + 3.0 * Z, N, Z, (28, 50))) == pytest.approx(0.0)


def test_pairing_is_no_kink():
    assert smallest_difference(kink_samples(500.0 * (N % 2), N, Z, (28, 50))) == pytest.approx(0.0)


def test_the_interval_holds_the_truth_and_shrinks_with_less_noise():
    rng = np.random.default_rng(0)
    widths = []
    for noise in (300.0, 30.0):
        residual = 1000.0 * np.isin(N, (28, 50, 82)) + noise * rng.standard_normal(len(N))
        low, high = smallest_difference_interval(excess_samples(residual, N, MAGIC, (28, 50, 82)), 500, seed=1)
        assert low < high < 1100
        widths.append(high - low)
    assert widths[1] < 0.3 * widths[0]


def test_numbers_without_nuclides_are_an_error():
    with pytest.raises(ValueError, match="No nuclides"):
        excess_samples(np.zeros(len(N)), N, (0, 5, 10), (5,))
    with pytest.raises(ValueError, match="either side"):
        excess_samples(np.zeros(len(N)), N, MAGIC, (126,))
    with pytest.raises(ValueError, match="No chain"):
        kink_samples(np.zeros(len(N)), N, Z, (139,))
