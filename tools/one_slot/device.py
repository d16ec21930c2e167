"""What the workers do on the device: say what it is, check it, find its pace, train. The first argument says a line for the log."""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from nuclr.config import Precision, RunConfig
from nuclr.runs import planned
from nuclr.train import fleetsize, worker
from nuclr.train.examples import batch_rows
from nuclr.train.kinds import examples, fleet_of, shape
from nuclr.train.plan import fingerprint_of
from nuclr.train.pool import absent
from nuclr.train.replicas import Replicas
from nuclr.train.worker import Job, device_name, driver_name
from nuclr.verdict.provenance import gather
from tools.one_slot.plan import Fleet, names
from tools.one_slot.worker import Say

# Of gradients, against float64 on the CPU: in which type and precision, and how far they may be off, as a share of their length.
GRADIENTS: dict[str, tuple[torch.dtype, Precision, float]] = {
    "float64": (torch.float64, "float32", 1e-9),
    "float32": (torch.float32, "float32", 2e-5),
    "bf16-matmul": (torch.float32, "bf16-matmul", 6e-2),
}
STEPS, SAME = 20, 1e-4  # steps in float32, and how far the parameters may be apart then, as a share of their length
TIMED = 0.5  # seconds of steps by which a pace is measured
KERNELS = 25  # that are named


