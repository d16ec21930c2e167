"""Runs whose truth is known, because it was put there, for the judging code of a claim to find.

A planted run is a real `Run`: a probe into a real network, of which the parameters are set by hand in place of trained,
with errors that are stated. It carries the names, seeds and data of the profile that the claim is judged in.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from claims.conftest import Run
from nuclr.config import OBSERVABLES, RunConfig
from nuclr.model.network import Network
from nuclr.model.probe import TRAINED_NUMBERS, Probe
from nuclr.runs import named
from nuclr.train.loop import Curve
from nuclr.train.store import StoredRun
from nuclr.verdict import registry
from nuclr.verdict.evidence import Evidence
from nuclr.verdict.statistics import Verdict

Array = NDArray[np.float64]
Runs = Mapping[str, list[Run]]

REGISTRY = registry.load(Path(__file__).parents[2] / "claims" / "paper.toml")
WIDTH = 32  # at which the output is scaled by 1
SEEDS = 3  # the least that decides any claim

# Fewer draws for nulls, controls and intervals, so that a case takes a second: estimates get coarser, and nothing else.
FEWER = {
    "claims.test_semf_misses_shells.CHOICES": 100,
    "claims.test_helix.DRAWS": 20,
    "claims.fractions.DRAWS": 1000,
    "claims.fractions.PERMUTATIONS": 100,
    "claims.fractions.FEWER": 100,
    "nuclr.verdict.statistics.RESAMPLES": 199,
}


@dataclass(frozen=True)
class Case:
    """What is planted for a claim, and what must be said of it.

    kind: a "truth", a "falsehood", or a "limit": what the claim cannot tell from the truth, or a truth that it cannot see.
    misses: the measures that are not to come out, each by itself; those left out must come out.
    runs: the trained runs by name. table: what becomes of the nuclear table, where nothing is trained.
    """

    claim: str
    kind: Literal["truth", "falsehood", "limit"]
    planted: str
    verdict: Verdict
    misses: Sequence[str] = ()
    runs: Callable[[], Runs] = dict
    table: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    profile: str = "cpu"

    def __str__(self) -> str:
        return f"{self.claim}: {self.kind}, {self.planted}: {self.verdict}"


def truth(claim: str, planted: str, **what: Any) -> Case:
    return Case(claim, "truth", planted, Verdict.REPRODUCED, **what)


def falsehood(claim: str, planted: str, verdict: Verdict, misses: Sequence[str] = (), **what: Any) -> Case:
    """misses: by default every measure of the claim."""
    return Case(claim, "falsehood", planted, verdict, misses or tuple(REGISTRY.claims[claim].measures), **what)


def limit(claim: str, planted: str, verdict: Verdict, misses: Sequence[str] = (), **what: Any) -> Case:
    return Case(claim, "limit", planted, verdict, misses, **what)


# --------------------------------------------------------------------------------------------------------- judging


def module_of(claim: str) -> ModuleType:
    return import_module(f"claims.{Path(REGISTRY.claims[claim].module).stem}")


def judge(case: Case, reports: Path, nuclides: Mapping[str, object]) -> tuple[Verdict, set[str]]:
    """The verdict of the claim's own test function, and the measures that did not come out."""
    (test,) = (
        thing
        for name, thing in vars(module_of(case.claim)).items()
        if name.startswith("test_") and isinstance(thing, FunctionType)
    )
    evidence = Evidence(REGISTRY.claims[case.claim], case.profile, reports)
    fixtures = {"evidence": evidence, "runs": dict(case.runs()).__getitem__, **nuclides}
    test(**{name: fixtures[name] for name in inspect.signature(test).parameters})
    assert evidence.concluded
    record = evidence.record()
    missed = {measured["name"] for measured in record["measures"] if measured["verdict"] != Verdict.REPRODUCED}
    return Verdict(record["verdict"]), missed


# ------------------------------------------------------------------------------------------------------------ runs


@dataclass(frozen=True)
class Planted(StoredRun):
    """A run that was never on disk. at: its network at a step, or at the end (None)."""

    at: Callable[[int | None], Probe] = field(kw_only=True)

    def probe(self, step: int | None = None) -> Probe:
        return self.at(step)

    def curves(self) -> Curve:
        errors = {key: value for key, value in self.manifest["errors"].items() if key.count(".") == 1}
        return [{"step": 0.0, **errors}, {"step": 1.0, **errors}]


def configs(name: str, profile: str = "cpu") -> list[RunConfig]:
    """The first seeds of a planned run, with a network small enough to be set by hand."""
    return [
        replace(config, model=replace(config.model, width=WIDTH, depth=1, first_activation="relu"))
        for config in named(profile, name)[:SEEDS]
    ]


