"""The runs that the claims are judged on, as named data, once for each profile.

smoke   the whole path in seconds: shows that everything runs, says nothing about the paper
cpu     small networks (width 128) through muP; minutes on two cores
paper   the published sizes (Appendix B); needs a GPU

A tenth of the rows is held out everywhere, so that every run can show how far it generalises.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.errors import unknown

JOINT = DataConfig()
JOINT_WITHOUT_NUMBERS = DataConfig(observables=("binding", "radius", "qa", "qbm", "qbm_n", "qec", "sn", "sp"))
BINDING = DataConfig(observables=("binding",))
NEUTRON_SEPARATION = DataConfig(observables=("sn",))


@dataclass(frozen=True)
class Profile:
    """Sizes of a profile: the network, the budgets, and how many seeds each run gets.

    Single-observable runs are cheap, so they get more seeds: a Student t interval over five seeds is half as wide as over three.
    """

    model: ModelConfig
    single: TrainingConfig
    joint: TrainingConfig
    seeds_single: int
    seeds_joint: int


PROFILES = {
    "smoke": Profile(
        model=ModelConfig(width=16, depth=2),
        single=TrainingConfig(steps=300, warmup=20),
        joint=TrainingConfig(steps=300, warmup=20, batch=512),
        seeds_single=3,
        seeds_joint=3,
    ),
    "cpu": Profile(
        model=ModelConfig(width=128, depth=2),
        # 15,000 steps under the cosine at this weight decay add up to a total decay (sum of learning rate times weight
        # decay) of 1, as in the published runs: what is left of the initial noise in the embeddings depends on it. Half
        # the batch of the joint runs costs their structure (order of Z 0.82 instead of 0.98), see docs/training.md.
        single=TrainingConfig(steps=15_000, weight_decay=0.0133),
        joint=TrainingConfig(steps=15_000, weight_decay=0.0133, batch=2048),
        seeds_single=5,
        seeds_joint=3,
    ),
    "paper": Profile(
        model=ModelConfig(width=2048, depth=2),
        # 200,000 epochs of five batches each.
        single=TrainingConfig(learning_rate=1e-4, steps=1_000_000, warmup=0, schedule="constant"),
        joint=TrainingConfig(learning_rate=1e-4, steps=1_000_000, warmup=0, schedule="constant"),
        seeds_single=3,
        seeds_joint=3,
    ),
}


def planned(profile: str) -> list[RunConfig]:
    """Every run of a profile, longest first. Raises NuclrError for an unknown profile."""
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    sizes = PROFILES[profile]
    without_decay = replace(sizes.single, weight_decay=0.0)
    kinds = [
        ("joint", JOINT, sizes.joint, sizes.seeds_joint),
        ("joint-without-numbers", JOINT_WITHOUT_NUMBERS, sizes.joint, sizes.seeds_joint),
        ("binding", BINDING, sizes.single, sizes.seeds_single),
        ("binding-without-decay", BINDING, without_decay, sizes.seeds_single),
        ("neutron-separation", NEUTRON_SEPARATION, sizes.single, 3),
    ]
    return [
        RunConfig(name, seed, data, sizes.model, training)
        for name, data, training, seeds in kinds
        for seed in range(seeds)
    ]


def named(profile: str, name: str) -> list[RunConfig]:
    """The runs of one name, one a seed. Raises NuclrError for an unknown profile or name."""
    found = [run for run in planned(profile) if run.name == name]
    if not found:
        raise unknown("run", name, {run.name for run in planned(profile)})
    return found
