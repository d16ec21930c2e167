"""Published mass models, read from the package nucleardatapy (its licence forbids passing on a changed copy)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nuclr.data import package

FOLDER = "data/nuclei/masses/Theory"
# Model -> (its file, the column of its mass excess, its reference). The files of KTUY05, HFB14 and ETFSI95 hold 13 to 16 bad rows
# and that of GK88 is corrupt: they are left out. Of these, BSkG3 alone was fitted to AME2020 and so has seen the masses that the
# others predict.
MODELS = {
    "WS3": ("2010-WS3.txt", 2, "Wang et al., Phys. Rev. C 82, 044304 (2010)"),
    "DZ": ("1995-DZ.txt", 2, "Duflo and Zuker, Phys. Rev. C 52, R23 (1995)"),
    "HFB24": ("2013-HFB24.txt", 2, "Goriely et al., Phys. Rev. C 88, 024308 (2013)"),
    "FRDM": ("1995-FRDM.txt", 2, "Möller et al., At. Data Nucl. Data Tables 59, 185 (1995)"),
    "BSkG3": ("2023-BSkG3.txt", 3, "Grams et al., Eur. Phys. J. A 59, 270 (2023)"),
}


def mass_excess(model: str, z: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mass excess (k,), keV, that a model gives for the nuclei z, n of shape (k,); NaN where its table has none.

    Raises NuclrError as `package.read` does.
    """
    file, column, _ = MODELS[model]
    _, content = package.read(f"{FOLDER}/{file}", "mass models")
    lines = content.decode().splitlines()  # some end in a carriage return alone
    found = {
        (int(fields[0]), int(fields[1])): 1000 * float(fields[column])
        for fields in map(str.split, lines)
        if fields and not fields[0].startswith("#")
    }
    return np.array([found.get(pair, np.nan) for pair in zip(z.tolist(), n.tolist(), strict=True)])
