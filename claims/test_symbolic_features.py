"""Expressions for the penultimate components, added up, beat the mass formula and direct regression (appendix G, figure 22)."""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.typing import NDArray

from claims.conftest import Nuclides, penultimate
from claims.searches import search
from nuclr.analysis.expressions import inputs, write
from nuclr.analysis.symbolic import fit
from nuclr.physics.formulas import SEMF
from nuclr.verdict.evidence import Panel

if find_spec("pyoperon") is None:
    pytest.skip(
        "symbolic regression needs pyoperon: python -m pip install -c constraints.txt -e '.[symbolic]'",
        allow_module_level=True,
    )

pytestmark = pytest.mark.claim("symbolic-features")

# Fixed before the first search of a trained network. The searches that the authors published are of three components and go up
# to 20 nodes, where a factor and its product count apart: about 12 here, where an input carries its factor. The formula
# c0 + c1 f1 + c2 f2 + c3 f3 is compared with c0 + c1 f of as many nodes (3 * 12 + 10 = 42 + 4), found with as many candidates.
COMPONENTS, NODES, CANDIDATES = 3, 12, 8000
DIRECT_NODES, DIRECT_CANDIDATES = COMPONENTS * NODES + 3 * (COMPONENTS - 1), COMPONENTS * CANDIDATES
CONTROLS = 3  # untrained networks, those of the first seeds
SEEN = 600  # nuclei that searches and fits see; the others are held out


@dataclass(frozen=True)
class Task:
    """Nuclei to be described: their inputs x (k, 4), the places of those that are seen, and the inputs (m, 4) at which an
    expression must be a finite number."""

    nuclides: Nuclides
    x: NDArray[np.float64]
    seen: NDArray[np.int64]
    everywhere: NDArray[np.float64]

    @classmethod
    def of(cls, nuclides, core):
        x = inputs(nuclides.z, nuclides.n)
        seen = np.sort(np.random.default_rng(0).choice(len(x), SEEN, replace=False))
        return cls(nuclides, x, seen, np.concatenate([x, inputs(core.z, core.n)]))

    def fronts(self, targets, length, candidates, seed):
        """For each target (k,) the expressions that are the most accurate of their length."""
        return [
            search(self.x[self.seen], target[self.seen], length, candidates, seed, self.everywhere)
            for target in targets
        ]

    def formula(self, fronts, length):
        """The rule: of each front the most accurate expression of at most `length` nodes, by its own target; then the linear
        combination of these that follows best the energies seen. None where a front has no such expression."""
        best = [front.best(length) for front in fronts]
        return None if None in best else fit(best, self.x[self.seen], self.nuclides.binding[self.seen])[0]

    def rms(self, formula, held_out=False):
        """RMS over all of the nuclei, or over those held out, keV."""
        errors = formula.at(self.x) - self.nuclides.binding
        return float(np.sqrt(np.mean((np.delete(errors, self.seen) if held_out else errors) ** 2)))

    def written(self, formula):
        """The formula with as few digits as keep its RMS within 1 %."""
        for digits in range(3, 13):
            found = write(formula, self.x, digits)
            if self.nuclides.rms(found.values) <= 1.01 * self.rms(formula):
                break
        return found


def features(probe, core, nuclides):
    """The components of the penultimate layer over the core set (figure 11), the strongest first, at the nuclides: (k, d)."""
    directions = penultimate(probe, core).components
    return directions.project(probe.penultimate(nuclides.z, nuclides.n, "binding"))


