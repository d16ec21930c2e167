"""The network equals the published one written plainly, with every option, and replicas never see each other."""

import pytest
import torch

from nuclr.config import ModelConfig
from nuclr.model.network import MAX_N, MAX_Z, Network

OPTIONS = (
    {"norm": "layer"},
    {"norm": "rms"},
    {"norm": "batch"},
    {"attention": "learned"},
    {"first_activation": "relu", "block_activation": "silu"},
    {"first_activation": "gelu", "block_activation": "gelu"},
    {"first_activation": "solu", "block_activation": "solu"},
    {"norm": "layer", "attention": "learned", "block_activation": "gelu"},
)


def tokens(replicas, rows, observables, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randint(low, high, (replicas, rows), generator=generator)
        for low, high in ((1, MAX_Z + 1), (1, MAX_N + 1), (0, observables))
    )


PLAIN = {
    "silu": lambda x: x * torch.sigmoid(x),
    "relu": lambda x: x.clamp(min=0),
    "gelu": lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2,
    "solu": lambda x: standardised(len(x) * x * x.exp() / x.exp().sum()),
}


def standardised(x):
    return (x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt()


def normed(network, p, block, r, x):
    """A norm of one row x (d,), batch normalisation as in evaluation."""
    if network.norm == "batch":
        return (x - p[f"block{block}.mean"][r, 0]) / (p[f"block{block}.variance"][r, 0] + 1e-5).sqrt()
    return {
        "none": lambda: x,
        "layer": lambda: standardised(x),
        "rms": lambda: x / (x.square().mean() + 1e-5).sqrt(),
    }[network.norm]()


def published(network, p, z, n, observable):
    """The network as the paper describes it, one row at a time: embeddings concatenated, every layer a plain product."""
    out = torch.empty(z.shape, dtype=torch.float64)
    first, activation = PLAIN[network.first_activation], PLAIN[network.block_activation]
    for r in range(z.shape[0]):
        for i in range(z.shape[1]):
            embeddings = [
                p["embedding.Z"][r, z[r, i]],
                p["embedding.N"][r, n[r, i]],
                p["embedding.observable"][r, observable[r, i]],
            ]
            if network.attention == "learned":
                query = embeddings[2] @ p["attention.query"][r]
                keys = [embedding @ p["attention.key"][r] for embedding in embeddings]
                logits = torch.stack([query @ key for key in keys]) * 32**0.5 / network.width
                shares = logits.exp() / logits.exp().sum()
                embeddings = [3 * share * embedding for share, embedding in zip(shares, embeddings, strict=True)]
            x = first(torch.cat(embeddings) @ p["first.weight"][r] + p["first.bias"][r, 0])
            for b in range(network.depth):
                inner = activation(x @ p[f"block{b}.inner.weight"][r] + p[f"block{b}.inner.bias"][r, 0])
                x = x + activation(inner @ p[f"block{b}.outer.weight"][r] + p[f"block{b}.outer.bias"][r, 0])
                x = normed(network, p, b, r, x)
            every = x @ p["readout.weight"][r] * 32 / network.width + p["readout.bias"][r, 0]
            out[r, i] = every[observable[r, i]]
    return out


def somewhere(network, seeds):
    """Parameters at which nothing is at its start of zero or one."""
    generator = torch.Generator().manual_seed(9)
    rules, p = network.rules(), network.initialise(seeds, torch.float64)
    start = {name: value for name, value in p.items() if rules[name].bound == 0}
    return p | {
        name: value + 0.2 * torch.rand(value.shape, generator=generator, dtype=torch.float64)
        for name, value in start.items()
    }


def learning(network, p):
    """p with gradients where the network learns."""
    rules = network.rules()
    return {name: value.requires_grad_(rules[name].learns) for name, value in p.items()}


@pytest.mark.parametrize("observables", [1, 10])
@pytest.mark.parametrize("options", [{}, *OPTIONS], ids=str)
def test_equals_the_published_network(observables, options):
    network = Network.of(ModelConfig(width=24, depth=3, **options), observables)
    p = somewhere(network, [0, 1])
    z, n, observable = tokens(2, 20, observables)
    predicted = network.predict(p, z, n, observable)
    assert torch.allclose(predicted, published(network, p, z, n, observable), rtol=1e-11, atol=1e-12)
    if options:
        plain = Network(24, 3, observables)
        others = plain.predict({name: p[name] for name in plain.rules()}, z, n, observable)
        assert (predicted - others).abs().max() > 1e-6  # the option does something


@pytest.mark.parametrize("options", [{}, *OPTIONS], ids=str)
def test_gradients_of_the_shortcuts_equal_those_of_the_published_network(options):
    network = Network.of(ModelConfig(width=16, depth=1, **options), observables=3)
    z, n, observable = tokens(1, 20, 3)
    gradients = []
    for predict in (network.predict, lambda *arguments: published(network, *arguments)):
        p = learning(network, somewhere(network, [5]))
        predict(p, z, n, observable).square().sum().backward()
        gradients.append({name: value.grad for name, value in p.items() if value.requires_grad})
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], rtol=1e-9, atol=1e-11), name


@pytest.mark.parametrize("options", [{}, *OPTIONS], ids=str)
def test_a_replica_depends_on_its_own_seed_and_rows_alone(options):
    network = Network.of(ModelConfig(width=16, **options), observables=2)
    arguments = (*tokens(3, 50, 2), torch.ones(3, 50))
    together, alone = (network.initialise(seeds, torch.float64) for seeds in ([4, 5, 6], [5]))
    predicted = network.predict(together, *arguments)
    assert torch.allclose(predicted[1:2], network.predict(alone, *(x[1:2] for x in arguments)), rtol=1e-12, atol=1e-12)
    for name, value in alone.items():  # batch normalisation has moved its statistics
        assert torch.allclose(together[name][1:2], value, rtol=1e-12, atol=1e-12), name


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_an_option_leaves_the_start_of_the_rest_as_it_is(options):
    plain = Network(16, 2, 2).initialise([3])
    other = Network.of(ModelConfig(width=16, **options), 2).initialise([3])
    assert all(torch.equal(other[name], value) for name, value in plain.items())


