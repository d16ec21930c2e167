"""Rank correlations on arrays where the answer is known."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from nuclr.analysis.ranks import percentile_interval, rank_correlation, rank_correlation_within

FRACTIONS = np.repeat(np.arange(9), 3)


def rho(rows):
    return rank_correlation(rows[..., 0], rows[..., 1])


def test_a_trend_whatever_its_shape_and_none():
    a = np.random.default_rng(0).standard_normal(27)
    assert rank_correlation(a, np.exp(3 * a)) == pytest.approx(1)
    assert rank_correlation(a, -(a**3)) == pytest.approx(-1)
    apart = [rank_correlation(*np.random.default_rng(seed).standard_normal((2, 27))) for seed in range(200)]
    assert abs(np.mean(apart)) < 0.05


def test_it_is_spearmans_also_with_ties_and_many_at_once():
    a, b = np.random.default_rng(1).integers(0, 6, (2, 40, 27))
    assert rank_correlation(a, b) == pytest.approx([spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)])


def test_what_a_third_thing_moves_is_gone_within_its_groups():
    rng = np.random.default_rng(2)
    a, b = 10 * FRACTIONS + rng.standard_normal(27), -10 * FRACTIONS + rng.standard_normal(27)
    assert rank_correlation(a, b) < -0.95
    assert abs(rank_correlation_within(a, b, FRACTIONS)) < 0.6
    shared = rng.standard_normal(27)
    assert rank_correlation_within(10 * FRACTIONS + shared, shared - 10 * FRACTIONS, FRACTIONS) == pytest.approx(1)


def test_the_interval_covers_no_trend_and_excludes_a_clear_one():
    rng = np.random.default_rng(3)
    ends = np.array([percentile_interval(rho, rng.standard_normal((27, 2)), 400, seed=0) for _ in range(200)])
    assert np.mean((ends[:, 0] > 0) | (ends[:, 1] < 0)) < 0.12
    assert np.all(ends[:, 0] < ends[:, 1])
    falling = np.stack([FRACTIONS + rng.standard_normal(27), -FRACTIONS], axis=1)
    assert (
        -1
        <= percentile_interval(rho, falling, 400, seed=0)[0]
        < percentile_interval(rho, falling, 400, seed=0)[1]
        < -0.5
    )


def test_a_constant_is_an_error():
    with pytest.raises(ValueError, match="constant"):
        rank_correlation(np.ones(9), np.arange(9))
    with pytest.raises(ValueError, match="constant"):
        rank_correlation_within(FRACTIONS, np.arange(27), FRACTIONS)
