"""Figures from recorded arrays, as inline SVG that takes its colours from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from nuclr.errors import NuclrError, unknown
from nuclr.report import helix, panels, style

Arrays = Mapping[str, np.ndarray]
Painter = Callable[[Mapping[str, np.ndarray], Mapping[str, Any], str], Figure]

PAINTERS: dict[str, Painter] = {
    "chart": panels.chart,
    "lines": panels.lines,
    "heatmap": panels.heatmap,
    "helix": helix.helix,
    "plane": panels.plane,
    "bars": panels.bars,
}


def draw(figure_panels: Sequence[Mapping[str, Any]], arrays: Arrays, name: str = "figure") -> str:
    """The SVG of a figure: one `<svg>` element a panel, in order, for a page to set side by side or to stack.

    `figure_panels` are mappings with `kind`, `title` and `options`; `arrays` has the keys "<panel index>.<array name>".
    `name` makes the ids unique among the figures of one page and seeds them: the same call gives the same bytes.
    Raises NuclrError for an unknown kind and for an array or option that a panel needs and does not have.
    """
    name = re.sub(r"[^\w-]", "-", name)
    return "\n".join(_panel(panel, arrays, index, f"{name}-{index}") for index, panel in enumerate(figure_panels))


def _panel(panel: Mapping[str, Any], arrays: Arrays, index: int, name: str) -> str:
    kind, title, options = panel["kind"], panel.get("title") or "", panel.get("options") or {}
    if kind not in PAINTERS:
        raise unknown("kind of panel", kind, PAINTERS)
    own = {key.removeprefix(f"{index}."): value for key, value in arrays.items() if key.startswith(f"{index}.")}
    with matplotlib.rc_context({**style.RC, "svg.hashsalt": name}):
        try:
            figure = PAINTERS[kind](own, options, title)
        except KeyError as missing:
            raise NuclrError(
                f"Panel {index} ({kind}, {title!r}) lacks {missing}: record it and judge the claim again."
            ) from missing
        except (ValueError, IndexError, TypeError) as trouble:
            raise NuclrError(
                f"Panel {index} ({kind}, {title!r}) does not fit its arrays ({trouble}): judge the claim again."
            ) from trouble
        return _inline(figure, name, wide=kind == "helix")


def _inline(figure: Figure, name: str, *, wide: bool) -> str:
    """The figure as one `<svg>` element that may stand in a page beside others.

    What matplotlib writes is made for a file of its own: its ids repeat from figure to figure, its style element
    would reach the whole page, and its colours are fixed. All three are put right here.
    """
    buffer = io.StringIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", text, count=1, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', text))
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r'(url\(|href=")#', rf"\g<1>#{name}-", text)
    for colour, themed in style.THEMED.items():
        text = text.replace(colour, themed)
    css_class = "panel wide" if wide else "panel"
    width, height = (f"{inches * 96:.0f}" for inches in figure.get_size_inches())
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    return text.replace(
        "<svg", f'<svg class="{css_class}" width="{width}" height="{height}" stroke-linejoin="round"', 1
    )
