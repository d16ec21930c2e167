"""The recorder of one claim: what it takes, what it refuses, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nuclr.errors import NuclrError
from nuclr.verdict import registry
from nuclr.verdict.evidence import Curve, Evidence, Panel
from nuclr.verdict.statistics import EvidenceError, Verdict

from .small_paper import SMALL_PAPER


@pytest.fixture
def claims(tmp_path: Path) -> registry.Registry:
    path = tmp_path / "paper.toml"
    path.write_text(SMALL_PAPER, encoding="utf-8")
    return registry.load(path)


@pytest.fixture
def pair(claims: registry.Registry, tmp_path: Path) -> Evidence:
    return Evidence(claims.claims["pair"], "cpu", tmp_path / "reports")


@pytest.fixture
def volume(claims: registry.Registry, tmp_path: Path) -> Evidence:
    return Evidence(claims.claims["volume"], "cpu", tmp_path / "reports")


def test_all_measures_must_hold(pair: Evidence) -> None:
    pair.measure("second", 1.0, over="nuclide", interval=(0.5, 1.5))
    pair.measure("first", np.float32(2.0), over="exact")
    pair.control("untrained", np.linspace(-2, -1, 5), measures=["first"])
    assert pair.conclude() is Verdict.REPRODUCED
    record = pair.record()
    assert record["reason"] == "Both measures hold. The first: 2 is above 0; the control stays outside."
    first, second = record["measures"]
    assert (first["name"], first["interval"], first["method"]) == ("first", [2.0, 2.0], "exact")
    assert (second["name"], second["interval"], second["method"]) == (
        "second",
        [0.5, 1.5],
        "95 % interval over nuclides",
    )
    (control,) = first["controls"]
    expected = {"label": "untrained", "n": 5, "share_inside": 0.0, "median": -1.5, "outside": True}
    assert {key: control[key] for key in expected} == expected
    assert (control["low"], control["high"]) == pytest.approx((-1.95, -1.05))
    assert second["controls"] == []
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_a_control_is_for_all_measures_unless_told(pair: Evidence) -> None:
    pair.measure("first", 2.0, over="exact")
    pair.measure("second", 1.0, over="exact")
    pair.control("same", [-1.0])
    assert pair.conclude() is Verdict.INCONCLUSIVE  # -1 is not above 0, but it is below 2
    record = pair.record()
    assert record["control"]["outside"] is False
    assert record["reason"].startswith("The second: The control 'same' satisfies the bound too, in 100 % of its values")


def test_the_claim_at_half_and_double_tolerance(volume: Evidence, pair: Evidence) -> None:
    volume.measure("cosine", [0.961, 0.962, 0.961])
    volume.control("untrained", 0.1)
    assert volume.conclude() is Verdict.REPRODUCED
    record = volume.record()
    assert record["tolerance"] == {"half": "not reproduced", "double": "reproduced"}
    assert record["measures"][0]["tolerance"]["half"]["bound_text"] == "> 0.975"
    pair.measure("first", 2.0, over="exact")
    pair.measure("second", 1.5, over="exact")
    pair.control("untrained", -1.0, measures=["first"])
    assert pair.conclude() is Verdict.REPRODUCED
    record = pair.record()
    assert [m["tolerance"].get("none") for m in record["measures"]] == ["the bound is a sign", None]
    assert record["tolerance"] == {"half": "not reproduced", "double": "reproduced"}  # below 1 and below 4 keV


def test_before_the_conclusion_everything_is_an_error(volume: Evidence) -> None:
    volume.measure("cosine", [0.99, 0.99, 0.99])
    record = volume.record()
    assert (record["verdict"], record["value"]) == ("error", None)
    assert record["measures"][0]["verdict"] == "error"


def test_rounding_at_the_end_of_a_range_is_no_error(volume: Evidence) -> None:
    volume.measure("cosine", np.array([1.0, 1.0, 1.0000001]))
    volume.control("untrained", 0.1)
    assert volume.conclude() is Verdict.REPRODUCED
    assert volume.record()["interval"] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([0.9, 0.9], {"over": "exact"}, "has 2 values, over='exact' takes one"),
        ([0.9], {"over": "run"}, "over 'run' needs an interval"),
        ([0.9, 0.9], {"interval": (0.8, 1.0)}, "over 'seed' takes no interval"),
        ([0.9], {"over": "run", "interval": (0.8, float("nan"))}, "The interval of 'cosine' is not finite"),
        ([0.9], {"over": "run", "interval": (0.8,)}, r"must be \(low, high\)"),
        ([-0.1], {}, "cannot occur: its range is 0 to 1"),
        (["good"], {}, "is not made of numbers"),
    ],
)
def test_a_measure_that_makes_no_sense_is_refused(
    volume: Evidence, values: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(EvidenceError, match=message):
        volume.measure("cosine", values, **options)


def test_nothing_is_given_twice(volume: Evidence) -> None:
    volume.measure("cosine", [0.9])
    volume.control("untrained", 0.1)
    with pytest.raises(EvidenceError, match="given twice"):
        volume.measure("cosine", [0.9])
    with pytest.raises(EvidenceError, match="given twice"):
        volume.control("untrained", 0.2)
    with pytest.raises(NuclrError, match="did you mean 'cosine'"):
        volume.control("other", 0.2, measures=["cosin"])


def test_runs_and_notes(volume: Evidence) -> None:
    run = {"fingerprint": "abc", "name": "joint", "seed": np.int64(0), "shape": (1, 2), "where": Path("runs")}
    volume.used(run)
    volume.used(run)
    volume.note("RMS", [np.float32(1.5)], unit="keV")
    record = volume.record()
    assert record["runs"] == [{"fingerprint": "abc", "name": "joint", "seed": 0, "shape": [1, 2], "where": "runs"}]
    assert record["notes"] == [{"label": "RMS", "values": [1.5], "unit": "keV"}]
    volume.remark("It hangs on the weighting.")
    assert volume.record()["remarks"] == ["It hangs on the weighting."]
    with pytest.raises(EvidenceError, match="is empty"):
        volume.remark(" ")
    with pytest.raises(EvidenceError, match="no fingerprint"):
        volume.used({"name": "joint"})
    with pytest.raises(EvidenceError, match="NaN or infinite"):
        volume.used({"fingerprint": "d", "loss": float("nan")})
    with pytest.raises(EvidenceError, match="holds a set"):
        volume.used({"fingerprint": "d", "tags": {1}})


def bars(value: Any = (1.0, 2.0)) -> Panel:
    return Panel("bars", "two", {"value": np.array(value)}, {"labels": ["a", "b"], "xlabel": "x"})


def test_a_figure_leaves_its_arrays_and_says_where(volume: Evidence, tmp_path: Path) -> None:
    numbers = np.arange(5)
    helix = Panel("helix", "Z", {"numbers": numbers, "axes": np.zeros((5, 3))}, {"symbol": "Z"})
    volume.figure("figure-08", title="Helix", caption="A helix.", alt="Points on a helix.", panels=[helix, bars()])
    (drawn,) = volume.record()["figures_drawn"]
    assert drawn["arrays"] == "arrays/cpu/volume.figure-08.npz"
    assert drawn["panels"][0] == {"kind": "helix", "title": "Z", "options": {"symbol": "Z"}}
    with np.load(tmp_path / "reports" / drawn["arrays"], allow_pickle=False) as arrays:
        assert set(arrays) == {"0.numbers", "0.axes", "1.value"}
        np.testing.assert_array_equal(arrays["0.numbers"], numbers)
    with pytest.raises(EvidenceError, match="needs a new name"):
        volume.figure("figure-08", title="", caption="", alt="x", panels=[bars()])
    with pytest.raises(EvidenceError, match="cannot see it"):
        volume.figure("figure-09", title="", caption="", alt=" ", panels=[bars()])


X = np.arange(3.0)
LINES = {"series": [{"key": "a", "label": "A", "style": "line"}], "xlabel": "x", "ylabel": "y"}


@pytest.mark.parametrize(
    ("kind", "arrays", "options", "message"),
    [
        ("chrt", {}, {}, "no kind of panel 'chrt': did you mean 'chart'"),
        ("chart", {"z": X, "n": X, "value": X}, {}, "lacks the option 'label'"),
        ("chart", {"z": X, "n": X, "value": X}, {"label": "x", "lable": 1}, "did you mean 'label'"),
        ("chart", {"z": X, "n": X}, {"label": "x"}, "lacks the array 'value'"),
        ("chart", {"z": X, "n": X, "value": X[:2]}, {"label": "x"}, r"shape \(2,\), it should be \(3,\)"),
        ("chart", {"z": X, "n": X, "value": np.array(["a"] * 3)}, {"label": "x"}, "not an array of numbers"),
        ("lines", {"a.x": X}, LINES, "lacks the arrays 'a.x' and 'a.y'"),
        ("lines", {"a.x": X, "a.y": X, "a.low": X[:1]}, LINES, r"'a.low' of the lines panel '' has the shape \(1,\)"),
        ("heatmap", {"value": np.eye(2)}, {"rows": ["r"], "columns": ["a", "b"], "label": "x"}, r"should be \(1, 2\)"),
        ("helix", {"numbers": X, "axes": np.eye(2)}, {"symbol": "Z"}, r"should be \(3, 3\)"),
        ("bars", {"value": X, "low": X}, {"labels": ["a"], "xlabel": "x"}, r"should be \(1,\)"),
        ("bars", {"value": X[:1]}, {"labels": ["a"], "xlabel": float("nan")}, "NaN or infinite"),
    ],
)
def test_a_panel_that_could_not_be_drawn_is_refused(
    kind: str, arrays: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(NuclrError, match=message):
        Panel(kind, arrays=arrays, options=options)


def test_gaps_in_plotted_arrays_are_kept() -> None:
    assert np.isnan(bars([1.0, np.nan]).arrays["value"][1])


def curve(**changed: Any) -> Curve:
    steps = np.arange(1.0, 4.0)
    arrays = dict.fromkeys(("step", "train", "validation", "at", *STRUCTURE), steps) | changed
    return Curve("RMS of binding", "keV", {name: array for name, array in arrays.items() if array is not None})


STRUCTURE = ("order-Z", "order-N", "parity-Z", "parity-N")


def test_the_training_of_a_run_lies_beside_the_evidence(volume: Evidence, pair: Evidence, tmp_path: Path) -> None:
    for claim in (volume, pair):
        claim.used({"fingerprint": "abc", "name": "joint"}, curve())
    told = {"arrays": "arrays/cpu/run.abc.npz", "quantity": "RMS of binding", "unit": "keV"}
    assert volume.record()["runs"] == pair.record()["runs"] == [{"fingerprint": "abc", "name": "joint", "curve": told}]
    with np.load(tmp_path / "reports" / told["arrays"]) as arrays:
        assert arrays["order-N"].tolist() == [1.0, 2.0, 3.0]
    assert sum(1 for _ in (tmp_path / "reports").rglob("*.npz")) == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"step": None}, "no array 'step'"),
        ({"validation": None}, "no array 'validation'"),
        ({"parity-N": np.ones(2)}, "no array 'parity-N' as long as its 'at'"),
        ({"train": ["a", "b", "c"]}, "not an array of numbers"),
    ],
)
def test_a_curve_that_could_not_be_drawn_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        curve(**changed)


def landscape(**changed: Any) -> Panel:
    arrays = {
        "n": [20, 30],
        "x": np.zeros(3),
        "y": np.zeros(4),
        "energy": np.zeros((2, 4, 3)),
        "per_nucleon": np.zeros((2, 4, 3)),
        "points": np.zeros((5, 2)),
        "known": np.zeros((2, 5), dtype=bool),
        "most_bound": [1, 2],
    }
    options = {"xlabel": "PC1", "ylabel": "PC2", "shown": [20], "first": "energy", "along": "the rest at its mean"}
    changes = {name: value for name, value in changed.items() if name in options}
    return Panel(
        "landscape", "hills", arrays | {k: v for k, v in changed.items() if k not in options}, options | changes
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"energy": np.zeros((2, 3, 4))}, r"'energy' of the landscape panel 'hills' has the shape \(2, 3, 4\)"),
        ({"known": np.zeros((5, 2))}, "'known' of the landscape"),
        ({"ring.energy": np.zeros((1, 2))}, "'ring.energy' of the landscape"),
        ({"shown": [25]}, r"shows N = \[25\]"),
    ],
)
def test_a_landscape_that_could_not_be_drawn_is_refused(changed: dict[str, Any], message: str) -> None:
    landscape()
    with pytest.raises(EvidenceError, match=message):
        landscape(**changed)