def trained(
    name: str,
    probe: Callable[[RunConfig], Probe] | None = None,
    errors: Callable[[RunConfig], Mapping[str, float]] = lambda _: {},
    at: Callable[[RunConfig, int | None], Probe] | None = None,
    profile: str = "cpu",
) -> list[Run]:
    """The runs of a name, a network each from `probe` (or `at` a step, or untrained). Errors are 100, but for `errors`."""
    usual = {
        f"{part}.{observable}": 100.0
        for part in ("train_rms", "validation_rms", "validation.measured_rms")
        for observable in (*OBSERVABLES, "control")
    }
    found = []
    for config in configs(name, profile):
        manifest = {"errors": usual | errors(config), "steps": config.training.steps}

        def network(step: int | None, config: RunConfig = config) -> Probe:
            return at(config, step) if at else (probe or untrained)(config)

        stored = Planted(Path(), config, manifest, at=network)
        found.append(Run(stored, stored.probe))
    return found


def untrained(config: RunConfig) -> Probe:
    """A fresh network that reads keV, fm and numbers."""
    tasks = len(config.data.observables)
    fresh = Network.of(config.model, tasks).initialise([config.seed], torch.float64)
    return Probe(config, fresh, np.zeros(tasks), np.ones(tasks))


# ------------------------------------------------------------------------------------------------------ embeddings


def along(symbol: str) -> Array:
    """A line (k,) from -1 to 1 through the numbers Z or N."""
    return np.linspace(-1.0, 1.0, len(TRAINED_NUMBERS[symbol]))


def parity(symbol: str) -> Array:
    """1 for even numbers and -1 for odd: (k,)."""
    return 1.0 - 2.0 * (TRAINED_NUMBERS[symbol] % 2)


def circle(symbol: str, turns: float) -> Array:
    """A circle (k, 2) that the numbers go round."""
    angle = np.pi * turns * along(symbol)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def helix(symbol: str, turns: float = 5.0) -> Array:
    """Columns (k, 3) of a helix along the numbers, whose axis is its first component."""
    return np.column_stack([along(symbol), 0.5 * circle(symbol, turns)])


def scattered(columns: Array, seed: int, noise: float = 0.02) -> Array:
    """An embedding (k, WIDTH) with the columns (k,) or (k, m) along orthogonal directions of no meaning, in white noise."""
    rng = np.random.default_rng(seed)
    columns = columns.reshape(len(columns), -1)
    basis, _ = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))
    return columns @ basis[: columns.shape[1]] + noise * rng.standard_normal((len(columns), WIDTH))


def embedded(config: RunConfig, z: Array, n: Array) -> Probe:
    """An untrained network with embeddings z (118, WIDTH) and n (177, WIDTH)."""
    return untrained(config).with_embedding("Z", z).with_embedding("N", n)


def shaped(
    shape: Callable[[str], Array], of_n: Callable[[str], Array] | None = None, noise: float = 0.02, salt: int = 0
) -> Callable[[RunConfig], Probe]:
    """Makes networks whose embeddings have a shape in noise, that of N another one where it is given.

    The noise differs between seeds; between two makers only if their salts do.
    """

    def network(config: RunConfig) -> Probe:
        seed = 1000 * salt + 2 * config.seed
        z, n = shape("Z"), (of_n or shape)("N")
        return embedded(config, scattered(z, seed, noise), scattered(n, seed + 1, noise))

    return network


# -------------------------------------------------------------------------------------------------------- networks


def wired(
    config: RunConfig,
    z: Array,
    n: Array,
    readout: Mapping[str, Array],
    reads_z: Array | None = None,
    reads_n: Array | None = None,
    bias: Array | float = 0.0,
    block: Mapping[str, Array] | None = None,
    offset: Mapping[str, float] | None = None,
) -> Probe:
    """A network set by hand: relu(z @ reads_z + n @ reads_n + bias), a residual block, a readout.

    z (118, m), n (177, m), filled up with zeros, are the embeddings; what reads them (WIDTH, WIDTH) is by default the identity.
    block: "inner.weight" and the like; by default it adds nothing. readout, offset: weights (WIDTH,) and bias of observables.
    """
    empty = {name: torch.zeros_like(value) for name, value in untrained(config).parameters.items()}
    probe = Probe(config, empty, np.zeros(len(config.data.observables)), np.ones(len(config.data.observables)))
    probe = probe.with_embedding("Z", filled(z)).with_embedding("N", filled(n))
    identity, nothing = np.eye(WIDTH), np.zeros((WIDTH, WIDTH))
    weight = np.vstack([identity if reads_z is None else reads_z, identity if reads_n is None else reads_n, nothing])
    weights, biases = (np.zeros((rows, len(config.data.observables))) for rows in (WIDTH, 1))
    for name, column in readout.items():
        task = config.data.observables.index(name)
        weights[:, task], biases[0, task] = column, (offset or {}).get(name, 0.0)
    parameters = {
        "first.weight": weight,
        "first.bias": np.broadcast_to(bias, (1, WIDTH)),
        "readout.weight": weights,
        "readout.bias": biases,
    }
    parameters |= {f"block0.{name}": value for name, value in (block or {}).items()}
    ours = {name: torch.from_numpy(np.array(value, dtype=np.float64))[None] for name, value in parameters.items()}
    assert all(ours[name].shape == empty[name].shape for name in ours)
    return replace(probe, parameters=probe.parameters | ours)


def filled(columns: Array) -> Array:
    """Columns (k, m) with zeros after them: (k, WIDTH)."""
    return np.pad(columns, ((0, 0), (0, WIDTH - columns.shape[1])))
