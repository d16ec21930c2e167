"""The nuclear table and the sets of nuclei drawn from it."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path

import pandas as pd

from nuclr.data import package
from nuclr.data.build import MEND, TABLE, compare_sha256, sha256
from nuclr.errors import NuclrError

# I. Angeli and K.P. Marinova, At. Data Nucl. Data Tables 99, 69 (2013), as shipped by nucleardatapy 1.0.2.
RADII_FILE = "data/nuclei/radch/2013-Angeli.csv"
RADII_SHA256 = "be277da0ebe2d884dfd30cb63fc9cd2651f75f1bda289efd35609c4fc857a2b8"


def load(path: Path = TABLE) -> pd.DataFrame:
    """All 3558 ground states of AME2020, ordered by (z, n), with the charge radii of Angeli and Marinova (2013).

    Energies in keV, radii in fm; `x_unc` is the uncertainty of x and `x_est` is 1 where x is estimated from the trend
    of the mass surface (TMS) and 0 where it is measured; NaN where the evaluation has no value. `be_from_me` is
    z M(1H) + n M(n) - mass excess, free of the rounding of AME's binding energy per nucleon (`be_a`, `be`).
    The frame is the caller's own to change.

    Raises NuclrError when the table, its provenance (`path` with the suffix .json) or the radii are missing or changed.
    """
    return _load(path).copy()


@cache
def _load(path: Path) -> pd.DataFrame:
    provenance = path.with_suffix(".json")
    try:
        expected = json.loads(_bytes(provenance, MEND))["table"]["sha256"]
    except (ValueError, KeyError) as error:
        raise NuclrError(f"{provenance} does not name the table's sha256: {MEND}.") from error
    content = _bytes(path, MEND)
    compare_sha256(str(path), expected, sha256(content), MEND)
    # Only an empty field is missing: "NaN" and the like would be text.
    table = pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""])
    table = table.merge(_radii(), how="left", on=["z", "n"])
    first = [name for name in table if name not in ("disc_year", "est_2016", "new_vs_ame2016")]
    return table[[*first, "disc_year", "est_2016", "new_vs_ame2016"]]


def core(table: pd.DataFrame) -> pd.Series:
    """True for nuclei with z >= 1, n >= 1 that have been observed (a year of discovery in NUBASE2020): 3338."""
    return (table.z >= 1) & (table.n >= 1) & table.disc_year.notna()


def heavy(table: pd.DataFrame) -> pd.Series:
    """True for core nuclei with z > 8 and n > 8, the set of the paper's Figures 3, 9 and 17: 3230."""
    return core(table) & (table.z > 8) & (table.n > 8)


def known_in_2016(table: pd.DataFrame) -> pd.Series:
    """True for core nuclei whose mass AME2016 had measured, and which AME2020 does not take back for an estimate: 2474.

    Estimates of AME2020 are left out because they follow the trend of masses that were measured since.
    """
    return core(table) & (table.est_2016 == 0) & (table.mass_excess_est == 0)


def new_since_2016(table: pd.DataFrame) -> pd.Series:
    """True for core nuclei with z, n >= 8 whose mass was first measured between AME2016 and AME2020: 71."""
    return core(table) & (table.z >= 8) & (table.n >= 8) & (table.new_vs_ame2016 == 1)


def well_measured(table: pd.DataFrame) -> pd.Series:
    """True for z, n > 9 and a binding energy said to be known to 100 keV, the set of the paper's Eq. 5: 2354.

    As in the paper neither observed nor measured is asked for: 37 values are estimates, 3 of nuclei never seen, whose
    uncertainty per nucleon AME rounds to 0 keV.
    """
    return (table.z > 9) & (table.n > 9) & (table.be_unc < 100)


def _radii() -> pd.DataFrame:
    path, content = package.read(RADII_FILE, "charge radii")
    compare_sha256(str(path), RADII_SHA256, sha256(content), package.MEND)
    return pd.read_csv(
        io.BytesIO(content),
        comment="#",
        header=None,
        usecols=[0, 2, 4, 5],
        names=["z", "n", "radius", "radius_unc"],
    )


def _bytes(path: Path, mend: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NuclrError(f"{path} cannot be read ({error.strerror}): {mend}.") from error
