"""Questions beside the claims, each as runs of its own that are trained like those of a profile and judged by nobody.

`python -m nuclr train --profile parity` trains them, `python -m studies.parity` tells what came; docs/parity.md has the answer.

parity  on what the parity split R_P depends (figure 9): weighting, budget, total decay, batch and width
norms   whether a norm does as well as none at another learning rate, or in a longer training (Appendix B)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig

SEEDS = 3
# As the runs of figure 9 in the cpu profile, so that these stand beside them: one thing is changed at a time.
FIGURE_9 = TrainingConfig(steps=12_000, batch=768, weight_decay=1 / 60)
BRIEF = TrainingConfig(steps=5_000, batch=600, weight_decay=0.04)
SMALL = ModelConfig(width=128, depth=2)


def parity() -> list[RunConfig]:
    """Joint runs, z and n > 8, on 10, 50 and 90 % of the rows; what costs more on 10 and 90 % alone."""
    equal = replace(FIGURE_9, weighting="equal")
    kinds = {
        "equal": (equal, SMALL, (10, 50, 90)),
        "inverse": (replace(FIGURE_9, weighting="inverse"), SMALL, (10, 50, 90)),
        "equal-decay-3": (replace(equal, weight_decay=3 * equal.weight_decay), SMALL, (10, 90)),
        "equal-long": (replace(equal, steps=36_000, weight_decay=equal.weight_decay / 3), SMALL, (10, 90)),
        "equal-batch-2048": (replace(equal, batch=2048), SMALL, (10, 90)),
        "equal-width-256": (equal, replace(SMALL, width=256), (10, 90)),
    }
    return [
        RunConfig(f"{name}-{percent}", seed, DataConfig(nuclides="heavy", fraction=percent / 100), model, training)
        for name, (training, model, percents) in kinds.items()
        for percent in percents
        for seed in range(SEEDS)
    ]


def norms() -> list[RunConfig]:
    """Runs of the binding energy with each norm and with none, at lower and higher learning rates of equal total decay, and
    as long as the run `binding`."""
    trainings = {
        f"rate-{rate:g}": replace(BRIEF, learning_rate=rate, weight_decay=BRIEF.weight_decay * 1e-2 / rate)
        for rate in (1e-3, 3e-3, 3e-2)
    }
    trainings["long"] = TrainingConfig(steps=15_000, batch=600, weight_decay=0.0133)
    return [
        RunConfig(f"{norm}-{name}", seed, DataConfig(("binding",)), replace(SMALL, norm=norm), training)
        for norm in ("none", "layer", "rms")
        for name, training in trainings.items()
        for seed in range(SEEDS)
    ]


STUDIES: dict[str, Callable[[], list[RunConfig]]] = {"parity": parity, "norms": norms}
