"""The one style of all figures: quiet axes, colours that colour-blind readers can tell apart, ink from the page.

A colour named here is drawn as is and then replaced, in the page's SVG, by a CSS variable of the page, so that one
drawing reads well on light and on dark. Rasterised points keep the colour as is, which is why the series colours are of
middle lightness.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure, FigureBase

INK = "#15181e"
SOFT = "#5c6370"
GRID = "#d9dce1"
GROUND = "#d3d7dd"
SERIES = ("#0072b2", "#d55e00", "#007a5a", "#a8458a", "#a87400", "#4a5568", "#2f9bd6")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.6, 1.2, 1.6)), (0, (8, 3)), (0, (3, 1)), (0, (1, 2.4)))

THEMED = {
    INK: "currentColor",
    SOFT: "var(--soft)",
    GRID: "var(--figure-grid)",
    GROUND: "var(--figure-ground)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, start=1)},
}

WIDTH = 4.7  # inches, of a panel that stands beside another in the page
MANY = 1500  # points from which a series becomes an image: as paths they would outweigh the rest of the page


Canvas = Callable[[float, float], FigureBase]  # width and height in inches -> where a panel is drawn


def canvas(width: float, height: float) -> FigureBase:
    """A figure of its own."""
    return Figure(figsize=(width, height), layout="constrained")


def _part(name: str, low: float, high: float) -> Colormap:
    colours = matplotlib.colormaps[name](np.linspace(low, high, 256))
    return LinearSegmentedColormap.from_list(f"{name}-part", colours)


# The darkest tenth of cividis would vanish on a dark page.
SEQUENTIAL = _part("cividis", 0.12, 1.0)
DIVERGING = matplotlib.colormaps["RdBu_r"]
NUMBERS = _part("viridis", 0.15, 0.95)
# For what goes round, of middle lightness throughout.
CYCLIC = LinearSegmentedColormap.from_list("cyclic", [*(SERIES[number] for number in (0, 2, 4, 1, 3)), SERIES[0]])

RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 8,
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.facecolor": "none",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.dpi": 220,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.2,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "lines.solid_capstyle": "round",
    "image.composite_image": False,
    "image.interpolation": "none",
}
