"""A probe reads what the network computes, in physical units, and replaces exactly what it is told to."""

import numpy as np
import pytest
import torch

from nuclr.analysis.attention import uniformity
from nuclr.config import DataConfig, ModelConfig, RunConfig
from nuclr.errors import NuclrError
from nuclr.model import probe as probes
from nuclr.model.network import Network
from nuclr.model.probe import Probe

Z, N = np.array([20, 50, 82]), np.array([20, 70, 126])


@pytest.fixture
def probe():
    config = RunConfig("some", 0, DataConfig(observables=("binding", "radius")), ModelConfig(width=16))
    weights = {name: value[0] for name, value in Network(16, 2, 2).initialise([3]).items()}
    return Probe.open(config, weights, np.array([0.0, 1.0]), np.array([2e6, 6.0]))


def test_predictions_are_in_physical_units(probe):
    tokens = (torch.from_numpy(Z)[None], torch.from_numpy(N)[None], torch.ones(1, 3, dtype=torch.int64))
    unit = probe.network.predict(probe.parameters, *tokens)[0].numpy()
    assert probe.predict(Z, N, "radius") == pytest.approx(1.0 + 5.0 * unit)


def test_the_penultimate_layer_is_what_the_readout_reads(probe):
    layer = probe.penultimate(Z, N, "binding")
    assert layer.shape == (3, 16)
    assert probe.read_out(layer, "binding") == pytest.approx(probe.predict(Z, N, "binding"), rel=1e-12)


def test_a_replaced_embedding_changes_its_own_numbers_alone(probe):
    embedding = probe.embedding("Z")
    assert embedding.shape == (118, 16)
    embedding[50 - 1] += 1.0  # the numbers begin at 1
    changed = probe.with_embedding("Z", embedding).predict(Z, N, "binding")
    same = changed == probe.predict(Z, N, "binding")
    assert same.tolist() == [True, False, True]
    assert probe.with_embedding("Z", probe.embedding("Z")).predict(Z, N, "binding") == pytest.approx(
        probe.predict(Z, N, "binding"), rel=0, abs=0
    )


@pytest.mark.parametrize(("symbol", "own", "beside"), [("Z", Z, N), ("N", N, Z)])
def test_points_stand_in_for_numbers(probe, symbol, own, beside):
    points = probe.embedding(symbol)[own - 1]
    assert probe.predict_at(points, beside, "binding", symbol) == pytest.approx(
        probe.predict(Z, N, "binding"), rel=1e-12
    )
    alone = probe.predict_at(points[:1], beside[0], "binding", symbol)
    assert alone == pytest.approx(probe.predict(Z, N, "binding")[:1], rel=1e-12)


def test_an_unknown_observable_is_named_with_the_nearest(probe):
    with pytest.raises(NuclrError, match="did you mean 'radius'"):
        probe.predict(Z, N, "radios")


@pytest.mark.parametrize(
    "options",
    [
        {"norm": "layer"},
        {"norm": "batch"},
        {"attention": "learned"},
        {"attention": "transformer"},
        {"block_activation": "solu"},
    ],
    ids=str,
)
def test_every_option_of_the_network_is_read(options):
    config = RunConfig("some", 0, DataConfig(observables=("binding", "radius")), ModelConfig(width=16, **options))
    network = Network.of(config.model, 2)
    weights = {name: value[0] for name, value in network.initialise([3]).items()}
    probe = Probe.open(config, weights, np.array([0.0, 1.0]), np.array([2e6, 6.0]))
    assert probe.network == network
    tokens = (torch.from_numpy(Z)[None], torch.from_numpy(N)[None], torch.ones(1, 3, dtype=torch.int64))
    unit = network.predict(probe.parameters, *tokens)[0].numpy()
    assert probe.predict(Z, N, "radius") == pytest.approx(1.0 + 5.0 * unit)
    layer = probe.penultimate(Z, N, "binding")
    assert probe.read_out(layer, "binding") == pytest.approx(probe.predict(Z, N, "binding"), rel=1e-12)
    assert probe.untrained(4).penultimate(Z, N, "binding").shape == layer.shape


def attending(attention):
    config = RunConfig("some", 0, DataConfig(observables=("binding", "radius")), ModelConfig(16, attention=attention))
    p = Network.of(config.model, 2).initialise([3], torch.float64)
    weights = {name: value[0] + 4 * name.endswith("query") for name, value in p.items()}  # not uniform
    return Probe.open(config, weights, np.array([0.0, 1.0]), np.array([2e6, 6.0]))


