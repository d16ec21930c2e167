"""The two kinds of runs, on nuclei and of modular addition: what differs in their training is chosen here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from nuclr.config import AdditionConfig, RunConfig
from nuclr.train import addition, loop
from nuclr.train import examples as nuclei
from nuclr.train.examples import Examples
from nuclr.train.loop import Fleet

Shape = tuple[loop.Shape, int]


def adds(config: RunConfig) -> bool:
    """Whether a run is of modular addition."""
    return isinstance(config.data, AdditionConfig)


def examples(config: RunConfig) -> Examples:
    """The rows of a run. Raises NuclrError when the packaged data are damaged."""
    return addition.examples(config) if adds(config) else nuclei.examples(config)


def shape(config: RunConfig) -> Shape:
    """A key that is equal for runs which can train as one fleet."""
    modulus = config.data.modulus if isinstance(config.data, AdditionConfig) else 0
    return loop.shape(config), modulus


def choose_engine(device: torch.device, config: RunConfig, dtype: torch.dtype) -> loop.EngineMaker:
    """The fastest engine for runs of this shape on this device."""
    return addition.Adders if adds(config) else loop.choose_engine(device, config, dtype)


def fleet_of(configs: Sequence[RunConfig], device: str, graph: bool = True) -> Fleet:
    """Runs of equal shape, ready to train. graph: as in nuclr.train.replicas."""
    if adds(configs[0]):
        return addition.AdditionFleet(configs, device, graph=graph)
    return Fleet(configs, device, graph=graph)