def test_uniform_attention_is_the_fixed_network():
    learned, fixed = Network(16, 2, 10, attention="learned"), Network(16, 2, 10)
    p, arguments = learned.initialise([0, 1], torch.float64), tokens(2, 50, 10)
    assert torch.allclose(learned.attend(p, *arguments), torch.tensor(1 / 3, dtype=torch.float64))
    assert torch.allclose(learned.predict(p, *arguments), fixed.predict(p, *arguments), rtol=1e-12, atol=1e-12)
    p["attention.query"] = p["attention.key"]
    weights = learned.attend(p, *arguments)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 50, dtype=torch.float64))
    assert weights.std() > 1e-4


def test_attention_leaves_its_uniform_start():
    network = Network(16, 1, 2, attention="learned")
    p = learning(network, network.initialise([0], torch.float64))
    network.predict(p, *tokens(1, 20, 2)).square().sum().backward()
    assert p["attention.query"].grad.abs().max() > 0


def test_batch_statistics_are_those_of_the_rows_with_weight():
    network = Network(16, 2, 2, norm="batch")
    z, n, observable = tokens(1, 30, 2)
    weight = torch.rand(1, 30) + 0.5
    weight[:, 20:] = 0
    filled, short = (network.initialise([1], torch.float64) for _ in range(2))
    some = [column[:, :20] for column in (z, n, observable, weight)]
    predicted = network.predict(filled, z, n, observable, weight)[:, :20]
    assert torch.allclose(predicted, network.predict(short, *some), rtol=1e-12, atol=1e-12)
    for name, value in filled.items():
        assert torch.allclose(value, short[name], rtol=1e-12, atol=1e-12), name
    first = network.first_layer(short, *some[:3])
    inner = torch.relu(first @ short["block0.inner.weight"])
    stream = first + torch.relu(inner @ short["block0.outer.weight"])
    assert torch.allclose(short["block0.mean"][0], 0.1 * stream.mean(1), rtol=1e-12, atol=1e-12)
    expected = 0.9 + 0.1 * stream.var(1, correction=0)
    assert torch.allclose(short["block0.variance"][0], expected, rtol=1e-12, atol=1e-12)


def test_running_statistics_approach_those_of_the_rows_and_evaluation_leaves_them():
    network = Network(16, 2, 2, norm="batch")
    p, arguments = network.initialise([1], torch.float64), tokens(1, 30, 2)
    trained = [network.predict(p, *arguments, torch.ones(1, 30)) for _ in range(300)][-1]
    kept = {name: value.clone() for name, value in p.items()}
    assert torch.allclose(network.predict(p, *arguments), trained, rtol=1e-9, atol=1e-9)
    assert all(torch.equal(value, kept[name]) for name, value in p.items())


def test_starts_follow_mup():
    for width in (32, 256):
        p = Network(width, 2, 10).initialise([0])
        assert p["embedding.Z"].abs().max() == pytest.approx(32**-0.5, rel=0.01)
        assert p["readout.weight"].abs().max() == pytest.approx(32**-0.5, rel=0.05)
        assert p["block0.inner.weight"].abs().max() == pytest.approx(width**-0.5, rel=0.01)
        assert p["first.weight"].abs().max() == pytest.approx((3 * width) ** -0.5, rel=0.01)
        assert p["block1.outer.bias"].abs().max() == 0
        free = Network(width, 2, 10, biases="free").initialise([0])
        assert torch.equal(free["block0.inner.weight"], p["block0.inner.weight"])
        assert free["first.bias"].abs().max() == pytest.approx(96**-0.5, rel=0.1)
        assert free["block1.outer.bias"].abs().max() == pytest.approx(32**-0.5, rel=0.1)
        assert free["readout.bias"].abs().max() <= 32**-0.5


def test_free_biases_do_not_decay():
    for biases, decay in (("decayed", 0.1), ("free", 0.0)):
        rules = Network(64, 1, 1, biases=biases).rules()
        for name, rule in rules.items():
            expected = decay if name.endswith("bias") else 0.1 * (2 if rule.hidden else 1)
            assert rule.weight_decay(0.1, 64) == expected, name


def test_hidden_matrices_keep_learning_rate_times_decay_at_every_width():
    for width in (32, 128, 2048):
        rules = Network(width, 1, 1).rules()
        hidden, embedding = rules["block0.inner.weight"], rules["embedding.N"]
        assert hidden.learning_rate(1e-2, width) == pytest.approx(1e-2 * 32 / width)
        assert hidden.learning_rate(1e-2, width) * hidden.weight_decay(0.01, width) == pytest.approx(1e-4)
        assert embedding.learning_rate(1e-2, width) == 1e-2
        assert embedding.weight_decay(0.01, width) == 0.01


def test_an_optimizer_leaves_running_statistics_alone():
    network = Network(16, 2, 2, norm="batch")
    p = {name: value.requires_grad_() for name, value in network.initialise([1], torch.float64).items()}
    network.predict(p, *tokens(1, 30, 2), torch.ones(1, 30)).square().sum().backward()
    for name, rule in network.rules().items():
        statistic = name.endswith((".mean", ".variance"))
        assert (rule.learning_rate(1e-2, 16) == 0) == statistic, name
        assert (p[name].grad is None) == statistic, name
