"""Modular addition trains as everything else does: planned, resumed to the same bits, stored, and apart from runs on nuclei."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from nuclr.config import AdditionConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.errors import NuclrError
from nuclr.train import fleetsize, kinds, plan
from nuclr.train.fleetsize import Pace
from nuclr.train.progress import Display
from nuclr.train.store import Store

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def one_thread():
    """As in a worker: two threads that share so small a product on a busy machine mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def adding(seed=0, modulus=7, fraction=0.6, name="adding", width=16, **training):
    settings = {"steps": 200, "warmup": 10, "batch": 1.0, "weighting": "equal", "precision": "float32"} | training
    data = AdditionConfig(modulus, fraction)
    return RunConfig(name, seed, data, ModelConfig(width=width), TrainingConfig(**settings))


def trained(*configs):
    fleet = kinds.fleet_of(configs, "cpu")
    assert fleet.train()
    return fleet


def bits(fleet, index=0):
    return {name: value.numpy().tobytes() for name, value in fleet.parameters_of(index).items()}


def test_the_sums_are_all_pairs_and_each_is_trained_or_held_out():
    data = kinds.examples(adding(modulus=7, fraction=0.6))
    assert len(set(zip(data.z.tolist(), data.n.tolist(), strict=True))) == 49
    assert (data.value == (data.z + data.n) % 7).all()
    assert data.train.sum() == 29
    assert (data.train ^ data.validation).all()


def test_another_seed_holds_out_other_sums_and_the_same_seed_the_same():
    first, again, other = (kinds.examples(adding(seed)) for seed in (0, 0, 1))
    assert (first.train == again.train).all()
    assert (first.train != other.train).any()
    assert first.digest == again.digest != other.digest


def test_a_network_learns_its_sums_by_heart():
    fleet = trained(adding(learning_rate=1e-2, weight_decay=0.1))
    curve, errors = fleet.curves[0], fleet.errors()[0]
    assert curve[0]["step"] == 0
    assert curve[0]["train_loss"] == pytest.approx(np.log(7), abs=0.2)
    assert errors["train_accuracy"] == 1
    assert errors == {key: curve[-1][key] for key in errors}
    assert set(errors) == {"train_loss", "validation_loss", "train_accuracy", "validation_accuracy"}


def test_weight_decay_makes_it_find_the_rule():
    """The claim's own training in small: right for sums that it never saw, which no network by heart is."""
    fleet = trained(adding(modulus=23, fraction=0.8, width=32, steps=600, weight_decay=2.0))
    assert fleet.errors()[0]["validation_accuracy"] > 0.5  # chance is 0.04


def test_a_member_trains_as_if_alone_whatever_its_fellow():
    long, short = adding(0, fraction=0.6, steps=20), adding(1, fraction=0.3, steps=20, weight_decay=0.5)
    pair, alone = trained(long, short), trained(short)
    for name, value in alone.parameters_of(0).items():
        torch.testing.assert_close(pair.parameters_of(1)[name], value, rtol=1e-4, atol=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    assert bits(trained(adding())) == bits(trained(adding())) != bits(trained(adding(1)))


def test_a_run_that_diverges_is_named():
    fleet = trained(adding(learning_rate=1e4, warmup=0), adding(1))
    assert list(fleet.diverged) == [0]
    assert fleet.diverged[0].startswith("Run adding, seed 0 diverged: loss ")
    assert set(fleet.errors()) == {1}


# Two runs to their end; and the same, killed at a random-like step by a signal that cannot be handled, then trained again.
SCENE = """
import os, signal, sys
from pathlib import Path

from nuclr.config import AdditionConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.train import loop, worker
from nuclr.train.worker import Job

worker.SAVE_EVERY, worker.SAVING_SHARE, loop.CHECK_EVERY = 0.0, 1.0, 20
training = TrainingConfig(steps=300, warmup=10, batch=1.0, weighting="equal", precision="float32")
configs = tuple(RunConfig("adding", seed, AdditionConfig(7, 0.6), ModelConfig(width=16), training) for seed in (0, 1))

def train(folder, on_progress=lambda _: True):
    return worker.train(Job("smoke", configs, ("a" * 16, "b" * 16), Path(folder), "cpu", threads=1), on_progress)

def die(rows):
    if rows > 2 * 29 * 150:
        os.kill(os.getpid(), signal.SIGKILL)
    return True

folder = sys.argv[1]
train(f"{folder}/undisturbed")
pid = os.fork()
if not pid:
    train(f"{folder}/killed", die)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == signal.SIGKILL
saves = [int(path.name.split("-")[1]) for path in Path(folder).glob("killed/.unfinished/*/save-*")]
assert max(saves) > 0, saves
assert train(f"{folder}/killed").trained == 2
"""


@pytest.mark.faults
def test_a_killed_training_resumes_to_the_same_bits(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", SCENE, str(tmp_path)], env=environment, check=True, timeout=300)

    def files(kind):
        found = sorted((tmp_path / kind).glob("smoke/adding/*/*/manifest.json"))
        return [json.loads(path.read_text())["files"] for path in found]

    assert len(files("undisturbed")) == 2
    assert files("killed") == files("undisturbed")
    assert any(name.startswith("checkpoint-0.") for name in files("killed")[0])


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(fleetsize, "pace", lambda *_: Pace({8: 1e-3}))


def test_it_never_shares_a_fleet_with_nuclei_or_another_modulus(tiny, fast, tmp_path):  # noqa: ARG001
    nuclei = replace(tiny(), model=ModelConfig(width=16), training=adding().training)
    configs = [adding(), adding(1), adding(modulus=11), nuclei]
    absent = [plan.Planned(config, f"{number:016x}", None, "missing") for number, config in enumerate(configs)]
    jobs = plan.fleets(absent, "smoke", tmp_path, "cpu")
    assert sorted([config.seed for config in job.configs] for job in jobs) == [[0], [0], [0, 1]]


def test_it_is_trained_stored_and_read_like_any_run(monkeypatch, tmp_path):
    monkeypatch.setenv("NUCLR_CACHE", str(tmp_path / "cache"))
    configs = [adding(seed, steps=30) for seed in range(2)]
    monkeypatch.setattr(plan, "planned", lambda *_: configs)
    for expected in ("2 to train", "2 reused, 0 to train"):
        text = io.StringIO()
        plan.train_missing("smoke", tmp_path, "cpu", 1, Display(Console(file=text, width=200)))
        assert expected in text.getvalue()
    run = plan.require("smoke", configs[0], Store(tmp_path))
    assert run.config == configs[0]
    assert run.curves()[-1]["step"] == 30
    assert run.manifest["rows"] == {"train": 29, "validation": 20}
    assert run.manifest["errors"]["train_accuracy"] == pytest.approx(run.curves()[-1]["train_accuracy"])
    right = run.adder().answers() == np.add.outer(np.arange(7), np.arange(7)) % 7
    assert right.ravel()[kinds.examples(run.config).train].mean() == pytest.approx(
        run.manifest["errors"]["train_accuracy"]
    )
    assert (run.adder(0).embedding != run.adder().embedding).any()
    with pytest.raises(NuclrError, match="learned to add: it knows no nuclides"):
        run.probe()
