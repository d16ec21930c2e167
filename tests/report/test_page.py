"""The page says what the evidence says, all of it, and reaches for nothing outside itself."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from nuclr.errors import NuclrError
from nuclr.report import page, slips, words

from . import sample

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Outline(HTMLParser):
    """Open tags, in order; fails on a tag that closes another one than the last open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    parser.close()
    return parser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    sample.write(folder)
    return folder


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    assert page.write(folder / "evidence.json", folder / "out" / "index.html", golden=folder / "golden") == []
    return (folder / "out" / "index.html").read_text(encoding="utf-8")


def tiny() -> dict[str, Any]:
    """Evidence of one claim, never judged, without figures."""
    evidence = sample.evidence()
    evidence["claims"] = {"few-pcs": evidence["claims"]["few-pcs"]}
    evidence["problems"] = []
    return evidence


def test_tags_are_balanced_and_ids_are_unique(html: str) -> None:
    parsed = outline(html)
    assert parsed.open == []
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_html_is_valid(html: str) -> None:
    from justhtml import JustHTML

    assert JustHTML(html, collect_errors=True).errors == []


def test_every_link_and_label_has_its_target(html: str) -> None:
    tags = outline(html).tags
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    for _, attributes in tags:
        href = attributes.get("href")
        if href and not href.startswith("data:image/png;base64,"):
            assert href.removeprefix("#") in ids
        assert attributes.get("aria-labelledby") in ids | {None}


