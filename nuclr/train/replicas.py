"""The torch engine: the members of a fleet as one network with a leading replica axis; on a GPU, one CUDA graph a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nuclr.config import RunConfig
from nuclr.model.network import Network, Parameters
from nuclr.train.examples import Batches, Examples
from nuclr.train.schedule import learning_rate

# What torch calls the precision of float32 matrix products. On a CPU "medium" rounds their inputs to bfloat16 and sums in
# float32. On CUDA it would mean TensorFloat-32: there autocast rounds the products of the blocks and all others stay float32.
PRECISIONS = {"float32": "highest", "tf32": "high", "bf16-matmul": "medium"}
PLANNED_AT_ONCE = 32  # steps whose batches and learning rates go to the device in one copy
WARM_UP = 3  # steps on a side stream before the capture, as torch's recipe for CUDA graphs asks
ROWS_AT_ONCE = 8192


class Replicas:
    """Engine of a fleet (nuclr.train.loop.Engine): R members left, every parameter an (R, ...) tensor.

    Members share nothing but the shape of the network and the number of steps. Batches of fewer rows than the largest
    are padded with rows of weight 0, and the loss of a member is the mean over its own rows.
    graph: whether to replay the step as a CUDA graph, where there is CUDA.
    """

    def __init__(
        self,
        configs: Sequence[RunConfig],
        examples: Sequence[Examples],
        device: torch.device,
        dtype: torch.dtype,
        graph: bool = True,
    ) -> None:
        self.configs, self.examples, self.device = list(configs), list(examples), device
        first, self.cuda = configs[0], device.type == "cuda"
        self.autocast = self.cuda and first.training.precision == "bf16-matmul"
        self.precision = PRECISIONS["float32" if self.autocast else first.training.precision]
        self.name = f"torch {first.training.precision}"
        if self.autocast:
            self.name += " in the blocks, their weights' gradients rounded too; float32 elsewhere"
        self.network = Network.of(first.model, len(first.data.observables))
        self.with_graph = graph and self.cuda
        self.batches = [
            Batches(config, data, torch.device("cpu"), dtype) for config, data in zip(configs, examples, strict=True)
        ]
        self.members = list(range(len(configs)))  # index of every replica
        fresh = self.network.initialise([config.seed for config in configs], dtype)
        nought = {name: torch.zeros_like(value) for name, value in fresh.items()}
        self._place(fresh, nought, nought)

    def advance(self, step: int, count: int) -> Tensor:
        """Do steps `step` to `step + count - 1` of every member left: their losses in the last of them, (R,)."""
        self.steps.fill_(step)
        with _numerics(self.precision):
            for start in range(step, step + count, PLANNED_AT_ONCE):
                # Nothing here waits for the device, so that the next batches are planned while it computes.
                indices, rates = self._plan(range(start, min(start + PLANNED_AT_ONCE, step + count)))
                for index, rate in zip(indices, rates, strict=True):
                    self.index.copy_(index)
                    self.rates.copy_(rate)
                    self._run()
        return self.losses.clone()

    def gradients(self, step: int) -> dict[str, Tensor]:
        """Gradients of every member's loss on its batch of a step, by the name of the parameter, which all stay."""
        with _numerics(self.precision):
            indices, _ = self._plan(range(step, step + 1))
            self.index.copy_(indices[0])
            return self._gradients(self._losses())

    def predictions(self, index: int) -> np.ndarray:
        """Predictions for all rows of a member in min-max units, of float32 products: float64 (k,)."""
        data, values = self.examples[index], {name: value[None] for name, value in self.parameters(index).items()}
        tokens = [
            torch.from_numpy(np.asarray(token, dtype=np.int64)).to(self.device)[None]
            for token in (data.z, data.n, data.observable)
        ]
        with torch.no_grad():
            parts = [
                self.network.predict(values, *(token[:, start : start + ROWS_AT_ONCE] for token in tokens))
                for start in range(0, len(data.z), ROWS_AT_ONCE)
            ]
        return torch.cat(parts, dim=1)[0].double().cpu().numpy()

    def parameters(self, index: int) -> Parameters:
        """Parameters of a member, without replica axis."""
        replica = self.members.index(index)
        return {name: value.detach()[replica] for name, value in self.values.items()}

    def state(self, index: int) -> dict[str, Tensor]:
        """What the next step of a member depends on: its parameters and AdamW's first and second moments."""
        replica = self.members.index(index)
        return {
            f"{kind}.{name}": value.detach()[replica]
            for kind, values in self._state().items()
            for name, value in values.items()
        }

    def load(self, states: Sequence[dict[str, Tensor]]) -> None:
        """Go on from the `state` of every member left."""
        with torch.no_grad():
            for kind, values in self._state().items():
                for name, value in values.items():
                    value.copy_(torch.stack([state[f"{kind}.{name}"] for state in states]))

    def drop(self, index: int) -> None:
        """Leave a member out from here on; at least one must remain."""
        keep = [replica for replica, member in enumerate(self.members) if member != index]
        self.members = [self.members[replica] for replica in keep]
        self._place(
            *({name: value.detach()[keep] for name, value in values.items()} for values in self._state().values())
        )

    def _state(self) -> dict[str, Parameters]:
        return {"parameter": self.values, "first": self.first, "second": self.second}

    def _place(self, values: Parameters, first: Parameters, second: Parameters) -> None:
        """Lay out everything that a step touches. Its addresses stay, as a CUDA graph needs."""
        self.graph: torch.cuda.CUDAGraph | None = None
        self.warm = 0
        self.rules = self.network.rules()
        self.values = {
            name: value.to(self.device, copy=True).requires_grad_(self.rules[name].learns)
            for name, value in values.items()
        }
        self.learning = {name: value for name, value in self.values.items() if self.rules[name].learns}
        self.first, self.second = (
            {name: value.to(self.device, copy=True) for name, value in moments.items()} for moments in (first, second)
        )
        self._place_batches([self.batches[member] for member in self.members])
        self._place_optimizer([self.configs[member] for member in self.members])

    def _place_batches(self, batches: Sequence[Batches]) -> None:
        # All members' training rows in one table, and a last row of weight 0 for the padding.
        self.columns = [
            torch.cat([*columns, columns[0].new_zeros(1)]).to(self.device)
            for columns in zip(*(member.columns for member in batches), strict=True)
        ]
        sizes = [len(member.columns[0]) for member in batches]
        self.offsets = [sum(sizes[:replica]) for replica in range(len(sizes))]
        self.rows = torch.tensor([member.rows for member in batches], device=self.device)
        largest = max(member.rows for member in batches)
        self.index = torch.full((len(batches), largest), sum(sizes), device=self.device)
        self.losses = torch.zeros(len(batches), dtype=self.columns[-1].dtype, device=self.device)

    def _place_optimizer(self, configs: Sequence[RunConfig]) -> None:
        """AdamW on views of the parameters and moments. On a GPU neighbouring members of equal rate and decay are one parameter: it
        starts one kernel for a few large ones and many for many small ones. On a CPU that gains nothing and rounds otherwise.
        """
        width = self.network.width
        scalings: dict[tuple[float, float], list[str]] = {}
        for name in self.learning:
            rule = self.rules[name]
            scalings.setdefault((rule.learning_rate(1.0, width), rule.weight_decay(1.0, width)), []).append(name)
        alike = _alike(configs) if self.cuda else _apart(configs)
        self.scales = [(configs[members.start], scale) for members in alike for scale, _ in scalings]
        # The GPU's fused AdamW reads float32 learning rates from the device.
        dtype = torch.float32 if self.cuda else torch.float64
        self.rates = torch.zeros(len(self.scales), dtype=dtype, device=self.device)
        self.steps = torch.zeros(len(alike), len(self.learning), device=self.device)
        slot = {name: number for number, name in enumerate(self.learning)}
        self.parts: list[
            tuple[str, slice, Tensor]
        ] = []  # the parameters of AdamW: whose, of which members, and the view
        groups: list[dict[str, Any]] = []
        state = {}
        for number, members in enumerate(alike):
            for (_, decay), names in scalings.items():
                params = [self.values[name].detach()[members] for name in names]
                for name, param in zip(names, params, strict=True):
                    state[param] = {
                        "step": self.steps[number, slot[name]],
                        "exp_avg": self.first[name][members],
                        "exp_avg_sq": self.second[name][members],
                    }
                    self.parts.append((name, members, param))
                rate, decay = self.rates[len(groups)], configs[members.start].training.weight_decay * decay
                groups.append({"params": params, "lr": rate, "weight_decay": decay})
        # The gradients of lightly weighted observables are near AdamW's usual eps of 1e-8, which would damp them: with none
        # in effect the steps do not depend on the scale of the loss.
        self.optimizer = torch.optim.AdamW(groups, eps=1e-15, fused=True, capturable=self.cuda)
        self.optimizer.state.update(state)

    def _plan(self, steps: range) -> tuple[Tensor, Tensor]:
        """Rows of `columns` in the batches (steps, R, rows), and the learning rate of every group (steps, groups)."""
        padding = len(self.columns[0]) - 1
        indices = torch.full((len(steps), *self.index.shape), padding, pin_memory=self.cuda)
        for replica, (member, offset) in enumerate(zip(self.members, self.offsets, strict=True)):
            batches = self.batches[member]
            for row, step in enumerate(steps):
                indices[row, replica, : batches.rows] = batches.indices(step) + offset
        planned = [[learning_rate(config, step) * scale for config, scale in self.scales] for step in steps]
        rates = torch.tensor(planned, dtype=self.rates.dtype, pin_memory=self.cuda)
        return indices.to(self.device, non_blocking=True), rates.to(self.device, non_blocking=True)

    def _run(self) -> None:
        """One step, on a GPU from its graph."""
        if self.graph is not None:
            self.graph.replay()
        elif not self.with_graph:
            self._step()
        elif self.warm < WARM_UP:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                self._step()
            torch.cuda.current_stream().wait_stream(side)
            self.warm += 1
        else:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):  # records the step without doing it
                self._step()
            self.graph = graph
            graph.replay()

    def _step(self) -> None:
        """One step of every member on the rows in `index`, at the learning rates in `rates`."""
        losses = self._losses()
        # They go to AdamW where backward left them: to set gradients to zero and add to them would move twice as many bytes.
        gradients = self._gradients(losses)
        for name, members, param in self.parts:
            # Fused AdamW reads memory in the order of the parameter, whatever the strides: a transposed gradient would go to other
            # weights.
            param.grad = gradients[name][members].contiguous()
        self.optimizer.step()
        self.losses.copy_(losses.detach())

    def _gradients(self, losses: Tensor) -> dict[str, Tensor]:
        """Replicas share nothing, so the gradient of the sum of their losses is each one's own."""
        return dict(zip(self.learning, torch.autograd.grad(losses.sum(), list(self.learning.values())), strict=True))

    def _losses(self) -> Tensor:
        """The loss of every member on the rows in `index`, (R,)."""
        z, n, observable, target, weight = (column[self.index] for column in self.columns)
        # First layer, residual stream and readout stay float32: a bfloat16 readout would round the predictions themselves to
        # three digits.
        x = self.network.first_layer(self.values, z, n, observable)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast, cache_enabled=False):
            x = self.network.blocks(self.values, x, weight)
        error = self.network.readout(self.values, x, observable) - target
        return (weight * error * error).sum(1) / self.rows


def _alike(configs: Sequence[RunConfig]) -> list[slice]:
    """Neighbouring members of equal learning rate and weight decay."""
    kinds = [(config.training.learning_rate, config.training.weight_decay) for config in configs]
    cuts = [i for i in range(len(kinds)) if i == 0 or kinds[i] != kinds[i - 1]]
    return [slice(start, end) for start, end in pairwise([*cuts, len(kinds)])]


def _apart(configs: Sequence[RunConfig]) -> list[slice]:
    """Every member by itself."""
    return [slice(replica, replica + 1) for replica in range(len(configs))]


@contextmanager
def _numerics(precision: str) -> Iterator[None]:
    """What training sets in the process, for as long as it computes."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    torch.set_flush_denormal(True)  # moments of silent units fade into denormals, which a CPU computes far slower
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_float32_matmul_precision(before)
