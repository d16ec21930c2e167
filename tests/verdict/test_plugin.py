"""Claim tests become verdicts: broken ones errors, sound ones what their numbers say."""

from __future__ import annotations

import json
import warnings

import pytest

from .small_paper import GOOD_COUNT, GOOD_VOLUME, Judge, claim_test

SOUND = """
def test_volume(evidence):
    evidence.measure("cosine", {values})
    evidence.control("untrained networks", {control})
    evidence.conclude()
"""


@pytest.mark.parametrize(
    ("values", "control", "verdict", "reason"),
    [
        (
            "[0.996, 0.997, 0.998]",
            "[0.1, 0.2]",
            "reproduced",
            "0.997 (0.995 to 0.999) is above 0.95; the control stays outside.",
        ),
        ("[0.5, 0.51, 0.52]", "[0.1, 0.2]", "not reproduced", "0.51 (0.485 to 0.535) is not above 0.95."),
        ("[0.9, 0.95, 1.0]", "[0.1]", "inconclusive", "The interval 0.826 to 1 straddles the bound 0.95."),
        ("[0.99, 0.99]", "[0.1]", "inconclusive", "Only 2 of 3 seeds."),
        (
            "[0.996, 0.997, 0.998]",
            "[0.1, 0.2, 0.3, 0.96, 0.97]",
            "inconclusive",
            "The control 'untrained networks' satisfies the bound too, in 40 % of its values, "
            "so the measure shows nothing.",
        ),
    ],
)
def test_sound_tests_pass_whatever_the_verdict(
    judge: Judge, values: str, control: str, verdict: str, reason: str
) -> None:
    judge.test("volume", SOUND.format(values=values, control=control))
    judge.run("claims", code=0)
    record = judge.claims()["volume"]
    assert (record["verdict"], record["reason"]) == (verdict, reason)


BROKEN = {
    "crash": ("    evidence.measure('cosine', [1 / 0])", "ZeroDivisionError: division by zero"),
    "lines": ("    raise ValueError('first\\nsecond')", "ValueError: first"),
    "bare": ("    raise ValueError", "ValueError"),
    "assertion": ("    assert 1 == 2", "AssertionError: assert 1 == 2"),
    "fail": ("    pytest.fail('no network')", "Failed: no network"),
    "nan": (
        "    evidence.measure('cosine', [0.9, float('nan')])",
        "The measure 'cosine' of claim 'volume' is not finite: 1 of 2 values are NaN or infinite.",
    ),
    "infinite control": (
        "    evidence.control('untrained', float('inf'))",
        "The control 'untrained' of claim 'volume' is not finite: 1 of 1 values are NaN or infinite.",
    ),
    "silent": ("    evidence.measure('cosine', [0.99] * 3)", "The test ended without evidence.conclude()."),
    "unknown measure": (
        "    evidence.measure('cosin', [0.99] * 3)",
        "There is no measure of claim 'volume' called 'cosin': did you mean 'cosine'?",
    ),
    "missing measure": (
        "    evidence.control('untrained', 0.1); evidence.conclude()",
        "Claim 'volume' was concluded without its measure 'cosine'.",
    ),
    "no control": (
        "    evidence.measure('cosine', [0.99] * 3); evidence.conclude()",
        "Claim 'volume' was concluded without a control: untrained networks.",
    ),
    "twice": (
        "    evidence.measure('cosine', [0.99] * 3); evidence.control('c', 0)\n"
        "    evidence.conclude(); evidence.conclude()",
        "The evidence for claim 'volume' is already concluded: call conclude() once, at the end.",
    ),
    "crash after conclude": (
        "    evidence.measure('cosine', [0.99] * 3); evidence.control('c', 0)\n"
        "    evidence.conclude(); raise KeyError('x')",
        "KeyError: 'x'",
    ),
    "impossible value": (
        "    evidence.measure('cosine', 1.5)",
        "The measure 'cosine' of claim 'volume' is 1.5, which cannot occur: its range is 0 to 1.",
    ),
}


