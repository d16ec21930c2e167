"""How many runs train fastest as one fleet: measured once for a machine and a kind of run, kept in the user's cache folder."""

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

from nuclr.config import RunConfig
from nuclr.errors import NuclrError
from nuclr.files import write
from nuclr.train.cache import folder
from nuclr.train.examples import batch_rows
from nuclr.train.kinds import choose_engine, examples, shape
from nuclr.train.loop import ONE_CALL, EngineMaker
from nuclr.train.native import Native
from nuclr.train.worker import device_name, keep_freed_memory

SIZES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
ENOUGH = 1.05  # the smallest fleet this near the fastest is taken: small ones spread evenly over the workers
REPEATS = 3
SECONDS = 0.2  # of timed steps for a size
SHARE = 0.005  # of the training that is ahead, so that short runs are not measured for longer than they train
UNMEASURED = 3  # a size that gains at most devices, for one that is not at hand, as from a cluster's login node
MEMORY = 0.8  # of a GPU's free memory that a fleet may take


@dataclass(frozen=True)
class Timing:
    """A fleet of some size: seconds that one step of one run takes in it, and the bytes that it fills on a GPU."""

    seconds: float
    memory: int


@dataclass(frozen=True)
class Pace:
    """Timings of fleets by their size."""

    of_size: dict[int, Timing]

    @property
    def best(self) -> int:
        """The smallest size within ENOUGH of the fastest."""
        fastest = min(timing.seconds for timing in self.of_size.values())
        return min(size for size, timing in self.of_size.items() if timing.seconds <= ENOUGH * fastest)

    def at(self, size: int) -> float:
        """Seconds a run-step in a fleet of any size, interpolated between those measured."""
        sizes = sorted(self.of_size)
        return float(np.interp(size, sizes, [self.of_size[known].seconds for known in sizes]))


def pace(configs: Sequence[RunConfig], device: str, code: str, note: Callable[[str], None] = lambda _: None) -> Pace:
    """Pace of fleets of these runs, which are of equal shape: from the cache, or measured where this machine is new to it.

    code: digest of the code that trains. note: told when something must be measured. A damaged cache is measured anew; one
    that cannot be written is done without.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        return Pace({UNMEASURED: Timing(1.0, 0)})
    key, path = _key(configs, device, code), cache_file()
    known = _timings(_read(path).get(key))
    found: dict[int, Timing] = {}
    for size in (
        SIZES[:1] if _engine(configs[0], device) is Native else SIZES
    ):  # the kernel takes one member after the other
        if size > len(configs) or _best_is_behind(found) or not _fits(size, found, device):
            break
        if size not in known:
            if not found:
                note("measuring how many runs train fastest together, once for this machine")
            known[size] = _measure(configs[:size], device, len(configs))
            _keep(path, key, known)
        found[size] = known[size]
    return Pace(found)


def cache_file() -> Path:
    """Where timings are kept."""
    return folder() / "fleet-sizes.json"


def _best_is_behind(found: dict[int, Timing]) -> bool:
    """Whether the last two sizes were no faster than a smaller one, or a step takes so long that Ctrl-C would have to wait."""
    times = [timing.seconds for timing in found.values()]
    slow = any(size * timing.seconds > ONE_CALL for size, timing in found.items())
    return slow or (len(times) > 2 and min(times[-2:]) >= min(times[:-2]))


def _fits(size: int, found: dict[int, Timing], device: str) -> bool:
    if not found or not device.startswith("cuda"):
        return True
    largest = max(found)
    free, _ = torch.cuda.mem_get_info(device)
    return found[largest].memory / largest * size <= MEMORY * free


def _measure(configs: Sequence[RunConfig], device: str, runs: int) -> Timing:
    """Time a fleet of these runs, of which `runs` are to be trained."""
    place, dtype = torch.device(device), torch.float32
    cuda = place.type == "cuda"
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(place)
    make = choose_engine(place, configs[0], dtype)
    engine = make(configs, [examples(config) for config in configs], place, dtype)

    # On a CPU the time of this thread, which other programs that are at work do not lengthen.
    clock = time.perf_counter if cuda else time.thread_time

    def seconds(count: int) -> float:
        began = clock()
        engine.advance(0, count).tolist()  # waits for the device
        return (clock() - began) / count

    with _as_in_a_worker():
        seconds(5 if cuda else 1)  # fetches memory, and on a GPU captures the step
        step = seconds(1)
        whole = runs * configs[0].training.steps * step / len(configs)
        count = int(min(SECONDS, SHARE * whole) / REPEATS / step)
        best = min([step, *(seconds(count) for _ in range(REPEATS if count else 0))])
    return Timing(best / len(configs), torch.cuda.max_memory_reserved(place) if cuda else 0)


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


def _key(configs: Sequence[RunConfig], device: str, code: str) -> str:
    """All that a timing hangs on."""
    engine = _engine(configs[0], device).__name__
    rows = max(batch_rows(config, examples(config)) for config in configs)
    causes = (device_name(device), f"{os.cpu_count()} cores", f"torch {torch.__version__}")
    return "; ".join([*causes, repr(shape(configs[0])), f"{rows} rows", engine, code])


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _timings(entry: Any) -> dict[int, Timing]:
    """An entry of the cache; none where it is not what `_keep` writes."""
    try:
        timings = {int(size): Timing(float(seconds), int(memory)) for size, (seconds, memory) in entry.items()}
    except (AttributeError, TypeError, ValueError, OverflowError):
        return {}
    sound = all(0 < timing.seconds < math.inf and timing.memory >= 0 for timing in timings.values())
    return timings if sound else {}


def _keep(path: Path, key: str, timings: dict[int, Timing]) -> None:
    entry = {str(size): [timing.seconds, timing.memory] for size, timing in timings.items()}
    with suppress(NuclrError):  # a cache that cannot be written costs a new measurement, no more
        write(path, json.dumps(_read(path) | {key: entry}, indent=1).encode())
