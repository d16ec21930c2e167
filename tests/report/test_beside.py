"""What stands beside a run: golden evidence, another judging, the paper's figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nuclr.report import beside, cards, comparison, gallery, page

from . import sample


def keep(evidence: dict[str, Any], root: Path) -> Path:
    file = root / evidence["profile"] / "evidence.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(evidence), encoding="utf-8")
    return file


def earlier() -> dict[str, Any]:
    """What the sample was before: one more claim reproduced, one measure elsewhere, one claim unknown."""
    found = sample.evidence()
    found["claims"]["shell-pc"]["verdict"] = "reproduced"
    found["claims"]["pairing-pc"]["measures"][0].update(value=0.3, interval=[0.2, 0.4])
    del found["claims"]["few-pcs"]
    return found


def test_a_golden_of_the_same_profile_shows_what_differs(tmp_path: Path) -> None:
    keep(earlier(), tmp_path)
    (column,) = beside.columns(tmp_path, sample.evidence())
    assert (column.title, column.own, column.differing) == ("golden, cpu", True, ["shell-pc"])
    assert [change.measure for change in column.changes] == ["", "cosine"]
    html = page.build(sample.evidence(), tmp_path, golden=tmp_path)
    assert html.count("this run differs") == 1
    assert "commit 6ab7a6be5e, cpu: AMD EPYC 7B13, 2 cores, 24 May 2025, 14:03 UTC" in html
    assert "This run differs in 1 of 11 verdicts; 1 measure has drifted." in " ".join(html.split())


def test_a_golden_of_another_scale_may_differ(tmp_path: Path) -> None:
    keep(earlier() | {"profile": "paper"}, tmp_path)
    (column,) = beside.columns(tmp_path, sample.evidence())
    assert (column.own, column.differing) == (False, [])
    html = page.build(sample.evidence(), tmp_path, golden=tmp_path)
    assert "golden, paper scale" in html
    assert "this run differs" not in html


def test_a_damaged_golden_is_told_and_has_no_column(tmp_path: Path) -> None:
    keep(sample.evidence(), tmp_path).write_text("{", encoding="utf-8")
    html = page.build(sample.evidence(), tmp_path, golden=tmp_path)
    assert "cannot be shown" in html
    assert html.count('data-label="golden') == 0


def test_no_golden_no_column(tmp_path: Path) -> None:
    assert beside.columns(tmp_path, sample.evidence()) == []


def test_a_comparison_puts_changed_verdicts_first() -> None:
    before, after = earlier(), sample.evidence()
    before["claims"]["pairing-pc"].update(value=0.3, interval=[0.2, 0.4])
    rows = comparison.rows(before, after)
    assert [(row.id, row.change) for row in rows[:4]] == [
        ("shell-pc", "another verdict"),
        ("few-pcs", "only in one"),
        ("pairing-pc", "another value"),
        ("dataset", "the same"),
    ]
    assert comparison.told(rows) == "1 of 28 verdicts changed"


def test_the_page_of_a_comparison_names_both_sides(tmp_path: Path) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, evidence in zip(files, (earlier(), sample.evidence()), strict=True):
        file.write_text(json.dumps(evidence), encoding="utf-8")
    rows, troubles = comparison.write(*files, tmp_path / "out.html")
    html = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert troubles == []
    assert len(rows) == 29
    assert "<h1>1 of 28 verdicts changed</h1>" in html
    assert all(str(file) in html for file in files)


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("reports")
    sample.write(folder)
    claims = sample.evidence()["claims"]
    return gallery.entries([cards.card(name, claim, folder, "cpu", folder) for name, claim in claims.items()])


def test_the_gallery_has_all_figures_of_the_paper_in_order(entries: list[dict[str, Any]]) -> None:
    assert [entry["number"] for entry in entries] == list(range(1, 25))
    assert [drawing["title"] for drawing in entries[2]["drawings"]] == ["What the liquid drop misses."]
    assert {claim["id"] for claim in entries[8]["claims"]} >= {"order-tracks-validation", "parity-tracks-validation"}


def test_a_part_of_a_figure_belongs_to_its_number() -> None:
    card = {"id": "a", "figures": [9], "verdict": "reproduced", "drawings": []}
    for name in ("figure-09-order", "figure-09", "figure-9", "figure-91", "ratios"):
        card["drawings"].append({"id": name, "panels": ["drawn"], "trouble": ""})
    assert [drawing["id"] for drawing in gallery.entries([card])[8]["drawings"]] == ["figure-09-order", "figure-09"]


def test_what_is_not_drawn_says_why(entries: list[dict[str, Any]]) -> None:
    why = {entry["number"]: entry["why"] for entry in entries if not entry["drawings"]}
    assert why
    assert all(why.values())
    judged = {
        "id": "a",
        "figures": [2],
        "verdict": "not run",
        "title": "A circle",
        "reason": "never judged",
        "drawings": [],
    }
    assert gallery.entries([judged])[1]["why"] == "“A circle” has no verdict: never judged"
