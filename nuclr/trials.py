"""Trials by their names: "paper-x0.001" is the profile paper with its steps cut to a thousandth. Of the runs nothing is known here."""

from __future__ import annotations

import re

from nuclr.errors import NuclrError


def scale_of(profile: str) -> tuple[str, float]:
    """The profile behind a name and the share of its steps: ("paper", 0.001) of "paper-x0.001", ("paper", 1.0) of "paper"."""
    found = re.fullmatch(r"(.+)-x(-?[0-9][0-9.e+-]*)", profile)
    if not found:
        return profile, 1.0
    try:
        return found[1], float(found[2])
    except ValueError:
        raise NuclrError(
            f"{found[2]!r} in the profile {profile!r} is no number: write it as {found[1]}-x0.001."
        ) from None


def trial(profile: str) -> str:
    """What a reader must know of a scaled profile, in a sentence; "" for any other."""
    whole, scale = scale_of(profile)
    if scale == 1:
        return ""
    share = f"{100 * scale:g} % of their steps"
    return f"A trial of the path: the runs of the profile {whole} with {share}. It says nothing about the paper."
