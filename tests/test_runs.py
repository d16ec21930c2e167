"""The runs of a profile are those which the claims name, each with the settings that it is said to have."""

from dataclasses import replace

import pytest

from nuclr import runs
from nuclr.config import CONTROL, OBSERVABLES, ModelConfig
from nuclr.errors import NuclrError

PROFILES = pytest.mark.parametrize("profile", runs.PROFILES)


def names(profile):
    return list(dict.fromkeys(run.name for run in runs.planned(profile)))


@PROFILES
def test_every_profile_has_the_same_runs_each_with_three_seeds_or_more(profile):
    assert names(profile) == names("cpu")
    for name in names(profile):
        seeds = [run.seed for run in runs.named(profile, name)]
        assert seeds == list(range(len(seeds)))
        assert len(seeds) >= 3


@PROFILES
def test_no_two_runs_have_the_same_settings(profile):
    planned = runs.planned(profile)
    assert len({(run.data, run.model, run.training, run.seed) for run in planned}) == len(planned)


def test_a_selection_of_names_is_planned_and_an_unknown_one_is_refused():
    chosen = runs.planned("cpu", ["joint", "fraction-30"])
    assert [run.name for run in chosen] == ["joint"] * 5 + ["fraction-30"] * 3
    assert runs.planned("cpu", []) == []
    with pytest.raises(NuclrError, match="no run 'fraction-33': did you mean 'fraction-30'"):
        runs.planned("cpu", ["joint", "fraction-33"])


def test_the_singles_cover_every_observable():
    assert tuple(runs.SINGLES.values()) == (*OBSERVABLES, CONTROL)
    for name, observable in runs.SINGLES.items():
        if observable != CONTROL:
            assert {run.data.observables for run in runs.named("cpu", name)} == {(observable,)}


def test_joint_and_single_runs_of_figure_12_are_split_alike():
    for split in runs.HALF_SPLITS:
        for joint, singles in (
            (f"half-{split}", [name for name, of in runs.SINGLES.items() if of != CONTROL]),
            (f"half-{split}-with-control", ["random-control"]),
        ):
            over = runs.named("cpu", joint)[0].data
            assert (over.split, over.fraction, over.split_over) == (split, 0.5, over.observables)
            for name in singles:
                data = runs.named("cpu", f"half-{split}-{name}")[0].data
                assert data.observables == (runs.SINGLES[name],)
                assert (data.split, data.fraction, data.split_over) == (split, 0.5, over.observables)


def test_a_variant_of_binding_changes_one_thing():
    binding, brief = runs.named("cpu", "binding")[0], runs.named("cpu", "binding-brief")[0]
    assert (brief.data, brief.model) == (binding.data, binding.model)
    for name, changes in {
        "binding-layer-norm": {"norm": "layer"},
        "binding-rms-norm": {"norm": "rms"},
        "binding-batch-norm": {"norm": "batch"},
        "binding-learned-attention": {"attention": "learned"},
    }.items():
        variant = runs.named("cpu", name)[0]
        assert variant.model == ModelConfig(width=binding.model.width, depth=binding.model.depth, **changes)
        assert (variant.data, variant.training) == (brief.data, brief.training)
    theory = runs.named("cpu", "binding-semf")[0]
    assert theory.data.targets == "semf"
    assert (theory.model, theory.training) == (binding.model, binding.training)


def test_the_total_decay_of_the_cpu_profile_is_one():
    for run in runs.planned("cpu"):
        training = run.training
        if run.name in runs.ADDITIONS:
            continue  # the paper does not say how its primer was trained
        assert training.schedule == "cosine"
        total = training.weight_decay * training.learning_rate * training.steps / 2
        assert total == pytest.approx(0.0 if run.name == "binding-without-decay" else 1.0, rel=0.01)


def test_the_control_of_modular_addition_has_fewer_sums_and_nothing_else():
    many, few = (runs.named("cpu", name)[0] for name in ("modular-addition", "modular-addition-few"))
    assert few.data.fraction < many.data.fraction
    assert replace(few, name=many.name, data=many.data) == many


def test_the_published_budgets_are_those_of_appendix_b():
    fraction, half = runs.named("paper", "fraction-50")[0], runs.named("paper", "half-row")[0]
    assert (fraction.model.width, fraction.training.learning_rate, fraction.training.batch) == (1024, 3e-4, 0.2)
    assert (half.model.depth, half.training.steps * half.training.batch) == (4, 50_000)
    assert fraction.training.steps * fraction.training.batch == 100_000
