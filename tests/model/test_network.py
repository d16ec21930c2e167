"""The network equals the published one written plainly, and replicas never see each other."""

import pytest
import torch
from torch.nn import functional

from nuclr.model.network import MAX_N, MAX_Z, Network


def tokens(replicas, rows, observables, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randint(low, high, (replicas, rows), generator=generator)
        for low, high in ((1, MAX_Z + 1), (1, MAX_N + 1), (0, observables))
    )


def published(network, p, z, n, observable):
    """The network as the paper describes it, one row at a time: embeddings concatenated, every layer a plain product."""
    out = torch.empty(z.shape, dtype=torch.float64)
    for r in range(z.shape[0]):
        for i in range(z.shape[1]):
            x = torch.cat(
                [
                    p["embedding.Z"][r, z[r, i]],
                    p["embedding.N"][r, n[r, i]],
                    p["embedding.observable"][r, observable[r, i]],
                ]
            )
            x = functional.silu(x @ p["first.weight"][r] + p["first.bias"][r, 0])
            for b in range(network.depth):
                inner = torch.relu(x @ p[f"block{b}.inner.weight"][r] + p[f"block{b}.inner.bias"][r, 0])
                x = x + torch.relu(inner @ p[f"block{b}.outer.weight"][r] + p[f"block{b}.outer.bias"][r, 0])
            every = x @ p["readout.weight"][r] * 32 / network.width + p["readout.bias"][r, 0]
            out[r, i] = every[observable[r, i]]
    return out


@pytest.mark.parametrize("observables", [1, 10])
def test_equals_the_published_network(observables):
    network = Network(width=24, depth=3, observables=observables)
    p = network.initialise([0, 1], torch.float64)
    p = {name: value + 0.1 if "bias" in name else value for name, value in p.items()}
    z, n, observable = tokens(2, 40, observables)
    assert torch.allclose(
        network.predict(p, z, n, observable), published(network, p, z, n, observable), rtol=1e-12, atol=1e-12
    )


def test_gradients_of_the_shortcut_equal_those_of_the_published_first_layer():
    network = Network(width=16, depth=1, observables=3)
    z, n, observable = tokens(1, 30, 3)
    gradients = []
    for predict in (network.predict, lambda *arguments: published(network, *arguments)):
        p = {name: value.requires_grad_() for name, value in network.initialise([5], torch.float64).items()}
        predict(p, z, n, observable).square().sum().backward()
        gradients.append({name: value.grad for name, value in p.items()})
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], rtol=1e-10, atol=1e-12), name


def test_a_replica_depends_on_its_own_seed_and_rows_alone():
    network = Network(width=16, depth=2, observables=2)
    z, n, observable = tokens(3, 50, 2)
    together = network.predict(network.initialise([4, 5, 6], torch.float64), z, n, observable)
    alone = network.predict(network.initialise([5], torch.float64), z[1:2], n[1:2], observable[1:2])
    assert torch.allclose(together[1], alone[0], rtol=1e-12, atol=1e-12)


def test_starts_follow_mup():
    for width in (32, 256):
        p = Network(width, 2, 10).initialise([0])
        assert p["embedding.Z"].abs().max() == pytest.approx(32**-0.5, rel=0.01)
        assert p["readout.weight"].abs().max() == pytest.approx(32**-0.5, rel=0.05)
        assert p["block0.inner.weight"].abs().max() == pytest.approx(width**-0.5, rel=0.01)
        assert p["first.weight"].abs().max() == pytest.approx((3 * width) ** -0.5, rel=0.01)
        assert p["block1.outer.bias"].abs().max() == 0


def test_hidden_matrices_keep_learning_rate_times_decay_at_every_width():
    for width in (32, 128, 2048):
        rules = Network(width, 1, 1).rules()
        hidden, embedding = rules["block0.inner.weight"], rules["embedding.N"]
        assert hidden.learning_rate(1e-2, width) == pytest.approx(1e-2 * 32 / width)
        assert hidden.learning_rate(1e-2, width) * hidden.weight_decay(0.01, width) == pytest.approx(1e-4)
        assert embedding.learning_rate(1e-2, width) == 1e-2
        assert embedding.weight_decay(0.01, width) == 0.01
