"""A training in slices: how long a call may train, and what it says when that time is over.

No torch is imported, so that a budget which is none is told at once.
"""

from __future__ import annotations

import re

from nuclr.errors import NuclrError

UNITS = (86_400, 3600, 60, 1)  # seconds in a day, an hour, a minute, a second


def seconds_of(text: str) -> float:
    """Seconds of "90s", "9m", "1h30m" or "2d". Raises NuclrError for another form, and for no time at all."""
    found = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    seconds = sum(int(count or 0) * unit for count, unit in zip(found.groups(), UNITS, strict=True)) if found else 0
    if not seconds:
        raise NuclrError(f"{text!r} is no time to train for: write --budget as 90s, 9m or 1h30m.")
    return float(seconds)


def told(seconds: float) -> str:
    """A time that is not known to the second: "2 d 4 h", "5 h 40 min", "12 min", "less than a minute"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def sentence(runs: int, left: int, share: float, seconds: float | None, command: str) -> str:
    """What is done, what is left, and what goes on from there.

    runs, left: of the profile or of the names asked for, and how many of them are not trained. share: of all their operations
    that is left. seconds: what the rest takes at the pace of this call, None where it had no time to find one.
    """
    pace = f"about {told(seconds)} at the pace of this call" if seconds is not None else "at a pace not yet known"
    return (
        f"The budget is spent and what was begun is saved: {runs - left} of {runs} runs are trained; {left} are left, "
        f"{100 * share:.3g} % of the work, {pace}. Go on with: {command}"
    )
