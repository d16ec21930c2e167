"""Does the structure survive the clean split, and is it the same from seed to seed? `python -m studies.structure` prints the
tables of docs/structure.md, of runs of the profile cpu: nothing more is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from claims.conftest import Run, penultimate
from nuclr.analysis import nulls
from nuclr.analysis.pca import leading
from nuclr.analysis.similarity import procrustes_distance
from studies.reading import main, markdown, told, trained
from studies.scaling import Found, core, read_in, side_by_side

Array = NDArray[np.float64]

# Half of the rows train, the same number of steps and rows a step: header -> the runs that stand for `binding` and `joint`.
SPLITS = {
    "by row, as published": {"binding": "half-row-binding", "joint": "half-row"},
    "clean": {"binding": "half-clean-binding", "joint": "half-clean"},
}
ALIKE = {
    "binding": "binding energy alone",
    "binding-without-decay": "the same without weight decay",
    "joint": "all observables",
}
COMPONENTS = 10  # as many as claim attention-differs compares; the many others hold the noise of initialisation
PLACES: dict[str, Callable[[Run], Array]] = {
    "Z": lambda run: leading(run.probe.embedding("Z"), COMPONENTS),
    "N": lambda run: leading(run.probe.embedding("N"), COMPONENTS),
    "Z, PC1 and PC2": lambda run: run.axes("Z")[:, 1:],
    "N, PC1 and PC2": lambda run: run.axes("N")[:, 1:],
    "penultimate layer": lambda run: penultimate(run.probe, core()).axes(COMPONENTS),
}


def apart(points: Sequence[Array]) -> Array:
    """Procrustes distances (pairs,) of every two representations."""
    return np.array([procrustes_distance(x, y) for x, y in combinations(points, 2)])


def noise_like(runs: Sequence[Run], symbol: str) -> list[Array]:
    """Whole embeddings (k, d) of structureless noise, one for each run, as smooth along the numbers and as much along a line."""
    return [nulls.like(run.probe.embedding(symbol), 1, seed=run.seed)[0] for run in runs]


def in_place(place: str, noise: Array) -> Array:
    axes = leading(noise, COMPONENTS)
    return axes[:, 1:3] if place.endswith("PC2") else axes


def alike(store: Path) -> str:
    """Distances between seeds beside those between noise that is as smooth."""
    found = trained("cpu", store, ALIKE)
    rows = []
    for name, runs in found.items():
        rows.append([ALIKE[name], *(told(apart([read(run) for run in runs]), 2) for read in PLACES.values())])
        cells = [
            ""
            if place == "penultimate layer"
            else told(apart([in_place(place, one) for one in noise_like(runs, place[0])]), 2)
            for place in PLACES
        ]
        rows.append(["noise that is as smooth", *cells])
    joint = found.get("joint")
    if joint is not None:
        fresh = [Run(run.stored, partial(run.probe.untrained, 100 + run.seed)) for run in joint]
        rows.append(["untrained networks", *(told(apart([read(run) for run in fresh]), 2) for read in PLACES.values())])
    return markdown(("distance between seeds", *PLACES), rows)


def splits(store: Path) -> str:
    """What the claims measure, in runs on half of the data by either split."""
    names = [name for kinds in SPLITS.values() for name in kinds.values()]
    runs, found = trained("cpu", store, names), Found()
    for header, kinds in SPLITS.items():
        there = {kind: runs[name] for kind, name in kinds.items() if name in runs}
        for name, values in read_in(there).items():
            found.setdefault(name, {})[header] = values
    return side_by_side("half of the data trains", {header: header for header in SPLITS}, found)


def tell(store: Path) -> str:
    return f"{alike(store)}\n\n{splits(store)}"


if __name__ == "__main__":
    main(tell, __doc__ or "")
