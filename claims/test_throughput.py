"""How fast the training is beside the published step. Times are recorded, and never decide whether a test passes.

`nox -s bench` runs this; `python -m nuclr bench` prints the same numbers without pytest.
"""

import math

import pytest
import torch

from nuclr.train.throughput import result, setting, take_turns, variants

pytest.importorskip("pytest_benchmark")

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
CONFIG = setting(width=2048 if DEVICE.type == "cuda" else 128, depth=2, batch=2048)
NAMES = ("published", "float32", "fast", "fleet")


@pytest.fixture(scope="module")
def measured():
    """Every variant after it has had its turns."""
    compared = variants(CONFIG, DEVICE)
    begun = {variant.name: variant.engine.advance(0, 1).mean().item() for variant in compared}
    take_turns(compared, CONFIG, DEVICE, seconds=15)
    return {variant.name: (variant, begun[variant.name]) for variant in compared}


@pytest.mark.parametrize("name", NAMES)
def test_throughput(name, measured, benchmark):
    """Every variant does the same work, training; its ratio to the published step goes into the benchmark's record."""
    variant, begun = measured[name]
    losses = benchmark.pedantic(variant.engine.advance, args=(variant.step, variant.count), rounds=5)
    benchmark.extra_info |= result(variant)
    assert len(losses) == variant.runs
    assert all(math.isfinite(loss) and loss < begun / 2 for loss in losses.tolist())
