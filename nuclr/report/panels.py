"""Five kinds of panel: nuclear chart, lines, heatmap, plane and bars. Arrays and options in, a matplotlib figure out.

Every function takes (arrays, options, title) as recorded in the evidence and `new`, which gives it a figure of the size that
it asks for. It raises KeyError with the name of an array or option that it needs and does not find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import FigureBase
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from nuclr.physics.nuclides import SYMBOLS
from nuclr.report.style import (
    CYCLIC,
    DASHES,
    DIVERGING,
    GRID,
    GROUND,
    INK,
    MANY,
    MARKERS,
    SEQUENTIAL,
    SERIES,
    SOFT,
    WIDTH,
    Canvas,
    canvas,
)

Arrays = Mapping[str, np.ndarray]
Options = Mapping[str, Any]

MAGIC = (2, 8, 20, 28, 50, 82, 126)
LANDMARKS = ((26, 30), (50, 82), (82, 126), (92, 146))  # 56Fe, 132Sn, 208Pb, 238U
EXTEND = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def chart(arrays: Arrays, options: Options, title: str, new: Canvas = canvas) -> FigureBase:
    """The nuclear chart of `value` (float, shape (k,)) at the integers `z` and `n` (shape (k,)): N right, Z up."""
    z, n, value = (np.asarray(arrays[key]) for key in ("z", "n", "value"))
    label = _with_unit(options["label"], options.get("unit"))
    # An image of one pixel a nuclide stays sharp at every zoom and weighs a few kB; absent nuclides stay transparent.
    grid = np.full((int(z.max()) + 3, int(n.max()) + 4), np.nan)
    grid[z, n] = value
    figure, axes = _axes(new, WIDTH, 1.35 + 0.87 * WIDTH * grid.shape[0] / grid.shape[1], title)
    axes.set_facecolor(GROUND)
    image = axes.imshow(
        np.ma.masked_invalid(grid),
        origin="lower",
        cmap=DIVERGING if options.get("diverging") else SEQUENTIAL,
        norm=_norm(value, options),
        aspect="equal",
    )
    for number in MAGIC:
        for line, across, reach in (
            (axes.axvline, z[n == number], grid.shape[0]),
            (axes.axhline, n[z == number], grid.shape[1]),
        ):
            if across.size:
                low, high = max(across.min() - 6, 0), min(across.max() + 6, reach)
                line(number, low / reach, high / reach, color=SOFT, linewidth=0.6)
    _landmarks(axes, set(zip(z.tolist(), n.tolist(), strict=True)))
    axes.set(
        xlabel="neutrons N", ylabel="protons Z", xticks=_magic_up_to(grid.shape[1]), yticks=_magic_up_to(grid.shape[0])
    )
    above = image.norm.vmax is not None and np.nanmax(value) > image.norm.vmax
    below = image.norm.vmin is not None and np.nanmin(value) < image.norm.vmin and not options.get("log")
    bar = figure.colorbar(
        image, ax=axes, location="bottom", aspect=45, pad=0.02, shrink=0.96, extend=EXTEND[below, above]
    )
    _quiet_bar(bar, label)
    axes.set_anchor("NW")
    return figure


def lines(arrays: Arrays, options: Options, title: str, new: Canvas = canvas) -> FigureBase:
    """Lines and points: a series has `<key>.x`, `<key>.y` and maybe a band `<key>.low`, `<key>.high`, shapes (k,).

    The option `direct` names each at its right end; otherwise a legend does.
    """
    series = options["series"]
    direct = options.get("direct", False)
    figure, axes = _axes(new, WIDTH, 3.3 + (0 if direct else 0.18 * ((len(series) + 1) // 2)), title)
    axes.grid(axis="y")
    for index, one in enumerate(series):
        key, drawn = one["key"], one.get("style", "line")
        x, y = np.asarray(arrays[f"{key}.x"]), np.asarray(arrays[f"{key}.y"])
        colour = SERIES[index % len(SERIES)]
        marker = MARKERS[index % len(MARKERS)]
        axes.plot(
            x,
            y,
            color=colour,
            label=one["label"],
            linestyle="none" if drawn == "points" else DASHES[index % len(DASHES)],
            marker="none" if drawn == "line" else marker,
            markersize=1.8 if x.size > MANY else 4.5,
            markeredgewidth=0,
            rasterized=x.size > MANY,
        )
        if f"{key}.low" in arrays and f"{key}.high" in arrays:
            axes.fill_between(x, arrays[f"{key}.low"], arrays[f"{key}.high"], color=colour, alpha=0.18, linewidth=0)
    axes.set(xlabel=options["xlabel"], ylabel=options["ylabel"])
    if options.get("xlog"):
        _logarithmic(axes.xaxis, "x")
    if options.get("ylog"):
        _logarithmic(axes.yaxis, "y")
    _marked(axes, hlines=options.get("hlines") or (), vlines=options.get("vlines") or ())
    if direct:
        _named_at_the_end(axes)
    elif len(series) > 1:
        figure.legend(loc="outside lower left", ncols=2, borderaxespad=0.2)
    return figure


def heatmap(arrays: Arrays, options: Options, title: str, new: Canvas = canvas) -> FigureBase:
    """`value` (rows x columns) as coloured cells with their numbers; a cell without a value (NaN) stays empty."""
    value = np.asarray(arrays["value"], dtype=float)
    rows, columns = options["rows"], options["columns"]
    width = max(WIDTH, 1.6 + 0.46 * len(columns))
    figure, axes = _axes(new, width, 1.35 + 0.3 * len(rows), title)
    axes.set_facecolor(GROUND)
    norm = Normalize(options.get("low", np.nanmin(value)), options.get("high", np.nanmax(value)))
    diverging = norm.vmin is not None and norm.vmax is not None and norm.vmin < 0 < norm.vmax
    if diverging and norm.vmin is not None and norm.vmax is not None:
        reach = max(-norm.vmin, norm.vmax)
        norm = Normalize(-reach, reach)
    image = axes.imshow(
        np.ma.masked_invalid(value), cmap=DIVERGING if diverging else SEQUENTIAL, norm=norm, aspect="auto"
    )
    axes.set_xticks(range(len(columns)), columns)
    if max(map(len, columns)) >= 7:
        axes.tick_params(axis="x", labelrotation=40)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if options.get("annotate", True):
        for (row, column), number in np.ndenumerate(value):
            if np.isfinite(number):
                red, green, blue, _ = image.cmap(image.norm(number))
                ink = "#101010" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "#fafafa"
                axes.text(column, row, _short(number), ha="center", va="center", fontsize=7.5, color=ink)
    bar = figure.colorbar(image, ax=axes, location="right", aspect=18, pad=0.02, shrink=0.9)
    _quiet_bar(bar, options["label"])
    return figure


def plane(arrays: Arrays, options: Options, title: str, new: Canvas = canvas) -> FigureBase:
    """Points `x`, `y` on equal axes, shapes (k,), or their names there; `value` goes round from 0 to `period` and colours them."""
    x, y, value = (np.asarray(arrays[key], dtype=float) for key in ("x", "y", "value"))
    figure, axes = _axes(new, WIDTH, 1.0 + WIDTH, title)
    norm = Normalize(0, options["period"])
    names = options.get("names")
    points = axes.scatter(
        x,
        y,
        c=value % options["period"],
        cmap=CYCLIC,
        norm=norm,
        s=0 if names else 9 if x.size <= MANY else 4,
        linewidths=0,
        rasterized=x.size > MANY,
    )
    for name, across, up, colour in zip(
        names or (), x, y, points.to_rgba(value % options["period"]), strict=bool(names)
    ):
        axes.text(across, up, name, color=colour, ha="center", va="center", fontsize=8)
    axes.set(xlabel=options["xlabel"], ylabel=options["ylabel"])
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.07)
    bar = figure.colorbar(points, ax=axes, location="bottom", aspect=45, pad=0.02, shrink=0.96)
    _quiet_bar(bar, options["label"])
    return figure


def bars(arrays: Arrays, options: Options, title: str, new: Canvas = canvas) -> FigureBase:
    """Horizontal bars of `value` (shape (k,)), or dots with whiskers from `low` to `high`; the first label on top."""
    value = np.asarray(arrays["value"], dtype=float)
    labels, place = options["labels"], np.arange(value.size)
    figure, axes = _axes(new, WIDTH, 1.25 + 0.27 * value.size, title)
    axes.grid(axis="x")
    if "low" in arrays and "high" in arrays:
        axes.hlines(place, arrays["low"], arrays["high"], color=SERIES[0], linewidth=3, alpha=0.35)
        axes.plot(value, place, "o", color=SERIES[0], markersize=5.5)
    else:
        axes.barh(place, value, color=SERIES[0], height=0.62)
    axes.set_yticks(place, labels)
    axes.set_ylim(value.size - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(options["xlabel"])
    if options.get("log"):
        _logarithmic(axes.xaxis, "x")
    _marked(axes, hlines=(), vlines=options.get("vlines") or ())
    return figure


def _landmarks(axes: Axes, there: set[tuple[int, int]]) -> None:
    """Name a few nuclides where readers look first, beside the chart and with a thin line to the place."""
    for z, n in LANDMARKS:
        if (z, n) not in there:
            continue
        axes.annotate(
            f"{str(z + n).translate(RAISED)}{SYMBOLS[z]}",
            (n, z),
            xytext=(-36 if n > 50 else -12, 25),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8.5,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0},
        )


def _axes(new: Canvas, width: float, height: float, title: str) -> tuple[FigureBase, Axes]:
    figure = new(width, height)
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def limits(value: np.ndarray, *, diverging: bool) -> tuple[float, float]:
    """Between which values the colours of a chart run: a far tail must not wash out the rest, there they saturate."""
    finite = value[np.isfinite(value)]
    if diverging:
        reach = float(np.quantile(np.abs(finite), 0.99)) or 1.0
        return -reach, reach
    low, high = float(finite.min()), float(finite.max())
    tails, far = np.quantile(finite, [0.02, 0.98]).tolist(), 0.3 * (high - low)
    return (tails[0] if tails[0] - low > far else low), (tails[1] if high - tails[1] > far else high)


def _norm(value: np.ndarray, options: Options) -> Normalize:
    finite = value[np.isfinite(value)]
    if options.get("log"):
        return LogNorm(float(finite[finite > 0].min()), float(finite.max()))
    return Normalize(*limits(value, diverging=bool(options.get("diverging"))))


def _logarithmic(axis: Axis, which: str) -> None:
    """A logarithmic axis that always has numbers on it, also where it spans less than a power of ten."""
    getattr(axis.axes, f"set_{which}scale")("log")
    low, high = sorted(getattr(axis.axes, f"get_{which}lim")())
    if high < 10 * low:
        axis.set_major_locator(MaxNLocator(nbins=5))
    elif high < 300 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda x, _: _power(x)))
    axis.set_minor_formatter(NullFormatter())


def _power(x: float) -> str:
    """A power of ten as text: matplotlib would write TeX, which the SVG could not keep as selectable text."""
    if x <= 0:
        return ""  # a locator may look beyond the axis
    exponent = round(float(np.log10(x)))
    if 1e-3 <= x < 1e6 or not np.isclose(x, 10.0**exponent):
        return f"{x:g}"
    return "10" + str(exponent).translate(RAISED)


def _marked(axes: Axes, hlines: Sequence[Options], vlines: Sequence[Options]) -> None:
    """Thin reference lines, each with its label at the far end."""
    for line in hlines:
        axes.axhline(line["at"], color=SOFT, linewidth=0.9, linestyle=(0, (3, 2)))
        axes.annotate(
            line["label"],
            (1, line["at"]),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=8,
            color=SOFT,
        )
    if vlines:
        axes.set_title(axes.get_title(loc="left"), pad=17)
    for line in vlines:
        axes.axvline(line["at"], color=SOFT, linewidth=0.9, linestyle=(0, (3, 2)))
        axes.annotate(
            line["label"],
            (line["at"], 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 1),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8,
            color=SOFT,
        )


def _named_at_the_end(axes: Axes) -> None:
    """The label of every line beside its last point, moved up where it would stand on the one below."""
    least, taken = 0.055 * np.ptp(axes.get_ylim()), -np.inf
    for line in sorted((line for line in axes.lines if not str(line.get_label()).startswith("_")), key=_last):
        x, y = np.asarray(line.get_xydata())[-1]
        taken = max(y, taken + least)
        axes.annotate(
            str(line.get_label()),
            (x, taken),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=line.get_color(),
            annotation_clip=False,
        )


def _last(line: Line2D) -> float:
    return float(np.asarray(line.get_ydata())[-1])


def _quiet_bar(bar: Any, label: str) -> None:
    bar.set_label(label)
    bar.outline.set_visible(False)
    bar.solids.set_rasterized(True)
    bar.ax.tick_params(length=2, color=GRID)


def _magic_up_to(limit: int) -> list[int]:
    return [number for number in MAGIC if 20 < number < limit]


def _with_unit(label: str, unit: str | None) -> str:
    return f"{label} ({unit})" if unit and unit != "1" else label


def _short(number: float) -> str:
    text = f"{number:.2f}" if abs(number) < 10 else f"{number:.0f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")
