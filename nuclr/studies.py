"""Questions beside the claims, each as runs of its own that are trained like those of a profile and judged by nobody.

`python -m nuclr train --profile parity` trains them, `python -m studies.parity` tells what came; docs/parity.md has the answer.

parity  on what the parity split R_P depends (figure 9): weighting, budget, total decay, batch and width
norms   whether a norm does as well as none at another learning rate, or in a longer training (Appendix B)
new-nuclides
        how well networks that know the masses of 2016 predict those measured since, beside the published mass models
width-32 ... width-512, steps-3750 ... steps-30000, slower-7500 ... slower-60000
        how far the profile cpu can be trusted: its runs `binding` and `joint` at other widths, and in a shorter or longer training
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig

SEEDS = 3
MORE_SEEDS = 5  # where runs are cheap and what is read off them scatters
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


def new_nuclides() -> list[RunConfig]:
    """Runs of the binding energy on the nuclides that AME2016 had measured, trained as those of the profile cpu."""
    known = DataConfig(("binding",), nuclides="known-2016")
    training = TrainingConfig(steps=15_000, weight_decay=0.0133)
    kinds = {
        "binding": (known, training),
        "binding-without-decay": (known, replace(training, weight_decay=0.0)),
        "binding-on-all": (replace(known, fraction=1.0), training),
    }
    return [
        RunConfig(name, seed, data, SMALL, trained)
        for name, (data, trained) in kinds.items()
        for seed in range(MORE_SEEDS)
    ]


WIDTHS = (32, 64, 256, 512)  # beside the 128 of the profile cpu
STEPS = (3_750, 7_500, 30_000)  # beside the 15,000 of the profile cpu
SLOWER = (7_500, 30_000, 60_000)


def scaling(width: int = 128, steps: int = 15_000, slower: bool = False) -> list[RunConfig]:
    """The runs `binding` and `joint` of the profile cpu at another width or number of steps; the rows of a step stay as many, and
    the total decay stays 1: the weight decay goes in inverse proportion to the steps, or (slower) the learning rate does.

    The published runs have a hundredth of the rate, 67 times the steps, and three quarters of the weight decay.
    """
    model, less = replace(SMALL, width=width), 15_000 / steps
    training = TrainingConfig(steps=steps, weight_decay=0.0133 * (1 if slower else less))
    if slower:
        training = replace(training, learning_rate=training.learning_rate * less)
    return [
        *(RunConfig("binding", seed, DataConfig(("binding",)), model, training) for seed in range(SEEDS)),
        *(RunConfig("joint", seed, DataConfig(), model, replace(training, batch=2048)) for seed in range(SEEDS)),
    ]


STUDIES: dict[str, Callable[[], list[RunConfig]]] = {
    "parity": parity,
    "norms": norms,
    "new-nuclides": new_nuclides,
    **{f"width-{width}": partial(scaling, width=width) for width in WIDTHS},
    **{f"steps-{steps}": partial(scaling, steps=steps) for steps in STEPS},
    **{f"slower-{steps}": partial(scaling, steps=steps, slower=True) for steps in SLOWER},
}
