"""The recorder of one claim: a claim test tells it what was measured, and `conclude` turns that into a verdict."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nuclr.errors import unknown
from nuclr.files import write
from nuclr.verdict import tolerance
from nuclr.verdict.bound import Interval
from nuclr.verdict.looks import Looks, seeds_needed, straddles
from nuclr.verdict.panels import Curve, Panel
from nuclr.verdict.record import Record, blank, plain
from nuclr.verdict.registry import SLUG, Claim, Measure
from nuclr.verdict.statistics import Control, EvidenceError, Verdict, closed, decide, finite, student, worst
from nuclr.verdict.wording import sentence

__all__ = ["Curve", "Evidence", "Panel"]

SILENT = "The test ended without evidence.conclude()."
ONE_LOOK = Looks()
ROUNDING = 1e-6  # of the width of a measure's range: single precision gives cosines of 1.0000001


class Evidence:
    """What a test found about `claim` in `profile`. Plotted arrays go to `reports` at once, the rest into `record`.

    Every method raises EvidenceError (or NuclrError with the nearest name) where the evidence could not be judged.
    """

    def __init__(self, claim: Claim, profile: str, reports: Path, looks: Looks = ONE_LOOK) -> None:
        self.claim = claim
        self.profile = profile
        self.looks = looks
        self.look = 1
        self._reports = reports
        self._clear()

    @property
    def confidence(self) -> float:
        """What an interval of this claim must have, from how often it may be looked at."""
        return self.looks.confidence

    def look_again(self) -> bool:
        """Drop what is recorded and begin the next look, where this one left the claim undecided and there is another. Whether
        there is."""
        undecided = self.concluded and self._conclusion["looks"]["undecided"]
        if not undecided or self.look == self.looks.count or not self.looks.trained(self.look + 1):
            return False
        self.look += 1
        self._clear()
        return True

    def _clear(self) -> None:
        self.concluded = False
        self._measures: dict[str, Record] = {}
        self._controls: dict[str, list[Control]] = {name: [] for name in self.claim.measures}
        self._notes: list[Record] = []
        self._remarks: list[str] = []
        self._runs: dict[str, Record] = {}
        self._figures: dict[str, Record] = {}
        self._conclusion: Record = {}

    def measure(self, name: str, values: ArrayLike, over: str = "seed", interval: Interval | None = None) -> None:
        """Record the measure `name` in the unit of paper.toml.

        over="seed": one value a seed, with a Student t interval of their mean. over="exact": one value, known exactly. Anything
        else names what was drawn ("nuclide", "run"): one estimate and its `interval`, of this claim's `confidence`.
        """
        self._open()
        measure = self._known(name)
        if name in self._measures:
            raise EvidenceError(f"The measure {name!r} of claim {self.claim.id!r} was given twice.")
        what = f"The measure {name!r} of claim {self.claim.id!r}"
        numbers = _within(measure, finite(values, what), what)
        if over != "seed" and len(numbers) != 1:
            raise EvidenceError(f"{what} has {len(numbers)} values, over={over!r} takes one.")
        if (interval is None) != (over in ("seed", "exact")):
            raise EvidenceError(f"{what} over {over!r} {'needs an' if interval is None else 'takes no'} interval.")
        found: Interval | None
        if over == "seed":
            found, method = student(numbers, measure.range, self.confidence), f"Student t over {len(numbers)} seeds"
        elif over == "exact":
            found, method = (numbers[0], numbers[0]), "exact"
        else:
            assert interval is not None, "checked above"
            found, method = closed(interval, f"The interval of {name!r}"), f"interval over {over}s"
        self._measures[name] = {
            "name": name,
            "label": measure.label,
            "unit": measure.unit,
            "paper": measure.paper,
            "bound": measure.bound.as_dict(),
            "bound_text": str(measure.bound),
            "values": list(numbers),
            "over": over,
            "value": float(np.mean(numbers)),
            "interval": None if found is None else list(found),
            "method": "one seed" if found is None else method if over == "exact" else f"{self._per_cent} {method}",
            "verdict": str(Verdict.ERROR),
            "reason": "The claim was not concluded.",
            "controls": [],
        }

    def control(self, label: str, values: ArrayLike, measures: Sequence[str] | None = None) -> None:
        """Record draws or seeds of what must not satisfy the bounds of `measures` (by default all of the claim)."""
        self._open()
        control = Control(label, finite(values, f"The control {label!r} of claim {self.claim.id!r}"))
        for name in self.claim.measures if measures is None else measures:
            self._known(name)
            if any(other.label == label for other in self._controls[name]):
                raise EvidenceError(f"The control {label!r} of the measure {name!r} was given twice.")
            self._controls[name].append(control)

    def note(self, label: str, values: ArrayLike, unit: str = "1") -> None:
        """Record something to be shown beside the measures and never judged."""
        self._open()
        note = {"label": label, "values": finite(values, f"The note {label!r}"), "unit": unit}
        self._notes.append(plain(note, f"The note {label!r}"))

    def remark(self, text: str) -> None:
        """Record a sentence on what the verdict hangs on, and where that was looked into."""
        self._open()
        if not text.strip():
            raise EvidenceError(f"A remark on claim {self.claim.id!r} is empty.")
        self._remarks.append(text)

    def used(self, run: Mapping[str, Any], curve: Curve | None = None) -> None:
        """Record a trained run that the claim rests on; naming a run twice (by its fingerprint) is harmless.

        curve: how it was trained. Its arrays go to reports/arrays/<profile>/run.<fingerprint>.npz, one file for all claims.
        """
        self._open()
        fingerprint = run.get("fingerprint")
        if not isinstance(fingerprint, str):
            raise EvidenceError(f"A run of claim {self.claim.id!r} has no fingerprint: give the run's own record.")
        drawn = {}
        if curve is not None:
            file = self._save(f"run.{fingerprint}", curve.arrays)
            drawn = {"curve": {"arrays": file, "quantity": curve.quantity, "unit": curve.unit}}
        self._runs[fingerprint] = plain({**run, **drawn}, f"The record of the run {fingerprint}")

    def figure(self, id: str, *, title: str, caption: str, alt: str, panels: Sequence[Panel]) -> None:
        """Record the figure `id` ("figure-08"); its arrays go to reports/arrays/<profile>/ under <panel>.<name>."""
        self._open()
        if not SLUG.fullmatch(id) or id in self._figures:
            raise EvidenceError(
                f"The figure {id!r} of claim {self.claim.id!r} needs a new name of letters, digits and hyphens."
            )
        if not panels or not alt.strip():
            raise EvidenceError(
                f"The figure {id!r} of claim {self.claim.id!r} needs a panel and a text for who cannot see it."
            )
        arrays = {f"{i}.{name}": array for i, panel in enumerate(panels) for name, array in panel.arrays.items()}
        file = self._save(f"{self.claim.id}.{id}", arrays)
        drawn = [panel.as_dict() for panel in panels]
        figure = {"id": id, "title": title, "caption": caption, "alt": alt, "arrays": file, "panels": drawn}
        self._figures[id] = plain(figure, f"The figure {id!r}")

    def conclude(self) -> Verdict:
        """Judge what was measured, once and for all."""
        self._open()
        if missing := [name for name in self.claim.measures if name not in self._measures]:
            raise EvidenceError(f"Claim {self.claim.id!r} was concluded without its measure {missing[0]!r}.")
        if self.claim.needs_control and not any(self._controls.values()):
            raise EvidenceError(f"Claim {self.claim.id!r} was concluded without a control: {self.claim.control}.")
        verdicts = [self._judge(name) for name in self.claim.measures]
        place = worst(verdicts)
        deciding = self._measures[list(self.claim.measures)[place]]
        verdict, reason = verdicts[place], self._reason(verdicts[place], deciding)
        if not self.claim.judged_in(self.profile):
            where = " or ".join(self.claim.profiles)
            verdict, reason = Verdict.NOT_RUN, f"reported only: the bounds apply to the profile {where}."
            for measured in self._measures.values():
                measured.update(verdict=str(verdict), reason=reason)
        self._conclusion = {
            "verdict": str(verdict),
            "reason": reason,
            **{key: deciding[key] for key in ("value", "interval", "bound", "bound_text", "unit")},
            "paper_value": self.claim.paper if deciding["paper"] is None else deciding["paper"],
            "control": {"text": self.claim.control, "outside": self._controls_outside()},
            "tolerance": self._at_other_tolerances() if self.claim.judged_in(self.profile) else None,
            "looks": self._at_this_look(verdict),
        }
        self.concluded = True
        return verdict

    def record(self) -> Record:
        """The record of the claim as far as it is known; an error until `conclude` has judged it."""
        record = blank(self.claim, self.profile, Verdict.ERROR, SILENT)
        record.update(
            measures=[self._measures[name] for name in self.claim.measures if name in self._measures],
            notes=self._notes,
            remarks=self._remarks,
            runs=list(self._runs.values()),
            figures_drawn=list(self._figures.values()),
        )
        return record | self._conclusion

    def _save(self, name: str, arrays: Mapping[str, Any]) -> str:
        """Write plotted arrays at once; the path of their file under the reports."""
        file = f"arrays/{self.profile}/{name}.npz"
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **arrays)
        write(self._reports / file, content.getvalue())
        return file

    def _judge(self, name: str) -> Verdict:
        measured, bound, controls = self._measures[name], self.claim.measures[name].bound, self._controls[name]
        interval = _ends(measured)
        seeds = (len(measured["values"]), self.claim.seeds) if measured["over"] == "seed" else None
        verdict, reason = decide(interval, bound, controls, value=measured["value"], seeds=seeds)
        described = []
        for control in controls:
            low, median, high = (float(x) for x in np.quantile(control.values, [0.05, 0.5, 0.95]))
            share, outside = control.share_inside(bound), control.outside(bound)
            spread = {"median": median, "low": low, "high": high}
            described.append(
                {"label": control.label, "n": len(control.values), "share_inside": share}
                | spread
                | {"outside": outside}
            )
        at_others = tolerance.judged(self.claim.measures[name], interval, controls, measured["value"], seeds)
        measured.update(verdict=str(verdict), reason=reason, controls=described, tolerance=at_others)
        return verdict

    def _at_other_tolerances(self) -> Record | None:
        """The verdict on the claim at half and twice the tolerance; measures without one keep theirs. None: all are without."""
        measures = self._measures.values()
        if all("none" in measured["tolerance"] for measured in measures):
            return None
        found = {}
        for factor in tolerance.FACTORS:
            verdicts = [Verdict(one["tolerance"].get(factor, one)["verdict"]) for one in measures]
            found[factor] = str(verdicts[worst(verdicts)])
        return found

    def _at_this_look(self, verdict: Verdict) -> Record:
        """How often the claim was looked at and may be, on how many seeds, and whether more of them may still decide it."""
        seeds = len({run.get("seed") for run in self._runs.values()})
        found = {"made": self.look, "of": self.looks.count, "confidence": self.confidence, "seeds": seeds}
        open_ones = {
            name: measured
            for name, measured in self._measures.items()
            if measured["over"] != "exact" and straddles(_ends(measured), self.claim.measures[name].bound)
        }
        undecided = verdict is Verdict.INCONCLUSIVE and bool(open_ones) and seeds > 0
        needed = [
            seeds_needed(measured["value"], _ends(measured), self.claim.measures[name].bound, seeds)
            for name, measured in open_ones.items()
        ]
        known = undecided and None not in needed
        return found | {"undecided": undecided, "needed": max(n for n in needed if n is not None) if known else None}

    @property
    def _per_cent(self) -> str:
        return f"{100 * self.confidence:.3g} %"

    def _reason(self, verdict: Verdict, deciding: Record) -> str:
        if len(self._measures) == 1:
            return str(deciding["reason"])
        named = f"{sentence(deciding['label'])}: {deciding['reason']}"
        hold = "Both measures hold" if len(self._measures) == 2 else f"All {len(self._measures)} measures hold"
        return f"{hold}. {named}" if verdict is Verdict.REPRODUCED else named

    def _controls_outside(self) -> bool | None:
        outside = [control["outside"] for measured in self._measures.values() for control in measured["controls"]]
        return all(outside) if outside else None

    def _known(self, name: str) -> Measure:
        if name not in self.claim.measures:
            raise unknown(f"measure of claim {self.claim.id!r} called", name, self.claim.measures)
        return self.claim.measures[name]

    def _open(self) -> None:
        if self.concluded:
            raise EvidenceError(
                f"The evidence for claim {self.claim.id!r} is already concluded: call conclude() once, at the end."
            )


def _ends(measured: Record) -> Interval | None:
    return None if measured["interval"] is None else (measured["interval"][0], measured["interval"][1])


def _within(measure: Measure, values: tuple[float, ...], what: str) -> tuple[float, ...]:
    """`values` without rounding errors at the ends of the measure's range. EvidenceError for what cannot occur."""
    if measure.range is None:
        return values
    low, high = measure.range
    slack = ROUNDING * (high - low)
    for value in values:
        if not low - slack <= value <= high + slack:
            raise EvidenceError(f"{what} is {value:g}, which cannot occur: its range is {low:g} to {high:g}.")
    return tuple(min(max(value, low), high) for value in values)
