"""The training loop: a fleet of runs of equal shape goes from event to event, while an engine computes the steps between."""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from nuclr.config import ModelConfig, RunConfig
from nuclr.errors import NuclrError
from nuclr.train.examples import Examples, batch_rows, examples
from nuclr.train.native import Native, can_train
from nuclr.train.replicas import Replicas
from nuclr.train.schedule import CHECKPOINTS, curve_steps, learning_rate, log_spaced

CHECK_EVERY = 100  # steps between looks at the loss for divergence
ONE_CALL = 0.5  # seconds that a call of the engine may take, so that Ctrl-C is heard soon

Curve = list[dict[str, float]]
Shape = tuple[ModelConfig, int, int, int, str, str]


class Engine(Protocol):
    """What computes the steps of a fleet. It is made from (configs, examples, device, dtype).

    name: its arithmetic, for the record of a run.
    """

    name: str

    def advance(self, step: int, count: int) -> Tensor:
        """Do steps `step` to `step + count - 1` of every member left: their losses in the last of them."""

    def predictions(self, index: int) -> np.ndarray:
        """Predictions for all k rows of a member in min-max units, float64 (k,)."""

    def parameters(self, index: int) -> dict[str, Tensor]:
        """Parameters of a member, without replica axis."""

    def state(self, index: int) -> dict[str, Tensor]:
        """ "parameter.<name>", "first.<name>" and "second.<name>" (AdamW's moments) of a member, without replica axis."""

    def load(self, states: Sequence[dict[str, Tensor]]) -> None:
        """Go on from the `state` of every member left."""

    def drop(self, index: int) -> None:
        """Leave a member out from here on; at least one remains. The indices of the others stay."""


EngineMaker = Callable[[Sequence[RunConfig], Sequence[Examples], torch.device, torch.dtype], Engine]


def choose_engine(device: torch.device, config: RunConfig, dtype: torch.dtype) -> type[Native] | type[Replicas]:
    """The fastest engine for runs of this shape on this device."""
    return Native if can_train(config, device, dtype) else Replicas


def shape(config: RunConfig) -> Shape:
    """A key that is equal for runs which can train as one fleet.

    They have the same network, steps, schedule and precision; seed, data, learning rate, weight decay, weighting and batch are
    each member's own.
    """
    training = config.training
    return (
        config.model,
        len(config.data.observables),
        training.steps,
        training.warmup,
        training.schedule,
        training.precision,
    )


