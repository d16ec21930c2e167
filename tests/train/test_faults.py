"""Faults as they happen: killed processes, full and read-only drives, cut and flipped files, many processes on one store."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import forks
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nuclr.errors import NuclrError
from nuclr.train.store import Store
from nuclr.train.unfinished import Unfinished

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
MOUNT = "mount -t tmpfs tmpfs /mnt"
WAYS = {"tmpfs": ["unshare", "--mount"], "tmpfs-own-namespace": ["unshare", "--mount", "--map-root-user"], "rlimit": []}


@cache
def way():
    """How this process can have a drive of its own that fills up: mounted as root, mounted in a user namespace, or not at all."""
    for name, unshare in WAYS.items():
        if not unshare or (
            shutil.which("unshare")
            and subprocess.run([*unshare, "sh", "-c", MOUNT], capture_output=True, check=False).returncode == 0
        ):
            return name
    raise AssertionError("the last way needs nothing")


def scene(name, folder, *arguments, unshare=()):
    """Run a scene of forks.py in a process of its own; what it found."""
    done = subprocess.run(
        [*unshare, sys.executable, str(Path(forks.__file__)), name, str(folder), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_twenty_deaths_do_not_change_a_bit(tmp_path):
    found = scene("deaths", tmp_path)
    assert found["killed"] >= 20
    assert len(found["expected"]) == 2
    for store in found["stores"]:
        assert store["files"] == found["expected"]
        assert store["notes"] == []  # nobody waits for the dead, and nothing they left is damaged
        assert store["leftovers"] == []
    assert any(step > 0 for step in found["begun at"])


def test_processes_that_share_a_store_train_no_run_twice(tmp_path):
    found = scene("together", tmp_path)
    assert found == {"codes": [0] * 5, "trained": [0, 1, 2, 3, 4, 5], "finished": 6, "leftovers": []}


def test_of_many_that_find_a_stale_lease_one_takes_it(tmp_path):
    found = scene("takeovers", tmp_path)
    assert found == {"winners": [1] * 20, "left": []}


def test_ctrl_c_stops_within_two_seconds_and_keeps_the_state(tmp_path):
    for found in scene("interrupted", tmp_path):
        assert not found["finished"]
        assert 0 <= found["last step"] < 2
        assert found["saves"] >= 2
        assert found["leases"] == 0


@pytest.mark.parametrize("drive", [way()])
def test_a_full_drive_loses_no_work(tmp_path, drive):
    found = scene("full", tmp_path, drive, unshare=WAYS[drive])
    reason = "File too large" if drive == "rlimit" else "No space left on device"
    assert f"Cannot put run short, seed 0 into the store {tmp_path / 'drive' / 'store'} ({reason}, " in found["error"]
    assert found["half"] == found["early"] == []
    (step,) = found["begun at"]
    assert 0 < step <= 120  # the last look before the drive was full
    assert found["error"].endswith(f"make room, then the same command goes on from step {step}.")
    assert found["notes"] == []
    assert found["later"] == found["expected"]
    # Room in time: the training went on in memory and no more than a note tells of it.
    assert found["second"] == found["expected"]
    (note,) = found["second notes"]
    assert reason in note
    assert note.endswith("it stayed in memory.")
    assert found["leftovers"] == []


@pytest.mark.parametrize("drive", [way()])
def test_a_read_only_store_is_refused_at_the_start(tmp_path, drive):
    found = scene("readonly", tmp_path, drive, unshare=WAYS[drive])
    reason = "File exists" if drive == "rlimit" else "Read-only file system"
    assert found["error"].startswith(f"Cannot write to the store {tmp_path / 'drive' / 'store'} ({reason})")
    assert found["begun"] == []


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """(store, content by name of the one run in it)."""
    root = tmp_path_factory.mktemp("finished")
    forks.train(root, seeds=(0,))
    (folder,) = root.glob("smoke/short/seed-0/*")
    return Store(root), {path: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """(root, content by name of the unfinished state of a run, each save as read)."""
    root = tmp_path_factory.mktemp("begun")
    forks.train(root, lambda rows: rows < 300 * 64, seeds=(0,))
    (folder,) = root.glob(".unfinished/*")
    contents = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    saves = {}
    for path in sorted(folder.glob("save-*"), reverse=True):
        saves[int(path.name.removeprefix("save-"))] = Unfinished(root, folder.name).load()
        path.unlink()
    restore(contents)
    return root, contents, saves


def restore(contents):
    for path, content in contents.items():
        path.write_bytes(content)


def damage(content, place, bit):
    """Cut off at `place` (0..1) where `bit` is None, else with that bit of the byte there flipped."""
    index = min(int(place * len(content)), len(content) - 1)
    if bit is None:
        return content[:index]
    flipped = bytearray(content)
    flipped[index] ^= 1 << bit
    return bytes(flipped)


DAMAGES = {"place": st.floats(0, 1), "bit": st.none() | st.integers(0, 7), "which": st.integers(0, 1000)}


@settings(max_examples=80)
@given(**DAMAGES)
def test_no_damage_of_a_finished_run_passes_unnoticed(finished, place, bit, which):
    store, contents = finished
    path = list(contents)[which % len(contents)]
    config, fingerprint = forks.config(0), path.parent.name
    path.write_bytes(damage(contents[path], place, bit))
    try:
        if path.name != "manifest.json":
            run = store.find("smoke", config, fingerprint)
            with pytest.raises(NuclrError, match=path.name):
                run.curves() if path.name == "curves.csv" else run._read(path.name)
        elif not (same(path, contents[path]) and store.find("smoke", config, fingerprint)):
            with pytest.raises(NuclrError, match=r"^[^\n]*manifest\.json[^\n]*$"):
                store.find("smoke", config, fingerprint)
    finally:
        restore(contents)


def same(path, content):
    """Whether a manifest still says the same: an e of an exponent, say, that turned into an E."""
    try:
        return json.loads(path.read_bytes()) == json.loads(content)
    except ValueError:
        return False


@settings(max_examples=80)
@given(**DAMAGES)
def test_no_damage_of_an_unfinished_run_passes_unnoticed_or_ends_the_training(begun, place, bit, which):
    root, contents, saves = begun
    path = list(contents)[which % len(contents)]
    path.write_bytes(damage(contents[path], place, bit))
    try:
        unfinished = Unfinished(root, path.parent.name)
        loaded = unfinished.load()
        assert len(unfinished.notes) == len(saves) - len(list(path.parent.glob("save-*")))
        if path.name == f"save-{max(saves):09}":
            assert loaded.step == min(saves)
            assert str(path) in unfinished.notes[0]
        if loaded is None:
            assert path.name.startswith("checkpoint-")  # both saves rest on it
            assert len(unfinished.notes) == 2
        else:
            whole = saves[loaded.step]
            assert loaded.curve == whole.curve
            assert all(torch.equal(loaded.state[name], whole.state[name]) for name in whole.state)
    finally:
        restore(contents)


@pytest.mark.parametrize("damaged", [1, 2])
def test_a_run_goes_on_from_its_last_good_save_to_the_same_bits(begun, finished, tmp_path, damaged):
    root, _, saves = begun
    shutil.copytree(root, tmp_path / "store")
    for save in sorted(tmp_path.glob("store/.unfinished/*/save-*"), reverse=True)[:damaged]:
        save.write_bytes(damage(save.read_bytes(), 0.5, None))
    outcome = forks.train(tmp_path / "store", seeds=(0,), log=tmp_path / "log")
    assert forks.lines(tmp_path / "log") == [[[0], min(saves) if damaged == 1 else 0]]
    assert forks.checksums(tmp_path / "store") == forks.checksums(finished[0].root)
    assert len(outcome.notes) == damaged
    assert all("is damaged" in note for note in outcome.notes)
