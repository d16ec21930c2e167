"""Configurations: what is wrong is named, and the round trip through JSON is exact."""

import json
import re
from dataclasses import replace
from typing import get_args, get_type_hints

import pytest

from nuclr import runs
from nuclr.config import (
    CONTROL,
    OBSERVABLES,
    AdditionConfig,
    DataConfig,
    ModelConfig,
    RunConfig,
    TrainingConfig,
    fingerprint,
    from_dict,
    to_dict,
)
from nuclr.data import observables
from nuclr.errors import NuclrError


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: DataConfig(observables=("bindng",)), "no observable 'bindng': did you mean 'binding'"),
        (lambda: DataConfig(observables=()), "name at least one"),
        (lambda: DataConfig(observables=("z", "z")), "twice"),
        (lambda: DataConfig(split="rows"), "no split 'rows': did you mean 'row'"),
        (lambda: DataConfig(fraction=0.0), "fraction is 0.0"),
        (lambda: DataConfig(split_over=("z", "z")), "split_over names one twice"),
        (lambda: DataConfig(("sn",), split_over=("sp",)), "split_over lacks sn"),
        (lambda: DataConfig(("sn",), targets="semf"), 'targets is "semf", which has binding energies alone'),
        (lambda: DataConfig(("binding",), targets="semff"), "did you mean 'semf'"),
        (lambda: ModelConfig(width=1), "width is 1"),
        (lambda: ModelConfig(norm="layers"), "no norm 'layers': did you mean 'layer'"),
        (lambda: ModelConfig(attention="learnt"), "did you mean 'learned'"),
        (lambda: ModelConfig(width=30, attention="transformer"), "it must be a multiple of 4, the number of heads"),
        (lambda: ModelConfig(norm="rms", attention="transformer"), "which has no norm and no other activations"),
        (lambda: ModelConfig(block_activation="gelu", attention="transformer"), "which has no norm and no other activ"),
        (lambda: ModelConfig(block_activation="rely"), "no block_activation 'rely': did you mean 'relu'"),
        (lambda: ModelConfig(depth=0), "depth is 0"),
        (lambda: TrainingConfig(learning_rate=0), "learning_rate is 0"),
        (lambda: TrainingConfig(weight_decay=-1), "weight_decay is -1"),
        (lambda: TrainingConfig(steps=100, warmup=100), "warmup is 100"),
        (lambda: TrainingConfig(batch=2.5), "batch is 2.5"),
        (lambda: TrainingConfig(weighting="chi"), "did you mean 'chi2'"),
        (lambda: TrainingConfig(precision="tf23"), "did you mean 'tf32'"),
        (lambda: RunConfig("some", seed=-1), "seed is -1"),
        (lambda: AdditionConfig(modulus=52), "modulus is 52: it must be odd"),
        (lambda: AdditionConfig(fraction=1.0), "fraction is 1.0: it must lie between 0 and 1"),
        (
            lambda: RunConfig("some", data=AdditionConfig(), model=ModelConfig(norm="rms")),
            "The network of modular addition has no options but width and depth",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence(build, message):
    with pytest.raises(NuclrError, match=re.escape(message)):
        build()


@pytest.mark.parametrize("profile", runs.PROFILES)
def test_every_planned_run_survives_json(profile):
    for config in runs.planned(profile):
        assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


@pytest.mark.parametrize("attention", get_args(get_type_hints(ModelConfig)["attention"]))
def test_every_kind_of_attention_survives_json(attention):
    config = RunConfig("some", model=ModelConfig(attention=attention, biases="free"))
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


def test_a_dict_with_other_keys_is_refused():
    values = to_dict(RunConfig("some"))
    with pytest.raises(NuclrError, match="did you mean 'steps'"):
        from_dict(values | {"training": values["training"] | {"step": 1}})
    with pytest.raises(NuclrError, match=r"run\.model lacks depth"):
        from_dict(values | {"model": {"width": 8}})


def test_every_setting_changes_the_fingerprint_and_the_name_does_not():
    base = RunConfig("some")
    changed = [
        replace(base, seed=1),
        replace(base, data=DataConfig(fraction=0.5)),
        replace(base, data=DataConfig(split_over=OBSERVABLES)),
        replace(base, data=AdditionConfig()),
        replace(base, data=AdditionConfig(modulus=59)),
        replace(base, model=ModelConfig(width=64)),
        replace(base, model=ModelConfig(norm="rms")),
        replace(base, model=ModelConfig(attention="learned")),
        replace(base, model=ModelConfig(attention="transformer")),
        replace(base, training=TrainingConfig(steps=14_000)),
    ]
    prints = {fingerprint(config, "data", "code") for config in [base, *changed]}
    prints |= {fingerprint(base, "other data", "code"), fingerprint(base, "data", "other code")}
    assert len(prints) == 3 + len(changed)
    assert fingerprint(replace(base, name="other"), "data", "code") in prints


def test_the_observables_are_those_of_the_data():
    assert tuple(observables.OBSERVABLES) == OBSERVABLES
    assert tuple(observables.TARGETS) == (*OBSERVABLES, CONTROL)


def test_unknown_profiles_and_runs_are_named_with_the_nearest():
    with pytest.raises(NuclrError, match="no profile 'cpus': did you mean 'cpu'"):
        runs.planned("cpus")
    with pytest.raises(NuclrError, match="no run 'bindin': did you mean 'binding'"):
        runs.named("cpu", "bindin")
