"""The solver finds what follows, to the keV, and does not claim what does not."""

import numpy as np
import pytest

from nuclr.analysis.arithmetic import RELATIONS, recover
from nuclr.data.observables import OBSERVABLES, rows
from nuclr.data.splits import split
from nuclr.physics.formulas import SEMF
from nuclr.physics.nuclides import MASS_EXCESS_H, MASS_EXCESS_N

NAMES = ("binding", "sn", "sp", "qa", "qbm", "qbm_n", "qec", "radius")
Z, N = (grid.ravel() for grid in np.meshgrid(np.arange(1, 13), np.arange(1, 13), indexing="ij"))


def excess(z, n):
    """Mass excess in keV of an invented nucleus; what has no two nucleons is not bound."""
    single = z + n <= 1
    bound = np.where(single, 0.0, 1000 * np.sin(3.0 * z + 5.0 * n) + 8000 * (z + n))
    return z * MASS_EXCESS_H + n * MASS_EXCESS_N - bound


def invented():
    """Every observable of every invented nucleus by its definition in masses: task, z, n, value."""
    here = excess(Z, N)
    values = [
        Z * MASS_EXCESS_H + N * MASS_EXCESS_N - here,
        excess(Z, N - 1) + MASS_EXCESS_N - here,
        excess(Z - 1, N) + MASS_EXCESS_H - here,
        here - excess(Z - 2, N - 2) - excess(2, 2),
        here - excess(Z + 1, N - 1),
        here - excess(Z + 1, N - 2) - MASS_EXCESS_N,
        here - excess(Z - 1, N + 1),
        np.cbrt(Z + N),
    ]
    count = len(NAMES)
    return np.repeat(np.arange(count), Z.size), np.tile(Z, count), np.tile(N, count), np.concatenate(values)


@pytest.fixture(scope="module")
def table():
    return rows(tuple(OBSERVABLES))


def test_planted_masses_come_back_from_differences_and_one_energy():
    task, z, n, value = invented()
    related = task < NAMES.index("radius")
    train = related & (task != 0) | (task == 0) & (z == 5) & (n == 6)
    found = recover(NAMES, task, z, n, value, train)
    assert found.follows[related].all()
    np.testing.assert_allclose(found.value[related], value[related], atol=1e-3)
    assert not found.follows[~related].any()
    assert np.isnan(found.value[~related]).all()


def test_differences_alone_fix_differences_and_no_energy():
    task, z, n, value = invented()
    found = recover(NAMES, task, z, n, value, np.isin(task, [1, 2]) & (z > 2) & (n > 2))
    inside = (z > 3) & (n > 4) & (z < 12)
    assert found.follows[(task == NAMES.index("qbm_n")) & inside].all()
    assert not found.follows[(task == 0) & inside].any()


def test_held_out_values_are_never_read():
    task, z, n, value = invented()
    train = np.random.default_rng(1).random(len(task)) < 0.5
    honest = recover(NAMES, task, z, n, value, train)
    blind = recover(NAMES, task, z, n, np.where(train, value, 1e9), train)
    np.testing.assert_array_equal(honest.value, blind.value)
    assert honest.follows[~train].mean() > 0.5


def test_alpha_energies_without_helium_fix_nothing():
    task, z, n, value = invented()
    away = (z > 4) & (n > 4)
    train = (task == 0) & away & (z < 8) | (task == NAMES.index("qa")) & (z == 9) & (n == 9)
    held_out = (task == 0) & (z == 9) & (n == 9)
    assert not recover(NAMES, task, z, n, value, train).follows[held_out].any()
    helium = (task == 0) & (z == 2) & (n == 2)
    assert recover(NAMES, task, z, n, value, train | helium).follows[held_out].all()


def test_nothing_follows_by_chance(table):
    # With one planting a difference below the tolerance passes for a solution: one in some thousand rows.
    only = (table.task == 0) & (table.z == 50) & (table.n == 70)
    found = recover(table.names, table.task, table.z, table.n, table.value, only)
    assert np.flatnonzero(found.follows & (table.z > 2)).tolist() == np.flatnonzero(only).tolist()


def test_no_relation_is_an_error():
    one = np.ones(1, dtype=np.int64)
    with pytest.raises(ValueError, match="No training row"):
        recover(("radius",), one - 1, one, one, np.ones(1), np.ones(1, dtype=bool))


@pytest.mark.parametrize(("kind", "share"), [("row", 0.998), ("nucleus", 0.968), ("clean", 0.0)])
def test_half_of_the_data_gives_the_other_half_away_unless_split_cleanly(table, kind, share):
    drawn = split(table, kind, 0.5, seed=0)
    found = recover(table.names, table.task, table.z, table.n, table.value, drawn.train)
    assert not found.follows[np.isin(table.task, [table.names.index(name) for name in ("radius", "z", "n")])].any()
    held_out = drawn.validation & (table.task == table.names.index("binding"))
    assert found.follows[held_out].mean() == pytest.approx(share, abs=0.01 if share else 0.0)
    given_away = drawn.validation & found.follows
    if share:
        assert np.abs(found.value - table.value)[given_away].max() < 5.0
    else:
        assert not given_away.any()


def test_a_theory_obeys_the_same_relations(table):
    binding = SEMF.predict(table.z, table.n)
    sn = binding - SEMF.predict(table.z, table.n - 1)
    both = np.isin(table.task, [table.names.index(name) for name in ("binding", "sn")])
    value = np.where(table.task == table.names.index("binding"), binding, sn)
    train = both & (np.random.default_rng(0).random(len(both)) < 0.5)
    found = recover(table.names, table.task, table.z, table.n, value, train)
    assert 0.3 < found.follows[both & ~train].mean() < 0.9
    heavy = found.follows & both & (table.n > 2) & (table.z > 2)
    np.testing.assert_allclose(found.value[heavy], value[heavy], atol=0.01)
    assert set(RELATIONS) == {name for name in table.names if name not in ("radius", "z", "n")}
