"""A slot on a borrowed card: what comes back, also where stages hang, fleets fail, room runs out and everything is killed."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import one_slot_fakes as fakes
import pytest
from scipy.spatial.distance import pdist

from nuclr.data import table
from nuclr.errors import NuclrError
from nuclr.runs import planned
from nuclr.train.examples import examples
from nuclr.train.plan import fingerprint_of, require
from nuclr.train.store import Store
from tools.one_slot import slot
from tools.one_slot.fetch import INDEX, fetch, join
from tools.one_slot.parts import LATER, LEAN, Parts, npz
from tools.one_slot.plan import names
from tools.one_slot.slot import Slot, Tasks

ROOT = Path(__file__).parents[1]


def unpacked(folder):
    """The files in all parts, each part read to its end."""
    found = {}
    for path in sorted(folder.glob("part-*.tar")):
        with tarfile.open(path) as archive:
            for entry in archive:
                assert entry.name not in found
                found[entry.name] = archive.extractfile(entry).read()
    return found


def arrays(content):
    with np.load(io.BytesIO(content)) as found:
        return dict(found)


# ------------------------------------------------------------------------------------------------------ a rehearsal


def test_a_rehearsal_brings_back_what_a_later_judging_needs(tmp_path):
    out, work = tmp_path / "out", tmp_path / "work"
    Slot(
        *(out, work, "cpu", "smoke"),
        only=["proton-number", "modular-addition"],
        tasks=Tasks()._replace(bench=fakes.bench),  # that of the package measures for a quarter of a minute
    ).run()
    log = (out / "log.txt").read_text()
    assert "FAILED" not in log
    assert "ended early" not in log
    assert ": OFF" not in log
    for fact in (
        "rows of proton-number, seed 0: ",
        "gradients of binding in float64: ",
        "20 steps, graph: ",
        "ms a run-step",
    ):
        assert fact in log
    assert {path.name for path in out.iterdir()} == {"log.txt", "part-1.tar"}
    files = unpacked(out)
    evidence = json.loads(files["reports/evidence.json"])["claims"]
    assert evidence["modular-midpoint"]["verdict"] in ("reproduced", "not reproduced", "inconclusive")
    assert len(evidence["modular-midpoint"]["runs"]) == 5
    assert evidence["helix"]["verdict"] == "not run"
    assert json.loads(files["bench.json"]) == {"results": []}
    for config in planned("smoke", ["proton-number", "modular-addition"]):
        found, stored = (
            arrays(files[f"runs/{config.name}-{config.seed}.npz"]),
            require("smoke", config, Store(work / "store")),
        )
        assert json.loads(found["manifest"].item()) == stored.manifest
        assert found["curve.loss"].tolist() == [point["loss"] for point in stored.curves()]
        check = check_addition if config.name == "modular-addition" else check_nuclei
        check(found, stored)
    assert not list(work.glob("store/.unfinished/*"))


def check_addition(found, stored):
    for name, value in stored.weights().items():
        np.testing.assert_array_equal(found[f"weights.{name}"], value.numpy())


def check_nuclei(found, stored):
    probe, rows = stored.probe(), examples(stored.config)
    for symbol in "ZN":
        embedding, own = found[f"embedding.{symbol}"], probe.embedding(symbol)
        np.testing.assert_allclose(pdist(embedding), pdist(own), rtol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), np.linalg.norm(own, axis=1), rtol=1e-5)
    error = (found["prediction"] - rows.value)[rows.validation]
    told = stored.manifest["errors"]["validation_rms.z"]
    assert np.sqrt(np.mean(error**2)) == pytest.approx(told, rel=1e-3)
    axes, readout = found["penultimate.axes"], found["penultimate.readout"]
    assert axes.shape[1] == len(readout) - 1 == min(64, stored.config.model.width)
    core = table.load()[table.core(table.load())]
    predicted = probe.predict(core.z.to_numpy(), core.n.to_numpy(), "z")
    np.testing.assert_allclose(readout[0] + axes @ readout[1:], predicted, rtol=1e-4, atol=1e-3)  # of all components
    assert found["penultimate.share"].sum() == pytest.approx(1, abs=1e-5)
    assert found["trained.order-Z"].shape == found["trained.at"].shape


# ---------------------------------------------------------------------------------------------- stages and fleets that fail


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """made_up(fleets, **stages): the lines of the log and the files that came back from a slot of made-up stages."""
    monkeypatch.setattr(slot, "START", 0.0)

    def run(fleets, **stages):
        out = tmp_path / "out"
        Slot(out, tmp_path / "work", "cpu", "smoke", only=fleets, tasks=fakes.TASKS._replace(**stages)).run()
        return (out / "log.txt").read_text(), unpacked(out)

    return run


def test_a_stage_that_hangs_is_killed_at_its_end_and_the_rest_goes_on(made_up, monkeypatch):
    monkeypatch.setitem(slot.ENDS, "check", 4)
    monkeypatch.setitem(slot.ENDS, "judge", 12)
    began = time.monotonic()
    log, files = made_up(["good*2"], gradients=fakes.hang, judge=fakes.judge_without_end)
    assert 12 < time.monotonic() - began < 40
    assert log.count("Its time was over.") == 4  # two gradients, with no time left the first steps, and the judging
    assert set(files) == {"runs/good-0.npz", "runs/good-1.npz", "reports/evidence.json", "bench.json"}


def test_fleets_that_fail_do_not_end_the_rest(made_up, monkeypatch):
    monkeypatch.setattr(slot, "SILENCE", 3.0)
    log, files = made_up(["crashes", "needs-eager", "large*3", "dies", "hangs", "unreadable", "good"])
    trained = [line.split()[1:] for line in log.splitlines() if " x " in line]
    assert [" ".join(words) for words in trained] == [
        *("crashes x 1", "crashes x 1 eager"),
        *("needs-eager x 1", "needs-eager x 1 eager"),
        *("large x 3", "large x 2", "large x 1"),
        *("dies x 1", "dies x 1 eager"),
        *("hangs x 1", "hangs x 1 eager"),
        *("unreadable x 1", "good x 1"),
    ]
    for reason in (
        "this fleet cannot be trained",
        "Its process died (exit code -9).",
        "no sign of life for 3 s",
        "nothing to read",
    ):
        assert reason in log
    assert 'File "' in log  # the whole traceback
    stored = {"needs-eager-0", "large-0", "large-1", "large-2", "good-0"}
    assert {name for name in files if name.startswith("runs/")} == {f"runs/{name}.npz" for name in stored}


def test_what_does_not_fit_into_the_time_that_is_left_is_not_begun(made_up, monkeypatch):
    monkeypatch.setitem(slot.ENDS, "train", 60)
    monkeypatch.setattr(slot, "START", 12.0)
    monkeypatch.setattr(slot, "MARGIN", 300)
    log, files = made_up(["good*60", "good"])
    assert "left out: good of seeds 0, 1, 2, 3" in log
    assert [name for name in files if name.startswith("runs/")] == ["runs/good-0.npz"]


def test_wrong_gradients_mean_no_training_and_a_wrong_graph_eager_runs_alone(made_up):
    log, files = made_up(["good*2"], gradients=fakes.float32_is_off)
    assert "wrong gradients: nothing is trained" in log
    assert "bench of cpu" in log
    assert set(files) == {"bench.json"}
    log, _ = made_up(["good*2"], first_steps=fakes.graph_and_fleet_are_off)
    assert log.count("good x 1 eager") == 2


# --------------------------------------------------------------------------------------------------------------- the parts


def test_a_slot_killed_at_any_moment_leaves_whole_parts_and_no_process(tmp_path):
    rng, counts = random.Random(0), []
    for attempt in range(4):
        out = tmp_path / f"out-{attempt}"
        slot = subprocess.Popen(
            [sys.executable, fakes.__file__, str(out), str(tmp_path / f"work-{attempt}")],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not (out / "part-1.tar").exists():
            time.sleep(0.005)
            assert slot.poll() is None
        time.sleep(rng.uniform(0, 1))
        family = descendants(slot.pid)
        # All at once, as when a machine is taken away; or the slot alone, and the others see to themselves.
        for process in [slot.pid, *family] if attempt % 2 else [slot.pid]:
            os.kill(process, signal.SIGKILL)
        assert slot.wait() == -signal.SIGKILL
        counts.append(len(unpacked(out)))
        end = time.monotonic() + 10
        while any(alive(process) for process in family) and time.monotonic() < end:
            time.sleep(0.1)
        assert len(family) >= 2
        assert not any(alive(process) for process in family)
    assert len(set(counts)) > 1
    assert 0 < min(counts) <= max(counts) < 120


WITHOUT_PAUSE = """
import sys
from pathlib import Path
from tools.one_slot.parts import Parts

