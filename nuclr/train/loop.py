"""The training loop: a fleet of runs that differ in their seed alone, trained as one network with a replica axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nuclr.config import RunConfig
from nuclr.errors import NuclrError
from nuclr.model.network import Network
from nuclr.train.examples import Batches, examples

PRECISIONS = {"float32": "highest", "bf16-matmul": "medium"}
CHECKPOINTS = 12  # log-spaced between the first and the last step, besides the start
CURVE_POINTS = 40
CHECK_EVERY = 100  # steps between looks at the loss: each look waits for the device
ROWS_AT_ONCE = 8192

Curve = list[dict[str, float]]


def log_spaced(steps: int, count: int) -> list[int]:
    """Step 0 and about `count` steps from 1 to `steps`, evenly spaced in their logarithm."""
    return sorted({0, *(round(step) for step in np.geomspace(1, steps, count))})


def curve_steps(steps: int) -> list[int]:
    """Where the curves have a point: log-spaced for the start, evenly spaced for the long rest."""
    return sorted(
        {*log_spaced(steps, CHECKPOINTS), *np.linspace(0, steps, CURVE_POINTS + 1).round().astype(int).tolist()}
    )


def learning_rate(config: RunConfig, step: int) -> float:
    """Base learning rate of a step: linear warm-up, then a cosine to zero or a constant."""
    training = config.training
    if step < training.warmup:
        return training.learning_rate * (step + 1) / training.warmup
    if training.schedule == "constant":
        return training.learning_rate
    done = (step - training.warmup) / (training.steps - training.warmup)
    return training.learning_rate * (1 + math.cos(math.pi * done)) / 2


class Fleet:
    """Runs which differ in their seed alone, in training.

    `parameters` maps names to (R, ...) tensors; `step` counts finished steps; `curves` holds one curve a run.
    Raises NuclrError when a run diverges.
    """

    def __init__(self, configs: Sequence[RunConfig], device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        if len({config.same_but_seed() for config in configs}) != 1:
            raise NuclrError("The runs of a fleet may differ in their seed alone: train these apart.")
        self.configs = list(configs)
        self.config = configs[0]
        self.device, self.dtype = torch.device(device), dtype
        self.examples = [examples(config) for config in configs]
        self.network = Network(self.config.model.width, self.config.model.depth, len(self.config.data.observables))
        fresh = self.network.initialise([config.seed for config in configs], dtype)
        self.parameters = {name: value.to(self.device).requires_grad_() for name, value in fresh.items()}
        self.optimizer = self._optimizer()
        self.batches = [
            Batches(config, data, self.device, dtype) for config, data in zip(configs, self.examples, strict=True)
        ]
        self.step = 0
        self.curves: list[Curve] = [[] for _ in configs]

    @property
    def rows_per_step(self) -> int:
        return sum(batches.rows for batches in self.batches)

    def train(
        self,
        on_step: Callable[[int], bool] = lambda _: True,
        on_checkpoint: Callable[[int], None] = lambda _: None,
    ) -> bool:
        """Train to the last step. True when it is reached.

        on_step(steps done) is called every CHECK_EVERY steps; a False from it stops the loop after that step.
        on_checkpoint(step) is called at the log-spaced checkpoints.
        """
        precision = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(PRECISIONS[self.config.training.precision])
        torch.set_flush_denormal(True)  # moments of silent units fade into denormals, which a CPU computes far slower
        try:
            return self._train(on_step, on_checkpoint)
        finally:
            torch.set_flush_denormal(False)
            torch.set_float32_matmul_precision(precision)

    def _train(self, on_step: Callable[[int], bool], on_checkpoint: Callable[[int], None]) -> bool:
        steps = self.config.training.steps
        points, checkpoints = set(curve_steps(steps)), set(log_spaced(steps, CHECKPOINTS))
        while True:
            if self.step in points and all(not curve or curve[-1]["step"] < self.step for curve in self.curves):
                self._record()
            if self.step in checkpoints:
                on_checkpoint(self.step)
            if self.step == steps:
                return True
            losses = self._advance()
            if self.step % CHECK_EVERY == 0 or self.step == steps:
                self._check(losses)
                if not on_step(self.step) and self.step < steps:
                    return False

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, as tensors (the curves are plain data beside it)."""
        tensors = {f"parameter.{name}": value.detach() for name, value in self.parameters.items()}
        for name, value in self.parameters.items():
            for key, moment in self.optimizer.state[value].items():
                tensors[f"optimizer.{key}.{name}"] = moment
        return tensors

    def load_state(self, tensors: dict[str, Tensor], step: int, curves: list[Curve]) -> None:
        """Go on from `state()` taken after `step` steps."""
        with torch.no_grad():
            for name, value in self.parameters.items():
                value.copy_(tensors[f"parameter.{name}"])
                self.optimizer.state[value] = {
                    key.split(".")[1]: moment.to(self.device, copy=True)
                    for key, moment in tensors.items()
                    if key.startswith("optimizer.") and key.split(".", 2)[2] == name
                }
        self.step, self.curves = step, curves

    def predictions(self) -> np.ndarray:
        """Predictions for all rows of every run in min-max units, float64 (R, k)."""
        data = self.examples[0]  # the rows are the same for every seed, only their split differs
        tokens = [torch.from_numpy(np.asarray(t, dtype=np.int64)) for t in (data.z, data.n, data.observable)]
        parts = []
        with torch.no_grad():
            for start in range(0, len(data.z), ROWS_AT_ONCE):
                z, n, t = (
                    token[start : start + ROWS_AT_ONCE].to(self.device).expand(len(self.configs), -1)
                    for token in tokens
                )
                parts.append(self.network.predict(self.parameters, z, n, t).double().cpu())
        return torch.cat(parts, dim=1).numpy()

    def errors(self) -> list[dict[str, float]]:
        """RMS errors of every run in physical units, by set and observable; `.measured` leaves out estimated values.

        After the training these are of float32 products, while the curves are of the precision that trained.
        """
        return [
            rms(
                data.physical(unit) - data.value,
                data.observable,
                config,
                {
                    "train": data.train,
                    "validation": data.validation,
                    "train.measured": data.train & data.measured,
                    "validation.measured": data.validation & data.measured,
                },
            )
            for config, data, unit in zip(self.configs, self.examples, self.predictions(), strict=True)
        ]

    def _optimizer(self) -> torch.optim.AdamW:
        training, width = self.config.training, self.config.model.width
        groups: dict[bool, dict[str, Any]] = {}
        for name, rule in self.network.rules().items():
            group = groups.setdefault(
                rule.hidden,
                {
                    "params": [],
                    "scale": rule.learning_rate(1.0, width),
                    "weight_decay": rule.weight_decay(training.weight_decay, width),
                },
            )
            group["params"].append(self.parameters[name])
        # The gradients of lightly weighted observables are near AdamW's usual eps of 1e-8, which would damp them: with none
        # in effect the steps do not depend on the scale of the loss.
        return torch.optim.AdamW(list(groups.values()), lr=training.learning_rate, eps=1e-15, fused=True)

    def _advance(self) -> Tensor:
        z, n, observable, target, weight = (
            torch.stack(column) for column in zip(*(b.at(self.step) for b in self.batches), strict=True)
        )
        rate = learning_rate(self.config, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        self.optimizer.zero_grad()
        error = self.network.predict(self.parameters, z, n, observable) - target
        losses = (weight * error * error).mean(1)
        losses.sum().backward()  # replicas share nothing, so the gradient of the sum is each one's own
        self.optimizer.step()
        self.step += 1
        return losses.detach()

    def _check(self, losses: Tensor) -> None:
        first = [curve[0]["loss"] for curve in self.curves]
        for config, loss, start in zip(self.configs, losses.tolist(), first, strict=True):
            if not math.isfinite(loss) or loss > 1e3 * start:
                raise NuclrError(
                    f"Run {config.label} diverged: loss {loss:.3g} at step {self.step}, learning rate "
                    f"{learning_rate(config, self.step - 1):.3g} (it began at {start:.3g}). Train it at a lower learning rate."
                )

    def _record(self) -> None:
        for config, data, curve, unit in zip(self.configs, self.examples, self.curves, self.predictions(), strict=True):
            loss = float(np.mean((data.weight * (unit - data.target) ** 2)[data.train]))
            error = data.physical(unit) - data.value
            sets = {"train": data.train, "validation": data.validation}
            curve.append(
                {
                    "step": float(self.step),
                    "learning_rate": learning_rate(config, self.step),
                    "loss": loss,
                    **rms(error, data.observable, config, sets),
                }
            )


def rms(error: np.ndarray, observable: np.ndarray, config: RunConfig, sets: dict[str, np.ndarray]) -> dict[str, float]:
    """RMS of the errors (k,) wherever a set, a mask (k,), has a row of an observable: {"<set>_rms.<observable>": RMS}."""
    found = {}
    for name, mask in sets.items():
        for task, title in enumerate(config.data.observables):
            chosen = error[mask & (observable == task)]
            if len(chosen):
                found[f"{name}_rms.{title}"] = float(np.sqrt(np.mean(chosen**2)))
    return found
