"""Names, magic numbers and free nucleons against the textbook."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuclr.errors import NuclrError
from nuclr.physics.nuclides import MAGIC_N, MAGIC_Z, MASS_EXCESS_H, MASS_EXCESS_N, SYMBOLS, magic_distance, name, parse


@pytest.mark.parametrize(
    ("z", "n", "expected"),
    [
        (0, 1, "1n"),
        (1, 0, "1H"),
        (2, 2, "4He"),
        (11, 12, "23Na"),
        (28, 34, "62Ni"),
        (82, 126, "208Pb"),
        (118, 176, "294Og"),
    ],
)
def test_name(z: int, n: int, expected: str) -> None:
    assert name(z, n) == expected


def test_an_element_without_a_symbol_is_named_by_its_number() -> None:
    assert name(120, 184) == "304[120]"


@pytest.mark.parametrize(("z", "n"), [(-1, 2), (2, -1), (0, 0)])
def test_no_such_nucleus(z: int, n: int) -> None:
    with pytest.raises(ValueError, match="no nucleus"):
        name(z, n)


def test_every_element_has_one_symbol() -> None:
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 119


def test_distance_to_magic_numbers_by_hand() -> None:
    np.testing.assert_array_equal(magic_distance([2, 5, 14, 24, 39, 66, 82], MAGIC_Z), [0, 3, 6, 4, 11, 16, 0])
    np.testing.assert_array_equal(magic_distance([[126, 155], [177, 184]], MAGIC_N), [[0, 29], [7, 0]])


@settings(derandomize=True)
@given(st.integers(0, 200))
def test_distance_is_zero_at_magic_numbers_only_and_changes_by_at_most_one(n: int) -> None:
    here, after = magic_distance([n, n + 1], MAGIC_N)
    assert (here == 0) == (n in MAGIC_N)
    assert abs(after - here) <= 1


def test_free_nucleons_decay() -> None:
    # CODATA: the neutron is 1293.332 keV heavier than the proton, the electron 510.999 keV; the atom binds by 13.6 eV.
    released = MASS_EXCESS_N - MASS_EXCESS_H
    assert released == pytest.approx(1293.332 - 510.999 + 0.0136, abs=0.002)


@given(st.integers(1, 118), st.integers(0, 177))
def test_every_name_is_read_back(z: int, n: int) -> None:
    assert parse(name(z, n)) == (z, n)
    assert parse(f"{z},{n}") == (z, n)


@pytest.mark.parametrize("text", ["Pb-208", "pb208", "208-Pb"])
def test_usual_spellings_are_read(text: str) -> None:
    assert parse(text) == (82, 126)


def test_more_protons_than_nucleons_is_an_error() -> None:
    with pytest.raises(NuclrError, match="82 protons among 20 nucleons"):
        parse("20Pb")
