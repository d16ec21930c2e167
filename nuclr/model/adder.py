"""Read a trained network of modular addition, or give it other vectors in the place of its embeddings, and see what it answers.

As `nuclr.model.probe`, on the CPU and in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nuclr.config import ModelConfig
from nuclr.model.addition import AdditionNetwork
from nuclr.model.network import Parameters

Array = NDArray[np.float64]
Answers = NDArray[np.int64]


@dataclass(frozen=True)
class Adder:
    """One network, without replica axis."""

    network: AdditionNetwork
    parameters: Parameters = field(repr=False)

    @classmethod
    def open(cls, model: ModelConfig, modulus: int, weights: Mapping[str, Tensor]) -> Adder:
        """From parameters of any float type, without replica axis."""
        network = AdditionNetwork(model.width, model.depth, modulus)
        return cls(network, {name: value.double()[None] for name, value in weights.items()})

    def untrained(self, seed: int) -> Adder:
        """A network of this shape with fresh parameters: the usual control."""
        return Adder(self.network, self.network.initialise([seed], torch.float64))

    @property
    def embedding(self) -> Array:
        """Embeddings (p, d) of the residues."""
        return self.parameters["embedding"][0].numpy().copy()

    def answers(self, embedding: Array | None = None) -> Answers:
        """The residue (p, p) that the network answers to a + b, row a and column b; from other embeddings (p, d) where given."""
        points = self.embedding if embedding is None else embedding
        p, d = points.shape
        first, second = (np.broadcast_to(side, (p, p, d)).reshape(-1, d) for side in (points[:, None], points[None]))
        return self.answer(first, second).reshape(p, p)

    def answer(self, first: Array, second: Array) -> Answers:
        """The residue (k,) that the network answers to pairs of vectors in the place of the summands' embeddings, (k, d) each."""
        table = torch.from_numpy(np.concatenate([first, second]))[None]
        a, b = torch.arange(len(table[0]))[None].chunk(2, dim=1)
        found: Answers = self.network.logits(self.parameters | {"embedding": table}, a, b)[0].argmax(1).numpy()
        return found
