"""The whole network: tokens Z, N and observable in, one number out (section 3 and Appendix B of the paper).

Three embeddings of width d, a linear first layer over the three of them, SiLU, residual blocks
x + relu(W2 relu(W1 x + b1) + b2), and a linear readout for each observable. With attention fixed to uniform the
published transformer is this network.

Every parameter has a leading replica axis R, so that many runs train as one: all functions map (R, rows) token arrays
to (R, rows, ...) results, and no replica ever sees another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nuclr.model import parametrization
from nuclr.model.parametrization import Rule

Parameters = dict[str, Tensor]

MAX_Z = 118
MAX_N = 177


@dataclass(frozen=True)
class Network:
    """Shape of the network: width d, number of residual blocks, number of observables (task tokens)."""

    width: int
    depth: int
    observables: int

    def rules(self) -> dict[str, Rule]:
        """Name, shape, start and scaling of every parameter, without the replica axis.

        Token tables have a row for every number from 0, so that a token is its own index.
        """
        d = self.width
        rules = {
            "embedding.Z": parametrization.vector(MAX_Z + 1, d),
            "embedding.N": parametrization.vector(MAX_N + 1, d),
            "embedding.observable": parametrization.vector(self.observables, d),
            "first.weight": parametrization.hidden(3 * d, d),
            "first.bias": parametrization.bias(d),
        }
        for block in range(self.depth):
            for layer in ("inner", "outer"):
                rules[f"block{block}.{layer}.weight"] = parametrization.hidden(d, d)
                rules[f"block{block}.{layer}.bias"] = parametrization.bias(d)
        rules["readout.weight"] = parametrization.vector(d, self.observables)
        rules["readout.bias"] = parametrization.bias(self.observables)
        return rules

    def initialise(self, seeds: Sequence[int], dtype: torch.dtype = torch.float32) -> Parameters:
        """Fresh parameters on the CPU, one replica a seed. A replica depends on its own seed alone."""
        replicas = []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            replicas.append(
                {
                    name: (torch.rand(rule.shape, generator=generator, dtype=torch.float64) * 2 - 1) * rule.bound
                    for name, rule in self.rules().items()
                }
            )
        return {name: torch.stack([r[name] for r in replicas]).to(dtype) for name in replicas[0]}

    def first_layer(self, p: Parameters, z: Tensor, n: Tensor, observable: Tensor) -> Tensor:
        """SiLU of the first layer, (R, rows, d), for tokens z, n, observable of shape (R, rows).

        The layer is linear over [E_Z, E_N, E_T], so it is a sum of three small tables (E_Z W_Z)[z] + (E_N W_N)[n] +
        (E_T W_T)[t]: the same function as the (3d x d) product for every row, at a small part of its cost.
        """
        w_z, w_n, w_t = p["first.weight"].split(self.width, dim=1)
        of_z = _look_up(torch.bmm(p["embedding.Z"], w_z), z)
        of_n = _look_up(torch.bmm(p["embedding.N"], w_n), n)
        of_t = torch.baddbmm(p["first.bias"], p["embedding.observable"], w_t)
        if self.observables > 1:
            of_t = _look_up(of_t, observable)
        return functional.silu(of_z + of_n + of_t)

    def penultimate(self, p: Parameters, z: Tensor, n: Tensor, observable: Tensor) -> Tensor:
        """The residual stream before the readout, (R, rows, d)."""
        x = self.first_layer(p, z, n, observable)
        for block in range(self.depth):
            inner = torch.baddbmm(p[f"block{block}.inner.bias"], x, p[f"block{block}.inner.weight"]).relu_()
            x = x + torch.baddbmm(p[f"block{block}.outer.bias"], inner, p[f"block{block}.outer.weight"]).relu_()
        return x

    def readout(self, p: Parameters, x: Tensor, observable: Tensor) -> Tensor:
        """Predictions in min-max units, (R, rows), from a penultimate layer x of shape (R, rows, d)."""
        every = torch.bmm(x, p["readout.weight"]) * parametrization.output_scale(self.width) + p["readout.bias"]
        return every.gather(2, observable[..., None])[..., 0]

    def predict(self, p: Parameters, z: Tensor, n: Tensor, observable: Tensor) -> Tensor:
        """Predictions in min-max units, (R, rows), for tokens of shape (R, rows)."""
        return self.readout(p, self.penultimate(p, z, n, observable), observable)


def _look_up(table: Tensor, token: Tensor) -> Tensor:
    """Rows of a (R, vocabulary, d) table at (R, rows) tokens: (R, rows, d).

    One flat `embedding`, because its backward pass is a segment sum: several times faster than that of indexing.
    """
    replicas, vocabulary, width = table.shape
    offset = torch.arange(replicas, device=table.device)[:, None] * vocabulary
    flat = functional.embedding((token + offset).flatten(), table.reshape(-1, width))
    return flat.view(replicas, -1, width)
