"""From the runs that a profile needs to trained ones: what is reused, what is trained and why, in which fleets."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import torch

from nuclr.config import RunConfig, fingerprint
from nuclr.errors import NuclrError
from nuclr.runs import planned
from nuclr.train import fleetsize
from nuclr.train.arithmetic import ARITHMETIC
from nuclr.train.examples import batch_rows
from nuclr.train.fleetsize import Pace
from nuclr.train.kinds import Shape, examples, shape
from nuclr.train.pool import train_all
from nuclr.train.progress import Display
from nuclr.train.store import Store, StoredRun
from nuclr.train.throughput import operations
from nuclr.train.unfinished import fleet_of, step_of
from nuclr.train.worker import Job

PADDING = 0.25  # the share of a batch that may be padding for the sake of a larger fleet
START = 0.5  # seconds from one fleet to the next: rows, fresh networks, files


@dataclass(frozen=True)
class Planned:
    """A run of a profile, and how it stands: its stored run, or the reason why it must be trained."""

    config: RunConfig
    fingerprint: str
    stored: StoredRun | None
    reason: str


def resolve_profile(profile: str) -> str:
    """The profile that "auto" stands for here: paper on a GPU, cpu elsewhere."""
    if profile != "auto":
        return profile
    return "paper" if torch.cuda.is_available() else "cpu"


@cache
def fingerprint_of(config: RunConfig) -> str:
    """The fingerprint that this run has with the data and the arithmetic at hand."""
    return fingerprint(config, examples(config).digest, ARITHMETIC)


def survey(profile: str, store: Store, names: Collection[str] | None = None, look: int = 1) -> list[Planned]:
    """The runs of a profile, or of these names, with the seeds up to a look, and how each stands in the store.

    Raises NuclrError for an unknown name.
    """
    found = []
    for config in planned(profile, names, look):
        wanted = fingerprint_of(config)
        stored, damage = store.examine(profile, config, wanted)
        stale = store.others(profile, config, wanted)
        reason = f"stale: {stale[-1]} has another config, data or arithmetic" if stale else "missing"
        found.append(Planned(config, wanted, stored, "" if stored else f"damaged: {damage}" if damage else reason))
    return found


def require(profile: str, config: RunConfig, store: Store) -> StoredRun:
    """The trained run, or a NuclrError that says whether it is missing or stale and which command trains it."""
    wanted = fingerprint_of(config)
    stored = store.find(profile, config, wanted)
    if stored:
        return stored
    stale = store.others(profile, config, wanted)
    state = f"is stale (stored: {', '.join(stale)}; wanted: {wanted})" if stale else f"is missing from {store.root}"
    raise NuclrError(f"Run {config.label} {state}: train it with `python -m nuclr train --profile {profile}`.")


def fleets(
    missing: Sequence[Planned],
    profile: str,
    store: Path,
    device: str,
    workers: int = 1,
    note: Callable[[str], None] = lambda _: None,
    order: Sequence[str] = (),
) -> list[Job]:
    """Missing runs in fleets of the fastest size, or smaller ones where `workers` of them then end sooner; costliest first.
    order: names of runs that go before others, the first of them first.

    Before all of them go the fleets that were begun, as they were (another fleet would round differently) and the one nearest
    to its end first: a training in slices finishes runs, where each slice would else leave more of them begun.
    note: told when the fastest size must be measured.
    """
    note = cache(note)  # the same words once, however many kinds of runs are new

    def kind(members: Sequence[Planned]) -> _Kind:
        return _Kind(members, fleetsize.pace(_configs(members), device, note))

    begun = [(kind(members), step) for members, step in _begun(missing, store)]
    begun.sort(key=lambda fleet: fleet[0].seconds(len(fleet[0].members)) * (1 - fleet[1] / fleet[0].steps))
    going_on = {run.fingerprint for fleet, _ in begun for run in fleet.members}
    kinds = [kind(members) for members in _kinds([run for run in missing if run.fingerprint not in going_on])]
    counts = [-(-len(kind.members) // kind.pace.best) for kind in kinds]
    pieces = [(fleet.seconds(len(fleet.members)), fleet.members) for fleet, _ in begun]
    fresh = [(seconds, part) for seconds, _, part in _pieces(kinds, _evened(kinds, counts, workers))]
    place = {name: number for number, name in enumerate(order)}
    pieces += sorted(fresh, key=lambda piece: min(place.get(run.config.name, len(place)) for run in piece[1]))
    return [
        Job(profile, _configs(part), tuple(run.fingerprint for run in part), store, device, 1, seconds)
        for seconds, part in pieces
    ]


@dataclass(frozen=True)
class _Kind:
    """Runs any of which can train as one fleet, and how fast such fleets are."""

    members: Sequence[Planned]
    pace: Pace

    def parts(self, count: int) -> list[Sequence[Planned]]:
        """The runs in `count` fleets of even size."""
        cuts = [len(self.members) * part // count for part in range(count + 1)]
        return [self.members[start:end] for start, end in pairwise(cuts)]

    def seconds(self, size: int) -> float:
        """About how long a fleet of some size trains."""
        return START + size * self.steps * self.pace.at(size)

    @property
    def steps(self) -> int:
        return self.members[0].config.training.steps


def _begun(missing: Sequence[Planned], store: Path) -> list[tuple[list[Planned], int]]:
    """The missing runs that have a save, in the fleets that they trained in, with the step of each fleet."""
    fleets: dict[tuple[str, ...], list[Planned]] = {}
    steps: dict[tuple[str, ...], int] = {}
    for run in missing:
        if step := step_of(store, run.fingerprint):
            fleet = fleet_of(store, run.fingerprint)
            fleets.setdefault(fleet, []).append(run)
            steps[fleet] = step
    return [(members, steps[fleet]) for fleet, members in fleets.items()]


def _kinds(missing: Sequence[Planned]) -> list[list[Planned]]:
    """Runs of equal shape whose batches are of so similar size that padding them costs little."""
    shapes: dict[Shape, list[Planned]] = {}
    for run in missing:
        shapes.setdefault(shape(run.config), []).append(run)
    kinds: list[list[Planned]] = []
    for members in shapes.values():
        kinds.append([])
        for run in sorted(members, key=lambda run: _rows(run.config), reverse=True):
            if kinds[-1] and _rows(run.config) < (1 - PADDING) * _rows(kinds[-1][0].config):
                kinds.append([])
            kinds[-1].append(run)
    return kinds


def _pieces(kinds: Sequence[_Kind], counts: Sequence[int]) -> list[tuple[float, int, Sequence[Planned]]]:
    """Every fleet as (seconds, its kind, its runs), the costliest first."""
    pieces = [
        (kinds[number].seconds(len(part)), number, part)
        for number, count in enumerate(counts)
        for part in kinds[number].parts(count)
    ]
    return sorted(pieces, key=lambda piece: piece[0], reverse=True)


def _evened(kinds: Sequence[_Kind], counts: list[int], workers: int) -> list[int]:
    """Into how many fleets each kind goes: into more for as long as the workers then end sooner, or fewer of them last."""
    ends, last = _schedule(kinds, counts, workers)
    options = []
    for number in last:
        if counts[number] < len(kinds[number].members):
            options.append([*counts[:number], counts[number] + 1, *counts[number + 1 :]])
    best = min(options, key=lambda option: _schedule(kinds, option, workers)[0], default=counts)
    return _evened(kinds, best, workers) if _schedule(kinds, best, workers)[0] < ends else counts


def _schedule(kinds: Sequence[_Kind], counts: Sequence[int], workers: int) -> tuple[list[float], set[int]]:
    """When the workers end, the last first, and the kinds which that one trains, if each takes the costliest fleet left."""
    ends, trained = [0.0] * workers, [set[int]() for _ in range(workers)]
    for seconds, number, _ in _pieces(kinds, counts):
        worker = ends.index(min(ends))
        ends[worker] += seconds
        trained[worker].add(number)
    return sorted(ends, reverse=True), trained[ends.index(max(ends))]


def _configs(runs: Sequence[Planned]) -> tuple[RunConfig, ...]:
    return tuple(run.config for run in runs)


@cache
def _rows(config: RunConfig) -> int:
    return batch_rows(config, examples(config))


def cost(job: Job) -> int:
    """Rows that a fleet will see, over all of its runs."""
    return sum(config.training.steps * _rows(config) for config in job.configs)


def work_left(runs: Sequence[Planned], store: Path) -> float:
    """The share of the operations of these runs that is still to be done."""
    whole = left = 0.0
    for run in runs:
        rows, steps = _rows(run.config), run.config.training.steps
        done = steps if run.stored else step_of(store, run.fingerprint)
        whole += steps * rows * operations(run.config, rows)
        left += (steps - done) * rows * operations(run.config, rows)
    return left / whole if whole else 0.0


def work(configs: Sequence[RunConfig]) -> float:
    """Operations that the training of these runs takes."""
    return sum(config.training.steps * _rows(config) * operations(config, _rows(config)) for config in configs)


def train_missing(
    profile: str,
    root: Path,
    device: str,
    workers: int,
    display: Display,
    names: Collection[str] | None = None,
    budget: float | None = None,
    look: int = 1,
    order: Sequence[str] = (),
    ended: Callable[[Job], None] = lambda _: None,
) -> list[Planned]:
    """Train what the profile, or its runs of these names, lack; returns the survey as it was before.

    look, order: as in `survey` and `fleets`. ended: called with every job that has come to its end.
    budget: seconds after which the training stops, where it is not over before. As Ctrl-C it keeps the state of every run.
    Raises NuclrError when the store cannot be written; finished runs stay finished.
    """
    deadline = None if budget is None else time.monotonic() + budget
    before = survey(profile, Store(root), names, look)
    in_process = device != "cpu"
    at_once = 1 if in_process else workers
    jobs = fleets([run for run in before if run.stored is None], profile, root, device, at_once, display.note, order)
    display.plan(before, jobs)
    if jobs:
        train_all(jobs, at_once, display, deadline, ended, in_process=in_process)
    return before
