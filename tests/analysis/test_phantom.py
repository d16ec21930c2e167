"""Noise of any smoothness stays within its band, structure leaves it, and coordinates do not matter."""

import numpy as np
import pytest
from scipy.fft import dct
from scipy.stats import special_ortho_group

from nuclr.analysis import nulls
from nuclr.analysis.phantom import band, portrait, walks_like

K, D, DRAWS = 118, 40, 60


def margins(embedding):
    found = band(embedding, D, DRAWS, seed=1).margins(portrait(embedding))
    return np.array([found.spectrum, found.variance])


def noise(seed):
    """Ten embeddings of noise, rough and smooth."""
    rough = nulls.random_walks(K, D, draws=5, seed=seed)
    smooth = nulls.smooth_noise(K, D, width=4.0, line_share=0.01, draws=5, seed=seed)
    return [*rough, *smooth]


def helix(turns, seed=0):
    """A line, a circle with `turns` turns in the next two dimensions, and a little noise in all."""
    t = np.linspace(0.0, 1.0, K)
    clean = np.zeros((K, D))
    clean[:, 0] = 6 * t
    clean[:, 1], clean[:, 2] = np.cos(2 * np.pi * turns * t), np.sin(2 * np.pi * turns * t)
    return clean + 0.02 * np.random.default_rng(seed).standard_normal((K, D))


def test_noise_is_a_phantom():
    inside = np.array([margins(embedding) for embedding in noise(seed=0)])
    assert (inside.mean(axis=0) < 0).all()
    assert (inside <= 0).mean() > 0.8


@pytest.mark.parametrize("turns", [2.3, 4.0])
def test_a_helix_is_none(turns):
    assert (margins(helix(turns)) > 0.05).all()


def test_parity_is_none():
    walk = nulls.random_walks(K, D, draws=1, seed=3)[0]
    walk[:, 0] += 12 * (-1.0) ** np.arange(K)
    assert margins(walk)[0] > 0


def test_signs_rotations_and_units_do_not_matter():
    embedding = helix(4.0)
    turned = -3.0 * embedding @ special_ortho_group.rvs(D, random_state=0) + 5.0
    here, there = portrait(embedding), portrait(turned)
    np.testing.assert_allclose(there.spectra, here.spectra, atol=1e-9)
    np.testing.assert_allclose(there.share, here.share, atol=1e-9)
    np.testing.assert_allclose(margins(turned), margins(embedding), atol=1e-9)


def spectrum(x):
    """Power (k - 1,) of 1/2, 1, 3/2 ... turns over all dimensions."""
    return np.square(dct(x, axis=0, norm="ortho")).sum(axis=1)[1:]


def test_walks_have_the_power_of_noise_and_no_peak():
    noise = nulls.smooth_noise(K, 400, width=3.0, line_share=0.01, draws=1, seed=0)[0]
    walks = walks_like(noise, 400, draws=20, seed=0)
    assert walks[0].shape == (K, 400)
    found = np.mean([spectrum(walk) for walk in walks], axis=0)
    strong = slice(2, 30)
    np.testing.assert_allclose(found[strong], spectrum(noise)[strong], rtol=0.3)
    model = helix(4.0)
    assert spectrum(model)[7] > 20 * spectrum(model)[3]
    found = np.mean([spectrum(walk) for walk in walks_like(model, D, draws=20, seed=0)], axis=0)
    assert found[7] < 1.5 * found[3]
    assert found.sum() == pytest.approx(spectrum(model).sum())


def test_phantom_waves_are_where_theory_puts_them():
    walk = nulls.random_walks(K, 400, draws=1, seed=0)[0]
    assert portrait(walk).spectra[:3].argmax(axis=1).tolist() == [1, 2, 3]


@pytest.mark.parametrize(("dimensions", "message"), [(3, "at least 6"), (8, "constant")])
def test_nothing_to_portray(dimensions, message):
    with pytest.raises(ValueError, match=message):
        portrait(np.zeros((30, dimensions)))
