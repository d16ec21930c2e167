"""What is trained, what is reused, what makes a run stale, and which runs train together."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.train import fleetsize, plan
from nuclr.train.fleetsize import Pace
from nuclr.train.loop import shape
from nuclr.train.plan import Planned
from nuclr.train.progress import Display
from nuclr.train.store import Store


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NUCLR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def best(monkeypatch):
    """best(size): fleets of this size are the fastest, by far, and a run-step takes a millisecond in them."""

    def choose(size):
        seconds = {1: 2e-3, size: 1e-3} if size > 1 else {1: 1e-3}
        monkeypatch.setattr(fleetsize, "pace", lambda *_: Pace(seconds))

    return choose


def missing(configs):
    return [Planned(config, f"{number:016x}", None, "missing") for number, config in enumerate(configs)]


def sizes(jobs):
    return [len(job.configs) for job in jobs]


def small(monkeypatch):
    training = TrainingConfig(steps=20, warmup=2, batch=64)
    runs = [
        RunConfig(name, seed, DataConfig((observable,)), ModelConfig(width=8), training)
        for name, observable in (("binding", "binding"), ("neutron-separation", "sn"))
        for seed in range(2)
    ]
    monkeypatch.setattr(plan, "planned", lambda *_: runs)


def test_missing_runs_are_trained_once_and_then_reused(monkeypatch, tmp_path):
    small(monkeypatch)
    texts = []
    for _ in range(2):
        text = io.StringIO()
        before = plan.train_missing("smoke", tmp_path, "cpu", 2, Display(Console(file=text, width=200)))
        texts.append((sum(run.stored is not None for run in before), len(before), text.getvalue()))
    (none, count, first), (every, _, second) = texts
    assert none == 0
    assert every == count
    assert "missing: " in first
    assert "binding (2), " in first
    assert f"{count} runs: {count} reused, 0 to train" in second


def test_every_missing_run_is_in_one_fleet_of_its_shape_and_the_costliest_comes_first(tmp_path, best):
    best(3)
    absent = plan.survey("cpu", Store(tmp_path))
    jobs = plan.fleets(absent, "cpu", tmp_path, "cpu", workers=2)
    assert sorted(f for job in jobs for f in job.fingerprints) == sorted(run.fingerprint for run in absent)
    for job in jobs:
        assert len({shape(config) for config in job.configs}) == 1
        assert len(job.configs) <= 3
        rows = [plan.batch_rows(config, plan.examples(config)) for config in job.configs]
        assert min(rows) >= (1 - plan.PADDING) * max(rows)
    milliseconds = {1: 2.0, 2: 3.0, 3: 3.0}
    seconds = [milliseconds[len(job.configs)] * job.configs[0].training.steps for job in jobs]
    assert seconds == sorted(seconds, reverse=True)


def test_runs_of_several_names_share_a_fleet(tiny, tmp_path, best):
    best(8)
    configs = [tiny(name=name, weight_decay=decay) for name, decay in (("a", 0.1), ("b", 0.0))]
    assert sizes(plan.fleets(missing(configs), "smoke", tmp_path, "cpu")) == [2]


def test_much_padding_keeps_runs_apart(tiny, tmp_path, best):
    best(8)
    configs = [tiny(batch=rows) for rows in (100, 80, 75, 74, 60, 20)]
    jobs = plan.fleets(missing(configs), "smoke", tmp_path, "cpu")
    assert sorted([config.training.batch for config in job.configs] for job in jobs) == [[20], [74, 60], [100, 80, 75]]


def test_fleets_are_no_larger_than_is_fastest_and_of_even_size(tiny, tmp_path, best):
    best(3)
    configs = [tiny(seed=s) for s in range(7)]
    assert sorted(sizes(plan.fleets(missing(configs), "smoke", tmp_path, "cpu"))) == [2, 2, 3]
    best(1)
    assert sizes(plan.fleets(missing(configs), "smoke", tmp_path, "cpu")) == [1] * 7


@pytest.mark.parametrize(("workers", "expected"), [(1, [6]), (2, [3, 3]), (3, [2, 2, 2]), (6, [1] * 6), (9, [1] * 6)])
def test_workers_end_at_about_the_same_time(tiny, tmp_path, monkeypatch, workers, expected):
    monkeypatch.setattr(plan, "START", 0.0)
    monkeypatch.setattr(fleetsize, "pace", lambda *_: Pace({size: 1.02 ** (6 - size) for size in (1, 6)}))
    configs = [tiny(seed=s) for s in range(6)]
    assert sizes(plan.fleets(missing(configs), "smoke", tmp_path, "cpu", workers)) == expected


def test_short_fleets_are_not_split_for_the_sake_of_evenness(tiny, tmp_path, best):
    best(3)
    configs = [tiny(seed=s) for s in range(3)]  # 0.36 s together, which is less than a start
    assert sizes(plan.fleets(missing(configs), "smoke", tmp_path, "cpu", workers=3)) == [3]


def test_a_measurement_is_announced_once_for_all_kinds(tiny, tmp_path):
    notes = []
    configs = [tiny(batch=8), tiny(steps=130, batch=8)]
    plan.fleets(missing(configs), "smoke", tmp_path, "cpu", 1, notes.append)
    assert notes == ["measuring how many runs train fastest together, once for this machine"]


def test_the_fingerprint_follows_config_and_arithmetic_and_not_the_name(tiny, monkeypatch):
    plain = plan.fingerprint_of(tiny())
    assert plan.fingerprint_of(tiny(name="other")) == plain
    assert plan.fingerprint_of(tiny(weight_decay=0.02)) != plain
    assert plan.fingerprint_of(tiny(seed=1)) != plain
    assert plan.fingerprint_of(tiny(precision="bf16-matmul")) != plain
    assert plan.fingerprint_of(replace(tiny(), data=DataConfig(observables=("sn", "radius")))) != plain
    monkeypatch.setattr(plan, "ARITHMETIC", plan.ARITHMETIC + 1)
    plan.fingerprint_of.cache_clear()
    assert plan.fingerprint_of(tiny()) != plain
    plan.fingerprint_of.cache_clear()
