"""The network of modular addition: one table for both summands, replicas apart, and a reader that takes any vectors."""

import numpy as np
import torch

from nuclr.config import ModelConfig
from nuclr.model.adder import Adder
from nuclr.model.addition import AdditionNetwork

P = 7
NETWORK = AdditionNetwork(width=8, depth=2, observables=P)
A, B = (numbers.reshape(1, -1) for numbers in torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij"))


def fresh(*seeds):
    return NETWORK.initialise(seeds, torch.float64)


def adder(seed=0):
    weights = {name: value[0] for name, value in fresh(seed).items()}
    return Adder.open(ModelConfig(width=8, depth=2), P, weights)


def test_the_logits_are_those_of_the_layers_written_out():
    p = {name: value[0] for name, value in fresh(3).items()}
    pair = torch.cat([p["embedding"][A[0]], p["embedding"][B[0]]], dim=1)
    x = torch.nn.functional.silu(pair @ p["first.weight"] + p["first.bias"])
    for block in range(2):
        inner = torch.relu(x @ p[f"block{block}.inner.weight"] + p[f"block{block}.inner.bias"])
        x = x + torch.relu(inner @ p[f"block{block}.outer.weight"] + p[f"block{block}.outer.bias"])
    expected = x @ p["readout.weight"] * 32 / 8 + p["readout.bias"]
    torch.testing.assert_close(NETWORK.logits(fresh(3), A, B)[0], expected)


def test_a_replica_is_the_network_of_its_seed_alone():
    both, second = fresh(0, 1), fresh(1)
    pair = NETWORK.logits(both, A.expand(2, -1), B.expand(2, -1))
    torch.testing.assert_close(pair[1:], NETWORK.logits(second, A, B))


def test_the_order_of_the_summands_is_not_known_beforehand():
    logits = NETWORK.logits(fresh(0), A, B)
    assert not torch.allclose(logits, NETWORK.logits(fresh(0), B, A))


def test_every_parameter_of_the_network_learns_from_a_sum():
    p = {name: value.requires_grad_() for name, value in fresh(0).items()}
    torch.nn.functional.cross_entropy(NETWORK.logits(p, A, B)[0], (A + B)[0] % P).backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in p.values())


def test_the_reader_answers_what_the_network_does():
    answers = adder().answers()
    assert (answers == NETWORK.logits(fresh(0), A, B)[0].argmax(1).reshape(P, P).numpy()).all()
    assert len(np.unique(answers)) > 1


def test_other_vectors_take_the_place_of_the_embeddings():
    one, table = adder(), adder().embedding
    swapped = table[::-1]
    assert (one.answers(swapped) == one.answers()[::-1, ::-1]).all()
    first, second = table[[1, 4, 6]], table[[2, 2, 5]]
    assert (one.answer(first, second) == one.answers()[[1, 4, 6], [2, 2, 5]]).all()
    assert (one.embedding == table).all()


def test_an_untrained_network_has_the_shape_and_other_values():
    one = adder()
    other = one.untrained(5)
    assert other.embedding.shape == one.embedding.shape
    assert not np.allclose(other.embedding, one.embedding)
