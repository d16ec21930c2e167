"""Waves on embeddings where it is known which are there."""

import numpy as np
import pytest

from nuclr.analysis.nulls import smooth_noise
from nuclr.analysis.spectrum import ALTERNATING, alternation, detrended, power, without_wave

NUMBERS = np.arange(118)
RNG = np.random.default_rng(0)
SLOW = np.outer(NUMBERS, RNG.standard_normal(16)) + 30 * np.outer(np.sin(NUMBERS / 9), RNG.standard_normal(16))
PARITY = np.outer((-1.0) ** NUMBERS, RNG.standard_normal(16))


@pytest.mark.parametrize("k", [118, 177])
def test_parity_is_seen_beside_a_far_stronger_slow_wave(k):
    numbers, rng = np.arange(k), np.random.default_rng(k)
    plain = np.outer(numbers, rng.standard_normal(16)) + 30 * np.outer(np.sin(numbers / 9), rng.standard_normal(16))
    noisy = plain + 0.02 * rng.standard_normal((k, 16))
    assert alternation(noisy) < 5
    assert alternation(noisy + 0.05 * np.outer((-1.0) ** numbers, rng.standard_normal(16))) > 20


def test_noise_of_any_smoothness_has_no_parity():
    for width in (0.3, 0.5, 1.0):
        ratios = [alternation(draw) for draw in smooth_noise(118, 16, width, 0.5, 20, seed=1)]
        assert np.median(ratios) < 1.5


def test_the_power_is_at_the_frequency_of_the_wave():
    frequencies = np.linspace(0.01, 0.5, 200)
    wave = np.outer(np.cos(2 * np.pi * 0.21 * NUMBERS), np.ones(3))
    assert frequencies[power(wave, frequencies).argmax()] == pytest.approx(0.21, abs=0.005)


def test_white_noise_has_the_same_power_at_every_frequency():
    noise = 7 * np.random.default_rng(3).standard_normal((118, 400))
    assert power(noise, [0.1, 0.25, 0.4, ALTERNATING]) == pytest.approx(1.0, abs=0.2)


def test_a_line_has_no_waves():
    assert np.abs(detrended(np.outer(NUMBERS, [1.0, -2.0]) + 3)).max() < 1e-9


@pytest.mark.parametrize("frequency", [ALTERNATING, 0.4])
def test_a_wave_is_taken_out_and_nothing_else(frequency):
    turns = 2 * np.pi * frequency * NUMBERS
    wave = np.outer(np.cos(turns), RNG.standard_normal(16))
    if frequency != ALTERNATING:
        wave += np.outer(np.sin(turns), RNG.standard_normal(16))
    assert np.abs(without_wave(SLOW + wave, frequency) - SLOW).max() < 0.02 * np.abs(wave).max() + 0.02
    assert np.abs(without_wave(PARITY, 0.4) - PARITY).max() < 0.02 * np.abs(PARITY).max()


def test_too_few_numbers_are_an_error():
    with pytest.raises(ValueError, match="fewer than 40"):
        alternation(np.zeros((39, 3)))
