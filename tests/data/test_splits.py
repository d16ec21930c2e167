"""Splits keep their promises, and a clean split leaves nothing to be solved for."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nuclr.data.observables import OBSERVABLES, Rows, rows
from nuclr.data.splits import KINDS, Split, split
from nuclr.errors import NuclrError

TASKS = [tuple(OBSERVABLES), ("qa",), ("sn", "sp"), ("binding", "qbm", "qec"), ("radius", "z")]
FRACTIONS = st.floats(0.05, 1.0)
SEEDS = st.integers(0, 2**32)


@cache
def load(names: tuple[str, ...] = tuple(OBSERVABLES)) -> Rows:
    return rows(names)


def region(everything: Rows, z: range, n: range) -> Rows:
    inside = np.isin(everything.z, z) & np.isin(everything.n, n)
    parts = (everything.z, everything.n, everything.task, everything.value, everything.measured)
    return Rows(everything.names, *(part[inside] for part in parts))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(TASKS), st.sampled_from(KINDS), FRACTIONS, SEEDS)
def test_every_number_trains_and_no_row_does_both(
    names: tuple[str, ...], kind: str, fraction: float, seed: int
) -> None:
    data = load(names)
    drawn = split(data, kind, fraction, seed)
    assert drawn.train.shape == drawn.validation.shape == (len(data),)
    assert not (drawn.train & drawn.validation).any()
    np.testing.assert_array_equal(np.unique(data.z[drawn.train]), np.unique(data.z))
    np.testing.assert_array_equal(np.unique(data.n[drawn.train]), np.unique(data.n))
    if kind != "clean":
        assert (drawn.train | drawn.validation).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_with_each_every_number_of_every_observable_trains(kind: str, fraction: float) -> None:
    data = load()
    drawn = split(data, kind, fraction, seed=1, each=True)
    assert not (drawn.train & drawn.validation).any()
    for task in range(len(data.names)):
        every, train = data.task == task, (data.task == task) & drawn.train
        np.testing.assert_array_equal(np.unique(data.z[train]), np.unique(data.z[every]))
        np.testing.assert_array_equal(np.unique(data.n[train]), np.unique(data.n[every]))
    if fraction == 0.5:  # at a tenth the numbers themselves take up more
        together = split(data, kind, fraction, seed=1)
        assert abs(drawn.validation.mean() - together.validation.mean()) < 0.05


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.sampled_from(("nucleus", "clean")), FRACTIONS, SEEDS)
def test_rows_of_a_nucleus_stay_together(kind: str, fraction: float, seed: int) -> None:
    data = load()
    drawn = split(data, kind, fraction, seed)
    held_out = {*zip(data.z[drawn.validation].tolist(), data.n[drawn.validation].tolist(), strict=True)}
    training = {*zip(data.z[drawn.train].tolist(), data.n[drawn.train].tolist(), strict=True)}
    assert not held_out & training


@settings(max_examples=10, deadline=None, derandomize=True)
@given(FRACTIONS, SEEDS, st.booleans())
def test_no_training_row_of_a_clean_split_has_its_partner_held_out(fraction: float, seed: int, each: bool) -> None:
    data = load()
    drawn = split(data, "clean", fraction, seed, each)
    held_out = np.unique(np.stack([data.z, data.n])[:, drawn.validation], axis=1).T.tolist()
    held_out = {tuple(nucleus) for nucleus in held_out}
    for task, name in enumerate(data.names):
        dz, dn = OBSERVABLES[name].partner or (0, 0)
        here = drawn.train & (data.task == task)
        partners = zip((data.z[here] + dz).tolist(), (data.n[here] + dn).tolist(), strict=True)
        assert held_out.isdisjoint(partners)


@pytest.mark.parametrize("kind", KINDS)
def test_the_share_is_exact_where_each_number_can_train(kind: str) -> None:
    data = load(("binding",))
    for fraction in (0.2, 0.5, 0.9):
        assert split(data, kind, fraction, 1).train.sum() == round(fraction * len(data))


def test_a_share_too_small_grows_to_what_each_number_needs() -> None:
    train = split(load(("binding",)), "row", 0.001, 0).train
    assert 177 <= train.sum() <= 118 + 177


@pytest.mark.parametrize("kind", KINDS)
def test_all_rows_train_at_one(kind: str) -> None:
    drawn = split(load(), kind, 1.0, 5)
    assert drawn.train.all()
    assert not drawn.validation.any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_fixes_the_split(kind: str) -> None:
    first, again, other = (split(load(), kind, 0.5, seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.train, again.train)
    np.testing.assert_array_equal(first.validation, again.validation)
    assert (first.train != other.train).any()


def test_rows_left_by_a_clean_split_in_half() -> None:
    # Recorded apart from this package: 10,344 rows of 14,947 are left; both depend on the seed.
    for seed in range(3):
        nuclei, clean = split(load(), "nucleus", 0.5, seed), split(load(), "clean", 0.5, seed)
        assert nuclei.train.sum() == pytest.approx(14_947, rel=0.01)
        assert clean.train.sum() == pytest.approx(10_344, rel=0.015)


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.01, float("nan")])
def test_wrong_fraction(fraction: float) -> None:
    with pytest.raises(NuclrError, match="fraction"):
        split(load(), "row", fraction, 0)


def test_wrong_kind() -> None:
    with pytest.raises(NuclrError, match="no kind of split 'nuclei': did you mean 'nucleus'"):
        split(load(), "nuclei", 0.5, 0)


def equations(data: Rows, train: NDArray[np.bool_]) -> tuple[NDArray[np.float64], list[tuple[int, int]]]:
    """Training rows as linear equations of the masses: one unknown a nucleus; nucleons are known, 4He is not."""
    position: dict[tuple[int, int], int] = {}
    lines = []
    for z, n, task in zip(data.z[train].tolist(), data.n[train].tolist(), data.task[train].tolist(), strict=True):
        name = data.names[task]
        if name == "binding":
            lines.append({(z, n): 1.0})
        elif partner := OBSERVABLES[name].partner:
            lines.append({(z, n): 1.0, (z + partner[0], n + partner[1]): -1.0})
            if name == "qa":
                lines[-1][2, 2] = lines[-1].get((2, 2), 0.0) - 1.0
    for z, n in zip(data.z.tolist(), data.n.tolist(), strict=True):
        position.setdefault((z, n), len(position))
    for line in lines:
        for nucleus in line:
            position.setdefault(nucleus, len(position))
    design = np.zeros((len(lines), len(position)))
    for i, line in enumerate(lines):
        for nucleus, factor in line.items():
            design[i, position[nucleus]] = factor
    return design, list(position)


def solvable_share(data: Rows, drawn: Split) -> float:
    """Share of held-out binding energies that the training rows fix by arithmetic: unit vectors in their row space."""
    design, nuclei = equations(data, drawn.train)
    eigenvalues, vectors = np.linalg.eigh(design.T @ design)
    rows_of_it = vectors[:, eigenvalues > 1e-9]  # the entries of the design are whole numbers
    row_space = rows_of_it @ rows_of_it.T
    held_out = drawn.validation & (data.task == data.names.index("binding"))
    wanted = [nuclei.index(k) for k in zip(data.z[held_out].tolist(), data.n[held_out].tolist(), strict=True)]
    assert len(wanted) > 30
    return float(np.isclose(row_space[wanted, wanted], 1.0).mean())


@pytest.mark.parametrize(("z", "n"), [(range(38, 46), range(48, 64)), (range(1, 14), range(1, 16))])
def test_only_a_clean_split_leaves_held_out_binding_energies_unsolvable(z: range, n: range) -> None:
    data = region(load(), z, n)
    for seed in range(3):
        share = {kind: solvable_share(data, split(data, kind, 0.5, seed)) for kind in KINDS}
        assert share["clean"] == 0.0
        assert share["row"] > 0.9
        assert share["nucleus"] > 0.6


def test_a_held_out_binding_energy_follows_to_the_kev() -> None:
    data = region(load(), range(36, 46), range(46, 66))
    alone = (data.z == 40) & (data.n == 50) & (data.task == data.names.index("binding"))
    neutron = (data.z == 40) & (data.n == 50) & (data.task == data.names.index("sn"))
    before = (data.z == 40) & (data.n == 49) & (data.task == data.names.index("binding"))
    assert data.value[alone][0] == pytest.approx(data.value[before][0] + data.value[neutron][0], abs=0.002)


def reachable_share(data: Rows, drawn: Split) -> float:
    """The same share on any scale: nuclei tied by training rows to one with a known binding energy."""
    nuclei, nucleus = np.unique(np.stack([data.z, data.n], axis=1), axis=0, return_inverse=True)
    index = {(z, n): i + 1 for i, (z, n) in enumerate(nuclei.tolist())}  # 0 stands for what is known
    tasks = np.array([OBSERVABLES[name].partner or (0, 0) for name in data.names])[data.task]
    targets = (np.stack([data.z, data.n], axis=1) + tasks).tolist()
    ends = np.array([index.get((z, n), -1) for z, n in targets])
    binding = data.task == data.names.index("binding")
    ends[binding] = 0
    useful = drawn.train & (ends >= 0)
    pairs = (nucleus.reshape(-1)[useful] + 1, ends[useful])
    graph = coo_array((np.ones(useful.sum()), pairs), shape=(len(nuclei) + 1,) * 2)
    label = connected_components(graph, directed=False)[1]
    return float((label[nucleus.reshape(-1)[drawn.validation & binding] + 1] == label[0]).mean())


def test_leakage_of_the_core_set_in_half() -> None:
    # Recorded apart from this package: 99.8 % by row, 96.8 % by nucleus, none when clean.
    share = {kind: reachable_share(load(), split(load(), kind, 0.5, 0)) for kind in KINDS}
    assert share["row"] == pytest.approx(0.998, abs=0.003)
    assert share["nucleus"] == pytest.approx(0.968, abs=0.015)
    assert share["clean"] == 0.0
