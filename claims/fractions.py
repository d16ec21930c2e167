"""What the claims on figures 9, 10 and 16 share: order and parity of the embeddings in runs on 10 to 90 % of the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from claims.conftest import Run
from nuclr.analysis.pca import leading
from nuclr.analysis.ranks import percentile_interval, rank_correlation, rank_correlation_within
from nuclr.analysis.spectrum import ALTERNATING, BESIDE, power
from nuclr.analysis.structure import orderedness, parity_split
from nuclr.config import OBSERVABLES
from nuclr.model.probe import TRAINED_NUMBERS, Probe
from nuclr.runs import FRACTIONS
from nuclr.train.examples import examples
from nuclr.verdict.evidence import Evidence, Panel

Array = NDArray[np.float64]

SYMBOLS = ("Z", "N")
DRAWS = 10_000  # of a bootstrap
PERMUTATIONS, FEWER = 500, 400  # of a control, and the draws for the interval of each
BANDS = {"10 to 30 % of the rows": (0.0, 0.35), "40 to 60 %": (0.35, 0.65), "70 to 90 %": (0.65, 1.0)}


def embedding(probe: Probe, symbol: str) -> tuple[Array, NDArray[np.int64]]:
    """Embeddings (k, d) and numbers (k,), consecutive, of those that these runs train: z, n > 8.

    The numbers up to 8 never train here. Their embeddings are noise, the same share of it in every run.
    """
    numbers = TRAINED_NUMBERS[symbol]
    trained = numbers > 8
    return probe.embedding(symbol)[trained], numbers[trained]


def order(probe: Probe, symbol: str) -> float:
    """Orderedness of PC0 of an embedding."""
    points, _ = embedding(probe, symbol)
    return orderedness(leading(points, 1)[:, 0])


def parity(probe: Probe, symbol: str) -> float:
    """R_P of an embedding."""
    return parity_split(*embedding(probe, symbol))


def parity_over_pairs(probe: Probe, symbol: str) -> float:
    """R_P less that of pairs of numbers, 0, 1 against 2, 3, and so on.

    R_P is not free of order: on a line the nearest numbers are of the other parity, so that R_P is 0.98, while noise has 1.
    Pairs share this and know no parity.
    """
    points, numbers = embedding(probe, symbol)
    return parity_split(points, numbers) - parity_split(points, numbers // 2)


def parity_wave(probe: Probe, symbol: str) -> float:
    """Power of the wave that alternates between even and odd, in an embedding: 1 for white noise of the same variance."""
    (found,) = power(embedding(probe, symbol)[0], [ALTERNATING])
    return float(found)


def waves_beside(probe: Probe, symbol: str) -> float:
    """Median power of waves nearly as fast, in an embedding."""
    return float(np.median(power(embedding(probe, symbol)[0], BESIDE)))


@dataclass(frozen=True)
class Sweep:
    """The k runs of figure 9: every fraction with every seed."""

    runs: list[Run]

    @classmethod
    def read(cls, runs: Callable[[str], list[Run]]) -> Sweep:
        kinds = [runs(name) for name in FRACTIONS]
        assert len({tuple(run.seed for run in kind) for kind in kinds}) == 1, "the same seeds at every fraction"
        return cls([run for kind in kinds for run in kind])

    def each(self, reading: Callable[[Probe, str], float], symbol: str) -> Array:
        """A reading of the embedding of "Z" or "N" in every run: (k,)."""
        return np.array([reading(run.probe, symbol) for run in self.runs])

    def error(self, name: str) -> Array:
        """A final error of every run, such as "validation_rms.binding": (k,), in physical units."""
        return np.array([run.error(name) for run in self.runs])

    @property
    def validation(self) -> Array:
        """RMS of the binding energies that a run held out, keV: (k,)."""
        return self.error("validation_rms.binding")

    @property
    def train(self) -> Array:
        """RMS of the binding energies that a run trained on, keV: (k,)."""
        return self.error("train_rms.binding")

    @cached_property
    def fraction(self) -> Array:
        return np.array([run.stored.config.data.fraction for run in self.runs])

    @cached_property
    def seed(self) -> NDArray[np.int64]:
        return np.array([run.seed for run in self.runs])

    def common_validation(self) -> Array:
        """RMS of the binding energies that every run of a seed held out, keV: (k,). Runs on more rows hold fewer out, and so
        are measured on other nuclides; here they are measured on the same."""
        found = np.empty(len(self.runs))
        for seed in np.unique(self.seed):
            members = np.flatnonzero(self.seed == seed)
            data = [examples(self.runs[i].stored.config) for i in members]
            rows = np.logical_and.reduce([one.validation for one in data])
            rows &= data[0].observable == OBSERVABLES.index("binding")
            z, n, value = data[0].z[rows], data[0].n[rows], data[0].value[rows]
            for i in members:
                predicted = self.runs[i].probe.predict(z, n, "binding")
                found[i] = np.sqrt(np.mean((predicted - value) ** 2))
        return found

    def all_validation(self) -> Array:
        """Geometric mean over the ten observables of the validation RMS: (k,), whose unit cancels in ranks."""
        return np.exp(np.mean([np.log(self.error(f"validation_rms.{name}")) for name in OBSERVABLES], axis=0))


def rho(rows: Array) -> Array:
    """Rank correlation of the first two columns of (..., k, 2): (...)."""
    return rank_correlation(rows[..., 0], rows[..., 1])


def interval(statistic: Callable[[Array], Array], confidence: float, *columns: Array) -> tuple[float, float]:
    """Bootstrap interval over runs of a statistic of their readings, columns (k,)."""
    return percentile_interval(statistic, np.stack(columns, axis=1), DRAWS, seed=0, confidence=confidence)


def chance(
    statistic: Callable[[Array], Array], confidence: float, structure: list[Array], errors: list[Array]
) -> Array:
    """The same intervals (PERMUTATIONS, 2) where every run is handed the errors of another.

    Chance alone brings a trend of the claimed sign half of the time. What it must not bring is an interval of that sign,
    so a control is the end that decides.
    """
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(errors[0])) for _ in range(PERMUTATIONS)]
    tables = (np.stack(structure + [error[other] for error in errors], axis=1) for other in orders)
    return np.array([percentile_interval(statistic, table, FEWER, 0, confidence) for table in tables])


def note_confounders(evidence: Evidence, sweep: Sweep, found: dict[str, Array]) -> None:
    """Show rho of structure and error, for Z and for N, with whatever else differs between fractions held fixed."""

    def both(label: str, correlate: Callable[[Array], Array | float]) -> None:
        evidence.note(f"{label}: Z, N", [float(correlate(found[symbol])) for symbol in SYMBOLS])

    for label, error in {
        "on nuclides that all runs of a seed hold out": sweep.common_validation(),
        "measured values alone": sweep.error("validation.measured_rms.binding"),
        "geometric mean over the ten observables": sweep.all_validation(),
    }.items():
        both(f"rho with the validation RMS, {label}", partial(rank_correlation, error))
    both("rho at a fixed fraction", partial(rank_correlation_within, sweep.validation, group=sweep.fraction))
    for seed in np.unique(sweep.seed):
        both(f"rho over the fractions, seed {seed}", partial(_rho_of, sweep.seed == seed, sweep.validation))


def _rho_of(chosen: NDArray[np.bool_], error: Array, found: Array) -> Array:
    return rank_correlation(found[chosen], error[chosen])


def scatter(sweep: Sweep, found: Array, symbol: str, xlabel: str) -> Panel:
    """Structure (k,) against validation error, the runs in three bands of fractions: rows are what moves both."""
    arrays = {}
    for label, (low, high) in BANDS.items():
        inside = (low < sweep.fraction) & (sweep.fraction <= high)
        arrays[f"{label}.x"], arrays[f"{label}.y"] = found[inside], sweep.validation[inside]
    return Panel(
        "lines",
        f"{symbol} embedding, rho {rank_correlation(found, sweep.validation):.2f}",
        arrays,
        {
            "series": [{"key": label, "label": label, "style": "points"} for label in BANDS],
            "xlabel": xlabel,
            "ylabel": "validation RMS, binding (keV)",
            "ylog": True,
        },
    )
