"""The landscape panel: the predicted energy over two components of Z at a few N, like a map, with the numbers in their places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import FigureBase
from matplotlib.patches import Circle

from nuclr.physics.nuclides import SYMBOLS
from nuclr.report.style import SEQUENTIAL, Canvas, canvas

DARK, LIGHT = "#101010", "#fafafa"  # the map has its own ground, so its ink does not follow the page
LABELS = {"energy": "binding energy (MeV)", "per_nucleon": "energy per nucleon (MeV)"}
LEVELS = 9


def landscape(
    arrays: Mapping[str, np.ndarray], options: Mapping[str, Any], title: str, new: Canvas = canvas
) -> FigureBase:
    """The energy `options["first"]` (k x rows x columns, MeV) over `x` and `y`, at the N of `options["shown"]`.

    `points` (p x 2) are the embeddings of Z = 1 to p: large where `known` (k x p), a triangle at `most_bound` (k). A star is the
    place `ring.<energy>` (k x 2) on the ring of `options["radius"]`. Raises KeyError with what is missing.
    """
    _check(arrays, options)
    name, shown = options["first"], options["shown"]
    places = [np.flatnonzero(arrays["n"] == n)[0] for n in shown]
    figure = new(9.4, 4.05)
    figure.suptitle(title, x=0.005, ha="left", fontsize=10, fontweight="bold")
    maps = np.atleast_1d(figure.subplots(1, len(shown), sharey=True))
    for axes, place in zip(maps, places, strict=True):
        _map(axes, arrays, name, place)
        if options.get("radius"):
            axes.add_patch(
                Circle((0, 0), options["radius"], fill=False, edgecolor=LIGHT, linewidth=1, linestyle=(0, (4, 3)))
            )
        if f"ring.{name}" in arrays:
            x, y = arrays[f"ring.{name}"][place]
            axes.plot(x, y, "*", color=LIGHT, markeredgecolor=DARK, markersize=13, markeredgewidth=0.8, zorder=5)
        axes.set_title(f"N = {arrays['n'][place]}, most bound Z = {arrays['most_bound'][place]}", fontsize=9)
        axes.set_xlabel(options["xlabel"])
    maps[0].set_ylabel(options["ylabel"])
    return figure


def _check(arrays: Mapping[str, np.ndarray], options: Mapping[str, Any]) -> None:
    """Raise KeyError or ValueError unless all is there and fits, also what the still does not show: the explorer does."""
    for name in ("xlabel", "ylabel", "along"):
        options[name]
    many, numbers = arrays["n"].size, len(arrays["points"])
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(LABELS, (many, arrays["y"].size, arrays["x"].size))
    shapes |= {"points": (numbers, 2), "known": (many, numbers), "most_bound": (many,)}
    shapes |= {f"ring.{name}": (many, 2) for name in LABELS if f"ring.{name}" in arrays}
    for name, shape in shapes.items():
        if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name!r} should be numbers of the shape {shape}")
    if not np.isin(arrays["most_bound"], np.arange(1, numbers + 1)).all():
        raise ValueError(f"'most_bound' should be numbers from 1 to {numbers}")


def _map(axes: Axes, arrays: Mapping[str, np.ndarray], name: str, place: int) -> None:
    x, y, height = (np.asarray(values, dtype=float) for values in (arrays["x"], arrays["y"], arrays[name][place]))
    half = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    extent = (x[0] - half[0], x[-1] + half[0], y[0] - half[1], y[-1] + half[1])
    norm = Normalize(height.min(), height.max())
    image = axes.imshow(height, origin="lower", extent=extent, aspect="auto", cmap=SEQUENTIAL, norm=norm)
    axes.contour(x, y, height, levels=LEVELS, colors=DARK, linewidths=0.5, alpha=0.45)
    points, known, most = arrays["points"], arrays["known"][place].astype(bool), int(arrays["most_bound"][place])
    axes.plot(*points.T, color=DARK, linewidth=0.4, alpha=0.5)
    rest = ~known
    axes.scatter(points[rest, 0], points[rest, 1], s=3, color=DARK, linewidths=0)
    known[most - 1] = False
    axes.scatter(points[known, 0], points[known, 1], s=17, color=LIGHT, edgecolors=DARK, linewidths=0.6, zorder=3)
    axes.scatter(
        points[most - 1, 0],
        points[most - 1, 1],
        s=60,
        marker="^",
        color=LIGHT,
        edgecolors=DARK,
        linewidths=0.9,
        zorder=4,
    )
    _labels(axes, points, known, most, lambda at: _ink(height, x, y, at, norm))
    bar: Any = axes.figure.colorbar(image, ax=axes, location="bottom", aspect=30, pad=0.02)
    bar.set_label(LABELS[name])
    bar.outline.set_visible(False)
    bar.solids.set_rasterized(True)
    bar.ax.tick_params(length=2)
    axes.set_xlim(*extent[:2])
    axes.set_ylim(*extent[2:])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _labels(axes: Axes, points: np.ndarray, known: np.ndarray, most: int, ink: Any) -> None:
    """The most bound Z by its symbol, and as many of the known ones by their number as find room."""
    taken: list[np.ndarray] = []
    span = np.ptp(points, axis=0)
    order = [most, *(z for z in range(1, len(points) + 1) if known[z - 1] and z % 2 == 0)]
    for z in order:
        at = points[z - 1] / span
        if any((np.abs(at - other) < (0.11, 0.065)).all() for other in taken):
            continue
        taken.append(at)
        axes.annotate(
            SYMBOLS[z] if z == most else str(z),
            points[z - 1],
            xytext=(6, 4),
            textcoords="offset points",
            fontsize=9.5 if z == most else 8,
            fontweight="bold" if z == most else "normal",
            color=ink(points[z - 1]),
            zorder=6,
            annotation_clip=True,
        )


def _ink(height: np.ndarray, x: np.ndarray, y: np.ndarray, at: np.ndarray, norm: Normalize) -> str:
    row, column = np.abs(y - at[1]).argmin(), np.abs(x - at[0]).argmin()
    red, green, blue, _ = SEQUENTIAL(norm(height[row, column]))
    return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else LIGHT
