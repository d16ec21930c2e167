"""How fast the training is: the published step beside ours, in one process, in turns, as ratios (`nuclr bench`).

A ratio within one run means something on a shared machine, a number of seconds does not.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from nuclr.config import ModelConfig, Precision, RunConfig, TrainingConfig
from nuclr.model.network import MAX_N, MAX_Z
from nuclr.train.examples import Batches, batch_rows, examples
from nuclr.train.loop import Engine, choose_engine
from nuclr.train.worker import device_name, keep_freed_memory

NOTE_EVERY = 5.0  # seconds from one word of progress to the next
TURN = 0.1  # seconds that a variant runs before the next has its turn


class Published:
    """The published step, written plainly: what every other variant is measured against.

    Three embeddings concatenated, a (3d x d) first layer, residual blocks, the readout of all observables of which each row
    takes its own, in float32, with AdamW as it comes.
    """

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        width, depth, observables = config.model.width, config.model.depth, len(config.data.observables)
        self.batches = Batches(config, examples(config), device, torch.float32)
        torch.manual_seed(config.seed)
        self.embeddings = torch.nn.ModuleList(
            [torch.nn.Embedding(size, width) for size in (MAX_Z + 1, MAX_N + 1, observables)]
        ).to(device)
        self.first = torch.nn.Linear(3 * width, width).to(device)
        self.blocks = torch.nn.ModuleList(
            [
                torch.nn.Sequential(
                    torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, width), torch.nn.ReLU()
                )
                for _ in range(depth)
            ]
        ).to(device)
        self.readout = torch.nn.Linear(width, observables).to(device)
        modules = (self.embeddings, self.first, self.blocks, self.readout)
        self.optimizer = torch.optim.AdamW(
            [parameter for module in modules for parameter in module.parameters()],
            lr=config.training.learning_rate,
            weight_decay=config.training.weight_decay,
        )

    def advance(self, step: int, count: int) -> Tensor:
        """As nuclr.train.loop.Engine: the loss (1,) of the last of `count` steps."""
        loss = torch.zeros(())
        for s in range(step, step + count):
            z, n, observable, target, weight = self.batches.at(s)
            tokens = zip(self.embeddings, (z, n, observable), strict=True)
            x = functional.silu(self.first(torch.cat([table(token) for table, token in tokens], dim=1)))
            for block in self.blocks:
                x = x + block(x)
            predicted = self.readout(x).gather(1, observable[:, None])[:, 0]
            loss = (weight * (predicted - target) ** 2).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return loss.detach()[None]


class Crew:
    """A fleet on every core: a thread a core, each with a member of its own (the kernel lets the others run meanwhile)."""

    def __init__(self, members: Sequence[Engine]) -> None:
        self.members = members
        self.pool = ThreadPoolExecutor(len(members))

    def advance(self, step: int, count: int) -> Tensor:
        """As nuclr.train.loop.Engine: the losses of all members."""
        return torch.cat(list(self.pool.map(lambda member: member.advance(step, count), self.members)))


@dataclass
class Variant:
    """One way to train, and what the turns measured of it.

    name, what: for tables. runs: that train at once. threads: that train them. rows: in a step of one run.
    dtype: of the products' inputs. operations: floating-point operations in the matrix products of one row, forward and back.
    rates: rows a second. ratios: to the published step in the same turn. shares: of the matmul peak in the same turn.
    """

    name: str
    what: str
    runs: int
    threads: int
    rows: int
    dtype: torch.dtype
    operations: float
    engine: Any
    count: int = 2  # steps in a turn
    step: int = 0
    rates: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)


def measure(
    device: str, width: int, depth: int, batch: float, seconds: float, note: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Measure all variants in turns for about so many seconds: {"results": [...], "machine": {...}}, fit for JSON.

    Numbers are medians over the turns. The first result is the published step, of ratio 1.
    """
    place, config = torch.device(device), setting(width, depth, batch)
    compared = variants(config, place)
    take_turns(compared, config, place, seconds, note)
    return {
        "results": [result(variant) for variant in compared],
        "machine": {
            "device": device_name(device),
            "cores": os.cpu_count(),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "setting": {
            "width": width,
            "depth": depth,
            "rows": compared[0].rows,
            "observables": len(config.data.observables),
            "turns": len(compared[0].rates),
        },
    }


def setting(width: int, depth: int, batch: float) -> RunConfig:
    """The run that all variants train: all observables, a learning rate at which none diverges."""
    training = TrainingConfig(learning_rate=1e-3, batch=batch, warmup=0, schedule="constant", steps=1_000_000_000)
    return RunConfig("bench", model=ModelConfig(width=width, depth=depth), training=training)


def take_turns(
    compared: Sequence[Variant],
    config: RunConfig,
    place: torch.device,
    seconds: float,
    note: Callable[[str], None] = lambda _: None,
) -> None:
    """Let the variants train one after the other, over and over, for about so many seconds, and note each turn's numbers."""
    keep_freed_memory()
    for variant in compared:
        note(f"warming up: {variant.what}")
        _turn(variant, place)
        variant.count = max(1, round(TURN * _turn(variant, place) / variant.rows / variant.runs))
    end, told = time.monotonic() + seconds, -NOTE_EVERY
    while not compared[0].rates or time.monotonic() < end:
        for variant in compared:
            peak = matmul_peak(place, variant.rows, config.model.width, variant.dtype)
            variant.rates.append(_turn(variant, place))
            variant.ratios.append(variant.rates[-1] / compared[0].rates[-1])
            variant.shares.append(variant.rates[-1] * variant.operations / (peak * variant.threads))
        if (now := time.monotonic()) - told >= NOTE_EVERY:
            note(f"turn {len(compared[0].rates)}, {max(0.0, end - now):.0f} s left")
            told = now


def table(found: dict[str, Any]) -> Table:
    """The results of `measure` for a terminal."""
    sized, machine = found["setting"], found["machine"]
    sizes = f"width {sized['width']}, depth {sized['depth']}, {sized['rows']} rows a step"
    shown = Table(title=f"{machine['device']}, {machine['cores']} cores; {sizes}; medians of {sized['turns']} turns")
    for column in ("", "rows/s", "ms a step", "times published", "of matmul peak"):
        shown.add_column(column, justify="left" if not column else "right")
    for result in found["results"]:
        numbers = f"{result['rows_per_s']:,}", f"{result['ms_per_step']:.2f}", f"{result['ratio']:.2f}"
        shown.add_row(result["what"], *numbers, f"{result['share_of_peak']:.0%}")
    return shown


def variants(config: RunConfig, place: torch.device) -> list[Variant]:
    """The published step first; then ours in float32, with fast products, and as a fleet."""

    def ours(precision: Precision, seeds: Sequence[int]) -> Engine:
        members = [replace(config, seed=seed, training=replace(config.training, precision=precision)) for seed in seeds]
        make = choose_engine(place, members[0], torch.float32)
        return make(members, [examples(member) for member in members], place, torch.float32)

    rows, cores = batch_rows(config, examples(config)), os.cpu_count() or 1
    plain, lean = operations(config, None), operations(config, rows)
    found = []

    def add(
        name: str, what: str, runs: int, threads: int, operations: float, engine: Any, dtype: Any = torch.float32
    ) -> None:
        found.append(Variant(name, what, runs, threads, rows, dtype, operations, engine))

    add("published", "the published step, eager float32", 1, 1, plain, Published(config, place))
    if place.type == "cpu" and cores > 1:
        add("published-all-cores", f"the same on {cores} cores", 1, cores, plain, Published(config, place))
    single, fast = ours("float32", [0]), ours("bf16-matmul", [0])
    add("float32", f"one run, {single.name}", 1, 1, lean, single)
    add("fast", f"one run, {fast.name}", 1, 1, lean, fast, torch.bfloat16)
    if place.type == "cpu":
        crew = Crew([ours("bf16-matmul", [seed]) for seed in range(cores)])
        add("fleet", f"a run a core, {fast.name}", cores, cores, lean, crew, torch.bfloat16)
    else:
        add("fleet", f"3 runs as one, {fast.name}", 3, 1, lean, ours("bf16-matmul", range(3)), torch.bfloat16)
    return found


def operations(config: RunConfig, rows: int | None) -> float:
    """Floating-point operations in the matrix products of a row, forward and twice as many back.

    rows: in a step, over which our tables of the first layer are shared; None: the published step, which has none.
    """
    d, observables = config.model.width, len(config.data.observables)
    blocks, read = 2 * config.model.depth * d * d, d
    if config.model.attention == "transformer":
        # In a block each of the three tokens meets five matrices, and nine pairs of tokens are scored and summed up.
        blocks, read = config.model.depth * (3 * 5 * d * d + 2 * 9 * d), 3 * d
    if rows is None:
        return 6 * (3 * d * d + blocks + read * observables)
    return 6 * ((MAX_Z + 1 + MAX_N + 1 + observables) * d * d / rows + blocks + read)


def matmul_peak(place: torch.device, rows: int, width: int, dtype: torch.dtype) -> float:
    """Operations a second of torch's matrix product (rows x width) (width x width) on one core, or on the GPU.

    Of random numbers: on ones a GPU needs less power and runs at a higher clock.
    """
    left, right = (
        torch.randn(rows, width, dtype=dtype, device=place),
        torch.randn(width, width, dtype=dtype, device=place),
    )
    out = torch.empty(rows, width, dtype=dtype, device=place)

    def seconds(count: int) -> float:
        _wait(place)
        began = time.perf_counter()
        for _ in range(count):
            torch.mm(left, right, out=out)
        _wait(place)
        return (time.perf_counter() - began) / count

    with _threads(1):
        count = max(1, int(TURN / 4 / seconds(3)))
        return 2 * rows * width * width / seconds(count)


def _turn(variant: Variant, place: torch.device) -> float:
    """Let a variant train for its number of steps: rows a second, of all its runs."""
    with _threads(variant.threads):
        _wait(place)
        began = time.perf_counter()
        variant.engine.advance(variant.step, variant.count).tolist()  # waits for the device
        passed = time.perf_counter() - began
    variant.step += variant.count
    return variant.count * variant.runs * variant.rows / passed


def result(variant: Variant) -> dict[str, Any]:
    """Medians over the turns, fit for JSON."""
    rate = statistics.median(variant.rates)
    return {
        "name": variant.name,
        "what": variant.what,
        "runs": variant.runs,
        "threads": variant.threads,
        "rows_per_s": round(rate),
        "ms_per_step": round(1000 * variant.runs * variant.rows / rate, 3),
        "ratio": round(statistics.median(variant.ratios), 2),
        "share_of_peak": round(statistics.median(variant.shares), 3),
    }


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _wait(place: torch.device) -> None:
    if place.type == "cuda":
        torch.cuda.synchronize(place)
