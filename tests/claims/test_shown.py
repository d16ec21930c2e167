"""What claims record for the report to show, and never judge: the course of a training, and a landscape to move through."""

from dataclasses import replace

import numpy as np
import pytest
from planted import Planted, configs, scattered, shaped, trained, untrained

from claims.conftest import nuclides
from claims.landscape import EXPLORED, explored, most_bound
from claims.training import POINTS, curve
from nuclr.config import RunConfig
from nuclr.data import table
from nuclr.model.probe import TRAINED_NUMBERS
from nuclr.runs import named

AT = [0, 1, 10, 100]


class Told(Planted):
    """A planted run whose error falls as 1 / step, of which the embeddings are in order from step 10 on."""

    def curves(self):
        name = "train_rms.binding"
        points = [
            {"step": float(step), name: 1000 / step, f"validation_{name[6:]}": 2000 / step} for step in range(1, 201)
        ]
        return [{"step": 0.0, name: 1e6}, *points]


def told(config: RunConfig) -> Told:
    ordered, other = (
        shaped(lambda symbol: np.linspace(-1, 1, len(TRAINED_NUMBERS[symbol])), noise=0.0),
        untrained(config),
    )
    files = dict.fromkeys([f"checkpoint-{step}.safetensors" for step in AT] + ["weights.safetensors"], "")
    return Told(
        None, config, {"files": files, "fingerprint": "f"}, at=lambda step: ordered(config) if step >= 10 else other
    )


def test_a_curve_is_thin_and_keeps_its_ends():
    found = curve(told(configs("binding")[0]))
    step, train, validation = (found.arrays[name] for name in ("step", "train", "validation"))
    assert (found.quantity, found.unit) == ("RMS of binding", "keV")
    assert (step[0], step[-1]) == (1, 200)
    assert 20 < len(step) <= POINTS
    assert np.all(np.diff(step) > 0)
    assert train == pytest.approx(1000 / step)
    assert validation == pytest.approx(2000 / step)


def test_the_structure_is_that_of_the_checkpoints():
    arrays = curve(told(configs("binding")[0])).arrays
    assert arrays["at"].tolist() == AT[1:]
    for symbol in "ZN":
        before, *after = arrays[f"order-{symbol}"]
        assert before < 0.7
        assert after == [1.0, 1.0]
        assert len(arrays[f"parity-{symbol}"]) == len(AT) - 1


class Added(Planted):
    def curves(self):
        return [{"step": float(step), "train_accuracy": 1.0, "validation_accuracy": 0.5} for step in range(3)]


def test_modular_addition_has_accuracies_and_no_numbers_of_nuclides():
    config = named("cpu", "modular-addition")[0]
    found = curve(Added(None, config, {"files": {"checkpoint-1.safetensors": ""}}, at=untrained))
    assert (found.quantity, found.unit) == ("accuracy", "1")
    assert set(found.arrays) == {"step", "train", "validation"}
    assert found.arrays["validation"].tolist() == [0.5, 0.5]


def test_a_run_without_a_point_has_an_empty_curve():
    run = replace(told(configs("binding")[0]))
    object.__setattr__(run, "curves", lambda: [{"step": 0.0}])
    assert curve(run).arrays["step"].size == 0


def test_a_landscape_has_the_energy_of_each_place_where_it_stands():
    """At the place of a number the landscape is the prediction for that number: across, upwards and beside the right N."""
    (run, *_) = trained("joint")
    core, rng = nuclides(table.core), np.random.default_rng(0)
    across, up = rng.standard_normal((2, 32))
    probe = run.probe.with_embedding("Z", scattered(np.zeros(118), 1, noise=1.0))
    axes = np.array([0.0, 1.0, 2.0]), np.array([0.0, 3.0])
    options = {"xlabel": "", "ylabel": "", "shown": [], "first": "energy", "along": ""}
    beside = []

    def places(coordinates, z):
        beside.append(z)
        return coordinates @ np.stack([across, up])

    panel = explored("hills", probe, core, np.zeros((118, 2)), axes, places, options)
    place = np.zeros((118, 32))
    place[:] = 2 * across + 3 * up
    moved = probe.with_embedding("Z", place)
    for k, n in enumerate(EXPLORED):
        energy = moved.predict(np.array([1]), np.array([n]), "binding")[0] / 1000
        protons = moved.predict(np.array([1]), np.array([n]), "z")[0]
        assert panel.arrays["energy"][k, 1, 2] == pytest.approx(energy, rel=1e-5)
        assert panel.arrays["per_nucleon"][k, 1, 2] == pytest.approx(energy / (protons + n), rel=1e-5)
    assert beside == most_bound(core, EXPLORED).tolist()
    known = {(int(z) + 1, EXPLORED[k]) for k, z in np.argwhere(panel.arrays["known"])}
    assert known == {(z, n) for z, n in zip(core.z.tolist(), core.n.tolist(), strict=True) if n in EXPLORED}
