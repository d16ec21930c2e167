"""Likeness of representations: what rotation hides is found, what differs is told from noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.stats import ortho_group

from nuclr.analysis.pca import leading
from nuclr.analysis.similarity import cka, distances, procrustes_distance, separation, separation_of_halves

seeds = st.integers(0, 10_000)
T = np.linspace(0, 1, 118)
HELIX = np.stack([6 * T, np.cos(25 * T), np.sin(25 * T)], axis=1)
ARC = np.stack([6 * T, np.cos(6 * T), np.sin(9 * T)], axis=1)


def noisy(shape, noise, seed, width=128):
    """The shape turned into `width` dimensions, with noise in all of them; its ten leading components."""
    rng = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(rng.standard_normal((width, shape.shape[1])))
    return leading(shape @ directions.T + noise * rng.standard_normal((len(shape), width)) / np.sqrt(width), 10)


def compared(first, second):
    return (
        distances(first, first, procrustes_distance),
        distances(second, second, procrustes_distance),
        distances(first, second, procrustes_distance),
    )


@given(seeds, st.floats(0.1, 10))
def test_rotation_scale_and_shift_do_not_matter(seed, scale):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 40, 6))
    moved = scale * x @ ortho_group.rvs(6, random_state=seed) + 3.0
    assert procrustes_distance(x, moved) < 1e-6
    assert cka(x, moved) == pytest.approx(1.0)
    assert procrustes_distance(moved, y) == pytest.approx(procrustes_distance(y, x))
    assert cka(moved, y) == pytest.approx(cka(y, x))


@given(seeds)
def test_the_distance_is_that_of_scipy(seed):
    x, y = np.random.default_rng(seed).standard_normal((2, 30, 4))
    assert procrustes_distance(x, y) ** 2 == pytest.approx(procrustes(x, y)[2])


def test_shapes_without_anything_in_common():
    x, y = np.zeros((2, 4, 2))
    x[:, 0], y[:, 1] = [1, -1, 1, -1], [1, 1, -1, -1]
    assert procrustes_distance(x, y) == pytest.approx(1.0)
    assert cka(x, y) == pytest.approx(0.0)


def test_a_shape_is_found_again_through_noise():
    helices = [noisy(HELIX, 0.5, seed) for seed in range(2)]
    assert procrustes_distance(*helices) < procrustes_distance(helices[0], noisy(ARC, 0.5, 9)) - 0.1
    assert cka(*helices) > cka(helices[0], noisy(ARC, 0.5, 9))


def test_two_kinds_are_told_apart():
    kinds = [noisy(HELIX, 0.5, seed) for seed in range(3)], [noisy(ARC, 0.5, seed) for seed in range(10, 13)]
    assert (separation(*compared(*kinds)) > 1.2).all()


@pytest.mark.parametrize("noise", [0.5, 3.0])
def test_one_kind_is_not_told_from_itself_nor_from_a_noisier_one(noise):
    kinds = [noisy(HELIX, 0.5, seed) for seed in range(3)], [noisy(HELIX, noise, seed) for seed in range(10, 13)]
    assert (separation(*compared(*kinds)) < 1).all()


def test_seeds_of_one_kind_split_in_two():
    alike = [noisy(HELIX, 0.5, seed) for seed in range(3)]
    assert 0.9 < separation_of_halves(distances(alike, alike, procrustes_distance)) < 1
    grouped = [*alike[:2], noisy(ARC, 0.5, 9)]
    assert separation_of_halves(distances(grouped, grouped, procrustes_distance)) > 1


def test_the_same_seed_is_never_compared_with_itself():
    across = np.full((3, 3), 2.0)
    np.fill_diagonal(across, 0.0)
    within = np.ones((3, 3)) - np.eye(3)
    assert separation(within, within / 2, across) == pytest.approx([2.0] * 3)


def test_what_cannot_be_compared_is_an_error():
    for measure in (procrustes_distance, cka):
        with pytest.raises(ValueError, match="as many points"):
            measure(HELIX, HELIX[:50])
        with pytest.raises(ValueError, match="points that differ"):
            measure(np.ones((5, 2)), HELIX[:5])
    pair = np.ones((2, 2))
    for compare in (lambda: separation(pair, pair, pair), lambda: separation_of_halves(pair)):
        with pytest.raises(ValueError, match="three"):
            compare()
