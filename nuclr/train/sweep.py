"""A sweep: the missing runs of a profile as tasks of a SLURM array job, each of which resumes from the store.

    <store>/.sweep/<fingerprint>.log        what happened to a run, see nuclr.train.task
    <store>/.sweep/<job>_0_log.out, .err    what a task itself printed; the other files there are submitit's own

submitit pickles what it sends to a task and what comes back; nuclr reads neither.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuclr.errors import NuclrError, Stopped, unknown
from nuclr.train.examples import batch_rows
from nuclr.train.kinds import examples
from nuclr.train.plan import Planned, survey
from nuclr.train.pool import absent
from nuclr.train.progress import NOT_BEGUN, Display
from nuclr.train.store import Store
from nuclr.train.task import Task, held, last_note, logs, note
from nuclr.train.unfinished import step_of
from nuclr.train.worker import Job, Outcome

CLUSTERS = ("slurm", "local", "debug")
SIGNAL_BEFORE = 90  # seconds before the time limit at which a task saves its state and is requeued
REQUEUES = 1000  # of one task at its time limit; each goes on from where the last one ended
LOOK_EVERY = 5.0  # seconds between looks at the queue


@dataclass(frozen=True)
class Cluster:
    """Where the tasks run and what each asks for. minutes: its time limit. parallel: tasks at once, 0 for any number.

    setup: shell commands before the task. Raises NuclrError for an unknown cluster.
    """

    name: str = "slurm"
    partition: str = ""
    account: str = ""
    gpus: int = 1
    minutes: int = 240
    parallel: int = 0
    setup: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in CLUSTERS:
            raise unknown("cluster", self.name, CLUSTERS)


@dataclass(frozen=True)
class Standing:
    """How a run of a sweep stands: done, training, waiting, failed, unfinished or missing; `note` is its log's last line."""

    run: Planned
    state: str
    step: int
    note: str


def minutes(text: str) -> int:
    """A time limit, H:MM:SS or D-HH:MM:SS, in minutes, rounded up. Raises NuclrError for another form and under 2 minutes."""
    found = re.fullmatch(r"(?:(\d+)-)?(\d+):([0-5]\d):([0-5]\d)", text)
    if not found:
        raise NuclrError(f"{text!r} is no time limit: write --time as 4:00:00 (hours) or 2-12:00:00 (days-hours).")
    days, hours, full, seconds = (int(part or 0) for part in found.groups())
    total = days * 1440 + hours * 60 + full + (seconds > 0)
    if total < 2:
        raise NuclrError(f"--time {text} leaves a task no time to save its state: give it 0:02:00 at the least.")
    return total


def standings(profile: str, store: Path) -> list[Standing]:
    """Every run of the profile. Told from the store; from SLURM, where it answers, only what waits in its queue."""
    queue = queued() or set()
    found = []
    for run in survey(profile, Store(store)):
        last, step = last_note(store, run.fingerprint), step_of(store, run.fingerprint)
        words = last.split()
        if run.stored:
            state, step = "done", run.config.training.steps
        elif held(store, run.fingerprint):
            state = "training"
        elif len(words) > 2 and words[2] in queue:
            state = "waiting"
        elif ": failed: " in last:
            state = "failed"
        else:
            state = "unfinished" if step else "missing"
        found.append(Standing(run, state, step, last))
    return found


def told(standings: Sequence[Standing]) -> str:
    """For a reader: the number of runs in each state, and a line for each run that is not done."""
    states = [standing.state for standing in standings]
    lines = [", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))]
    for standing in standings:
        if standing.state != "done":
            config = standing.run.config
            at = f" at step {standing.step} of {config.training.steps}" if standing.step else ""
            lines.append(f"  {config.label}: {standing.state}{at}{f' ({standing.note})' if standing.note else ''}")
    return "\n".join(lines)


def queued() -> set[str] | None:
    """Ids of this user's SLURM tasks that wait or run, "12_3" for task 3 of array 12; None where SLURM does not answer."""
    command = ["squeue", "--me", "--noheader", "--array", "--format=%i"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return set(answer.stdout.split())


def submit(jobs: Sequence[Job], cluster: Cluster, store: Path) -> dict[str, Job]:
    """Send each job as a task of one array job; the tasks' ids and their jobs. Cluster "debug" runs them here, one by one.

    Raises NuclrError where submitit or SLURM is missing, SLURM refuses the jobs, or (debug) a task fails.
    """
    executor = _executor(cluster, store)
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    try:
        tasks = executor.submit_array([Task(job) for job in jobs])
    except (FailedJobError, FailedSubmissionError) as trouble:
        said = (str(trouble).strip() or "it does not say why").splitlines()[-1]
        raise NuclrError(
            f"SLURM refused the jobs ({said}): check --partition, --account, --gpus and --time."
        ) from trouble
    for task, job in zip(tasks, jobs, strict=True):
        if cluster.name == "slurm":
            note(job, f"{task.job_id} submitted")
        elif failure := task.exception():  # of an executor in this process: asking runs the task
            raise failure
    return {task.job_id: job for task, job in zip(tasks, jobs, strict=True)}


def _executor(cluster: Cluster, store: Path) -> Any:
    if cluster.name == "slurm" and not (shutil.which("sbatch") and shutil.which("srun")):
        raise NuclrError(
            "There is no sbatch here: run this on a login node of a SLURM cluster, or with --cluster local."
        )
    try:
        import submitit
    except ImportError as trouble:
        raise NuclrError("A sweep needs submitit: install it with `pip install 'nuclr[slurm]'`.") from trouble
    executor = submitit.AutoExecutor(logs(store), cluster=cluster.name, slurm_max_num_timeout=REQUEUES)
    executor.update_parameters(
        name="nuclr",
        timeout_min=cluster.minutes,
        cpus_per_task=1,
        gpus_per_node=cluster.gpus or None,
        slurm_partition=cluster.partition or None,
        slurm_account=cluster.account or None,
        slurm_array_parallelism=cluster.parallel or None,
        slurm_setup=list(cluster.setup) or None,
        slurm_signal_delay_s=SIGNAL_BEFORE,
        slurm_additional_parameters={"requeue": True},  # also what ends with its node
    )
    return executor


def follow(submitted: dict[str, Job], display: Display) -> None:
    """Show how the tasks get on until none is left in the queue. Raises NuclrError when runs are missing then."""
    done: set[str] = set()
    try:
        with display:
            while True:
                queue = queued()
                display.update([_rows(job) for job in submitted.values()])
                for task, job in submitted.items():
                    if task not in done and not absent(job):
                        done.add(task)
                        display.finished(job, Outcome(True, len(job.configs), ()))
                if len(done) == len(submitted) or (queue is not None and not queue & submitted.keys()):
                    break
                time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        raise Stopped("Stopped following: the jobs go on, `nuclr sweep --status` tells how they stand.") from None
    left = [job.label for task, job in submitted.items() if task not in done]
    if left:
        raise NuclrError(
            f"{', '.join(left)} ended without all runs: `nuclr sweep --status` tells why; sweep again to go on."
        )


def _rows(job: Job) -> int:
    """Rows that a job has seen, as the store knows it."""
    lacking, seen = absent(job), 0
    for config, run in zip(job.configs, job.fingerprints, strict=True):
        steps = step_of(job.store, run) if run in lacking else config.training.steps
        seen += steps * batch_rows(config, examples(config))
    return seen or NOT_BEGUN
