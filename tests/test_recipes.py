"""The recipes for machines with a GPU, with stand-ins for Python and SLURM: which command is called, and what the exit code says."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = (".ci/run", ".ci/claims-gpu", "docs/slurm/claims.sbatch")
# Answers `-c <is there a GPU>`, `-m nuclr reproduce` and `-m nuclr golden` with exit codes from the environment.
PYTHON = """#!/bin/sh
echo "$@" >> "$FOLDER/calls"
case "$1 $3" in
    -c*) exit "$NO_GPU" ;;
    "-m reproduce") mkdir -p "$NUCLR_REPORTS"; echo page > "$NUCLR_REPORTS/index.html"; exit "$REPRODUCE" ;;
    "-m golden") exit "$GOLDEN" ;;
esac
"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_can_be_read_by_bash(script):
    subprocess.run(["bash", "-n", ROOT / script], check=True)


@pytest.fixture
def call(tmp_path):
    """call(script, golden=whether there is one, **exit codes): (its exit code, the calls that it made)."""

    def run(script, golden=True, **codes):
        for name in SCRIPTS:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
        if golden:
            (tmp_path / "golden" / "paper").mkdir(parents=True)
            (tmp_path / "golden" / "paper" / "evidence.json").touch()
        tools = tmp_path / "tools"
        tools.mkdir()
        for name, text in (("python", PYTHON), ("scontrol", '#!/bin/sh\necho scontrol "$@" >> "$FOLDER/calls"\n')):
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHON": str(tools / "python"),
            "FOLDER": str(tmp_path),
            "NUCLR_REPORTS": str(tmp_path / "reports"),
            "NUCLR_PUBLISH": str(tmp_path / "published"),
            "SLURM_JOB_ID": "7",
        } | {name: str(codes.get(name, 0)) for name in ("NO_GPU", "REPRODUCE", "GOLDEN")}
        done = subprocess.run(["bash", script], cwd=tmp_path, env=environment, check=False, capture_output=True)
        return done.returncode, [line for line in (tmp_path / "calls").read_text().splitlines() if line[:2] != "-c"]

    return run


@pytest.mark.parametrize(
    ("codes", "golden", "expected", "compared"),
    [
        ({}, True, 0, True),
        ({}, False, 0, False),  # nothing to compare with yet
        ({"GOLDEN": 1}, True, 1, True),  # a verdict is another
        ({"REPRODUCE": 1}, True, 1, False),  # a claim in error
        ({"REPRODUCE": 75}, True, 75, False),  # the budget is spent
    ],
)
def test_the_claims_on_a_gpu_end_well_only_with_every_verdict_and_as_golden(call, codes, golden, expected, compared):
    code, calls = call(".ci/claims-gpu", golden, **codes)
    assert code == expected
    assert calls[0].startswith("-m nuclr reproduce --profile paper --store runs --reports ")
    assert [line.split()[2] for line in calls[1:]] == (["golden"] if compared else [])


def test_without_a_gpu_nothing_is_trained(call):
    code, calls = call(".ci/claims-gpu", NO_GPU=1)
    assert (code, calls) == (1, [])


@pytest.mark.parametrize(("reproduced", "code", "again"), [(0, 0, False), (75, 0, True), (1, 1, False)])
def test_the_batch_job_queues_itself_again_until_all_is_trained(call, tmp_path, reproduced, code, again):
    found, calls = call("docs/slurm/claims.sbatch", REPRODUCE=reproduced)
    assert found == code
    assert "--budget 7h30m" in calls[0]
    assert ("scontrol requeue 7" in calls) == again
    assert (tmp_path / "published" / "index.html").exists() != again
