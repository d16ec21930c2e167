"""Runs on the way: they arrive as they were, and whatever happened to a parcel is told in a sentence and leaves no run behind."""

import json
import shutil
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.errors import NuclrError
from nuclr.train import parcel, plan
from nuclr.train.store import Store
from nuclr.train.worker import Job, train

SETTINGS = TrainingConfig(steps=20, warmup=2, batch=64, precision="float32")
TINY = RunConfig("tiny", 0, DataConfig(observables=("radius",)), ModelConfig(width=8), SETTINGS)
PART = 20_000  # bytes: a few parts a run


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A store with two tiny runs: (store, runs)."""
    root, configs = tmp_path_factory.mktemp("source"), (TINY, replace(TINY, seed=1))
    train(Job("smoke", configs, tuple(map(plan.fingerprint_of, configs)), root, "cpu", 1), lambda _: True)
    store = Store(root)
    return store, [store.find("smoke", config, plan.fingerprint_of(config)) for config in configs]


@pytest.fixture(scope="module")
def packed(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed") / "parcel"
    parcel.pack(source[1], folder, PART)
    return folder


@pytest.fixture
def carried(packed, tmp_path):
    """The parcel in a folder of one's own."""
    return shutil.copytree(packed, tmp_path / "parcel")


def files(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refused(folder, store, sentence=None):
    """Unpacking ends in a sentence and leaves the store without a run or a half of one."""
    with pytest.raises(NuclrError, match=sentence) as caught:
        parcel.unpack(folder, Store(store))
    assert len(str(caught.value).splitlines()) == 1
    return files(store)


def test_runs_arrive_to_the_byte_in_parts_that_are_small_enough(source, packed, tmp_path):
    store, runs = source
    parts = [path for path in packed.iterdir() if path.name != parcel.PARCEL]
    assert len(parts) > 4
    assert max(path.stat().st_size for path in parts) == PART
    arrived = parcel.unpack(packed, Store(tmp_path))
    assert [(run.config, known) for run, known in arrived] == [(run.config, False) for run in runs]
    assert files(tmp_path) == {path: content for path, content in files(store.root).items() if path.parts[0] == "smoke"}
    assert arrived[0][0].probe().embedding("Z").shape == (118, 8)
    assert [known for _, known in parcel.unpack(packed, Store(tmp_path))] == [True, True]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_anywhere_is_found(packed, tmp_path_factory, data):
    folder = shutil.copytree(packed, tmp_path_factory.mktemp("flipped") / "parcel")
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    store = folder.parent / "store"
    left = refused(folder, store)
    # A whole run that came before the damaged one stays, and nothing but whole runs.
    assert all(run.parts[2] != "seed-1" for run in left)
    assert all(not isinstance(run, NuclrError) for run in Store(store).runs())
    shutil.rmtree(folder.parent)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_part_cut_short_or_grown_is_found(packed, tmp_path_factory, data):
    folder = shutil.copytree(packed, tmp_path_factory.mktemp("cut") / "parcel")
    path = data.draw(st.sampled_from(sorted(folder.glob("smoke.tiny.0.*"))))
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(data.draw(st.sampled_from([content[:cut], content + b"\0"])))
    assert refused(folder, folder.parent / "store", "bytes where .* were packed: fetch it again") == {}
    shutil.rmtree(folder.parent)


def test_missing_and_exchanged_parts_are_found(carried, tmp_path):
    first, second, *_ = sorted(carried.glob("smoke.tiny.0.*"))
    both = first.read_bytes(), second.read_bytes()
    first.write_bytes(both[1])
    second.write_bytes(both[0])
    assert refused(carried, tmp_path / "store", "is damaged") == {}
    first.unlink()
    assert refused(carried, tmp_path / "store", "Cannot read the part .* fetch it again") == {}


def test_a_list_with_parts_in_another_order_is_refused_whoever_wrote_it(carried, tmp_path):
    path = carried / parcel.PARCEL
    content = json.loads(path.read_text())
    content["runs"][0]["parts"].reverse()
    path.write_text(json.dumps(content))
    assert refused(carried, tmp_path / "store", "its sha256 is not that of its content") == {}
    content["sha256"] = parcel._checksum(content)
    path.write_text(json.dumps(content))
    assert refused(carried, tmp_path / "store", "do not hold the files that parcel.json names") == {}


@pytest.mark.parametrize("name", ["../../outside", "/outside", "", ".hidden"])
def test_no_name_in_a_parcel_leads_out_of_it(carried, tmp_path, name):
    path = carried / parcel.PARCEL
    content = json.loads(path.read_text())
    content["runs"][0]["files"][1]["name"] = name
    content["sha256"] = parcel._checksum(content)
    path.write_text(json.dumps(content))
    assert refused(carried, tmp_path / "store", "is no name of a file") == {}


def test_another_training_of_a_run_is_never_replaced(source, packed, tmp_path):
    run = source[1][0]
    store = Store(tmp_path)
    store.add("smoke", run.config, run.manifest["fingerprint"], {"weights.safetensors": b"other"}, {})
    before = files(tmp_path)
    assert refused(packed, tmp_path, "The store has another training of run tiny, seed 0 in .* it stays") == before


def test_a_run_whose_files_are_not_its_own_is_not_taken_in(source, tmp_path):
    contents = source[1][0].contents()
    for wrong in (
        contents | {"weights.safetensors": b"other"},
        contents | {"more": b""},
        {name: content for name, content in contents.items() if name != "curves.csv"},
    ):
        with pytest.raises(NuclrError, match="are not those that its manifest names: it is not taken in"):
            Store(tmp_path).put(wrong)
    with pytest.raises(NuclrError, match="cannot be read"):
        Store(tmp_path).put({})
    assert files(tmp_path) == {}


def test_what_is_no_parcel_and_what_is_no_empty_folder_is_told(source, carried, tmp_path):
    with pytest.raises(NuclrError, match="is no parcel, or its packing was not finished"):
        parcel.unpack(tmp_path, Store(tmp_path / "store"))
    with pytest.raises(NuclrError, match="is not an empty folder: name a new one with --out"):
        parcel.pack(source[1], carried, PART)


def test_a_damaged_run_is_not_packed(source, tmp_path):
    store = Store(shutil.copytree(source[0].root, tmp_path / "store"))
    run = store.find("smoke", TINY, plan.fingerprint_of(TINY))
    (run.folder / "curves.csv").write_bytes(b"other")
    with pytest.raises(NuclrError, match=r"curves\.csv is damaged"):
        parcel.pack([run], tmp_path / "parcel", PART)
    assert not (tmp_path / "parcel" / parcel.PARCEL).exists()


def test_every_run_of_a_store_is_listed_and_of_what_cannot_be_read_where_and_why(source, tmp_path):
    store = Store(shutil.copytree(source[0].root, tmp_path / "store"))
    first, second = store.runs()
    (first.folder / "curves.csv").unlink()
    later = {"config": second.manifest["config"] | {"later": 1}}  # as another version may write it
    store.add("smoke", second.config, "f" * 16, {}, later)
    told = [str(run) for run in store.runs() if isinstance(run, NuclrError)]
    assert len(store.runs()) == 3
    assert "Cannot read" in told[0]
    assert str(first.folder) in told[0]
    assert str(second.folder.parent / ("f" * 16)) in told[1]
    assert "no setting in run 'later'" in told[1]
