"""The transformer equals a plain one of torch's own functions, scales as muP says, starts uniform and does not stay so."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from nuclr.analysis.attention import uniformity
from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.model.network import MAX_N, MAX_Z, Network
from nuclr.model.transformer import Transformer
from nuclr.train.examples import examples
from nuclr.train.replicas import Replicas

CONFIG = ModelConfig(width=16, depth=2, attention="transformer", biases="free")


def tokens(replicas, rows, observables, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randint(low, high, (replicas, rows), generator=generator)
        for low, high in ((1, MAX_Z + 1), (1, MAX_N + 1), (0, observables))
    )


def moved(network, seeds):
    """Fresh parameters with queries that are not zero."""
    p = network.initialise(seeds, torch.float64)
    generator = torch.Generator().manual_seed(9)
    for name in [name for name in p if name.endswith("query")]:
        p[name] = 30 * torch.randn(p[name].shape, generator=generator, dtype=torch.float64)
    return p


def gradients(p, predict):
    p = {name: value.clone().requires_grad_() for name, value in p.items()}
    predict(p).square().sum().backward()
    return {name: value.grad for name, value in p.items()}


def plain(p, width, depth, z, n, observable):
    """Predictions (rows,) of one network, without replica axis, and its attention weights (rows, 4, 3, 3) in each block."""
    embeddings = [
        functional.embedding(token, p[f"embedding.{name}"])
        for name, token in (("Z", z), ("N", n), ("observable", observable))
    ]
    x = functional.silu(functional.linear(torch.stack(embeddings, dim=1), p["first.weight"].T, p["first.bias"][0]))
    weights = []
    for block in range(depth):

        def heads(name, x=x, block=block):
            return functional.linear(x, p[f"block{block}.{name}"].T).view(len(z), 3, 4, width // 4).transpose(1, 2)

        scale = 8**0.5 / (width / 4)  # 1/sqrt(8) at width 32, whose heads have 8
        query, key, value = heads("query"), heads("key"), heads("value")
        weights.append(functional.softmax(query @ key.mT * scale, dim=-1))
        gathered = functional.scaled_dot_product_attention(query, key, value, scale=scale)
        x = x + functional.linear(gathered.transpose(1, 2).reshape(len(z), 3, width), p[f"block{block}.output"].T)
        x = x + functional.relu(functional.linear(x, p[f"block{block}.weight"].T, p[f"block{block}.bias"][0]))
    every = functional.linear(x.flatten(1), p["readout.weight"].T * 32 / width, p["readout.bias"][0])
    return every[torch.arange(len(z)), observable], weights


@pytest.mark.parametrize("observables", [1, 10])
def test_equals_a_plain_transformer_gradients_included(observables):
    network = Network.of(replace(CONFIG, width=24, depth=3), observables)
    assert isinstance(network, Transformer)
    p = moved(network, [0, 1])
    z, n, observable = tokens(2, 20, observables)
    predicted, weights = network.predict(p, z, n, observable), network.attend(p, z, n, observable)
    assert weights.shape == (2, 20, 3, 4, 3, 3)
    for r in range(2):
        one = {name: value[r] for name, value in p.items()}
        expected, shares = plain(one, 24, 3, z[r], n[r], observable[r])
        assert torch.allclose(predicted[r], expected, rtol=1e-11, atol=1e-12)
        assert torch.allclose(weights[r], torch.stack(shares, dim=1), rtol=1e-11, atol=1e-12)
    found = gradients(p, lambda p: network.predict(p, z, n, observable))
    one = {name: value[1] for name, value in p.items()}
    wanted = gradients(one, lambda one: plain(one, 24, 3, z[1], n[1], observable[1])[0])
    for name, gradient in wanted.items():
        assert gradient.abs().max() > 0, name
        assert torch.allclose(found[name][1], gradient, rtol=1e-9, atol=1e-11), name


def test_the_readout_reads_the_three_tokens():
    network = Network.of(CONFIG, 2)
    p, arguments = moved(network, [0, 1]), tokens(2, 5, 2)
    layer = network.penultimate(p, *arguments)
    assert layer.shape == (2, 5, 3 * 16)
    assert torch.equal(network.readout(p, layer, arguments[2]), network.predict(p, *arguments))


def test_a_replica_depends_on_its_own_seed_and_rows_alone():
    network, arguments = Network.of(CONFIG, 2), tokens(3, 50, 2)
    together, alone = moved(network, [4, 5, 6]), network.initialise([5], torch.float64)
    for name, value in alone.items():
        if name.endswith("query"):
            alone[name] = together[name][1:2]
        else:
            assert torch.equal(together[name][1:2], value), name
    predicted = network.predict(together, *arguments)
    assert torch.allclose(predicted[1:2], network.predict(alone, *(x[1:2] for x in arguments)), rtol=1e-12, atol=1e-12)


def test_a_seed_starts_with_the_embeddings_of_the_fixed_network():
    ours, fixed = Network.of(CONFIG, 3).initialise([2]), Network(16, 2, 3).initialise([2])
    for name in ("embedding.Z", "embedding.N", "embedding.observable"):
        assert torch.equal(ours[name], fixed[name])


def test_starts_and_rates_follow_mup():
    for width in (32, 256):
        network = Network.of(replace(CONFIG, width=width), 10)
        p, rules = network.initialise([0]), network.rules()
        for name in ("first.weight", "block0.key", "block0.value", "block1.output", "block1.weight"):
            assert p[name].abs().max() == pytest.approx(width**-0.5, rel=0.01), name
        assert p["block0.query"].abs().max() == 0
        assert p["embedding.Z"].abs().max() == pytest.approx(32**-0.5, rel=0.01)
        assert p["readout.weight"].abs().max() == pytest.approx(96**-0.5, rel=0.05)
        assert p["block0.bias"].abs().max() == pytest.approx(32**-0.5, rel=0.1)
        for name, rule in rules.items():
            matrix = name.startswith(("first", "block")) and not name.endswith("bias")
            assert rule.learning_rate(1e-2, width) == pytest.approx(1e-2 * (32 / width if matrix else 1)), name
            decay = 0 if name.endswith("bias") else 0.1 * (width / 32 if matrix else 1)
            assert rule.weight_decay(0.1, width) == pytest.approx(decay), name


def test_a_step_moves_attention_alike_at_every_width():
    # With logits over sqrt(d) a step would move it 3.5 times as far at width 1024.
    distances = []
    for width in (64, 1024):
        network, arguments = Network.of(replace(CONFIG, width=width, depth=1), 2), tokens(1, 100, 2)
        p, rules = network.initialise([0], torch.float64), network.rules()
        gradient = gradients(p, lambda p, network=network, arguments=arguments: network.predict(p, *arguments) - 1)
        for name, value in p.items():  # the first step of Adam
            value -= rules[name].learning_rate(1e-2, width) * gradient[name].sign()
        distances.append(uniformity(network.attend(p, *arguments).numpy()))
    assert distances[0] > 5e-5
    assert distances[1] == pytest.approx(distances[0], rel=0.3)


def test_attention_starts_uniform_and_its_weights_sum_to_one():
    network, arguments = Network.of(CONFIG, 2), tokens(2, 50, 2)
    start = network.attend(network.initialise([0, 1], torch.float64), *arguments)
    assert torch.allclose(start, torch.tensor(1 / 3, dtype=torch.float64))
    weights = network.attend(moved(network, [0, 1]), *arguments)
    assert torch.allclose(weights.sum(-1), torch.ones(weights.shape[:-1], dtype=torch.float64))
    assert uniformity(weights.numpy()) > 0.05


def test_training_lowers_the_loss_and_attention_leaves_its_uniform_start():
    data = DataConfig(observables=("binding", "qa", "sn"))
    training = TrainingConfig(2e-2, 0.0, steps=300, warmup=5, schedule="constant", batch=128, weighting="equal")
    configs = [RunConfig("short", seed, data, CONFIG, training) for seed in (0, 1)]
    engine = Replicas(configs, [examples(config) for config in configs], torch.device("cpu"), torch.float32)
    first, last = engine.advance(0, 1), engine.advance(1, 299)
    assert (last < 0.05 * first).all()
    for index in (0, 1):
        p = {name: value[None] for name, value in engine.parameters(index).items()}
        weights = engine.network.attend(p, *tokens(1, 100, 3))[0].numpy()
        assert min(uniformity(weights[:, block]) for block in range(2)) > 0.02
