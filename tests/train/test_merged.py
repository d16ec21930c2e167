"""On a GPU members of equal rate and decay are one parameter of AdamW: the same steps, to rounding. Tried here on a CPU."""

from dataclasses import replace

import pytest
import torch

from nuclr.config import ModelConfig
from nuclr.train import replicas
from nuclr.train.kinds import examples
from nuclr.train.replicas import Replicas, _alike

CPU = torch.device("cpu")


def trained(configs, steps=30):
    engine = Replicas(configs, [examples(config) for config in configs], CPU, torch.float64)
    losses = engine.advance(0, steps)
    engine.drop(1)  # what is left is placed anew
    engine.advance(steps, steps)
    return engine, losses


def test_members_are_merged_where_neighbours_are_trained_alike(tiny):
    decays = (0.1, 0.1, 0.2, 0.1)
    assert _alike([tiny(weight_decay=decay) for decay in decays]) == [slice(0, 2), slice(2, 3), slice(3, 4)]
    assert _alike([tiny(learning_rate=1e-3), tiny(learning_rate=2e-3)]) == [slice(0, 1), slice(1, 2)]


@pytest.mark.parametrize("biases", ["decayed", "free"])
def test_merged_members_take_the_steps_of_separate_ones(tiny, monkeypatch, biases):
    configs = [tiny(seed=seed, weight_decay=decay) for seed, decay in enumerate((0.1, 0.2, 0.1, 0.1))]
    configs = [replace(config, model=ModelConfig(width=8, biases=biases)) for config in configs]
    apart, losses = trained(configs)
    monkeypatch.setattr(replicas, "_apart", _alike)
    merged, merged_losses = trained(configs)
    assert len(merged.parts) < len(apart.parts)
    torch.testing.assert_close(merged_losses, losses, rtol=1e-12, atol=0)
    for index in (0, 2, 3):
        for name, value in apart.state(index).items():
            torch.testing.assert_close(merged.state(index)[name], value, rtol=1e-9, atol=1e-12)
