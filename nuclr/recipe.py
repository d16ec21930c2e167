"""How the published networks were trained, and the rule that carries it over to shorter trainings: two numbers stay as they are.

AdamW lets a weight settle at a size of about sqrt(r / 2), where r is learning rate over weight decay: r decides how large embeddings
become beside what the loss asks of them. Of the random start a share of exp(-D) is left, where D is the sum of learning rate times
weight decay over all steps. A training of other length that keeps r and D has the learning rate and weight decay that `Recipe.training`
computes; width needs no rule of its own, since muP scales both (nuclr.model.parametrization).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, Literal

from nuclr.config import TrainingConfig

WARMUP = 200  # steps; the published runs have none, and rates that are lower


@dataclass(frozen=True)
class Recipe:
    """ratio: r, learning rate over weight decay. decay: D, the sum of their product over all steps."""

    ratio: float
    decay: float

    def training(
        self, steps: int, batch: float | int, schedule: Literal["cosine", "constant"] = "cosine", **others: Any
    ) -> TrainingConfig:
        """A training of this r and D. others: further settings of the TrainingConfig.

        Under a cosine the learning rate is half its peak on average, the warm-up included, so D = peak * weight decay * steps / 2.
        """
        average = 0.5 if schedule == "cosine" else 1.0
        rate = sqrt(self.ratio * self.decay / (average * steps))
        warmup = min(WARMUP, steps // 10) if schedule == "cosine" else 0
        plain = TrainingConfig(rate, rate / self.ratio, steps, warmup, schedule, batch, "inverse")
        return replace(plain, **others)


# The published runs, all at a constant rate with a weight decay of 0.01. Five batches are an epoch; in the runs of figure 12 two.
EMBEDDINGS = Recipe(0.01, 1.0)  # joint and of the binding energy (figures 4-8, 11, 17-23): 1,000,000 steps at 1e-4
STRUCTURE = Recipe(0.03, 3.0)  # figures 9, 10 and 16; the SEMF (1, 14, 15); without decay (24): 1,000,000 steps at 3e-4
MULTI_TASK = Recipe(0.01, 0.1)  # figure 12: 100,000 steps at 1e-4
