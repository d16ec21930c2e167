"""Training modular addition: the sums of a run, and what in engine and fleet is not as for nuclei.

A sum is a row with a and b in the place of Z and N, and its answer in the place of the value. Batches, optimizer, schedule,
checkpoints and resuming are those of all runs; the loss is the cross entropy, and in the place of errors stand accuracies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nuclr.config import AdditionConfig, RunConfig
from nuclr.model.addition import AdditionNetwork
from nuclr.train.examples import Examples
from nuclr.train.loop import Fleet
from nuclr.train.replicas import Replicas
from nuclr.train.schedule import learning_rate


def examples(config: RunConfig) -> Examples:
    """The p^2 sums of a run in the order of a, then b. `value` and `target` are the answer; there are no units to convert."""
    assert isinstance(config.data, AdditionConfig)
    p = config.data.modulus
    a, b = (numbers.ravel() for numbers in np.meshgrid(np.arange(p), np.arange(p), indexing="ij"))
    answer = ((a + b) % p).astype(np.float64)
    train = np.zeros(p * p, dtype=bool)
    train[np.random.default_rng(config.seed).permutation(p * p)[: max(1, int(config.data.fraction * p * p))]] = True
    return Examples(
        z=a,
        n=b,
        observable=np.zeros_like(a),
        value=answer,
        target=answer,
        weight=np.ones(p * p),
        measured=np.ones(p * p, dtype=bool),
        train=train,
        validation=~train,
        low=np.zeros(1),
        high=np.ones(1),
    )


class Adders(Replicas):
    """Engine of a fleet that learns to add: `Replicas` with another network and the cross entropy as its loss."""

    network: AdditionNetwork

    def __init__(
        self,
        configs: Sequence[RunConfig],
        examples: Sequence[Examples],
        device: torch.device,
        dtype: torch.dtype,
        graph: bool = True,
    ) -> None:
        super().__init__(configs, examples, device, dtype, graph)
        model, data = configs[0].model, configs[0].data
        assert isinstance(data, AdditionConfig)
        self.network = AdditionNetwork(model.width, model.depth, data.modulus)
        fresh = self.network.initialise([config.seed for config in configs], dtype)
        nought = {name: torch.zeros_like(value) for name, value in fresh.items()}
        self._place(fresh, nought, nought)

    def predictions(self, index: int) -> np.ndarray:
        """Logits of a member for all of its sums: float64 (p^2, p)."""
        data, values = self.examples[index], {name: value[None] for name, value in self.parameters(index).items()}
        a, b = (torch.from_numpy(numbers).to(self.device)[None] for numbers in (data.z, data.n))
        with torch.no_grad():
            return self.network.logits(values, a, b)[0].double().cpu().numpy()

    def _losses(self) -> Tensor:
        """The loss of every member on the sums in `index`, (R,)."""
        a, b, weight = (self.columns[column][self.index] for column in (0, 1, -1))
        logits = self.network.logits(self.values, a, b)
        answers = (a + b) % self.network.observables
        entropy = functional.cross_entropy(logits.flatten(0, 1), answers.flatten(), reduction="none").view(a.shape)
        return (weight * entropy).sum(1) / self.rows


class AdditionFleet(Fleet):
    """Runs of modular addition of equal shape in training: a `Fleet` whose curves and errors are accuracies."""

    def __init__(
        self,
        configs: Sequence[RunConfig],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        graph: bool = True,
    ) -> None:
        self.configs = list(configs)
        self.examples = [examples(config) for config in configs]
        self.engine = Adders(self.configs, self.examples, torch.device(device), dtype, graph)
        self.step = 0
        self.curves = [[] for _ in configs]
        self.diverged = {}
        self._pace = math.inf

    def errors(self) -> dict[int, dict[str, float]]:
        """Train and validation loss and accuracy of every member that did not diverge."""
        return {index: self._reading(index) for index in self._left()}

    def _record(self) -> None:
        for index in self._left():
            curve = self.curves[index]
            if curve and curve[-1]["step"] == self.step:
                continue  # recorded before the training was stopped here
            found = self._reading(index)
            rate = learning_rate(self.configs[index], self.step)
            curve.append({"step": float(self.step), "learning_rate": rate, "loss": found["train_loss"], **found})

    def _reading(self, index: int) -> dict[str, float]:
        data = self.examples[index]
        logits, answer = self.engine.predictions(index), data.value.astype(np.int64)
        right = logits.argmax(1) == answer
        entropy = functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(answer), reduction="none").numpy()
        return {
            f"{name}_{kind}": float(values[mask].mean())
            for kind, values in (("loss", entropy), ("accuracy", right))
            for name, mask in (("train", data.train), ("validation", data.validation))
        }
