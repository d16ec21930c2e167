"""What is trained, what is reused, and what makes a run stale."""

import io

from rich.console import Console

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.train import plan
from nuclr.train.progress import Display
from nuclr.train.store import Store


def small(monkeypatch):
    training = TrainingConfig(steps=20, warmup=2, batch=64)
    runs = [
        RunConfig(name, seed, DataConfig((observable,)), ModelConfig(width=8), training)
        for name, observable in (("binding", "binding"), ("neutron-separation", "sn"))
        for seed in range(2)
    ]
    monkeypatch.setattr(plan, "planned", lambda _profile: runs)


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
    assert "train binding, seeds 0, 1 (missing)" in first
    assert f"{count} runs: {count} reused, 0 to train" in second


def test_fleets_hold_runs_that_differ_in_their_seed_alone(tmp_path):
    missing = plan.survey("cpu", Store(tmp_path))
    jobs = plan.fleets(missing, "cpu", tmp_path, "cpu")
    assert sum(len(job.configs) for job in jobs) == len(missing)
    for job in jobs:
        assert len({config.same_but_seed() for config in job.configs}) == 1
        assert len(job.configs) <= plan.LARGEST_FLEET
    assert [plan.cost(job) for job in jobs] == sorted((plan.cost(job) for job in jobs), reverse=True)


def test_on_a_gpu_all_seeds_train_as_one_fleet(tmp_path):
    missing = plan.survey("cpu", Store(tmp_path))
    assert len(plan.fleets(missing, "cpu", tmp_path, "cuda")) == len({run.config.name for run in missing})


def test_the_fingerprint_follows_config_and_code_and_not_the_name(tiny, monkeypatch):
    plain = plan.fingerprint_of(tiny())
    assert plan.fingerprint_of(tiny(name="other")) == plain
    assert plan.fingerprint_of(tiny(weight_decay=0.02)) != plain
    assert plan.fingerprint_of(tiny(seed=1)) != plain
    assert plan.fingerprint_of(tiny(precision="bf16-matmul")) != plain
    monkeypatch.setattr(plan, "code_digest", lambda: "another code")
    plan.fingerprint_of.cache_clear()
    assert plan.fingerprint_of(tiny()) != plain
    plan.fingerprint_of.cache_clear()


def test_the_code_digest_is_blind_to_comments_and_sees_code(tmp_path):
    def digest(source):
        path = tmp_path / "module.py"
        path.write_text(source)
        return plan.digest_of(path)

    plain = digest('def f(x):\n    """One."""\n    return x + 1\n')
    assert digest('# why\ndef f(x):\n    """Another."""\n\n    return (x + 1)  # so\n') == plain
    assert digest('def f(x):\n    """One."""\n    return x + 2\n') != plain
