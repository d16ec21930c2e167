"""The semi-empirical mass formula follows E_B / A but misses the extra binding at magic numbers (figures 3 and 17)."""

import numpy as np
import pytest

from nuclr.analysis.shells import excess_samples, kink_samples, smallest_difference, smallest_difference_interval
from nuclr.physics.formulas import SEMF
from nuclr.physics.nuclides import MAGIC_N, MAGIC_Z
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("semf-misses-shells")

CLOSED_N, CLOSED_Z = (28, 50, 82, 126), (28, 50, 82)
DRAWS, CHOICES = 2000, 500


def excess(residual, nuclides, magic_n=MAGIC_N, closed_n=CLOSED_N, magic_z=MAGIC_Z, closed_z=CLOSED_Z):
    return excess_samples(residual, nuclides.n, magic_n, closed_n) + excess_samples(
        residual, nuclides.z, magic_z, closed_z
    )


def kink(residual, nuclides, closed_n=CLOSED_N, closed_z=CLOSED_Z):
    return kink_samples(residual, nuclides.n, nuclides.z, closed_n) + kink_samples(
        residual, nuclides.z, nuclides.n, closed_z
    )


def test_the_formula_misses_the_shells(heavy, evidence):
    residual = heavy.binding - SEMF.predict(heavy.z, heavy.n)
    refit = heavy.binding - SEMF.refit(heavy.z, heavy.n, heavy.binding).predict(heavy.z, heavy.n)
    for name, samples in {"smallest-excess": excess, "smallest-kink": kink}.items():
        there_and_beside = samples(residual, heavy)
        interval = smallest_difference_interval(there_and_beside, DRAWS, seed=0)
        evidence.measure(name, smallest_difference(there_and_beside), over="nuclide", interval=interval)
        evidence.note(f"{name} with refitted coefficients", smallest_difference(samples(refit, heavy)), "keV")

    excesses, kinks = [], []
    rng = np.random.default_rng(0)
    for _ in range(CHOICES):
        n = sorted(rng.choice(np.setdiff1d(np.arange(24, 140), MAGIC_N), len(CLOSED_N), replace=False).tolist())
        z = sorted(rng.choice(np.setdiff1d(np.arange(24, 100), MAGIC_Z), len(CLOSED_Z), replace=False).tolist())
        excesses.append(smallest_difference(excess(residual, heavy, [20, *n, 184], n, [20, *z, 126], z)))
        kinks.append(smallest_difference(kink(residual, heavy, n, z)))
    evidence.control("numbers drawn at random", excesses, measures=["smallest-excess"])
    evidence.control("numbers drawn at random", kinks, measures=["smallest-kink"])

    a = heavy.z + heavy.n
    follows = np.corrcoef(heavy.binding / a, SEMF.predict(heavy.z, heavy.n) / a)[0, 1] ** 2
    evidence.note("R2 of the formula's E_B / A", follows)
    evidence.note("RMS of the formula", heavy.semf_rms, "keV")
    evidence.figure(
        "figure-03",
        title="What the mass formula leaves over",
        caption="Nuclides along lines of magic N and Z are bound by several MeV more than the formula says; between them less.",
        alt="Chart of nuclides coloured by data minus SEMF: ridges of extra binding along N = 28, 50, 82, 126 and Z = 28, 50, 82.",
        panels=[
            Panel(
                "chart",
                "Data minus SEMF",
                {"z": heavy.z, "n": heavy.n, "value": residual / 1000},
                {"label": "residual", "unit": "MeV", "diverging": True},
            ),
        ],
    )
    chains = {"N": (heavy.n, CLOSED_N), "Z": (heavy.z, CLOSED_Z)}
    means = {symbol: mean_by(number, residual / 1000) for symbol, (number, _) in chains.items()}
    at_closed = [
        f"{means[symbol]['mean.y'][means[symbol]['mean.x'] == one][0]:.1f} at {symbol} = {one}"
        for symbol, (_, closed) in chains.items()
        for one in closed
    ]
    evidence.figure(
        "figure-17",
        title="The residual along the chains",
        caption="Mean residual of all nuclides with one N (or Z). It peaks at the magic numbers, marked by lines.",
        alt=f"Mean residual against N and against Z; at the magic numbers, in MeV: {', '.join(at_closed)}.",
        panels=[
            Panel(
                "lines",
                f"along {symbol}",
                means[symbol],
                {
                    "series": [{"key": "mean", "label": "data minus SEMF", "style": "line"}],
                    "xlabel": symbol,
                    "ylabel": "MeV",
                    "vlines": [{"at": m, "label": str(m)} for m in closed],
                },
            )
            for symbol, (_, closed) in chains.items()
        ],
    )
    evidence.conclude()


def mean_by(number, value):
    counts, sums = np.bincount(number), np.bincount(number, weights=value)
    present = np.flatnonzero(counts)
    return {"mean.x": present, "mean.y": sums[present] / counts[present]}
