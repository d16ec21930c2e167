"""Questions beside the claims, each as runs of its own that are trained like those of a profile and judged by nobody.

`python -m nuclr train --profile parity` trains them, `python -m studies.parity` tells what came; docs/parity.md has the answer.

recipe  which width, steps and rows a step the recipe of the published runs needs (nuclr/recipe.py), by validation error and time
parity  on what the parity split R_P depends (figure 9): weighting, budget, total decay, batch and width
norms   whether a norm does as well as none at another learning rate, or in a longer training (Appendix B)
new-nuclides
        how well networks that know the masses of 2016 predict those measured since, beside the published mass models
width-32 ... width-512, steps-3750 ... steps-30000, slower-7500 ... slower-60000
        how far the profile cpu can be trusted: its runs `binding` and `joint` at other widths, and in a shorter or longer training
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from nuclr.config import OBSERVABLES, DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.recipe import EMBEDDINGS, MULTI_TASK, STRUCTURE, Recipe

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


@dataclass(frozen=True)
class Size:
    """What the recipe leaves open: width of the network, steps, and rows in a step."""

    width: int
    steps: int
    rows: float | int

    def __str__(self) -> str:
        return f"w{self.width}-t{self.steps}-b{self.rows}"


@dataclass(frozen=True)
class Trial:
    """A kind of run to choose a size for: its data and recipe, and the sizes that are tried, the first of which is the middle."""

    data: DataConfig
    recipe: Recipe
    sizes: tuple[Size, ...]
    depth: int = 2


def _around(width: int, steps: int, rows: int, widths: str, lengths: str, batches: str) -> tuple[Size, ...]:
    """A middle size, then those that differ from it in one number."""
    middle = Size(width, steps, rows)
    return (
        middle,
        *(replace(middle, width=int(other)) for other in widths.split()),
        *(replace(middle, steps=int(other)) for other in lengths.split()),
        *(replace(middle, rows=int(other)) for other in batches.split()),
    )


_HALF = DataConfig(split="clean", fraction=0.5, split_over=OBSERVABLES)
_HEAVY = DataConfig(nuclides="heavy", split="nucleus")
_JOINT = (
    *_around(64, 60_000, 768, "32 128 256", "15000 30000 120000", "128 384 2048"),
    *(Size(32, 120_000, 768), Size(128, 30_000, 768), Size(128, 30_000, 2048), Size(128, 60_000, 384)),
)
_SINGLE = _around(64, 60_000, 300, "32 128 256", "15000 30000 120000", "128 600 1200")
_FRACTION = _around(64, 60_000, 768, "32 128", "15000 30000 120000", "384")
_HALVES = _around(64, 30_000, 768, "32 128", "7500 15000 60000", "256 2048")
TRIALS = {
    "joint": Trial(DataConfig(), EMBEDDINGS, _JOINT),
    "binding": Trial(DataConfig(("binding",)), EMBEDDINGS, _SINGLE),
    "binding-structure": Trial(DataConfig(("binding",)), STRUCTURE, _SINGLE[:6]),
    "neutron-separation": Trial(DataConfig(("sn",)), EMBEDDINGS, _SINGLE[:1] + _SINGLE[4:6]),
    "fraction-10": Trial(replace(_HEAVY, fraction=0.1), STRUCTURE, _FRACTION),
    "fraction-90": Trial(replace(_HEAVY, fraction=0.9), STRUCTURE, _FRACTION),
    "half-clean": Trial(_HALF, MULTI_TASK, _HALVES, depth=4),
    "half-clean-binding": Trial(replace(_HALF, observables=("binding",)), MULTI_TASK, _HALVES, depth=4),
}
FIRST_SEED = 100  # 0 to 29 had been looked at before, and from 1000 on they judge


def recipe() -> list[RunConfig]:
    """Runs of every kind at several sizes, and the middle size with one thing changed in how it is trained."""
    runs = []
    for kind, trial in TRIALS.items():
        middle = trial.sizes[0]
        free = ModelConfig(middle.width, trial.depth, biases="free")
        trained = {
            **{str(size): (replace(free, width=size.width), _sized(trial, size)) for size in trial.sizes},
            "decayed-biases": (replace(free, biases="decayed"), _sized(trial, middle)),
            "constant-rate": (free, _sized(trial, middle, schedule="constant")),
        }
        if kind in ("joint", "binding"):
            trained["fifth"] = free, _sized(trial, replace(middle, rows=0.2))
        runs += [
            RunConfig(f"{kind}-{name}", seed, trial.data, model, training)
            for name, (model, training) in trained.items()
            for seed in range(FIRST_SEED, FIRST_SEED + SEEDS)
        ]
    return runs


def _sized(trial: Trial, size: Size, **settings: Any) -> TrainingConfig:
    return trial.recipe.training(size.steps, size.rows, **settings)


STUDIES: dict[str, Callable[[], list[RunConfig]]] = {
    "recipe": recipe,
    "parity": parity,
    "norms": norms,
    "new-nuclides": new_nuclides,
    **{f"width-{width}": partial(scaling, width=width) for width in WIDTHS},
    **{f"steps-{steps}": partial(scaling, steps=steps) for steps in STEPS},
    **{f"slower-{steps}": partial(scaling, steps=steps, slower=True) for steps in SLOWER},
}
