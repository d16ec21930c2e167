"""The engine for CPUs: kernel/kernel.c, compiled on the machine that trains and called through ctypes, one run at a time.

Where there is no C compiler, or the network has an option that the kernel does not know, the torch engine (replicas.py) trains instead:
the same steps, several times slower. A run's manifest says which engine trained it and in what arithmetic.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from ctypes import c_double, c_float, c_int16, c_int32, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nuclr.config import ModelConfig, RunConfig
from nuclr.errors import NuclrError
from nuclr.files import write
from nuclr.model.network import MAX_N, MAX_Z, Network
from nuclr.train.cache import folder
from nuclr.train.examples import Batches, Examples
from nuclr.train.schedule import learning_rate

SOURCE = Path(__file__).parent / "kernel" / "kernel.c"
MOST_BLOCKS, NORMS = 8, {"none": 0, "rms": 1, "layer": 2}  # as in kernel/memory.h
# No option may let the compiler assume that NaN does not occur: a diverging run must show.
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-fPIC", "-shared")


class _Shape(ctypes.Structure):
    _fields_ = [
        (name, c_int32)
        for name in ("width", "depth", "observables", "protons", "neutrons", "bf16", "norm", "free_biases")
    ]


class _Rows(ctypes.Structure):
    _fields_ = [
        ("z", ctypes.POINTER(c_int16)),
        ("n", ctypes.POINTER(c_int16)),
        ("observable", ctypes.POINTER(c_int16)),
        ("target", ctypes.POINTER(c_float)),
        ("weight", ctypes.POINTER(c_float)),
    ]


def sources() -> tuple[Path, ...]:
    """The kernel and the headers that it includes."""
    return tuple(sorted(SOURCE.parent.glob("*.[ch]")))


@cache
def library() -> ctypes.CDLL | None:
    """The compiled kernel; None where there is no compiler that can build it."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler or platform.system() == "Windows":
        return None
    flags = [*FLAGS, "-mprefer-vector-width=512"] if platform.machine() in ("x86_64", "AMD64") else list(FLAGS)
    source = b"".join(path.read_bytes() for path in sources())
    key = hashlib.sha256(source + " ".join([compiler, *flags, _processor()]).encode()).hexdigest()[:16]
    built = folder() / f"kernel-{key}.so"
    if not _sound(built) and not _compile([compiler, *flags], built):
        return None
    found = ctypes.CDLL(str(built))
    found.nuclr_open.restype = c_void_p
    found.nuclr_open.argtypes = [ctypes.POINTER(_Shape)]
    found.nuclr_close.restype = None
    found.nuclr_close.argtypes = [c_void_p]
    found.nuclr_train.restype = c_double
    found.nuclr_train.argtypes = [c_void_p] * 4 + [c_void_p, ctypes.POINTER(_Rows), c_void_p]
    found.nuclr_train.argtypes += [c_int32, c_int32, c_int64, c_void_p, c_double]
    found.nuclr_predict.restype = None
    found.nuclr_predict.argtypes = [c_void_p, c_void_p, ctypes.POINTER(_Rows), c_int32, c_void_p]
    return found


def _sound(built: Path) -> bool:
    """Whether the kernel is there and whole: opening a damaged one would end the process."""
    try:
        return built.with_suffix(".sha256").read_text() == hashlib.sha256(built.read_bytes()).hexdigest()
    except OSError:
        return False


def _compile(command: list[str], built: Path) -> bool:
    """Whether there is a fresh kernel at `built`."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "kernel.so"
        try:
            subprocess.run(
                [*command, str(SOURCE), "-o", str(fresh), "-lm"], check=True, capture_output=True, timeout=120
            )
            write(built, fresh.read_bytes())
            write(built.with_suffix(".sha256"), hashlib.sha256(fresh.read_bytes()).hexdigest().encode())
        except (OSError, subprocess.SubprocessError, NuclrError):
            return False
    return True


def _processor() -> str:
    """What `-march=native` depends on: a home folder may be shared by different machines."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))
    return f"{platform.machine()} {platform.processor()}"


