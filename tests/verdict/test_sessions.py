"""What one judging session leaves to the next, and what survives a kill."""

from __future__ import annotations

import pytest

from .small_paper import COSINE, GOOD_COUNT, GOOD_VOLUME, SMALL_PAPER, Judge


@pytest.fixture
def two(judge: Judge) -> Judge:
    """A folder in which two claims were judged and reproduced."""
    judge.test("volume", GOOD_VOLUME)
    judge.test("count", GOOD_COUNT)
    judge.run()
    assert judge.verdicts() == {"volume": "reproduced", "count": "reproduced"} | dict.fromkeys(
        ("pair", "left", "right", "late"), "not run"
    )
    return judge


@pytest.mark.parametrize("subset", [("claims", "-k", "count"), ("claims/test_count.py",)])
def test_judging_a_subset_keeps_the_other_verdicts(two: Judge, subset: tuple[str, ...]) -> None:
    before = two.claims()["volume"]
    two.test("volume", GOOD_VOLUME.replace("0.99", "0.19"))
    two.test("count", GOOD_COUNT.replace("10", "11"))
    result = two.run(*subset)
    assert two.claims()["volume"] == before
    assert two.verdicts()["count"] == "not reproduced"
    result.stdout.fnmatch_lines(["volume  reproduced[*] *", "[*] judged in an earlier session"])


def test_a_kept_verdict_does_not_count_for_strictness(two: Judge) -> None:
    two.test("count", GOOD_COUNT.replace("10", "11"))
    two.run("claims", "--strict-claims", code=1)
    two.run("claims/test_volume.py", "--strict-claims", code=0)


def test_a_verdict_does_not_outlive_a_change_of_its_table(two: Judge) -> None:
    two.paper(SMALL_PAPER.replace(COSINE, COSINE.replace("above = 0.95", "above = 0.9")))
    reason = "Its table in paper.toml has changed since it was judged: judge it again."
    for _ in range(2):  # the second session must not forget why
        two.run("claims/test_count.py")
        record = two.claims()["volume"]
        assert (record["verdict"], record["reason"], record["bound_text"]) == ("not run", reason, "> 0.9")
    two.run()
    assert two.verdicts()["volume"] == "reproduced"


def test_a_verdict_does_not_outlive_its_module(two: Judge) -> None:
    (two.root / "claims" / "test_volume.py").unlink()
    two.run()
    assert two.claims()["volume"]["reason"] == "claims/test_volume.py does not exist."


def test_a_claim_without_a_test_says_why(two: Judge) -> None:
    (two.root / "claims" / "test_volume.py").unlink()
    two.paper(SMALL_PAPER.replace(COSINE, COSINE.replace("why =", 'untested = "Its formula is not known."\nwhy =')))
    two.run()
    record = two.claims()["volume"]
    assert (record["verdict"], record["reason"]) == ("not run", "Its formula is not known.")


def test_profiles_have_evidence_of_their_own(two: Judge) -> None:
    two.run("claims/test_count.py", "--profile", "paper")
    assert two.verdicts("paper")["volume"] == "not run"
    assert two.verdicts("cpu")["volume"] == "reproduced"
    reports = two.root / "reports"
    assert (reports / "evidence.json").read_bytes() == (reports / "evidence-paper.json").read_bytes()


def test_a_malformed_evidence_file_is_a_usage_error_that_names_it(two: Judge) -> None:
    (two.root / "reports" / "evidence-cpu.json").write_text("{", encoding="utf-8")
    result = two.run("claims", code=4)
    result.stderr.fnmatch_lines(
        ["ERROR: The evidence file *evidence-cpu.json is not usable (*): move it away and judge again."]
    )


def test_a_hard_kill_leaves_errors_and_loses_nothing(two: Judge) -> None:
    two.test("count", "import os\n\ndef test_count(evidence):\n    os._exit(7)\n")
    two.run("claims/test_count.py", "claims/test_volume.py", code=7, subprocess=True)
    claims = two.claims()
    assert len(claims) == 6
    for name in ("count", "volume"):
        assert claims[name]["verdict"] == "error"
        assert claims[name]["reason"] == "judging started and did not finish"
    two.run("claims/test_volume.py")
    assert (two.verdicts()["count"], two.verdicts()["volume"]) == ("error", "reproduced")


def test_ctrl_c_leaves_what_was_not_reached_as_errors(two: Judge) -> None:
    two.test("count", "def test_count(evidence):\n    raise KeyboardInterrupt\n")
    two.run("claims/test_volume.py", "claims/test_count.py", code=2, subprocess=True)
    assert (two.verdicts()["volume"], two.verdicts()["count"]) == ("reproduced", "error")


def test_stopping_at_a_collection_error_keeps_earlier_verdicts(two: Judge) -> None:
    before = two.claims()["volume"]
    two.write("test_count.py", "def broken(:\n")
    two.run("claims", code=2)
    assert two.claims()["volume"] == before
    assert two.verdicts()["count"] == "error"
    assert two.claims()["count"]["reason"].startswith("SyntaxError: ")
