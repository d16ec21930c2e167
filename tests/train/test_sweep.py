"""A sweep: what is sent and what not, real requeueing of half-trained jobs, and sentences where a cluster is missing."""

import io
import os
import signal
import time

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

from nuclr import cli
from nuclr.errors import NuclrError
from nuclr.train import plan, sweep, task, worker
from nuclr.train.progress import Display
from nuclr.train.store import Store
from nuclr.train.worker import Job, Outcome

DelayedSubmission = pytest.importorskip("submitit.helpers").DelayedSubmission


@pytest.fixture
def two(tiny, monkeypatch):
    """A profile of two runs of a fleet and a third one apart."""
    configs = [tiny(seed=0), tiny(seed=1), tiny(name="apart", steps=110)]
    monkeypatch.setattr(plan, "planned", lambda *_: configs)
    return configs


def job_of(configs, store):
    return Job("smoke", tuple(configs), tuple(plan.fingerprint_of(c) for c in configs), store, "cpu", 1)


def states(store):
    return [standing.state for standing in sweep.standings("smoke", store)]


def jobs_of(store):
    missing = [standing.run for standing in sweep.standings("smoke", store)]
    return plan.fleets(missing, "smoke", store, "cpu")


def weights(store, config):
    found = Store(store).find("smoke", config, plan.fingerprint_of(config))
    return load_file(found.folder / "weights.safetensors")


def test_a_sweep_trains_every_run_and_a_second_one_has_nothing_to_send(two, tmp_path, capsys):
    assert states(tmp_path) == ["missing"] * 3
    for _ in range(2):
        cli.sweep("smoke", tmp_path, cluster="debug", gpus=0)
    assert states(tmp_path) == ["done"] * 3
    assert "Nothing to send" in capsys.readouterr().out
    assert [sweep.last_note(tmp_path, plan.fingerprint_of(c)).endswith(": done") for c in two] == [True] * 3
    cli.sweep("smoke", tmp_path, status=True)
    assert capsys.readouterr().out == "3 done\n"


def test_a_requeued_task_resumes_to_the_same_bits(two, tmp_path, monkeypatch):
    whole, requeued = tmp_path / "whole", tmp_path / "requeued"
    config = two[0]
    worker.train(job_of([config], whole), lambda _: True)

    delayed = []

    def requeue(*_):  # as the handler of submitit: checkpoint, then out
        delayed.append(first.checkpoint())
        raise SystemExit

    def train_until_signalled(job, on_progress):
        def signalled(rows):
            if rows:
                os.kill(os.getpid(), signal.SIGUSR2)
                assert first._stop.wait(30)
            return on_progress(rows)

        return worker.train(job, signalled)

    first = task.Task(job_of([config], requeued))
    monkeypatch.setattr(task, "train", train_until_signalled)
    before = signal.signal(signal.SIGUSR2, requeue)
    try:
        with pytest.raises(SystemExit):
            first()
    finally:
        signal.signal(signal.SIGUSR2, before)
    monkeypatch.setattr(task, "train", worker.train)
    [standing] = [s for s in sweep.standings("smoke", requeued) if s.run.config == config]
    assert standing.state == "unfinished"
    assert 0 < standing.step < config.training.steps
    assert standing.note.endswith(": requeued")

    path = tmp_path / "submitted"
    delayed[0].dump(path)
    again = DelayedSubmission.load(path)  # what the requeued task loads
    assert again.result().finished
    expected, found = weights(whole, config), weights(requeued, config)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_failed_run_keeps_its_reason_and_is_sent_again(two, tmp_path, monkeypatch):
    def diverge(*_):
        raise NuclrError("Run tiny, seed 0 diverged:\nloss nan.")

    monkeypatch.setattr(task, "train", diverge)
    with pytest.raises(NuclrError, match="diverged"):
        sweep.submit([job_of(two[:1], tmp_path)], sweep.Cluster("debug", gpus=0), tmp_path)
    standing = sweep.standings("smoke", tmp_path)[0]
    assert standing.state == "failed"
    assert standing.note.endswith("failed: Run tiny, seed 0 diverged: loss nan.")
    monkeypatch.undo()
    monkeypatch.setattr(plan, "planned", lambda *_: two)
    sweep.submit(jobs_of(tmp_path), sweep.Cluster("debug", gpus=0), tmp_path)
    assert states(tmp_path) == ["done"] * 3


def test_runs_in_training_or_in_the_queue_are_not_sent(two, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "queued", lambda: {"12_0"})
    (tmp_path / ".leases").mkdir()
    (tmp_path / ".leases" / plan.fingerprint_of(two[0])).touch()
    task.note(job_of([two[1]], tmp_path), "12_0 submitted")
    assert states(tmp_path) == ["training", "waiting", "missing"]
    sent = []
    monkeypatch.setattr(sweep, "submit", lambda jobs, *_: sent.extend(jobs) or {})
    cli.sweep("smoke", tmp_path, cluster="debug", gpus=0)
    assert [job.configs for job in sent] == [(two[2],)]
    monkeypatch.setattr(sweep, "queued", set)
    assert states(tmp_path) == ["training", "missing", "missing"]


