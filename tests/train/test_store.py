"""The store: whole runs or none, damage is named, stale is not missing, and nothing is trained twice."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nuclr.errors import NuclrError
from nuclr.train import plan, pool
from nuclr.train.store import Store
from nuclr.train.worker import Job, train


@pytest.fixture
def trained(tiny, tmp_path):
    """A tiny run in a store: (store, config, fingerprint, stored run)."""
    config = tiny()
    fingerprint = plan.fingerprint_of(config)
    assert train(Job("smoke", (config,), (fingerprint,), tmp_path, "cpu", threads=1), lambda _: True)
    store = Store(tmp_path)
    return store, config, fingerprint, store.find("smoke", config, fingerprint)


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
    config = tiny(steps=350)
    fingerprint = plan.fingerprint_of(config)
    jobs = [Job("smoke", (config,), (fingerprint,), tmp_path / name, "cpu", threads=1) for name in ("a", "b")]
    assert train(jobs[0], lambda _: True)
    calls = iter([True, True, False])
    assert not train(jobs[1], lambda _: next(calls))
    assert Store(tmp_path / "b").find("smoke", config, fingerprint) is None
    assert train(jobs[1], lambda _: True)
    a, b = (Store(tmp_path / name).find("smoke", config, fingerprint) for name in ("a", "b"))
    assert a.manifest["files"] == b.manifest["files"]  # sha256 of weights, checkpoints and curves


def test_an_unreadable_unfinished_state_is_named(tiny, tmp_path):
    config = tiny(steps=350)
    job = Job("smoke", (config,), (plan.fingerprint_of(config),), tmp_path, "cpu", threads=1)
    calls = iter([True, True, False])
    assert not train(job, lambda _: next(calls))
    (state,) = tmp_path.glob(".unfinished/*/state.safetensors")
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(NuclrError, match="to begin it anew"):
        train(job, lambda _: True)


def test_an_unwritable_store_is_one_sentence(tiny, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    config = tiny()
    with pytest.raises(NuclrError, match="Cannot write"):
        train(Job("smoke", (config,), ("f" * 16,), blocked, "cpu", threads=1), lambda _: True)


def test_a_second_training_on_the_same_store_is_turned_away(tmp_path):
    with pool.alone(tmp_path), pytest.raises(NuclrError, match="Another training is at work"), pool.alone(tmp_path):
        pass
    with pool.alone(tmp_path):  # released
        assert Path(tmp_path, ".lock").exists()
