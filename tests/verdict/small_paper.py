"""A small paper of six claims in a folder of its own, and a way to judge it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

PAPER = """
schema = 1
[paper]
title = "A small paper"
authors = "A. Author"
venue = "Nowhere"
arxiv = "0000.00000"
"""

CLAIM = """
[claims.{name}]
title = "Title of {name}"
statement = "Statement of {name}."
where = "Section 1"
figures = [1]
paper = "drawn in the figure"
why = "Because."
control = "{control}"
seeds = {seeds}
{more}
"""

MEASURE = """
[claims.{claim}.measures.{name}]
label = "the {name}"
unit = "{unit}"
{more}
"""


def claim(name: str, *measures: str, control: str = "untrained networks", seeds: int = 3, more: str = "") -> str:
    return CLAIM.format(name=name, control=control, seeds=seeds, more=more) + "".join(measures)


def measure(claim: str, name: str, more: str, unit: str = "1") -> str:
    return MEASURE.format(claim=claim, name=name, more=more, unit=unit)


COSINE = claim("volume", measure("volume", "cosine", "paper = 1.0\nrange = [0.0, 1.0]\nabove = 0.95"))
COUNT = claim(
    "count", measure("count", "nuclei", "paper = 10\nat_least = 10\nat_most = 10"), control="none: a count", seeds=0
)
PAIR = claim("pair", measure("pair", "first", "above = 0.0"), measure("pair", "second", "below = 2.0", unit="keV"))
SHARED = "".join(
    claim(name, measure(name, "value", "above = 0.0"), control="none", seeds=0, more='module = "test_shared.py"')
    for name in ("left", "right")
)
LATE = claim("late", measure("late", "rms", "below = 100.0", unit="keV"), control="none", more='profiles = ["paper"]')
SMALL_PAPER = PAPER + COSINE + COUNT + PAIR + SHARED + LATE

GOOD_VOLUME = """
def test_volume(evidence):
    evidence.measure("cosine", [0.996, 0.997, 0.998])
    evidence.control("untrained networks", [0.1, 0.2, 0.3])
    evidence.conclude()
"""
GOOD_COUNT = """
def test_count(evidence):
    evidence.measure("nuclei", 10, over="exact")
    evidence.conclude()
"""


def claim_test(name: str, body: str) -> str:
    """A test module whose one test function judges the claim `name`."""
    return "import pytest\n" + body.replace("def test_", f'@pytest.mark.claim("{name}")\ndef test_', 1)


class Judge:
    """A folder with claims/paper.toml in which claim tests are written and judged."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.root = pytester.path
        pytester.makepyprojecttoml((ROOT / "pyproject.toml").read_text(encoding="utf-8"))  # judged as users judge
        self.paper(SMALL_PAPER)

    def paper(self, text: str) -> None:
        self.write("paper.toml", text)

    def write(self, name: str, text: str) -> None:
        path = self.root / "claims" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test(self, name: str, body: str) -> None:
        """Write claims/test_<name>.py with the one test function in `body`, which judges the claim `name`."""
        self.write(f"test_{name}.py", claim_test(name, body))

    def run(self, *arguments: str, code: int = 0, subprocess: bool = False) -> pytest.RunResult:
        """Judge, and demand the exit code."""
        run = self.pytester.runpytest_subprocess if subprocess else self.pytester.runpytest_inprocess
        result = run("-p", "no:cacheprovider", *(arguments or ("claims",)))
        assert result.ret == code, result.stdout.str() + result.stderr.str()
        return result

    def evidence(self, profile: str = "cpu") -> dict[str, Any]:
        return dict(json.loads((self.root / "reports" / f"evidence-{profile}.json").read_text(encoding="utf-8")))

    def claims(self, profile: str = "cpu") -> dict[str, Any]:
        return dict(self.evidence(profile)["claims"])

    def verdicts(self, profile: str = "cpu") -> dict[str, str]:
        return {name: record["verdict"] for name, record in self.claims(profile).items()}
