"""The largest of several ratios and its interval, either way round."""

import numpy as np
import pytest

from nuclr.analysis.ratios import largest_ratio


def test_by_hand():
    # 1.1 (1.0 to 1.21) and one half (0.4 to 0.625): the second is further from 1, and is 1 / 0.625 away for certain.
    value, interval = largest_ratio(*np.log([[1.1, 0.5], [1.0, 0.4], [1.21, 0.625]]))
    assert value == pytest.approx(2.0)
    assert interval == pytest.approx((1.6, 2.5))


def test_either_way_round_is_the_same():
    logs, lows, highs = np.array([0.3, -0.1]), np.array([0.1, -0.3]), np.array([0.5, 0.1])
    assert largest_ratio(logs, lows, highs) == largest_ratio(-logs, -highs, -lows)


def test_an_interval_around_one_is_certain_of_nothing():
    value, (low, high) = largest_ratio(np.array([0.05]), np.array([-0.4]), np.array([0.5]))
    assert value == pytest.approx(np.exp(0.05))
    assert (low, high) == pytest.approx((1.0, np.exp(0.5)))


def test_a_noisy_ratio_widens_the_interval_and_not_the_estimate():
    quiet = largest_ratio(np.array([0.1, 0.0]), np.array([0.0, -0.1]), np.array([0.2, 0.1]))
    noisy = largest_ratio(np.array([0.1, 0.0]), np.array([0.0, -0.9]), np.array([0.2, 0.9]))
    assert noisy[0] == quiet[0]
    assert noisy[1][1] > quiet[1][1]


@pytest.mark.parametrize("logs", [[], [2.0], [float("nan")]])
def test_what_is_no_interval_is_an_error(logs):
    with pytest.raises(ValueError, match="inside its interval"):
        largest_ratio(np.array(logs), np.zeros(len(logs)), np.ones(len(logs)))
