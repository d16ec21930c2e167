"""What claim tests share: the nuclides, the trained runs of the profile, and the principal components of their layers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from claims.training import curve
from nuclr import runs as profiles
from nuclr.analysis.pca import Components, components, leading
from nuclr.data import table
from nuclr.errors import NuclrError
from nuclr.model.device import device_named
from nuclr.model.probe import Probe
from nuclr.physics.formulas import SEMF
from nuclr.train.plan import require, resolve_profile, survey
from nuclr.train.store import Store, StoredRun
from nuclr.verdict.evidence import Curve, Evidence
from nuclr.verdict.looks import Looks
from nuclr.verdict.provenance import cores

Array = NDArray[np.float64]


def pytest_configure(config: pytest.Config) -> None:
    config.option.profile = resolve_profile(config.option.profile)
    try:
        config.option.device = device_named(config.option.device)
    except NuclrError as error:
        raise pytest.UsageError(str(error)) from None
    # Claims that are judged side by side would otherwise hinder one another: each would start a thread on every core.
    threads = max(1, cores() // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    torch.set_num_threads(threads)
    threadpool_limits(threads)  # the same for the linear algebra of numpy and scipy


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The search for expressions takes by far the longest: begun first, it does not keep the end waiting."""
    items.sort(key=lambda item: item.path.stem != "test_symbolic_features")


@dataclass(frozen=True)
class Nuclides:
    """A set of nuclides: z, n, measured total binding energy in keV, whether it is measured; all of shape (k,)."""

    z: NDArray[np.int64]
    n: NDArray[np.int64]
    binding: Array
    measured: NDArray[np.bool_]

    def rms(self, predicted: Array) -> float:
        """RMS error of predicted binding energies, keV."""
        return float(np.sqrt(np.mean((predicted - self.binding) ** 2)))

    @cached_property
    def semf_rms(self) -> float:
        """RMS of the SEMF with the paper's coefficients, keV: what a description must beat."""
        return self.rms(SEMF.predict(self.z, self.n))


def nuclides(mask: Callable[..., object]) -> Nuclides:
    """The nuclides that a mask of nuclr.data.table chooses."""
    everything = table.load()
    chosen = everything[mask(everything)]
    return Nuclides(
        chosen.z.to_numpy(np.int64),
        chosen.n.to_numpy(np.int64),
        chosen.be_from_me.to_numpy(np.float64),
        chosen.mass_excess_est.to_numpy() == 0,
    )


@pytest.fixture(scope="session")
def core() -> Nuclides:
    """The core set: every nuclide known to exist."""
    return nuclides(table.core)


@pytest.fixture(scope="session")
def heavy() -> Nuclides:
    """The nuclides of the paper's figures 3, 9 and 17: z, n > 8."""
    return nuclides(table.heavy)


@pytest.fixture(scope="session")
def well_measured() -> Nuclides:
    """The nuclides of the paper's Equation 5: z, n > 9 and known to 100 keV."""
    return nuclides(table.well_measured)


@dataclass(frozen=True)
class Run:
    """A trained run: its record in the store, and how to open its network for reading."""

    stored: StoredRun
    open: Callable[[], Probe]

    @cached_property
    def probe(self) -> Probe:
        """The network, opened when first asked for: a wide one takes a second and half a gigabyte, and errors need none."""
        return self.open()

    @property
    def seed(self) -> int:
        return self.stored.config.seed

    def error(self, name: str) -> float:
        """A final error from the manifest, such as "validation_rms.binding", in physical units."""
        return float(self.stored.manifest["errors"][name])

    def axes(self, symbol: str) -> Array:
        """The first three principal coordinates (k, 3) of the embedding of "Z" or "N"."""
        return leading(self.probe.embedding(symbol), 3)


@pytest.fixture(scope="session")
def curves() -> dict[str, Curve]:
    """The training curves read so far, by fingerprint: a run that several claims rest on is read once."""
    return {}


@pytest.fixture
def evidence(request: pytest.FixtureRequest, evidence: Evidence) -> Evidence:
    """The recorder of the claim, which may be looked at as often as the profile has seeds for it."""
    profile, most = request.config.option.profile, request.config.option.looks
    store, claim = Store(Path(request.config.option.store)), evidence.claim
    names = profiles.matching(profile, claim.runs)
    count = profiles.looks(profile) if names else 1

    def trained(look: int) -> bool:
        return all(run.stored for run in survey(profile, store, names, look))

    evidence.looks = Looks(min(count, most or count), trained)
    return evidence


@pytest.fixture
def stored(
    request: pytest.FixtureRequest, evidence: Evidence, curves: dict[str, Curve]
) -> Callable[[str], list[StoredRun]]:
    """stored("modular-addition"): the trained runs of that name, one a seed of this look, noted in the evidence. An error that
    names the command which trains it where one is missing or stale, and one where paper.toml does not name the run."""
    profile, store = request.config.option.profile, Store(Path(request.config.option.store))

    def named(name: str) -> list[StoredRun]:
        if name not in profiles.matching(profile, evidence.claim.runs):
            raise NuclrError(
                f"Claim {evidence.claim.id!r} reads the run {name!r}: add it to `runs` of its table in paper.toml."
            )
        found = [require(profile, config, store) for config in profiles.planned(profile, [name], evidence.look)]
        for run in found:
            fingerprint = run.manifest["fingerprint"]
            curves[fingerprint] = curves.get(fingerprint) or curve(run)
            evidence.used(run.record(), curves[fingerprint])
        return found

    return named


@pytest.fixture
def runs(request: pytest.FixtureRequest, stored: Callable[[str], list[StoredRun]]) -> Callable[[str], list[Run]]:
    """runs("joint"): the same for runs on nuclei, their networks to be read on the device of the session."""
    device = request.config.option.device
    return lambda name: [Run(run, partial(run.probe, device=device)) for run in stored(name)]


@dataclass(frozen=True)
class Penultimate:
    """The penultimate layer for the binding energy at a set of nuclides: activations (k, d) and their components."""

    activations: Array

    @cached_property
    def components(self) -> Components:
        return components(self.activations)

    def axes(self, count: int = 16) -> Array:
        """The first `count` principal coordinates: (k, count)."""
        return leading(self.activations, count)


def penultimate(probe: Probe, nuclides: Nuclides) -> Penultimate:
    """Read the penultimate layer of a network."""
    return Penultimate(probe.penultimate(nuclides.z, nuclides.n, "binding"))
