"""Maximal update parametrization (muP): the same hyperparameters at every width.

A hidden matrix, whose two sides both grow with the width, learns at lr * 32/width and decays at wd * width/32, so that
lr * wd is one number. Everything else keeps lr and wd, and the output is divided by width/32. This is what lets a
network of width 128 stand for one of width 2048 (Yang et al. 2021, arXiv 2203.03466, table 8, Adam).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

BASE_WIDTH = 32


@dataclass(frozen=True)
class Rule:
    """How one parameter starts and learns, without replica axis: uniform within `bound` of `centre`; `hidden` chooses
    muP's scaling; what does not decay (`decays` False) has a weight decay of 0; what does not learn (`learns` False) has a
    learning rate of 0, and the network keeps it up to date."""

    shape: tuple[int, ...]
    bound: float
    hidden: bool = False
    centre: float = 0.0
    decays: bool = True
    learns: bool = True

    def learning_rate(self, base: float, width: int) -> float:
        if not self.learns:
            return 0.0
        return base * BASE_WIDTH / width if self.hidden else base

    def weight_decay(self, base: float, width: int) -> float:
        if not self.decays:
            return 0.0
        return base * width / BASE_WIDTH if self.hidden else base


def vector(*shape: int, inputs: int = 1) -> Rule:
    """Embedding or readout: one side grows with the width. Starts uniform within 1/sqrt(32 inputs), whatever the width;
    `inputs` counts the widths that a readout reads."""
    return Rule(shape, 1 / sqrt(BASE_WIDTH * inputs))


def hidden(fan_in: int, fan_out: int) -> Rule:
    """Hidden matrix: both sides grow with the width. Starts uniform within 1/sqrt(fan in)."""
    return Rule((fan_in, fan_out), 1 / sqrt(fan_in), hidden=True)


def query(width: int) -> Rule:
    """Hidden matrix of attention's queries: starts at zero, so that attention starts uniform (muP, Appendix D.2)."""
    return Rule((width, width), 0.0, hidden=True)


def bias(size: int, free: bool, inputs: int = 1) -> Rule:
    """Bias: starts at zero; or free of decay, uniform within 1/sqrt(32 inputs), `inputs` counting the widths that come in."""
    return Rule((1, size), 1 / sqrt(BASE_WIDTH * inputs) if free else 0.0, decays=not free)


def statistic(size: int, start: float) -> Rule:
    """Running statistic of batch normalisation: the optimizer leaves it alone (AdamW decays by learning rate times decay)."""
    return Rule((1, size), 0.0, centre=start, learns=False)


def attention_scale(width: int, heads: int = 1) -> float:
    """What query times key is multiplied with: for heads of width d, 1/sqrt(d) at the base width, and as 1/d from there."""
    return sqrt(BASE_WIDTH / heads) / (width / heads)


def output_scale(width: int) -> float:
    """What the readout is multiplied with."""
    return BASE_WIDTH / width
