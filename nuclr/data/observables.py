"""The ten observables, a random control, and the table turned into rows (Z, N, task) -> value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nuclr.data import table
from nuclr.errors import NuclrError, unknown
from nuclr.physics.formulas import SEMF


@dataclass(frozen=True)
class Observable:
    """What one task predicts.

    `expected_error` (in `unit`) divides the residual in the loss; `column` and `estimated` name columns of the table.
    `partner` is the step (dZ, dN) to the other nucleus in the definition, for the energies that are differences of two
    nuclear masses (and of constants): the two masses and the value fix one another.
    """

    title: str
    symbol: str
    unit: str
    expected_error: float
    column: str
    estimated: str | None = None
    partner: tuple[int, int] | None = None


def _energy(title: str, symbol: str, column: str, partner: tuple[int, int]) -> Observable:
    return Observable(title, symbol, "keV", 200.0, column, f"{column}_est", partner)


OBSERVABLES: dict[str, Observable] = {
    "binding": Observable("binding energy", "E_B", "keV", 100.0, "be_from_me", "mass_excess_est"),
    "radius": Observable("charge radius", "R_ch", "fm", 0.02, "radius"),
    # The paper prints a (Z - 1, N + 1) daughter for Q_A; an alpha particle takes two of each.
    "qa": _energy("alpha decay energy", "Q_A", "qa", (-2, -2)),
    "qbm": _energy("beta-minus decay energy", "Q_BM", "qbm", (1, -1)),
    "qbm_n": _energy("beta-delayed neutron emission energy", "Q_BMN", "qbm_n", (1, -2)),
    "qec": _energy("electron capture energy", "Q_EC", "qec", (-1, 1)),
    "sn": _energy("neutron separation energy", "S_N", "sn", (0, -1)),
    "sp": _energy("proton separation energy", "S_P", "sp", (-1, 0)),
    "z": Observable("proton number", "Z", "1", 1.0, "z"),
    "n": Observable("neutron number", "N", "1", 1.0, "n"),
}

CONTROL = Observable("random control", "C", "1", 1.0, "control")
TARGETS = OBSERVABLES | {"control": CONTROL}  # all that a network can be trained on
CONTROL_SEED = 20240527

NUCLIDES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "core": table.core,
    "heavy": table.heavy,
    "well-measured": table.well_measured,
    "known-2016": table.known_in_2016,
}


@dataclass(frozen=True)
class Rows:
    """Equally long arrays, ordered by (task, z, n).

    z, n and task (index into `names`) are int64; value is float64 in the unit of its observable; measured is False
    where the value is estimated from the trend of the mass surface.
    """

    names: tuple[str, ...]
    z: NDArray[np.int64]
    n: NDArray[np.int64]
    task: NDArray[np.int64]
    value: NDArray[np.float64]
    measured: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.value)


def rows(names: Iterable[str] = tuple(OBSERVABLES), nuclides: str = "core") -> Rows:
    """One row for each of the nuclides and each named observable that has a value: 29,896 for all of "core".

    "control" is an observable as well. Raises NuclrError for an unknown or repeated observable, for none, and for an
    unknown set of nuclides.
    """
    names = tuple(names)
    for name in names:
        if name not in TARGETS:
            raise unknown("observable", name, TARGETS)
    if not names or len(set(names)) < len(names):
        raise NuclrError(f"Name each observable once, and at least one: got {', '.join(names) or 'none'}.")
    if nuclides not in NUCLIDES:
        raise unknown("set of nuclides", nuclides, NUCLIDES)

    everything = table.load()
    everything[CONTROL.column] = control(everything.z.to_numpy(np.int64), everything.n.to_numpy(np.int64))
    chosen = everything[NUCLIDES[nuclides](everything)]
    wanted = [TARGETS[name] for name in names]
    parts = [chosen[chosen[observable.column].notna()] for observable in wanted]
    return Rows(
        names=names,
        z=np.concatenate([part.z.to_numpy(np.int64) for part in parts]),
        n=np.concatenate([part.n.to_numpy(np.int64) for part in parts]),
        task=np.repeat(np.arange(len(names)), [len(part) for part in parts]),
        value=np.concatenate([part[o.column].to_numpy(np.float64) for o, part in zip(wanted, parts, strict=True)]),
        measured=np.concatenate([_measured(part, o.estimated) for o, part in zip(wanted, parts, strict=True)]),
    )


def pseudo(found: Rows) -> Rows:
    """The same rows of binding energies with those of the SEMF as values: data of a theory without shells.

    Raises NuclrError where there are other observables.
    """
    if found.names != ("binding",):
        raise NuclrError(f"The SEMF has binding energies alone: it cannot stand for {', '.join(found.names)}.")
    return replace(found, value=SEMF.predict(found.z, found.n), measured=np.ones(len(found), dtype=bool))


def control(z: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values (k,) of the random control for nuclei z, n of shape (k,): standard normal, one fixed value a nucleus."""
    # Drawn over the whole chart: the value of a nucleus does not depend on which others are asked for.
    chart = np.random.default_rng(CONTROL_SEED).standard_normal((z.max() + 1, 256))
    drawn: NDArray[np.float64] = chart[z, n]
    return drawn


def _measured(part: pd.DataFrame, estimated: str | None) -> NDArray[np.bool_]:
    return np.ones(len(part), dtype=bool) if estimated is None else part[estimated].to_numpy() == 0
