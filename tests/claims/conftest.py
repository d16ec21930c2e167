"""The judge of planted runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import planted
import pytest

from claims.conftest import _nuclides, core, heavy
from nuclr.data import table
from nuclr.verdict.statistics import Verdict

__all__ = ["core", "heavy"]  # the claims' own fixtures


@pytest.fixture
def judge(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[planted.Case], tuple[Verdict, set[str]]]:
    """judge(case): the verdict on what is planted, and the set of the measures that did not come out."""

    def judged(case: planted.Case) -> tuple[Verdict, set[str]]:
        for module, fewer in planted.FEWER.items():
            for name, number in fewer.items():
                monkeypatch.setattr(f"{module}.{name}", number)
        if case.table is None:
            sets = {name: request.getfixturevalue(name) for name in ("core", "heavy")}
        else:
            changed = case.table(table.load())
            monkeypatch.setattr(table, "load", changed.copy)
            sets = {"core": _nuclides(table.core), "heavy": _nuclides(table.heavy)}
        return planted.judge(case, tmp_path, sets)

    return judged
