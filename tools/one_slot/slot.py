"""The slot: one stage after the other, each with a time at which it ends, and what follows from what a stage found."""

from __future__ import annotations

import json
import os
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from nuclr.config import RunConfig
from nuclr.runs import planned
from tools.one_slot.parts import Parts
from tools.one_slot.plan import Fleet
from tools.one_slot.worker import Failed, Task, Worker

SLOT = 560  # seconds
# When a stage ends at the latest, in seconds of such a slot; one that is done earlier gives its time to the training.
ENDS = {"facts": 30, "plan": 45, "check": 75, "pace": 115, "train": 440, "judge": 505, "read": 520, "bench": 550}
MARGIN, START = 1.15, 12.0  # a fleet takes this much longer than its steps, and so many seconds more
SILENCE = 60.0  # seconds without a step after which a training hangs; fresh networks and a fleet's storing take some
BENCH = 10  # seconds that the bench measures; it needs three times as many in all


class Tasks(NamedTuple):
    """What the workers do."""

    facts: Callable[..., None] = Task("tools.one_slot.device", "facts")
    plan: Callable[..., list[Fleet]] = Task("tools.one_slot.device", "plan")
    gradients: Callable[..., set[str]] = Task("tools.one_slot.device", "gradients")
    first_steps: Callable[..., set[str]] = Task("tools.one_slot.device", "first_steps")
    pace: Callable[..., float] = Task("tools.one_slot.device", "pace")
    kernels: Callable[..., None] = Task("tools.one_slot.device", "kernels")
    train: Callable[..., list[tuple[RunConfig, str]]] = Task("tools.one_slot.device", "train")
    read: Callable[..., bytes] = Task("tools.one_slot.reading", "read")
    judge: Callable[..., None] = Task("tools.one_slot.judging", "judge")
    bench: Callable[..., dict[str, Any]] = Task("tools.one_slot.judging", "bench")


class Log:
    """log.txt and what the terminal shows: a line a fact, after the seconds since the start."""

    def __init__(self, path: Path, began: float) -> None:
        self.path, self._began, self._lock = path, began, threading.Lock()

    def __call__(self, text: str) -> None:
        line = f"{time.monotonic() - self._began:6.1f}  {text.rstrip()}"
        with self._lock, open(self.path, "a") as file:
            print(line, file=file)
            print(line, flush=True)


