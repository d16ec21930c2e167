"""The judging code of symbolic-features tells planted components that say what the energy is made of from those that do not."""

import runpy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyoperon", reason="needs the extra: python -m pip install -c constraints.txt -e '.[symbolic]'")

from claims import test_symbolic_features as claim
from claims.conftest import nuclides
from nuclr.data import table
from nuclr.verdict import registry
from nuclr.verdict.evidence import Evidence
from nuclr.verdict.statistics import Verdict

CLAIM = registry.load(Path(__file__).parents[2] / "claims" / "paper.toml").claims["symbolic-features"]
CORE, WELL_MEASURED = nuclides(table.core), nuclides(table.well_measured)
MEV = 1000.0


def terms(z, n):
    """What a planted energy is made of, each a component of its own: A, the parities, a wave along N, which hardly correlate."""
    return np.stack([z + n, 20.0 * ((z % 2 == 0) * 1.0 + (n % 2 == 0)), 8.0 * np.cos(0.07 * n)], axis=1)


def energy(z, n):
    return terms(z, n) @ np.array([8 * MEV, MEV, 4 * MEV])


def noise(z, n, columns, seed):
    return np.random.default_rng(seed).standard_normal((200, 300, columns))[z, n]


@dataclass(frozen=True)
class Fake:
    """A run and its probe in one: what the penultimate layer shows is given as a function of z and n."""

    seed: int
    layer: object

    @property
    def probe(self):
        return self

    def penultimate(self, z, n, observable):
        assert observable == "binding"
        return self.layer(z, n)

    def untrained(self, seed):
        return replace(self, layer=lambda z, n: noise(z, n, 8, 1000 + seed))


def judged(monkeypatch, tmp_path, layer, energies):
    """The verdict on three runs with a layer(seed)(z, n), and the measures that did not come out, for planted energies."""
    monkeypatch.setattr(claim, "CANDIDATES", 1200)
    monkeypatch.setattr(claim, "DIRECT_CANDIDATES", 3600)
    core, well_measured = (replace(some, binding=energies(some.z, some.n)) for some in (CORE, WELL_MEASURED))
    evidence = Evidence(CLAIM, "cpu", tmp_path)
    joint = [Fake(seed, layer(seed)) for seed in range(3)]
    claim.test_features_beat_numbers({"joint": joint}.__getitem__, core, well_measured, evidence)
    record = evidence.record()
    missed = {measured["name"] for measured in record["measures"] if measured["verdict"] != Verdict.REPRODUCED}
    return Verdict(record["verdict"]), missed


def scattered(seed, columns):
    """Columns (k, m) along orthogonal directions of no meaning, in eight dimensions."""
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((8, 8)))
    return columns @ basis[: columns.shape[1]]


def test_components_that_are_the_terms_of_the_energy(monkeypatch, tmp_path):
    def layer(seed):
        return lambda z, n: scattered(seed, terms(z, n))

    assert judged(monkeypatch, tmp_path, layer, energy) == (Verdict.REPRODUCED, set())


def test_noise_in_place_of_the_terms(monkeypatch, tmp_path):
    def layer(seed):
        return lambda z, n: noise(z, n, 8, seed)

    found = judged(monkeypatch, tmp_path, layer, energy)
    assert found == (Verdict.NOT_REPRODUCED, {"against-semf", "against-direct"})


def test_an_energy_that_needs_no_components(monkeypatch, tmp_path):
    """A line in Z and N, which direct regression finds; the components know A and not the rest."""

    def line(z, n):
        return 8 * MEV * (z + n) + MEV * z

    def layer(seed):
        return lambda z, n: np.concatenate([100.0 * (z + n)[:, None], noise(z, n, 7, seed)], axis=1)

    assert judged(monkeypatch, tmp_path, layer, line) == (Verdict.NOT_REPRODUCED, {"against-direct"})


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(pytest.skip.Exception, match=r"python -m pip install -c constraints.txt -e '.\[symbolic\]'"):
        runpy.run_path(claim.__file__)
