"""Every run's training curves in the page: seeds together by name, and words where there is nothing to draw."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nuclr.report import curves, page

from . import sample
from .sample_figures import curves as samples


def run(name: str, seed: int, quantity: str = "RMS of binding", unit: str = "keV") -> dict[str, Any]:
    told = {"arrays": f"{name}-{seed}.npz", "quantity": quantity, "unit": unit}
    return {"fingerprint": f"{name}{seed}", "name": name, "seed": seed, "curve": told}


def trainings(folder: Path, *runs: dict[str, Any], **arrays: Any) -> list[curves.Training]:
    """The trainings of `runs`, used by two claims; each has the sample curve with `arrays` in place of some (None: without)."""
    for one in runs:
        drawn = samples()["embeddings"] | arrays
        np.savez(folder / f"{one['name']}-{one['seed']}.npz", **{k: v for k, v in drawn.items() if v is not None})
    return curves.trainings([{"runs": list(runs)}, {"runs": list(runs[:1])}], folder)


def test_seeds_share_a_plot_and_a_run_of_two_claims_is_drawn_once(tmp_path: Path) -> None:
    joint, single = trainings(tmp_path, run("joint", 0), run("joint", 1), run("single", 0))
    assert (joint.name, len(joint.runs), single.name, len(single.runs)) == ("joint", 2, "single", 1)
    assert joint.place != single.place
    assert [plot.title for plot in joint.plots] == ["RMS of binding (keV)", "order of PC0", "parity split R_P"]
    assert [line.number for line in joint.plots[0].lines] == [1, 1, 2, 2]
    assert joint.ends == "validation RMS 1140 keV"
    assert joint.rows[0] == ("0", "715.6 keV", "1141 keV", *joint.rows[1][3:])
    assert joint.troubles == []


def test_a_path_goes_where_the_numbers_go(tmp_path: Path) -> None:
    (found,) = trainings(tmp_path, run("joint", 0))
    numbers = [int(text) for text in re.findall(r"-?[0-9]+", found.plots[0].lines[0].path)]
    places = np.cumsum(np.reshape(numbers, (-1, 2)), axis=0)
    step, train = samples()["embeddings"]["step"], samples()["embeddings"]["train"]
    assert places[:, 0] == pytest.approx(1000 * np.log10(step) / np.log10(step[-1]), abs=1)
    assert np.corrcoef(places[:, 1], np.log10(train))[0, 1] < -0.999  # up is a smaller number
    assert places.min() >= 0
    assert places.max() <= 1000


def test_the_alt_text_states_what_happened(tmp_path: Path) -> None:
    (found,) = trainings(tmp_path, run("joint", 0))
    assert found.plots[0].alt.startswith("RMS of binding (keV) against the step: train from 948000 to 716,")


def test_gaps_are_left_out_and_a_curve_of_gaps_is_not_drawn(tmp_path: Path) -> None:
    values = samples()["embeddings"]["train"].copy()
    values[3] = np.nan
    nothing = np.full(values.size, np.nan)
    (found,) = trainings(tmp_path, run("joint", 0), train=values, validation=nothing)
    assert [line.number for line in found.plots[0].lines] == [1]
    assert "nan" not in found.plots[0].lines[0].path
    assert found.ends == "train RMS 716 keV"
    assert found.rows[0][2] == "–"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"validation": None}, "lacks the array 'validation'"),
        ({"order-N": np.ones(3)}, "lacks the array 'order-N', or one of its length"),
        ({"train": np.full(36, "x")}, "'train' of its training curve is not of numbers"),
        ({"step": np.ones((6, 6))}, "lacks the array 'step'"),
    ],
)
def test_a_malformed_curve_is_told_and_leaves_the_others_alone(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    trainings(tmp_path, run("joint", 0), **arrays)
    np.savez(tmp_path / "joint-1.npz", **samples()["embeddings"])
    (found,) = curves.trainings([{"runs": [run("joint", 0), run("joint", 1)]}], tmp_path)
    (trouble,) = found.troubles
    assert trouble.startswith("Seed 0: ")
    assert message in trouble
    assert len(found.rows) == 1


def test_no_file_and_no_record_are_told_in_words(tmp_path: Path) -> None:
    lost, old = curves.trainings([{"runs": [run("lost", 0), {**run("old", 0), "curve": None}]}], tmp_path)
    assert "its arrays file lost-0.npz is missing" in lost.troubles[0]
    assert "no training curve was recorded; judge the claims again" in old.troubles[0]
    assert lost.plots == old.plots == []


def test_the_page_leads_from_a_run_to_its_training(tmp_path: Path) -> None:
    sample.write(tmp_path)
    html = page.build(sample.evidence("helix"), tmp_path)
    place = re.search(r'<a href="#(training-[0-9]+)">embeddings</a>', html)
    assert place
    assert html.count(f'id="{place[1]}"') == 1
    assert "accuracy" in html
    assert re.search(r"<b>earlier</b>: .*no training curve was recorded", html)
    assert "driver 570.86.15" in html


def test_evidence_of_before_there_were_curves(tmp_path: Path) -> None:
    evidence = sample.evidence()
    for claim in evidence["claims"].values():
        for one in claim["runs"]:
            one.pop("curve", None)
    html = page.build(evidence, tmp_path)
    assert "The training curves cannot be shown: " in html
    assert "no training curve was recorded; judge the claims again to record it." in html
    assert '<a href="#training-' not in html


def test_names_are_escaped(tmp_path: Path) -> None:
    sample.write(tmp_path)
    evidence = sample.evidence("helix")
    for one in evidence["claims"]["helix"]["runs"]:
        one["name"] = '<img src=x onerror="1">'
    html = page.build(evidence, tmp_path)
    assert "<img" not in html
    assert "&lt;img src=x" in html
