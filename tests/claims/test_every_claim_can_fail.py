"""Every claim that is judged has a planted truth and planted falsehoods; its every measure has one that it misses."""

from importlib import import_module
from pathlib import Path

import pytest
from planted import REGISTRY

from nuclr.verdict.statistics import Verdict

HERE = Path(__file__).parent
CASES = [case for path in sorted(HERE.glob("test_planted_*.py")) for case in import_module(path.stem).CASES]
JUDGED = [claim for claim in REGISTRY.claims.values() if REGISTRY.module_of(claim).is_file()]
# Claims whose plantings are of another kind have a file of their own here, which names them.
OTHERS = [path.read_text() for path in HERE.glob("test_*.py") if path.stem[:12] not in ("test_planted", "test_every_c")]
ELSEWHERE = [claim for claim in JUDGED if any(f'"{claim.id}"' in text for text in OTHERS)]


@pytest.mark.parametrize("claim", [c for c in JUDGED if c not in ELSEWHERE], ids=lambda claim: claim.id)
def test_a_truth_is_planted_and_a_falsehood_for_every_measure(claim):
    kinds = {kind: [c for c in CASES if (c.claim, c.kind) == (claim.id, kind)] for kind in ("truth", "falsehood")}
    assert kinds["truth"], f"plant a truth for {claim.id} in tests/claims, or write tests/claims/{claim.module}"
    missed = {measure for case in kinds["falsehood"] for measure in case.misses}
    assert missed == set(claim.measures), "each measure must be able to fail"
    assert all(case.profile == "cpu" or not claim.judged_in("cpu") for case in CASES if case.claim == claim.id)


def test_no_falsehood_is_expected_to_come_out():
    assert {case.verdict for case in CASES if case.kind == "truth"} == {Verdict.REPRODUCED}
    assert {case.verdict for case in CASES if case.kind == "falsehood"} == {
        Verdict.NOT_REPRODUCED,
        Verdict.INCONCLUSIVE,
    }
