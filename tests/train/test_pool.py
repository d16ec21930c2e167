"""The pool when something goes wrong: the others go on, nothing is left behind, and there is a sentence."""

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from nuclr.errors import Incomplete, NuclrError
from nuclr.train import plan, pool
from nuclr.train.progress import Display
from nuclr.train.store import Store
from nuclr.train.worker import Job

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]


@pytest.fixture
def train(tmp_path, monkeypatch):
    """train(configs, workers, in_process): train each run as a job of its own in tmp_path; returns what was displayed."""

    def run(configs, workers=2, in_process=False):
        monkeypatch.setattr(plan, "planned", lambda *_: configs)
        jobs = [Job("smoke", (config,), (plan.fingerprint_of(config),), tmp_path, "cpu", 1) for config in configs]
        text = io.StringIO()
        display = Display(Console(file=text, width=200))
        display.plan(plan.survey("smoke", Store(tmp_path)), jobs)
        pool.train_all(jobs, workers, display, in_process=in_process)
        return text.getvalue()

    return run


def stored(folder):
    return sorted(path.parts[-4] for path in folder.glob("smoke/*/*/*/manifest.json"))


IN_PROCESS = pytest.mark.parametrize("in_process", [False, True], ids=["processes", "in process"])


@IN_PROCESS
def test_a_run_that_diverges_leaves_the_others_alone(tiny, train, tmp_path, in_process):
    wild = {"learning_rate": 1e4, "schedule": "constant", "warmup": 0}
    configs = [tiny(name="wild", **wild), tiny(name="wild", seed=1, **wild), tiny(name="calm")]
    with pytest.raises(Incomplete, match="2 of 3 fleets failed") as caught:
        train(configs, 1, in_process)
    assert "Run wild, seed 0 diverged" in str(caught.value)
    assert "Run wild, seed 1 diverged" in str(caught.value)
    assert stored(tmp_path) == ["calm"]


@IN_PROCESS
def test_a_store_in_trouble_stops_every_job(tiny, train, tmp_path, in_process):
    (tmp_path / "smoke").write_text("")  # where the folder of the runs belongs
    with pytest.raises(NuclrError, match=r"Cannot (write|put)"):
        train([tiny(), tiny(name="long", steps=10**6)], in_process=in_process)


def test_a_training_in_this_process_needs_no_pool_and_leaves_the_signals_alone(tiny, train, tmp_path, monkeypatch):
    monkeypatch.delattr(pool, "ProcessPoolExecutor")
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    text = train([tiny(), tiny(name="other")], in_process=True)
    assert stored(tmp_path) == ["other", "tiny"]
    assert "trained tiny (1) after" in text
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_killed_worker_is_one_sentence_and_leaves_no_process(tiny, train, tmp_path):
    before, killed = set(processes(os.getsid(0))), []

    def kill():
        wait_until(lambda: len(list(tmp_path.glob(".unfinished/*/checkpoint-1.safetensors"))) == 2)
        killed.extend(child for child in multiprocessing.active_children() if child.name.startswith("Loky"))
        os.kill(killed[-1].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(NuclrError, match="A training process was killed, perhaps for want of memory"):
        train([tiny(steps=10**6), tiny(seed=1, steps=10**6)])
    killer.join()
    assert len(killed) == 2
    left = set(processes(os.getsid(0))) - before
    assert not left & {child.pid for child in killed}


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


def test_workers_of_a_killed_parent_save_their_state_and_end(tmp_path):
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    arguments = ["train", "--profile", "smoke", "--device", "cpu", "--workers", "2", "--store", str(tmp_path / "runs")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, str(script), *arguments], env=environment, start_new_session=True)
    try:
        wait_until(lambda: list(tmp_path.glob("runs/.unfinished/*/checkpoint-1.safetensors")))
    finally:
        parent.kill()
        parent.wait()
    assert processes(parent.pid)
    wait_until(lambda: not processes(parent.pid))
    assert list(tmp_path.glob("runs/.unfinished/*/sa*")) or list(tmp_path.glob("runs/.unfinished/*/state*"))


def processes(session):
    """Pids of the living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of) == session and state != "Z":
            found.append(int(path.parent.name))
    return found


def wait_until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
