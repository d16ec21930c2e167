"""Golden evidence: what a whole judging of a profile once found, kept in git so that a later one can be held against it.

    golden/<profile>/evidence.json, arrays/   as under reports/, with command, commit, versions and device

This is not the paper's bound. The bound asks whether the paper is right, a golden whether we still find what we found:
it has a tolerance and a word of its own, "drifted".
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nuclr.errors import NuclrError
from nuclr.files import write
from nuclr.trials import trial
from nuclr.verdict import record
from nuclr.verdict.record import Record
from nuclr.verdict.statistics import Verdict
from nuclr.verdict.wording import estimate

ROUNDING = 1e-6  # relative, of an analysis of the very same weights: float64 sums in another order


@dataclass(frozen=True)
class Change:
    """What differs in one claim. measure: "" where the verdict itself is another. why: what makes it count."""

    claim: str
    measure: str
    golden: str
    found: str
    why: str

    def __str__(self) -> str:
        if not self.measure:
            return f"{self.claim}: {self.found}, golden {self.golden}."
        return f"{self.claim}: {self.measure} drifted to {self.found} from {self.golden} ({self.why})."


def file_of(root: Path, profile: str) -> Path:
    """Where the golden evidence of a profile lies under `root`."""
    return root / profile / "evidence.json"


def compare(golden: Record, found: Record) -> list[Change]:
    """Verdicts that changed, then measures that drifted, of the claims that `found` has judged.

    A measure of networks with the very weights of the golden ones must come out the same, to rounding. Others are new
    draws from the same distribution: they drifted where the two 95 % intervals have nothing in common.
    """
    both = [(name, golden["claims"][name], now) for name, now in found["claims"].items() if name in golden["claims"]]
    verdicts = [
        Change(name, "", old["verdict"], now["verdict"], now["reason"])
        for name, old, now in both
        if now["verdict"] not in (old["verdict"], Verdict.NOT_RUN)
    ]
    return verdicts + [change for name, old, now in both for change in _drifts(name, old, now)]


def keep(reports: Path, root: Path, profile: str, modules: Path) -> list[str]:
    """Make the evidence of `profile` under `reports` the golden one: a line a claim, old and new.

    Raises NuclrError for a trial, and where a claim that has a test in the folder `modules` is in error or was not judged:
    a golden is a whole judging. Nothing is replaced then.
    """
    if trial(profile):
        raise NuclrError(f"The evidence of {profile} cannot become golden. {trial(profile)}")
    source = record.file_of(reports, profile)
    content, found = source.read_bytes(), record.load(source)
    if foreign := {
        run["profile"] for claim in found["claims"].values() for run in claim["runs"] if "profile" in run
    } - {profile}:
        raise NuclrError(
            f"{source} cannot become golden, it rests on runs of {', '.join(sorted(foreign))}: judge those of {profile}."
        )
    unfit = [
        name
        for name, claim in found["claims"].items()
        if claim["verdict"] == Verdict.ERROR or (not claim["measures"] and (modules / claim["module"]).exists())
    ]
    if unfit:
        raise NuclrError(
            f"{source} cannot become golden, {', '.join(unfit)} has no verdict there: judge every claim first."
        )
    claims = found["claims"].values()
    drawn = [figure for claim in claims for figure in claim["figures_drawn"]]
    drawn += [run["curve"] for claim in claims for run in claim["runs"] if "curve" in run]
    arrays = {one["arrays"]: (reports / one["arrays"]).read_bytes() for one in drawn}
    target = file_of(root, profile)
    before = record.load(target)["claims"] if target.exists() else {}
    shutil.rmtree(target.parent, ignore_errors=True)
    for name, array in arrays.items():
        write(target.parent / name, array)
    write(target, content)
    return [f"{name:26} {_told(before.get(name)):52} -> {_told(now)}" for name, now in found["claims"].items()]


def _drifts(claim: str, old: Record, now: Record) -> Iterator[Change]:
    same = _weights(old) == _weights(now) != set()
    earlier = {measure["name"]: measure for measure in old["measures"]}
    for measure in now["measures"]:
        beside = earlier.get(measure["name"])
        if beside is None:
            continue
        if same or measure["over"] == "exact":
            moved = not math.isclose(measure["value"], beside["value"], rel_tol=ROUNDING, abs_tol=ROUNDING)
            why = "the same networks" if same else "an exact number"
        else:
            moved, why = _apart(measure["interval"], beside["interval"]), "the intervals have nothing in common"
        if moved:
            yield Change(claim, measure["name"], _estimate(beside), _estimate(measure), why)


def _weights(claim: Record) -> set[str]:
    """Checksums of the weights that a claim was judged on."""
    return {run["weights"] for run in claim["runs"] if "weights" in run}


def _apart(one: list[float] | None, other: list[float] | None) -> bool:
    return one is not None and other is not None and (one[1] < other[0] or other[1] < one[0])


def _told(claim: Record | None) -> str:
    return "absent" if claim is None else f"{claim['verdict']}, {_estimate(claim)}"


def _estimate(measured: Record) -> str:
    """ "0.71 (0.55 to 0.87) keV", of a measure or of the one that decided a claim."""
    interval = None if measured["interval"] is None else (measured["interval"][0], measured["interval"][1])
    unit = "" if measured["unit"] == "1" else f" {measured['unit']}"
    return (estimate(measured["value"], interval, measured["bound"].values()) or "no value") + unit
