"""The published measures do what the description of them says, and agree with the fair ones where nothing is amiss."""

import numpy as np
import pytest

from nuclr.analysis import helix, published, structure
from nuclr.physics import formulas

NUMBERS = np.arange(1, 101)


def test_a_planted_split_is_seen_by_both_measures():
    rng = np.random.default_rng(0)
    embedding = rng.standard_normal((100, 50)) + 10.0 * (NUMBERS % 2)[:, None]
    assert structure.parity_split(embedding, NUMBERS) > 5
    assert published.parity_split(embedding, NUMBERS) > 5


def test_only_the_upper_triangle_counts():
    """Even numbers 2, 4 at 0, 10 and odd numbers 3, 5 at 1, 100: of the four pairs that differ in parity 4 and 3 is left out."""
    embedding = np.array([[0.0], [1.0], [10.0], [100.0]])
    within = (10 + 99) / 2
    numbers = np.array([2, 3, 4, 5])
    assert published.parity_split(embedding, numbers) == pytest.approx((1 + 100 + 90) / 3 / within)
    assert structure.parity_split(embedding, numbers) == pytest.approx((1 + 100 + 90 + 9) / 4 / within)


def test_the_two_pairing_terms_differ_at_odd_mass_alone():
    z, n = np.meshgrid(np.arange(1, 21), np.arange(1, 21))
    difference, odd = published.pairing(z, n) - formulas.pairing(z, n), (z + n) % 2 == 1
    assert (difference[~odd] == 0).all()
    np.testing.assert_allclose(difference[odd], (z + n)[odd] ** -0.5)


def test_an_affine_image_of_a_helix_is_fitted_exactly_and_noise_is_not():
    t = np.linspace(0, 1, 60)
    curve = np.stack([np.cos(6 * np.pi * t), np.sin(6 * np.pi * t), 3 * t], axis=1)
    turned, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))
    flattened = curve * [1.0, 0.25, 1.0] @ turned + [5.0, -2.0, 1.0]
    assert published.affine_helix_r2(flattened) == pytest.approx(1.0)
    assert helix.fit(flattened).r2 < 0.9
    assert published.affine_helix_r2(np.random.default_rng(1).standard_normal((60, 3))) < 0.5


def test_an_affine_image_fits_at_least_as_well_as_a_helix():
    walk = np.cumsum(np.random.default_rng(2).standard_normal((80, 3)), axis=0)
    assert published.affine_helix_r2(walk) > helix.fit(walk).r2 - 1e-3
