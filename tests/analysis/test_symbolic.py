"""The search for expressions: it finds a law that is there, repeats itself to the bit, and keeps to its budget."""

import os
import subprocess
import sys

import numpy as np
import pytest

from nuclr.analysis.expressions import Expression, inputs
from nuclr.analysis.symbolic import POPULATION, fit, search

pytest.importorskip("pyoperon", reason="needs the extra: python -m pip install -c constraints.txt -e '.[symbolic]'")

Z, N = np.meshgrid(np.arange(10, 60), np.arange(10, 90))
Z, N = Z[::3, ::3].ravel(), N[::3, ::3].ravel()
X, TARGET = inputs(Z, N), Z * N / (Z + N) + 0.0
SMALL = 5 * POPULATION


def test_an_exact_law_is_found_up_to_its_scale():
    front = search(X, 1e6 - 500 * TARGET, 9, 20 * POPULATION, 0, X)
    law = fit([front.expressions[-1]], X, TARGET)[0]
    unseen = inputs(np.arange(60, 90), np.arange(80, 140, 2))
    np.testing.assert_allclose(law.at(unseen), unseen[:, 0] * unseen[:, 1] / unseen[:, :2].sum(axis=1), rtol=1e-4)
    assert front.errors[-1] < 1e-4 * 500 * TARGET.std()


def test_a_front_is_ever_longer_and_more_accurate():
    front = search(X, TARGET, 9, SMALL, 0, X)
    lengths = [expression.length for expression in front.expressions]
    assert lengths == sorted(set(lengths))
    assert lengths[-1] <= 9
    assert front.errors == sorted(front.errors, reverse=True)
    assert front.best(lengths[0] - 1) is None
    assert front.best(9) is front.expressions[-1]
    for expression, error in zip(front.expressions, front.errors, strict=True):
        left = TARGET - fit([expression], X, TARGET)[0].at(X)
        assert np.sqrt(np.mean(left**2)) == pytest.approx(error, rel=1e-6)


def test_noise_is_not_described():
    noise = np.random.default_rng(0).standard_normal(len(X))
    assert search(X, noise, 9, SMALL, 0, X).errors[-1] > 0.9


def test_it_repeats_itself_to_the_bit_also_in_another_process():
    here = search(X, TARGET, 9, SMALL, 3, X)
    assert search(X, TARGET, 9, SMALL, 3, X) == here
    code = f"import runpy; t = runpy.run_path({__file__!r}); print(t['search'](t['X'], t['TARGET'], 9, t['SMALL'], 3, t['X']))"
    there = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == repr(here)  # repr of a float is exact
    assert search(X, TARGET, 9, SMALL, 4, X) != here


def test_equal_budgets_are_equal():
    short, long = search(X, TARGET, 5, SMALL, 0, X), search(X, TARGET, 20, 3 * SMALL, 0, X)
    assert 3 * short.candidates == long.candidates == 3 * SMALL


def test_what_is_not_a_number_somewhere_is_not_kept():
    target, with_zero = 1 / N, np.concatenate([X, inputs([10], [0])])
    front = search(X, target, 5, SMALL, 0, with_zero)
    assert all(np.isfinite(expression.at(with_zero)).all() for expression in front.expressions)
    assert search(X, target, 5, SMALL, 0, X).errors[-1] < 1e-3 * front.errors[-1]  # 1 / N itself, which is not kept


@pytest.mark.parametrize("candidates", [0, POPULATION, 3 * POPULATION + 1])
def test_too_few_candidates_are_refused(candidates):
    with pytest.raises(ValueError, match="multiple of 200"):
        search(X, TARGET, 9, candidates, 0, X)


def test_a_linear_combination_is_found_again():
    parts = [Expression("Z"), Expression("cbrt", 1.0, (Expression("N"),))]
    whole, left = fit(parts, X, 5.0 + 2.0 * X[:, 0] - 3.0 * np.cbrt(X[:, 1]))
    assert left < 1e-9
    np.testing.assert_allclose(whole.at(inputs([4], [8])), 5 + 2 * 4 - 3 * 2)


def test_columns_that_say_the_same_do_no_harm():
    whole, left = fit([Expression("Z"), Expression("Z"), Expression("number", 2.0)], X, 7.0 * X[:, 0] + 1.0)
    assert left < 1e-9
    assert np.isfinite(whole.at(X)).all()
