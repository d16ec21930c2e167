"""The explorers get the recorded numbers, and a helix as the parts that the sliders change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nuclr.report import cards, explore, page

from . import sample, sample_figures


def curve(angle: float, turn: np.ndarray) -> np.ndarray:
    t = np.linspace(0, 1, 300)
    line = np.outer(t - 0.5, [4.0, 0.3, 0.0]) + np.array([1.0, 2.0, 3.0])
    return line + 0.7 * (np.outer(np.cos(angle * t), turn[0]) + np.outer(np.sin(angle * t), turn[1]))


@pytest.mark.parametrize("angle", [5.0, 26.0])
def test_a_helix_is_taken_apart_and_put_together(angle: float) -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    points = curve(angle, turn)
    found = explore.helix_of(points)
    assert found is not None
    assert found["angle"] == pytest.approx(angle, rel=1e-3)
    assert found["step"] == pytest.approx([4.0, 0.3, 0.0], abs=1e-2)
    t = np.linspace(0, 1, 300)
    again = np.array(found["centre"]) + np.outer(t - 0.5, found["step"])
    again = (
        again + np.outer(np.cos(found["angle"] * t), found["cos"]) + np.outer(np.sin(found["angle"] * t), found["sin"])
    )
    assert np.abs(again - points).max() < 0.01


def test_what_is_no_helix_is_none() -> None:
    rng = np.random.default_rng(1)
    assert explore.helix_of(rng.normal(size=(300, 3))) is None
    assert explore.helix_of(np.outer(np.arange(20.0), [1.0, 2.0, 3.0])) is None
    assert explore.helix_of(np.zeros((3, 3))) is None


def made(folder: Path, evidence: dict[str, Any]) -> Any:
    found = [cards.card(name, claim, folder, "cpu", folder) for name, claim in evidence["claims"].items()]
    return explore.explorers(found, folder)


def test_every_recorded_helix_and_chart_can_be_explored(tmp_path: Path) -> None:
    sample.write(tmp_path)
    found = made(tmp_path, sample.evidence())
    data = json.loads(found["data"])
    assert [(one["claim"], one["title"]) for one in data["helices"]] == [("Z and N lie on a helix", "Embeddings of Z")]
    assert len(data["helices"][0]["points"]) == len(data["helices"][0]["numbers"]) == 118
    assert len(data["charts"]) == 2
    assert all(len(one["z"]) == len(one["n"]) == len(one["value"]) for one in data["charts"])
    assert "<" not in found["data"]


def test_without_recorded_arrays_there_is_nothing_to_explore(tmp_path: Path) -> None:
    assert made(tmp_path, sample.evidence()) is None


def test_a_landscape_is_there_with_every_n_and_what_is_known(tmp_path: Path) -> None:
    sample.write(tmp_path)
    found = made(tmp_path, sample.evidence())
    (one,) = json.loads(found["data"])["landscapes"]
    assert one["n"] == list(range(20, 101, 10))
    assert [len(field) for field in one["energy"]] == [225] * 9
    assert one["per_nucleon"][4][16] == pytest.approx(
        sample_figures.figures()["ring-is-stability"][1]["0.per_nucleon"][4, 1, 1], rel=1e-3
    )
    assert one["most_bound"][0] in one["known"][0]
    assert set(one["ring"]) == {"energy", "per_nucleon"}
    assert [card["id"] for card in found["sources"]] == ["ring-is-stability"]


def without(figure: dict[str, Any], folder: Path, **changed: Any) -> None:
    """Write the arrays of a figure again with some changed, or without (None)."""
    with np.load(folder / figure["arrays"]) as stored:
        arrays = {**stored, **{f"0.{key}": value for key, value in changed.items()}}
    np.savez(folder / figure["arrays"], **{key: value for key, value in arrays.items() if value is not None})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"energy": None}, "lacks 'energy'"),
        ({"known": np.ones((2, 2))}, "'known' should be numbers of the shape (9, 118)"),
        ({"energy": np.full((9, 15, 15), np.nan)}, "'energy' should be numbers"),
        ({"n": np.arange(9)}, "does not fit its arrays"),
        ({"most_bound": np.full(9, 500)}, "'most_bound' should be numbers from 1 to 118"),
    ],
)
def test_a_malformed_landscape_is_told_and_not_explored(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    sample.write(tmp_path)
    evidence = sample.evidence("ring-is-stability", "semf-misses-shells")
    without(evidence["claims"]["ring-is-stability"]["figures_drawn"][0], tmp_path, **changed)
    html = page.build(evidence, tmp_path).replace("&#39;", "'")
    assert message in html
    assert "The latent topography with a slider for N cannot be shown: this evidence has none" in html
    assert '"landscapes":[]' in html


def test_a_landscape_that_does_not_say_what_it_shows_is_told(tmp_path: Path) -> None:
    sample.write(tmp_path)
    evidence = sample.evidence("ring-is-stability", "semf-misses-shells")
    del evidence["claims"]["ring-is-stability"]["figures_drawn"][0]["panels"][0]["options"]["along"]
    assert "lacks &#39;along&#39;" in page.build(evidence, tmp_path)


def test_a_helix_with_a_gap_is_drawn_and_not_explored(tmp_path: Path) -> None:
    sample.write(tmp_path)
    evidence = sample.evidence("helix", "semf-misses-shells")
    axes = sample_figures.figures()["helix"][1]["0.axes"].copy()
    axes[3] = np.nan
    without(evidence["claims"]["helix"]["figures_drawn"][0], tmp_path, axes=axes)
    assert '"helices":[]' in page.build(evidence, tmp_path)
