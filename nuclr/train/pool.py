"""The processes that train on this machine: one job a worker, Ctrl-C and SIGTERM in the hands of the parent.

loky, of which joblib ships a copy, starts all workers before it watches them. The standard library's pool starts them one by one
beside its watch (Python 3.11), which then may not know the last one: killed, it was never missed. Both start two workers with
torch in 1.9 s.

One training fills a GPU, and a process of its own would start torch and CUDA a second time: there it is a thread of this process.
"""

from __future__ import annotations

import gc
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from joblib.externals.loky import ProcessPoolExecutor

from nuclr.errors import Incomplete, NuclrError, Stopped
from nuclr.train.progress import NOT_BEGUN, Display
from nuclr.train.store import Store
from nuclr.train.worker import Job, Outcome, keep_freed_memory, train

PARENT_EVERY = 1.0  # seconds between a worker's looks at its parent


class Board:
    """What parent and workers tell each other: a mapped file, which any process can open and no killed one leaves locked."""

    def __init__(self, path: Path, jobs: int) -> None:
        self._numbers = np.memmap(path, np.int64, "r+" if path.exists() else "w+", shape=(jobs + 1,))
        self.seen = self._numbers[:jobs]  # rows that each job has seen

    @property
    def stop(self) -> bool:
        """Whether every job is to save its state and end."""
        return bool(self._numbers[-1])

    def ask_to_stop(self) -> None:
        self._numbers[-1] = 1


def train_all(
    jobs: Sequence[Job],
    workers: int,
    display: Display,
    deadline: float | None = None,
    ended: Callable[[Job], None] = lambda _: None,
    *,
    in_process: bool = False,
) -> None:
    """Train every job, `workers` at a time, each in a process of its own. Ctrl-C and SIGTERM keep the state of every fleet.

    deadline: on time.monotonic(); then every fleet saves its state and this returns, although jobs are left.
    ended: called with every job that has come to its end. in_process: one job at a time, in this process.
    A job that fails leaves the others alone. Raises Incomplete at the end when a run diverged or is left to another process,
    NuclrError at once when the store cannot be written or a worker was killed; Stopped on Ctrl-C and SIGTERM.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "board"
        board = Board(path, len(jobs))
        board.seen[:] = NOT_BEGUN
        running: dict[Future[Outcome], Job] = {}
        pool = _thread(path, len(jobs)) if in_process else _processes(path, len(jobs), workers)
        with _interrupted_once():
            try:
                with display:
                    for index, job in enumerate(jobs):
                        running[pool.submit(_work, index, job)] = job
                    troubles = _watch(running, board, display, deadline, ended)
            except KeyboardInterrupt:
                raise Stopped("Stopped: what was trained is kept, and the same command goes on from there.") from None
            except BrokenProcessPool as trouble:
                raise NuclrError(
                    "A training process was killed, perhaps for want of memory: run the same command again, with fewer --workers."
                ) from trouble
            finally:
                board.ask_to_stop()  # wherever this ends early, every fleet saves its state after the step that it is in
                for future in running:
                    future.cancel()
                pool.shutdown(wait=True)
                if in_process:  # a GPU's memory goes back as when a worker ends: what judges next may need it
                    gc.collect()
                    torch.cuda.empty_cache()
    if len(troubles) == 1:
        raise troubles[0]
    if troubles:
        kind = Incomplete if all(isinstance(trouble, Incomplete) for trouble in troubles) else NuclrError
        raise kind(f"{len(troubles)} of {len(jobs)} fleets failed. " + " ".join(map(str, troubles)))


def _processes(path: Path, jobs: int, workers: int) -> Executor:
    return ProcessPoolExecutor(min(workers, jobs), initializer=_prepare, initargs=(path, jobs, os.getpid()))


def _thread(path: Path, jobs: int) -> Executor:
    """Not the main thread, in which Python handles signals: one of them would find it amid a step."""
    return ThreadPoolExecutor(1, initializer=_begin, initargs=(path, jobs))


def _watch(
    running: dict[Future[Outcome], Job],
    board: Board,
    display: Display,
    deadline: float | None = None,
    ended: Callable[[Job], None] = lambda _: None,
) -> list[NuclrError]:
    """Follow the jobs to the end, or until the deadline; returns what went wrong with some of them."""
    pending, troubles = set(running), []
    while pending:
        if deadline is not None and time.monotonic() >= deadline:
            board.ask_to_stop()
        done, pending = wait(pending, timeout=0.5)
        display.update(board.seen.tolist())
        for future in done:
            try:
                outcome = future.result()
            except NuclrError as trouble:
                troubles.append(trouble)
                continue
            display.finished(running[future], outcome)
            ended(running[future])
            if outcome.finished and absent(running[future]):
                troubles.append(lacking(running[future], outcome))
        if board.stop:
            pending = {future for future in pending if not future.cancel()}
    return troubles


@contextmanager
def _interrupted_once() -> Iterator[None]:
    """Ctrl-C, or SIGTERM, by which `kill`, containers and service managers ask for an end, becomes one KeyboardInterrupt.

    What follows it is ignored: `timeout` sends every signal twice, and the second would end the saving of the state.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def interrupt(*_: object) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for one, handler in before.items():
        if handler is not signal.SIG_IGN:  # as SIGINT is in the background of a shell
            signal.signal(one, interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def absent(job: Job) -> list[str]:
    """Fingerprints of a job's runs that the store lacks."""
    pairs = zip(job.configs, job.fingerprints, strict=True)
    return [run for config, run in pairs if not Store(job.store).folder(job.profile, config, run).exists()]


def lacking(job: Job, outcome: Outcome) -> NuclrError:
    """The error for a job that came to its end without all of its runs: they diverged, or another process trains them."""
    return Incomplete(" ".join(outcome.notes) or f"{job.label} is not in the store: run the same command again.")


# In a worker:

_busy = threading.Lock()  # held while a job is in training
_board: Board


def _begin(path: Path, jobs: int) -> None:
    global _board
    _board = Board(path, jobs)
    keep_freed_memory()


def _prepare(path: Path, jobs: int, parent: int) -> None:
    _begin(path, jobs)
    for one in (signal.SIGINT, signal.SIGTERM):  # they reach the parent as well, which asks the workers to stop
        signal.signal(one, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """No worker outlives a parent that was killed: the job saves its state, then the process ends."""
    while os.getppid() == parent:
        time.sleep(PARENT_EVERY)
    _board.ask_to_stop()
    with _busy:
        os._exit(1)


def _work(index: int, job: Job) -> Outcome:
    def on_progress(rows: int) -> bool:
        _board.seen[index] = rows
        return not _board.stop

    with _busy:
        # A job that already waits in the queue of the processes cannot be cancelled. One that has begun does a step at least, and
        # where none has this one begins: so that slices, however short, come to the end.
        if _board.stop and (_board.seen != NOT_BEGUN).any():
            return Outcome(finished=False, trained=0, notes=())
        try:
            return train(job, on_progress)
        except NuclrError as trouble:
            if _of_the_drive(trouble):
                _board.ask_to_stop()  # the store is in trouble, not the run: no other fleet could save anything either
            raise


def _of_the_drive(trouble: BaseException | None) -> bool:
    return trouble is not None and (isinstance(trouble, OSError) or _of_the_drive(trouble.__cause__))
