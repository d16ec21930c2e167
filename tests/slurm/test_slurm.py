"""A sweep on a real SLURM: tasks killed or signalled, and requeued, end with the same weights to the bit."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from two_fleets import planned

from nuclr.train import plan, worker

pytestmark = pytest.mark.skipif("NUCLR_SLURM" not in os.environ, reason="needs a SLURM cluster: nox -s slurm")

ROOT = Path(__file__).parents[2]
LONG = 120.0  # seconds of training: SLURM signals a task of 3 minutes after 30 to 90 s


def nuclr(folder, steps, *arguments):
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "tests/slurm/two_fleets.py"),
            str(steps),
            *arguments,
            "--profile",
            "smoke",
            "--store",
            str(folder / "runs"),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    print(*arguments, done.stdout, done.stderr, sep="\n")
    return done


def scontrol(*arguments):
    subprocess.run(["scontrol", *arguments], check=True)


def reason(array):
    """Why the tasks of an array wait; empty strings for those that do not."""
    command = ["squeue", "--noheader", "--array", f"--jobs={array}", "--format=%r"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def steps_for(seconds, folder):
    """Steps that the single run trains in this time on this machine."""
    config = planned(10**7)[2]
    job = worker.Job("smoke", (config,), (plan.fingerprint_of(config),), folder, "cpu", 1)
    began, seen = time.monotonic(), []
    worker.train(job, lambda rows: seen.append((time.monotonic(), rows)) or time.monotonic() - began < 8)
    (first, none), (last, rows) = seen[0], seen[-1]
    return round((rows - none) / 256 / (last - first) * seconds / 100) * 100


def files(folder):
    """Checksums of the weights, checkpoints and curves of every finished run, by its name and seed."""
    found = (json.loads(path.read_text()) for path in folder.glob("runs/smoke/*/*/*/manifest.json"))
    return {(one["config"]["name"], one["config"]["seed"]): one["files"] for one in found}


def log(folder, config):
    path = folder / "runs" / ".sweep" / f"{plan.fingerprint_of(config)}.log"
    return path.read_text() if path.exists() else ""


def wait_until(holds, seconds):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


def test_requeued_tasks_end_with_the_weights_of_an_undisturbed_training(tmp_path):
    steps = steps_for(LONG, tmp_path / "calibration")
    disturbed, calm = tmp_path / "disturbed", tmp_path / "calm"
    disturbed.mkdir()
    calm.mkdir()
    pair, _, single = planned(steps)

    sent = nuclr(disturbed, steps, "sweep", "--gpus", "0", "--time", "0:03:00")
    assert sent.returncode == 0
    array = sent.stdout.partition("Sent 2 tasks: ")[2].partition("_0")[0]

    # The larger job, task 0, is killed and requeued while it trains; the other one runs into its time limit.
    wait_until(lambda: "begun" in log(disturbed, pair), 60)
    time.sleep(3)
    again = nuclr(disturbed, steps, "sweep", "--gpus", "0")
    assert "Nothing to send" in again.stdout
    scontrol("requeue", f"{array}_0")
    status = nuclr(disturbed, steps, "sweep", "--status").stdout
    assert "training" in status or "waiting" in status

    wait_until(lambda: log(disturbed, single).endswith("requeued\n"), 150)
    waiting = nuclr(disturbed, steps, "sweep", "--status").stdout
    assert "sn, seed 0: waiting at step" in waiting

    # SLURM holds back what is requeued for two minutes; here both go on at once, now with time enough.
    wait_until(lambda: reason(array) == {"BeginTime"}, 60)
    for task in (f"{array}_0", f"{array}_1"):
        scontrol("update", f"JobId={task}", "TimeLimit=30", "StartTime=now")
    wait_until(lambda: len(files(disturbed)) == 3, 1500)
    assert nuclr(disturbed, steps, "sweep", "--status").stdout == "3 done\n"
    for config in (pair, single):
        text = log(disturbed, config)
        print(config.label, text, sep="\n")
        assert text.count("begun") >= 2
        assert text.endswith("done\n")

    assert nuclr(calm, steps, "train", "--device", "cpu").returncode == 0
    assert len(files(calm)) == 3
    assert files(disturbed) == files(calm)
