"""Ten observables, their counts and their order."""

import subprocess
import sys

import numpy as np
import pytest

from nuclr.data import table
from nuclr.data.observables import OBSERVABLES, control, pseudo, rows
from nuclr.errors import NuclrError
from nuclr.physics.formulas import SEMF

COUNTS = {
    "binding": 3338,
    "radius": 907,
    "qa": 3224,
    "qbm": 3134,
    "qbm_n": 3040,
    "qec": 3103,
    "sn": 3268,
    "sp": 3206,
    "z": 3338,
    "n": 3338,
}


def test_the_ten_observables() -> None:
    assert list(OBSERVABLES) == list(COUNTS)
    errors = {name: (o.expected_error, o.unit) for name, o in OBSERVABLES.items()}
    assert errors.pop("binding") == (100.0, "keV")
    assert errors.pop("radius") == (0.02, "fm")
    assert errors.pop("z") == errors.pop("n") == (1.0, "1")
    assert set(errors.values()) == {(200.0, "keV")}


def test_rows_of_the_core_set() -> None:
    everything = rows()
    assert len(everything) == 29_896
    assert {name: int((everything.task == i).sum()) for i, name in enumerate(everything.names)} == COUNTS


def test_rows_of_the_other_sets() -> None:
    assert len(rows(nuclides="heavy")) == 29_011
    assert len(rows(["binding"], nuclides="well-measured")) == 2354


def test_rows_are_equally_long_and_ordered() -> None:
    some = rows(["sp", "radius"])
    assert {len(a) for a in (some.z, some.n, some.task, some.value, some.measured)} == {len(some)}
    assert some.names == ("sp", "radius")
    assert (np.lexsort((some.n, some.z, some.task)) == np.arange(len(some))).all()
    assert (some.value.dtype, some.measured.dtype) == (np.float64, np.bool_)
    assert np.isfinite(some.value).all()


def test_values_are_those_of_the_table() -> None:
    nuclei = table.load()
    lead = nuclei[(nuclei.z == 82) & (nuclei.n == 126)].iloc[0]
    everything = rows()
    here = (everything.z == 82) & (everything.n == 126)
    expected = [lead[OBSERVABLES[name].column] for name in everything.names]
    np.testing.assert_array_equal(everything.value[here], expected)
    assert everything.measured[here].all()


def test_measured_binding_energies() -> None:
    assert rows(["binding"]).measured.sum() == 2548
    assert rows(["z", "n", "radius"]).measured.all()


def test_the_control_is_one_standard_normal_value_a_nucleus() -> None:
    core, heavy = rows(["sn", "control"]), rows(["control"], "heavy")
    value = core.value[core.task == 1]
    assert len(value) == COUNTS["binding"]
    assert abs(value.mean()) < 3 / len(value) ** 0.5
    assert value.std() == pytest.approx(1, abs=0.04)
    of = dict(zip(zip(core.z[core.task == 1], core.n[core.task == 1], strict=True), value, strict=True))
    assert [of[key] for key in zip(heavy.z, heavy.n, strict=True)] == heavy.value.tolist()


def test_nothing_can_be_learned_of_the_control() -> None:
    """Neither the numbers themselves nor the neighbours along a chain say anything about it."""
    found = rows(["control"])
    for number in (found.z, found.n, found.z % 2, found.n % 2, found.z + found.n):
        assert abs(np.corrcoef(number, found.value)[0, 1]) < 0.05
    z, n = np.arange(1, 100), np.full(99, 60)
    assert abs(np.corrcoef(control(z, n), control(z, n + 1))[0, 1]) < 0.3
    assert abs(np.corrcoef(control(z, n), control(z + 1, n))[0, 1]) < 0.3


def test_pseudo_data_are_the_mass_formula_at_the_same_nuclei() -> None:
    found = rows(["binding"])
    theory = pseudo(found)
    np.testing.assert_array_equal(theory.value, SEMF.predict(found.z, found.n))
    np.testing.assert_array_equal(theory.z, found.z)
    assert theory.measured.all()
    assert 5000 < np.sqrt(np.mean((theory.value - found.value) ** 2)) < 10_000
    with pytest.raises(NuclrError, match="binding energies alone: it cannot stand for binding, sn"):
        pseudo(rows(["binding", "sn"]))


@pytest.mark.parametrize(
    ("names", "nuclides", "message"),
    [
        (["bindin"], "core", "There is no observable 'bindin': did you mean 'binding'"),
        (["sn", "sn"], "core", "once"),
        ([], "core", "at least one: got none"),
        (["sn"], "cores", "There is no set of nuclides 'cores': did you mean 'core'"),
    ],
)
def test_wrong_names(names: list[str], nuclides: str, message: str) -> None:
    with pytest.raises(NuclrError, match=message):
        rows(names, nuclides)


def test_the_data_need_no_torch() -> None:
    code = "import sys, nuclr.data.splits, nuclr.physics.formulas; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