class Slot:
    """All that is done in one slot. out: gets the log and the parts. work: gets the store and the reports, and stays behind."""

    def __init__(
        self,
        out: Path,
        work: Path,
        device: str,
        profile: str,
        seconds: float = SLOT,
        only: Sequence[str] = (),
        tasks: Tasks | None = None,
    ) -> None:
        self.began, self.seconds = time.monotonic(), seconds
        self.device, self.profile, self.only, self.tasks = device, profile, only, tasks or Tasks()
        out.mkdir(parents=True, exist_ok=True)
        self.store, self.reports = work / "store", work / "reports"
        self.log, self.parts = Log(out / "log.txt", self.began), Parts(out)
        self.worker, self.profiler = self._new_worker(), self._new_worker()
        self.readers = [self._new_worker() for _ in range(max(1, (os.cpu_count() or 1) - 2))]
        self.idle: SimpleQueue[Worker] = SimpleQueue()  # of the readers
        for reader in self.readers:
            self.idle.put(reader)
        self.pool = ThreadPoolExecutor(len(self.readers))
        self.reading: list[Future[None]] = []
        self.packing = threading.Lock()
        self.fleets: list[Fleet] = []
        self.paces: dict[str, float] = {}  # seconds a run-step by kind of fleet, as measured
        self.to_come = 0  # runs that are expected and not yet packed

    def run(self) -> None:
        """All stages; none of them ends another."""
        self.log(
            f"profile {self.profile} on {self.device}, {self.seconds:.0f} s; what is trained stays in --work {self.store.parent}"
        )
        try:
            for stage in (self.facts, self.check, self.pace, self.train, self.judge, self.finish_reading, self.bench):
                try:
                    stage()
                except Exception:
                    self.log(f"{stage.__name__} ended early\n{traceback.format_exc()}")
        finally:
            self.pool.shutdown(wait=False, cancel_futures=True)
            for worker in (self.worker, self.profiler, *self.readers):
                worker.kill()
            self.log(f"the end; {self.parts.left / 1e6:.1f} MB of room left")

    # ------------------------------------------------------------------------------------------------------ the stages

    def facts(self) -> None:
        """What machine this is, and which fleets there are to train."""
        self._do("facts", self.worker, self.tasks.facts, self.device)
        self.fleets = self._do("plan", self.worker, self.tasks.plan, self.profile, self.only) or []

    def check(self) -> None:
        """Whether the device computes what a CPU does. Wrong gradients: no training. A wrong graph: eager steps."""
        joint, binding = (planned(self.profile, [name]) for name in ("joint", "binding"))
        for configs in (joint, binding):
            bad = self._do("check", self.worker, self.tasks.gradients, configs[0], self.device)
            if bad and bad & {"float64", "float32"}:
                self.fleets = []
                self.log("wrong gradients: nothing is trained")
        bad = self._do("check", self.worker, self.tasks.first_steps, joint[:3], self.device) or set()
        if "graph" in bad:
            self.log("the graph computes something else: eager from here on")
            self.fleets = [replace(fleet, graph=False) for fleet in self.fleets]
        if "fleet" in bad:
            self.log("a fleet trains something else: every run alone from here on")
            self.fleets = [alone for fleet in self.fleets for alone in fleet.alone()]

    def pace(self) -> None:
        """How fast the fleets train that there is time for, and in which kernels."""
        left = self._end("train") - time.monotonic()
        for fleet in self.fleets:
            if fleet.kind not in self.paces:
                found = self._do("pace", self.worker, self.tasks.pace, fleet, self.device)
                if found:
                    self.paces[fleet.kind] = found
            left -= self._needed(fleet) - START
            if left < 0:
                break
            self.to_come += len(fleet.configs)
        # In a process of its own: a profiler slows down what its process does afterwards.
        self._do("pace", self.profiler, self.tasks.kernels, planned(self.profile, ["joint"])[0], self.device)
        self.profiler.kill()

    def train(self) -> None:
        """Train what there is time for, and have each finished run read at once."""
        waiting = deque(self.fleets)
        while waiting:
            fleet = waiting.popleft()
            needed, left = self._needed(fleet), self._end("train") - time.monotonic()
            if needed > left:
                self.log(
                    f"left out: {fleet.label}, which needs {needed:.0f} s of the {max(left, 0):.0f} s that are left"
                )
                continue
            self.log(f"train {fleet.label}{'' if fleet.graph else ', eager'}: expected in {needed:.0f} s")
            began = time.monotonic()
            try:
                stored = self._train(fleet)
            except Failed as failure:
                self.log(f"FAILED: {fleet.label}. {failure}")
                if failure.memory and len(fleet.configs) > 1:
                    waiting.extendleft(reversed(fleet.halves()))
                elif fleet.graph and not failure.memory:
                    waiting.appendleft(replace(fleet, graph=False))
                continue
            took = time.monotonic() - began
            self.log(f"trained {len(stored)} of {len(fleet.configs)} in {took:.1f} s")
            for config, fingerprint in stored:
                self.reading.append(self.pool.submit(self._read, config, fingerprint))

    def judge(self) -> None:
        """Judge what can be judged; the evidence is packed also where there was no time for all of it."""
        if not self.reading:
            self.log("nothing is trained: there is nothing to judge")
            return
        self.worker.kill()  # what judges may need the memory of the card
        self._do("judge", self.worker, self.tasks.judge, self.profile, self.store, self.reports, len(self.readers))
        evidence = {
            f"reports/{path.relative_to(self.reports)}": path.read_bytes()
            for path in sorted(self.reports.rglob("*"))
            if path.is_file() and path.name != f"evidence-{self.profile}.json"  # the same as evidence.json
        }
        with self.packing:
            if evidence and not self.parts.add(evidence):
                name = "reports/evidence.json"
                packed = self.parts.add({name: evidence[name]})
                self.log(f"no room for the arrays of the evidence{'' if packed else ', nor for itself'}")

    def finish_reading(self) -> None:
        """Wait for the readings that are on their way."""
        _, late = wait(self.reading, timeout=max(0.0, self._end("read") - time.monotonic()))
        if late:
            self.log(f"no time to read {len(late)} runs")

    def bench(self) -> None:
        """Measure the throughput where there is time left."""
        if time.monotonic() + 3 * BENCH > self._end("bench"):
            self.log("no time for the bench")
            return
        found = self._do("bench", self.worker, self.tasks.bench, self.device, BENCH)
        if found:
            with self.packing:
                self.parts.add({"bench.json": json.dumps(found, indent=1).encode()})

    # ---------------------------------------------------------------------------------------------------------- how

    def _end(self, stage: str) -> float:
        """On time.monotonic()."""
        return self.began + ENDS[stage] * self.seconds / SLOT

    def _new_worker(self) -> Worker:
        return Worker(self.log, self.log.path)

    def _do(self, stage: str, worker: Worker, task: Callable[..., Any], *arguments: Any) -> Any:
        """What a task returns, None where it failed."""
        began = time.monotonic()
        try:
            found = worker.do(self._end(stage), task, *arguments)
        except Failed as failure:
            self.log(f"FAILED: {stage}, {task}. {failure}")
            return None
        self.log(f"{stage}, {task}: {time.monotonic() - began:.1f} s")
        return found

    def _train(self, fleet: Fleet) -> list[tuple[RunConfig, str]]:
        arguments = fleet, self.profile, self.store, self.device
        found: list[tuple[RunConfig, str]] = self.worker.do(
            self._end("train"), self.tasks.train, *arguments, silence=SILENCE
        )
        return found

    def _needed(self, fleet: Fleet) -> float:
        """Seconds that a fleet takes, with some to spare."""
        return MARGIN * self.paces.get(fleet.kind, fleet.pace) * fleet.run_steps + START

    def _read(self, config: RunConfig, fingerprint: str) -> None:
        """Read a run in a process of its own, and pack the reading."""
        worker = self.idle.get()
        try:
            content = worker.do(self._end("read"), self.tasks.read, self.profile, config, fingerprint, self.store)
            with self.packing:
                self.to_come = max(0, self.to_come - 1)
                became = self.parts.add_run(f"runs/{config.name}-{config.seed}.npz", content, self.to_come)
            self.log(f"read {config.label}: {len(content) / 1e3:.0f} kB, packed: {became}")
        except Failed as failure:
            self.log(f"FAILED: reading {config.label}. {failure}")
        except Exception:  # a thread has nobody else to tell
            self.log(f"reading {config.label} ended early\n{traceback.format_exc()}")
        finally:
            self.idle.put(worker)
