"""Mass formulas: the terms of the liquid drop and of its refinements, and the formulas that add them up.

Arrays z and n hold proton and neutron numbers of one shape and the results have that shape; A = Z + N >= 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuclr.physics.nuclides import MAGIC_N, MAGIC_Z, magic_distance

Array = NDArray[np.float64]
Term = Callable[[ArrayLike, ArrayLike], Array]


def _zna(z: ArrayLike, n: ArrayLike) -> tuple[Array, Array, Array]:
    z, n = np.asarray(z, dtype=np.float64), np.asarray(n, dtype=np.float64)
    return z, n, z + n


def volume(z: ArrayLike, n: ArrayLike) -> Array:
    """A."""
    return _zna(z, n)[2]


def surface(z: ArrayLike, n: ArrayLike) -> Array:
    """A^(2/3)."""
    return _zna(z, n)[2] ** (2 / 3)


def curvature(z: ArrayLike, n: ArrayLike) -> Array:
    """A^(1/3)."""
    return np.cbrt(_zna(z, n)[2])


def coulomb(z: ArrayLike, n: ArrayLike) -> Array:
    """Z (Z - 1) / A^(1/3): each proton repels the others."""
    z, n, a = _zna(z, n)
    return z * (z - 1) / np.cbrt(a)


def charged_sphere(z: ArrayLike, n: ArrayLike) -> Array:
    """Z^2 / A^(1/3): the Coulomb term of a uniformly charged sphere."""
    z, n, a = _zna(z, n)
    return z**2 / np.cbrt(a)


def exchange_coulomb(z: ArrayLike, n: ArrayLike) -> Array:
    """Z^(4/3) / A^(1/3): the correction of the Coulomb energy for antisymmetry."""
    z, n, a = _zna(z, n)
    return z ** (4 / 3) / np.cbrt(a)


def asymmetry(z: ArrayLike, n: ArrayLike) -> Array:
    """(N - Z)^2 / A."""
    z, n, a = _zna(z, n)
    return (n - z) ** 2 / a


def surface_symmetry(z: ArrayLike, n: ArrayLike) -> Array:
    """(N - Z)^2 / A^(4/3)."""
    z, n, a = _zna(z, n)
    return (n - z) ** 2 / a ** (4 / 3)


def wigner(z: ArrayLike, n: ArrayLike) -> Array:
    """|N - Z| / A."""
    z, n, a = _zna(z, n)
    return np.abs(n - z) / a


def pairing(z: ArrayLike, n: ArrayLike) -> Array:
    """+A^(-1/2) where Z and N are even, -A^(-1/2) where both are odd, 0 for odd A."""
    z, n, a = _zna(z, n)
    return (1 - z % 2 - n % 2) / np.sqrt(a)


def shell(z: ArrayLike, n: ArrayLike, magic_z: Sequence[int] = MAGIC_Z, magic_n: Sequence[int] = MAGIC_N) -> Array:
    """P = nu_n nu_z / (nu_n + nu_z), nu the distance to the nearest magic number; 0 for doubly magic nuclei."""
    nu_z, nu_n = magic_distance(z, magic_z), magic_distance(n, magic_n)
    return nu_n * nu_z / np.maximum(nu_n + nu_z, 1)


def shell_squared(z: ArrayLike, n: ArrayLike) -> Array:
    """P^2: the shell term of Kirson (2008) is alpha P + beta P^2."""
    return shell(z, n) ** 2


TERMS: dict[str, Term] = {
    "volume": volume,
    "surface": surface,
    "coulomb": coulomb,
    "asymmetry": asymmetry,
    "pairing": pairing,
    "shell": shell,
    "shell_squared": shell_squared,
    "charged_sphere": charged_sphere,
    "exchange_coulomb": exchange_coulomb,
    "wigner": wigner,
    "surface_symmetry": surface_symmetry,
    "curvature": curvature,
}


def distilled_bulk(z: ArrayLike, n: ArrayLike) -> Array:
    """(-0.09 + 1e-6 Z^2) (A + 2.5 sin(0.25 - 0.13 N + 0.2 Z)): the term of Equation 5 of arXiv 2405.17425 with factor a1."""
    z, n, a = _zna(z, n)
    return (-0.09 + 1e-6 * z**2) * (a + 2.5 * np.sin(0.25 - 0.13 * n + 0.2 * z))


def distilled_decay(z: ArrayLike, n: ArrayLike) -> Array:
    """0.97^N: its term with factor a2. The text prints 0.97N, the superscript being lost: read as a power, a1, a2 and b are the
    least-squares fit to the set that the paper names, and the error is the printed one; read as a product neither holds."""
    return 0.97 ** _zna(z, n)[1]


def constant(z: ArrayLike, n: ArrayLike) -> Array:
    """1."""
    return np.ones_like(_zna(z, n)[2])


DISTILLED: dict[str, Term] = {"bulk": distilled_bulk, "decay": distilled_decay, "constant": constant}


@dataclass(frozen=True)
class Formula:
    """Binding energy as a sum of terms.

    `terms` are names in TERMS or DISTILLED, `coefficients` their factors in keV, attraction positive; `source` says where the
    coefficients come from. `clipped` puts energies below zero at 0, as the paper does with published coefficients.
    """

    name: str
    source: str
    terms: tuple[str, ...]
    coefficients: tuple[float, ...]
    clipped: bool = False

    def predict(self, z: ArrayLike, n: ArrayLike) -> Array:
        """Total binding energy in keV, shape of z."""
        energy = self._design(z, n) @ np.array(self.coefficients)
        return np.maximum(energy, 0.0) if self.clipped else energy

    def refit(self, z: ArrayLike, n: ArrayLike, energy: ArrayLike) -> Formula:
        """The same terms with coefficients from linear least squares, not clipped (the fit would not know of it).

        z, n and energy (keV) have one shape (nuclei,). Raises ValueError when the nuclei do not fix all coefficients.
        """
        design = self._design(z, n)
        # Columns differ by orders of magnitude: without a common scale the smallest would count as rank deficient.
        scale = np.linalg.norm(design, axis=0)
        if not scale.all():
            raise ValueError(f"A term of {self.name} vanishes for all {len(design)} nuclei: fit to more.")
        solution, _, rank, _ = np.linalg.lstsq(design / scale, np.asarray(energy, dtype=np.float64), rcond=None)
        if rank < len(self.terms):
            raise ValueError(f"{len(design)} nuclei do not fix the {len(self.terms)} coefficients of {self.name}.")
        fitted = tuple(float(c) for c in solution / scale)
        return replace(self, source=f"least squares to {len(design)} nuclei", coefficients=fitted, clipped=False)

    def _design(self, z: ArrayLike, n: ArrayLike) -> Array:
        return np.stack([(TERMS | DISTILLED)[term](z, n) for term in self.terms], axis=-1)


SEMF = Formula(
    name="SEMF",
    source="the coefficients of arXiv 2405.17425 and its published code",
    terms=("volume", "surface", "coulomb", "asymmetry", "pairing"),
    coefficients=(15750.0, -17800.0, -711.0, -23700.0, 11180.0),
    clipped=True,
)

BW2 = Formula(
    name="BW2",
    source="M.W. Kirson, Nucl. Phys. A 798, 29 (2008)",
    terms=(
        "volume",
        "surface",
        "charged_sphere",
        "asymmetry",
        "exchange_coulomb",
        "wigner",
        "surface_symmetry",
        "pairing",
        "curvature",
        "shell",
        "shell_squared",
    ),
    coefficients=(16580.0, -26950.0, -774.0, -31510.0, 2220.0, -43400.0, 55620.0, 9870.0, 14770.0, -1900.0, 140.0),
    clipped=True,
)

EQUATION_5 = Formula(
    name="Equation 5",
    source="arXiv 2405.17425, Appendix G: fitted to binding energies known to 100 keV, z, n > 9",
    terms=("bulk", "decay", "constant"),
    coefficients=(-88062.52, -171331.53, 95815.44),
)
