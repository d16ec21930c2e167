"""A training in slices: each stops in time, finishes runs before it begins others, and the weights come out the same to the bit."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from nuclr.errors import NuclrError
from nuclr.train import budget, fleetsize, plan, pool
from nuclr.train.fleetsize import Pace
from nuclr.train.progress import Display
from nuclr.train.store import Store
from nuclr.train.unfinished import Unfinished, fleet_of, step_of
from nuclr.train.worker import train

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("9m", 540), ("1h30m", 5400), ("2d", 172_800), ("1h0m1s", 3601)]
)
def test_a_budget_is_read(text, seconds):
    assert budget.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "9", "9 m", "m", "0m", "-9m", "9min", "30m1h", "1.5h"])
def test_what_is_no_budget_is_refused_with_examples(text):
    with pytest.raises(NuclrError, match="is no time to train for: write --budget as 90s, 9m or 1h30m"):
        budget.seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(12, "less than a minute"), (61, "1 min"), (3599, "1 h 0 min"), (20_400, "5 h 40 min"), (187_200, "2 d 4 h")],
)
def test_a_time_left_is_told_as_well_as_it_is_known(seconds, told):
    assert budget.told(seconds) == told


def test_the_sentence_tells_what_is_done_what_is_left_and_how_to_go_on():
    said = budget.sentence(172, 160, 0.9312, 20_400, "python -m nuclr train --budget 9m")
    assert said.endswith(
        "12 of 172 runs are trained; 160 are left, 93.1 % of the work, about 5 h 40 min at the pace of this call. "
        "Go on with: python -m nuclr train --budget 9m"
    )
    assert "at a pace not yet known" in budget.sentence(1, 1, 1.0, None, "")


@pytest.fixture
def runs(tiny, monkeypatch):
    """A profile of three runs that train one by one."""
    configs = [tiny(seed=seed, steps=350) for seed in range(3)]
    monkeypatch.setattr(plan, "planned", lambda *_: configs)
    monkeypatch.setattr(fleetsize, "pace", lambda *_: Pace({1: 1e-3}))
    return configs


def survey(root):
    return plan.survey("smoke", Store(root))


def checksums(root):
    return [run.stored and run.stored.manifest["files"] for run in survey(root)]


def a_slice(root, looks):
    """What the one worker of a pool does in a slice that is over at some look at the clock."""
    left = iter(range(looks))
    for job in plan.fleets(survey(root), "smoke", root, "cpu"):
        if not train(job, lambda _: next(left, None) is not None).finished:
            return


@pytest.mark.usefixtures("runs")
def test_slices_finish_runs_one_after_the_other_and_give_the_bits_of_an_undisturbed_training(tmp_path):
    a_slice(tmp_path / "whole", 10**6)
    sliced, shares = tmp_path / "sliced", [1.0]
    while shares[-1]:
        a_slice(sliced, 9)
        standing = survey(sliced)
        begun = [run for run in standing if not run.stored and step_of(sliced, run.fingerprint)]
        assert len(begun) <= 1
        shares.append(plan.work_left(standing, sliced))
        assert shares[-1] < shares[-2]
    assert len(shares) > 6, "every run was to be interrupted"
    assert checksums(sliced) == checksums(tmp_path / "whole")
    assert None not in checksums(sliced)


def test_begun_fleets_come_first_as_they_were_and_the_nearest_to_its_end_before_all(runs, tmp_path):
    names = [plan.fingerprint_of(config) for config in runs]
    for members, step in (([0], 50), ([1, 2], 300)):
        for member in members:
            Unfinished(tmp_path, names[member]).save({}, step, 0.0, [], [names[other] for other in members])
    assert fleet_of(tmp_path, names[2]) == (names[1], names[2])
    jobs = plan.fleets(survey(tmp_path), "smoke", tmp_path, "cpu", workers=4)
    assert [[config.seed for config in job.configs] for job in jobs] == [[1, 2], [0]]


def test_a_save_that_cannot_be_read_is_of_a_run_alone(tmp_path):
    folder = tmp_path / ".unfinished" / "f"
    folder.mkdir(parents=True)
    for content in (b"", b"x" * 30, b"x" * 100, bytes(32) + (2).to_bytes(8, "little") + b"[]"):
        (folder / "save-000000007").write_bytes(content)
        assert fleet_of(tmp_path, "f") == ("f",)
        assert step_of(tmp_path, "f") == 7


@pytest.mark.parametrize("in_process", [False, True], ids=["processes", "in process"])
def test_when_the_time_is_over_one_run_does_a_step_and_the_rest_does_not_begin(runs, tmp_path, in_process):
    jobs = plan.fleets(survey(tmp_path), "smoke", tmp_path, "cpu")
    display = Display(Console(file=io.StringIO()))
    display.plan([], jobs)
    pool.train_all(jobs, 1, display, deadline=time.monotonic() - 1, in_process=in_process)
    assert not list(tmp_path.glob(".leases/*"))
    assert [step_of(tmp_path, plan.fingerprint_of(config)) > 0 for config in runs] == [True, False, False]
    assert checksums(tmp_path) == [None] * 3


CHILD = """
from nuclr.cli import main
from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.train import plan

if __name__ == "__main__":
    training = TrainingConfig(steps=10**6, batch=64)
    config = RunConfig("long", 0, DataConfig(observables=("radius",)), ModelConfig(width=8), training)
    plan.planned = lambda *_: [config]
    main()
"""


@pytest.mark.faults
def test_the_command_line_ends_well_and_names_the_command_that_goes_on(tmp_path):
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    arguments = [
        "train",
        "--profile",
        "smoke",
        "--device",
        "cpu",
        "--budget",
        "1s",
        "--store",
        str(tmp_path / "a store"),
    ]
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert "0 of 1 runs are trained; 1 are left, " in last
    assert last.endswith(f"python -m nuclr train --profile smoke --device cpu --budget 1s --store '{tmp_path}/a store'")
    assert list(tmp_path.glob("a store/.unfinished/*/save-*"))
