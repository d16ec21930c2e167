"""What all tests of the verdict room share."""

from __future__ import annotations

import pytest

from .small_paper import ROOT, Judge


@pytest.fixture
def judge(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Judge:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # loading them takes longer than judging
    return Judge(pytester)
