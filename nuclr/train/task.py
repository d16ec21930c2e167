"""One job of a sweep, as the cluster runs it, and the log that every run of a sweep has in the store.

<store>/.sweep/<fingerprint>.log      what happened to a run: submitted, begun, requeued, failed; the last line counts
"""

from __future__ import annotations

import os
import platform
import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path
from typing import Any

from nuclr.errors import NuclrError, Stopped
from nuclr.train import plan
from nuclr.train.pool import absent, lacking
from nuclr.train.worker import Job, Outcome, keep_freed_memory, train

LEASE = 120.0  # seconds after which the lease of a process that was killed on another host is free
PAUSE = 15.0  # seconds between looks at runs that somebody else holds
TERM_WAIT = 600.0  # seconds that a task told to end waits for its end: longer than SLURM's usual grace times


class Task:
    """Trains a fleet, resuming from the store. Goes to the cluster as a pickle of submitit's making.

    The training has a thread of its own, so that a signal, which Python handles in the main thread between any two of its
    instructions, never sees half a step: whoever wants the state asks the training to stop, and waits for it.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._stop: threading.Event | None = None
        self._training: Future[Outcome] | None = None

    def __call__(self) -> Outcome:
        """Train to the end. Raises NuclrError as `worker.train`, when runs stay away, and when the code is not that submitted."""
        self._stop = threading.Event()
        if "SLURM_JOB_ID" in os.environ:
            keep_freed_memory()
            signal.signal(signal.SIGTERM, self._end)
        with ThreadPoolExecutor(1) as threads:
            self._training = threads.submit(self._train, self._stop)
            try:
                while not wait([self._training], timeout=1.0).done:
                    pass  # awake now and then: a signal may reach the process in another thread, while only this one handles it
                outcome = self._training.result()
                if not outcome.finished:
                    # Told to end: SLURM requeues a task that it preempts, but not one that ends of itself before.
                    time.sleep(TERM_WAIT)
            except KeyboardInterrupt:
                self._stop.set()
                raise Stopped("Stopped: what was trained is kept, and the same command goes on from there.") from None
        return outcome

    def checkpoint(self) -> Any:
        """Save the state; returns what submitit is to requeue. Called by submitit in its signal handler."""
        from submitit.helpers import DelayedSubmission

        self._end()
        if self._training:
            wait([self._training])
        self._note("requeued")
        return DelayedSubmission(Task(self.job))

    def _end(self, *_: object) -> None:
        if self._stop:
            self._stop.set()

    def _train(self, stop: threading.Event) -> Outcome:
        try:
            self._check_code()
            self._note("begun")
            outcome = train(self.job, lambda _: not stop.is_set())
            looked = 0.0
            # A run that another process holds may be held by this very task, killed on another host before it was requeued.
            while (
                outcome.finished and looked < 1.5 * LEASE and any(held(self.job.store, run) for run in absent(self.job))
            ):
                looked += PAUSE
                stop.wait(PAUSE)
                outcome = train(self.job, lambda _: not stop.is_set())
            if outcome.finished and absent(self.job):
                raise lacking(self.job, outcome)
        except Exception as trouble:
            self._note(f"failed: {trouble}")
            raise
        self._note("done" if outcome.finished else "stopped")
        return outcome

    def _check_code(self) -> None:
        for config, submitted in zip(self.job.configs, self.job.fingerprints, strict=True):
            if plan.fingerprint_of(config) != submitted:
                raise NuclrError(
                    f"Run {config.label} was submitted with other code or data than are here now: sweep again."
                )

    def _note(self, text: str) -> None:
        array, index = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
        slurm_id = f"{array}_{index}" if array else os.environ.get("SLURM_JOB_ID", "-")
        note(self.job, f"{slurm_id} on {platform.node()}: {text}")


def held(store: Path, fingerprint: str) -> bool:
    """Whether somebody seems to train a run now. Only the lease itself is sure; a wrong guess costs a task that ends at once."""
    try:
        return time.time() - (store / ".leases" / fingerprint).stat().st_mtime < LEASE
    except OSError:
        return False


def logs(store: Path) -> Path:
    return store.resolve() / ".sweep"


def note(job: Job, text: str) -> None:
    """Add a line to the log of every run of a job. Raises NuclrError where the store cannot be written."""
    line = f"{datetime.now():%Y-%m-%d %H:%M:%S} {' '.join(text.split())}\n"
    try:
        logs(job.store).mkdir(parents=True, exist_ok=True)
        for fingerprint in job.fingerprints:
            with open(logs(job.store) / f"{fingerprint}.log", "a") as file:
                file.write(line)
    except OSError as trouble:
        raise NuclrError(
            f"Cannot write to the store {job.store} ({trouble.strerror}): name a writable folder with --store."
        ) from trouble


def last_note(store: Path, fingerprint: str) -> str:
    """The last line of a run's log; "" where there is none."""
    path = logs(store) / f"{fingerprint}.log"
    return path.read_text().splitlines()[-1] if path.exists() else ""