@pytest.mark.parametrize(("attention", "shape"), [("learned", (3, 3)), ("transformer", (3, 2, 4, 3, 3))])
def test_attention_is_read_at_the_nuclei_of_one_observable(attention, shape):
    probe = attending(attention)
    weights = probe.attention(Z, N, "radius")
    assert weights.shape == shape
    assert weights.sum(-1) == pytest.approx(np.ones(shape[:-1]))
    assert uniformity(weights) > 1e-4
    assert probe.attention(Z[1:2], N[1:2], "radius") == pytest.approx(weights[1:2], rel=1e-12)
    assert np.abs(probe.attention(Z, N, "binding") - weights).max() > 1e-4
    assert uniformity(probe.untrained(4).attention(Z, N, "radius")) == pytest.approx(0, abs=1e-12)


def test_fixed_attention_has_no_weights_to_read(probe):
    with pytest.raises(NuclrError, match="Run some, seed 0 has fixed attention"):
        probe.attention(Z, N, "radius")


def test_a_transformer_is_fed_other_embeddings():
    probe = attending("transformer")
    assert probe.penultimate(Z, N, "binding").shape == (3, 48)
    embedding = probe.embedding("N")
    embedding[70 - 1] += 1.0
    changed = probe.with_embedding("N", embedding).predict(Z, N, "binding")
    assert (changed == probe.predict(Z, N, "binding")).tolist() == [True, False, True]
    for symbol, own, other in (("Z", Z, N), ("N", N, Z)):
        points = probe.embedding(symbol)[own - 1]  # a table of another length
        assert probe.predict_at(points, other, "radius", symbol) == pytest.approx(
            probe.predict(Z, N, "radius"), rel=1e-12
        )


def test_untrained_embeddings_are_those_of_the_untrained_network(probe):
    for symbol in ("Z", "N"):
        np.testing.assert_array_equal(probe.untrained_embedding(symbol, 5), probe.untrained(5).embedding(symbol))
        assert (probe.untrained_embedding(symbol, 6) != probe.untrained_embedding(symbol, 5)).any()


@pytest.mark.parametrize("options", [{}, {"norm": "batch"}, {"attention": "learned"}], ids=str)
def test_every_reading_stays_on_the_device_of_the_network(options, monkeypatch):
    """Tensors of torch's device "meta" have no values and mix with few others: this shows it without a GPU."""
    came_from = []
    monkeypatch.setattr(
        probes, "_array", lambda found: came_from.append(found.device.type) or np.zeros(found.shape[1:])
    )
    config = RunConfig("some", 0, DataConfig(observables=("binding", "radius")), ModelConfig(width=16, **options))
    weights = {name: value[0] for name, value in Network.of(config.model, 2).initialise([3]).items()}
    there = Probe.open(config, weights, np.zeros(2), np.ones(2), "meta")
    there.embedding("N")
    there.penultimate(Z, N, "binding")
    there.read_out(np.zeros((3, 16)), "radius")
    there.predict_at(np.zeros((3, 16)), 80, "binding", "N")
    there.with_embedding("Z", np.zeros((118, 16))).predict(Z, N, "radius")
    there.untrained(5).predict(Z, N, "radius")
    if "attention" in options:
        there.attention(Z, N, "radius")
    assert came_from == ["meta"] * (7 if "attention" in options else 6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="reads a network on a GPU, and this machine has none")
def test_a_gpu_reads_what_the_cpu_reads(probe):
    weights = {name: value[0] for name, value in probe.parameters.items()}
    there = Probe.open(probe.config, weights, probe.low, probe.high, "cuda")
    points = probe.embedding("Z")[:3] + 0.1
    for read in (
        lambda one: one.embedding("N"),
        lambda one: one.penultimate(Z, N, "binding"),
        lambda one: one.predict(Z, N, "radius"),
        lambda one: one.predict_at(points, N, "binding"),
        lambda one: one.with_embedding("N", 2 * one.embedding("N")).predict(Z, N, "binding"),
        lambda one: one.read_out(one.penultimate(Z, N, "radius"), "radius"),
        lambda one: one.untrained(5).predict(Z, N, "binding"),
    ):
        np.testing.assert_allclose(read(there), read(probe), rtol=1e-9)