class Fleet:
    """Runs of equal `shape` in training. Each comes out as if it were trained alone.

    `step` counts finished steps, `curves` holds one curve a member. `diverged` maps the index of a member whose loss went
    astray to one sentence about it: such a member is left out from there on, and the indices of the others stay.
    engine: what computes; "auto" is the fastest here. graph: as in `Replicas`, where that is the one.
    Raises NuclrError for members of unequal shape.
    """

    def __init__(
        self,
        configs: Sequence[RunConfig],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        engine: EngineMaker | Literal["auto"] = "auto",
        graph: bool = True,
    ) -> None:
        if len({shape(config) for config in configs}) != 1:
            raise NuclrError(
                "The runs of a fleet must have the same network, steps, schedule and precision: train these apart."
            )
        self.configs = list(configs)
        self.examples = [examples(config) for config in configs]
        make: EngineMaker = choose_engine(torch.device(device), configs[0], dtype) if engine == "auto" else engine
        if make is Replicas:
            make = partial(Replicas, graph=graph)
        self.engine: Engine = make(self.configs, self.examples, torch.device(device), dtype)
        self.step = 0
        self.curves: list[Curve] = [[] for _ in configs]
        self.diverged: dict[int, str] = {}
        self._pace = math.inf  # seconds a step, as last measured

    @property
    def rows_per_step(self) -> int:
        """Rows in a step of all members; a diverged one keeps its share, so that the rows seen only ever grow."""
        return sum(batch_rows(config, data) for config, data in zip(self.configs, self.examples, strict=True))

    def train(
        self,
        on_step: Callable[[int], bool] = lambda _: True,
        on_checkpoint: Callable[[int], None] = lambda _: None,
    ) -> bool:
        """Train to the last step. True when there is nothing left to do: it is reached, or every member diverged.

        on_step(steps done) is called at least every CHECK_EVERY steps, and sooner where those take long; a False from it
        stops the loop after that step. on_checkpoint(step) is called at the log-spaced checkpoints.
        """
        steps = self.configs[0].training.steps
        points, checkpoints = set(curve_steps(steps)), set(log_spaced(steps, CHECKPOINTS))
        events = sorted({*points, *checkpoints, *range(0, steps, CHECK_EVERY), steps})
        while True:
            if self.step in points:
                self._record()
            if self.step in checkpoints:
                on_checkpoint(self.step)
            if self.step == steps:
                return True
            losses = self._advance(events[bisect_right(events, self.step)] - self.step)
            # At fixed steps alone, so that what counts as diverged does not depend on how fast the machine is.
            if self.step % CHECK_EVERY == 0 or self.step == steps:
                self._check(losses)
                if not self._left():
                    return True
            if not on_step(self.step) and self.step < steps:
                return False

    def member_state(self, index: int) -> dict[str, Tensor]:
        """Everything that the next step of a member depends on, without replica axis (its curve is plain data beside it)."""
        return self.engine.state(index)

    def load_members(self, states: Sequence[dict[str, Tensor]], step: int, curves: Sequence[Curve]) -> None:
        """Go on from the `member_state` of every member, all taken after `step` steps, and their curves until then."""
        self.engine.load(states)
        self.step, self.curves = step, [list(curve) for curve in curves]

    def parameters_of(self, index: int) -> dict[str, Tensor]:
        """Parameters of a member, without replica axis."""
        return self.engine.parameters(index)

    def errors(self) -> dict[int, dict[str, float]]:
        """RMS errors in physical units by set and observable, of every member that did not diverge.

        `.measured` leaves out estimated values. As the curves, they are of float32 products whatever trained.
        """
        found = {}
        for index in self._left():
            data = self.examples[index]
            sets = {
                "train": data.train,
                "validation": data.validation,
                "train.measured": data.train & data.measured,
                "validation.measured": data.validation & data.measured,
            }
            error = data.physical(self.engine.predictions(index)) - data.value
            found[index] = rms(error, data.observable, self.configs[index], sets)
        return found

    def _left(self) -> list[int]:
        return [index for index in range(len(self.configs)) if index not in self.diverged]

    def _advance(self, wanted: int) -> list[float]:
        count = max(1, min(wanted, int(ONE_CALL / self._pace)))
        began = time.perf_counter()
        losses: list[float] = self.engine.advance(self.step, count).tolist()  # waits for the device
        self._pace = (time.perf_counter() - began) / count
        self.step += count
        return losses

    def _check(self, losses: list[float]) -> None:
        members = self._left()
        for index, loss in zip(members, losses, strict=True):
            config, start = self.configs[index], self.curves[index][0]["loss"]
            if not math.isfinite(loss) or loss > 1e3 * start:
                self.diverged[index] = (
                    f"Run {config.label} diverged: loss {loss:.3g} at step {self.step}, learning rate "
                    f"{learning_rate(config, self.step - 1):.3g} (it began at {start:.3g}). Train it at a lower learning rate."
                )
        if self._left():
            for index in set(members) & set(self.diverged):
                self.engine.drop(index)

    def _record(self) -> None:
        for index in self._left():
            config, data, curve = self.configs[index], self.examples[index], self.curves[index]
            if curve and curve[-1]["step"] == self.step:
                continue  # recorded before the training was stopped here
            unit = self.engine.predictions(index)
            with np.errstate(over="ignore", invalid="ignore"):  # of a member that diverges, which is for _check to tell
                loss = float(np.mean((data.weight * (unit - data.target) ** 2)[data.train]))
                error = data.physical(unit) - data.value
                found = rms(error, data.observable, config, {"train": data.train, "validation": data.validation})
            rate = learning_rate(config, self.step)
            curve.append({"step": float(self.step), "learning_rate": rate, "loss": loss, **found})


def rms(error: np.ndarray, observable: np.ndarray, config: RunConfig, sets: dict[str, np.ndarray]) -> dict[str, float]:
    """RMS of the errors (k,) wherever a set, a mask (k,), has a row of an observable: {"<set>_rms.<observable>": RMS}."""
    found = {}
    for name, mask in sets.items():
        for task, title in enumerate(config.data.observables):
            chosen = error[mask & (observable == task)]
            if len(chosen):
                found[f"{name}_rms.{title}"] = float(np.sqrt(np.mean(chosen**2)))
    return found
