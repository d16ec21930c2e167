"""The result for machines: JUnit XML and Markdown say what the page says; single figures as files of their own."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from nuclr.errors import NuclrError
from nuclr.report import plots, summaries, training

from . import sample


def test_junit_counts_what_the_page_counts() -> None:
    suite = ElementTree.fromstring(summaries.junit(sample.evidence()))
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "29",
        "failures": "1",
        "errors": "1",
        "skipped": "19",
    }
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    failure = cases["distilled-formula"].find("failure")
    assert failure is not None
    assert failure.get("type") == "not reproduced"
    assert str(failure.get("message")).startswith("not reproduced: RMS of Equation 5")
    assert cases["helix"].find("failure") is None
    skipped = cases["shell-pc"].find("skipped")
    assert skipped is not None
    assert str(skipped.get("message")).startswith("inconclusive: ")


def test_junit_holds_any_text() -> None:
    evidence = sample.evidence()
    evidence["claims"]["helix"].update(verdict="error", reason="a\x00b\x1b <&> \"'")
    ElementTree.fromstring(summaries.junit(evidence))


def test_markdown_has_the_sentence_and_a_row_a_claim() -> None:
    lines = summaries.markdown(sample.evidence(), ["half of it is <missing>"]).splitlines()
    assert lines[0].startswith("## 8 of 11 judged claims reproduced, 1 not reproduced, 2 inconclusive")
    assert "> half of it is &lt;missing>" in lines
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 1 + 29
    assert "| Z and N lie on a helix | ✓ reproduced | 0.193 (0.118 to 0.268) | > 0 | fitted in Equation 2 |" in rows


def test_a_cell_of_markdown_stays_one_cell() -> None:
    evidence = sample.evidence()
    evidence["claims"]["helix"]["title"] = "a | b\n*c* <i>"
    assert "| a \\| b \\*c\\* &lt;i> |" in summaries.markdown(evidence, [])


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.write(tmp_path_factory.mktemp("reports"))


@pytest.mark.parametrize(
    ("name", "figure", "start"),
    [("helix.svg", "8", b"<?xml"), ("three.png", "figure-03", b"\x89PNG"), ("three.pdf", "03", b"%PDF")],
)
def test_a_figure_as_a_file(evidence: Path, tmp_path: Path, name: str, figure: str, start: bytes) -> None:
    assert len(plots.save(evidence, figure, tmp_path / name)) == 1
    assert (tmp_path / name).read_bytes().startswith(start)


def test_the_same_arrays_give_the_same_svg(evidence: Path, tmp_path: Path) -> None:
    written = []
    for name in ("a.svg", "b.svg"):
        plots.save(evidence, "3", tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    assert "²⁰⁸Pb".encode() in written[0]


def test_training_curves_of_two_seeds(tmp_path: Path) -> None:
    keys = ("loss", "train_rms.binding", "validation_rms.binding", "train_rms.random")
    curves = [[{"step": step} | dict.fromkeys(keys, seed / step) for step in (1.0, 10.0, 100.0)] for seed in (1, 3)]
    curves[0].insert(0, {"step": 0.0, **dict.fromkeys(keys, 5.0)})
    assert training.save(curves, {"binding": "keV"}, tmp_path / "training.svg") == ["binding"]
    svg = (tmp_path / "training.svg").read_text(encoding="utf-8")
    assert all(f">{text}<" in svg for text in ("train", "validation", "RMS (keV)", "loss"))


@pytest.mark.parametrize(
    ("figure", "name", "message"),
    [("3", "a.gif", "end it in .svg, .png, .pdf"), ("figure-8", "a.svg", "did you mean 'figure-08'"), ("13", "a.svg", "13")],
)  # fmt: skip
def test_what_cannot_be_drawn_is_one_sentence(
    evidence: Path, tmp_path: Path, figure: str, name: str, message: str
) -> None:
    with pytest.raises(NuclrError, match=message):
        plots.save(evidence, figure, tmp_path / name)
