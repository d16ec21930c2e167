"""Is it a helix? The helix score H, which smooth noise does not fool, and the fit of Equation 2.

Why not the R2 of the fit: PCA of smooth noise gives cosines of 1/2, 1, 3/2 ... turns (the same "phantom oscillations"
that section 4.2 of the paper discusses), and a helix fits those with R2 of 0.96 and more. What noise does not give is
PC1 and PC2 at one frequency, above a turn and a half, in quadrature. H measures exactly that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]

LEAST_TURNS = 3.0
TURNS_STEP = 0.05


@dataclass(frozen=True)
class Score:
    """H in [0, 1], the turns over the whole range at which it is reached (negative: the other sense), and the share that as
    many turns in the opposite sense explain: as much as H where PC1 and PC2 make a wave in a plane, none for a helix."""

    h: float
    turns: float
    opposite: float


def score(axes: Array) -> Score:
    """The helix score of embeddings along PC0, PC1, PC2: axes (k, 3), consecutive numbers.

    The linear trend of PC1 + i PC2 is removed; H is the largest share of the remaining variance that one circularly
    polarised exponential exp(2 pi i f t), t in [0, 1], |f| >= 3 turns, explains, in either sense. f stops at a quarter
    of the numbers, where a turn has four of them. Raises ValueError for fewer than 16 numbers.
    """
    k = len(axes)
    if k < 16:
        raise ValueError(f"The helix score needs at least 16 numbers: got {k}.")
    turns, waves, power_of_waves = _waves(k)
    curve = _detrend((axes[:, 1] + 1j * axes[:, 2])[:, None])[:, 0]
    power = float(np.vdot(curve, curve).real)
    if power == 0.0:
        return Score(0.0, float(turns[0]), 0.0)  # a straight line has nothing left to explain
    share = np.abs(waves @ curve) ** 2 / (power_of_waves * power)
    best = int(share.argmax())
    return Score(float(share[best]), float(turns[best]), float(share[best - len(share) // 2]))


@cache
def _waves(k: int) -> tuple[Array, NDArray[np.complex128], Array]:
    """Turns (m,), the conjugate detrended waves (m, k), and the power of each (m,)."""
    turns = np.arange(LEAST_TURNS, k / 4, TURNS_STEP)
    turns = np.concatenate([turns, -turns])
    waves = _detrend(np.exp(2j * np.pi * np.outer(np.linspace(0.0, 1.0, k), turns))).T
    return turns, waves.conj(), np.square(np.abs(waves)).sum(1)


def _detrend(columns: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Columns (k, m) less their least-squares lines along the numbers."""
    t = np.linspace(-1.0, 1.0, len(columns))
    line, _ = np.linalg.qr(np.stack([np.ones_like(t), t], axis=1))
    return columns - line @ (line.T @ columns)


@dataclass(frozen=True)
class Helix:
    """A fitted helix r(t) = R [cos(2 pi f t) u + sin(2 pi f t) v] + P a t + r0 (Equation 2; the phase is in u and v).

    t runs from 0 to 1 over the numbers; turns = f; radius R and pitch P (the length along the axis) in the units of the
    axes, all three positive; u, v and axis = a: (3,) each, orthonormal, of either handedness; centre = r0: (3,), on the
    axis at t = 0; curve: (m, 3), the helix drawn finely; r2: share of the variance explained; converged: of the best start.
    """

    turns: float
    radius: float
    length: float
    u: Array
    v: Array
    axis: Array
    centre: Array
    r2: float
    curve: Array
    converged: bool

    def points(
        self, t: Array, *, length: float = 1.0, radius: float = 1.0, frequency: float = 1.0, phase: float = 0.0
    ) -> Array:
        """r(t) for t of shape (m,), also beyond 0 and 1: (m, 3), with P, R and f multiplied by the factors `length`,
        `radius` and `frequency`, and turned by `phase` radians about the axis."""
        angle = 2 * np.pi * frequency * self.turns * t + phase
        circle = np.outer(np.cos(angle), self.u) + np.outer(np.sin(angle), self.v)
        return radius * self.radius * circle + length * self.length * np.outer(t, self.axis) + self.centre


def fit(axes: Array, drawn: int = 400) -> Helix:
    """Least-squares helix through axes (k, 3), from many starts; radius, length and centre are solved for linearly.

    Raises ValueError for fewer than 16 numbers.
    """
    k = len(axes)
    if k < 16:
        raise ValueError(f"A helix fit needs at least 16 numbers: got {k}.")
    t = np.linspace(0.0, 1.0, k)

    def residual(parameters: Array) -> Array:
        return (_closest(parameters, t, axes).points(t) - axes).ravel()

    best = None
    for turns in np.arange(1.0, min(8.0, k / 6), 1.0):
        # The axis starts along PC0, in either sense: about it PC1 goes to PC2, or, after half a turn about PC1, PC2 to PC1.
        for start in (Rotation.identity(), Rotation.from_euler("y", 180, degrees=True)):
            found = least_squares(residual, [turns, *(start * _PC0_AS_AXIS).as_rotvec()], max_nfev=200)
            if best is None or found.cost < best.cost:
                best = found
    assert best is not None
    spread = float(((axes - axes.mean(0)) ** 2).sum())
    closest = _closest(best.x, t, axes)
    (u, v, axis), turns, radius, length = closest.frame.T, closest.turns, closest.radius, closest.length
    return Helix(
        turns=abs(turns),
        radius=abs(radius),
        length=abs(length),
        u=u * np.copysign(1, radius),
        v=v * np.copysign(1, radius) * np.copysign(1, turns),
        axis=axis * np.copysign(1, length),
        centre=closest.frame @ closest.centre,
        r2=1 - 2 * float(best.cost) / spread,
        curve=closest.points(np.linspace(0.0, 1.0, drawn)),
        converged=bool(best.success),
    )


_PC0_AS_AXIS = Rotation.from_matrix([[0, 0, 1], [1, 0, 0], [0, 1, 0]])


@dataclass(frozen=True)
class _Closest:
    """The helix of given turns and frame (3, 3), columns u, v and a, that is closest; its centre (3,) in that frame."""

    turns: float
    frame: Array
    radius: float
    length: float
    centre: Array

    def points(self, t: Array) -> Array:
        return (_scaled(self.turns, t, self.radius, self.length) + self.centre) @ self.frame.T


def _closest(parameters: Array, t: Array, axes: Array) -> _Closest:
    """Radius, length and centre that bring a helix of the turns parameters[0] in the frame of the rotation vector
    parameters[1:] closest to axes (k, 3). Seen in that frame, the length is the slope of the third coordinate and the radius
    that of the other two together, which saves the search a general least-squares problem at each of its steps."""
    turns, frame = float(parameters[0]), Rotation.from_rotvec(parameters[1:]).as_matrix()
    seen, unit = axes @ frame, _scaled(turns, t, 1.0, 1.0)
    middle, middle_of_unit = seen.mean(0), unit.mean(0)
    about = unit - middle_of_unit
    shared, power = (about * (seen - middle)).sum(0), np.square(about).sum(0)
    radius = float((shared[0] + shared[1]) / (power[0] + power[1])) if turns else 0.0
    length = float(shared[2] / power[2])
    return _Closest(turns, frame, radius, length, middle - middle_of_unit * [radius, radius, length])


def _scaled(turns: float, t: Array, radius: float, length: float) -> Array:
    """A helix about the third axis, from its centre: (len(t), 3)."""
    angle = 2 * np.pi * turns * t
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), length * t], axis=1)
