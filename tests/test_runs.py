"""The runs of a profile are those which the claims name, each with the settings that it is said to have."""

from dataclasses import replace

import pytest

from nuclr import runs, trials
from nuclr.config import CONTROL, OBSERVABLES, AdditionConfig, DataConfig, ModelConfig
from nuclr.data import table
from nuclr.errors import NuclrError
from nuclr.recipe import EMBEDDINGS, MULTI_TASK, STRUCTURE
from nuclr.studies import FIRST_SEED, TRIALS
from nuclr.train.examples import examples

PROFILES = pytest.mark.parametrize("profile", runs.PROFILES)
STUDIES = pytest.mark.parametrize("study", runs.STUDIES)


def names(profile):
    return list(dict.fromkeys(run.name for run in runs.planned(profile)))


@PROFILES
def test_every_profile_has_the_same_runs_each_with_three_seeds_or_more(profile):
    assert names(profile) == names("cpu")
    for name in names(profile):
        seeds = [run.seed for run in runs.named(profile, name)]
        first = runs.PROFILES[profile].first_seed
        assert seeds == list(range(first, first + len(seeds)))
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


def test_wide_runs_are_those_of_the_paper_in_fewer_steps_that_keep_ratio_and_decay():
    for run in runs.planned("wide"):
        published, training = runs.named("paper", run.name)[0], run.training
        assert run.data == published.data
        assert (run.model.width, run.model.depth) == (published.model.width, published.model.depth)
        if run.name in (*runs.ADDITIONS, "binding-without-decay"):
            continue
        recipe = MULTI_TASK if run.name.startswith("half-") else STRUCTURE if run.name in runs.FRACTIONS else EMBEDDINGS
        assert training.learning_rate / training.weight_decay == pytest.approx(recipe.ratio)
        assert training.learning_rate * training.weight_decay * training.steps / 2 == pytest.approx(recipe.decay)
    longer = runs.named("wide-60000", "joint")[0].training
    assert longer.steps == 4 * runs.named("wide", "joint")[0].training.steps


def test_the_control_of_modular_addition_has_fewer_sums_and_nothing_else():
    many, few = (runs.named("cpu", name)[0] for name in ("modular-addition", "modular-addition-few"))
    assert few.data.fraction < many.data.fraction
    assert replace(few, name=many.name, data=many.data) == many


def test_the_published_budgets_are_those_of_appendix_b():
    fraction, half = runs.named("paper", "fraction-50")[0], runs.named("paper", "half-row")[0]
    assert (fraction.model.width, fraction.training.learning_rate, fraction.training.batch) == (1024, 3e-4, 0.2)
    assert (half.model.depth, half.training.steps * half.training.batch) == (4, 50_000)
    assert fraction.training.steps * fraction.training.batch == 200_000


def test_the_published_runs_of_figure_9_are_split_by_nucleus_and_keep_their_ratio_and_decay():
    for name in runs.FRACTIONS:
        run = runs.named("paper", name)[0]
        training = run.training
        assert (run.data.nuclides, run.data.split, run.data.observables) == ("heavy", "nucleus", OBSERVABLES)
        assert (training.schedule, training.weighting) == ("constant", "inverse")
        assert training.learning_rate / training.weight_decay == pytest.approx(STRUCTURE.ratio)
        assert training.learning_rate * training.weight_decay * training.steps == pytest.approx(STRUCTURE.decay)
        assert runs.named("cpu", name)[0].data == replace(run.data, split="row")


@STUDIES
def test_a_study_has_at_least_three_seeds_of_every_run_and_repeats_none(study):
    planned = runs.planned(study)
    assert len({(run.data, run.model, run.training, run.seed) for run in planned}) == len(planned)
    for name in names(study):
        seeds = [run.seed for run in runs.named(study, name)]
        first = FIRST_SEED if study == "recipe" else 0
        assert seeds in (list(range(first, first + 3)), list(range(first, first + 5)))


def test_the_study_of_parity_changes_the_runs_of_figure_9_in_one_thing():
    of_figure_9 = runs.named("cpu", "fraction-90")[0]
    for run in runs.planned("parity"):
        changed = [key for key in vars(run.training) if vars(run.training)[key] != vars(of_figure_9.training)[key]]
        changed += [key for key in vars(run.model) if vars(run.model)[key] != vars(of_figure_9.model)[key]]
        assert set(changed) - {"weighting"} in (
            {"batch"},
            {"width"},
            {"weight_decay"},
            {"steps", "weight_decay"},
            set(),
        )
        assert run.data.nuclides == of_figure_9.data.nuclides


