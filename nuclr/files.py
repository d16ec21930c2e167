"""Files that are written whole or not at all, and that survive a power cut once they are written."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from nuclr.errors import NuclrError

PARTIAL = (
    ".partial-"  # how the names of what is being written begin: a killed process leaves it, its successor removes it
)
PAUSES = (0.1, 0.5, 2.0)  # seconds before each further try at what a network drive refused for a moment
HICCUPS = (errno.ESTALE, errno.EIO)

T = TypeVar("T")


class Unwritable(NuclrError):
    """A file could not be written: no room, no permission, or a drive that does not answer. reason: the system's word for it."""

    def __init__(self, path: Path, trouble: OSError) -> None:
        self.reason = trouble.strerror or str(trouble)
        super().__init__(
            f"Cannot write {path} ({self.reason}): make room there or name a writable folder; what was finished is kept."
        )


def write(path: Path, content: bytes) -> None:
    """Write `content` under another name, then rename it. Raises Unwritable naming the path where that fails."""
    try:
        patiently(lambda: _write(path, content))
    except OSError as trouble:
        raise Unwritable(path, trouble) from trouble


def _write(path: Path, content: bytes) -> None:
    make_folder(path.parent)
    temporary = path.with_name(f"{PARTIAL}{path.name}-{secrets.token_hex(4)}")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def patiently(action: Callable[[], T]) -> T:
    """Do what may fail for a moment on a network drive, a few times if need be. Raises the last OSError."""
    for pause in PAUSES:
        try:
            return action()
        except OSError as trouble:
            if trouble.errno not in HICCUPS:
                raise
            time.sleep(pause)
    return action()


def make_folder(folder: Path) -> None:
    """The folder and those above it, each entered durably in its parent. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        try:
            folder.mkdir(exist_ok=True)
        except FileExistsError as trouble:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from trouble
        sync(folder.parent)


def sync(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError, except where folders cannot be synced at all."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as trouble:
        # Windows opens no folder, and some network drives sync none: there the rename is as durable as it gets.
        if trouble.errno not in (errno.EACCES, errno.EINVAL, errno.ENOTSUP):
            raise
