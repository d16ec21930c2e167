"""Circles through residues, and addition by slices: planted ones are found, others are not, and no arbitrary choice counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuclr.analysis import modular
from nuclr.analysis.pca import components

P, D = 31, 20


def planted(turns=(5,), radii=(1.0,), noise=0.0, p=P, d=D, seed=0):
    """Embeddings (p, d) with a circle of each number of turns in planes at right angles."""
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.standard_normal((d, 2 * len(turns))))
    angles = 2 * np.pi * np.outer(np.arange(p), turns) / p + rng.uniform(0, 2 * np.pi, len(turns))
    waves = np.stack([np.cos(angles), np.sin(angles)], axis=2) * np.array(radii)[:, None]
    return waves.reshape(p, -1) @ basis.T + rng.standard_normal(d) + noise * rng.standard_normal((p, d))


def right(planes):
    return float((modular.answers(planes) == modular.sums(len(planes[0].points))).mean())


def test_a_planted_circle_is_found_and_adds():
    found = modular.best_plane(planted())
    assert found.r2 == pytest.approx(1)
    assert found.turns in (5, P - 5)
    assert found.axes == (0, 1)
    assert found.share == pytest.approx(1)
    assert right([found]) == 1


@given(
    st.integers(1, P - 1),
    st.floats(0, 2 * np.pi),
    st.sampled_from([-1.0, 1.0]),
    st.floats(0.1, 10),
    st.integers(0, 2**31),
)
def test_rotation_sign_and_scale_of_the_plane_do_not_count(turns, angle, sign, scale, seed):
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * turns * np.arange(P) / P
    plane = np.stack([np.cos(angles), np.sin(angles)], axis=1) + 0.1 * rng.standard_normal((P, 2))
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    first, second = modular.circle(plane), modular.circle(scale * plane @ turned * [1, sign] + 3.0)
    assert second.r2 == pytest.approx(first.r2)
    assert second.turns == (first.turns if sign > 0 else P - first.turns)
    assert (modular.answers([second]) == modular.answers([first])).all()


def test_a_rotated_embedding_has_the_same_circle():
    embedding = planted((3, 7), (1.0, 0.6), noise=0.05)
    turned, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((D, D)))
    assert modular.best_plane(embedding @ turned).r2 == pytest.approx(modular.best_plane(embedding).r2)
    for one, other in zip(modular.circles(embedding), modular.circles(embedding @ turned), strict=True):
        assert (other.r2, other.share) == pytest.approx((one.r2, one.share))


def test_shuffled_residues_lie_on_no_circle_and_do_not_add():
    shuffled = planted()[np.random.default_rng(2).permutation(P)]
    assert modular.best_plane(shuffled).r2 < 0.5
    assert right([modular.best_plane(shuffled)]) < 0.3


def test_neither_noise_nor_a_line_nor_an_ellipse_is_a_circle():
    rng = np.random.default_rng(3)
    assert modular.best_plane(rng.standard_normal((P, D))).r2 < 0.5
    line = np.outer(np.arange(P), rng.standard_normal(D)) + 0.01 * rng.standard_normal((P, D))
    assert modular.best_plane(line).r2 < 0.7
    angles = 2 * np.pi * np.arange(P) / P
    flat = np.stack([np.cos(angles), np.zeros(P)], axis=1)
    assert modular.circle(flat).r2 == pytest.approx(0.5)


def test_r2_is_the_share_of_the_variance_that_noise_leaves():
    noise = 0.2
    angles = 2 * np.pi * 4 * np.arange(P) / P
    rng = np.random.default_rng(4)
    found = [
        modular.circle(np.stack([np.cos(angles), np.sin(angles)], axis=1) + noise * rng.standard_normal((P, 2))).r2
        for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(1 / (1 + 2 * noise**2), abs=0.01)


def test_a_circle_of_next_to_no_size_does_not_count():
    rng = np.random.default_rng(5)
    basis, _ = np.linalg.qr(rng.standard_normal((D, D)))
    tiny = planted(radii=(1e-3,)) - planted(radii=(1e-3,)).mean(0)
    noise = rng.standard_normal((P, 8)) @ basis[:8]
    embedding = noise + (tiny @ basis.T) @ np.diag([0.0] * 8 + [1.0] * (D - 8)) @ basis
    found = modular.best_plane(embedding)
    assert found.r2 < 0.6
    assert max(found.axes) < 8


def test_two_equal_circles_may_be_mixed_by_the_components_but_not_by_frequency():
    embedding = planted((3, 7), (1.0, 1.0), noise=1e-3)
    found = modular.circles(embedding)
    assert [circle.turns for circle in found] == [3, 7]
    assert min(circle.r2 for circle in found) > 0.999
    assert sum(circle.share for circle in found) == pytest.approx(1, abs=1e-3)
    assert modular.circle(components(embedding).project(embedding, 2)).r2 < 0.95


def test_several_frequencies_add_where_noise_blurs_the_slices_of_one():
    embedding = planted((2, 5, 9), (1.0, 0.9, 0.8), noise=0.06, p=53, d=64)
    alone, together = right([modular.best_plane(embedding)]), right(modular.circles(embedding))
    assert alone < 0.5
    assert together > 0.95


def test_a_random_plane_hardly_adds():
    embedding = planted((2, 5, 9), (1.0, 0.9, 0.8), noise=0.01)
    assert np.mean([right([modular.random_plane(embedding, seed)]) for seed in range(20)]) < 0.3
    plane = modular.random_plane(embedding, 0)
    assert 0 < plane.share < 1


def test_agreement_counts_only_what_the_network_gets_right():
    sums = modular.sums(5)
    assert sums[3, 4] == 2
    network = sums.copy()
    network[0] = (network[0] + 1) % 5
    assert modular.agreement(sums, network) == 1
    assert modular.agreement(network, network) == 1
    half = sums.copy()
    half[1:3] = (half[1:3] + 1) % 5
    assert modular.agreement(half, network) == 0.5
    with pytest.raises(ValueError, match="no sum right"):
        modular.agreement(sums, (sums + 1) % 5)


def test_points_that_are_one_have_no_circle():
    with pytest.raises(ValueError, match="one point"):
        modular.circle(np.ones((P, 2)))
