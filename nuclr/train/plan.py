"""From the runs that a profile needs to trained ones: what is reused, what is trained and why, in which fleets."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

import nuclr.model.network
import nuclr.model.parametrization
import nuclr.train.examples
import nuclr.train.loop
from nuclr.config import RunConfig, fingerprint
from nuclr.errors import NuclrError
from nuclr.runs import planned
from nuclr.train.examples import batch_rows, examples
from nuclr.train.pool import alone, train_all
from nuclr.train.progress import Display
from nuclr.train.store import Store, StoredRun
from nuclr.train.worker import Job

# The modules whose source decides the weights of a run.
CAUSES = (nuclr.model.network, nuclr.model.parametrization, nuclr.train.examples, nuclr.train.loop)
LARGEST_FLEET = 3  # on a CPU: larger ones gain little and spread unevenly over the workers, see docs/performance.md


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
def code_digest() -> str:
    """Digest of the code that decides the weights."""
    return hashlib.sha256("".join(digest_of(Path(str(module.__file__))) for module in CAUSES).encode()).hexdigest()


def digest_of(path: Path) -> str:
    """Digest of a Python source that is blind to comments, docstrings and layout."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


@cache
def fingerprint_of(config: RunConfig) -> str:
    """The fingerprint that this run has with the data and the code at hand."""
    return fingerprint(config, examples(config).digest, code_digest())


def survey(profile: str, store: Store) -> list[Planned]:
    """Every run of the profile and how it stands in the store. Raises NuclrError for damaged manifests."""
    found = []
    for config in planned(profile):
        wanted = fingerprint_of(config)
        stored = store.find(profile, config, wanted)
        stale = store.others(profile, config, wanted)
        reason = "" if stored else (f"stale: {stale[-1]} has another config, data or code" if stale else "missing")
        found.append(Planned(config, wanted, stored, reason))
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


def fleets(missing: Sequence[Planned], profile: str, store: Path, device: str) -> list[Job]:
    """Group missing runs which differ in their seed alone into fleets, the costliest first."""
    groups: dict[str, list[Planned]] = {}
    for run in missing:
        groups.setdefault(run.config.same_but_seed(), []).append(run)
    jobs = []
    for members in groups.values():
        pieces = -(-len(members) // LARGEST_FLEET) if device == "cpu" else 1
        for index in range(pieces):
            part = members[index::pieces]
            jobs.append(
                Job(
                    profile,
                    tuple(run.config for run in part),
                    tuple(run.fingerprint for run in part),
                    store,
                    device,
                    threads=1,
                )
            )
    return sorted(jobs, key=cost, reverse=True)


def cost(job: Job) -> int:
    """Rows that a fleet will see, over all of its runs."""
    return sum(config.training.steps * batch_rows(config, examples(config)) for config in job.configs)


def train_missing(profile: str, root: Path, device: str, workers: int, display: Display) -> list[Planned]:
    """Train what the profile lacks; returns the survey as it was before. Ctrl-C keeps the state of every fleet.

    Raises NuclrError when a run diverges or the store cannot be written; finished fleets stay finished.
    """
    store = Store(root)
    before = survey(profile, store)
    jobs = fleets([run for run in before if run.stored is None], profile, root, device)
    display.plan(before, jobs)
    if jobs:
        with alone(root):
            train_all(jobs, workers if device == "cpu" else 1, display)
    return before
