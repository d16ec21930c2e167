"""What the explorers of the page turn and touch: every recorded helix, landscape and chart of nuclides, as JSON.

The page shows the still pictures first; its script (templates/explore.js) puts a canvas in their place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.colors import Colormap, to_hex
from numpy.typing import NDArray

from nuclr.physics.nuclides import SYMBOLS
from nuclr.report import panels, reading, style

Array = NDArray[np.float64]
STOPS = 17  # colours of a map that the script blends between
DIGITS = 4
NO_LANDSCAPE = (
    "this evidence has none; judge the claims again with `python -m pytest claims/test_pc0_is_bulk.py "
    "claims/test_ring_is_stability.py` to record it."
)


def explorers(cards: list[dict[str, Any]], folder: Path) -> dict[str, Any] | None:
    """The stills of the explorers and their `data` for the script; None where nothing was recorded to explore.

    sources: the claims whose landscapes are shown; where there is none, `missing` says so in a sentence.
    """
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    stills: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    sources: dict[str, dict[str, Any]] = {}
    for card in cards:
        for figure in card["drawings"]:
            if not figure["panels"]:
                continue
            arrays = reading.arrays(folder / figure["arrays"])
            for index, (panel, drawn) in enumerate(zip(figure["kinds"], figure["panels"], strict=True)):
                own = {key.removeprefix(f"{index}."): array for key, array in arrays.items()}
                if (kind := panel["kind"]) not in KINDS or _gaps(kind, own):
                    continue
                titles = [one.get("title") or figure["title"] for other in card["drawings"] for one in other["kinds"]]
                title = panel.get("title") or figure["title"]
                if titles.count(title) > 1:
                    title = f"{title}: {figure['title']}"
                found[kind].append({"claim": card["title"], "title": title, **KINDS[kind](panel, own)})
                stills[kind].append(drawn)
                if kind == "landscape":
                    sources[card["id"]] = card
    if not any(found.values()):
        return None
    maps = {"numbers": style.NUMBERS, "sequential": style.SEQUENTIAL, "diverging": style.DIVERGING}
    data = {
        "helices": found["helix"],
        "charts": found["chart"],
        "landscapes": found["landscape"],
        "symbols": SYMBOLS,
        "maps": {name: _stops(colours) for name, colours in maps.items()},
    }
    # In a script element only "<" could end it or open another.
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    first = {kind: drawn[0] if drawn else None for kind, drawn in stills.items()}
    return first | {
        "landscape": stills["landscape"],
        "sources": list(sources.values()),
        "missing": NO_LANDSCAPE,
        "data": Markup(text),
    }


def helix_of(curve: Array) -> dict[str, Any] | None:
    """A sampled helix (m, 3), evenly spaced in its parameter, as a circle that runs along a line.

    centre: middle of the axis; step: the axis from end to end; cos, sin: the two radii at right angles, at the start; angle:
    how far it turns from end to end. None where the curve is no helix. Second differences of a helix are its circular part
    times -4 sin^2(d/2), d the angle of one step, which gives the circle, and what is left is the line.
    """
    if len(curve) < 5:
        return None
    bend = curve[2:] - 2 * curve[1:-1] + curve[:-2]
    again = bend[2:] - 2 * bend[1:-1] + bend[:-2]
    weight = float(np.sum(bend[1:-1] ** 2))
    factor = -float(np.sum(again * bend[1:-1])) / weight if weight > 0 else 0.0
    if not 0 < factor < 4:
        return None
    angle = 2 * float(np.arcsin(np.sqrt(factor) / 2))
    circle = -bend / factor  # at the samples 1 to m - 2
    line = curve[1:-1] - circle
    phase = angle * np.arange(1, len(curve) - 1)
    waves = np.stack([np.cos(phase), np.sin(phase)], axis=1)
    cosine, sine = np.linalg.lstsq(waves, circle, rcond=None)[0]
    if not np.allclose(waves @ np.stack([cosine, sine]), circle, atol=1e-3 * float(np.abs(circle).max())):
        return None
    return {
        "centre": _rounded(line.mean(axis=0)),
        "step": _rounded((line[-1] - line[0]) * (len(curve) - 1) / (len(line) - 1)),
        "cos": _rounded(cosine),
        "sin": _rounded(sine),
        "angle": round(angle * (len(curve) - 1), DIGITS),
    }


def _gaps(kind: str, arrays: dict[str, Any]) -> bool:
    """Whether there are gaps where the script could not leave them out, as it does on a chart."""
    return kind == "helix" and not all(np.isfinite(arrays[name]).all() for name in ("axes", "curve") if name in arrays)


def _helix(panel: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    curve = np.asarray(arrays["curve"], dtype=float) if "curve" in arrays else None
    return {
        "symbol": panel["options"]["symbol"],
        "numbers": np.asarray(arrays["numbers"]).tolist(),
        "points": [_rounded(point) for point in np.asarray(arrays["axes"], dtype=float)],
        "fit": None if curve is None else helix_of(curve),
    }


def _chart(panel: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    value = np.asarray(arrays["value"], dtype=float)
    kept = np.isfinite(value)
    ends = panels.limits(value, diverging=bool(panel["options"].get("diverging")))
    return {
        "label": panel["options"]["label"],
        "unit": panel["options"].get("unit") or "",
        "map": "diverging" if panel["options"].get("diverging") else "sequential",
        "ends": _rounded(np.array(ends)),
        "z": np.asarray(arrays["z"])[kept].tolist(),
        "n": np.asarray(arrays["n"])[kept].tolist(),
        "value": _rounded(value[kept]),
    }


def _landscape(panel: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    heights = {name: np.asarray(arrays[name], dtype=float) for name in ("energy", "per_nucleon")}
    options = panel["options"]
    ring = {name: arrays[f"ring.{name}"] for name in heights if f"ring.{name}" in arrays}
    return {
        **{key: options[key] for key in ("xlabel", "ylabel", "first", "along")},
        "radius": options.get("radius"),
        **{key: np.asarray(arrays[key]).tolist() for key in ("n", "most_bound")},
        **{key: _rounded(arrays[key]) for key in ("x", "y")},
        **{name: [_rounded(height.ravel()) for height in heights[name]] for name in heights},
        "points": [_rounded(point) for point in arrays["points"]],
        "known": [(np.flatnonzero(known) + 1).tolist() for known in arrays["known"]],
        "ring": {name: [_rounded(place) for place in places] for name, places in ring.items()} or None,
    }


KINDS = {"helix": _helix, "chart": _chart, "landscape": _landscape}


def _rounded(values: Array) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]


def _stops(colours: Colormap) -> list[str]:
    return [to_hex(colour) for colour in colours(np.linspace(0, 1, STOPS))]
