"""One worker: trains the runs of a job, keeps their unfinished state on disk, and puts the finished ones into the store."""

from __future__ import annotations

import ctypes
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from nuclr.config import RunConfig
from nuclr.errors import NuclrError
from nuclr.files import Unwritable
from nuclr.train.examples import batch_rows
from nuclr.train.kinds import examples, fleet_of
from nuclr.train.lease import Leases
from nuclr.train.store import Store, curves_csv, kept, pack
from nuclr.train.unfinished import Begun, Damaged, Unfinished

SAVE_EVERY = 20.0  # seconds between saves of the unfinished state
KERNEL_MODULE = Path("/proc/driver/nvidia/version")  # where the NVIDIA driver tells its version
SAVING_SHARE = 0.05  # of the time at most goes into saving, however large the fleet and slow the drive


@dataclass(frozen=True)
class Job:
    """A fleet to train: its runs, their fingerprints, where they belong, the device, and the seconds that it should take.

    saves: whether the state of unfinished runs is kept, so that another process can go on from it.
    graph: whether the torch engine replays its step as a CUDA graph, where there is CUDA.
    """

    profile: str
    configs: tuple[RunConfig, ...]
    fingerprints: tuple[str, ...]
    store: Path
    device: str
    threads: int
    seconds: float | None = None
    saves: bool = True
    graph: bool = True

    @property
    def label(self) -> str:
        seeds = [config.seed for config in self.configs]
        return f"{self.configs[0].name} x {len(seeds)}"


