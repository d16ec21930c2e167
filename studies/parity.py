"""On what does the parity split R_P depend (section 5.1, figure 9), and with it the order of the numbers and the pairing term of
the penultimate layer? `python -m studies.parity` prints the tables of docs/parity.md.

The third table, of the wave that alternates between even and odd, was added when that wave had been found under `chi2`
(studies/parity_wave.py), and before it was read under any other weights. Expected: under `equal` it is far stronger at every share
of the rows, and rises with them, as R_P does; under `inverse` it is as under `chi2`."""

from __future__ import annotations

from pathlib import Path

from claims.conftest import Nuclides, Run, nuclides, penultimate
from claims.figures import best_match
from claims.fractions import SYMBOLS, embedding, order, parity, parity_over_pairs, parity_wave, waves_beside
from nuclr.analysis.pca import leading
from nuclr.analysis.structure import parity_split
from nuclr.data import table
from nuclr.model.probe import Probe
from nuclr.physics.formulas import pairing
from studies.reading import main, markdown, told, trained

BESIDE = ("fraction-10", "fraction-50", "fraction-90")  # of the cpu profile: weighted by chi2, else alike
LEADING = 10
OF_PARITY = (
    "runs",
    "% of rows",
    "R_P of Z",
    "R_P of N",
    f"R_P of Z in {LEADING} PCs",
    f"R_P of N in {LEADING} PCs",
    "R_P less that of pairs, Z",
    "R_P less that of pairs, N",
)
BESIDE_IT = (
    "runs",
    "% of rows",
    "val RMS of binding (keV)",
    "val RMS of S_N (keV)",
    "order of Z",
    "order of N",
    "cosine of the pairing term",
    "and its component",
)
OF_WAVE = ("runs", "% of rows", "parity wave of Z", "waves beside it, Z", "parity wave of N", "waves beside it, N")


def parity_in_leading(probe: Probe, symbol: str) -> float:
    """R_P in the leading principal components, where the noise that no component explains is left out."""
    points, numbers = embedding(probe, symbol)
    return parity_split(leading(points, LEADING), numbers)


def named(name: str) -> list[str]:
    """The first two cells of a line: what is special about the runs, and the share of the rows that they train on."""
    kind, _, percent = name.rpartition("-")
    return ["chi2 (the profile)" if kind == "fraction" else kind, percent]


def of_parity(name: str, runs: list[Run]) -> list[str]:
    """A line of the first table: means over seeds, and their range."""
    readings = (parity, parity_in_leading, parity_over_pairs)
    return [
        *named(name),
        *(told([read(run.probe, symbol) for run in runs], 3) for read in readings for symbol in SYMBOLS),
    ]


def of_wave(name: str, runs: list[Run]) -> list[str]:
    """A line of the third table: the power of the alternating wave and of waves nearly as fast, 1 for white noise."""
    readings = (parity_wave, waves_beside)
    return [
        *named(name),
        *(told([read(run.probe, symbol) for run in runs], 2) for symbol in SYMBOLS for read in readings),
    ]


def beside_it(name: str, runs: list[Run], heavy: Nuclides) -> list[str]:
    """A line of the second table."""
    term = pairing(heavy.z, heavy.n)
    matches = [best_match(penultimate(run.probe, heavy).axes(), term) for run in runs]
    return [
        *named(name),
        told([run.error("validation_rms.binding") for run in runs], 0),
        told([run.error("validation_rms.sn") for run in runs], 0),
        *(told([order(run.probe, symbol) for run in runs], 2) for symbol in SYMBOLS),
        told([match.cosine for match in matches], 2),
        " ".join(f"PC{match.component}" for match in matches),
    ]


def tell(store: Path) -> str:
    found, heavy = trained("cpu", store, BESIDE) | trained("parity", store), nuclides(table.heavy)
    tables = (
        markdown(OF_PARITY, [of_parity(name, runs) for name, runs in found.items()]),
        markdown(BESIDE_IT, [beside_it(name, runs, heavy) for name, runs in found.items()]),
        markdown(OF_WAVE, [of_wave(name, runs) for name, runs in found.items()]),
    )
    return "\n\n".join(tables)


if __name__ == "__main__":
    main(tell, __doc__ or "")
