"""How many runs train fastest as one fleet: on a CPU measured once for a machine and a kind of run, on a GPU by rule."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nuclr import __version__
from nuclr.config import RunConfig
from nuclr.errors import NuclrError
from nuclr.files import write
from nuclr.train.cache import folder
from nuclr.train.examples import batch_rows
from nuclr.train.kinds import choose_engine, examples, shape
from nuclr.train.loop import ONE_CALL, EngineMaker
from nuclr.train.native import Native
from nuclr.train.throughput import operations
from nuclr.train.worker import device_name, keep_freed_memory

SIZES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)  # that are tried on a CPU
# On a GPU wide networks fill the device by themselves, and a fleet keeps two saves of every member on disk: three members of
# width 2048 write 2 GB.
WIDE, FEW, MANY = 1024, 3, 8
ENOUGH = 1.05  # the smallest fleet this near the fastest is taken: small ones spread evenly over the workers
REPEATS = 3
SECONDS = 0.2  # of timed steps for a size
SHARE = 0.005  # of the training that is ahead, so that short runs are not measured for longer than they train
# A rough model of a step on a GPU, for the time left that the display shows: bytes that a parameter moves through memory,
# memory's bytes and the products' operations in a second, and what a step takes besides.
BYTES, BANDWIDTH, SPEED, OVERHEAD = 48, 2.5e12, 3e14, 1e-4


@dataclass(frozen=True)
class Pace:
    """Seconds that one step of one run takes in fleets of some sizes."""

    of_size: dict[int, float]

    @property
    def best(self) -> int:
        """The smallest size within ENOUGH of the fastest."""
        fastest = min(self.of_size.values())
        return min(size for size, seconds in self.of_size.items() if seconds <= ENOUGH * fastest)

    def at(self, size: int) -> float:
        """Seconds a run-step in a fleet of any size, interpolated between those measured."""
        sizes = sorted(self.of_size)
        return float(np.interp(size, sizes, [self.of_size[known] for known in sizes]))


def pace(configs: Sequence[RunConfig], device: str, note: Callable[[str], None] = lambda _: None) -> Pace:
    """Pace of fleets of these runs, which are of equal shape. On a GPU from a rule; on a CPU from the cache, or measured where
    this machine is new to it.

    note: receives a line when something must be measured. A damaged cache is measured anew; one that cannot be written is
    done without.
    """
    if device.startswith("cuda"):
        return rule(configs[0])
    key, path = _key(configs, device), cache_file()
    known = _timings(_read(path).get(key))
    found: dict[int, float] = {}
    # The kernel takes one member after the other.
    for size in SIZES[:1] if _engine(configs[0], device) is Native else SIZES:
        if size > len(configs) or _best_is_behind(found):
            break
        if size not in known:
            if not found:
                note("measuring how many runs train fastest together, once for this machine")
            known[size] = _measure(configs[:size], device, len(configs))
            _keep(path, key, known)
        found[size] = known[size]
    return Pace(found)


def rule(config: RunConfig) -> Pace:
    """The one size for fleets on a GPU, where measuring would take longer than it gains."""
    rows, width = batch_rows(config, examples(config)), config.model.width
    parameters = (3 + 2 * config.model.depth) * width**2
    seconds = BYTES * parameters / BANDWIDTH + rows * operations(config, rows) / SPEED + OVERHEAD
    return Pace({FEW if width >= WIDE else MANY: seconds})


def cache_file() -> Path:
    """Where timings are kept."""
    return folder() / "fleet-sizes.json"


def _best_is_behind(found: dict[int, float]) -> bool:
    """Whether the last two sizes were no faster than a smaller one, or a step takes so long that Ctrl-C would have to wait."""
    times = list(found.values())
    slow = any(size * seconds > ONE_CALL for size, seconds in found.items())
    return slow or (len(times) > 2 and min(times[-2:]) >= min(times[:-2]))


def _measure(configs: Sequence[RunConfig], device: str, runs: int) -> float:
    """Seconds a run-step in a fleet of these runs, of which `runs` are to be trained."""
    place, dtype = torch.device(device), torch.float32
    make = choose_engine(place, configs[0], dtype)
    engine = make(configs, [examples(config) for config in configs], place, dtype)

    def seconds(count: int) -> float:
        began = time.thread_time()  # of this thread, which other programs that are at work do not lengthen
        engine.advance(0, count)
        return (time.thread_time() - began) / count

    with _as_in_a_worker():
        seconds(1)  # fetches memory
        step = seconds(1)
        whole = runs * configs[0].training.steps * step / len(configs)
        count = int(min(SECONDS, SHARE * whole) / REPEATS / step)
        best = min([step, *(seconds(count) for _ in range(REPEATS if count else 0))])
    return best / len(configs)


@contextmanager
def _as_in_a_worker() -> Iterator[None]:
    keep_freed_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _engine(config: RunConfig, device: str) -> EngineMaker:
    return choose_engine(torch.device(device), config, torch.float32)


def _key(configs: Sequence[RunConfig], device: str) -> str:
    """Everything that a timing depends on."""
    engine = _engine(configs[0], device).__name__
    rows = max(batch_rows(config, examples(config)) for config in configs)
    causes = (device_name(device), f"{os.cpu_count()} cores", f"torch {torch.__version__}")
    return "; ".join([*causes, repr(shape(configs[0])), f"{rows} rows", engine, f"nuclr {__version__}"])


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _timings(entry: Any) -> dict[int, float]:
    """An entry of the cache; none where it is not what `_keep` writes."""
    try:
        timings = {int(size): float(seconds) for size, seconds in entry.items()}
    except (AttributeError, TypeError, ValueError, OverflowError):
        return {}
    return timings if all(0 < seconds < math.inf for seconds in timings.values()) else {}


def _keep(path: Path, key: str, timings: dict[int, float]) -> None:
    entry = {str(size): seconds for size, seconds in timings.items()}
    with suppress(NuclrError):  # a cache that cannot be written costs a new measurement, no more
        write(path, json.dumps(_read(path) | {key: entry}, indent=1).encode())