@STUDIES
def test_a_study_keeps_the_total_decay_of_the_profile_but_where_its_name_says_otherwise(study):
    if study == "recipe":
        return  # each of its kinds keeps the published numbers, which the next test holds
    for run in runs.planned(study):
        total = run.training.learning_rate * run.training.weight_decay * run.training.steps / 2
        named = 3.0 if "decay-3" in run.name else 0.0 if "without-decay" in run.name else 1.0
        assert total == pytest.approx(named, rel=0.01)


def test_the_study_of_the_recipe_keeps_both_numbers_of_each_kind_and_changes_one_thing_in_the_middle_size():
    for kind, trial in TRIALS.items():
        size = trial.sizes[0]
        middle = runs.named("recipe", f"{kind}-{size}")[0]
        assert (middle.model.width, middle.training.steps, middle.training.batch) == (size.width, size.steps, size.rows)
        for name in ("decayed-biases", "constant-rate"):
            other = runs.named("recipe", f"{kind}-{name}")[0]
            assert (other.data, other.model.width, other.training.steps) == (
                middle.data,
                middle.model.width,
                middle.training.steps,
            )
    for run in runs.planned("recipe"):
        training = run.training
        recipe = next(trial.recipe for kind, trial in reversed(TRIALS.items()) if run.name.startswith(f"{kind}-"))
        average = 0.5 if training.schedule == "cosine" else 1.0
        assert training.learning_rate / training.weight_decay == pytest.approx(recipe.ratio)
        assert training.learning_rate * training.weight_decay * average * training.steps == pytest.approx(recipe.decay)


def test_the_study_of_new_nuclides_trains_on_none_of_them():
    everything = table.load()
    new = everything[everything.new_vs_ame2016 == 1]
    for run in runs.planned("new-nuclides"):
        trained = examples(run)
        assert not set(zip(trained.z, trained.n, strict=True)) & set(zip(new.z, new.n, strict=True))
        assert trained.measured.all()


def test_a_trial_keeps_everything_but_the_steps():
    assert runs.scaled("paper", 0.001) == "paper-x0.001"
    for whole, cut in zip(runs.planned("paper"), runs.planned("paper-x0.001"), strict=True):
        if isinstance(whole.data, AdditionConfig):
            assert cut == whole  # seconds, whatever the profile
            continue
        assert (cut.name, cut.seed, cut.data, cut.model) == (whole.name, whole.seed, whole.data, whole.model)
        assert cut.training == replace(whole.training, steps=whole.training.steps // 1000)
        assert cut != whole
    warm = runs.named("cpu-x0.01", "joint")[0].training
    assert (warm.steps, warm.warmup) == (150, 2)


@PROFILES
def test_the_smallest_trial_still_has_different_runs_each_of_a_step(profile):
    on_nuclei = [run for run in runs.planned(profile) if isinstance(run.data, DataConfig)]
    shortest = min(run.training.steps for run in on_nuclei)
    planned = runs.planned(runs.scaled(profile, 1 / shortest)) if profile != "smoke" else runs.planned("smoke-x0.02")
    assert len({(run.data, run.model, run.training, run.seed) for run in planned}) == len(planned)
    assert min(run.training.steps for run in planned) == 1


def test_a_trial_is_known_by_its_name_and_a_profile_is_none():
    assert runs.scaled("paper", 1) == "paper"
    assert trials.scale_of("paper") == ("paper", 1.0)
    assert trials.scale_of(runs.scaled("paper", 1e-5)) == ("paper", 1e-5)
    assert trials.trial("paper") == ""
    assert "paper with 0.1 % of their steps. It says nothing about the paper" in trials.trial("paper-x0.001")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("paper-x0", "is 0: it must lie between 0 and 1, as in paper-x0.001"),
        ("paper-x2", "is 2: it must lie between 0 and 1"),
        ("paper-x-0.1", "is -0.1: it must lie between 0 and 1"),
        ("paper-x1e-3", "is called paper-x0.001: use that name"),
        ("paper-x1e-06", "leaves the run half-row .100000 steps. not one step: take 1.1e-05 or more"),
        ("paper-x0.1.2", "'0.1.2' in the profile 'paper-x0.1.2' is no number: write it as paper-x0.001"),
        ("papr-x0.1", "no profile 'papr': did you mean 'paper'"),
    ],
)
def test_a_scale_that_makes_no_sense_is_refused(name, sentence):
    with pytest.raises(NuclrError, match=sentence):
        runs.planned(name)
