"""Real processes, really interrupted: what was trained is kept, and the weights come out the same to the bit."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.train.plan import fingerprint_of
from nuclr.train.worker import Job, train

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
CHILD = """
import signal

from nuclr.cli import main
from nuclr.train import plan, pool
from test_interruption import planned

if __name__ == "__main__":
    # Whoever runs the tests in the background of a shell hands an ignored SIGINT down to them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    plan.planned = planned
    plan.train_all = lambda *arguments, in_process: pool.train_all(*arguments, in_process=IN_PROCESS)
    main()
"""


def planned(*_):
    """Two runs, long enough to be interrupted and short enough for a test."""
    training = TrainingConfig(steps=40_000, warmup=10, batch=64)
    data, model = DataConfig(observables=("radius",)), ModelConfig(width=32)
    return [RunConfig("short", seed, data, model, training) for seed in (0, 1)]


def start(folder, in_process):
    script = folder / "child.py"
    script.write_text(CHILD.replace("IN_PROCESS", str(in_process)))
    return subprocess.Popen(
        [
            sys.executable,
            str(script),
            "train",
            "--profile",
            "smoke",
            "--device",
            "cpu",
            "--store",
            str(folder / "runs"),
        ],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def files(folder):
    """Checksums of the weights, checkpoints and curves of every finished run."""
    manifests = [json.loads(path.read_text()) for path in sorted(folder.glob("runs/smoke/short/*/*/manifest.json"))]
    return [manifest["files"] for manifest in manifests]


def wait_for_training(folder, child):
    deadline = time.monotonic() + 60
    while not list(folder.glob("runs/.unfinished/*/checkpoint-1.safetensors")):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline, "the training did not begin"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    for config in planned("smoke"):
        train(Job("smoke", (config,), (fingerprint_of(config),), folder / "runs", "cpu", threads=1), lambda _: True)
    return files(folder)


@pytest.mark.parametrize("in_process", [False, True], ids=["processes", "in process"])
@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_training_resumes_to_the_same_bits(undisturbed, tmp_path, kill, in_process):
    child = start(tmp_path, in_process)
    wait_for_training(tmp_path, child)
    os.killpg(child.pid, kill)
    time.sleep(0.01)
    os.killpg(child.pid, kill)  # as `timeout` does
    _, err = child.communicate(timeout=60)
    assert files(tmp_path) == []
    if kill != signal.SIGKILL:
        assert child.returncode == 130
        assert err.strip().endswith("the same command goes on from there.")
        assert list(tmp_path.glob("runs/.unfinished/*/save-*"))

    child = start(tmp_path, in_process)
    out, err = child.communicate(timeout=300)
    assert child.returncode == 0, out + err
    assert len(undisturbed) == 2
    assert files(tmp_path) == undisturbed
    assert not list(tmp_path.glob("runs/.unfinished/*"))
