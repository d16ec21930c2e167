"""Numbers, times and the result as a reader wants to see them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

NOTHING = "–"
MINUS = re.compile(r"(?<![^\s(])-(?=\d)")  # of a number, not a hyphen


def number(value: float | str | None, interval: Sequence[float] | None = None) -> str:
    """A value with as many digits as its interval carries (two significant ones of its half width), else four."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    half = (interval[1] - interval[0]) / 2 if interval else 0.0
    scale = half if half > 0 else abs(value)
    if scale and not 1e-5 < scale < 1e7:
        return f"{value:.3g}".replace("-", "−")
    if half > 0:
        places = max(0, 1 - math.floor(math.log10(half)))
    elif value == int(value):
        places = 0
    else:
        return f"{value:.{max(0, 3 - math.floor(math.log10(abs(value))))}f}".rstrip("0").rstrip(".").replace("-", "−")
    text = f"{value:.{places}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def span(interval: Sequence[float] | None) -> str:
    """ "0.981 to 0.997": a dash between two numbers could be read as a minus."""
    if not interval:
        return NOTHING
    if interval[0] == interval[1]:
        return "exact"
    return f"{number(interval[0], interval)} to {number(interval[1], interval)}"


def signs(text: str) -> str:
    """A bound or sentence with the signs that print writes."""
    return MINUS.sub("−", text.replace("<=", "≤").replace(">=", "≥"))


def prose(text: str) -> Markup:
    """A sentence with its `commands` set as code. Everything in it is escaped."""
    parts = signs(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    )


def unit(name: str | None) -> str:
    """The unit with a space before it; nothing for a dimensionless number, whose unit is "1"."""
    return "" if name in (None, "", "1") else f" {name}"


def values(numbers: Sequence[float], most: int = 8) -> str:
    """Values beside one another, cut after `most`."""
    shown = ", ".join(number(value) for value in numbers[:most])
    return f"{shown}, … ({len(numbers)} in all)" if len(numbers) > most else shown


def duration(seconds: float | None) -> str:
    """Seconds as "0.4 s", "38 s", "12 min 5 s" or "3 h 20 min"."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def moment(iso: str | None) -> str:
    """An ISO 8601 time as "24 May 2025, 14:03 UTC"; a text that is no such time stays as it is."""
    if not iso:
        return NOTHING
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = " UTC" if when.utcoffset() is not None and not when.utcoffset() else ""
    return f"{when.day} {when:%B %Y, %H:%M}{zone}"


def commit(provenance: dict[str, Any] | None) -> str:
    """The short commit, and whether the working tree had changes that are not in it."""
    if "commit" not in (provenance or {}):
        return "not recorded"
    sha = (provenance or {}).get("commit")
    if not sha:
        return "not under version control"
    return f"{sha[:10]} with uncommitted changes" if (provenance or {}).get("dirty") else sha[:10]


def shape(verdict: str) -> str:
    """The verdict as a CSS class and as the name of its shape."""
    return verdict.replace(" ", "-")


def headline(verdicts: Iterable[str]) -> tuple[str, str]:
    """The result in one sentence, in two parts: what was reproduced, and the rest."""
    count = Counter(verdicts)
    judged = count["reproduced"] + count["not reproduced"] + count["inconclusive"]
    left = [f"{count[name]} {name}" for name in ("not reproduced", "inconclusive") if count[name]]
    unjudged = [f"{count['error']} ended in an error"] if count["error"] else []
    unjudged += [f"{count['not run']} not run"] if count["not run"] else []
    noun = "claim" if judged == 1 else "claims"
    main = f"{count['reproduced']} of {judged} judged {noun} reproduced" if judged else "No claim was judged"
    rest = "; ".join(part for part in (", ".join(left), ", ".join(unjudged)) if part)
    return main, rest
