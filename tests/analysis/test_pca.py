"""Principal components against an eigendecomposition, and what must not depend on their sign."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuclr.analysis.pca import components, cosine, cosines, leading, random_directions

seeds = st.integers(0, 10_000)


@given(seeds)
def test_components_are_those_of_the_covariance(seed):
    x = np.random.default_rng(seed).standard_normal((40, 6)) * [6, 5, 4, 3, 2, 1]
    found = components(x)
    values, vectors = np.linalg.eigh(np.cov(x.T))
    assert found.share == pytest.approx(values[::-1] / values.sum())
    assert np.abs(np.einsum("ij,ji->i", found.directions, vectors[:, ::-1])) == pytest.approx(np.ones(6))


@given(seeds)
def test_fewer_points_than_dimensions_have_as_many_components(seed):
    x = np.random.default_rng(seed).standard_normal((6, 40)).cumsum(0)
    found = components(x)
    assert found.directions @ found.directions.T == pytest.approx(np.eye(6), abs=1e-12)
    assert found.share == pytest.approx(found.project(x).var(0) / x.var(0).sum(), abs=1e-12)
    assert (np.diff(found.share) <= 0).all()


def test_points_in_a_plane_have_two_components_and_no_share_below_zero():
    rng = np.random.default_rng(0)
    found = components(rng.standard_normal((300, 2)) @ rng.standard_normal((2, 50)) + 1e3)
    assert found.share[:2].sum() == pytest.approx(1.0)
    assert (found.share >= 0).all()
    assert found.directions @ found.directions.T == pytest.approx(np.eye(50), abs=1e-12)


@given(seeds)
def test_leading_coordinates_are_those_of_all_components_up_to_sign(seed):
    x = np.random.default_rng(seed).standard_normal((40, 20)).cumsum(0)
    assert np.abs(leading(x, 3)) == pytest.approx(np.abs(components(x).project(x, 3)), abs=1e-6)


def test_keeping_every_component_changes_nothing_and_keeping_none_leaves_the_mean():
    x = np.random.default_rng(0).standard_normal((30, 5))
    found = components(x)
    assert found.keep(x, 5) == pytest.approx(x)
    assert found.keep(x, 0) == pytest.approx(np.tile(x.mean(0), (30, 1)))


def test_random_directions_are_orthonormal():
    found = random_directions(components(np.random.default_rng(0).standard_normal((30, 8))), seed=1)
    assert found.directions @ found.directions.T == pytest.approx(np.eye(8), abs=1e-12)


@given(seeds, st.floats(-5, 5).filter(lambda c: abs(c) > 1e-3), st.floats(-5, 5))
def test_cosine_ignores_shift_and_scale(seed, scale, shift):
    a, b = np.random.default_rng(seed).standard_normal((2, 20))
    assert abs(cosine(a * scale + shift, b)) == pytest.approx(abs(np.corrcoef(a, b)[0, 1]))


def test_cosines_pair_every_column_with_every_term():
    rng = np.random.default_rng(0)
    table = cosines(rng.standard_normal((50, 3)), rng.standard_normal((50, 4)))
    assert table.shape == (3, 4)


def test_what_has_no_direction_is_an_error_and_not_a_number():
    with pytest.raises(ValueError, match="constant"):
        cosine(np.ones(5), np.arange(5.0))
    with pytest.raises(ValueError, match="finite"):
        components(np.array([[1.0, np.nan], [0.0, 1.0]]))
