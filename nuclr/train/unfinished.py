"""Runs in training, on disk: whatever ends a process, its runs go on from their last good save.

<store>/.unfinished/<fingerprint>/
    save-<step>                    the last two: the sha256 of a safetensors file, then that file
    checkpoint-<step>.safetensors  the parameters at log-spaced steps, as the finished run will hold them
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor

from nuclr.errors import NuclrError
from nuclr.files import PARTIAL, write
from nuclr.train.loop import Curve
from nuclr.train.store import pack, sha256

MOST_FACTS = 1 << 24  # bytes that are read for the facts of a save which nobody has checked


class Damaged(NuclrError):
    """A checkpoint changed after it was written."""


def fleet_of(root: Path, fingerprint: str) -> tuple[str, ...]:
    """The fingerprints of the runs with which a run trained as one fleet, from the head of its newest save, which is not
    checked: of what cannot be read, and without a save, the run alone."""
    try:
        with open(_saves(Path(root) / ".unfinished" / fingerprint)[0], "rb") as file:
            return tuple(_facts(file.read(40)[32:], lambda size: file.read(min(size, MOST_FACTS)))["fleet"])
    except (OSError, ValueError, LookupError, TypeError):
        return (fingerprint,)


def step_of(root: Path, fingerprint: str) -> int:
    """The step of a run's newest save, 0 where there is none."""
    return max(
        (int(path.name.removeprefix("save-")) for path in _saves(Path(root) / ".unfinished" / fingerprint)), default=0
    )


@dataclass(frozen=True)
class Begun:
    """A run's unfinished training: the member's state after `step` steps, its share of time so far, its curve."""

    state: dict[str, Tensor]
    step: int
    seconds: float
    curve: Curve


class Unfinished:
    """The saves and checkpoints of one run; hold its lease.

    A save names the sha256 of every checkpoint up to there: it is whole only with them, since they cannot be computed from it.
    notes: one sentence for each save that was found damaged.
    """

    def __init__(self, root: Path, fingerprint: str) -> None:
        self.folder = Path(root) / ".unfinished" / fingerprint
        self.notes: list[str] = []
        self.saved = 0  # the step of the newest save
        self._checkpoints: dict[str, str] = {}  # name to sha256
        self._unwritten: dict[str, bytes] = {}  # checkpoints for which there was no room yet

    def save(
        self, state: dict[str, Tensor], step: int, seconds: float, curve: Curve, fleet: Sequence[str] = ()
    ) -> None:
        """fleet: fingerprints of the runs that train together. Raises Unwritable; the saves before this one stay."""
        for name in list(self._unwritten):
            write(self.folder / name, self._unwritten[name])
            del self._unwritten[name]
        facts = {"step": step, "seconds": seconds, "curve": curve, "checkpoints": self._checkpoints}
        facts["fleet"] = list(fleet) or [self.folder.name]
        content = pack(state, {"facts": json.dumps(facts)})
        write(self.folder / f"save-{step:09}", hashlib.sha256(content).digest() + content)
        self.saved = step
        for old in self._saves()[2:]:
            old.unlink(missing_ok=True)

    def steps(self) -> set[int]:
        """Steps from which the run can go on; 0, its beginning, among them unless it is two saves behind."""
        saves = [int(path.name.removeprefix("save-")) for path in self._saves()]
        return {*saves, 0} if len(saves) < 2 else set(saves)

    def load(self, at: int | None = None) -> Begun | None:
        """The save at step `at`, by default the newest, that is whole with its checkpoints; None where there is none.

        Newer saves are forgotten, so that those of a fleet stay at common steps. What is damaged is removed and noted.
        """
        for leftover in self.folder.glob(f"{PARTIAL}*"):
            leftover.unlink(missing_ok=True)
        for path in self._saves():
            step = int(path.name.removeprefix("save-"))
            if at is not None and step > at:
                path.unlink(missing_ok=True)
                continue
            if at is not None and step < at:
                break
            try:
                begun, checkpoints = self._read(path)
            except (OSError, ValueError, KeyError, SafetensorError) as trouble:
                self.notes.append(
                    f"The unfinished training in {path} is damaged ({trouble}): it goes on from an earlier save or begins anew."
                )
                path.unlink(missing_ok=True)
            else:
                self._checkpoints, self.saved = checkpoints, begun.step
                return begun
        return None

    def save_checkpoint(self, step: int, tensors: dict[str, Tensor]) -> None:
        """Keep the parameters after `step` steps; in memory where they cannot be written yet, then raises Unwritable."""
        name, content = f"checkpoint-{step}.safetensors", pack(tensors)
        self._checkpoints[name] = sha256(content)
        self._unwritten[name] = content
        write(self.folder / name, content)
        del self._unwritten[name]

    def checkpoints(self) -> dict[str, bytes]:
        """File name to content of every checkpoint passed. Raises Damaged."""
        found = {}
        for name in sorted(self._checkpoints):
            try:
                found[name] = self._unwritten.get(name) or self._checked(name, self._checkpoints[name])
            except (OSError, ValueError) as trouble:
                raise Damaged(f"A checkpoint in {self.folder} is damaged ({trouble}).") from trouble
        return found

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _saves(self) -> list[Path]:
        return _saves(self.folder)

    def _read(self, path: Path) -> tuple[Begun, dict[str, str]]:
        content = path.read_bytes()
        digest, content = content[:32], content[32:]
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("its sha256 is not that of its content")
        facts = _facts(content[:8], lambda size: content[8 : 8 + size])
        for name, expected in facts["checkpoints"].items():
            self._checked(name, expected)
        return Begun(load_tensors(content), facts["step"], facts["seconds"], facts["curve"]), facts["checkpoints"]

    def _checked(self, name: str, expected: str) -> bytes:
        content = (self.folder / name).read_bytes()
        if sha256(content) != expected:
            raise ValueError(f"{name} is damaged")
        return content


def _saves(folder: Path) -> list[Path]:
    """Newest first."""
    return sorted(folder.glob("save-*"), reverse=True)


def _facts(size: bytes, read: Callable[[int], bytes]) -> dict[str, Any]:
    """What a save holds beside its tensors. size: the first 8 bytes of the safetensors file; read: the bytes after them."""
    header = json.loads(read(int.from_bytes(size, "little")))
    facts: dict[str, Any] = json.loads(header["__metadata__"]["facts"])
    return facts
