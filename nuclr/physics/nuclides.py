"""Names, magic numbers and the two free nucleons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuclr.errors import NuclrError, unknown

# Z = 0 is the free neutron, as in the mass tables.
_ELEMENTS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu "
    "Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg "
    "Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
SYMBOLS: tuple[str, ...] = ("n", *_ELEMENTS.split())

# Closed shells, with the predicted next ones (Z = 126, N = 184) so that "nearest" has an upper neighbour.
MAGIC_Z: tuple[int, ...] = (2, 8, 20, 28, 50, 82, 126)
MAGIC_N: tuple[int, ...] = (2, 8, 20, 28, 50, 82, 126, 184)

# Atomic mass excesses in keV (AME2020).
MASS_EXCESS_H = 7288.971064
MASS_EXCESS_N = 8071.31806


def name(z: int, n: int) -> str:
    """The usual name, such as "208Pb" for (82, 126); elements beyond Z = 118 are named by number, "310[120]".

    Raises ValueError for a negative number of nucleons, or none.
    """
    if z < 0 or n < 0 or z + n == 0:
        raise ValueError(f"There is no nucleus with Z = {z} and N = {n}.")
    return f"{z + n}{SYMBOLS[z]}" if z < len(SYMBOLS) else f"{z + n}[{z}]"


def parse(text: str) -> tuple[int, int]:
    """(z, n) of a nuclide written as "208Pb", "Pb-208" or "82,126". Raises NuclrError for anything else."""
    if match := re.fullmatch(r"(\d+),(\d+)", text):
        return int(match[1]), int(match[2])
    match = re.fullmatch(r"(?P<a>\d+)-?(?P<symbol>[A-Za-z]+)|(?P<symbol2>[A-Za-z]+)-?(?P<a2>\d+)", text)
    if not match:
        raise NuclrError(f"{text!r} is no nuclide: write it as 208Pb, Pb-208 or 82,126.")
    symbol, a = match["symbol"] or match["symbol2"], int(match["a"] or match["a2"])
    if symbol.capitalize() not in SYMBOLS:
        raise unknown("element", symbol, SYMBOLS[1:])
    z = SYMBOLS.index(symbol.capitalize())
    if a < z:
        raise NuclrError(f"{text!r} has {z} protons among {a} nucleons: that is no nuclide.")
    return z, a - z


def magic_distance(number: ArrayLike, magic: Sequence[int]) -> NDArray[Any]:
    """How many nucleons away the nearest of the magic numbers is: nu of Kirson (2008). Shape of `number`, integers."""
    return np.abs(np.asarray(number)[..., None] - np.asarray(magic)).min(axis=-1)
