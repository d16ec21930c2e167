"""The whole network: tokens Z, N and observable in, one number out (section 3 and Appendix B of the paper).

Three embeddings of width d, a linear first layer over the three of them, SiLU, residual blocks
x + relu(W2 relu(W1 x + b1) + b2), and a linear readout for each observable. With attention fixed to uniform the
published transformer is this network.

The options (Appendix B compares them):

attention  "learned": one head, at the readout position, which is that of the observable's token. The value maps are the
           three parts of the first layer, one a position; the query is Q E_T, the keys are K E_Z, K E_N, K E_T. Where
           all three weights are 1/3 this is the fixed network, and so it starts: Q is zero at first.
           "transformer" is another network: nuclr.model.transformer.
norm       of the residual stream after each block, without a learned gain or shift: the place that the published code
           keeps for one. "batch" takes its statistics from the rows of a training batch that have weight, and in
           evaluation running ones, which are kept among the parameters and do not learn.
activation "solu" is x softmax(x), then layer normalisation without parameters (Elhage et al. 2022), without which its
           size would fall as 1/d.

Every parameter has a leading replica axis R, so that many runs train as one: all functions map (R, rows) token arrays
to (R, rows, ...) results, and no replica ever sees another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nuclr.config import ModelConfig
from nuclr.model import parametrization
from nuclr.model.parametrization import Rule

Parameters = dict[str, Tensor]

MAX_Z = 118
MAX_N = 177

NORM_EPS = 1e-5
BATCH_NORM_MOMENTUM = 0.1  # share of the newest batch in the running statistics


def solu(x: Tensor) -> Tensor:
    """x softmax(x), normalised over the last axis; times its length beforehand, so that eps means the same at any width."""
    return functional.layer_norm(x.shape[-1] * x * x.softmax(-1), x.shape[-1:])


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": functional.silu,
    "relu": torch.relu_,  # in place: its argument is always a fresh product
    "gelu": functional.gelu,
    "solu": solu,
}


@dataclass(frozen=True)
class Network:
    """Shape of the network: width d, number of residual blocks, number of observables (task tokens), and its options."""

    width: int
    depth: int
    observables: int
    norm: str = "none"
    attention: str = "fixed"
    first_activation: str = "silu"
    block_activation: str = "relu"
    biases: str = "decayed"

    @staticmethod
    def of(model: ModelConfig, observables: int) -> Network:
        """The network that a config describes, for so many observables."""
        from nuclr.model.transformer import Transformer  # which builds on this module

        kind = Transformer if model.attention == "transformer" else Network
        return kind(observables=observables, **vars(model))

    def rules(self) -> dict[str, Rule]:
        """Name, shape, start and scaling of every parameter, without the replica axis.

        Token tables have a row for every number from 0, so that a token is its own index.
        """
        d, free = self.width, self.biases == "free"
        rules = {
            "embedding.Z": parametrization.vector(MAX_Z + 1, d),
            "embedding.N": parametrization.vector(MAX_N + 1, d),
            "embedding.observable": parametrization.vector(self.observables, d),
            "first.weight": parametrization.hidden(3 * d, d),
            "first.bias": parametrization.bias(d, free, inputs=3),
        }
        for block in range(self.depth):
            for layer in ("inner", "outer"):
                rules[f"block{block}.{layer}.weight"] = parametrization.hidden(d, d)
                rules[f"block{block}.{layer}.bias"] = parametrization.bias(d, free)
        rules["readout.weight"] = parametrization.vector(d, self.observables)
        rules["readout.bias"] = parametrization.bias(self.observables, free)
        # What the options add comes last: with them a seed starts the rest of the network at the same values.
        if self.attention == "learned":
            rules["attention.query"] = parametrization.query(d)
            rules["attention.key"] = parametrization.hidden(d, d)
        if self.norm == "batch":
            for block in range(self.depth):
                rules[f"block{block}.mean"] = parametrization.statistic(d, start=0.0)
                rules[f"block{block}.variance"] = parametrization.statistic(d, start=1.0)
        return rules

    def initialise(self, seeds: Sequence[int], dtype: torch.dtype = torch.float32) -> Parameters:
        """Fresh parameters on the CPU, one replica a seed. A replica depends on its own seed alone."""
        replicas = [dict(self.drawn(seed)) for seed in seeds]
        return {name: torch.stack([r[name] for r in replicas]).to(dtype) for name in replicas[0]}

    def drawn(self, seed: int) -> Iterator[tuple[str, Tensor]]:
        """Name and fresh float64 values of every parameter of one replica, without replica axis, in the order of `rules`. The
        embeddings come first: whoever reads them alone need not wait for the hidden matrices."""
        generator = torch.Generator().manual_seed(seed)
        for name, rule in self.rules().items():
            uniform = torch.rand(rule.shape, generator=generator, dtype=torch.float64)
            yield name, uniform.mul_(2).sub_(1).mul_(rule.bound).add_(rule.centre)

    def first_layer(self, p: Parameters, z: Tensor, n: Tensor, observable: Tensor) -> Tensor:
        """The first layer after its activation, (R, rows, d), for tokens z, n, observable of shape (R, rows).

        The layer is linear over [E_Z, E_N, E_T], so it is a sum of three small tables (E_Z W_Z)[z] + (E_N W_N)[n] +
        (E_T W_T)[t]: the same function as the (3d x d) product for every row, at a small part of its cost.
        """
        w_z, w_n, w_t = p["first.weight"].split(self.width, dim=1)
        of_z = _look_up(torch.bmm(p["embedding.Z"], w_z), z)
        of_n = _look_up(torch.bmm(p["embedding.N"], w_n), n)
        if self.attention == "learned":
            of_t = _look_up(torch.bmm(p["embedding.observable"], w_t), observable)
            on_z, on_n, on_t = (3 * self.attend(p, z, n, observable)).split(1, dim=-1)
            x = on_z * of_z + on_n * of_n + on_t * of_t + p["first.bias"]
        else:
            of_t = torch.baddbmm(p["first.bias"], p["embedding.observable"], w_t)
            if self.observables > 1:
                of_t = _look_up(of_t, observable)
            x = of_z + of_n + of_t
        return ACTIVATIONS[self.first_activation](x)

    def attend(self, p: Parameters, z: Tensor, n: Tensor, observable: Tensor) -> Tensor:
        """Weights of learned attention on the tokens Z, N and observable: (R, rows, 3), their sum is 1."""
        query = torch.bmm(p["embedding.observable"], p["attention.query"]) * parametrization.attention_scale(self.width)
        logits = []
        for name, token in (("Z", z), ("N", n), ("observable", observable)):
            # One number for each pair of an observable and a token, so a row looks up three numbers.
            table = torch.bmm(query, torch.bmm(p[f"embedding.{name}"], p["attention.key"]).mT)
            logits.append(table.flatten(1).gather(1, observable * table.shape[2] + token))
        return torch.stack(logits, dim=-1).softmax(-1)

    def penultimate(
        self, p: Parameters, z: Tensor, n: Tensor, observable: Tensor, weight: Tensor | None = None
    ) -> Tensor:
        """What the readout reads, (R, rows, d): the residual stream after the last block."""
        return self.blocks(p, self.first_layer(p, z, n, observable), weight)

    def blocks(self, p: Parameters, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """The residual stream after the last block, from that before the first one: (R, rows, d) both. weight: as in `predict`."""
        activation = ACTIVATIONS[self.block_activation]
        for block in range(self.depth):
            inner = activation(torch.baddbmm(p[f"block{block}.inner.bias"], x, p[f"block{block}.inner.weight"]))
            x = x + activation(torch.baddbmm(p[f"block{block}.outer.bias"], inner, p[f"block{block}.outer.weight"]))
            x = self._normed(p, block, x, weight)
        return x

    def _normed(self, p: Parameters, block: int, x: Tensor, weight: Tensor | None) -> Tensor:
        if self.norm == "layer":
            return functional.layer_norm(x, (self.width,), eps=NORM_EPS)
        if self.norm == "rms":
            return functional.rms_norm(x, (self.width,), eps=NORM_EPS)
        if self.norm == "batch":
            mean, variance = _batch_statistics(p[f"block{block}.mean"], p[f"block{block}.variance"], x, weight)
            return (x - mean) * (variance + NORM_EPS).rsqrt()
        return x

    def readout(self, p: Parameters, x: Tensor, observable: Tensor) -> Tensor:
        """Predictions in min-max units, (R, rows), from a penultimate layer x of shape (R, rows, d)."""
        every = torch.bmm(x, p["readout.weight"]) * parametrization.output_scale(self.width) + p["readout.bias"]
        return every.gather(2, observable[..., None])[..., 0]

    def predict(self, p: Parameters, z: Tensor, n: Tensor, observable: Tensor, weight: Tensor | None = None) -> Tensor:
        """Predictions in min-max units, (R, rows), for tokens of shape (R, rows).

        weight: the loss weights (R, rows) of a training batch; without them it is an evaluation. Only "batch" norm tells
        the two apart: rows of weight zero, which fill a batch up, then count for no statistic, and the running
        statistics in `p` move.
        """
        return self.readout(p, self.penultimate(p, z, n, observable, weight), observable)


def _batch_statistics(
    running_mean: Tensor, running_variance: Tensor, x: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Mean and variance (R, 1, d) of x (R, rows, d): of the rows with weight in training, running ones in evaluation."""
    if weight is None:
        return running_mean, running_variance
    share = (weight > 0).to(x.dtype)
    share = (share / share.sum(1, keepdim=True))[..., None]
    mean = (share * x).sum(1, keepdim=True)
    variance = (share * (x - mean).square()).sum(1, keepdim=True)
    with torch.no_grad():
        running_mean.lerp_(mean, BATCH_NORM_MOMENTUM)
        running_variance.lerp_(variance, BATCH_NORM_MOMENTUM)
    return mean, variance


def _look_up(table: Tensor, token: Tensor) -> Tensor:
    """Rows of a (R, vocabulary, d) table at (R, rows) tokens: (R, rows, d).

    One flat `embedding`, because its backward pass is a segment sum: several times faster than that of indexing.
    """
    replicas, vocabulary, width = table.shape
    offset = torch.arange(replicas, device=table.device)[:, None] * vocabulary
    flat = functional.embedding((token + offset).flatten(), table.reshape(-1, width))
    return flat.view(replicas, -1, width)
