"""Errors that a user can mend: one clear sentence, shown without a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NuclrError(Exception):
    """Something the user can mend. The message names what was wrong and what to do about it."""


class Stopped(NuclrError):
    """The user stopped the work (Ctrl-C); the message says what is kept."""


class Incomplete(NuclrError):
    """Some runs could not be trained; the others are. What needs only those can go on."""


def unknown(kind: str, name: str, known: Iterable[str]) -> NuclrError:
    """The error for a name that does not exist, with the nearest one that does.

    `kind` is the noun for the sentence ("run", "profile", "claim").
    """
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."
    return NuclrError(f"There is no {kind} {name!r}: {hint}")
