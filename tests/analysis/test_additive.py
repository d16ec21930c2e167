"""Pieces of functions that are made of known ones."""

import numpy as np
import pytest

from nuclr.analysis.additive import in_order, numbers_of, rest

z, n = (x.ravel() for x in np.meshgrid(np.arange(10, 40), np.arange(10, 50), indexing="ij"))
NUMBERS = numbers_of(z, n)
RNG = np.random.default_rng(0)


def test_a_sum_is_found_piece_by_piece_the_largest_first():
    of_a, of_z = 10 * RNG.standard_normal(100), RNG.standard_normal(50)
    left = in_order(of_a[z + n] + of_z[z], NUMBERS)
    assert list(left)[:2] == ["A", "Z"]
    assert left["A"] == pytest.approx(1.0, rel=0.4)
    assert left["Z"] < 1e-8
    assert set(left) == set(NUMBERS)


def test_what_is_no_sum_is_left():
    interplay = (z % 2) * (n % 3 == 0) * 1.0
    left = rest(interplay + 5.0 * z, [NUMBERS["Z"], NUMBERS["N"]])
    assert left.std() == pytest.approx(0.5 * np.sqrt(2 / 9), rel=0.1)
    assert rest(5.0 * z, [NUMBERS["Z"]]).std() < 1e-10


def test_the_classes_of_parity_are_four():
    assert sorted(set(NUMBERS["parities"].tolist())) == [0, 1, 2, 3]
