"""How many runs train together: chosen from timings, which are measured once, and never in the way."""

import json
from dataclasses import replace

import pytest

from nuclr.config import ModelConfig
from nuclr.train import fleetsize, native
from nuclr.train.fleetsize import Pace, cache_file, pace


def pace_of(**seconds):
    return Pace({int(size[1:]): value for size, value in seconds.items()})


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NUCLR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fleet-sizes.json"


@pytest.fixture
def measured(monkeypatch):
    """Timings which get better up to five runs, instead of real ones; the list of sizes that were measured."""
    sizes = []

    def measure(configs, *_):
        sizes.append(len(configs))
        return {1: 3.0, 2: 2.0, 3: 1.5, 5: 1.0, 8: 1.1, 13: 1.2}[len(configs)] * 1e-3

    monkeypatch.setattr(fleetsize, "_measure", measure)
    return sizes


def test_the_smallest_size_near_the_fastest_is_taken():
    assert pace_of(_1=2.0, _2=1.04, _3=1.0, _5=1.2).best == 2
    assert pace_of(_1=2.0, _2=1.06, _3=1.0).best == 3
    assert pace_of(_1=1.0).best == 1


def test_a_size_between_is_interpolated_and_beyond_is_the_last():
    assert pace_of(_1=2.0, _3=1.0).at(2) == pytest.approx(1.5)
    assert pace_of(_1=2.0, _3=1.0).at(9) == 1.0


def test_sizes_grow_until_they_gain_no_more_and_are_kept(tiny, cache, measured):
    configs, notes = [tiny(seed=s) for s in range(30)], []
    first = pace(configs, "cpu", notes.append)
    assert first.best == 5
    assert measured == [1, 2, 3, 5, 8, 13]
    assert len(notes) == 1
    assert pace(configs, "cpu", notes.append) == first
    assert measured == [1, 2, 3, 5, 8, 13]
    assert len(notes) == 1
    assert cache_file() == cache
    assert len(json.loads(cache.read_text())) == 1


@pytest.mark.usefixtures("cache")
def test_no_more_is_measured_than_there_are_runs_and_later_only_the_rest(tiny, measured):
    assert pace([tiny(seed=s) for s in range(2)], "cpu").best == 2
    assert pace([tiny(seed=s) for s in range(4)], "cpu").best == 3
    assert measured == [1, 2, 3]


@pytest.mark.usefixtures("cache")
def test_another_shape_batch_or_version_is_measured_by_itself(tiny, measured, monkeypatch):
    for config in (
        tiny(),
        tiny(batch=65),
        tiny(steps=121),
        tiny(seed=1, weight_decay=0.5),  # none of these changes what a step costs
    ):
        pace([config], "cpu")
    assert measured == [1, 1, 1]
    monkeypatch.setattr(fleetsize, "__version__", "another")
    pace([tiny()], "cpu")
    assert measured == [1, 1, 1, 1]


@pytest.mark.usefixtures("cache")
def test_a_fleet_whose_step_is_long_is_not_enlarged(tiny, monkeypatch):
    monkeypatch.setattr(fleetsize, "_measure", lambda configs, *_: 0.3 / len(configs) ** 0.1)
    assert pace([tiny(seed=s) for s in range(8)], "cpu").best == 2


@pytest.mark.skipif(native.library() is None, reason="needs a C compiler")
@pytest.mark.usefixtures("cache")
def test_runs_of_the_kernel_train_alone_and_only_that_is_measured(tiny, measured):
    configs = [replace(tiny(seed=s), model=ModelConfig(width=32)) for s in range(8)]
    assert pace(configs, "cpu").best == 1
    assert measured == [1]


@pytest.mark.parametrize("damage", ["", "[1, 2]", '{"x": ', "\xff", "every entry"])
def test_a_damaged_cache_is_measured_anew_and_mended(tiny, cache, measured, damage):
    pace([tiny()], "cpu")
    if damage == "every entry":
        cache.write_text(json.dumps({key: {"1": ["soon", None]} for key in json.loads(cache.read_text())}))
    else:
        cache.write_text(damage, encoding="latin-1")
    assert pace([tiny()], "cpu") == pace_of(_1=3e-3)
    assert measured == [1, 1]
    pace([tiny()], "cpu")
    assert measured == [1, 1]


def test_a_cache_that_cannot_be_written_is_done_without(tiny, tmp_path, monkeypatch, measured):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setenv("NUCLR_CACHE", str(blocked))
    for _ in range(2):
        assert pace([tiny()], "cpu").best == 1
    assert measured == [1, 1]
    assert blocked.read_text() == "a file where a folder should be"


def test_the_cache_lies_in_the_users_cache_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("NUCLR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_file() == tmp_path / "nuclr" / "fleet-sizes.json"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_file() == tmp_path / "home" / ".cache" / "nuclr" / "fleet-sizes.json"


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(("width", "size"), [(64, 8), (512, 8), (1024, 3), (2048, 3)])
def test_on_a_gpu_nothing_is_measured_and_wide_fleets_are_small(tiny, measured, width, size):
    configs = [replace(tiny(seed=s), model=ModelConfig(width=width)) for s in range(9)]
    found = pace(configs, "cuda")
    assert found.best == size
    assert 1e-5 < found.at(size) < 1e-1
    assert measured == []


@pytest.mark.usefixtures("cache")
def test_a_real_measurement_is_short_and_positive(tiny):
    threads = fleetsize.torch.get_num_threads()
    found = pace([tiny(seed=s) for s in range(3)], "cpu")
    assert set(found.of_size) <= {1, 2, 3}
    assert all(0 < seconds < 1 for seconds in found.of_size.values())
    assert fleetsize.torch.get_num_threads() == threads
