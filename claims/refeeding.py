"""A network whose Z or N is fed a helix in place of its embedding, and what it then says of the binding energy per nucleon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from claims.conftest import Nuclides
from claims.test_helix import FIT_WINDOW, window
from nuclr.analysis import helix, perturbation
from nuclr.analysis.pca import Components, components
from nuclr.model.probe import Probe

Array = NDArray[np.float64]

PARTNERS = {"Z": range(60, 101, 5), "N": range(40, 66, 5)}  # the other number, in the middle half of its own window


@dataclass(frozen=True)
class Refed:
    """The helix of Equation 2 fitted to the embedding of `symbol`, "Z" or "N", in the window of Appendix A.

    A chain is one turn of that helix about the most bound nuclide that has the partner's number: some 27 protons or 40
    neutrons, about as many as are known. There the network was trained, and there the energy per nucleon has its one arc.
    """

    probe: Probe
    symbol: str
    nuclides: Nuclides

    @cached_property
    def embedding(self) -> Array:
        return self.probe.embedding(self.symbol)

    @cached_property
    def basis(self) -> Components:
        return components(self.embedding)

    @cached_property
    def fitted(self) -> helix.Helix:
        return _fit(window(self.basis.project(self.embedding, 3), self.symbol).tobytes())

    def output(self, own_rest: bool = False, **change: float) -> Array:
        """Binding energy per nucleon, keV, along the chain of each partner: (c, STEPS + 2 MARGIN).

        The helix is changed as `Helix.points` says. Components beyond the third are at their mean, or, with `own_rest`,
        those of the embedding itself.
        """
        return self.chains(PARTNERS[self.symbol], own_rest, **change)[1]

    def chains(self, partners: Sequence[int], own_rest: bool = False, **change: float) -> tuple[Array, Array]:
        """The numbers along the chain of each partner, and the binding energy per nucleon there in keV, both (c, m)."""
        low, high = FIT_WINDOW[self.symbol]
        middles = [(self.most_bound(partner) - low) / (high - low) for partner in partners]
        t = np.stack([perturbation.one_turn(self.fitted, middle) for middle in middles])
        numbers = low + (high - low) * t
        rest = perturbation.own_rest(self.embedding, self.basis, numbers.ravel() - 1) if own_rest else None
        points = perturbation.refed(self.basis, self.fitted, t.ravel(), rest, **change)
        beside = np.repeat(partners, t.shape[1])
        energy = self.probe.predict_at(points, beside, "binding", self.symbol)
        return numbers, energy.reshape(t.shape) / (numbers + np.array(partners)[:, None])

    def chain(self, partner: int, **change: float) -> tuple[Array, Array]:
        """The same for one partner: both (m,)."""
        numbers, output = self.chains([partner], False, **change)
        return numbers[0], output[0]

    def most_bound(self, partner: int) -> int:
        """The Z (or N) of the known nuclide with the largest binding energy per nucleon beside that N (or Z)."""
        own, other = self.numbers
        beside = np.flatnonzero(other == partner)
        per_nucleon = self.nuclides.binding[beside] / (own[beside] + partner)
        return int(own[beside][per_nucleon.argmax()])

    def rms(self) -> float:
        """RMS, in keV, by which feeding the fitted helix moves the energies of the known nuclides in its window."""
        low, high = FIT_WINDOW[self.symbol]
        fed = self.embedding.copy()
        fed[low - 1 : high] = perturbation.refed(self.basis, self.fitted, np.linspace(0, 1, high - low + 1))
        own, _ = self.numbers
        inside = (low <= own) & (own <= high)
        z, n = self.nuclides.z[inside], self.nuclides.n[inside]
        moved = self.probe.with_embedding(self.symbol, fed).predict(z, n, "binding")
        return float(np.sqrt(np.mean((moved - self.probe.predict(z, n, "binding")) ** 2)))

    @property
    def spacing(self) -> float:
        """Numbers from one sample of a chain to the next."""
        low, high = FIT_WINDOW[self.symbol]
        return float(np.diff(perturbation.one_turn(self.fitted, 0.5)[:2])[0]) * (high - low)

    @property
    def numbers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of the nuclides, the number that is fed and the partner's."""
        z, n = self.nuclides.z, self.nuclides.n
        return (z, n) if self.symbol == "Z" else (n, z)


@cache
def _fit(axes: bytes) -> helix.Helix:
    """The helix through axes (k, 3) of float64: the three claims change the same ones, and a fit takes half a second."""
    return helix.fit(np.frombuffer(axes).reshape(-1, 3))
