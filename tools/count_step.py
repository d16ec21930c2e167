"""How many bytes one training step of the torch engine moves on a GPU, and in how many kernels: a count, made without a GPU.

    python tools/count_step.py --width 2048 --members 3

The engine does its step on fake tensors, which have shapes and no data. Every operation that launches a kernel is counted with the
bytes of the tensors that it reads and writes. It is a count and no measurement, with three limits:

* A tensor counts once for every operation that reads it, as if no cache kept it from one kernel to the next.
* An operation counts as one kernel. Some launch more: fused AdamW of many numbers, a product that begins with a copy of its bias.
* What a kernel keeps in memory for itself is not seen.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any
from unittest.mock import patch

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from nuclr import runs
from nuclr.config import RunConfig
from nuclr.train.examples import batch_rows, examples
from nuclr.train.replicas import Replicas

CUDA = torch.device("cuda")
CPU = torch.device("cpu")
CASES = ("binding", "joint")  # of the profile paper
# Names of operations by what they are for. What no group names is another pass, forward or backward.
OTHERS = "other passes forward and backward"
GROUPS = {
    "matrix products": ("mm", "bmm", "baddbmm"),
    "casts to and from bfloat16": ("_to_copy",),
    OTHERS: (),
    "index and gather": ("index", "gather", "scatter_add", "embedding", "embedding_dense_backward"),
    "zero and accumulate gradients": ("zero_", "add_"),
    "AdamW": ("_fused_adamw_", "_foreach_add_"),
}
NO_KERNEL = ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_unsafe_view")
# Arguments that torch marks as changed, and which are only written, or (the gradients) only read.
ONE_WAY = {("zero_", "self"), ("fill_", "self"), ("copy_", "self"), ("_fused_adamw_", "grads")}


@dataclass
class Count:
    """What a step does, by the name of the operation. moved: bytes read and written. kernels: how many."""

    moved: Counter[str] = field(default_factory=Counter)
    kernels: Counter[str] = field(default_factory=Counter)

    def groups(self) -> dict[str, int]:
        """Bytes by the names of GROUPS."""
        found = {group: sum(self.moved[name] for name in names) for group, names in GROUPS.items()}
        found[OTHERS] = self.moved.total() - sum(found.values())
        return found


class Counting(TorchDispatchMode):
    """Counts the operations that are done inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.count = Count()

    def __torch_dispatch__(
        self, func: Any, types: Sequence[Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if func.namespace == "aten" and name not in NO_KERNEL and not _is_view(func):
            self.count.kernels[name] += 1
            self.count.moved[name] += _moved(func, args, kwargs or {}, result)
        return result


class _OnTheCpu(TorchFunctionMode):
    """Puts what is asked for on CUDA onto the CPU."""

    def __torch_function__(
        self, func: Any, types: Sequence[Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return func(*(_here(arg) for arg in args), **{key: _here(value) for key, value in (kwargs or {}).items()})


@contextmanager
def pretended() -> Iterator[None]:
    """New tensors are fake, and what asks for CUDA gets the CPU, autocast included."""
    # A torch that is built without CUDA cannot even index a fake tensor there. The operations of a step are the same on both
    # devices, and so are the products that autocast rounds.
    autocast = torch.autocast

    def on_the_cpu(_: str, *args: Any, **kwargs: Any) -> Any:
        return autocast("cpu", *args, **kwargs)

    with patch.object(torch, "autocast", on_the_cpu), FakeTensorMode(allow_non_fake_inputs=True), _OnTheCpu():
        yield


def count(configs: Sequence[RunConfig]) -> tuple[Count, int]:
    """What one step of a fleet of these runs does on CUDA, and how many parameters one run has."""
    data = [examples(config) for config in configs]
    with pretended():
        engine = Replicas(configs, data, CUDA, torch.float32, graph=False)
        with Counting() as counting:
            engine._step()
        parameters = sum(value.numel() for value in engine.parameters(0).values())
    return counting.count, parameters


def cases(width: int, members: int) -> dict[str, list[RunConfig]]:
    """The fleets that are counted: runs of the profile paper with as many seeds as there are members."""
    found = {}
    for name in CASES:
        first = runs.named("paper", name)[0]
        first = replace(first, model=replace(first.model, width=width))
        found[name] = [replace(first, seed=seed) for seed in range(members)]
    return found


def table(width: int, members: int) -> Table:
    """The count of all cases for a terminal."""
    shown = Table(title=f"A count of one step, width {width}, {members} members; bytes are those of one run")
    shown.add_column("")
    columns = []
    for name, configs in cases(width, members).items():
        found, parameters = count(configs)
        shown.add_column(f"{name}, {batch_rows(configs[0], examples(configs[0]))} rows", justify="right")
        moved = [part / members for part in (*found.groups().values(), found.moved.total())]
        gigabytes = [f"{part / 1e9:.3f} GB" for part in moved]
        columns.append([*gigabytes, f"{moved[-1] / parameters:.1f}", str(found.kernels.total())])
    titles = (*GROUPS, "in all", "bytes a parameter", "kernels of all members")
    for row in zip(titles, *columns, strict=True):
        shown.add_row(*row)
    return shown


def _is_view(func: Any) -> bool:
    """Whether the results are views of the arguments."""
    results = func._schema.returns
    return bool(results) and all(r.alias_info is not None and not r.alias_info.is_write for r in results)


def _moved(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> int:
    """Bytes that an operation reads and writes."""
    name, schema = func.overloadpacket.__name__, func._schema
    given = {**dict(zip((argument.name for argument in schema.arguments), args, strict=False)), **kwargs}
    moved = 0
    for argument in schema.arguments:
        changed = argument.alias_info is not None and argument.alias_info.is_write
        both = changed and not argument.is_out and (name, argument.name) not in ONE_WAY
        moved += (2 if both else 1) * _bytes(given.get(argument.name))
    in_place = any(given.alias_info is not None for given in schema.returns)
    return moved if in_place else moved + _bytes(result)


def _bytes(value: Any) -> int:
    """Bytes of a tensor or of all in a list, 0 for anything else. What is repeated along a dimension counts once."""
    if isinstance(value, Tensor):
        sizes = (size for size, stride in zip(value.shape, value.stride(), strict=True) if stride or not size)
        return prod(sizes) * value.element_size()
    return sum(_bytes(one) for one in value) if isinstance(value, list | tuple) else 0


def _here(value: Any) -> Any:
    return CPU if isinstance(value, torch.device) and value.type == "cuda" else value


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Count the bytes and kernels of one training step on CUDA.")
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--members", type=int, default=3)
    given = parser.parse_args()
    Console().print(table(given.width, given.members))


if __name__ == "__main__":
    main()
