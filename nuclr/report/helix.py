"""The helix panel: embeddings along their first three principal components, in space and end on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import FigureBase

from nuclr.report.style import GRID, INK, NUMBERS, SOFT, Canvas, canvas

AZIMUTH, ELEVATION = np.radians(-62.0), np.radians(20.0)
STRETCH = 2.6  # length of PC0 over that of PC1 and PC2 in the still: long enough to tell the turns apart


def helix(arrays: Mapping[str, np.ndarray], options: Mapping[str, Any], title: str, new: Canvas = canvas) -> FigureBase:
    """`axes` (k x 3: PC0, PC1, PC2) at `numbers` (k integers), and the fitted `curve` (m x 3) where there is one.

    Left a still in three dimensions, right the plane of PC1 and PC2. Raises KeyError with what is missing.
    """
    numbers, points = np.asarray(arrays["numbers"]), np.asarray(arrays["axes"], dtype=float)
    curve = np.asarray(arrays["curve"], dtype=float) if "curve" in arrays else None
    symbol = options["symbol"]
    figure = new(9.4, 4.1)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    figure.suptitle(title, x=0.005, ha="left", fontsize=10, fontweight="bold")
    _still(left, numbers, points, curve, symbol)
    _plane(right, numbers, points, curve, symbol)
    if options.get("fit"):
        left.text(0, -0.02, options["fit"], transform=left.transAxes, fontsize=8.5, color=SOFT, va="top")
    return figure


def _still(axes: Axes, numbers: np.ndarray, points: np.ndarray, curve: np.ndarray | None, symbol: str) -> None:
    centre = (points.max(axis=0) + points.min(axis=0)) / 2
    span = np.ptp(points, axis=0)
    wide = max(span[1], span[2])
    scale = np.array([STRETCH / span[0], 1 / wide, 1 / wide])  # a circle in PC1 and PC2 stays a circle

    def project(xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _project((xyz - centre) * scale)

    box = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * np.array([STRETCH, 1, 1]) * 0.54
    flat, _ = _project(box)
    for one, other in ((0, 2), (0, 4), (2, 6), (4, 6), (2, 3), (6, 7), (3, 7)):  # the floor and the wall behind
        axes.plot(*flat[[one, other]].T, color=GRID, linewidth=0.8)
    for one, other, label, shift in (
        (0, 4, "PC0 (not to scale)", (0, -10)),
        (4, 6, "PC1", (14, -6)),
        (6, 7, "PC2", (14, 0)),
    ):
        axes.annotate(
            label,
            flat[[one, other]].mean(axis=0),
            xytext=shift,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8.5,
            color=SOFT,
        )
    if curve is not None:
        axes.plot(*project(curve)[0].T, color=INK, linewidth=0.9, alpha=0.55)
    flat_points, depth = project(points)
    near = (depth - depth.min()) / (np.ptp(depth) or 1.0)
    along = points * [1, 0, 0] + centre * [0, 1, 1]
    _chain(axes, flat_points, numbers, sizes=10 + 26 * near, symbol=symbol, axis=project(along)[0], levels=2)
    axes.set_aspect("equal")
    axes.margins(0.05)
    axes.axis("off")


def _plane(axes: Axes, numbers: np.ndarray, points: np.ndarray, curve: np.ndarray | None, symbol: str) -> None:
    if curve is not None:
        axes.plot(curve[:, 1], curve[:, 2], color=INK, linewidth=0.9, alpha=0.55)
    middle = np.broadcast_to((points.max(axis=0) + points.min(axis=0))[1:] / 2, (numbers.size, 2))
    _chain(axes, points[:, 1:], numbers, sizes=np.full(numbers.size, 20.0), symbol=symbol, axis=middle, levels=4)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xlabel="PC1", ylabel="PC2")
    axes.margins(0.16)


def _chain(
    axes: Axes, flat: np.ndarray, numbers: np.ndarray, *, sizes: np.ndarray, symbol: str, axis: np.ndarray, levels: int
) -> None:
    """Points (k x 2) joined in order and coloured by number; every tenth named, away from its place on `axis`."""
    order = np.argsort(numbers)
    flat, numbers, sizes, axis = flat[order], numbers[order], sizes[order], axis[order]
    colours = NUMBERS((numbers - numbers.min()) / max(np.ptp(numbers), 1))
    segments = np.stack([flat[:-1], flat[1:]], axis=1)
    axes.add_collection(LineCollection(list(segments), colors=colours[:-1], linewidths=0.9, alpha=0.5))
    axes.scatter(flat[:, 0], flat[:, 1], s=sizes, c=colours, edgecolors=INK, linewidths=0.35, zorder=3)
    for index in np.flatnonzero(numbers % 10 == 0):
        away = flat[index] - axis[index]
        away = away / (np.hypot(*away) or 1.0)
        # Labels of different turns can share a direction: they stand at so many distances in turn.
        offset = away * (9 + 9 * (numbers[index] // 10 % levels))
        axes.annotate(
            f"{symbol} {numbers[index]}" if numbers[index] == 10 else f"{numbers[index]}",
            flat[index],
            xytext=tuple(offset),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8,
            zorder=4,
        )


def _project(xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthographic view of points (k x 3): places on the paper (k x 2) and nearness to the reader (k)."""
    right = np.array([-np.sin(AZIMUTH), np.cos(AZIMUTH), 0.0])
    towards = np.array([np.cos(ELEVATION) * np.cos(AZIMUTH), np.cos(ELEVATION) * np.sin(AZIMUTH), np.sin(ELEVATION)])
    return xyz @ np.stack([right, np.cross(towards, right)], axis=1), xyz @ towards
