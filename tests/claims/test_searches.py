"""A search that was made is not made again, and what is kept of it is what it found."""

import json

import numpy as np
import pytest

from claims import searches
from nuclr.analysis import symbolic
from nuclr.analysis.expressions import inputs
from nuclr.analysis.symbolic import POPULATION

pytest.importorskip("pyoperon")

Z, N = (grid.ravel() for grid in np.meshgrid(np.arange(10, 30), np.arange(10, 40)))
X = inputs(Z, N)
TARGET = 3.0 * Z + np.cos(0.3 * N) * Z
ARGUMENTS = (X, TARGET, 9, 2 * POPULATION, 0, X)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NUCLR_CACHE", str(tmp_path))
    return tmp_path / "searches"


@pytest.fixture
def made(monkeypatch):
    """The searches that were really made."""
    calls, really = [], symbolic.search

    def search(*arguments):
        calls.append(arguments)
        return really(*arguments)

    monkeypatch.setattr(symbolic, "search", search)
    return calls


def test_the_second_time_it_comes_from_the_cache_and_is_the_same(cache, made):
    first, second = (searches.search(*ARGUMENTS) for _ in range(2))
    assert first == second
    assert len(made) == 1
    assert len(list(cache.glob("*.json"))) == 1


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    "other",
    [
        (X, TARGET + Z, 9, 2 * POPULATION, 0, X),
        (X, TARGET, 8, 2 * POPULATION, 0, X),
        (X, TARGET, 9, 3 * POPULATION, 0, X),
        (X, TARGET, 9, 2 * POPULATION, 1, X),
        (X, TARGET, 9, 2 * POPULATION, 0, X[:-1]),
    ],
)
def test_another_search_is_made(made, other):
    searches.search(*ARGUMENTS)
    searches.search(*other)
    assert len(made) == 2


@pytest.mark.usefixtures("cache")
def test_the_last_bits_of_a_target_make_no_other_search(made):
    searches.search(*ARGUMENTS)
    searches.search(X, TARGET * (1 + 1e-13), *ARGUMENTS[2:])
    assert len(made) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"expressions": [["exec", 1.0]], "candidates": 1}',
        '{"expressions": [], "candidates": 1}',
        "\x00",
    ],
)
def test_a_damaged_entry_is_searched_anew_and_mended(cache, made, damage):
    first = searches.search(*ARGUMENTS)
    (entry,) = cache.glob("*.json")
    entry.write_text(damage)
    assert searches.search(*ARGUMENTS) == first
    assert len(made) == 2
    assert json.loads(entry.read_text())["expressions"]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, made, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setenv("NUCLR_CACHE", str(blocked))
    assert searches.search(*ARGUMENTS) == searches.search(*ARGUMENTS)
    assert len(made) == 2