def test_nothing_outside_is_needed(html: str) -> None:
    assert not re.search(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", html)
    assert not re.search(r"url\(\s*['\"]?(?!#)|@import|<script src|<link| style=", html)
    assert len(html.encode()) < 3_000_000


def test_the_first_sentence_counts_the_verdicts(html: str) -> None:
    heading = re.search(r"<h1>(.*?)</h1>", html, re.DOTALL)
    assert heading
    assert outline(heading[0]).text.replace(" ,", ",") == (
        "8 of 11 judged claims reproduced, 1 not reproduced, 2 inconclusive; 1 ended in an error, 17 not run"
    )


def test_every_claim_is_there_with_its_verdict_and_bound(html: str) -> None:
    for name, claim in sample.evidence()["claims"].items():
        row = re.search(
            rf'<tr class="[a-z-]+" role="row">\s*<th scope="row"(?:(?!</tr>).)*#claim-{name}"(.*?)</tr>',
            html,
            re.DOTALL,
        )
        assert row, name
        assert claim["verdict"] in outline(row[1].split("</th>", 1)[1]).text
        assert html.count(f'id="claim-{name}"') == 1


def test_a_card_tells_value_interval_control_runs_and_command(html: str) -> None:
    card = html[html.index('id="claim-helix"') : html.index('id="claim-volume-pc"')]
    text = outline(card[card.index(">") + 1 : card.index("</article>")]).text
    for expected in (
        "Section 5.1, Figures 1, 8 and 14",
        "0.193",
        "0.118 to 0.268",
        "stayed outside the bound",
        "Shown beside, not judged",
        "0.958, 0.949, 0.961",
        "0f3a9c41b2",
        "20000",
        "1 min 58 s",
        "python -m pytest claims/test_helix.py::test_helix --profile cpu",
    ):
        assert expected in text, expected
    assert 'aria-label="A helix of about four turns' in card


def test_a_card_tells_what_hangs_on_the_tolerance(html: str) -> None:
    text = outline(html).text
    assert "Half as wide: inconclusive ; twice as wide: reproduced . The bound is then > 0.975, or > 0.9." in text
    assert "None to change: the bound is a sign." in text


def test_a_card_tells_how_often_it_was_looked_at_and_what_would_decide_it(html: str) -> None:
    text = outline(html).text
    assert "5, at look 1 of at most 3; every interval has a confidence of 98.3 % for that." in text
    assert "12, at look 3 of at most 3" in text
    assert "About 31 would decide it, if the estimate stays where it is." in text
    assert "no number of seeds in reach would decide it" in text


def test_evidence_of_before_there_were_tolerances(tmp_path: Path) -> None:
    evidence = sample.evidence()
    for claim in evidence["claims"].values():
        claim.pop("tolerance")
        for measure in claim["measures"]:
            measure.pop("tolerance", None)
    text = outline(page.build(evidence, tmp_path)).text
    assert "Half as wide" not in text
    assert "not recorded" in text


def test_headings_are_in_order(html: str) -> None:
    levels = [int(tag[1]) for tag, _ in outline(html).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_tables_have_headers(html: str) -> None:
    tags = outline(html).tags
    assert all("scope" in attributes for tag, attributes in tags if tag == "th")
    assert sum(tag == "table" for tag, _ in tags) == html.count("<thead")


def test_the_same_evidence_gives_the_same_bytes(folder: Path, html: str) -> None:
    assert page.build(sample.evidence(), folder, golden=folder / "golden") == html


def test_the_policy_lets_in_what_is_on_the_page_and_nothing_else(html: str) -> None:
    policy = html[html.index('content="default-src') :].split('"')[1]
    assert policy.startswith("default-src &#39;none&#39;; img-src data:; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy


def test_a_small_page_has_all_but_the_explorers(folder: Path, html: str) -> None:
    small = page.build(sample.evidence(), folder, golden=folder / "golden", small=True)
    assert "<script" in html
    assert "<script" not in small
    assert len(small) < len(html)
    kept = outline(small).text
    assert all(claim["title"] in kept for claim in sample.evidence()["claims"].values())
    assert "Look around" in outline(html).text
    assert "Look around" not in kept


def test_the_slips_of_the_paper_are_there_word_for_word_and_closed(html: str) -> None:
    section = html[html.index('aria-labelledby="slips"') : html.index("<footer>")]
    assert "<details open" not in section
    plain = " ".join(re.sub(r"<[^>]+>", "", unescape(section)).split())
    for slip in slips.load():
        for sentences in (slip.title, *slip.sentences.values()):
            assert words.signs(sentences).replace("`", "") in plain, slip.id
        assert all(f'href="#claim-{claim}"' in section for claim in slip.claims)


def test_text_of_the_evidence_is_escaped(folder: Path) -> None:
    evidence = tiny()
    claim = evidence["claims"]["few-pcs"]
    for key in ("title", "statement", "where", "why", "reason"):
        claim[key] = '<script>alert("x")</script> `<b>`'
    claim["measures"][0]["label"] = "<img src=x>"
    evidence["problems"] = ["`<i>` failed"]
    html = page.build(evidence, folder)
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "<code>&lt;i&gt;</code> failed" in html
    assert outline(html).open == []


def test_a_page_without_figures_or_results(tmp_path: Path) -> None:
    html = page.build(tiny(), tmp_path)
    text = outline(html).text
    assert "No claim was judged" in text
    assert "1 not run" in text
    assert "components of the penultimate layer needed to beat the SEMF ≤ 10 components" in text
    assert "<figure" not in html


def test_missing_arrays_are_told_in_words(tmp_path: Path) -> None:
    text = outline(page.build(sample.evidence(), tmp_path)).text
    assert "its arrays file helix.figure-08.npz is missing; judge the claim again to record it." in text
    assert "8 of 11 judged claims reproduced" in text


def test_damaged_arrays_are_told_in_words(tmp_path: Path) -> None:
    file = tmp_path / "arrays" / "cpu" / "helix.figure-08.npz"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"PK\x03\x04 not an archive")
    assert "its arrays file helix.figure-08.npz cannot be read" in outline(page.build(sample.evidence(), tmp_path)).text


def _without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def remove(evidence: dict[str, Any]) -> None:
        inner: Any = evidence
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]

    return remove


def _with(value: Any, *path: str | int) -> Callable[[dict[str, Any]], None]:
    def put(evidence: dict[str, Any]) -> None:
        inner: Any = evidence
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value

    return put


DAMAGED = [
    (_without("claims"), "claims is missing"),
    (_without("paper", "arxiv"), "paper.arxiv is missing"),
    (_with(2, "schema"), "schema should be 1 and is 2"),
    (_with("helix", "claims"), "claims should be an object"),
    (_with({"versions": "new"}, "provenance"), "provenance.versions should be an object"),
    (_without("claims", "helix", "verdict"), "claims.helix.verdict is missing"),
    (_with("passed", "claims", "helix", "verdict"), "claims.helix.verdict should be one of reproduced"),
    (_without("claims", "helix", "measures", 1, "bound"), "claims.helix.measures[1].bound is missing"),
    (_without("claims", "helix", "measures", 0, "values"), "claims.helix.measures[0].values is missing"),
    (_with("0.2", "claims", "helix", "measures", 0, "value"), "claims.helix.measures[0].value should be a number"),
    (_with([0.1], "claims", "helix", "measures", 0, "interval"), "claims.helix.measures[0].interval should hold two"),
    (_with({"above": "x"}, "claims", "helix", "measures", 0, "bound"), "claims.helix.measures[0].bound should hold"),
    (_with({"half": 1}, "claims", "helix", "tolerance"), "claims.helix.tolerance.half should be text"),
    (_without("claims", "helix", "looks", "undecided"), "claims.helix.looks.undecided is missing"),
    (_without("claims", "helix", "runs", 0, "fingerprint"), "claims.helix.runs[0].fingerprint is missing"),
    (_with("long", "claims", "helix", "runs", 0, "seconds"), "claims.helix.runs[0].seconds should be a number"),
    (_without("claims", "helix", "figures_drawn", 0, "alt"), "claims.helix.figures_drawn[0].alt is missing"),
    (_with([], "claims", "helix"), "claims.helix should be an object"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGED, ids=[message for _, message in DAMAGED])
def test_malformed_evidence_gives_a_page_that_says_what_is_missing(
    tmp_path: Path, damage: Callable[[dict[str, Any]], None], message: str
) -> None:
    evidence = sample.evidence()
    for claim in evidence["claims"].values():
        claim["figures_drawn"] = (
            claim["figures_drawn"] if claim["title"] == evidence["claims"]["helix"]["title"] else []
        )
    damage(evidence)
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps(evidence), encoding="utf-8")
    (trouble,) = page.write(file, tmp_path / "index.html")
    assert message in trouble
    assert str(file) in trouble
    told = outline((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert told.open == []
    assert "This page is not complete" in told.text
    assert message in told.text.replace(" .", ".")


def test_a_damaged_claim_is_an_error_and_leaves_the_others_alone(tmp_path: Path) -> None:
    evidence = sample.evidence()
    evidence["claims"]["helix"]["measures"][0]["values"] = "many"
    text = outline(page.build(evidence, tmp_path)).text
    assert "7 of 10 judged claims reproduced" in text
    assert "2 ended in an error" in text
    assert "Z and N lie on a helix" in text


def test_a_file_cut_short_is_named(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    file.write_text((folder / "evidence.json").read_text(encoding="utf-8")[:5000], encoding="utf-8")
    (trouble,) = page.write(file, tmp_path / "index.html")
    assert "cannot be read" in trouble
    assert str(file) in trouble
    text = outline((tmp_path / "index.html").read_text(encoding="utf-8")).text
    assert "No claim was judged" in text
    assert "cannot be read" in text


def test_absent_evidence_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NuclrError, match="python -m pytest claims"):
        page.write(tmp_path / "evidence.json", tmp_path / "index.html")
