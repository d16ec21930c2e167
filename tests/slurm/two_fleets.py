"""The command line of nuclr on a profile of two fleets, one of two runs and one of one: two_fleets.py <steps> sweep ..."""

import sys

from nuclr.cli import main
from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.train import plan


def planned(steps):
    return [
        RunConfig(
            name,
            seed,
            DataConfig((name,)),
            ModelConfig(width=16),
            TrainingConfig(steps=steps, warmup=warmup, batch=256),
        )
        for name, seed, warmup in (
            ("binding", 0, 10),
            ("binding", 1, 10),
            ("sn", 0, 11),
        )  # unequal warm-ups: two fleets
    ]


if __name__ == "__main__":
    steps = int(sys.argv.pop(1))
    plan.planned = lambda *_: planned(steps)
    main()
