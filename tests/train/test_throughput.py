"""The operations of a row are those that torch counts in a step's products."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nuclr.config import DataConfig, ModelConfig, RunConfig
from nuclr.model.network import Network
from nuclr.train.throughput import operations

ROWS, WIDTH, DEPTH = 50, 16, 3
# Attention scores and mixes nine pairs of tokens of d numbers in sums of vectors, which torch does not count as products.
UNCOUNTED = {"fixed": 0, "transformer": 2 * 2 * 9 * WIDTH * DEPTH}


@pytest.mark.parametrize("attention", UNCOUNTED)
def test_operations_of_a_row_are_those_of_its_products(attention):
    config = RunConfig("some", 0, DataConfig(("sn",)), ModelConfig(WIDTH, DEPTH, attention=attention))
    network = Network.of(config.model, 1)
    p = {name: value.requires_grad_() for name, value in network.initialise([0]).items()}
    tokens = torch.ones(3, 1, ROWS, dtype=torch.int64) * torch.tensor([50, 70, 0])[:, None, None]
    with FlopCounterMode(display=False) as forward:
        predicted = network.predict(p, *tokens)
    with FlopCounterMode(display=False) as back:
        predicted.sum().backward()
    counted = forward.get_total_flops() / ROWS + UNCOUNTED[attention]
    assert operations(config, ROWS) == pytest.approx(3 * counted)
    assert back.get_total_flops() == 2 * forward.get_total_flops()
