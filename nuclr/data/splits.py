"""Which rows train and which validate.

Decay and separation energies are exact differences of masses, so a held-out binding energy can follow from training
rows of other observables by arithmetic. Three kinds of split:

row      rows at random, as published: nearly every held-out value can be computed from what trains.
nucleus  all rows of a nucleus together: its neighbours' energies still give it away.
clean    by nucleus, and training rows whose partner nucleus is held out are dropped: nothing gives it away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuclr.data.observables import TARGETS, Rows
from nuclr.errors import NuclrError, unknown

KINDS = ("row", "nucleus", "clean")
ALPHA = (2, 2)  # 4He, whose mass stands in every alpha decay energy

GROUP = 1000  # above every Z and N
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """Boolean arrays over the rows, disjoint; rows in neither are the ones a clean split drops."""

    train: Mask
    validation: Mask


def split(rows: Rows, kind: str, fraction: float, seed: int, each: bool = False) -> Split:
    """Split the rows, the same for the same arguments.

    `fraction` is the share in training, of rows (kind "row") or of nuclei ("nucleus", "clean", before rows are
    dropped); at 1.0 all rows train. Each Z and each N in `rows` occurs in training, since the embedding of a number
    that never trains is noise; where the fraction is too small for that, training is as large as it must be. With `each`
    this holds for the rows of every observable by themselves, so that a run of one observable can use the split too.

    Raises NuclrError for an unknown kind or a fraction outside (0, 1].
    """
    if kind not in KINDS:
        raise unknown("kind of split", kind, KINDS)
    if not 0.0 < fraction <= 1.0:
        raise NuclrError(f"A training fraction lies above 0 and at most at 1: got {fraction}.")
    rng = np.random.default_rng(seed)
    group = rows.task if each else np.zeros_like(rows.task)
    z, n = (numbers + GROUP * group for numbers in (rows.z, rows.n))  # the same number in two groups counts as two
    if kind == "row":
        train = _draw(z, n, fraction, rng)
        return Split(train, ~train)

    nuclei, nucleus = np.unique(np.stack([rows.z, rows.n], axis=1), axis=0, return_inverse=True)
    nucleus = nucleus.reshape(-1)
    chosen = _draw(nuclei[:, 0], nuclei[:, 1], fraction, rng)
    partner = _partners(rows, nuclei) if kind == "clean" else np.full(len(rows), -1)
    if kind == "clean" and "qa" in rows.names:
        chosen |= (nuclei == ALPHA).all(axis=1)  # held out, it would follow from any alpha decay energy
    order = rng.permutation(len(rows))
    while True:
        train = chosen[nucleus] & ((partner < 0) | chosen[partner])
        missing = ~np.isin(z, z[train]) | ~np.isin(n, n[train])
        if not missing.any():
            return Split(train, ~chosen[nucleus])
        # A Z or an N is without any row: take in one of its nuclei together with the partner, one in each group.
        candidates = order[missing[order]]
        for row in candidates[np.unique(group[candidates], return_index=True)[1]]:
            chosen[nucleus[row]] = True
            if partner[row] >= 0:
                chosen[partner[row]] = True


def _draw(z: NDArray[np.int64], n: NDArray[np.int64], fraction: float, rng: np.random.Generator) -> Mask:
    """A random choice of `fraction` of the items in which each value of z and of n occurs."""
    order = rng.permutation(len(z))
    target = round(fraction * len(z))
    chosen = np.zeros(len(z), dtype=bool)
    chosen[order[:target]] = True
    count_z, count_n = np.bincount(z[chosen], minlength=z.max() + 1), np.bincount(n[chosen], minlength=n.max() + 1)
    for i in order[target:]:
        if not count_z[z[i]] or not count_n[n[i]]:
            chosen[i] = True
            count_z[z[i]] += 1
            count_n[n[i]] += 1
    surplus = chosen.sum() - target
    for i in order[:target]:  # give back as many as were added, where others stand for the same Z and N
        if surplus and count_z[z[i]] > 1 and count_n[n[i]] > 1:
            chosen[i] = False
            count_z[z[i]] -= 1
            count_n[n[i]] -= 1
            surplus -= 1
    return chosen


def _partners(rows: Rows, nuclei: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the index in `nuclei` of its partner, or -1 where it has none there."""
    steps = np.array([TARGETS[name].partner or (0, 0) for name in rows.names])
    index = {(z, n): i for i, (z, n) in enumerate(nuclei.tolist())}
    targets = np.stack([rows.z, rows.n], axis=1) + steps[rows.task]
    found = np.array([index.get((z, n), -1) for z, n in targets.tolist()])
    return np.where(steps[rows.task].any(axis=1), found, -1)
