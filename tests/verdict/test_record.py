"""Evidence files: whole or not at all, and read back only if they are what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nuclr.errors import NuclrError
from nuclr.verdict import provenance, record, registry
from nuclr.verdict.statistics import Verdict

from .small_paper import SMALL_PAPER


@pytest.fixture
def evidence(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "paper.toml"
    path.write_text(SMALL_PAPER, encoding="utf-8")
    claims = registry.load(path).claims
    records = {name: record.blank(claim, "cpu", Verdict.NOT_RUN, "Later.") for name, claim in claims.items()}
    return {"schema": 1, "profile": "cpu", "claims": records}


def test_what_is_saved_is_loaded(tmp_path: Path, evidence: dict[str, Any]) -> None:
    reports = tmp_path / "new" / "reports"
    record.save(reports, evidence)
    assert record.load(reports / "evidence-cpu.json") == evidence
    assert (reports / "evidence.json").read_bytes() == (reports / "evidence-cpu.json").read_bytes()
    assert sorted(path.name for path in reports.iterdir()) == ["evidence-cpu.json", "evidence.json"]


def test_last_verdicts_by_profile(tmp_path: Path, evidence: dict[str, Any]) -> None:
    assert record.last_verdicts(tmp_path / "nothing") == {}
    record.save(tmp_path, evidence)
    evidence["claims"]["volume"]["verdict"] = "reproduced"
    record.save(tmp_path, evidence | {"profile": "paper"})
    found = record.last_verdicts(tmp_path)
    assert found["cpu"]["volume"] is Verdict.NOT_RUN
    assert found["paper"]["volume"] is Verdict.REPRODUCED


def test_nan_never_reaches_a_file(tmp_path: Path, evidence: dict[str, Any]) -> None:
    record.save(tmp_path, evidence)
    evidence["claims"]["volume"]["value"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        record.save(tmp_path, evidence)
    assert record.load(tmp_path / "evidence-cpu.json")["claims"]["volume"]["value"] is None


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    record.write(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NuclrError, match="No space left on device"):
        record.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def damaged(evidence: dict[str, Any]) -> dict[str, str]:
    claims = evidence["claims"]
    lacking = {key: value for key, value in claims["volume"].items() if key != "digest"}
    return {
        "half a file": json.dumps(evidence)[:100],
        "a list": "[]",
        "another schema": json.dumps(evidence | {"schema": 2}),
        "no profile": json.dumps({"schema": 1, "claims": {}}),
        "an unknown verdict": json.dumps(evidence | {"claims": claims | {"volume": {"verdict": "fine"}}}),
        "a missing key": json.dumps(evidence | {"claims": claims | {"volume": lacking}}),
        "NaN": json.dumps(evidence | {"updated": float("nan")}),
    }


@pytest.mark.parametrize(
    "how", ["half a file", "a list", "another schema", "no profile", "an unknown verdict", "a missing key", "NaN"]
)
def test_a_damaged_file_is_named(tmp_path: Path, evidence: dict[str, Any], how: str) -> None:
    path = tmp_path / "evidence-cpu.json"
    path.write_text(damaged(evidence)[how], encoding="utf-8")
    with pytest.raises(NuclrError, match=r"The evidence file .*evidence-cpu\.json is not usable"):
        record.last_verdicts(tmp_path)


def test_provenance_says_where_and_never_guesses(tmp_path: Path) -> None:
    assert provenance.gather(tmp_path, "cuda")["device"] == f"{provenance.device()}; networks read on cuda"
    found = provenance.gather(tmp_path)
    assert (found["commit"], found["dirty"]) == (None, None)
    assert {"nuclr", "python", "numpy", "scipy", "pytest"} <= found["versions"].keys()
    assert found["device"].startswith("cpu: ")
    assert " core" in found["device"]
    assert provenance.now().endswith("+00:00")