def can_train(config: RunConfig, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the kernel knows this network, and can be had here."""
    model = config.model
    plain = ModelConfig(width=model.width, depth=model.depth, norm=model.norm, biases=model.biases)
    known = model.norm in NORMS and model == plain
    fits = known and model.width % 32 == 0 and model.depth <= MOST_BLOCKS
    return fits and device.type == "cpu" and dtype == torch.float32 and library() is not None


class Member:
    """One run in the kernel: flat float32 arrays of its parameters and AdamW's moments, and its rows."""

    def __init__(self, config: RunConfig, data: Examples, kernel: ctypes.CDLL, bf16: bool) -> None:
        self.config, self.kernel = config, kernel
        self.batches = Batches(config, data, torch.device("cpu"), torch.float32)
        self.network = Network.of(config.model, len(config.data.observables))
        model = config.model
        sizes = (model.width, model.depth, self.network.observables, MAX_Z + 1, MAX_N + 1)
        # Predictions are of float32 products whatever trains, as those of the torch engine.
        self.work, self.exact = (
            kernel.nuclr_open(ctypes.byref(_Shape(*sizes, rounded, NORMS[model.norm], model.biases == "free")))
            for rounded in (bf16, False)
        )
        if not (self.work and self.exact):
            raise MemoryError("There is no memory for the training of one more run: use fewer --workers.")
        fresh = self.network.initialise([config.seed])
        self.parameters = np.concatenate([fresh[name].numpy().ravel() for name in self.network.rules()])
        self.first, self.second, self.gradient = (np.zeros_like(self.parameters) for _ in range(3))
        self.training = _Columns(*(column.numpy() for column in self.batches.columns))
        self.everything = _Columns(data.z, data.n, data.observable, data.target, data.weight)

    def __del__(self) -> None:
        for name in ("work", "exact"):
            if getattr(self, name, None):
                self.kernel.nuclr_close(getattr(self, name))

    def advance(self, step: int, count: int) -> float:
        order = np.ascontiguousarray(
            torch.cat([self.batches.indices(s) for s in range(step, step + count)]).numpy(), np.int32
        )
        rates = np.array([learning_rate(self.config, s) for s in range(step, step + count)])
        loss: float = self.kernel.nuclr_train(
            self.work,
            *(array.ctypes.data for array in (self.parameters, self.gradient, self.first, self.second)),
            ctypes.byref(self.training.rows),
            order.ctypes.data,
            self.batches.rows,
            count,
            step,
            rates.ctypes.data,
            self.config.training.weight_decay,
        )
        return loss

    def predictions(self) -> np.ndarray:
        out = np.empty(len(self.everything.target), np.float32)
        self.kernel.nuclr_predict(
            self.exact, self.parameters.ctypes.data, ctypes.byref(self.everything.rows), len(out), out.ctypes.data
        )
        return out.astype(np.float64)

    def named(self, flat: np.ndarray) -> dict[str, Tensor]:
        """Views of a flat array by the names of the parameters."""
        tensors, start = {}, 0
        for name, rule in self.network.rules().items():
            size = int(np.prod(rule.shape))
            tensors[name] = torch.from_numpy(flat[start : start + size].reshape(rule.shape))
            start += size
        return tensors


class _Columns:
    """Rows as the kernel reads them; keeps the arrays alive that it points to."""

    def __init__(self, z: Any, n: Any, observable: Any, target: Any, weight: Any) -> None:
        self.z, self.n, self.observable = (np.ascontiguousarray(column, np.int16) for column in (z, n, observable))
        self.target, self.weight = (np.ascontiguousarray(column, np.float32) for column in (target, weight))
        pointers = [column.ctypes.data_as(ctypes.POINTER(c_int16)) for column in (self.z, self.n, self.observable)]
        floats = [column.ctypes.data_as(ctypes.POINTER(c_float)) for column in (self.target, self.weight)]
        self.rows = _Rows(*pointers, *floats)


class Native:
    """Members that differ in whatever they like, trained one after the other: alone or together is the same to the bit."""

    def __init__(
        self, configs: Sequence[RunConfig], examples: Sequence[Examples], device: torch.device, dtype: torch.dtype
    ) -> None:
        kernel = library()
        if kernel is None or device.type != "cpu" or dtype != torch.float32:
            raise RuntimeError(f"the kernel cannot train in {dtype} on {device}: ask can_train() first")
        bf16 = configs[0].training.precision == "bf16-matmul" and bool(kernel.nuclr_has_bf16())
        self.name = f"native {'bf16-matmul' if bf16 else 'float32'}"
        self.members: dict[int, Member] = {
            index: Member(config, data, kernel, bf16)
            for index, (config, data) in enumerate(zip(configs, examples, strict=True))
        }

    def advance(self, step: int, count: int) -> Tensor:
        return torch.tensor([member.advance(step, count) for member in self.members.values()], dtype=torch.float64)

    def predictions(self, index: int) -> np.ndarray:
        return self.members[index].predictions()

    def parameters(self, index: int) -> dict[str, Tensor]:
        return self.members[index].named(self.members[index].parameters)

    def state(self, index: int) -> dict[str, Tensor]:
        member = self.members[index]
        return {
            f"{kind}.{name}": tensor
            for kind, flat in (("parameter", member.parameters), ("first", member.first), ("second", member.second))
            for name, tensor in member.named(flat).items()
        }

    def load(self, states: Sequence[dict[str, Tensor]]) -> None:
        for index, state in enumerate(states):
            for key, tensor in self.state(index).items():
                tensor.copy_(state[key])

    def drop(self, index: int) -> None:
        del self.members[index]