@pytest.mark.parametrize(("body", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_tests_are_errors_and_fail(judge: Judge, body: str, reason: str) -> None:
    judge.test("volume", f"def test_volume(evidence):\n{body}\n")
    judge.run("claims", code=1)
    record = judge.claims()["volume"]
    assert (record["verdict"], record["reason"]) == ("error", reason)


def test_a_warning_is_an_error_in_unit_tests_and_shown_with_a_verdict(judge: Judge) -> None:
    with pytest.raises(FutureWarning, match="round_ goes away"):
        warnings.warn("round_ goes away", FutureWarning, stacklevel=1)
    warning = "    import warnings\n    warnings.warn('round_ goes away', FutureWarning)\n"
    judge.test("volume", GOOD_VOLUME.replace("(evidence):\n", f"(evidence):\n{warning}"))
    result = judge.run("claims", "-q", subprocess=True)
    assert judge.verdicts()["volume"] == "reproduced"
    result.stdout.fnmatch_lines(["*claims/test_volume.py:*: FutureWarning: round_ goes away"])


def test_a_test_without_the_fixture_is_silent(judge: Judge) -> None:
    judge.test("volume", "def test_volume():\n    pass\n")
    judge.run("claims", code=1)
    assert judge.claims()["volume"]["reason"] == "The test ended without evidence.conclude()."


@pytest.mark.parametrize("where", ["setup", "teardown"])
def test_a_crash_in_a_fixture_is_an_error(judge: Judge, where: str) -> None:
    body = (
        "    raise OSError('disk on fire')\n    yield\n"
        if where == "setup"
        else "    yield\n    raise OSError('disk on fire')\n"
    )
    judge.write("conftest.py", f"import pytest\n@pytest.fixture\ndef runs():\n{body}")
    judge.test("volume", GOOD_VOLUME.replace("(evidence)", "(evidence, runs)"))
    judge.run("claims", code=1)
    record = judge.claims()["volume"]
    assert (record["verdict"], record["reason"]) == ("error", "OSError: disk on fire")


def test_an_error_that_can_be_mended_is_shown_as_its_sentence(judge: Judge) -> None:
    sentence = "The run joint-cpu-0 is missing: train it with nuclr train --profile cpu."
    judge.write(
        "conftest.py",
        "import pytest\nfrom nuclr.errors import NuclrError\n"
        f"@pytest.fixture\ndef runs():\n    raise NuclrError({sentence!r})\n",
    )
    judge.test("volume", GOOD_VOLUME.replace("(evidence)", "(evidence, runs)"))
    result = judge.run("claims", code=1)
    assert judge.claims()["volume"]["reason"] == sentence
    assert "Traceback" not in result.stdout.str()
    assert "conftest.py:" not in result.stdout.str()
    result.stdout.fnmatch_lines([sentence])


@pytest.mark.parametrize("how", ["mark", "call", "fixture", "module"])
def test_a_skipped_test_is_not_run(judge: Judge, how: str) -> None:
    skip = "pytest.skip('no GPU here')"
    judge.write("conftest.py", f"import pytest\n@pytest.fixture\ndef gpu():\n    {skip}\n")
    text = {
        "mark": claim_test("volume", GOOD_VOLUME).replace("@", "@pytest.mark.skip(reason='no GPU here')\n@", 1),
        "call": claim_test("volume", GOOD_VOLUME.replace("evidence.conclude()", skip)),
        "fixture": claim_test("volume", GOOD_VOLUME.replace("(evidence)", "(evidence, gpu)")),
        "module": "import pytest\npytest.skip('no GPU here', allow_module_level=True)\n",
    }[how]
    judge.write("test_volume.py", text)
    judge.run("claims", code=5 if how == "module" else 0)
    record = judge.claims()["volume"]
    assert (record["verdict"], record["reason"], record["measures"]) == ("not run", "no GPU here", [])


def test_claims_without_a_test_are_not_run(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    judge.write("test_count.py", "def test_something_else():\n    assert True\n")
    judge.run()
    claims = judge.claims()
    assert list(claims) == ["volume", "count", "pair", "left", "right", "late"]
    assert claims["pair"]["verdict"] == claims["count"]["verdict"] == "not run"
    assert claims["pair"]["reason"] == "claims/test_pair.py does not exist."
    assert claims["count"]["reason"] == "Not judged in the profile cpu so far."


def test_a_module_that_cannot_be_imported_makes_all_its_claims_errors(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    judge.write("test_shared.py", "import no_such_module\n")
    judge.write("test_nobodys.py", "raise RuntimeError('odd')\n")
    result = judge.run("claims", code=2)
    result.stdout.fnmatch_lines(["*ERROR claims/test_shared.py*"])
    claims = judge.claims()
    for name in ("left", "right"):
        assert claims[name]["verdict"] == "error"
        assert claims[name]["reason"] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert judge.evidence()["problems"] == ["collection of claims/test_nobodys.py failed: RuntimeError: odd"]
    assert claims["volume"]["verdict"] == "not run"

    judge.run("claims", "--continue-on-collection-errors", code=1)
    assert judge.verdicts()["volume"] == "reproduced"
    assert judge.verdicts()["left"] == "error"


def test_a_claim_is_only_reported_in_a_profile_that_its_bounds_do_not_cover(judge: Judge) -> None:
    judge.test(
        "late",
        "def test_late(evidence):\n    evidence.measure('rms', [200.0, 210.0, 220.0])\n    evidence.conclude()\n",
    )
    judge.run()
    record = judge.claims()["late"]
    assert (record["verdict"], record["judged"]) == ("not run", False)
    assert record["reason"] == "reported only: the bounds apply to the profile paper."
    assert record["value"] == 210.0
    assert record["measures"][0]["verdict"] == "not run"

    judge.run("claims", "--profile", "paper")
    assert (judge.claims("paper")["late"]["verdict"], judge.claims("paper")["late"]["judged"]) == (
        "not reproduced",
        True,
    )


def test_the_worst_measure_decides(judge: Judge) -> None:
    judge.test(
        "pair",
        "def test_pair(evidence):\n"
        "    evidence.measure('first', [1.0, 1.1, 1.2])\n"
        "    evidence.measure('second', [3.0, 3.1, 3.2])\n"
        "    evidence.control('c', [-1.0, -2.0], measures=['first'])\n"
        "    evidence.conclude()\n",
    )
    judge.run()
    record = judge.claims()["pair"]
    assert record["verdict"] == "not reproduced"
    assert record["reason"] == "The second: 3.1 (2.85 to 3.35) is not below 2."
    assert (record["value"], record["unit"], record["bound_text"]) == (pytest.approx(3.1), "keV", "< 2")
    assert [measured["verdict"] for measured in record["measures"]] == ["reproduced", "not reproduced"]
    assert record["control"] == {"text": "untrained networks", "outside": True}


def test_strict_fails_on_what_is_not_reproduced_and_only_then(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    judge.run("claims", "--strict-claims", code=0)
    judge.test("count", GOOD_COUNT.replace("10", "11"))
    judge.run("claims", "--strict-claims", code=1)
    judge.run("claims", code=0)


def test_the_summary_is_an_aligned_table_with_reasons_and_counts(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    judge.test("count", GOOD_COUNT.replace("10", "11"))
    lines = judge.run().stdout.lines
    start = next(i for i, line in enumerate(lines) if "claims, profile cpu" in line)
    assert lines[start + 1 : start + 8] == [
        "claim   verdict         value (interval)        bound   paper",
        "volume  reproduced      0.997 (0.995 to 0.999)  > 0.95  1",
        "count   not reproduced  11                      = 10    10",
        "    11 is not exactly 10.",
        "",
        "1 of 2 judged claims reproduced, 1 not reproduced, 4 not run.",
        f"Evidence: {judge.root / 'reports' / 'evidence-cpu.json'}",
    ]


def test_sessions_without_claims_are_left_alone(judge: Judge) -> None:
    judge.write("paper.toml", "this is [not TOML")
    judge.pytester.makepyfile(test_plain="def test_plain():\n    assert True\n")
    result = judge.run("test_plain.py")
    assert "claims, profile" not in result.stdout.str()
    assert not (judge.root / "reports").exists()


def test_collecting_alone_judges_nothing(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    judge.write("test_shared.py", "import no_such_module\n")
    judge.run("claims", "--collect-only", code=2)
    assert not (judge.root / "reports").exists()


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("claim('volum')", "*There is no claim 'volum': did you mean 'volume'?*"),
        ("claim()", "*test_volume.py::test_volume does not name one claim*"),
        ("claim('volume', 'count')", "*test_volume.py::test_volume does not name one claim*"),
    ],
)
def test_a_marker_that_names_no_claim_is_a_usage_error(judge: Judge, marker: str, message: str) -> None:
    judge.write("test_volume.py", f"import pytest\n@pytest.mark.{marker}\n{GOOD_VOLUME.strip()}\n")
    result = judge.run("claims", code=4)
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_two_tests_of_one_claim_are_a_usage_error_that_names_both(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    judge.write("test_again.py", claim_test("volume", GOOD_VOLUME))
    result = judge.run("claims", code=4)
    result.stderr.fnmatch_lines(
        ["*two tests, claims/test_again.py::test_volume and claims/test_volume.py::test_volume*"]
    )


def test_a_reports_folder_that_cannot_be_written_is_one_sentence(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    (judge.root / "occupied").write_text("a file", encoding="utf-8")
    result = judge.run("claims", "--reports", "occupied/here", code=4)
    result.stderr.fnmatch_lines(
        [
            "ERROR: Cannot write *occupied/here/evidence-cpu.json (Not a directory): make room there or name a writable folder*"
        ]
    )
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_a_profile_must_be_able_to_name_a_file(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    result = judge.run("claims", "--profile", "../up", code=4)
    result.stderr.fnmatch_lines(["ERROR: The profile '../up' is not a name*"])


def test_a_conftest_may_resolve_the_profile(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    judge.write("conftest.py", "def pytest_configure(config):\n    config.option.profile = 'tiny'\n")
    judge.run()
    assert judge.evidence("tiny")["profile"] == "tiny"


def test_the_fixture_without_the_marker_says_what_to_do(judge: Judge) -> None:
    judge.write("test_volume.py", GOOD_VOLUME)
    result = judge.run("claims", code=1)
    result.stdout.fnmatch_lines(["*uses the fixture evidence: mark it with @pytest.mark.claim*"])


RECORD = (
    "verdict reason value interval bound bound_text paper_value unit control title statement where figures paper why "
    "seeds module changed judged measures notes remarks runs figures_drawn tolerance looks test provenance digest"
)
MEASURE = "name label unit paper bound bound_text values over value interval method verdict reason controls tolerance"
CONTROL = "label n share_inside median low high outside"


def test_evidence_has_the_keys_of_the_interface_in_order(judge: Judge) -> None:
    judge.test("volume", GOOD_VOLUME)
    judge.run("claims", "-q")
    evidence = judge.evidence()
    assert list(evidence) == ["schema", "profile", "updated", "paper", "provenance", "problems", "claims"]
    assert list(evidence["provenance"]) == ["commit", "dirty", "versions", "device", "command", "started", "seconds"]
    record = evidence["claims"]["volume"]
    assert " ".join(record) == RECORD
    assert " ".join(record["measures"][0]) == MEASURE
    assert " ".join(record["measures"][0]["controls"][0]) == CONTROL
    assert record["test"] == "claims/test_volume.py::test_volume"
    assert list(record["provenance"]) == ["commit", "dirty", "versions", "device", "judged_at", "duration"]
    assert record["provenance"]["duration"] >= 0
    last = (judge.root / "reports" / "evidence.json").read_text(encoding="utf-8")
    assert json.loads(last) == evidence


LOOKS = """
from nuclr.verdict.looks import Looks

SEEDS = {{1: 3, 2: 6, 3: 12}}

def test_volume(evidence):
    if evidence.look == 1:
        evidence.looks = Looks(3, lambda look: look <= {trained})
    seeds = SEEDS[evidence.look]
    evidence.measure("cosine", [0.97 + {scatter} * (-1) ** seed for seed in range(seeds)])
    evidence.control("untrained networks", [0.1, 0.2])
    for seed in range(seeds):
        evidence.used({{"fingerprint": f"f{{seed}}", "name": "joint", "seed": seed}})
    evidence.conclude()
"""


@pytest.mark.parametrize(
    ("trained", "scatter", "made", "verdict"),
    [
        (3, 0.0, 1, "reproduced"),
        (3, 0.02, 3, "reproduced"),
        (2, 0.02, 2, "inconclusive"),
        (1, 0.02, 1, "inconclusive"),
    ],
)
def test_a_claim_is_looked_at_until_it_is_decided_or_its_seeds_end(judge, trained, scatter, made, verdict) -> None:
    judge.test("volume", LOOKS.format(trained=trained, scatter=scatter))
    judge.run("claims", "-q")
    record = judge.claims()["volume"]
    assert record["verdict"] == verdict
    looks = record["looks"]
    assert (looks["made"], looks["of"], looks["seeds"]) == (made, 3, {1: 3, 2: 6, 3: 12}[made])
    assert record["measures"][0]["method"] == f"98.3 % Student t over {looks['seeds']} seeds"
    assert looks["undecided"] == (verdict == "inconclusive")
    assert (looks["needed"] is not None) == looks["undecided"]
    assert len(record["runs"]) == looks["seeds"]
