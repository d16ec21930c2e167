"""Figures from recorded arrays, as inline SVG that takes its colours from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure, FigureBase

from nuclr.errors import NuclrError, unknown
from nuclr.report import helix, landscape, panels, style
from nuclr.report.inline import inline

Arrays = Mapping[str, np.ndarray]
Painter = Callable[[Mapping[str, np.ndarray], Mapping[str, Any], str, style.Canvas], FigureBase]

PAINTERS: dict[str, Painter] = {
    "chart": panels.chart,
    "lines": panels.lines,
    "heatmap": panels.heatmap,
    "helix": helix.helix,
    "plane": panels.plane,
    "bars": panels.bars,
    "landscape": landscape.landscape,
}
WIDE = {"helix", "landscape"}  # kinds that fill a row by themselves


@dataclass(frozen=True)
class Drawn:
    """A panel as an `<svg>` element with its id and its size in CSS pixels; a wide one fills a row by itself."""

    id: str
    svg: str
    width: float
    height: float
    wide: bool


def draw(figure_panels: Sequence[Mapping[str, Any]], arrays: Arrays, name: str = "figure") -> list[Drawn]:
    """The panels of a figure in order, for a page to set side by side or to stack.

    `figure_panels` are mappings with `kind`, `title` and `options`; `arrays` has the keys "<panel index>.<array name>".
    `name` makes the ids unique among the figures of one page and seeds them: the same call gives the same bytes.
    Raises NuclrError for an unknown kind and for an array or option that a panel needs and does not have.
    """
    name = re.sub(r"[^\w-]", "-", name)
    return [_panel(panel, arrays, index, f"{name}-{index}") for index, panel in enumerate(figure_panels)]


def paint(panel: Mapping[str, Any], arrays: Arrays, index: int, new: style.Canvas = style.canvas) -> FigureBase:
    """Draw the panel at place `index` of its figure onto what `new` gives; raises as `draw` does."""
    kind, title, options = panel["kind"], panel.get("title") or "", panel.get("options") or {}
    if kind not in PAINTERS:
        raise unknown("kind of panel", kind, PAINTERS)
    own = {key.removeprefix(f"{index}."): value for key, value in arrays.items() if key.startswith(f"{index}.")}
    try:
        return PAINTERS[kind](own, options, title, new)
    except KeyError as missing:
        raise NuclrError(
            f"Panel {index} ({kind}, {title!r}) lacks {missing}: record it and judge the claim again."
        ) from missing
    except (ValueError, IndexError, TypeError, AttributeError) as trouble:
        raise NuclrError(
            f"Panel {index} ({kind}, {title!r}) does not fit its arrays ({trouble}): judge the claim again."
        ) from trouble


def _panel(panel: Mapping[str, Any], arrays: Arrays, index: int, name: str) -> Drawn:
    buffer = io.StringIO()
    with matplotlib.rc_context({**style.RC, "svg.hashsalt": name}):
        figure = paint(panel, arrays, index)
        assert isinstance(figure, Figure)
        metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
        FigureCanvasSVG(figure).print_svg(buffer, metadata=metadata)
    wide, (width, height) = panel["kind"] in WIDE, figure.get_size_inches() * 96
    svg = inline(buffer.getvalue(), name, "panel wide" if wide else "panel", (width, height))
    return Drawn(name, svg, round(width), round(height), wide)
