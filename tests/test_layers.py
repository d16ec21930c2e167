"""Imports run one way: cli -> report -> verdict; claims -> train -> model, data -> physics, config. No stairs back up."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "errors": set(),
    "files": {"errors"},
    "config": {"errors"},
    "recipe": {"config"},
    "studies": {"recipe", "config"},
    "trials": {"errors"},
    "runs": {"recipe", "studies", "trials", "config", "errors"},
    "physics": {"errors"},
    "data": {"physics", "errors", "files"},
    "model": {"config", "errors"},
    "analysis": {"physics"},
    "train": {"model", "data", "physics", "config", "runs", "errors", "files"},
    "verdict": {"trials", "errors", "files"},
    "report": {"verdict", "physics", "errors", "files"},
    "cli": {"report", "verdict", "train", "model", "data", "physics", "runs", "config", "errors", "files"},
    "__main__": {"cli"},
    "__init__": set(),
}


def room(path):
    return path.relative_to(ROOT / "nuclr").parts[0].removesuffix(".py")


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [f"{node.module}.{alias.name}" if node.module == "nuclr" else node.module for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "nuclr" and len(parts) > 1 and parts[1] != "__version__":
                yield parts[1]
            elif parts[0] in ("claims", "tests"):
                yield parts[0]


@pytest.mark.parametrize("path", sorted((ROOT / "nuclr").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    here = room(path)
    assert here in MAY_IMPORT, f"{here} is a new room: say in this test what it may import"
    wrong = {other for other in imported_rooms(path) if other != here} - MAY_IMPORT[here]
    assert not wrong, f"{here} must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize(
    "module", ["nuclr.verdict.plugin", "nuclr.report.page", "nuclr.data.splits", "nuclr.cli", "nuclr.runs"]
)
def test_torch_is_not_imported_where_it_is_not_needed(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
