"""The processes that train on this machine: one job a worker, Ctrl-C in the hands of the parent.

The standard library's pool does what is needed. loky 3.7 was tried beside it: it starts two workers no sooner (1.9 s, here 1.8 s),
notices a killed worker no sooner, leaves the workers of a killed parent behind just the same, and cannot cancel what has not begun.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from nuclr.errors import NuclrError, Stopped
from nuclr.train.progress import NOT_BEGUN, Display
from nuclr.train.worker import Job, Outcome, keep_freed_memory, train

# In a worker. The shared values have no lock, so that none can be left locked by a process that was killed.
_seen: Any = None  # the rows that each job has seen
_stop: Any = None  # true when every job is to save its state and end
_busy = threading.Lock()  # held while a job is in training


def train_all(jobs: Sequence[Job], workers: int, display: Display) -> None:
    """Train every job, `workers` at a time, each in a process of its own. Ctrl-C keeps the state of every fleet.

    A job that fails leaves the others alone. Raises NuclrError at the end when a run diverged or is held by another training,
    at once when the store cannot be written or a process was killed; Stopped on Ctrl-C.
    """
    context = multiprocessing.get_context("spawn")
    seen = context.RawArray("q", [NOT_BEGUN] * len(jobs))
    stop = context.RawValue("b", 0)
    pool = ProcessPoolExecutor(min(workers, len(jobs)), context, _prepare, (seen, stop))
    try:
        with display:
            running = {pool.submit(_work, index, job): job for index, job in enumerate(jobs)}
            troubles = _watch(running, seen, stop, display)
    except KeyboardInterrupt:
        raise Stopped("Stopped: what was trained is kept, and the same command goes on from there.") from None
    except BrokenProcessPool as trouble:
        raise NuclrError(
            "A training process was killed, perhaps for want of memory: run the same command again, with fewer --workers."
        ) from trouble
    finally:
        stop.value = 1  # wherever this ends early, every fleet saves its state after the step that it is in
        pool.shutdown(wait=True, cancel_futures=True)
    if len(troubles) == 1:
        raise troubles[0]
    if troubles:
        raise NuclrError(f"{len(troubles)} of {len(jobs)} fleets failed. " + " ".join(map(str, troubles)))


def _watch(running: dict[Future[Outcome], Job], seen: Sequence[int], stop: Any, display: Display) -> list[NuclrError]:
    """Follow the jobs to the end; returns what went wrong with some of them."""
    pending, troubles = set(running), []
    while pending:
        done, pending = wait(pending, timeout=0.5)
        display.update(list(seen))
        for future in done:
            try:
                outcome = future.result()
            except NuclrError as trouble:
                troubles.append(trouble)
                continue
            display.finished(running[future], outcome)
            if not outcome.finished and not stop.value:
                troubles.append(_held(running[future], outcome))
        if stop.value:
            pending = {future for future in pending if not future.cancel()}
    return troubles


def _held(job: Job, outcome: Outcome) -> NuclrError:
    why = "; ".join(outcome.notes) or "another training holds its runs"
    return NuclrError(f"{job.label} is not finished ({why}): run the same command again later.")


def _prepare(seen: Any, stop: Any) -> None:
    global _seen, _stop
    _seen, _stop = seen, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which asks the workers to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    keep_freed_memory()


def _end_with_parent() -> None:
    """No worker outlives a parent that was killed: the job saves its state, then the process ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    _stop.value = 1
    with _busy:
        os._exit(1)


def _work(index: int, job: Job) -> Outcome:
    def on_progress(rows: int) -> bool:
        _seen[index] = rows
        return not _stop.value

    with _busy:
        try:
            return train(job, on_progress)
        except NuclrError as trouble:
            if isinstance(trouble.__cause__, OSError):
                _stop.value = 1  # the store is in trouble, not the run: no other fleet could save anything either
            raise
