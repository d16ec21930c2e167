"""Judge the claims whose runs are all there, and measure the throughput, each by the package's own command."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nuclr.runs import matching
from nuclr.train.plan import survey
from nuclr.train.store import Store
from nuclr.verdict import record
from nuclr.verdict.registry import load
from tools.one_slot.worker import Say

ROOT = Path(__file__).parents[2]
OPTIONS: tuple[str, ...] = ()  # further ones of pytest, such as the device on which networks are read


def judge(say: Say, profile: str, store: Path, reports: Path, at_once: int) -> None:
    """Judge, `at_once` claims at a time, those that rest on runs and have all of them; the evidence goes into `reports`."""
    registry = load(ROOT / "claims" / "paper.toml")
    lacking = {run.config.name for run in survey(profile, Store(store)) if run.stored is None}
    chosen = [
        claim
        for claim in registry.claims.values()
        if claim.runs and registry.module_of(claim).is_file() and lacking.isdisjoint(matching(profile, claim.runs))
    ]
    say(f"{len(chosen)} claims have all of their runs: {', '.join(claim.id for claim in chosen)}")
    if not chosen:
        return
    at_once = min(at_once, len(chosen))
    side_by_side = ["-n", str(at_once), "--dist", "worksteal"] if at_once > 1 and find_spec("xdist") else []
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *side_by_side, *OPTIONS),
        *dict.fromkeys(str(registry.module_of(claim)) for claim in chosen),
        *("--profile", profile, "--store", str(store), "--reports", str(reports)),
        *(word for claim in chosen for word in ("--claim", claim.id)),
    ]
    subprocess.run(command, cwd=ROOT, check=False)  # what it prints goes to the log
    records = record.load(record.file_of(reports, profile))["claims"]
    for claim in chosen:
        say(f"{claim.id}: {records[claim.id]['verdict']}, {records[claim.id]['value']}")


def bench(say: Say, device: str, seconds: int) -> dict[str, Any]:
    """What `nuclr bench` measures in so many seconds."""
    command = [sys.executable, "-m", "nuclr", "bench", "--device", device, "--seconds", str(seconds), "--json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    for result in found["results"]:
        say(f"{result['what']}: {result['ms_per_step']} ms a step, {result['share_of_peak']:.0%} of the peak")
    return found
