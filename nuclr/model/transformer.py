"""The network with learned attention as it was published: a transformer of the three tokens Z, N and observable (section 3 and
Appendix B of the paper).

    E  ->  silu(E W + b)  ->  depth x { x + attention(x), then x + relu(x W + b) }  ->  Z, N and observable side by side  ->  readout

The first layer is one for the three tokens, as the blocks are and as everything in a transformer but its attention is. The
tokens differ by their embeddings, which come from three tables, and by their places in the readout. Attention has HEADS heads,
from every token to all three, no biases, and an output projection.

Queries start at zero (Yang et al. 2021, Appendix D.2), so that all weights of attention are 1/3 at first. That does not keep the
heads alike: their keys and values differ, and so do the gradients of their queries.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nuclr.config import HEADS
from nuclr.model import parametrization
from nuclr.model.network import Network, Parameters, _look_up
from nuclr.model.parametrization import Rule

TOKENS = ("Z", "N", "observable")


@dataclass(frozen=True)
class Transformer(Network):
    """Shape of the network, as `Network`. Its residual stream has three tokens side by side: (R, rows, 3d)."""

    def rules(self) -> dict[str, Rule]:
        """Name, shape, start and scaling of every parameter, without the replica axis; embeddings as in `Network`."""
        d, free = self.width, self.biases == "free"
        rules = {name: rule for name, rule in super().rules().items() if name.startswith("embedding")}
        rules["first.weight"] = parametrization.hidden(d, d)
        rules["first.bias"] = parametrization.bias(d, free)
        for block in range(self.depth):
            rules[f"block{block}.query"] = parametrization.query(d)
            for matrix in ("key", "value", "output", "weight"):
                rules[f"block{block}.{matrix}"] = parametrization.hidden(d, d)
            rules[f"block{block}.bias"] = parametrization.bias(d, free)
        rules["readout.weight"] = parametrization.vector(3 * d, self.observables, inputs=3)
        rules["readout.bias"] = parametrization.bias(self.observables, free, inputs=3)
        return rules

    def first_layer(self, p: Parameters, z: Tensor, n: Tensor, observable: Tensor) -> Tensor:
        """The first layer after its activation, (R, rows, 3d), for tokens z, n, observable of shape (R, rows).

        It sees one token at a time, so it is a table of all tokens, of which a row looks up three.
        """
        embeddings = [p[f"embedding.{name}"] for name in TOKENS]
        table = functional.silu(torch.baddbmm(p["first.bias"], torch.cat(embeddings, dim=1), p["first.weight"]))
        protons, neutrons = (embedding.shape[1] for embedding in embeddings[:2])
        token = torch.stack([z, n + protons, observable + protons + neutrons], dim=-1)
        return _look_up(table, token.flatten(1)).view(*z.shape, 3 * self.width)

    def blocks(self, p: Parameters, x: Tensor, weight: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """The residual stream after the last block, from that before the first one: (R, rows, 3d) both."""
        return self._run(p, x)[0]

    def attend(self, p: Parameters, z: Tensor, n: Tensor, observable: Tensor) -> Tensor:
        """Weights of attention, (R, rows, depth, HEADS, 3, 3): of a block and head, from each token to Z, N and observable; these
        last three sum to 1."""
        weights = torch.stack(self._run(p, self.first_layer(p, z, n, observable))[1], dim=1)
        return weights.permute(0, 5, 1, 2, 3, 4)

    def _run(self, p: Parameters, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The stream after the blocks, and the weights of attention (R, HEADS, 3, 3, rows) in each of them."""
        replicas, rows, _ = x.shape
        # Rows come last inside: attention over so few tokens is then sums of long vectors, cheaper than small products a row.
        x = x.view(replicas, rows, 3, self.width).permute(0, 3, 2, 1).reshape(replicas, self.width, 3 * rows)
        weights = []
        for block in range(self.depth):
            mixed, shares = self._attention(p, f"block{block}", x)
            x = x + torch.bmm(p[f"block{block}.output"].mT, mixed)
            x = x + torch.relu_(torch.baddbmm(p[f"block{block}.bias"].mT, p[f"block{block}.weight"].mT, x))
            weights.append(shares)
        x = x.view(replicas, self.width, 3, rows).permute(0, 3, 2, 1).reshape(replicas, rows, 3 * self.width)
        return x, weights

    def _attention(self, p: Parameters, block: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the heads gather for every token, (R, d, 3 rows) as x, and their weights, (R, HEADS, 3, 3, rows)."""
        query, key, value = (
            torch.bmm(p[f"{block}.{name}"].mT, x).view(len(x), HEADS, self.width // HEADS, 3, -1)
            for name in ("query", "key", "value")
        )
        logits = (query[:, :, :, :, None] * key[:, :, :, None]).sum(2)
        shares = (logits * parametrization.attention_scale(self.width, HEADS)).softmax(3)
        return (shares[:, :, None] * value[:, :, :, None]).sum(4).view_as(x), shares
