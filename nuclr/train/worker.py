"""One worker: trains one fleet, keeps its unfinished state on disk, and puts the finished runs into the store."""

from __future__ import annotations

import ctypes
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from nuclr.config import RunConfig
from nuclr.train.loop import Fleet
from nuclr.train.store import Store, Unfinished, curves_csv, pack

SAVE_EVERY = 20.0  # seconds between saves of the unfinished state


@dataclass(frozen=True)
class Job:
    """A fleet to train: its runs, their fingerprints, where they belong, and the device."""

    profile: str
    configs: tuple[RunConfig, ...]
    fingerprints: tuple[str, ...]
    store: Path
    device: str
    threads: int

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


def train(job: Job, on_progress: Callable[[int], bool]) -> bool:
    """Train a fleet to its end and store its runs. True when finished, False when stopped (the state is kept).

    on_progress(rows seen) is called now and then; a False from it stops the training after the current step.
    Raises NuclrError when a run diverges or the store cannot be written.
    """
    torch.set_num_threads(job.threads)
    fleet = Fleet(job.configs, job.device)
    unfinished = Unfinished(job.store, job.fingerprints)
    seconds = 0.0
    begun = unfinished.load()
    if begun:
        tensors, step, seconds, curves = begun
        fleet.load_state(tensors, step, curves)
    started = saved = time.monotonic()

    def elapsed() -> float:
        return seconds + time.monotonic() - started

    def save() -> None:
        unfinished.save(fleet.state(), fleet.step, elapsed(), fleet.curves)

    def on_step(step: int) -> bool:
        nonlocal saved
        go_on = on_progress(step * fleet.rows_per_step)
        if time.monotonic() - saved > SAVE_EVERY:
            save()
            saved = time.monotonic()
        return go_on

    on_progress(fleet.step * fleet.rows_per_step)
    if not fleet.train(on_step, lambda step: unfinished.save_checkpoint(step, fleet.parameters)):
        save()
        return False
    _store(job, fleet, unfinished, elapsed())
    return True


def _store(job: Job, fleet: Fleet, unfinished: Unfinished, seconds: float) -> None:
    store, checkpoints, errors = Store(job.store), unfinished.checkpoints(), fleet.errors()
    for index, (config, fingerprint) in enumerate(zip(job.configs, job.fingerprints, strict=True)):
        data = fleet.examples[index]
        files = {"weights.safetensors": pack({name: value[index] for name, value in fleet.parameters.items()})}
        for name, tensors in checkpoints.items():
            files[name] = pack({key: value[index] for key, value in tensors.items()})
        files["curves.csv"] = curves_csv(fleet.curves[index])
        facts: dict[str, Any] = {
            "low": data.low.tolist(),
            "high": data.high.tolist(),
            "rows": {"train": int(data.train.sum()), "validation": int(data.validation.sum())},
            "batch_rows": fleet.batches[index].rows,
            "steps": fleet.step,
            "precision": config.training.precision,
            "device": device_name(job.device),
            "threads": job.threads,
            "fleet": len(job.configs),
            "seconds": round(seconds / len(job.configs), 3),  # this run's share of its fleet's time
            "versions": {name: metadata.version(name) for name in ("torch", "numpy")}
            | {"python": platform.python_version()},
            "errors": errors[index],
        }
        store.add(job.profile, config, fingerprint, files, facts)
    unfinished.remove()


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
