"""Judging must not need torch: the verdict of a finished run can be given on any machine."""

from __future__ import annotations

import subprocess
import sys

from .small_paper import ROOT


def test_the_plugin_imports_no_torch_and_nothing_above_it() -> None:
    code = (
        "import sys, nuclr.verdict.plugin; print(*sorted(m for m in sys.modules if m.startswith(('torch', 'nuclr'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    allowed = ("errors", "files", "trials", "verdict")
    assert {tuple(name.split(".")[:2]) for name in done.stdout.split()} <= {
        ("nuclr",),
        *(("nuclr", room) for room in allowed),
    }
