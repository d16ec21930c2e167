"""Residues on a circle, and addition by the slice in which the mean of two of them lies (section 2, figure 2).

Residue k stands at the angle 2 pi f k / p + phase: neighbours need not be next to each other, the circle may go round f times,
in either sense. With x + iy of the plane as one complex number the best such circle is a Fourier coefficient, and R2 its share
of the variance. The mean of the points of a and b has the angle 2 pi f (a + b) / 2p + phase, or the opposite one; twice the angle
tells the answer, and the plane is cut into slices, each with its opposite, one for every residue.

Signs of components, and rotations of the plane, carry no meaning and change nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nuclr.analysis.pca import components

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Answers = NDArray[np.int64]


@dataclass(frozen=True)
class Circle:
    """The best circle through p points of a plane.

    points: x + iy about their mean, in units of the radius, with residue 0 of the circle at 1: complex (p,).
    turns: f, from 1 to p - 1; f and p - f go round in opposite senses.
    r2: share of the variance in the plane that the circle explains. share: of the whole variance, that the plane holds.
    axes: numbers of the two components that span the plane, where they do.
    """

    points: Complex
    turns: int
    r2: float
    share: float = 1.0
    axes: tuple[int, ...] = ()


def circle(plane: Array) -> Circle:
    """The best circle through the points of the residues 0 to p - 1 in a plane, (p, 2). ValueError where all are one point."""
    points = plane[:, 0] + 1j * plane[:, 1]
    points = points - points.mean()
    power = float(np.vdot(points, points).real)
    if power == 0.0:
        raise ValueError("All points are one point: no circle goes through them.")
    p = len(points)
    coefficients = np.fft.fft(points) / p
    turns = int(np.abs(coefficients[1:]).argmax()) + 1
    radius = coefficients[turns]
    return Circle(points / radius, turns, float(p * np.abs(radius) ** 2 / power))


def best_plane(embedding: Array) -> Circle:
    """The circle of the largest R2 in any plane of two principal components of an embedding (p, d).

    A plane must hold its even share of the variance at least, that of 2 in min(p - 1, d) components: among so many planes one
    that holds next to nothing would pass for a circle sooner or later.
    """
    found = components(embedding)
    count = min(len(embedding) - 1, embedding.shape[1])
    coordinates = found.project(embedding, count)
    shares = {axes: float(found.share[list(axes)].sum()) for axes in combinations(range(count), 2)}
    return max(
        (
            replace(circle(coordinates[:, list(axes)]), share=share, axes=axes)
            for axes, share in shares.items()
            if axes == (0, 1) or share >= 2 / count  # which the first two do, but for rounding
        ),
        key=lambda plane: plane.r2,
    )


def random_plane(embedding: Array, seed: int) -> Circle:
    """The best circle in a plane of random direction: the control for the best plane."""
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((embedding.shape[1], 2)))
    plane = embedding @ basis
    return replace(circle(plane), share=float(plane.var(0).sum() / embedding.var(0).sum()))


def circles(embedding: Array) -> list[Circle]:
    """The circles of the frequencies f = 1, ..., (p - 1) / 2 that an embedding (p, d) uses, each in a plane of its own: of those
    that hold more than their even share of the variance.

    A network may use several. Where two are of equal strength, the principal components mix them at will; the Fourier
    transform over the residues does not.
    """
    centred = embedding - embedding.mean(0)
    p = len(centred)
    power = float(np.square(centred).sum())
    found = []
    for turns, coefficient in enumerate(np.fft.fft(centred, axis=0)[1 : (p + 1) // 2] / p, start=1):
        strength = float(np.square(np.abs(coefficient)).sum())
        share = 2 * p * strength / power
        if share <= 2 / (p - 1):
            continue
        points = centred @ coefficient.conj() / strength
        r2 = float(p / np.square(np.abs(points)).sum())
        found.append(Circle(points, turns, r2, share))
    return found


def answers(planes: Sequence[Circle]) -> Answers:
    """What the slices answer to a + b, (p, p): in one plane, or in several, of which each votes for a residue with the cosine
    of the angle from the middle of its slice, weighted by `share` and by the squared distance of the mean from the centre."""
    p = len(planes[0].points)
    votes = np.zeros((p, p, p))
    for plane in planes:
        mean = (plane.points[:, None] + plane.points[None, :]) / 2
        slices = np.exp(-2j * np.pi * plane.turns * np.arange(p) / p)
        votes += plane.share * (np.square(mean)[..., None] * slices).real
    found: Answers = votes.argmax(2).astype(np.int64)
    return found


def sums(p: int) -> Answers:
    """a + b mod p, (p, p)."""
    return np.add.outer(np.arange(p), np.arange(p)) % p


def agreement(found: Answers, network: Answers) -> float:
    """Share of equal answers among the sums that the network gets right; both (p, p). ValueError where it gets none right."""
    right = network == sums(len(network))
    if not right.any():
        raise ValueError("The network gets no sum right: there is nothing to agree on.")
    return float((found == network)[right].mean())
