"""The helix score knows a planted helix from lines, noise and smooth walks; the fit recovers planted parameters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuclr.analysis import helix, nulls
from nuclr.analysis.pca import components


def planted(k=118, turns=4.2, radius=1.0, length=8.0, noise=0.0, seed=0):
    """A helix along the first axis: (k, 3)."""
    t = np.linspace(0, 1, k)
    angle = 2 * np.pi * turns * t
    points = np.stack([length * (t - 0.5), radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return points + noise * np.random.default_rng(seed).standard_normal((k, 3))


def test_a_planted_helix_scores_high_and_its_turns_are_found():
    found = helix.score(planted(noise=0.1))
    assert found.h > 0.95
    assert abs(found.turns) == pytest.approx(4.2, abs=0.1)


def test_either_sense_scores_the_same():
    axes = planted(noise=0.2)
    assert helix.score(axes * [1, 1, -1]).h == pytest.approx(helix.score(axes).h)
    assert helix.score(axes * [1, 1, -1]).turns == -helix.score(axes).turns


@given(st.floats(0, 2 * np.pi), st.floats(0.1, 10), st.sampled_from([-1, 1]))
@settings(max_examples=25)
def test_signs_scale_and_rotation_in_the_plane_do_not_matter(angle, scale, sign):
    axes = planted(noise=0.3)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    assert helix.score(sign * scale * axes @ turn.T).h == pytest.approx(helix.score(axes).h)


@pytest.mark.parametrize("falsehood", ["line", "noise", "walk", "arc"])
def test_what_is_no_helix_scores_low(falsehood):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, 118)
    axes = {
        "line": np.stack([t, t, t], axis=1),
        "noise": rng.standard_normal((118, 3)),
        "walk": nulls.leading_axes(nulls.random_walks(118, 32, 1, seed=0))[0],
        # What PCA makes of smooth noise: half, one, one and a half turns.
        "arc": np.stack([np.cos(np.pi * m * t) for m in (1, 2, 3)], axis=1),
    }[falsehood]
    assert helix.score(axes).h < 0.2


def test_a_plane_oscillation_is_only_half_a_helix():
    axes = planted()
    assert helix.score(axes).opposite < 0.05
    axes[:, 2] = 0
    found = helix.score(axes)
    assert found.h == pytest.approx(0.5, abs=0.05)
    assert found.opposite == pytest.approx(found.h, abs=0.01)


def test_a_helix_hidden_in_many_dimensions_beats_its_matched_null():
    rng = np.random.default_rng(0)
    embedding = planted(noise=0.1) @ np.linalg.qr(rng.standard_normal((32, 3)))[0].T + 0.02 * rng.standard_normal(
        (118, 32)
    )
    h = helix.score(components(embedding).project(embedding, 3)).h
    null = [helix.score(axes).h for axes in nulls.leading_axes(nulls.like(embedding, 50, seed=1))]
    assert h > np.quantile(null, 0.95) + 0.2


def test_the_fit_recovers_a_planted_helix_in_any_position():
    turned = (
        planted(turns=3.3, radius=1.5, length=6.0, noise=0.02) @ np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]).T + 2.0
    )
    found = helix.fit(turned)
    assert found.converged
    assert found.r2 > 0.999
    assert found.turns == pytest.approx(3.3, rel=0.01)
    assert found.radius == pytest.approx(1.5, rel=0.01)
    assert found.length == pytest.approx(6.0, rel=0.01)


@pytest.mark.parametrize("phase", [0.0, 0.7, np.pi / 2, 2.2, np.pi, 4.5])
@pytest.mark.parametrize("sense", [-1, 1])
def test_the_fit_finds_either_sense_from_any_phase(phase, sense):
    t = np.linspace(0, 1, 56)
    angle = 2 * np.pi * 2.1 * t + phase
    axes = np.stack([8 * (t - 0.5), np.cos(angle), sense * np.sin(angle)], axis=1)
    found = helix.fit(axes + 0.1 * np.random.default_rng(0).standard_normal(axes.shape))
    assert found.r2 > 0.99
    assert found.turns == pytest.approx(2.1, rel=0.03)


def test_too_few_numbers_are_an_error():
    for measure in (helix.score, helix.fit):
        with pytest.raises(ValueError, match="at least 16"):
            measure(planted(k=10))
