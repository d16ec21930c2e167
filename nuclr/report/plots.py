"""A figure of the report as a file of its own: the same panels, drawn from the recorded arrays by the same code."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure, FigureBase

from nuclr import files
from nuclr.errors import NuclrError, unknown
from nuclr.report import figures, gallery, reading, style

FORMATS = (".svg", ".png", ".pdf")
DPI = 200
Part = tuple[Mapping[str, Any], Mapping[str, np.ndarray], int]  # a panel, the arrays of its figure, its place there


def save(evidence_file: Path, wanted: str, out: Path) -> list[str]:
    """Draw the figure `wanted` ("8", "figure-09-order") of the evidence into `out`; the titles of what was drawn.

    A number takes every figure that answers it. Raises NuclrError for another format, an unknown figure, and arrays that
    are missing or do not fit.
    """
    _check(out)
    evidence, _ = reading.read(evidence_file)
    known = {figure["id"]: figure for claim in evidence["claims"].values() for figure in claim["figures_drawn"]}
    chosen = [figure for name, figure in known.items() if _is(name, wanted)]
    if not chosen:
        raise unknown(f"figure in {evidence_file} called", wanted, known)
    parts: list[Part] = []
    for figure in chosen:
        arrays = reading.arrays(evidence_file.parent / figure["arrays"])
        parts += [(panel, arrays, index) for index, panel in enumerate(figure["panels"])]
    write(parts, out, seed=wanted)
    return [figure["title"] for figure in chosen]


def write(parts: Sequence[Part], out: Path, seed: str) -> None:
    """Write the panels on one sheet; `seed` makes the ids of an SVG, so that the same call gives the same bytes."""
    _check(out)
    content = io.BytesIO()
    undated = {"Date": None} if out.suffix == ".svg" else None
    with matplotlib.rc_context({**style.RC, "svg.hashsalt": seed}):
        sheet(parts).savefig(content, format=out.suffix[1:], dpi=DPI, facecolor="white", metadata=undated)
    files.write(out, content.getvalue())


def sheet(parts: Sequence[Part]) -> Figure:
    """All panels on one figure: a wide one fills a row, two others share one."""
    sizes = [figures.paint(*part).get_size_inches() for part in parts]  # type: ignore[attr-defined]
    places = list(range(len(parts)))
    rows: list[list[int]] = []
    for wide, group in groupby(places, key=lambda place: parts[place][0]["kind"] in figures.WIDE):
        members, beside = list(group), 1 if wide else 2
        rows += [members[start : start + beside] for start in range(0, len(members), beside)]
    heights = [max(sizes[place][1] for place in row) for row in rows]
    width = max(sum(sizes[place][0] for place in row) for row in rows)
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    for strip, row in zip(
        figure.subfigures(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0], rows, strict=True
    ):
        widths = [sizes[place][0] for place in row]
        spare = [width - sum(widths)] if width - sum(widths) > 0.1 else []
        cells = strip.subfigures(1, len(row) + len(spare), squeeze=False, width_ratios=[*widths, *spare])[0]
        for place, cell in zip(row, cells, strict=False):
            figures.paint(*parts[place], new=_into(cell))
    return figure


def _check(out: Path) -> None:
    if out.suffix not in FORMATS:
        raise NuclrError(f"{out} is no picture that can be written: end it in {', '.join(FORMATS)}.")


def _into(cell: FigureBase) -> style.Canvas:
    return lambda _width, _height: cell


def _is(name: str, wanted: str) -> bool:
    found = gallery.ID.fullmatch(name)
    return name == wanted or (wanted.isdigit() and found is not None and int(found[1]) == int(wanted))
