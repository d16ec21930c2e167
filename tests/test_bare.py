"""Training, surveying and judging on a machine that has no more than torch, the usual scientific packages and one wheel."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nuclr.data import package, table

ROOT = Path(__file__).parent.parent
ABSENT = ["loky", "nucleardatapy", "nox", "pyoperon", "submitit"]
# Python runs this as it starts, in the command, its workers and pytest alike: these packages are then not installed.
SITE = f"""
import sys
from importlib.machinery import PathFinder


class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {ABSENT} else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
"""


@pytest.fixture
def bare(tmp_path):
    """bare("-m", "nuclr", ...): what Python printed without those packages, the radii in a wheel."""
    (tmp_path / "sitecustomize.py").write_text(SITE)
    _, radii = package.read(table.RADII_FILE, "charge radii")
    with zipfile.ZipFile(tmp_path / "nucleardatapy-1.0.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"nucleardatapy/{table.RADII_FILE}", radii)
    paths = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "NUCLR_WHEELS": str(tmp_path)}

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env=os.environ | paths,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_a_bare_machine_trains_surveys_and_judges(bare, tmp_path):
    assert bare("-c", f"from importlib.util import find_spec; print([n for n in {ABSENT} if find_spec(n)])") == "[]\n"
    smoke = ("--profile", "smoke", "--store", tmp_path / "runs")
    assert "trained joint (3)" in bare("-m", "nuclr", "train", *smoke, "--only", "joint", "--device", "cpu")
    assert bare("-m", "nuclr", "sweep", *smoke, "--status").startswith("3 done, ")
    judge = ("-m", "pytest", "-p", "no:cacheprovider", "claims/test_pairing_pc.py")
    bare(*judge, *smoke, "--reports", tmp_path / "reports")
    claims = json.loads((tmp_path / "reports" / "evidence-smoke.json").read_text())["claims"]
    assert claims["pairing-pc"]["verdict"] in ("reproduced", "not reproduced", "inconclusive")
    assert len(claims["pairing-pc"]["runs"]) == 3
