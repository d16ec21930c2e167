"""Ten observables, their counts and their order."""

import subprocess
import sys

import numpy as np
import pytest

from nuclr.data import table
from nuclr.data.observables import OBSERVABLES, rows
from nuclr.errors import NuclrError

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
