"""The store: whole runs or none, damage is named and mended, stale is not missing."""

import errno
import json
import os
import shutil
from dataclasses import replace

import pytest
import torch

from nuclr import files
from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.errors import NuclrError
from nuclr.train import plan
from nuclr.train.store import Store
from nuclr.train.worker import Job, Outcome, train

SETTINGS = TrainingConfig(steps=120, warmup=10, batch=64, precision="float32")
TINY = RunConfig("tiny", 0, DataConfig(observables=("radius", "sn")), ModelConfig(width=8), SETTINGS)


def job(config, root):
    return Job("smoke", (config,), (plan.fingerprint_of(config),), root, "cpu", threads=1)


def stopped(some):
    """Train until the second look, then stop."""
    calls = iter([True, True])
    return train(some, lambda _: next(calls, False))


def found(some):
    return Store(some.store).find("smoke", some.configs[0], some.fingerprints[0])


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A store with one tiny run."""
    root = tmp_path_factory.mktemp("once")
    assert train(job(TINY, root), lambda _: True) == Outcome(finished=True, trained=1, notes=())
    return root


@pytest.fixture
def trained(once, tmp_path):
    """The tiny run in a store of one's own: (store, config, fingerprint, stored run)."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    store, fingerprint = Store(tmp_path), plan.fingerprint_of(TINY)
    return store, TINY, fingerprint, store.find("smoke", TINY, fingerprint)


def test_a_run_comes_back_as_it_was(trained):
    store, config, fingerprint, run = trained
    assert run.config == config
    assert run.record()["fingerprint"] == fingerprint
    assert run.manifest["errors"]["train_rms.radius"] > 0
    assert [point["step"] for point in run.curves()][-1] == 120
    start, end = run.weights(step=0), run.weights()
    assert not torch.equal(start["embedding.Z"], end["embedding.Z"])
    assert torch.equal(run.weights(step=120)["embedding.Z"], end["embedding.Z"])
    assert run.probe().embedding("Z").shape == (118, 8)
    assert not list(store.root.glob(".unfinished/*"))


def test_no_pickle_is_stored(trained):
    suffixes = {path.suffix for path in trained[0].root.rglob("*") if path.is_file()}
    assert suffixes == {".json", ".csv", ".safetensors"}


def test_a_flipped_bit_is_named_with_the_mend(trained):
    run = trained[3]
    path = run.folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(NuclrError, match=r"weights\.safetensors is damaged .* train it again"):
        run.weights()


def test_a_missing_checkpoint_and_a_missing_file_are_told_apart(trained):
    run = trained[3]
    with pytest.raises(NuclrError, match="has no checkpoint-77"):
        run.weights(step=77)
    (run.folder / "curves.csv").unlink()
    with pytest.raises(NuclrError, match=r"Cannot read .*curves\.csv"):
        run.curves()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:40], "cannot be read"),
        (lambda text: json.dumps(json.loads(text) | {"format": 99}), "written by another version of nuclr"),
        (lambda text: json.dumps(json.loads(text) | {"fingerprint": "0" * 16}), "belongs to another run"),
        (lambda text: text.replace('"steps": 120', '"steps": 121'), "is damaged"),
        (lambda _: "{}", "cannot be read"),
    ],
)
def test_a_damaged_manifest_is_one_sentence(trained, change, message):
    store, config, fingerprint, run = trained
    path = run.folder / "manifest.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(NuclrError, match=message):
        store.find("smoke", config, fingerprint)


def test_missing_and_stale_are_told_apart_and_name_the_command(trained):
    store, config, _, _ = trained
    with pytest.raises(NuclrError, match=r"tiny, seed 9 is missing .* nuclr train --profile smoke"):
        plan.require("smoke", replace(config, seed=9), store)
    changed = replace(config, training=replace(config.training, weight_decay=0.5))
    with pytest.raises(NuclrError, match="tiny, seed 0 is stale"):
        plan.require("smoke", changed, store)
    assert plan.require("smoke", config, store).config == config


def test_a_stopped_training_resumes_to_the_bits_of_an_undisturbed_one(tiny, tmp_path):
    jobs = [job(tiny(steps=350), tmp_path / name) for name in ("a", "b")]
    assert train(jobs[0], lambda _: True).finished
    assert not stopped(jobs[1]).finished
    assert found(jobs[1]) is None
    assert train(jobs[1], lambda _: True) == Outcome(True, 1, ())
    assert (
        found(jobs[0]).manifest["files"] == found(jobs[1]).manifest["files"]
    )  # sha256 of weights, checkpoints and curves


def test_members_that_stand_at_different_steps_are_trained_apart_to_the_same_bits(tiny, tmp_path):
    first, second = tiny(steps=350), tiny(seed=1, steps=350)
    for _ in range(2):
        stopped(job(first, tmp_path))
    assert len(list(tmp_path.glob(".unfinished/*/save-*"))) == 2
    both = Job("smoke", (first, second), tuple(map(plan.fingerprint_of, (first, second))), tmp_path, "cpu", threads=1)
    seen = []
    assert train(both, lambda rows: not seen.append(rows)) == Outcome(True, 2, ())
    assert seen == sorted(seen)
    assert seen[-1] == 2 * 350 * 64
    alone = job(first, tmp_path / "alone")
    train(alone, lambda _: True)
    assert found(alone).manifest["files"] == found(job(first, tmp_path)).manifest["files"]


