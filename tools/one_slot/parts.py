"""What comes back: a few tar files of limited size, whole at every moment, since each is written anew and then renamed."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nuclr.files import write

# The machine sends back 8 files of 16 MiB each and 64 MiB in all; one of them is the log.
SIZE, COUNT, ROOM = 15_000_000, 7, 62_000_000
LATER = 4_000_000  # bytes that are kept for evidence and bench, which come last
LEAN = 300_000  # bytes that are kept for a run still to come: what `lean` leaves of it
SECOND = ("prediction", "penultimate.")  # how arrays begin that a run does without when room runs out


class Parts:
    """part-1.tar, part-2.tar, ... in a folder. size: bytes of each at most; count: how many; room: bytes of all."""

    def __init__(self, folder: Path, size: int = SIZE, count: int = COUNT, room: int = ROOM) -> None:
        self.folder, self.size, self.count, self.room = folder, size, count, room
        self._held: dict[int, tuple[dict[str, bytes], int]] = {}  # the files in each part, and its size

    @property
    def left(self) -> int:
        """Bytes that may still be added, at most."""
        return self.room - sum(size for _, size in self._held.values())

    def add(self, files: Mapping[str, bytes]) -> bool:
        """Put files together into the first part that has room; False where none has. Raises NuclrError for an unwritable folder."""
        for number in range(self.count):
            held, before = self._held.get(number, ({}, 0))
            content = _tar({**held, **files})
            if len(content) <= self.size and len(content) - before <= self.left:
                write(self.folder / f"part-{number + 1}.tar", content)
                self._held[number] = {**held, **files}, len(content)
                return True
        return False

    def add_run(self, name: str, content: bytes, to_come: int) -> str:
        """Add the reading of a run, and keep room for evidence and for the most important of so many runs to come.

        What became of it: "whole", "without predictions and penultimate layer" or "left out".
        """
        if self.left - len(content) > LATER + to_come * LEAN and self.add({name: content}):
            return "whole"
        small = lean(content)
        if self.left - len(small) > LATER and self.add({name: small}):
            return "without predictions and penultimate layer"
        return "left out"


def lean(content: bytes) -> bytes:
    """A reading, an .npz file, without its SECOND arrays."""
    with np.load(io.BytesIO(content)) as arrays:
        return npz({name: arrays[name] for name in arrays if not name.startswith(SECOND)})


def npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as the bytes of an .npz file."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _tar(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()
