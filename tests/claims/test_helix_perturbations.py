"""The claims on a changed helix, judged by their own tests on planted networks: a truth is reproduced, falsehoods are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from claims import test_helix_perturbations as claims_tests
from claims.conftest import Nuclides
from nuclr.data import table
from nuclr.verdict import registry
from nuclr.verdict.evidence import Evidence

NUMBERS = {"Z": 118, "N": 177}
WINDOWS = {"Z": (25, 80), "N": (40, 120)}
WIDTH, SEEDS = 8, 3
CLAIMS = registry.load(Path(__file__).parents[2] / "claims" / "paper.toml").claims
TESTS = {
    "helix-length": claims_tests.test_a_longer_helix_shifts_the_output,
    "helix-radius": claims_tests.test_a_wider_helix_sharpens_the_arcs,
    "helix-frequency": claims_tests.test_twice_the_frequency_gives_two_arcs,
}


def number(along, symbol):
    """The number at a place along the axis, where the window of Appendix A runs from 0 to 4."""
    low, high = WINDOWS[symbol]
    return low + along * (high - low) / 4


def helix(symbol, turns=2.1):
    low, high = WINDOWS[symbol]
    t = (np.arange(1, NUMBERS[symbol] + 1) - low) / (high - low)
    return np.stack([4 * t, np.cos(2 * np.pi * turns * t + 0.7), np.sin(2 * np.pi * turns * t + 0.7)], axis=1)


def line(symbol):
    return helix(symbol) * [1, 0, 0]


@dataclass(frozen=True)
class Planted:
    """A network of one output: A times the binding energy per nucleon (keV), where both are read off the embeddings by `read`,
    (embedding in the frame that the planter chose, symbol) -> (number, arc), arrays of shape (k,)."""

    read: Callable
    tables: dict
    frames: dict

    def embedding(self, symbol):
        return self.tables[symbol].copy()

    def with_embedding(self, symbol, embedding):
        return replace(self, tables=self.tables | {symbol: embedding})

    def untrained(self, seed):
        noise = np.random.default_rng(seed).standard_normal
        return replace(self, tables={symbol: noise(table.shape) for symbol, table in self.tables.items()})

    def predict(self, z, n, observable):
        return self.told({"Z": self.tables["Z"][z - 1], "N": self.tables["N"][n - 1]}, observable)

    def predict_at(self, points, beside, observable, symbol):
        other = "N" if symbol == "Z" else "Z"
        return self.told({symbol: points, other: self.tables[other][beside - 1]}, observable)

    def told(self, embedded, observable):
        assert observable == "binding"
        numbers, arcs = zip(*(self.read(points @ self.frames[s], s) for s, points in embedded.items()), strict=True)
        return sum(numbers) * (8000.0 + sum(arcs))


def network(seed, planted, read):
    """A network that reads `planted`, among a little noise, in a frame turned at random in WIDTH dimensions."""
    rng = np.random.default_rng(seed)
    tables, frames = {}, {}
    for symbol, count in NUMBERS.items():
        points = 0.02 * rng.standard_normal((count, WIDTH))
        points[:, :3] += planted(symbol)
        frames[symbol] = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
        tables[symbol] = points @ frames[symbol].T
    return SimpleNamespace(seed=seed, probe=Planted(read, tables, frames))


def verdict(name, planted, read, tmp_path):
    """What the claim's own test says of five planted networks, and the record of its evidence."""
    everything = table.load()
    core = everything[table.core(everything)]
    nuclides = Nuclides(
        core.z.to_numpy(np.int64),
        core.n.to_numpy(np.int64),
        core.be_from_me.to_numpy(np.float64),
        core.mass_excess_est.to_numpy() == 0,
    )
    networks = [network(seed, planted, read) for seed in range(SEEDS)]
    evidence = Evidence(CLAIMS[name], "cpu", tmp_path)
    TESTS[name](lambda _: networks, nuclides, evidence)
    record = evidence.record()
    return record["verdict"], record


def axis_and_angle(points, symbol):
    return number(points[:, 0], symbol), 300.0 * points[:, 1]


def axis_alone(points, symbol):
    """The arc is a parabola in the number: nothing is read off the angle."""
    return number(points[:, 0], symbol), -60.0 * (points[:, 0] - 2) ** 2


def blind(points, symbol):
    """Neither axis nor angle is read."""
    return np.full(len(points), {"Z": 50.0, "N": 70.0}[symbol]), np.zeros(len(points))


def by_heart(points, symbol):
    """Each number is known by where it is, and places between by their neighbours: nothing is read off axis or angle."""
    places = np.random.default_rng(0).permutation(helix(symbol))
    near = np.exp(-np.square((points[:, None, :3] - places) / 0.3).sum(axis=2)) + 1e-12
    near /= near.sum(axis=1, keepdims=True)
    return near @ np.arange(1.0, NUMBERS[symbol] + 1), near @ (300.0 * helix(symbol)[:, 1])


def scrambled(symbol):
    return np.random.default_rng(0).permutation(helix(symbol))


def shape_of_the_axis(points, symbol):
    """Both ends of the axis bind less: a longer one deepens the arc."""
    return blind(points, symbol)[0], -60.0 * (points[:, 0] - 2) ** 2


@pytest.mark.parametrize("name", TESTS)
def test_a_planted_truth_is_reproduced(name, tmp_path):
    found, record = verdict(name, helix, axis_and_angle, tmp_path)
    assert found == "reproduced", record["reason"]


@pytest.mark.parametrize(
    ("name", "planted", "read"),
    [
        *((name, helix, blind) for name in TESTS),
        *((name, scrambled, by_heart) for name in TESTS),
        ("helix-radius", line, axis_alone),
        ("helix-frequency", line, axis_alone),
        ("helix-radius", helix, axis_alone),
        ("helix-frequency", helix, axis_alone),
        ("helix-length", helix, shape_of_the_axis),
    ],
)
def test_a_planted_falsehood_is_not_reproduced(name, planted, read, tmp_path):
    found, record = verdict(name, planted, read, tmp_path)
    assert found in ("not reproduced", "inconclusive"), record["reason"]
