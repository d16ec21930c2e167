"""The judge of planted runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import planted
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from claims.conftest import core, heavy, nuclides, well_measured
from nuclr.analysis import helix
from nuclr.data import table
from nuclr.verdict.statistics import Verdict

__all__ = ["core", "heavy", "well_measured"]  # the claims' own fixtures

SETS = {"core": table.core, "heavy": table.heavy, "well_measured": table.well_measured}

fit = helix.fit
fitted: dict[int, helix.Helix] = {}


def fit_once(axes: NDArray[np.float64]) -> helix.Helix:
    """The fit to the first axes of this length."""
    if len(axes) not in fitted:
        fitted[len(axes)] = fit(axes)
    return fitted[len(axes)]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Arrays as small as these gain nothing from threads, which wait for one another on a busy machine."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def judge(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[planted.Case], tuple[Verdict, set[str]]]:
    """judge(case): the verdict on what is planted, and the set of the measures that did not come out."""

    def judged(case: planted.Case) -> tuple[Verdict, set[str]]:
        for name, number in planted.FEWER.items():
            monkeypatch.setattr(name, number)
        if case.claim == "helix":
            # The fit is shown beside H there and never judged, and takes longer than all the rest.
            monkeypatch.setattr(helix, "fit", fit_once)
        if case.table is None:
            sets = {name: request.getfixturevalue(name) for name in SETS}
        else:
            changed = case.table(table.load())
            monkeypatch.setattr(table, "load", changed.copy)
            sets = {name: nuclides(mask) for name, mask in SETS.items()}
        return planted.judge(case, tmp_path, sets)

    return judged
