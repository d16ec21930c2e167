"""`nuclr reproduce`: which claims are judged when, what a failing judging says, and what Ctrl-C leaves behind."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from nuclr.cli import reproducing
from nuclr.cli.reproducing import Judge, in_order, runs_of
from nuclr.errors import NuclrError
from nuclr.runs import PROFILES, planned
from nuclr.train import plan, pool
from nuclr.verdict.registry import GROUPS, load

ROOT = Path(__file__).parents[1]
CLAIMS = load(ROOT / "claims" / "paper.toml")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_run_of_a_profile_is_needed_by_a_claim(profile):
    assert set(runs_of(CLAIMS.claims.values(), profile)) == {run.name for run in planned(profile)}


def test_claims_without_runs_come_first_and_then_the_headline_claims_cheap_ones_before_dear_ones():
    ordered = in_order(CLAIMS.claims.values(), "cpu", 1)
    without = [claim for claim in ordered if not claim.runs]
    assert ordered[: len(without)] == without
    groups = [GROUPS.index(claim.group) for claim in ordered[len(without) :]]
    assert groups == sorted(groups)
    costs = {claim.id: plan.work(planned("cpu", runs_of([claim], "cpu"))) for claim in ordered}
    headline = [costs[claim.id] for claim in ordered if claim.group == "headline"]
    assert headline == sorted(headline)
    assert headline[0] > 0


@pytest.fixture
def judged(monkeypatch, tmp_path):
    """A judge whose claims are judged by noting them, and the list of the batches. No run is trained at first."""
    batches = []
    judge = Judge(CLAIMS, "cpu", tmp_path / "runs", tmp_path / "reports", 0)
    monkeypatch.setattr(judge, "_run", lambda claims: batches.append({claim.id for claim in claims}))
    configs = planned("cpu")
    missing = [SimpleNamespace(config=run, fingerprint=run.label, stored=None) for run in configs]
    monkeypatch.setattr(
        plan, "survey", lambda _profile, _store, names, _look: [run for run in missing if run.config.name in names]
    )
    monkeypatch.setattr(pool, "absent", lambda job: job.lost)
    return judge, batches


def job(name, lost=()):
    from nuclr.train.worker import Job

    runs = planned("cpu", [name])
    found = Job("cpu", tuple(runs), tuple(run.label for run in runs), Path("runs"), "cpu", 1)
    object.__setattr__(found, "lost", list(lost))
    return found


def until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_claim_is_judged_once_all_of_its_runs_are_there(judged):
    judge, batches = judged
    judge.begin([CLAIMS.claims[name] for name in ("dataset", "few-pcs", "number-order", "helix")], 1)
    until(lambda: batches == [{"dataset"}])
    judge.ended(job("joint"))
    until(lambda: batches == [{"dataset"}, {"few-pcs"}])
    judge.ended(job("joint-without-numbers", lost=["a run that diverged"]))
    judge.ended(job("joint-without-numbers"))
    until(lambda: batches[2:] == [{"number-order"}])
    judge.finish(all_of_them=False)
    assert len(batches) == 3


def test_claims_without_runs_do_not_wait_for_others(judged, monkeypatch):
    judge, batches = judged
    monkeypatch.setattr(plan, "survey", lambda *_: [])
    monkeypatch.setattr(judge, "_judge", lambda: None)
    claims = [CLAIMS.claims[name] for name in ("dataset", "semf-misses-shells")]
    judge.begin(claims, 1)
    judge._ready.put("few-pcs")
    judge._ready.put(None)
    monkeypatch.undo()
    monkeypatch.setattr(judge, "_run", lambda claims: batches.append([claim.id for claim in claims]))
    judge._judge()
    assert batches == [["dataset", "semf-misses-shells"], ["few-pcs"]]


def test_what_lacks_runs_at_the_end_is_judged_all_the_same(judged):
    judge, batches = judged
    judge.begin([CLAIMS.claims[name] for name in ("few-pcs", "helix")], 1)
    judge.finish()
    assert set.union(*batches) == {"few-pcs", "helix"}


def test_what_goes_wrong_while_judging_is_raised_at_the_end(judged, monkeypatch):
    judge, _ = judged

    def fail(_claims):
        raise NuclrError("pytest could not judge dataset.")

    monkeypatch.setattr(judge, "_run", fail)
    judge.begin([CLAIMS.claims["dataset"]], 1)
    with pytest.raises(NuclrError, match="could not judge dataset"):
        judge.finish()


def test_a_claim_is_open_where_it_is_undecided_after_this_look_and_there_is_another(judged, monkeypatch):
    judge, _ = judged
    looks = {
        "few-pcs": {"made": 1, "of": 3, "undecided": True},
        "helix": {"made": 2, "of": 3, "undecided": True},
        "volume-pc": {"made": 1, "of": 3, "undecided": False},
        "pairing-pc": {"made": 3, "of": 3, "undecided": True},
        "dataset": None,
    }
    monkeypatch.setattr(judge, "_records", lambda: {name: {"looks": one} for name, one in looks.items()})
    opened = {made: [claim.id for claim in judge.open_claims(made)] for made in (1, 2, 3)}
    assert opened == {1: ["few-pcs"], 2: ["helix"], 3: []}


def test_a_pytest_that_cannot_start_is_named_with_the_place_of_what_it_said(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    judge = Judge(CLAIMS, "no profile", tmp_path / "runs", tmp_path / "reports", 0)
    with pytest.raises(NuclrError, match=r"could not judge dataset: see .*judging\.log"):
        judge._run([CLAIMS.claims["dataset"]])
    assert "The profile 'no profile' is not a name" in judge.log.read_text()


def test_no_more_than_one_process_judges_a_single_claim():
    assert reproducing._side_by_side(1) == []


@pytest.mark.faults
def test_ctrl_c_leaves_a_page_that_says_what_is_missing(tmp_path):
    reports = tmp_path / "reports"
    command = [sys.executable, "-m", "nuclr", "reproduce", "--profile", "smoke-x0.1", "--store", str(tmp_path / "runs")]
    running = subprocess.Popen(
        [*command, "--reports", str(reports)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = []
    for line in running.stdout:
        lines.append(line)
        if line.startswith("dataset"):
            break
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=120)
    assert running.returncode == 130, "".join(lines) + rest
    assert "what was trained is kept" in rest
    claims = json.loads((reports / "evidence.json").read_text())["claims"]
    assert claims["dataset"]["verdict"] == "reproduced"
    assert "Not judged in the profile smoke-x0.1 so far" in claims["multi-task"]["reason"]
    page = (reports / "index.html").read_text()
    assert "Not judged in the profile smoke-x0.1 so far" in page
