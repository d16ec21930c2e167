"""The analyses read in two stored networks what they read there before."""

import pytest

import claims.golden_models as golden_models
from claims.golden_models import drifted, recorded

RECORDED = recorded()


@pytest.fixture(scope="module")
def read():
    return golden_models.readings()


def test_what_is_read_is_what_is_recorded(read):
    assert read.keys() == RECORDED.keys(), "record it: python -m claims.golden_models"


@pytest.mark.parametrize("name", RECORDED)
def test_no_analysis_has_drifted(name, read):
    assert not drifted({name: RECORDED[name]}, {name: read.get(name, [])})


def test_a_drift_is_told_with_both_numbers():
    assert drifted({"H": [0.5]}, {"H": [0.5 + 1e-7]}) == []
    assert drifted({"H": [0.5, 3.0]}, {"H": [0.5, 3.1]}) == ["drifted: H was 3 is 3.1 (number 2 of 2)"]
    assert drifted({"H": [0.5]}, {"H": [float("nan")]}) == ["drifted: H was 0.5 is nan"]
    assert drifted({"order along PC0": [0.9]}, {"order along PC0": [0.9 + 1e-9]}) != []
    assert drifted({"R2 of Equation 2": [0.9]}, {"R2 of Equation 2": [0.9 + 1e-5]}) == []


def test_a_reading_that_comes_or_goes_is_a_drift():
    assert drifted({"H": [0.5]}, {"R_P": [1.0, 2.0]}) == [
        "drifted: H was 1 number is not there",
        "drifted: R_P was not there is 2 numbers",
    ]


def test_recording_a_change_is_never_green(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(golden_models, "RECORD", tmp_path / "analyses.json")
    monkeypatch.setattr("sys.argv", ["golden_models.py"])
    found = [{"H": [0.5]}, {"H": [0.6]}, {"H": [0.6]}]
    monkeypatch.setattr(golden_models, "readings", lambda: found.pop(0))
    assert [golden_models.main() for _ in range(3)] == [1, 1, 0]
    assert "drifted: H was 0.5 is 0.6" in capsys.readouterr().out
    assert golden_models.recorded() == {"H": [0.6]}