def test_a_fleet_killed_while_it_saved_stays_together(tiny, tmp_path):
    configs = (tiny(steps=350), tiny(seed=1, steps=350))
    both = Job("smoke", configs, tuple(map(plan.fingerprint_of, configs)), tmp_path / "b", "cpu", threads=1)
    undisturbed = replace(both, store=tmp_path / "a")
    train(undisturbed, lambda _: True)
    for _ in range(2):
        stopped(both)
    newest = max((tmp_path / "b" / ".unfinished" / both.fingerprints[1]).glob("save-*"))
    newest.unlink()  # as if the process had been killed after the first member's save
    assert train(both, lambda _: True) == Outcome(True, 2, ())
    for a, b in zip(tmp_path.glob("a/smoke/*/*/*/m*.json"), tmp_path.glob("b/smoke/*/*/*/m*.json"), strict=True):
        assert json.loads(a.read_text())["files"] == json.loads(b.read_text())["files"]


def test_finished_runs_are_left_alone_and_count_as_seen(trained, tmp_path):
    _, config, _, run = trained
    before, seen = run.folder.stat().st_mtime_ns, []
    assert train(job(config, tmp_path), lambda rows: not seen.append(rows)) == Outcome(True, 0, ())
    assert run.folder.stat().st_mtime_ns == before
    assert not list(tmp_path.glob(".leases/*"))


@pytest.mark.parametrize("damage", ["manifest.json", "weights.safetensors", "checkpoint-0.safetensors", "missing"])
def test_a_damaged_run_is_set_aside_named_and_trained_again(trained, tmp_path, damage):
    store, config, fingerprint, run = trained
    for number in (1, 2):
        path = run.folder / (damage if damage != "missing" else "curves.csv")
        content = path.read_bytes()
        path.unlink()
        if damage != "missing":
            path.write_bytes(content[: len(content) // 2])
        stored, reason = store.examine("smoke", config, fingerprint)
        assert stored is None
        assert str(path) in reason
        outcome = train(job(config, tmp_path), lambda _: True)
        aside = run.folder.with_name(f".damaged-{fingerprint}-{number}")
        assert (outcome.finished, outcome.trained, len(outcome.notes)) == (True, 1, 1)
        assert str(path) in outcome.notes[0]
        assert f"kept as {aside}, and run tiny, seed 0 is trained again" in outcome.notes[0]
        assert aside.is_dir()
        assert store.others("smoke", config, fingerprint) == []
        assert found(job(config, tmp_path)).manifest["files"] == run.manifest["files"]


def test_a_diverged_run_is_noted_and_its_fellows_are_stored(tiny, tmp_path):
    wild = {"learning_rate": 1e8, "warmup": 0, "schedule": "constant"}
    broken = job(tiny(seed=7, **wild), tmp_path)
    outcome = train(broken, lambda _: True)
    assert (outcome.finished, outcome.trained, len(outcome.notes)) == (True, 0, 1)
    assert "Run tiny, seed 7 diverged" in outcome.notes[0]
    assert found(broken) is None
    assert not [*tmp_path.glob(".unfinished/*"), *tmp_path.glob(".leases/*")]


def test_an_unwritable_store_is_one_sentence(tiny, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    with pytest.raises(NuclrError, match="Cannot write to the store"):
        train(job(tiny(), blocked), lambda _: True)


@pytest.mark.parametrize(("hiccups", "written"), [(2, True), (99, False)])
def test_a_network_drive_may_hiccup(tmp_path, monkeypatch, hiccups, written):
    replace_file, failures = os.replace, iter(range(hiccups))

    def stumble(*paths):
        if next(failures, None) is not None:
            raise OSError(errno.ESTALE, "Stale file handle")
        replace_file(*paths)

    monkeypatch.setattr(files.os, "replace", stumble)
    monkeypatch.setattr(files, "PAUSES", (0.0, 0.0, 0.0))
    if written:
        files.write(tmp_path / "a" / "file", b"content")
        assert (tmp_path / "a" / "file").read_bytes() == b"content"
    else:
        with pytest.raises(files.Unwritable, match="Stale file handle"):
            files.write(tmp_path / "a" / "file", b"content")
    assert [path.name for path in (tmp_path / "a").iterdir()] == (["file"] if written else [])


def test_who_lost_its_lease_neither_saves_nor_publishes(tiny, tmp_path):
    taken = job(tiny(steps=350), tmp_path)
    lease = tmp_path / ".leases" / taken.fingerprints[0]

    def on_progress(rows):
        if rows:
            lease.write_text("of somebody who found ours stale")
        return True

    outcome = train(taken, on_progress)
    assert outcome.trained == 0
    assert outcome.notes == (
        "Run tiny, seed 0 was taken over by another process while this one stood still: it is left to that one.",
    )
    assert found(taken) is None
    assert lease.exists()
    assert not list(tmp_path.glob("**/.partial-*"))


def test_a_run_published_meanwhile_is_left_as_it_is(trained):
    store, config, fingerprint, run = trained
    before = run.folder.stat().st_mtime_ns
    assert store.add("smoke", config, fingerprint, {"weights.safetensors": b"other"}, {})
    assert run.folder.stat().st_mtime_ns == before
    assert store.find("smoke", config, fingerprint).weights()
    assert not list(store.root.glob("**/.partial-*"))
