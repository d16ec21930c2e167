"""Under pytest-xdist the evidence is what it is without."""

from __future__ import annotations

from typing import Any

import pytest

from .small_paper import GOOD_COUNT, GOOD_VOLUME, Judge

XDIST = ("-p", "xdist.plugin")


def lasting(record: dict[str, Any]) -> dict[str, Any]:
    """`record` without times."""
    clocks = {"judged_at", "duration"}
    return record | {"provenance": {key: value for key, value in record["provenance"].items() if key not in clocks}}


@pytest.fixture
def workers(judge: Judge) -> Judge:
    pytest.importorskip("xdist")
    judge.test("volume", GOOD_VOLUME)
    judge.test("count", GOOD_COUNT.replace("10", "11"))
    judge.write("test_shared.py", "import no_such_module\n")
    return judge


def test_workers_give_the_same_evidence(workers: Judge) -> None:
    workers.test("pair", "import numpy as np\n\ndef test_pair(evidence):\n    evidence.measure('first', np.nan)\n")
    workers.run("claims", "--continue-on-collection-errors", code=1)
    alone = {name: lasting(record) for name, record in workers.claims().items()}
    (workers.root / "reports" / "evidence-cpu.json").unlink()
    result = workers.run("claims", *XDIST, "-n", "2", code=1, subprocess=True)
    assert {name: lasting(record) for name, record in workers.claims().items()} == alone
    result.stdout.fnmatch_lines(["1 of 2 judged claims reproduced, 1 not reproduced, 3 errors, 1 not run."])


def test_a_worker_that_dies_leaves_an_error(workers: Judge) -> None:
    workers.write("test_shared.py", "")
    workers.test("pair", "import os\n\ndef test_pair(evidence):\n    os._exit(7)\n")
    workers.run("claims", *XDIST, "-n", "1", code=1, subprocess=True)
    record = workers.claims()["pair"]
    assert record["verdict"] == "error"
    assert record["reason"].startswith("worker 'gw0' crashed while running ")
    assert (workers.verdicts()["volume"], workers.verdicts()["count"]) == ("reproduced", "not reproduced")


def test_workers_report_a_usage_error_once(workers: Judge) -> None:
    workers.test("volum", GOOD_VOLUME)
    result = workers.run("claims", *XDIST, "-n", "2", code=4, subprocess=True)
    result.stderr.fnmatch_lines(["ERROR: *There is no claim 'volum': did you mean 'volume'?"])
    assert not (workers.root / "reports").exists()
