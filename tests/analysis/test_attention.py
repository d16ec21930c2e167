"""How far attention weights are from uniform."""

import numpy as np
import pytest

from nuclr.analysis.attention import uniformity


def test_by_hand():
    assert uniformity(np.full((5, 2, 4, 3, 3), 1 / 3)) == pytest.approx(0, abs=1e-12)
    assert uniformity(np.eye(3)) == pytest.approx(2 / 3)
    assert uniformity([[0.5, 0.25, 0.25]]) == pytest.approx(1 / 6)  # a sixth of the attention has to move


def test_the_mean_is_over_rows_heads_and_layers():
    weights = np.full((2, 4, 3, 3), 1 / 3)
    weights[1, 2] = np.eye(3)  # one head of eight
    assert uniformity(weights) == pytest.approx(2 / 3 / 8)


def test_heads_that_attend_to_different_tokens_do_not_cancel():
    assert uniformity(np.eye(3)) > 0.6 > uniformity(np.eye(3).mean(0, keepdims=True))


@pytest.mark.parametrize("weights", [[[0.5, 0.5, 0.5]], [[0.2, 0.2, 0.2]], [[np.nan, 0.5, 0.5]]])
def test_what_does_not_sum_to_one_is_refused(weights):
    with pytest.raises(ValueError, match="sum to 1"):
        uniformity(weights)