def facts(say: Say, device: str) -> None:
    """The card, the versions, and what there is of processors, memory and disk."""
    found = gather(Path.cwd())
    say(f"commit {found['commit']}{' and changes' if found['dirty'] else ''}; {found['device']}")
    say(", ".join(f"{name} {version}" for name, version in found["versions"].items()))
    optional = ("xdist", "pyoperon", "loky", "nucleardatapy", "threadpoolctl")
    say(f"not installed: {', '.join(name for name in optional if not find_spec(name)) or 'nothing'}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    say(f"{memory / 1e9:.1f} GB of memory and {shutil.disk_usage('.').free / 1e9:.1f} GB of disk are free")
    say(f"{device_name(device)}, {driver_name(device) or 'no driver'}")
    if device == "cuda":
        free, whole = torch.cuda.mem_get_info()
        say(
            f"{free / 1e9:.1f} of {whole / 1e9:.1f} GB free on the card, capability {torch.cuda.get_device_capability()}"
        )


def plan(say: Say, profile: str, only: Sequence[str]) -> list[Fleet]:
    """The fleets in the order of their training; says the digest of the rows of every name."""
    fleets = []
    for name in names(profile, only):
        configs = planned(profile, [name])
        data, pace = examples(configs[0]), fleetsize.rule(configs[0])
        rows = batch_rows(configs[0], data)
        say(f"rows of {configs[0].label}: {data.digest[:16]}, {rows} a step")
        for start in range(0, len(configs), pace.best):
            members = configs[start : start + pace.best]
            kind = f"{shape(configs[0])}, {rows} rows, {len(members)} runs"
            fleets.append(Fleet(tuple(members), tuple(map(fingerprint_of, members)), kind, pace.at(pace.best)))
    return fleets


def gradients(say: Say, config: RunConfig, device: str) -> set[str]:
    """Which of GRADIENTS are off on the device."""

    def found(where: str, dtype: torch.dtype, precision: Precision) -> Mapping[str, Tensor]:
        run = _with(config, precision)
        engine = Replicas([run], [examples(run)], torch.device(where), dtype, graph=False)
        return {name: value.cpu().double() for name, value in engine.gradients(0).items()}

    exact, bad = found("cpu", torch.float64, "float32"), set()
    for name, (dtype, precision, limit) in GRADIENTS.items():
        apart, worst = _apart(found(device, dtype, precision), exact)
        say(
            f"gradients of {config.name} in {name}: {apart:.1e} apart ({worst}), may be {limit:.0e}{_off(apart > limit)}"
        )
        if not apart <= limit:
            bad.add(name)
    return bad


def first_steps(say: Say, configs: Sequence[RunConfig], device: str) -> set[str]:
    """What of "graph", "resumed" and "fleet" trains other parameters than the first of these runs alone, eagerly."""
    runs = [_with(config, "float32") for config in configs]

    def engine(members: Sequence[RunConfig], graph: bool = False) -> Replicas:
        return Replicas(members, [examples(run) for run in members], torch.device(device), torch.float32, graph)

    def after(some: Replicas, step: int = 0) -> dict[str, Tensor]:
        some.advance(step, STEPS - step)
        return {name: value.clone() for name, value in some.parameters(0).items()}

    eager, bad = after(engine(runs[:1])), set()
    begun, resumed = engine(runs[:1]), engine(runs[:1])
    begun.advance(0, STEPS // 2)
    resumed.load([begun.state(0)])
    others = {
        "graph": after(engine(runs[:1], graph=True)),
        "resumed": after(resumed, STEPS // 2),
        "fleet": after(engine(runs)),
    }
    for name, found in others.items():
        apart, worst = _apart(found, eager)
        say(f"{STEPS} steps, {name}: {apart:.1e} apart ({worst}), may be {SAME:.0e}{_off(apart > SAME)}")
        if not apart <= SAME:
            bad.add(name)
    return bad


def pace(say: Say, fleet: Fleet, device: str) -> float:
    """Seconds that one step of one run takes."""
    _clear()
    engine = fleet_of(fleet.configs, device, fleet.graph).engine

    def seconds(step: int, count: int) -> float:
        began = time.perf_counter()
        engine.advance(step, count).tolist()  # waits for the device
        return (time.perf_counter() - began) / count

    seconds(0, 5)  # with the capture of the graph
    count = max(1, int(TIMED / seconds(5, 5)))
    found = seconds(10, count) / len(fleet.configs)
    say(f"{fleet.label}: {1000 * found:.3f} ms a run-step ({count} steps); estimated were {1000 * fleet.pace:.3f}")
    return found


def kernels(say: Say, config: RunConfig, device: str) -> None:
    """The kernels in which STEPS steps of a run spend their time."""
    engine = Replicas([config], [examples(config)], torch.device(device), torch.float32)
    engine.advance(0, 5)
    cuda = device == "cuda"
    with profile(activities=[ProfilerActivity.CUDA if cuda else ProfilerActivity.CPU]) as found:
        engine.advance(5, STEPS).tolist()
    spent = [
        ((entry.self_device_time_total if cuda else entry.self_cpu_time_total) / 1000 / STEPS, entry.count, entry.key)
        for entry in found.key_averages()
    ]
    say(
        f"{STEPS} steps of {config.label}: {sum(ms for ms, *_ in spent):.3f} ms a step in {len(spent)} kinds of kernels"
    )
    for ms, count, name in sorted(spent, reverse=True)[:KERNELS]:
        say(f"{ms:9.4f} ms {count / STEPS:7.1f} x {name[:100]}")


def train(say: Say, fleet: Fleet, profile: str, store: Path, device: str) -> list[tuple[RunConfig, str]]:
    """Train a fleet: its runs in the store, with their fingerprints. Nothing of a run is kept before its end."""

    def on_progress(_: int) -> bool:
        say("")
        return True

    _clear()
    job = Job(*(profile, fleet.configs, fleet.fingerprints, store, device), threads=1, saves=False, graph=fleet.graph)
    outcome = worker.train(job, on_progress)
    for note in outcome.notes:
        say(note)
    lost = absent(job)
    return [pair for pair in zip(fleet.configs, fleet.fingerprints, strict=True) if pair[1] not in lost]


def _with(config: RunConfig, precision: Precision) -> RunConfig:
    return replace(config, training=replace(config.training, precision=precision))


def _apart(found: Mapping[str, Tensor], exact: Mapping[str, Tensor]) -> tuple[float, str]:
    """The largest difference of a parameter as a share of its length, and which parameter it is."""
    shares = {name: float((found[name] - value).norm() / value.norm()) for name, value in exact.items() if value.any()}
    worst = max(shares, key=lambda name: shares[name])
    return shares[worst], worst


def _off(off: bool) -> str:
    return ": OFF" if off else ""


def _clear() -> None:
    """Free what the task before this one left of the card's memory."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
