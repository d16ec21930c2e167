"""The command line of nuclr on a profile of two fleets, one of two runs and one of one: two_fleets.py <steps> sweep ..."""

import sys

from nuclr.cli import main
from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.train import plan


def planned(steps):
    training = TrainingConfig(steps=steps, warmup=10, batch=256)
    return [
        RunConfig(name, seed, DataConfig((name,)), ModelConfig(width=16), training)
        for name, seed in (("binding", 0), ("binding", 1), ("sn", 0))
    ]


if __name__ == "__main__":
    steps = int(sys.argv.pop(1))
    plan.planned = lambda _: planned(steps)
    main()
