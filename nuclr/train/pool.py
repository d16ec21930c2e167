"""The processes that train: one job a worker, Ctrl-C in the hands of the parent, one training at a time on a store."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from nuclr.errors import NuclrError, Stopped
from nuclr.train.progress import NOT_BEGUN, Display
from nuclr.train.worker import Job, keep_freed_memory, train

_seen: Any = None  # in a worker: the rows that each job has seen, shared with the parent
_stop: Any = None  # in a worker: set when the parent wants every job to save its state and end


def train_all(jobs: Sequence[Job], workers: int, display: Display) -> None:
    """Train every job, `workers` at a time, each in a process of its own. Ctrl-C keeps the state of every fleet.

    Raises NuclrError when a run diverges, the store cannot be written, or a process is killed; Stopped on Ctrl-C.
    """
    context = multiprocessing.get_context("spawn")
    seen = context.Array("q", [NOT_BEGUN] * len(jobs), lock=False)
    stop = context.Event()
    pool = ProcessPoolExecutor(min(workers, len(jobs)), context, _prepare, (seen, stop))
    try:
        with display:
            running = {pool.submit(_work, index, job): job for index, job in enumerate(jobs)}
            _watch(running, seen, display)
    except KeyboardInterrupt:
        raise Stopped("Stopped: what was trained is kept, and the same command goes on from there.") from None
    except BrokenProcessPool as trouble:
        raise NuclrError(
            "A training process was killed, perhaps for want of memory: run the same command again, with fewer --workers."
        ) from trouble
    finally:
        stop.set()  # wherever this ends early, every fleet saves its state after the step that it is in
        pool.shutdown(wait=True, cancel_futures=True)


def _watch(running: dict[Future[bool], Job], seen: Sequence[int], display: Display) -> None:
    pending = set(running)
    while pending:
        done, pending = wait(pending, timeout=0.5)
        display.update(list(seen))
        for future in done:
            future.result()
            display.finished(running[future])


def _prepare(seen: Any, stop: Any) -> None:
    global _seen, _stop
    _seen, _stop = seen, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which asks the workers to stop
    keep_freed_memory()


def _work(index: int, job: Job) -> bool:
    def on_progress(rows: int) -> bool:
        _seen[index] = rows
        return not _stop.is_set()

    return train(job, on_progress)


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Hold the store's lock: at most one training process works on a store. The lock of a killed process is free."""
    lock = FileLock(root / ".lock")
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as trouble:
        raise NuclrError(
            f"Another training is at work on the store {root}: wait for it, or name another store with --store."
        ) from trouble
    except OSError as trouble:
        raise NuclrError(
            f"Cannot write to the store {root} ({trouble.strerror}): name a writable folder with --store."
        ) from trouble
    try:
        yield
    finally:
        lock.release()