parts = Parts(Path(sys.argv[1]))
for number in range(1000):
    parts.add({f"{number}": bytes(100_000 + number)})
"""


def test_a_part_that_is_being_written_is_whole_when_the_writing_is_killed(tmp_path):
    rng, counts = random.Random(0), set()
    for attempt in range(6):
        out = tmp_path / f"out-{attempt}"
        writing = subprocess.Popen([sys.executable, "-c", WITHOUT_PAUSE, str(out)], cwd=ROOT)
        while not (out / "part-1.tar").exists():
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.5))
        writing.kill()
        assert writing.wait() == -signal.SIGKILL
        files = unpacked(out)
        assert {name: len(content) for name, content in files.items()} == {
            str(number): 100_000 + number for number in range(len(files))
        }
        counts.add(len(files))
    assert len(counts) > 3


def descendants(parent):
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    found = [int(pid) for pid in children.stdout.split()]
    return found + [pid for child in found for pid in descendants(child)]


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_parts_stay_within_their_size_number_and_room(tmp_path):
    parts = Parts(tmp_path, size=50_000, count=3, room=130_000)
    assert [parts.add({str(number): bytes(18_000)}) for number in range(7)] == [True] * 6 + [False]
    assert not parts.add({"too large": bytes(60_000)})
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    assert len(sizes) == 3
    assert max(sizes) <= 50_000
    assert parts.left == 130_000 - sum(sizes) >= 0
    assert set(unpacked(tmp_path)) == set("012345")


def test_embeddings_of_runs_to_come_win_over_predictions_of_runs_that_came_before(tmp_path):
    content = npz(
        {
            "manifest": np.array(b"{}"),
            "embedding.Z": np.ones(10),
            "prediction": np.ones(200_000),
            "penultimate.axes": np.ones(9),
        }
    )
    parts = Parts(tmp_path, room=LATER + 3 * LEAN + len(content) + 1000)
    assert parts.add_run("later", content, to_come=3) == "whole"
    assert parts.add_run("last", content, to_come=2) == "without predictions and penultimate layer"
    assert parts.add_run("end", content, to_come=0) == "without predictions and penultimate layer"
    files = unpacked(tmp_path)
    assert files["later"] == content
    assert set(arrays(files["last"])) == {"manifest", "embedding.Z"}
    full = Parts(tmp_path / "full", room=LATER)
    assert full.add_run("one", content, to_come=0) == "left out"


# --------------------------------------------------------------------------------------------------------- whole networks


@pytest.fixture
def stored(tmp_path):
    """(store, content by name) of two runs whose weights are made up."""
    store, contents = Store(tmp_path / "store"), {}
    for config in planned("smoke", ["binding"])[:2]:
        weights = contents[f"binding-{config.seed}.safetensors"] = random.Random(config.seed).randbytes(25_000)
        store.add("smoke", config, fingerprint_of(config), {"weights.safetensors": weights}, {})
    return store.root, contents


def test_pieces_of_several_calls_join_to_the_exact_files(stored, tmp_path):
    store, contents = stored
    said = []
    for first in (1, 7):
        fetch(said.append, "smoke", store, ["binding/0", "binding/1"], tmp_path / "pieces", first, size=3000)
    assert said == [
        *("pieces 1 to 6 of 18, 0.0 MB", "the next call: the same with --first 7"),
        *("pieces 7 to 12 of 18, 0.0 MB", "the next call: the same with --first 13"),
    ]
    with pytest.raises(NuclrError, match=r"Cannot read the part .*binding-1\.safetensors\.004"):
        join(tmp_path / "pieces")
    fetch(said.append, "smoke", store, ["binding/0", "binding/1"], tmp_path / "pieces", 13, size=3000)
    assert said[-1].startswith("pieces 13 to 18 of 18")
    assert {path.name: path.read_bytes() for path in join(tmp_path / "pieces")} == contents


def test_join_names_a_damaged_piece_and_the_command_says_it_in_a_sentence(stored, tmp_path):
    store, _ = stored
    out = tmp_path / "pieces"
    fetch(print, "smoke", store, ["binding/0"], out, size=15_000)
    piece = out / "binding-0.safetensors.002"
    piece.write_bytes(bytes(len(piece.read_bytes())))
    done = subprocess.run(
        [sys.executable, "-m", "tools.one_slot", "--join", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"one_slot: The part {piece} is damaged")
    (out / INDEX).write_text("{")
    with pytest.raises(NuclrError, match=rf"{INDEX} cannot be read"):
        join(out)


def test_a_run_that_is_not_there_is_named(stored, tmp_path):
    store, _ = stored
    with pytest.raises(NuclrError, match="'binding/7' is no run of the profile smoke: choose of binding/0"):
        fetch(print, "smoke", store, ["binding/7"], tmp_path)
    with pytest.raises(NuclrError, match="Run binding, seed 2 is missing from"):
        fetch(print, "smoke", store, ["binding/2"], tmp_path)
    with pytest.raises(NuclrError, match="There is no piece 3: these runs have 2"):
        fetch(print, "smoke", store, ["binding/0"], tmp_path, first=3, size=15_000)


def test_the_order_begins_with_the_runs_that_carry_most_claims():
    chosen = ["fraction-90", "charge-radius", "binding", "neutron-separation", "joint"]
    assert names("smoke", chosen) == ["joint", "binding", "neutron-separation", "fraction-90", "charge-radius"]
    assert names("wide", [])[:2] == ["joint", "binding"]
    assert sorted(names("wide", [])) == sorted({run.name for run in planned("wide")})
    with pytest.raises(NuclrError, match="There is no run 'bindung'"):
        names("smoke", ["bindung"])