def keep_freed_memory() -> None:
    """Have glibc reuse the pages of freed tensors instead of returning them to the kernel after every step.

    Fetching zeroed pages anew for each activation costs up to half of the time of a step (docs/performance.md).
    Elsewhere than on glibc nothing is changed.
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # the parameters' numbers in malloc.h
        libc.mallopt(mmap_threshold, 32 << 20)
        libc.mallopt(trim_threshold, 1 << 30)
        libc.mallopt(top_pad, 64 << 20)


@dataclass(frozen=True)
class Outcome:
    """finished: not stopped by on_progress. trained: runs put into the store.

    notes: a sentence for each run that was left to others, diverged or was found damaged, and for trouble with the drive.
    """

    finished: bool
    trained: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Member:
    """A run of the job whose lease is ours and which is not finished."""

    config: RunConfig
    fingerprint: str
    unfinished: Unfinished


def train(job: Job, on_progress: Callable[[int], bool]) -> Outcome:
    """Train the runs of a job to their end and store them; stopped, they keep their state.

    on_progress(rows seen) is called now and then; a False from it stops the training after the current step.
    Runs that are finished meanwhile, or trained by another process alive, are left out and count as seen.
    Raises NuclrError when the store cannot be written.
    """
    torch.set_num_threads(job.threads)
    notes: list[str] = []
    members = []
    seen = trained = 0
    with Leases(job.store, job.fingerprints) as leases:
        for config, fingerprint in zip(job.configs, job.fingerprints, strict=True):
            if _ours(job, config, fingerprint, leases, notes):
                members.append(Member(config, fingerprint, Unfinished(job.store, fingerprint)))
            else:
                seen += config.training.steps * batch_rows(config, examples(config))
        for fleet, begun in _fleets(members, notes):
            training = Training(job, fleet, begun, leases, notes)
            if not training.run(on_progress, seen):
                return Outcome(False, trained, tuple(notes))
            trained += training.publish()
            seen += training.rows
    return Outcome(True, trained, tuple(notes))


def _ours(job: Job, config: RunConfig, fingerprint: str, leases: Leases, notes: list[str]) -> bool:
    """Whether the run is for us to train: not finished, nor held by another; a damaged one is set aside."""
    if fingerprint in leases.others:
        notes.append(f"Run {config.label} is left to {leases.others[fingerprint]}, which trains it now.")
        return False
    store = Store(job.store)
    store.clean(job.profile, config, fingerprint)
    stored, damage = store.examine(job.profile, config, fingerprint)
    if stored:
        Unfinished(job.store, fingerprint).remove()  # left where a process was killed between storing the run and this
        leases.release(fingerprint)
    elif damage:
        aside = store.set_aside(job.profile, config, fingerprint)
        notes.append(f"{damage}: kept as {aside}, and run {config.label} is trained again.")
    return stored is None


def _fleets(members: Sequence[Member], notes: list[str]) -> list[tuple[list[Member], list[Begun]]]:
    """Members by the step where they go on, as fleets with their states (none at the beginning), nearest to the end first.

    A process killed while it saves leaves members at two steps. They go on from one that all have, since a fleet that is
    split rounds differently.
    """
    fleets: dict[int, tuple[list[Member], list[Begun]]] = {}
    common = set.intersection(*(member.unfinished.steps() for member in members)) if members else set()
    for step in sorted(common, reverse=True):
        begun = [member.unfinished.load(step) for member in members]
        if step == 0 or all(begun):
            fleets[step] = (list(members), [b for b in begun if b and step])
            break
    else:
        for member in members:
            state = member.unfinished.load()
            fleet, states = fleets.setdefault(state.step if state else 0, ([], []))
            fleet.append(member)
            states += [state] if state and state.step else []
    for member in members:
        notes += member.unfinished.notes
    return [fleets[step] for step in sorted(fleets, reverse=True)]


class Training:
    """A fleet in training, and the places of its runs on disk."""

    def __init__(
        self, job: Job, members: Sequence[Member], begun: Sequence[Begun], leases: Leases, notes: list[str]
    ) -> None:
        self.job, self.members, self.leases, self.notes = job, members, leases, notes
        self.fleet = fleet_of([member.config for member in members], job.device, graph=job.graph)
        if begun:
            self.fleet.load_members([b.state for b in begun], begun[0].step, [b.curve for b in begun])
        self.before = [b.seconds for b in begun] or [0.0] * len(members)
        self.started = time.monotonic()
        self.ended: set[int] = set()  # members that are stored, given up, or lost to another process
        self.per_step = self.fleet.rows_per_step  # of all members, also of those that diverge later

    @property
    def rows(self) -> int:
        """Rows seen by all members."""
        return self.fleet.step * self.per_step

    def run(self, on_progress: Callable[[int], bool], seen: int) -> bool:
        """Train to the end; False when stopped, the state then saved. `seen`: rows to add to those of this fleet."""
        next_save = time.monotonic() + SAVE_EVERY

        def on_step(_: int) -> bool:
            nonlocal next_save
            go_on = on_progress(seen + self.rows)
            if go_on and time.monotonic() > next_save:
                began = time.monotonic()
                self.save()
                took = time.monotonic() - began
                next_save = time.monotonic() + max(SAVE_EVERY, took / SAVING_SHARE)
            return go_on

        on_progress(seen + self.rows)
        if self.fleet.train(on_step, self.keep_checkpoint):
            return True
        self.save()
        return False

    def save(self) -> None:
        """Save the state of every member, where the job wants saves; what cannot be written stays in memory, with a note."""
        if not self.job.saves:
            return
        for index in self._left():
            with self._unless_unwritable():
                state, curve = self.fleet.member_state(index), self.fleet.curves[index]
                fleet = [member.fingerprint for member in self.members]
                self.members[index].unfinished.save(state, self.fleet.step, self._seconds(index), curve, fleet)

    def keep_checkpoint(self, step: int) -> None:
        for index in self._left():
            with self._unless_unwritable():
                member = self.members[index]
                member.unfinished.save_checkpoint(step, kept(member.config, self.fleet.parameters_of(index)))

    def publish(self) -> int:
        """Store the runs that reached their end; how many they are.

        Raises NuclrError naming the store and its free space where it cannot be written, after saving what can be saved.
        """
        for index, sentence in self.fleet.diverged.items():
            self.notes.append(sentence)
            self._end(index)
        if len(self._left()) > 1:
            self.save()  # whoever is left when this process is killed in between must not go on without its fellows
        published, errors = 0, self.fleet.errors()
        for index in self._left():
            member = self.members[index]
            try:
                published += self._store(index, errors[index])
                self._end(index)
            except Damaged as trouble:
                self.notes.append(f"{trouble} Run {member.config.label} begins anew with the next training.")
                self._end(index)
            except Unwritable as trouble:
                self.save()
                free = shutil.disk_usage(self.job.store).free / 1e6
                raise NuclrError(
                    f"Cannot put run {member.config.label} into the store {self.job.store} ({trouble.reason}, {free:.1f} MB free "
                    f"there): make room, then the same command goes on from step {member.unfinished.saved}."
                ) from trouble
        return published

    def _store(self, index: int, errors: dict[str, float]) -> bool:
        member, data = self.members[index], self.fleet.examples[index]
        files = {"weights.safetensors": pack(self.fleet.parameters_of(index))}
        files |= member.unfinished.checkpoints()
        files["curves.csv"] = curves_csv(self.fleet.curves[index])
        facts: dict[str, Any] = {
            "low": data.low.tolist(),
            "high": data.high.tolist(),
            "rows": {"train": int(data.train.sum()), "validation": int(data.validation.sum())},
            "batch_rows": batch_rows(member.config, data),
            "steps": self.fleet.step,
            "precision": member.config.training.precision,
            "arithmetic": self.fleet.engine.name,
            "device": device_name(self.job.device),
            "driver": driver_name(self.job.device),
            "threads": self.job.threads,
            "fleet": len(self.members),
            "seconds": round(self._seconds(index), 3),
            "versions": {name: metadata.version(name) for name in ("torch", "numpy")}
            | {"python": platform.python_version()},
            "errors": errors,
        }
        ours = partial(self._holds, index)
        return Store(self.job.store).add(self.job.profile, member.config, member.fingerprint, files, facts, ours)

    def _seconds(self, index: int) -> float:
        """A run's share of the time of its fleet, over all sessions."""
        return self.before[index] + (time.monotonic() - self.started) / len(self.members)

    def _left(self) -> list[int]:
        """Members in training whose lease is still ours."""
        indices = range(len(self.members))
        return [i for i in indices if i not in self.ended and i not in self.fleet.diverged and self._holds(i)]

    def _holds(self, index: int) -> bool:
        """False, with a note, when another process presumed us dead (a suspended computer) and has taken the run over."""
        member = self.members[index]
        if not self.leases.lost(member.fingerprint):
            return True
        self.ended.add(index)
        self.notes.append(
            f"Run {member.config.label} was taken over by another process while this one stood still: it is left to that one."
        )
        return False

    def _end(self, index: int) -> None:
        if index not in self.ended:
            self.ended.add(index)
            self.members[index].unfinished.remove()
            self.leases.release(self.members[index].fingerprint)

    @contextmanager
    def _unless_unwritable(self) -> Iterator[None]:
        try:
            yield
        except Unwritable as trouble:
            note = f"The state of unfinished runs could not be saved in {self.job.store} ({trouble.reason}): it stayed in memory."
            if note not in self.notes:
                self.notes.append(note)


def device_name(device: str) -> str:
    """The device for a reader: "cuda: NVIDIA H200", "cpu: Intel Xeon Processor"."""
    if device.startswith("cuda"):
        return f"{device}: {torch.cuda.get_device_name(device)}"
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return f"cpu: {model}"


def driver_name(device: str) -> str | None:
    """The driver of a GPU and the CUDA that torch was built for, "NVIDIA 550.54.15, CUDA 12.4"; None of a CPU."""
    if not device.startswith("cuda"):
        return None
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        version = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):  # a container may have the driver and not its tools
        found = re.search(r"Module +([0-9.]+)", KERNEL_MODULE.read_text()) if KERNEL_MODULE.exists() else None
        version = found[1] if found else "of unknown version"
    return f"NVIDIA {version.strip()}, CUDA {torch.version.cuda}"
