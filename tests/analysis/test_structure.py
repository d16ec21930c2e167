"""Order, parity and continuity on arrays where the answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group

from nuclr.analysis.pca import leading
from nuclr.analysis.structure import neighbour_distance, orderedness, parity_split

NUMBERS = np.arange(1, 119)
seeds = st.integers(0, 10_000)


def test_order_of_what_is_ordered_reversed_and_shuffled():
    line = np.linspace(0, 1, 118)
    assert orderedness(line) == orderedness(-line) == 1.0
    swapped = line.copy()
    swapped[[10, 11]] = swapped[[11, 10]]
    assert orderedness(swapped) == pytest.approx(116 / 117)
    shuffled = [orderedness(np.random.default_rng(seed).standard_normal(118)) for seed in range(50)]
    assert 0.5 <= np.mean(shuffled) < 0.6


def test_parity_split_of_two_clouds():
    embedding = np.random.default_rng(0).standard_normal((118, 8)) * 0.01
    embedding[NUMBERS % 2 == 0, 0] += 1.0
    assert parity_split(embedding, NUMBERS) > 20
    assert parity_split(np.random.default_rng(1).standard_normal((118, 8)), NUMBERS) == pytest.approx(1.0, abs=0.03)


def test_parity_split_by_hand():
    # Even numbers at 0 and 2, odd ones at 1 and 3: between the kinds 1, 1, 1, 3; within them 2 and 2.
    assert parity_split(np.array([[0.0], [1.0], [2.0], [3.0]]), np.arange(4)) == pytest.approx(2 * 1.5 / (2 + 2))


def test_a_line_lowers_the_parity_split_and_that_of_pairs_alike():
    line = NUMBERS[:, None]
    assert parity_split(line, NUMBERS) < 0.985
    assert parity_split(line, NUMBERS) == pytest.approx(parity_split(line, NUMBERS // 2), abs=0.001)
    split = np.concatenate([line, 20 * (NUMBERS[:, None] % 2)], axis=1)
    assert parity_split(split, NUMBERS) - parity_split(split, NUMBERS // 2) > 0.05


@given(seeds, st.floats(0.1, 10))
def test_parity_and_continuity_ignore_rotation_scale_and_shift(seed, scale):
    embedding = np.random.default_rng(seed).standard_normal((118, 5))
    moved = scale * embedding @ ortho_group.rvs(5, random_state=seed) + 3.0
    assert parity_split(moved, NUMBERS) == pytest.approx(parity_split(embedding, NUMBERS))
    assert neighbour_distance(moved) == pytest.approx(neighbour_distance(embedding))


def test_a_line_is_continuous_and_noise_is_not():
    assert neighbour_distance(np.linspace(0, 1, 118)[:, None]) < 0.03
    assert neighbour_distance(np.random.default_rng(0).standard_normal((118, 32))) == pytest.approx(1.0, abs=0.03)


def test_leading_components_see_a_curve_through_noise_in_many_dimensions():
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, 118)
    curve = np.stack([4 * t, np.cos(3 * t), np.sin(5 * t)], axis=1) @ rng.standard_normal((3, 128)) / 11
    noise = rng.uniform(-0.18, 0.18, (118, 128))
    assert neighbour_distance(curve + noise) > 0.5
    assert neighbour_distance(leading(curve + noise, 3)) < 0.25
    assert neighbour_distance(leading(noise, 3)) > 0.8


def test_too_few_numbers_are_an_error():
    for measure in (orderedness, neighbour_distance):
        with pytest.raises(ValueError, match="at least"):
            measure(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="two even and two odd"):
        parity_split(np.zeros((3, 2)), np.arange(3))
