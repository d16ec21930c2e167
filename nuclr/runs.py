"""The runs that the claims are judged on, as named data, once for each profile.

smoke   the whole path in a minute: shows that everything runs, says nothing about the paper
cpu     small networks (width 128) through muP; minutes on two cores
wide    the published widths in a short training that keeps the published recipe (nuclr.recipe); minutes on a GPU.
        "wide-30000" and "wide-60000" are as many steps long instead of 15,000
paper   the published sizes (Appendix B); about a day on a GPU

"paper-x0.001" is the profile paper with its steps cut to a thousandth and all else as it is: a trial of the path, never a result.

A tenth of the rows is held out wherever nothing else is said, so that every run can show how far it generalises.
Which claim uses which run, and how many rows each sees, is the table in docs/training.md.
"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from nuclr.config import CONTROL, OBSERVABLES, AdditionConfig, DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.errors import NuclrError, unknown
from nuclr.recipe import EMBEDDINGS, MULTI_TASK, STRUCTURE
from nuclr.studies import STUDIES
from nuclr.trials import scale_of

# Runs of a single observable, by name.
SINGLES = {
    "binding": "binding",
    "charge-radius": "radius",
    "alpha-decay": "qa",
    "beta-minus-decay": "qbm",
    "beta-delayed-neutron": "qbm_n",
    "electron-capture": "qec",
    "neutron-separation": "sn",
    "proton-separation": "sp",
    "proton-number": "z",
    "neutron-number": "n",
    "random-control": CONTROL,
}
# Figure 9, joint runs on z, n > 8: "fraction-10" trains on 10 % of the rows (or nuclei), ..., "fraction-90" on 90 %. For the evolution
# of structure (figures 10 and 16) the checkpoints of the first are those of a memorising run, of the last of a generalising one.
FRACTIONS = {f"fraction-{percent}": percent / 100 for percent in range(10, 100, 10)}
MEMORISING, GENERALISING = "fraction-10", "fraction-90"
# Figure 12, half of the data held out by either split: "half-clean" is joint, "half-clean-binding" a single beside it.
HALF_SPLITS: tuple[Literal["row", "clean"], ...] = ("row", "clean")
# Section 2: modular addition, and the control that memorises because its sums are too few to tell the rule.
ADDITIONS = {"modular-addition": AdditionConfig(53, 0.5), "modular-addition-few": AdditionConfig(53, 0.2)}

ADDITION_SEEDS = (5, 10, 20)

WITH_CONTROL = (*OBSERVABLES, CONTROL)


@dataclass(frozen=True)
class Profile:
    """Sizes of a profile: the networks, the budgets, and how many seeds each run has at every look (nuclr.verdict.looks).

    single, joint: runs of one observable and of all. brief: those that compare norms and attention among themselves.
    fraction: those of figure 9, whose rows are held out as fraction_split says. half_single, half_joint: of figure 12.
    addition: of section 2.
    seeds: of the runs that most claims rest on. few: of those that come in many kinds (figures 9 and 12, norms, other singles).
    first_seed: those of a run are counted from here.
    """

    model: ModelConfig
    single: TrainingConfig
    joint: TrainingConfig
    brief: TrainingConfig
    seeds: tuple[int, ...]
    few: tuple[int, ...]
    fraction_model: ModelConfig
    fraction: TrainingConfig
    half_model: ModelConfig
    half_single: TrainingConfig
    half_joint: TrainingConfig
    addition_model: ModelConfig
    addition: TrainingConfig
    first_seed: int = 0
    fraction_split: Literal["row", "nucleus"] = "row"


def _brief(steps: int, batch: int) -> TrainingConfig:
    """A shorter cosine of the same total decay, 1. Fewer rows a step and not fewer steps: see docs/training.md."""
    training = TrainingConfig(steps=steps, batch=batch)
    return replace(training, weight_decay=1 / (training.learning_rate * steps / 2))


_SMOKE = TrainingConfig(steps=60, warmup=6, batch=128)
_SMALL = ModelConfig(width=128, depth=2)
# The paper names no size for its primer: a network of seconds on one core, in every profile that says something. All sums that
# train are in every step.
_ADDER = ModelConfig(width=64, depth=2)
_ADDITION = TrainingConfig(steps=3000, warmup=50, batch=1.0, weight_decay=1.0, weighting="equal", precision="float32")


def _wide(steps: int) -> Profile:
    """The published widths, and r and D as published, in so many steps. Rows a step are those that such a training can pay for."""
    model = ModelConfig(width=2048, depth=2, biases="free")
    single, half = EMBEDDINGS.training(steps, 0.2), MULTI_TASK.training(steps, 768)
    return Profile(
        model=model,
        single=single,
        joint=EMBEDDINGS.training(steps, 1024),
        brief=EMBEDDINGS.training(steps // 3, 0.2),
        seeds=(3,),
        few=(3,),
        fraction_model=replace(model, width=1024),
        fraction=STRUCTURE.training(steps, 768),
        half_model=replace(model, depth=4),
        half_single=half,
        half_joint=half,
        addition_model=_ADDER,
        addition=_ADDITION,
        fraction_split="nucleus",
        first_seed=1000,  # lower seeds were looked at when recipe and sizes were chosen
    )


PROFILES = {
    "smoke": Profile(
        model=ModelConfig(width=32, depth=2),
        single=TrainingConfig(steps=300, warmup=20),
        joint=TrainingConfig(steps=300, warmup=20, batch=512),
        brief=_SMOKE,
        seeds=(3,),
        few=(3,),
        fraction_model=ModelConfig(width=32, depth=2),
        fraction=_SMOKE,
        half_model=ModelConfig(width=32, depth=2),
        half_single=_SMOKE,
        half_joint=_SMOKE,
        addition_model=ModelConfig(width=32, depth=2),
        addition=replace(_ADDITION, steps=300, warmup=20),
    ),
    "cpu": Profile(
        model=_SMALL,
        # 15,000 steps under the cosine at this weight decay add up to a total decay (sum of learning rate times weight
        # decay) of 1, as in the published runs: what is left of the initial noise in the embeddings depends on it. Half
        # the batch of the joint runs costs their structure (order of Z 0.82 instead of 0.98), see docs/training.md.
        single=TrainingConfig(steps=15_000, weight_decay=0.0133),
        joint=TrainingConfig(steps=15_000, weight_decay=0.0133, batch=2048),
        # Batch norm and learned attention train five times slower here than the rest.
        brief=_brief(5_000, batch=600),
        seeds=(5,),
        few=(3,),
        fraction_model=_SMALL,
        # The same number of rows at every fraction, not the published 20 %: at this learning rate a small batch alone
        # costs order, which would pass for an effect of the fraction.
        fraction=_brief(12_000, batch=768),
        half_model=_SMALL,
        half_single=_brief(8_000, batch=256),
        half_joint=_brief(12_000, batch=768),
        addition_model=_ADDER,
        addition=_ADDITION,
    ),
    "wide": _wide(15_000),
    "wide-30000": _wide(30_000),
    "wide-60000": _wide(60_000),
    "paper": Profile(
        model=ModelConfig(width=2048, depth=2),
        # 200,000 epochs of five batches each.
        single=TrainingConfig(learning_rate=1e-4, steps=1_000_000, warmup=0, schedule="constant"),
        joint=TrainingConfig(learning_rate=1e-4, steps=1_000_000, warmup=0, schedule="constant"),
        brief=TrainingConfig(learning_rate=1e-4, steps=250_000, warmup=0, schedule="constant"),
        seeds=(3,),
        few=(3,),
        fraction_model=ModelConfig(width=1024, depth=2),
        # 200,000 epochs of five batches each; weighting and split are those of the published code.
        fraction=TrainingConfig(
            learning_rate=3e-4,
            weight_decay=0.01,
            steps=1_000_000,
            warmup=0,
            schedule="constant",
            weighting="inverse",
        ),
        fraction_split="nucleus",
        half_model=ModelConfig(width=2048, depth=4),
        # 50,000 epochs of two batches each.
        half_single=TrainingConfig(learning_rate=1e-4, steps=100_000, warmup=0, schedule="constant", batch=0.5),
        half_joint=TrainingConfig(learning_rate=1e-4, steps=100_000, warmup=0, schedule="constant", batch=0.5),
        addition_model=_ADDER,
        addition=_ADDITION,
    ),
}


def looks(profile: str) -> int:
    """How often a claim may be looked at in a profile: once in a study. Raises NuclrError for an unknown one."""
    whole, _ = scale_of(profile)
    if whole not in PROFILES and whole not in STUDIES:
        raise unknown("profile", whole, (*PROFILES, *STUDIES))
    return len(PROFILES[whole].seeds) if whole in PROFILES else 1


def matching(profile: str, patterns: Iterable[str]) -> list[str]:
    """Names of the runs of a profile that match any of these patterns ("fraction-*"), in the order of the profile.

    Raises NuclrError for a pattern that matches none.
    """
    known = list(dict.fromkeys(run.name for run in planned(profile)))
    wanted: set[str] = set()
    for pattern in patterns:
        found = fnmatch.filter(known, pattern)
        if not found:
            raise unknown("run", pattern, known)
        wanted.update(found)
    return [name for name in known if name in wanted]


def planned(profile: str, names: Iterable[str] | None = None, look: int = 1) -> list[RunConfig]:
    """Every run of a profile (or of a study, or of a trial of either), or those with the given names.

    look: with the seeds of this look and of those before; a profile without so many looks has those of its last.
    Raises NuclrError for an unknown one, and for a scale that `scaled` refuses.
    """
    whole, scale = scale_of(profile)
    if whole not in PROFILES and whole not in STUDIES:
        raise unknown("profile", whole, (*PROFILES, *STUDIES))
    runs = STUDIES[whole]() if whole in STUDIES else _all(PROFILES[whole], look)
    if scale != 1:
        runs = _cut(profile, runs, scale)
    if names is None:
        return runs
    wanted, known = set(names), {run.name for run in runs}
    for name in sorted(wanted - known):
        raise unknown("run", name, known)
    return [run for run in runs if run.name in wanted]


def scaled(profile: str, scale: float) -> str:
    """The name of a profile with its steps cut to this share: "paper-x0.001"; of a share of 1 the profile's own.

    Raises NuclrError where the share is none, or leaves a run without a step.
    """
    if scale == 1:
        return profile
    name = f"{profile}-x{scale:g}"
    planned(name)
    return name


def _cut(profile: str, runs: Iterable[RunConfig], scale: float) -> list[RunConfig]:
    """The runs with their steps and warm-up cut to a share, nothing else changed. Those of modular addition, which take
    seconds in every profile, stay whole."""
    whole, _ = scale_of(profile)
    if not 0 < scale < 1:
        raise NuclrError(
            f"The scale of the profile {profile} is {scale:g}: it must lie between 0 and 1, as in {whole}-x0.001."
        )
    if profile != f"{whole}-x{scale:g}":
        raise NuclrError(
            f"The profile {profile} is called {whole}-x{scale:g}: use that name, so that its runs have one place."
        )
    shortest = min((run for run in runs if isinstance(run.data, DataConfig)), key=lambda run: run.training.steps)
    # A step for the shortest also keeps runs apart that differ in their steps alone.
    if scale * shortest.training.steps < 1:
        raise NuclrError(
            f"A scale of {scale:g} leaves the run {shortest.name} ({shortest.training.steps} steps) not one step: "
            f"take {1.1 / shortest.training.steps:.2g} or more."
        )
    found = []
    for run in runs:
        if not isinstance(run.data, DataConfig):
            found.append(run)
            continue
        steps = round(scale * run.training.steps)
        warmup = min(math.ceil(scale * run.training.warmup), steps - 1)
        found.append(replace(run, training=replace(run.training, steps=steps, warmup=warmup)))
    return found


def named(profile: str, name: str) -> list[RunConfig]:
    """The runs of one name, one a seed. Raises NuclrError for an unknown profile or name."""
    return planned(profile, [name])


def _all(sizes: Profile, look: int) -> list[RunConfig]:
    return [
        RunConfig(name, seed, data, model, training)
        for kinds in (
            *(_joint(sizes), _single(sizes), _variants(sizes), _fractions(sizes), _halves(sizes)),
            _additions(sizes),
        )
        for name, data, model, training, seeds in kinds
        for seed in range(sizes.first_seed, sizes.first_seed + seeds[:look][-1])
    ]


Kind = tuple[
    str, DataConfig | AdditionConfig, ModelConfig, TrainingConfig, tuple[int, ...]
]  # name, three configs, seeds by look


def _joint(sizes: Profile) -> list[Kind]:
    without_numbers = DataConfig(observables=tuple(name for name in OBSERVABLES if name not in ("z", "n")))
    return [
        ("joint", DataConfig(), sizes.model, sizes.joint, sizes.seeds),
        ("joint-without-numbers", without_numbers, sizes.model, sizes.joint, sizes.seeds),
    ]


def _single(sizes: Profile) -> list[Kind]:
    return [
        (name, DataConfig((observable,)), sizes.model, sizes.single, sizes.seeds if name == "binding" else sizes.few)
        for name, observable in SINGLES.items()
        if observable != CONTROL
    ]


def _variants(sizes: Profile) -> list[Kind]:
    """The binding run with one thing changed; norms and attention beside a brief run of the plain network."""
    binding, seeds = DataConfig(("binding",)), sizes.seeds
    without_decay = replace(sizes.single, weight_decay=0.0)
    networks = {
        "brief": sizes.model,
        "layer-norm": replace(sizes.model, norm="layer"),
        "rms-norm": replace(sizes.model, norm="rms"),
        "batch-norm": replace(sizes.model, norm="batch"),
        "learned-attention": replace(sizes.model, attention="learned"),
    }
    return [
        ("binding-without-decay", binding, sizes.model, without_decay, seeds),
        ("binding-semf", replace(binding, targets="semf"), sizes.model, sizes.single, seeds),
        *((f"binding-{name}", binding, network, sizes.brief, sizes.few) for name, network in networks.items()),
    ]


def _fractions(sizes: Profile) -> list[Kind]:
    heavy = DataConfig(nuclides="heavy", split=sizes.fraction_split)
    return [
        (name, replace(heavy, fraction=fraction), sizes.fraction_model, sizes.fraction, sizes.few)
        for name, fraction in FRACTIONS.items()
    ]


def _halves(sizes: Profile) -> list[Kind]:
    kinds: list[Kind] = []
    for split in HALF_SPLITS:
        # Split together, so that the errors of joint and single runs are of the same rows.
        half = DataConfig(split=split, fraction=0.5, split_over=OBSERVABLES)
        controlled = replace(half, observables=WITH_CONTROL, split_over=WITH_CONTROL)
        kinds.append((f"half-{split}", half, sizes.half_model, sizes.half_joint, sizes.few))
        kinds.append((f"half-{split}-with-control", controlled, sizes.half_model, sizes.half_joint, sizes.few))
        for name, observable in SINGLES.items():
            beside = controlled if observable == CONTROL else half
            single = replace(beside, observables=(observable,))
            kinds.append((f"half-{split}-{name}", single, sizes.half_model, sizes.half_single, sizes.few))
    return kinds


def _additions(sizes: Profile) -> list[Kind]:
    seeds = ADDITION_SEEDS[: len(sizes.seeds)]
    return [(name, sums, sizes.addition_model, sizes.addition, seeds) for name, sums in ADDITIONS.items()]
