"""Leases on runs in training: processes on one host or on many share a store, and no run is trained twice.

    <store>/.leases/<fingerprint>         who trains the run: a JSON line, made exclusively, touched every BEAT seconds
    <store>/.leases/<fingerprint>.<hash>  the right to remove one stale lease, itself a lease

Exclusive creation (O_EXCL) alone is relied upon: flock means little on network drives. Clocks of hosts are never compared.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Self

from nuclr.errors import NuclrError
from nuclr.files import make_folder, patiently

BEAT = 10.0  # seconds between heartbeats
STALE_AFTER = 120.0  # seconds without a heartbeat; network drives may show one up to a minute late
ATTEMPTS = 200  # looks at a lease that keeps changing hands, PAUSE seconds apart
PAUSE = 0.01


@dataclass(frozen=True)
class Holder:
    """Who holds a lease. place: what processes must share to see each other, "" where that cannot be told.

    start: when the process began, in clock ticks since boot, because a pid is used again. time: for a reader, in seconds since 1970.
    """

    host: str
    place: str
    pid: int
    start: int
    time: float
    token: str

    @classmethod
    def here(cls) -> Holder:
        pid = os.getpid()
        return cls(platform.node(), _place(), pid, _started(pid) or 0, time.time(), secrets.token_hex(8))

    @property
    def name(self) -> str:
        return f"process {self.pid} on {self.host}"

    def gone(self) -> bool:
        """Whether the process, one of this place, has ended."""
        started = _started(self.pid)
        return not _exists(self.pid) if started is None else started != self.start


@dataclass(frozen=True)
class Look:
    """A lease as seen once. beat: its mtime in ns, on the clock of the file server."""

    content: bytes
    beat: int

    @property
    def holder(self) -> Holder | None:
        """None where the content cannot be read: its maker was killed before it was written."""
        try:
            return Holder(**json.loads(self.content))
        except (ValueError, TypeError):
            return None


class Leases:
    """Takes the leases of runs that nobody alive holds, for the length of a `with` block; never waits.

    mine: fingerprints whose lease is ours. others: fingerprint to the name of whoever trains it.
    Raises NuclrError where the store cannot be written.
    """

    def __init__(self, root: Path, fingerprints: Sequence[str]) -> None:
        self.root, self.fingerprints = root, fingerprints
        self.mine: list[str] = []
        self.others: dict[str, str] = {}
        self._content = json.dumps(asdict(Holder.here())).encode()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        try:
            make_folder(self.root / ".leases")
            for fingerprint in self.fingerprints:
                holder = acquire(self._path(fingerprint), self._content)
                if holder is None:
                    self.mine.append(fingerprint)
                else:
                    self.others[fingerprint] = holder
        except OSError as trouble:
            self.__exit__()
            raise NuclrError(
                f"Cannot write to the store {self.root} ({trouble.strerror}): make room there, or name a writable folder with --store."
            ) from trouble
        except BaseException:
            self.__exit__()
            raise
        threading.Thread(target=self._beat, daemon=True, name="lease").start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for fingerprint in list(self.mine):
            self.release(fingerprint)

    def release(self, fingerprint: str) -> None:
        """Give a lease back, unless it was lost."""
        self.mine.remove(fingerprint)
        with suppress(OSError):  # one that cannot be removed goes stale
            if _is(self._path(fingerprint), self._content):
                self._path(fingerprint).unlink()

    def lost(self, fingerprint: str) -> bool:
        """Whether somebody took the lease over, presuming us dead: a suspended process finds this when it wakes."""
        try:
            return fingerprint not in self.mine or not patiently(lambda: _is(self._path(fingerprint), self._content))
        except OSError:
            return True  # who cannot see the lease must not act on it

    def _path(self, fingerprint: str) -> Path:
        return self.root / ".leases" / fingerprint

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            for fingerprint in list(self.mine):
                with suppress(OSError):  # the next beat tries again; who publishes looks whether the lease was lost
                    if _is(self._path(fingerprint), self._content):
                        os.utime(self._path(fingerprint))


def acquire(path: Path, content: bytes) -> str | None:
    """Take the lease at `path`; None when it is ours, else the name of its living holder. Raises OSError."""
    name = "another process"
    for _ in range(ATTEMPTS):
        if _create(path, content):
            return None
        seen = _look(path)
        if seen is None:
            continue  # given back between the two
        name = seen.holder.name if seen.holder else "a process that cannot be named"
        if not _stale(path, seen):
            return name
        if not _remove(path, seen, content):
            time.sleep(PAUSE)
    return name


def _remove(path: Path, seen: Look, content: bytes) -> bool:
    """Remove a stale lease; False where somebody else is at it.

    Two that both found it stale must not remove one another's new lease. So the right to remove this one is a lease itself, and
    whoever has it looks again: nobody else removes what it then sees.
    """
    right = path.with_name(f"{path.name}.{hashlib.sha256(seen.content).hexdigest()[:16]}")
    if acquire(right, content) is not None:
        return False
    try:
        if _look(path) == seen:
            aside = path.with_name(f"{path.name}.stale-{secrets.token_hex(8)}")
            os.rename(path, aside)
            aside.unlink()
    finally:
        right.unlink(missing_ok=True)
    return True


def _create(path: Path, content: bytes) -> bool:
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True


def _look(path: Path) -> Look | None:
    try:
        with open(path, "rb") as file:  # opening asks the file server anew, a bare stat may not
            return Look(file.read(), os.fstat(file.fileno()).st_mtime_ns)
    except FileNotFoundError:
        return None


def _is(path: Path, content: bytes) -> bool:
    seen = _look(path)
    return seen is not None and seen.content == content


_first_seen: dict[Path, tuple[Look, float]] = {}


def _stale(path: Path, seen: Look) -> bool:
    holder = seen.holder
    if holder and holder.place and holder.place == _place():
        return holder.gone()
    before, since = _first_seen.get(path, (None, 0.0))
    if before != seen:
        since = time.monotonic()
        _first_seen[path] = (seen, since)
    # The file server's age of the lease settles most; our own clock settles it where the server's was set back.
    return time.monotonic() - since > STALE_AFTER or _now(path.parent) - seen.beat > STALE_AFTER * 1e9


def _now(folder: Path) -> int:
    """The file server's time in ns: the mtime of a file made just now."""
    path = folder / f".now-{secrets.token_hex(8)}"
    try:
        path.touch(exist_ok=False)
        return path.stat().st_mtime_ns
    finally:
        path.unlink(missing_ok=True)


@cache
def _place() -> str:
    """This boot of this kernel and this space of pids; "" on systems that tell neither, where only the heartbeat counts."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _started(pid: int) -> int | None:
    """When a process of this place began, in clock ticks since boot; -1 when it has ended, None when it is not to be seen."""
    try:
        # The name of the program, in parentheses, may itself hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return -1 if fields[0] in (b"Z", b"X") else int(fields[19])


def _exists(pid: int) -> bool:
    """Whether there is such a process, be it another user's that /proc hides."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
