"""Every kind of panel becomes an SVG that a page can hold beside others."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from nuclr.errors import NuclrError
from nuclr.report import figures, panels
from nuclr.report.inline import inline

from . import sample_figures

SAMPLES = sample_figures.figures()
EXPECTED = {
    "dataset": ["Binding energy per nucleon", "binding energy per nucleon (MeV)", "neutrons N", "protons Z", "126"],
    "semf-misses-shells": ["Data − SEMF", "residual (MeV)", "Against N", "82", "SEMF"],
    "helix": ["Embeddings of Z", "Z 10", "110", "PC1", "PC2", "fit: 3.9 turns, pitch 30.1, radius 1.10, R² 0.96"],
    "order-tracks-validation": ["train", "validation", "step", "RMS (keV)", "1000", "100000", "SEMF 7928"],
    "modular-circle": ["At the end", "PC0", "30", "place on the circle", "Means", "answer"],
    "pairing-pc": ["pairing", "PC9", "cosine", "0.81", "−0.35"],
    "ring-is-stability": ["Over PC1 and PC2", "N = 60, most bound Z = 43", "Tc", "PC1", "energy per nucleon (MeV)"],
    "multi-task": ["binding", "qbm_n", "test RMS, joint over single", "equal"],
}


def draw(panels: list[dict[str, Any]], arrays: dict[str, np.ndarray], name: str = "figure") -> str:
    return "\n".join(panel.svg for panel in figures.draw(panels, arrays, name))


def drawn(claim: str, name: str = "figure") -> str:
    figure, arrays = SAMPLES[claim]
    return draw(figure["panels"], arrays, name)


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(f"<page>{svg}</page>")
    return ["".join(element.itertext()).strip() for element in root.iter("text")]


def test_the_samples_cover_every_kind() -> None:
    assert {panel["kind"] for figure, _ in SAMPLES.values() for panel in figure["panels"]} == set(figures.PAINTERS)


@pytest.mark.parametrize("claim", EXPECTED)
def test_labels_and_numbers_are_selectable_text(claim: str) -> None:
    assert set(EXPECTED[claim]) <= set(texts(drawn(claim)))


def test_arrays_of_different_lengths_are_an_error() -> None:
    panel = {"kind": "chart", "title": "C", "options": {"label": "x"}}
    with pytest.raises(NuclrError, match=r"Panel 0 \(chart, 'C'\) does not fit its arrays"):
        figures.draw([panel], {"0.z": np.arange(3), "0.n": np.arange(3), "0.value": np.arange(4.0)})


@pytest.mark.parametrize("claim", EXPECTED)
def test_one_svg_a_panel_and_the_same_bytes_twice(claim: str) -> None:
    svg = drawn(claim)
    assert svg.count("<svg") == len(SAMPLES[claim][0]["panels"])
    assert svg == drawn(claim)


def test_ids_of_two_figures_do_not_clash() -> None:
    drawings = [drawn("multi-task", name) for name in ("one", "two")]
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in drawings]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, own in zip(drawings, ids, strict=True):
        assert set(re.findall(r'(?:url\(|href=")#([^")]+)', svg)) <= own


def test_ink_comes_from_the_page_and_no_style_leaks_into_it() -> None:
    svg = drawn("pairing-pc")
    assert "currentColor" in svg
    assert "style" not in svg  # neither the element nor the attribute, which a strict content policy forbids
    assert "<metadata" not in svg


def test_three_thousand_nuclei_stay_small() -> None:
    assert SAMPLES["semf-misses-shells"][1]["0.z"].size > 3000
    assert len(drawn("semf-misses-shells")) < 200_000


def test_text_is_escaped() -> None:
    svg = draw(
        [{"kind": "bars", "title": "<script>x & y</script>", "options": {"labels": ["$a$"], "xlabel": "<b>"}}],
        {"0.value": np.array([1.0])},
        "name with <odd> letters",
    )
    assert "<script>" not in svg
    assert {"<script>x & y</script>", "$a$", "<b>"} <= set(texts(svg))


def test_a_cell_without_a_value_stays_empty() -> None:
    options = {"rows": ["a"], "columns": ["b", "c"], "label": "value"}
    panel = {"kind": "heatmap", "title": "", "options": options}
    shown = texts(draw([panel], {"0.value": np.array([[0.25, np.nan]])}))
    assert shown.count("0.25") >= 1
    assert not any("nan" in text for text in shown)


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(NuclrError, match="heatmap"):
        figures.draw([{"kind": "heatmp", "title": "", "options": {}}], {})


def test_a_missing_array_is_named() -> None:
    with pytest.raises(NuclrError, match=r"Panel 0 \(helix, 'H'\) lacks 'axes'"):
        figures.draw([{"kind": "helix", "title": "H", "options": {"symbol": "Z"}}], {"0.numbers": np.arange(3)})


def test_what_siblings_share_is_said_once_and_nothing_else_changes() -> None:
    drawn = inline(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{MANY}</svg>', "x", "panel", (9, 9))
    assert drawn.count("<g ") == 1
    assert '<g stroke="#123456" stroke-width="2"><path d="M0 0L1 1" fill="#000000"/>' in drawn
    assert drawn.count('<path d="M9 9" stroke="#abcdef"/>') == 1


MANY = (
    "".join(
        f'<path d="M0 0 L {i} 1" style="fill: #00000{i - 1}; stroke: #123456; stroke-width: 2"/>' for i in range(1, 6)
    )
    + '<path d="M9 9" style="stroke: #abcdef"/>'
)


@pytest.mark.parametrize("far", [-100.0, 100.0])
def test_a_far_value_does_not_wash_out_a_chart(far: float) -> None:
    values = np.append(np.linspace(1, 2, 200), far)
    assert panels.limits(values, diverging=False) == pytest.approx((1, 2), abs=0.05)
    assert panels.limits(values[:-1], diverging=False) == (1, 2)