def test_features_beat_numbers(runs, core, well_measured, evidence):
    joint, task = runs("joint"), Task.of(well_measured, core)
    components = [features(run.probe, core, well_measured) for run in joint]
    untrained = [features(run.probe.untrained(run.seed), core, well_measured) for run in joint[:CONTROLS]]
    seeds = [run.seed for run in joint]
    fronts = {
        kind: [task.fronts(x[:, :COMPONENTS].T, NODES, CANDIDATES, seed) for x, seed in zip(found, seeds, strict=False)]
        for kind, found in (("components", components), ("untrained", untrained))
    }
    fronts["direct"] = [task.fronts([well_measured.binding], DIRECT_NODES, DIRECT_CANDIDATES, seed) for seed in seeds]
    formulas = {kind: [task.formula(found, DIRECT_NODES) for found in every] for kind, every in fronts.items()}
    rms = {kind: np.array([task.rms(formula) for formula in every]) for kind, every in formulas.items()}
    rivals = {"against-semf": np.full(len(joint), well_measured.semf_rms), "against-direct": rms["direct"]}
    for measure, rival in rivals.items():
        evidence.measure(measure, rms["components"] / rival)
        evidence.control("features of an untrained network", rms["untrained"] / rival[:CONTROLS], [measure])

    refit = SEMF.refit(well_measured.z, well_measured.n, well_measured.binding).predict(
        well_measured.z, well_measured.n
    )
    semf = {"published": well_measured.semf_rms, "refitted": well_measured.rms(refit)}
    note_formulas(evidence, task, core, formulas)
    for count in (COMPONENTS, 10):
        evidence.note(
            f"RMS of a linear combination of {count} components themselves",
            [well_measured.rms(linear_in(task, found[:, :count])) for found in components],
            "keV",
        )
    for name, error in semf.items():
        evidence.note(f"RMS of the SEMF, coefficients {name}", error, "keV")
    ours, theirs = (task.written(formulas[kind][0]).text for kind in ("components", "direct"))
    evidence.figure(
        "figure-22",
        title="What expressions of so many nodes achieve",
        caption="Left: the error of the binding energy, mean over seeds with the smallest and the largest. Right: what the "
        "expressions leave of each component, the first seed. The formulas of the first seed, energies in keV; [Z even] is 1 "
        f"for even Z and 0 for odd. From components: E = {ours}. Directly: E = {theirs}.",
        alt="Error of the binding energy against the length of the formula, from components and directly, beside the error of the "
        f"SEMF: at full length {rms['components'].mean():.0f} keV from components and {rms['direct'].mean():.0f} keV directly.",
        panels=[
            energy_panel(task, fronts, semf),
            component_panel(fronts["components"][0], components[0][task.seen]),
        ],
    )
    evidence.conclude()


def note_formulas(evidence, task, core, formulas):
    held_out = f"the {len(task.x) - SEEN} of {len(task.x)} nuclei held out"
    for kind, name in (("components", "from components"), ("direct", "directly")):
        every, everywhere = formulas[kind], inputs(core.z, core.n)
        evidence.note(f"RMS of the formula found {name}", [task.rms(formula) for formula in every], "keV")
        evidence.note(f"RMS {name}, {held_out}", [task.rms(formula, held_out=True) for formula in every], "keV")
        evidence.note(f"RMS {name}, core set", [core.rms(formula.at(everywhere)) for formula in every], "keV")
        evidence.note(f"nodes, {name}", [formula.length for formula in every])
        evidence.note(f"numbers as written, {name}", [task.written(formula).numbers for formula in every])


def linear_in(task, columns):
    """The linear combination of the columns (k, m), and a constant, that follows the energies seen best: (k,)."""
    design = np.column_stack([np.ones(len(columns)), columns])
    return design @ np.linalg.lstsq(design[task.seen], task.nuclides.binding[task.seen], rcond=None)[0]


def energy_panel(task, fronts, semf):
    arrays = {}
    for kind, step in (("components", COMPONENTS), ("direct", 1)):
        lengths = range(1, (NODES if kind == "components" else DIRECT_NODES) + 1)
        nodes, errors = [], []
        for length in lengths:
            found = [task.formula(every, length) for every in fronts[kind]]
            if None not in found:
                nodes.append(step * length + 3 * step + 1)
                errors.append([task.rms(formula) for formula in found])
        low, mean, high = np.min(errors, axis=1), np.mean(errors, axis=1), np.max(errors, axis=1)
        arrays |= {f"{kind}.x": nodes, f"{kind}.y": mean, f"{kind}.low": low, f"{kind}.high": high}
    return Panel(
        "lines",
        "The binding energy",
        arrays,
        {
            "series": [
                {"key": "components", "label": "from components", "style": "both"},
                {"key": "direct", "label": "directly", "style": "line"},
            ],
            "xlabel": "most nodes of the formula",
            "ylabel": "RMS (keV)",
            "ylog": True,
            "hlines": [{"at": error, "label": f"SEMF {name}, {error:.0f} keV"} for name, error in semf.items()],
        },
    )


def component_panel(fronts, columns):
    arrays = {}
    for i, front in enumerate(fronts):
        arrays[f"pc{i}.x"] = [expression.length for expression in front.expressions]
        arrays[f"pc{i}.y"] = np.square(front.errors) / columns[:, i].var()
    return Panel(
        "lines",
        "The components",
        arrays,
        {
            "series": [{"key": f"pc{i}", "label": f"PC{i}", "style": "both"} for i in range(len(fronts))],
            "xlabel": "nodes of the expression",
            "ylabel": "share of the variance left",
            "ylog": True,
        },
    )
