"""Runs on the way from one store to another, as files small enough for any carrier, each checked on arrival.

    <folder>/parcel.json                              the runs: which files, in which parts, with sizes and sha256; written last
    <folder>/<profile>.<run>.<seed>.<fingerprint>.<n>  part n of a run: a piece of its files, one after the other

A parcel is carried by hands that nobody knows: nothing in it is believed before its checksum, and no name in it before its form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nuclr.errors import NuclrError
from nuclr.files import write
from nuclr.train.store import NAME, Store, StoredRun, sha256

FORMAT = 1
PARCEL = "parcel.json"


@dataclass(frozen=True)
class Piece:
    """A part of a run, or a file of it: its name, its size in bytes and its sha256."""

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Piece:
        return cls(name, len(content), sha256(content))


@dataclass(frozen=True)
class Packed:
    """A run in a parcel: the files that its parts, one after the other, hold one after the other."""

    label: str
    files: tuple[Piece, ...]
    parts: tuple[Piece, ...]


def pack(runs: Sequence[StoredRun], folder: Path, part_size: int) -> list[Packed]:
    """Write runs into a new folder in parts of at most `part_size` bytes. Raises NuclrError for a damaged run, and where
    the folder holds anything or cannot be written."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NuclrError(
            f"{folder} is not an empty folder: name a new one with --out, so that a parcel holds one thing."
        )
    packed = [_pack(run, folder, part_size) for run in runs]
    content: dict[str, Any] = {"format": FORMAT, "runs": [asdict(run) for run in packed]}
    content["sha256"] = _checksum(content)
    write(folder / PARCEL, json.dumps(content, indent=1).encode())
    return packed


def _pack(run: StoredRun, folder: Path, part_size: int) -> Packed:
    contents = run.contents()
    whole = memoryview(b"".join(contents.values()))
    place = f"{run.manifest['profile']}.{run.config.name}.{run.config.seed}.{run.manifest['fingerprint']}"
    parts = []
    for number, start in enumerate(range(0, len(whole), part_size), 1):
        content = bytes(whole[start : start + part_size])
        parts.append(Piece.of(f"{place}.{number:04}", content))
        write(folder / parts[-1].name, content)
    files = tuple(Piece.of(name, content) for name, content in contents.items())
    return Packed(run.config.label, files, tuple(parts))


def unpack(folder: Path, store: Store) -> list[tuple[StoredRun, bool]]:
    """Put the runs of a parcel into a store, each whole or not at all: the run, and whether it was there already.

    Raises NuclrError, before anything of it is in the store, for a run of which a part is missing or not what was packed, and
    where the store has another run in its place. Runs before that one stay.
    """
    return [_unpack(run, folder, store) for run in read(folder)]


def read(folder: Path) -> list[Packed]:
    """What a parcel says that it holds. Raises NuclrError where it is none, or damaged."""
    path = folder / PARCEL
    try:
        content = json.loads(path.read_bytes())
        version, checksum = content["format"], content["sha256"]
        if version != FORMAT:
            raise NuclrError(
                f"{path} was packed by another version of nuclr (format {version}, this one reads {FORMAT})."
            )
        if checksum != _checksum(content):
            raise ValueError("its sha256 is not that of its content")
        runs = [Packed(run["label"], _pieces(run["files"]), _pieces(run["parts"])) for run in content["runs"]]
    except FileNotFoundError as absent:
        raise NuclrError(f"There is no {path}: the folder is no parcel, or its packing was not finished.") from absent
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as trouble:
        raise NuclrError(f"{path} is damaged ({trouble}): fetch it again.") from trouble
    return runs


def _unpack(run: Packed, folder: Path, store: Store) -> tuple[StoredRun, bool]:
    whole = memoryview(b"".join(content_of(part, folder) for part in run.parts))
    contents, start = {}, 0
    for file in run.files:
        contents[file.name] = bytes(whole[start : start + file.size])
        start += file.size
    if start != len(whole) or any(Piece.of(file.name, contents[file.name]) != file for file in run.files):
        raise NuclrError(
            f"The parts of run {run.label} in {folder} do not hold the files that {PARCEL} names: pack it again."
        )
    return store.put(contents)


def content_of(part: Piece, folder: Path) -> bytes:
    """What a part in this folder holds. Raises NuclrError where it is missing or not what was packed."""
    path = folder / part.name
    try:
        content = path.read_bytes()
    except OSError as trouble:
        raise NuclrError(f"Cannot read the part {path} ({trouble.strerror}): fetch it again.") from trouble
    if len(content) != part.size:
        raise NuclrError(f"The part {path} has {len(content)} bytes where {part.size} were packed: fetch it again.")
    if sha256(content) != part.sha256:
        raise NuclrError(f"The part {path} is damaged (its sha256 is not the one packed): fetch it again.")
    return content


def _pieces(values: Iterable[dict[str, Any]]) -> tuple[Piece, ...]:
    pieces = tuple(Piece(**value) for value in values)
    for piece in pieces:
        if not NAME.fullmatch(piece.name):
            raise ValueError(f"{piece.name!r} is no name of a file")
    return pieces


def _checksum(content: dict[str, Any]) -> str:
    """sha256 of a parcel's list but for its last entry, which is this."""
    return sha256(json.dumps({key: value for key, value in content.items() if key != "sha256"}).encode())
