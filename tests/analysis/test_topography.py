"""Points move along the components they should, and angles that go together are told from those that do not."""

import numpy as np
import pytest

from nuclr.analysis import topography
from nuclr.analysis.pca import components


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    return components(rng.standard_normal((50, 6)) * [6, 5, 4, 3, 2, 1] + 3.0)


def test_only_the_chosen_components_move(found):
    coordinates = topography.grid(np.array([-1.0, 0.5]), np.array([2.0, 3.0, 4.0]))
    moved = topography.points(found, (1, 3), coordinates)
    expected = np.zeros((6, 6))
    expected[:, [1, 3]] = [[-1, 2], [-1, 3], [-1, 4], [0.5, 2], [0.5, 3], [0.5, 4]]
    np.testing.assert_allclose(found.project(moved), expected, atol=1e-12)


def test_the_own_range_is_that_of_the_embedding():
    np.testing.assert_allclose(topography.own_range(np.array([3.0, -1.0, 2.0]), 5), [-1, 0, 1, 2, 3])


def test_a_maximum_on_the_ring_is_found_where_it_was_planted(found):
    angles, coordinates = topography.ring(2.0, steps=360)
    np.testing.assert_allclose(np.linalg.norm(coordinates, axis=1), 2.0)
    peak = np.deg2rad(75.0)
    uphill = np.cos(peak) * found.directions[1] + np.sin(peak) * found.directions[2]
    height = topography.points(found, (1, 2), coordinates) @ uphill
    assert angles[height.argmax()] == pytest.approx(peak)


def test_angles_that_go_together_wherever_they_are_counted_from():
    a = np.linspace(0.0, 4 * np.pi, 80)
    noise = np.random.default_rng(0).normal(0.0, 0.2, 80)
    assert topography.circular_correlation(a, a + 1.0) == pytest.approx(1.0)
    assert topography.circular_correlation(a, a + 2 * np.pi * np.arange(80)) == pytest.approx(1.0)
    assert topography.circular_correlation(a, a + noise) > 0.85
    assert topography.circular_correlation(a, -a) == pytest.approx(-1.0)
    assert topography.circular_correlation(-a, -a - noise) > 0.85


def test_angles_that_do_not():
    a = np.linspace(0.0, 4 * np.pi, 80)
    rng = np.random.default_rng(1)
    shuffled = [abs(topography.circular_correlation(a, rng.permutation(a))) for _ in range(50)]
    assert np.quantile(shuffled, 0.95) < 0.3
    assert abs(topography.circular_correlation(a, 2 * a)) < 0.05
    assert abs(topography.circular_correlation(a, 0.3 * rng.standard_normal(80))) < 0.3


@pytest.mark.parametrize(
    ("a", "b", "message"), [([0.0, 1.0], [0.0, 1.0], "three"), ([1.0, 1.0, 1.0], [0.0, 1.0, 2.0], "same")]
)
def test_no_correlation_is_an_error(a, b, message):
    with pytest.raises(ValueError, match=message):
        topography.circular_correlation(np.array(a), np.array(b))
