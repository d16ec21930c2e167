"""The command line as a user meets it: sentences instead of tracebacks.

In this process, which has torch at hand already; that the same comes out of a process of its own is one test.
"""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nuclr.cli import main
from nuclr.cli.nuclides import _told
from nuclr.config import DataConfig, ModelConfig, RunConfig
from nuclr.model.network import Network
from nuclr.model.probe import Probe
from nuclr.train import kinds

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {"PATH": "", "COLUMNS": "120"}


@pytest.fixture
def nuclr(monkeypatch, capsys):
    """nuclr("train", "--device", "tpu"): what the command line printed, and the code that it ended with."""
    monkeypatch.chdir(ROOT)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["nuclr", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=ended.value.code, stdout=printed.out, stderr=printed.err)

    return run


def test_a_process_of_its_own_ends_and_prints_the_same(nuclr):
    for arguments in (["train", "--profile", "cpuu"], ["claims", "helixx"], ["predict", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "nuclr", *arguments],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), **ENVIRONMENT},
            capture_output=True,
            text=True,
            check=False,
        )
        here = nuclr(*arguments)
        assert (done.returncode, done.stderr) == (here.returncode, here.stderr)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command",
    ["", "train", "sweep", "report", "analyse", "claims", "reproduce", "predict", "data", "store", "golden", "bench"],
)
def test_every_command_has_help_with_an_example(nuclr, command):
    done = nuclr(*([command] if command else []), "--help")
    assert done.returncode == 0
    assert "python -m nuclr" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--profile", "cpuu"], "There is no profile 'cpuu': did you mean 'cpu'?"),
        (["train", "--device", "tpu"], "There is no device 'tpu'"),
        (
            ["train", "--profile", "paper", "--budget", "9"],
            "'9' is no time to train for: write --budget as 90s, 9m or 1h30m.",
        ),
        (["train", "--profile", "paper", "--scale", "1e-7"], "not one step: take 1.1e-05 or more."),
        (["reproduce", "--profile", "paper", "--scale", "2"], "it must lie between 0 and 1, as in paper-x0.001."),
        (["golden", "--profile", "paper-x0.001", "--record"], "paper-x0.001 cannot become golden. A trial of the path"),
        (["sweep", "--profile", "smoke", "--cluster", "slrum"], "There is no cluster 'slrum': did you mean 'slurm'?"),
        (["sweep", "--profile", "smoke", "--time", "4h"], "'4h' is no time limit: write --time as 4:00:00"),
        (["sweep", "--profile", "smoke", "--store", "nowhere"], "There is no sbatch here"),
        (["predict", "208Pg"], "There is no element 'Pg': did you mean"),
        (["predict", "208"], "'208' is no nuclide: write it as 208Pb, Pb-208 or 82,126."),
        (["predict", "119,200"], "beyond what is trained"),
        (["predict", "208Pb", "--store", "nowhere"], "is missing from nowhere: train it with"),
        (["claims", "helixx"], "There is no claim 'helixx': did you mean 'helix'?"),
        (
            ["store", "export", "joint/x", "--out", "parcel"],
            "'joint/x' is no run: write joint for every seed of it, or joint/0",
        ),
        (["store", "export", "joint/9", "--profile", "cpu", "--out", "parcel"], "has no seed 9 in the profile cpu"),
        (
            ["store", "export", "joint", "--profile", "cpu", "--store", "nowhere", "--out", "parcel"],
            "is missing from nowhere",
        ),
        (["store", "import", "nowhere"], "the folder is no parcel, or its packing was not finished."),
        (["report", "--evidence", "nowhere.json"], "nowhere.json"),
        (["report", "--compare", "nowhere.json", "neither.json"], "nowhere.json"),
        (["analyse", "--out", "helix.svg"], "either --figure or --run"),
        (["analyse", "--run", "joint", "--out", "joint.svg", "--store", "nowhere"], "is missing from nowhere"),
        (["analyse", "--figure", "8", "--out", "helix.gif"], "end it in .svg, .png, .pdf"),
    ],
)
def test_wrong_input_is_one_sentence_and_a_nonzero_exit(nuclr, arguments, sentence):
    done = nuclr(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_unwritable_store_is_one_sentence(nuclr, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = nuclr("train", "--profile", "smoke", "--device", "cpu", "--store", blocked)
    assert done.returncode == 2
    assert "Cannot write to the store" in done.stderr
    assert "Traceback" not in done.stderr


def test_malformed_evidence_still_gives_a_page_and_does_not_end_well(nuclr, tmp_path):
    evidence = tmp_path / "evidence.json"
    evidence.write_text('{"schema": 1}')
    done = nuclr("report", "--evidence", evidence, "--out", tmp_path / "index.html")
    assert done.returncode == 2
    assert "profile is missing" in done.stderr
    assert "The page names it and 5 more." in done.stderr
    assert "This page is not complete" in (tmp_path / "index.html").read_text()
    assert (tmp_path / "junit.xml").exists()
    assert (tmp_path / "summary.md").exists()


def test_claims_as_json_lists_every_claim(nuclr, tmp_path):
    listed = json.loads(nuclr("claims", "--json", "--reports", tmp_path).stdout)
    assert len(listed) == 29
    helix = next(entry for entry in listed if entry["id"] == "helix")
    assert helix["figure"] == [1, 8, 14]
    assert helix["bound"] == {"margin-z": "> 0", "margin-n": "> 0"}
    assert helix["verdicts"] == {}


def test_commands_that_need_the_repository_say_so(nuclr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = nuclr("claims")
    assert done.returncode == 2
    assert "root of the nuclr repository" in done.stderr


def test_the_data_describe_themselves(nuclr):
    done = nuclr("data")
    assert "3338 in the core set, 29896 rows" in done.stdout


def test_runs_are_listed_packed_and_taken_in(nuclr, tmp_path):
    from nuclr import runs
    from nuclr.train.plan import fingerprint_of
    from nuclr.train.store import Store

    known = runs.named("smoke", "binding")[0]
    store = Store(tmp_path / "runs")
    for fingerprint in (fingerprint_of(known), "0" * 16):
        store.add("smoke", known, fingerprint, {"weights.safetensors": bytes(3000)}, {})
    listed = nuclr("store", "list", "--store", store.root).stdout.splitlines()
    assert [line.split()[0] for line in listed[:2]] == ["smoke/binding/0"] * 2
    assert sorted(line.split()[-1] for line in listed[:2]) == ["current", "stale"]
    assert "2 runs in" in listed[-1]
    parcel, other = tmp_path / "parcel", tmp_path / "other"
    packing = ("store", "export", "binding/0", "--profile", "smoke", "--store", store.root, "--out", parcel)
    assert "Packed 1 runs in 2 parts" in nuclr(*packing, "--part-size", "0.003").stdout
    assert "smoke/binding/0: current" in nuclr("store", "import", parcel, "--store", other).stdout
    again = nuclr("store", "import", parcel, "--store", other)
    assert again.returncode == 0
    assert "was there already" in again.stdout


@pytest.mark.parametrize(
    ("nuclide", "beside", "last"),
    [
        ((82, 126), "evaluated        5.501, trained by 2 of 2", "charge radius"),
        ((82, 127), "evaluated        5.510, trained by 0 of 2", "the nearest that one did is 1 step away."),
        ((20, 40), "not evaluated", "the nearest that one did is 10 steps away."),
    ],
)
def test_a_prediction_tells_what_is_known_and_who_trained_on_it(nuclide, beside, last, monkeypatch):
    config = RunConfig("charge-radius", 0, DataConfig(("radius",), fraction=1.0), ModelConfig(width=8))
    parameters = Network.of(config.model, 1).initialise([0], torch.float64)
    everything = kinds.examples(config)
    but_one = dataclasses.replace(everything, train=(everything.z != 82) | (everything.n != 127))
    monkeypatch.setattr(kinds, "examples", lambda _: but_one)
    first, *more = _told(*nuclide, [Probe(config, parameters, np.array([0.7]), np.array([6.0]))] * 2)
    assert beside in first
    assert last in (more[0] if more else first)
