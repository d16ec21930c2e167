"""The network of modular addition: two residues a and b in, one logit for each residue out (section 2 of the paper).

It is the paper's network with one table of embeddings, which both summands share, in place of Z, N and observable, and with
a readout for each of the p answers. The first layer reads the two embeddings side by side, each with weights of its own:
that a + b is b + a, or that they are to be added at all, is left to be learned.

    E[a], E[b]  ->  silu(E[a] W_a + E[b] W_b + b)  ->  blocks x + relu(W2 relu(W1 x + b1) + b2)  ->  p logits
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nuclr.model import parametrization
from nuclr.model.network import ACTIVATIONS, Network, Parameters, _look_up
from nuclr.model.parametrization import Rule


@dataclass(frozen=True)
class AdditionNetwork(Network):
    """Shape of the network; `observables`, the number of readouts, is the modulus p."""

    def rules(self) -> dict[str, Rule]:
        """Name, shape, start and scaling of every parameter, without the replica axis; blocks and readout as in `Network`."""
        d, of_nuclei = self.width, super().rules()
        return {
            "embedding": parametrization.vector(self.observables, d),
            "first.weight": parametrization.hidden(2 * d, d),
            "first.bias": of_nuclei["first.bias"],
            **{name: rule for name, rule in of_nuclei.items() if name.startswith(("block", "readout"))},
        }

    def first_layer(self, p: Parameters, a: Tensor, b: Tensor, observable: Tensor) -> Tensor:  # noqa: ARG002
        """The first layer after its activation, (R, rows, d), for summands of shape (R, rows)."""
        w_a, w_b = p["first.weight"].split(self.width, dim=1)
        of_a = _look_up(torch.baddbmm(p["first.bias"], p["embedding"], w_a), a)
        return ACTIVATIONS[self.first_activation](of_a + _look_up(torch.bmm(p["embedding"], w_b), b))

    def logits(self, p: Parameters, a: Tensor, b: Tensor) -> Tensor:
        """Logits (R, rows, p) of the answers to a + b, for summands of shape (R, rows)."""
        x = self.penultimate(p, a, b, a)
        return torch.baddbmm(p["readout.bias"], x, p["readout.weight"], alpha=parametrization.output_scale(self.width))
