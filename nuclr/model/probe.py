"""Read a trained network, or replace what it carries at one of three places, and see what it then predicts.

The places are the Z embedding, the N embedding and the penultimate layer. Everything is evaluated in float64, on the CPU or on a
GPU, so that an analysis does not depend on the precision or the device of the training. What comes in and goes out are arrays of
numpy, wherever the network lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nuclr.config import RunConfig
from nuclr.errors import NuclrError, unknown
from nuclr.model.network import MAX_N, MAX_Z, Network, Parameters

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

# The numbers whose embeddings are trained: those that occur in the core set.
TRAINED_NUMBERS = {"Z": np.arange(1, MAX_Z + 1), "N": np.arange(1, MAX_N + 1)}


@dataclass(frozen=True)
class Probe:
    """One network, without replica axis, on the device where its parameters lie. low, high: what 0 and 1 of each observable stand
    for, in physical units."""

    config: RunConfig
    parameters: Parameters = field(repr=False)
    low: Array
    high: Array

    @classmethod
    def open(
        cls, config: RunConfig, weights: Mapping[str, Tensor], low: Array, high: Array, device: str = "cpu"
    ) -> Probe:
        """From parameters of any float type, without replica axis, to be read on a device, "cpu" or "cuda"."""
        return cls(config, {name: value.to(device).double()[None] for name, value in weights.items()}, low, high)

    def untrained(self, seed: int) -> Probe:
        """A network of this shape with fresh parameters, the same on any device: the usual control."""
        fresh = self.network.initialise([seed], torch.float64)
        return Probe(self.config, {name: value.to(self.device) for name, value in fresh.items()}, self.low, self.high)

    def untrained_embedding(self, symbol: str, seed: int) -> Array:
        """That of `untrained`, (k, d) of TRAINED_NUMBERS[symbol], without drawing the rest of the network."""
        table = next(table for name, table in self.network.drawn(seed) if name == f"embedding.{symbol}")
        found: Array = table.numpy()[TRAINED_NUMBERS[symbol]]
        return found

    @property
    def device(self) -> torch.device:
        return self.parameters["embedding.Z"].device

    @property
    def network(self) -> Network:
        return Network.of(self.config.model, len(self.config.data.observables))

    def embedding(self, symbol: str) -> Array:
        """Embeddings (k, d) of TRAINED_NUMBERS[symbol], symbol "Z" or "N"."""
        return _array(self.parameters[f"embedding.{symbol}"])[TRAINED_NUMBERS[symbol]]

    def with_embedding(self, symbol: str, embedding: Array) -> Probe:
        """The same network with other embeddings (k, d) of TRAINED_NUMBERS[symbol]."""
        table = self.parameters[f"embedding.{symbol}"].clone()
        table[0, TRAINED_NUMBERS[symbol]] = self._put(embedding)
        return Probe(self.config, self.parameters | {f"embedding.{symbol}": table}, self.low, self.high)

    def penultimate(self, z: Numbers, n: Numbers, observable: str) -> Array:
        """What the readout reads, the residual stream (rows, d), for one observable at nuclei z, n of shape (rows,). That of the
        transformer has three tokens: (rows, 3d)."""
        self._require_all()
        return _array(self.network.penultimate(self.parameters, *self._tokens(z, n, observable)))

    def read_out(self, penultimate: Array, observable: str) -> Array:
        """Predictions (rows,) in physical units from a penultimate layer, as `penultimate` gives it."""
        self._require_all()
        task = self._task(observable)
        x = self._put(penultimate)[None]
        tasks = torch.full((1, x.shape[1]), task, device=self.device)
        return self._physical(self.network.readout(self.parameters, x, tasks), task)

    def predict(self, z: Numbers, n: Numbers, observable: str) -> Array:
        """Predictions (rows,) in physical units at nuclei z, n of shape (rows,)."""
        self._require_all()
        return self._physical(
            self.network.predict(self.parameters, *self._tokens(z, n, observable)), self._task(observable)
        )

    def attention(self, z: Numbers, n: Numbers, observable: str) -> Array:
        """Weights of learned attention on the tokens Z, N and observable at nuclei z, n of shape (rows,): (rows, 3), and of the
        transformer (rows, depth, heads, 3, 3), from each token to the three. Raises NuclrError where attention is fixed."""
        self._require_all()
        if self.config.model.attention == "fixed":
            raise NuclrError(f"Run {self.config.label} has fixed attention: it has no weights to read.")
        return _array(self.network.attend(self.parameters, *self._tokens(z, n, observable)))

    def predict_at(self, points: Array, beside: ArrayLike, observable: str, symbol: str = "Z") -> Array:
        """Predictions (m,) in physical units with points (m, d) in place of the embedding of a Z, each beside a neutron number,
        (m,) or one for all; with the symbol "N" in place of that of an N, beside proton numbers (figures 6, 7, 13 and 15)."""
        table = {f"embedding.{symbol}": self._put(points)[None]}
        fed = Probe(self.config, self.parameters | table, self.low, self.high)
        own, other = np.arange(len(points)), np.broadcast_to(np.asarray(beside, np.int64), len(points))
        z, n = (own, other) if symbol == "Z" else (other, own)
        return fed.predict(z, n, observable)

    def _require_all(self) -> None:
        if self.network.rules().keys() - self.parameters.keys():
            raise NuclrError(
                f"This checkpoint of run {self.config.label} holds its embeddings alone: read anything else from the final weights."
            )

    def _task(self, observable: str) -> int:
        if observable not in self.config.data.observables:
            raise unknown(f"observable of run {self.config.label}:", observable, self.config.data.observables)
        return self.config.data.observables.index(observable)

    def _tokens(self, z: Numbers, n: Numbers, observable: str) -> tuple[Tensor, Tensor, Tensor]:
        tokens_z, tokens_n = (self._put(np.asarray(x, np.int64))[None] for x in (z, n))
        return tokens_z, tokens_n, torch.full_like(tokens_z, self._task(observable))

    def _physical(self, unit: Tensor, task: int) -> Array:
        """Readings (1, rows) between 0 and 1 in the units of a task: (rows,)."""
        return self.low[task] + _array(unit) * (self.high[task] - self.low[task])

    def _put(self, values: NDArray[Any]) -> Tensor:
        return torch.tensor(np.ascontiguousarray(values), device=self.device)


def _array(values: Tensor) -> Array:
    """The one replica of values (1, ...): (...)."""
    found: Array = values[0].cpu().numpy()
    return found
