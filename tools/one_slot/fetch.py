"""Whole networks in parts: written there, where the machine is still warm, and joined here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from nuclr.errors import NuclrError
from nuclr.files import write
from nuclr.train.parcel import Piece, content_of
from nuclr.train.plan import require
from nuclr.train.store import Store
from tools.one_slot.parts import ROOM, SIZE
from tools.one_slot.plan import seed_of
from tools.one_slot.worker import Say

WEIGHTS = "weights.safetensors"
INDEX = "weights.json"  # [[file, its pieces], ...]: the same in every call
AT_ONCE = 6  # pieces a call: beside them the index and a log come back


def fetch(
    say: Say, profile: str, store: Path, runs: Sequence[str], out: Path, first: int = 1, size: int = SIZE
) -> None:
    """Write the weights of runs, "joint/0", in pieces of `size` bytes: those from number `first` on that one call can send back.

    Raises NuclrError for a run that is not in the store, or damaged there.
    """
    index, pieces = [], []
    for text in runs:
        config = seed_of(profile, text)
        run = require(profile, config, Store(store))
        content = run.contents()[WEIGHTS]
        name = f"{config.name}-{config.seed}.safetensors"
        starts = range(0, len(content), size)
        parts = [(f"{name}.{number:03}", content[start : start + size]) for number, start in enumerate(starts, 1)]
        index.append([asdict(Piece.of(name, content)), [asdict(Piece.of(*part)) for part in parts]])
        pieces += parts
    if not 1 <= first <= len(pieces):
        raise NuclrError(f"There is no piece {first}: these runs have {len(pieces)}, from 1.")
    write(out / INDEX, json.dumps(index, indent=1).encode())
    sent = 0
    for number, (name, content) in enumerate(pieces[first - 1 :][:AT_ONCE], first):
        if sent + len(content) > ROOM:
            break
        write(out / name, content)
        sent, last = sent + len(content), number
    say(f"pieces {first} to {last} of {len(pieces)}, {sent / 1e6:.1f} MB")
    if last < len(pieces):
        say(f"the next call: the same with --first {last + 1}")


def join(folder: Path) -> list[Path]:
    """Make whole files of the pieces in a folder, beside them. Raises NuclrError naming a piece that is missing or damaged."""
    try:
        found = json.loads((folder / INDEX).read_bytes())
        index = [(Piece(**whole), [Piece(**piece) for piece in pieces]) for whole, pieces in found]
    except (OSError, ValueError, TypeError) as trouble:
        raise NuclrError(f"{folder / INDEX} cannot be read ({trouble}): fetch it again.") from trouble
    for whole, pieces in index:
        content = b"".join(content_of(piece, folder) for piece in pieces)
        if Piece.of(whole.name, content) != whole:
            raise NuclrError(f"The pieces of {whole.name} are not those of one file: fetch all of them again.")
        write(folder / whole.name, content)
    return [folder / whole.name for whole, _ in index]
