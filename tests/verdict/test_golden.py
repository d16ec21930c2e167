"""Golden evidence: kept whole, and a later judging that differs from it is told from one that does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nuclr import cli
from nuclr.errors import NuclrError
from nuclr.verdict import golden, record

from .small_paper import GOOD_COUNT, GOOD_VOLUME, Judge

RUNS = """
    numbers = dict.fromkeys(("step", "train", "validation"), [1.0])
    curve = __import__("nuclr.verdict.evidence").verdict.evidence.Curve("RMS", "keV", numbers)
    evidence.used({{"fingerprint": "f{seed}", "name": "joint", "weights": "{weights}"}}, curve)
    evidence.figure("figure-11", title="T", caption="C", alt="A", panels=[
        __import__("nuclr.verdict.evidence").verdict.evidence.Panel("bars", "", {{"value": [1.0]}}, {{"labels": ["a"], "xlabel": "x"}})
    ])
    evidence.conclude()
"""


def volume(values: str, weights: str = "aa") -> str:
    """The test of the claim on the volume with other values, judged on a network with these weights."""
    body = GOOD_VOLUME.replace("[0.996, 0.997, 0.998]", values)
    return body.replace("    evidence.conclude()\n", RUNS.format(seed=0, weights=weights).lstrip("\n"))


@pytest.fixture
def judge(pytester: pytest.Pytester) -> Judge:
    judge = Judge(pytester)
    judge.test("volume", volume("[0.996, 0.997, 0.998]"))
    judge.test("count", GOOD_COUNT)
    judge.run()
    return judge


def kept(judge: Judge) -> dict[str, Any]:
    golden.keep(judge.root / "reports", judge.root / "golden", "cpu", judge.root / "claims")
    return record.load(golden.file_of(judge.root / "golden", "cpu"))


def again(judge: Judge, body: str) -> list[golden.Change]:
    """Keep what was judged, judge the claim on the volume with another test, and compare."""
    before = kept(judge)
    judge.test("volume", body)
    judge.run()
    return golden.compare(before, judge.evidence())


def test_what_is_kept_is_the_evidence_with_its_arrays(judge: Judge) -> None:
    assert kept(judge) == judge.evidence()
    (figure,) = judge.claims()["volume"]["figures_drawn"]
    with np.load(judge.root / "golden" / "cpu" / figure["arrays"]) as arrays:
        assert arrays["0.value"].tolist() == [1.0]
    (run,) = judge.claims()["volume"]["runs"]
    with np.load(judge.root / "golden" / "cpu" / run["curve"]["arrays"]) as arrays:
        assert arrays["train"].tolist() == [1.0]
    assert golden.compare(kept(judge), judge.evidence()) == []


def test_what_is_golden_no_more_leaves_nothing_behind(judge: Judge) -> None:
    kept(judge)
    old = judge.root / "golden" / "cpu" / judge.claims()["volume"]["figures_drawn"][0]["arrays"]
    judge.test("volume", GOOD_VOLUME)
    judge.run()
    kept(judge)
    assert not old.exists()


def test_a_verdict_that_changed_comes_first(judge: Judge) -> None:
    changes = again(judge, volume("[0.1, 0.2, 0.3]", weights="bb"))
    assert [str(change) for change in changes] == [
        "volume: not reproduced, golden reproduced.",
        "volume: cosine drifted to 0.2 (0 to 0.448) from 0.997 (0.995 to 0.999) (the intervals have nothing in common).",
    ]


def test_the_same_networks_must_give_the_same_to_rounding(judge: Judge) -> None:
    assert again(judge, volume("[0.9960000001, 0.997, 0.998]")) == []
    (change,) = again(judge, volume("[0.9963, 0.997, 0.998]"))
    assert change.measure == "cosine"
    assert change.why == "the same networks"


def test_other_networks_may_differ_as_far_as_their_seeds_do(judge: Judge) -> None:
    assert again(judge, volume("[0.9963, 0.997, 0.998]", weights="bb")) == []


def test_an_exact_number_must_come_out_the_same(judge: Judge) -> None:
    before = kept(judge)
    before["claims"]["count"]["measures"][0]["value"] = 11.0
    (change,) = golden.compare(before, judge.evidence())
    assert (change.claim, change.why) == ("count", "an exact number")


def test_a_claim_not_judged_now_is_no_change(judge: Judge) -> None:
    found = judge.evidence()
    found["claims"]["volume"] = found["claims"]["pair"]
    assert golden.compare(kept(judge), found) == []


def test_a_judging_with_a_hole_is_not_kept(judge: Judge) -> None:
    before = kept(judge)
    judge.test("volume", "def test_volume(evidence):\n    assert False\n")
    judge.run(code=1)
    with pytest.raises(NuclrError, match="volume has no verdict"):
        kept(judge)
    assert record.load(golden.file_of(judge.root / "golden", "cpu")) == before


def test_recording_is_never_green(
    judge: Judge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["nuclr", "golden", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    monkeypatch.chdir(judge.root)
    assert command() == 2
    assert "record it with --record" in capsys.readouterr().err
    assert command("--record") == 1
    assert "absent" in capsys.readouterr().out
    assert command() == 0
    assert command("--record") == 1
    judge.test("volume", volume("[0.1, 0.2, 0.3]"))
    judge.run()
    assert command() == 1
    assert "golden reproduced" in capsys.readouterr().out


def test_the_kept_goldens_are_of_the_claims_as_they_stand() -> None:
    """A golden must not outlive a change of the table of its claim."""
    from nuclr.verdict import registry

    root = Path(__file__).parents[2]
    claims = registry.load(root / "claims" / "paper.toml").claims
    for file in sorted((root / "golden").glob("*/evidence.json")):
        found = json.loads(file.read_text(encoding="utf-8"))
        assert found["profile"] == file.parent.name
        assert {name: claim["digest"] for name, claim in found["claims"].items()} == {
            name: claim.digest for name, claim in claims.items()
        }


def test_a_trial_and_runs_of_another_profile_never_become_golden(judge: Judge) -> None:
    reports, root, modules = (judge.root / name for name in ("reports", "golden", "claims"))
    judge.run("--profile", "cpu-x0.01")
    trial = record.load(record.file_of(reports, "cpu-x0.01"))
    assert "1 % of their steps" in trial["trial"]
    with pytest.raises(NuclrError, match=r"cpu-x0\.01 cannot become golden\. A trial of the path"):
        golden.keep(reports, root, "cpu-x0.01", modules)
    renamed = record.file_of(reports, "cpu")
    content = json.loads(renamed.read_text())
    assert "trial" not in content
    content["claims"]["volume"]["runs"][0]["profile"] = "cpu-x0.01"
    renamed.write_text(json.dumps(content))
    with pytest.raises(NuclrError, match=r"it rests on runs of cpu-x0\.01: judge those of cpu"):
        golden.keep(reports, root, "cpu", modules)
    assert not root.exists()
