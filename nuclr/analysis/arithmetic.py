"""What follows by arithmetic: decay and separation energies are exact differences of binding energies.

A network that is shown some rows and tested on others may owe its success to these relations alone. Solving them by
least squares tells which held-out values the training rows fix, and to what, without any learning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, eye_array
from scipy.sparse.linalg import splu

from nuclr.physics.nuclides import MASS_EXCESS_H, MASS_EXCESS_N

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]

N_MINUS_H = MASS_EXCESS_N - MASS_EXCESS_H  # keV; what turning a neutron into a hydrogen atom sets free
ALPHA = (2, 2)


@dataclass(frozen=True)
class Relation:
    """value = sign * (B(Z, N) - B(Z + dZ, N + dN) - alphas * B(4He)) + constant, in keV, with partner = (dZ, dN)."""

    sign: int
    partner: tuple[int, int] | None = None
    alphas: int = 0
    constant: float = 0.0


# Definitions of AME2020 in binding energies; the partner is what remains, and what is emitted has a binding energy of 0
# (but for 4He). Radius, Z and N obey no such relation.
RELATIONS = {
    "binding": Relation(+1),
    "sn": Relation(+1, (0, -1)),
    "sp": Relation(+1, (-1, 0)),
    "qa": Relation(-1, (-2, -2), alphas=1),
    "qbm": Relation(-1, (1, -1), constant=N_MINUS_H),
    "qbm_n": Relation(-1, (1, -2), constant=N_MINUS_H),
    "qec": Relation(-1, (-1, 1), constant=-N_MINUS_H),
}

RIDGE = 1e-9  # against the entries of the normal equations, which are counts; refined away below
REFINEMENTS = 3
PLANTED = 3
SAME = 1e-4  # of a planted value of order one


@dataclass(frozen=True)
class Recovered:
    """For k rows: whether the value follows from the training rows, and the value (NaN where it does not), shape (k,)."""

    follows: Mask
    value: Array


def recover(names: Sequence[str], task: Numbers, z: Numbers, n: Numbers, value: Array, train: Mask) -> Recovered:
    """Solve the relations in the rows `train` for the binding energies, and say what they give for every row.

    task (k,) indexes `names`; z, n (k,) are the nuclei; value (k,) in keV, read on the training rows only. Rows of an
    observable without a relation never follow. Raises ValueError where no training row has a relation.
    """
    design, constant, related = _equations(names, task, z, n)
    useful = train & related
    if not useful.any():
        raise ValueError("No training row has a relation to the binding energies.")
    known = design[useful]
    # What the rows fix is what a solution of theirs shares with every other: so plant binding energies at random, and see
    # which values come back from the training rows alone; several times, since two differences can agree by chance.
    planted = np.random.default_rng(0).standard_normal((design.shape[1], PLANTED))
    unknowns = _least_squares(known, np.column_stack([value[useful] - constant[useful], known @ planted]))
    found = design @ unknowns
    follows = related & (np.abs(found[:, 1:] - design @ planted) < SAME).all(axis=1)
    return Recovered(follows, np.where(follows, found[:, 0] + constant, np.nan))


def _equations(names: Sequence[str], task: Numbers, z: Numbers, n: Numbers) -> tuple[csr_array, Array, Mask]:
    """Rows as equations design @ binding energies + constant = value: (k, unknowns), (k,), and where there is one (k,)."""
    unknown: dict[tuple[int, int], int] = {}
    row, column, factor = [], [], []
    constant, related = np.zeros(len(task)), np.zeros(len(task), dtype=bool)
    for i, (t, z_i, n_i) in enumerate(zip(task.tolist(), z.tolist(), n.tolist(), strict=True)):
        if (relation := RELATIONS.get(names[t])) is None:
            continue
        related[i], constant[i] = True, relation.constant
        terms = [(z_i, n_i, 1)] + [(*ALPHA, -1)] * relation.alphas
        if relation.partner:
            terms.append((z_i + relation.partner[0], n_i + relation.partner[1], -1))
        for z_j, n_j, sign in terms:
            if z_j + n_j > 1:  # a nucleon by itself is bound to nothing
                row.append(i)
                column.append(unknown.setdefault((z_j, n_j), len(unknown)))
                factor.append(float(relation.sign * sign))
    shape = (len(task), max(len(unknown), 1))
    return coo_array((factor, (row, column)), shape=shape).tocsr(), constant, related


def _least_squares(design: csr_array, right: Array) -> Array:
    """The least-squares solution of smallest norm of design @ x = right (k, m), by refined ridge regression."""
    normal = (design.T @ design + RIDGE * eye_array(design.shape[1])).tocsc()
    factors = splu(normal)
    solution = np.zeros((design.shape[1], right.shape[1]))
    for _ in range(1 + REFINEMENTS):
        solution += factors.solve(design.T @ (right - design @ solution))
    return solution
