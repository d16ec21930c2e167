"""A changed helix is the fitted one but for the change, whatever the frame; each measure tells a planted truth from a falsehood."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuclr.analysis import perturbation
from nuclr.analysis.helix import Helix
from nuclr.analysis.helix import fit as fit_helix
from nuclr.analysis.pca import components
from nuclr.analysis.perturbation import MARGIN, STEPS, TURN

PLACES = np.linspace(0, 1, 56)
FACTORS = st.floats(0.5, 3.0)


def planted(turns=2.1, radius=1.0, length=8.0, phase=0.4, sense=1):
    """Axes (56, 3) on a helix along the first of them."""
    angle = 2 * np.pi * turns * PLACES + phase
    return np.stack([length * PLACES, radius * np.cos(angle), sense * radius * np.sin(angle)], axis=1)


FITTED = fit_helix(planted())


def chain(arc=100.0, turns=1.0, phase=0.3, slope=0.0, parabola=0.0):
    """An output (1, m) along a chain, keV: arcs of the angle on a slope and a parabola."""
    place = np.arange(-MARGIN, STEPS + MARGIN) / STEPS - 0.5
    return (8000 + arc * np.cos(2 * np.pi * turns * place + phase) + slope * place - parabola * place**2)[None]


def turns_of(points, about: Helix):
    """Turns that points (m, 3) make about the axis of a helix."""
    away = points - about.centre
    return np.abs(np.diff(np.unwrap(np.arctan2(away @ about.v, away @ about.u))).sum()) / (2 * np.pi)


@pytest.mark.parametrize("sense", [-1, 1])
@given(seed=st.integers(0, 100))
@settings(max_examples=4, deadline=None)
def test_the_unchanged_helix_is_the_fitted_one_in_any_frame(sense, seed):
    frame = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    axes = planted(sense=sense) @ frame.T + 1.0
    found = fit_helix(axes)
    assert found.points(PLACES) == pytest.approx(axes, abs=1e-4)
    assert found.points(np.linspace(0, 1, len(found.curve))) == pytest.approx(found.curve)
    sides = np.stack([found.u, found.v, found.axis])
    assert sides @ sides.T == pytest.approx(np.eye(3), abs=1e-9)
    assert found.axis == pytest.approx(frame[:, 0], abs=1e-4)  # towards the higher numbers


@given(FACTORS, FACTORS, FACTORS)
def test_each_factor_changes_what_it_says(length, radius, frequency):
    changed = FITTED.points(PLACES, length=length, radius=radius, frequency=frequency)
    assert np.ptp(changed @ FITTED.axis) == pytest.approx(length * FITTED.length)
    across = (changed - FITTED.centre) @ np.stack([FITTED.u, FITTED.v], axis=1)
    assert np.hypot(*across.T) == pytest.approx(np.full(56, radius * FITTED.radius))
    assert turns_of(changed, FITTED) == pytest.approx(frequency * FITTED.turns)


@given(st.floats(-7, 7))
def test_a_rotated_phase_moves_nothing_along_the_axis(phase):
    turned = FITTED.points(PLACES, phase=phase)
    assert turned @ FITTED.axis == pytest.approx(FITTED.points(PLACES) @ FITTED.axis)
    assert FITTED.points(PLACES, phase=2 * np.pi) == pytest.approx(FITTED.points(PLACES))


def embedded(seed=0, width=10):
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.standard_normal((width, 3)))[0]
    return planted() @ frame.T + 0.02 * rng.standard_normal((56, width))


def test_the_fitted_helix_fed_back_is_the_embedding_but_for_noise():
    embedding = embedded()
    basis = components(embedding)
    fitted = fit_helix(basis.project(embedding, 3))
    flat = perturbation.refed(basis, fitted, PLACES)
    assert np.abs(flat - embedding).max() < 0.1
    rest = perturbation.own_rest(embedding, basis, np.arange(56.0))
    with_rest = perturbation.refed(basis, fitted, PLACES, rest)
    assert basis.project(with_rest)[:, 3:] == pytest.approx(basis.project(embedding)[:, 3:])
    assert basis.project(with_rest, 3) == pytest.approx(basis.project(flat, 3))
    assert basis.project(flat)[:, 3:] == pytest.approx(np.zeros((56, 7)), abs=1e-9)


@given(st.integers(0, 100))
@settings(max_examples=5, deadline=None)
def test_rotations_and_signs_of_the_embedding_turn_what_is_fed_back(seed):
    embedding = embedded()
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((10, 10)))[0]
    fed = []
    for one in (embedding, embedding @ turn):
        basis = components(one)
        fed.append(
            perturbation.refed(basis, fit_helix(basis.project(one, 3)), PLACES, length=1.2, radius=1.5, frequency=2)
        )
    assert fed[0] @ turn == pytest.approx(fed[1], abs=1e-3)


def test_the_rest_between_two_numbers_is_between_theirs():
    embedding = embedded()
    basis = components(embedding)
    whole = perturbation.own_rest(embedding, basis, np.arange(56.0))
    assert perturbation.own_rest(embedding, basis, np.array([3.25]))[0] == pytest.approx(
        0.75 * whole[3] + 0.25 * whole[4]
    )
    assert perturbation.own_rest(embedding, basis, np.array([-2.0, 80.0])) == pytest.approx(whole[[0, -1]])


def test_a_chain_is_one_turn_about_its_middle():
    t = perturbation.one_turn(FITTED, 0.5)
    assert turns_of(FITTED.points(t[TURN.start : TURN.stop + 1]), FITTED) == pytest.approx(1.0, rel=1e-3)
    assert t[MARGIN + STEPS // 2] == pytest.approx(0.5)


@given(st.floats(0, 6.28), st.floats(0.5, 20))
def test_a_rotated_phase_does_not_shift_an_output_of_the_angle(phase, arc):
    before, after = chain(arc), chain(arc, phase=0.3 + phase)
    assert perturbation.mean_shift(before, after) == pytest.approx(0.0, abs=1e-6)


def test_a_constant_shift_is_told_from_a_change_of_shape():
    offset = chain(slope=0.0) + 50.0 + np.linspace(-1, 1, STEPS + 2 * MARGIN)
    assert perturbation.mean_shift(chain(), offset) == pytest.approx(50.0, rel=0.01)
    share = perturbation.offset_share([50.0], [perturbation.shape_change(chain(), offset)])
    assert share > 50
    bent = chain(arc=200.0)
    share = perturbation.offset_share(
        [perturbation.mean_shift(chain(), bent)], [perturbation.shape_change(chain(), bent)]
    )
    assert share < 0.01


def test_an_output_that_stays_has_no_share_and_a_rigid_one_no_number():
    assert perturbation.offset_share([0.0, 0.0], [0.0, 0.0]) == 0.0
    with pytest.raises(ValueError, match="no finite share"):
        perturbation.offset_share([1.0], [0.0])


@given(st.floats(1, 500), st.floats(0, 6.28))
def test_sharpness_is_in_proportion_to_the_arc_and_blind_to_its_height_and_slope(arc, phase):
    one = chain(arc, phase=phase)
    top = perturbation.tops(one)
    found = perturbation.sharpness(one, top, spacing=0.5)
    assert found > 0
    assert perturbation.sharpness(2 * one + 100, top, 0.5) == pytest.approx(2 * found)
    assert perturbation.sharpness(chain(arc, phase=phase, slope=300.0), top, 0.5) == pytest.approx(found, rel=1e-6)
    assert perturbation.sharpness(one, top, spacing=1.0) == pytest.approx(found / 4)


def test_the_sharpness_of_a_parabola_is_its_second_derivative():
    spacing = 0.5
    place = np.arange(STEPS + 2 * MARGIN) * spacing
    output = (-3.0 * (place - place[30]) ** 2)[None]
    assert perturbation.sharpness(output, perturbation.tops(output), spacing) == pytest.approx(6.0)


@given(st.floats(0, 6.28), st.integers(1, 4))
def test_twice_the_frequency_has_twice_the_arcs_wherever_they_are(phase, turns):
    assert perturbation.arcs(chain(turns=turns, phase=phase)) == turns
    assert perturbation.arcs(chain(turns=2 * turns, phase=2 * phase)) == 2 * turns


def test_ripples_and_slopes_are_no_arcs():
    assert perturbation.arcs(chain() + chain(arc=4.0, turns=9)) == 1
    assert perturbation.arcs(chain(arc=0.0, slope=100.0)) == 0
    assert perturbation.arcs(chain(arc=0.0)) == 0
    assert perturbation.arcs(chain(arc=0.0, parabola=100.0)) == 1
    assert perturbation.arc_ratio(4, 2) == 2.0
    assert perturbation.arc_ratio(4, 0) == 0.0


def test_growth_is_the_order_and_nothing_where_nothing_responds():
    strengths = np.arange(5.0)
    assert perturbation.growth(strengths, strengths**3 + 1) == pytest.approx(1.0)
    assert perturbation.growth(strengths, -strengths) == pytest.approx(-1.0)
    assert perturbation.growth(strengths, 100 + 0.1 * strengths) == 0.0
    assert perturbation.growth(strengths, np.zeros(5)) == 0.0