def test_a_lease_is_believed_no_longer_than_it_lives(tmp_path):
    path = tmp_path / ".leases" / "abc"
    path.parent.mkdir()
    assert not task.held(tmp_path, "abc")
    path.touch()
    assert task.held(tmp_path, "abc")
    os.utime(path, (time.time() - 1000,) * 2)
    assert not task.held(tmp_path, "abc")


def test_a_task_waits_for_runs_that_another_holds(two, tmp_path, monkeypatch):
    """As after a kill on another host: the lease of the dead goes stale, then the task trains."""
    job = job_of(two[:1], tmp_path)
    (tmp_path / ".leases").mkdir()
    lease = tmp_path / ".leases" / job.fingerprints[0]
    lease.touch()
    tries = []

    def train(job, on_progress):
        tries.append(lease.exists())
        if len(tries) < 3:
            return Outcome(True, 0, ("Run tiny, seed 0 is left to process 1 on other.",))
        lease.unlink()
        return worker.train(job, on_progress)

    monkeypatch.setattr(task, "train", train)
    monkeypatch.setattr(task, "PAUSE", 0.01)
    assert task.Task(job)().trained == 1
    assert tries == [True, True, True]


def test_a_task_whose_code_changed_since_does_not_train(two, tmp_path):
    job = job_of(two[:1], tmp_path)
    stale = Job(job.profile, job.configs, ("0" * 16,), tmp_path, "cpu", 1)
    with pytest.raises(NuclrError, match="other code or data than are here now"):
        task.Task(stale)()
    assert not list(tmp_path.glob("smoke/**/manifest.json"))


def test_following_ends_when_the_queue_is_empty_and_names_what_is_left(two, tmp_path, monkeypatch):
    jobs = [job_of(two[:2], tmp_path), job_of(two[2:], tmp_path)]
    worker.train(jobs[0], lambda _: True)
    monkeypatch.setattr(sweep, "queued", set)
    text = io.StringIO()
    display = Display(Console(file=text))
    display.plan(plan.survey("smoke", Store(tmp_path)), jobs)
    with pytest.raises(NuclrError, match="apart x 1 ended without all runs"):
        sweep.follow({"7_0": jobs[0], "7_1": jobs[1]}, display)
    assert "trained tiny (2)" in text.getvalue()
    assert "trained apart" not in text.getvalue()


@pytest.mark.parametrize(
    ("text", "expected"), [("4:00:00", 240), ("0:02:00", 2), ("1-02:30:01", 1591), ("0:59:01", 60), ("100:00:00", 6000)]
)
def test_time_limits_are_minutes(text, expected):
    assert sweep.minutes(text) == expected


@pytest.mark.parametrize("text", ["four hours", "90", "4:00", "4:60:00", "0:01:00", "", "-1:00:00"])
def test_bad_time_limits_are_refused(text):
    with pytest.raises(NuclrError, match="--time"):
        sweep.minutes(text)


@pytest.mark.usefixtures("two")
def test_a_missing_cluster_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NuclrError, match="There is no sbatch here"):
        cli.sweep("smoke", tmp_path, cluster="slurm")
    with pytest.raises(NuclrError, match="There is no cluster 'slrum': did you mean 'slurm'"):
        cli.sweep("smoke", tmp_path, cluster="slrum")
    assert sweep.queued() is None


def test_slurm_gets_an_array_that_is_requeued_and_signalled(two, tmp_path, monkeypatch):
    """The script that goes to sbatch, which here is a stand-in that answers with a job id."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"sbatch": "echo Submitted batch job 12", "srun": "exit 1", "squeue": "echo 12_1"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    store = tmp_path / "runs"
    wanted = sweep.Cluster("slurm", "gpu", "physics", 1, 480, 3, ("module load cuda",))
    jobs = [job_of(two[:2], store), job_of(two[2:], store)]
    assert list(sweep.submit(jobs, wanted, store)) == ["12_0", "12_1"]
    script = (sweep.logs(store) / "12_submission.sh").read_text().splitlines()
    for line in (
        "#SBATCH --array=0-1%2",
        "#SBATCH --partition=gpu",
        "#SBATCH --account=physics",
        "#SBATCH --gpus-per-node=1",
        "#SBATCH --time=480",
        "#SBATCH --signal=USR2@90",
        "#SBATCH --requeue",
        "module load cuda",
    ):
        assert line in script
    assert states(store) == ["missing", "missing", "waiting"]  # squeue knows of 12_1 alone, the smaller job

    (programs / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: invalid partition specified: gpu' >&2\nexit 1\n")
    with pytest.raises(NuclrError, match=r"SLURM refused the jobs \(sbatch: error: invalid partition specified: gpu\)"):
        sweep.submit(jobs_of(store), wanted, store)
