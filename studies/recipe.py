"""Which width, steps and rows a step the recipe needs: validation error against cost. `python -m studies.recipe` prints the tables of
docs/recipe.md. Nothing but errors and time is read from these networks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from nuclr.config import RunConfig
from nuclr.studies import FIRST_SEED, SEEDS, TRIALS, Size
from nuclr.train.fleetsize import pace
from nuclr.train.plan import survey
from nuclr.train.store import Store, StoredRun
from studies.reading import main, markdown

TOLERATED = 1.1  # a size may score this many times the best
OTHERS = {
    "decayed-biases": "biases start at zero and decay",
    "constant-rate": "constant rate",
    "fifth": "a fifth of the rows a step",
}
# Kinds that must share a size.
TOGETHER = {
    "joint": ("joint",),
    "single": ("binding",),
    "single, recipe of figure 9": ("binding-structure",),
    "single, S_N": ("neutron-separation",),
    "figure 9": ("fraction-10", "fraction-90"),
    "figure 12": ("half-clean", "half-clean-binding"),
}


@cache
def seconds_a_step(config: RunConfig) -> float:
    """Seconds that a step of one run takes on one core, measured."""
    return pace([config], "cpu").at(1)


def cost(config: RunConfig) -> float:
    """Seconds that a run takes on one core."""
    return config.training.steps * seconds_a_step(replace(config, name="", seed=FIRST_SEED))


def ratio(run: StoredRun, beside: StoredRun) -> float:
    """The validation RMS of a run over that of another of the same seed, geometric mean over the observables."""
    names = [f"validation_rms.{name}" for name in run.config.data.observables]
    of, to = ([float(one.manifest["errors"][name]) for name in names] for one in (run, beside))
    return float(np.exp(np.mean(np.log(of) - np.log(to))))


def score(of: Mapping[tuple[str, str], list[StoredRun]], kinds: tuple[str, ...], what: str) -> float:
    """Geometric mean over kinds and seeds of the ratio to the middle size; NaN where a run is missing."""
    found = []
    for kind in kinds:
        runs, middle = of.get((kind, what), []), of.get((kind, str(TRIALS[kind].sizes[0])), [])
        if len(runs) < SEEDS or len(middle) < SEEDS:
            return float("nan")
        found += [np.log(ratio(run, beside)) for run, beside in zip(runs, middle, strict=True)]
    return float(np.exp(np.mean(found)))


def line(of: Mapping[tuple[str, str], list[StoredRun]], kinds: tuple[str, ...], what: str) -> list[str]:
    """A row of a table: what is special, cost, score, its range over seeds, and the binding energy's error."""
    seconds = float(np.mean([cost(of[kind, what][0].config) for kind in kinds]))
    middle = [str(TRIALS[kind].sizes[0]) for kind in kinds]
    by_seed = [
        score(
            {
                (kind, name): [of[kind, name][seed]] * SEEDS
                for kind, m in zip(kinds, middle, strict=True)
                for name in (what, m)
            },
            kinds,
            what,
        )
        for seed in range(SEEDS)
    ]
    errors = []
    for kind in kinds:
        (name,) = TRIALS[kind].data.observables if len(TRIALS[kind].data.observables) == 1 else ("binding",)
        validation, train = (
            np.mean([run.manifest["errors"][f"{part}_rms.{name}"] for run in of[kind, what]])
            for part in ("validation", "train")
        )
        errors.append(f"{validation:.0f} ({train:.0f})")
    return [
        OTHERS.get(what, what),
        f"{seconds:.0f}",
        f"{score(of, kinds, what):.2f}",
        f"{min(by_seed):.2f} to {max(by_seed):.2f}",
        ", ".join(errors),
    ]


def chosen(of: Mapping[tuple[str, str], list[StoredRun]], kinds: tuple[str, ...]) -> Size | None:
    """The cheapest size that scores at most TOLERATED times the best one; None where nothing is trained."""
    scores = {size: score(of, kinds, str(size)) for size in TRIALS[kinds[0]].sizes}
    known = {size: value for size, value in scores.items() if np.isfinite(value)}
    if not known:
        return None
    good = [size for size, value in known.items() if value <= TOLERATED * min(known.values())]
    return min(good, key=lambda size: sum(cost(of[kind, str(size)][0].config) for kind in kinds))


def tell(store: Path) -> str:
    """The tables of docs/recipe.md."""
    of: dict[tuple[str, str], list[StoredRun]] = {}
    for run in survey("recipe", Store(store)):
        kind = max((kind for kind in TRIALS if run.config.name.startswith(f"{kind}-")), key=len)
        if run.stored:
            of.setdefault((kind, run.config.name.removeprefix(f"{kind}-")), []).append(run.stored)
    parts = []
    for title, kinds in TOGETHER.items():
        whats = [*map(str, TRIALS[kinds[0]].sizes), *OTHERS]
        there = [what for what in whats if np.isfinite(score(of, kinds, what))]
        absent = [what for what in whats if what not in there and any(w == what for k, w in planned_of(kinds))]
        if absent:
            print(f"{title}: not trained: {', '.join(absent)}", file=sys.stderr)
        if not there:
            continue
        error = "validation (train) RMS of " + ", ".join(kinds)
        rows = sorted((line(of, kinds, what) for what in there), key=lambda row: float(row[1]))
        table = markdown(("size", "s", "score", "its range over seeds", error), rows)
        parts.append(f"{title}: {chosen(of, kinds)}\n\n{table}")
    return "\n\n".join(parts)


def planned_of(kinds: tuple[str, ...]) -> set[tuple[str, str]]:
    """(kind, what) of everything that the study plans for these kinds."""
    from nuclr.studies import recipe

    names = {run.name for run in recipe()}
    return {(kind, name.removeprefix(f"{kind}-")) for kind in kinds for name in names if name.startswith(f"{kind}-")}


if __name__ == "__main__":
    main(tell, __doc__ or "")
