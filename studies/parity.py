"""On what does the parity split R_P depend (section 5.1, figure 9)? `python -m studies.parity` prints the table of docs/parity.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from claims.conftest import Run
from claims.fractions import SYMBOLS, embedding, order, parity, parity_over_pairs
from nuclr.analysis.pca import leading
from nuclr.analysis.structure import parity_split
from nuclr.model.probe import Probe
from studies.reading import main, markdown, told, trained

BESIDE = ("fraction-10", "fraction-50", "fraction-90")  # of the cpu profile: weighted by chi2, else alike
LEADING = 10
HEADER = (
    "runs",
    "% of rows",
    "val RMS of binding (keV)",
    "val RMS of S_N (keV)",
    "order of Z, N",
    "R_P of Z",
    "R_P of N",
    f"R_P of Z in {LEADING} PCs",
    f"R_P of N in {LEADING} PCs",
    "R_P less that of pairs, Z, N",
)


def parity_in_leading(probe: Probe, symbol: str) -> float:
    """R_P in the leading principal components, where the noise that no component explains is left out."""
    points, numbers = embedding(probe, symbol)
    return parity_split(leading(points, LEADING), numbers)


def line(name: str, runs: list[Run]) -> list[str]:
    """One line of the table: means over seeds, and where it matters their range."""
    each = {
        (read.__name__, symbol): [read(run.probe, symbol) for run in runs]
        for read in (order, parity, parity_in_leading, parity_over_pairs)
        for symbol in SYMBOLS
    }
    kind, _, percent = name.rpartition("-")
    return [
        "chi2" if kind == "fraction" else kind,
        percent,
        told([run.error("validation_rms.binding") for run in runs], 0),
        told([run.error("validation_rms.sn") for run in runs], 0),
        ", ".join(f"{np.mean(each['order', symbol]):.2f}" for symbol in SYMBOLS),
        *(told(each["parity", symbol], 3) for symbol in SYMBOLS),
        *(told(each["parity_in_leading", symbol], 3) for symbol in SYMBOLS),
        ", ".join(f"{np.mean(each['parity_over_pairs', symbol]):+.3f}" for symbol in SYMBOLS),
    ]


def tell(store: Path) -> str:
    found = trained("cpu", store, BESIDE) | trained("parity", store)
    return markdown(HEADER, [line(name, runs) for name, runs in found.items()])


if __name__ == "__main__":
    main(tell, __doc__ or "")
