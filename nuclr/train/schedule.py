"""When things happen in a run: its learning rate, its checkpoints, and the points of its curves."""

from __future__ import annotations

import math

import numpy as np

from nuclr.config import RunConfig

CHECKPOINTS = 12  # log-spaced between the first and the last step, besides the start
CURVE_POINTS = 40


def log_spaced(steps: int, count: int) -> list[int]:
    """Step 0 and about `count` steps from 1 to `steps`, evenly spaced in their logarithm."""
    return sorted({0, *(round(step) for step in np.geomspace(1, steps, count))})


def curve_steps(steps: int) -> list[int]:
    """Where the curves have a point: log-spaced for the start, evenly spaced for the long rest."""
    return sorted(
        {*log_spaced(steps, CHECKPOINTS), *np.linspace(0, steps, CURVE_POINTS + 1).round().astype(int).tolist()}
    )


def learning_rate(config: RunConfig, step: int) -> float:
    """Base learning rate of a step: linear warm-up, then a cosine to zero or a constant."""
    training = config.training
    if step < training.warmup:
        return training.learning_rate * (step + 1) / training.warmup
    if training.schedule == "constant":
        return training.learning_rate
    done = (step - training.warmup) / (training.steps - training.warmup)
    return training.learning_rate * (1 + math.cos(math.pi * done)) / 2
