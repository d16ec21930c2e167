"""Expressions in Z, N and whether they are even: their length, their values in double precision, and how one writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

INPUTS = ("Z", "N", "[Z even]", "[N even]")  # a bracket is 1 where what it says is true, and 0 elsewhere
OPERATIONS: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "cbrt": np.cbrt,
    "exp": np.exp,
    "cos": np.cos,
}
SUPERSCRIPT = str.maketrans("+-0123456789", "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def inputs(z: ArrayLike, n: ArrayLike) -> Array:
    """The columns INPUTS (k, 4) of nuclei z, n of shape (k,)."""
    z, n = np.asarray(z), np.asarray(n)
    return np.stack([z, n, z % 2 == 0, n % 2 == 0], axis=1).astype(np.float64)


@dataclass(frozen=True)
class Expression:
    """A node and those below it. `operation` is "number", one of INPUTS, or one of OPERATIONS with its operands; `value`
    is the number, or the factor that an input carries."""

    operation: str
    value: float = 1.0
    operands: tuple[Expression, ...] = ()

    @property
    def length(self) -> int:
        """The number of nodes: each number, each operation, each input together with its factor."""
        return 1 + sum(operand.length for operand in self.operands)

    def at(self, x: Array) -> Array:
        """Values (k,) at the inputs x (k, 4); not finite where the expression is undefined."""
        with np.errstate(all="ignore"):
            if self.operation == "number":
                return np.full(len(x), self.value)
            if self.operation in INPUTS:
                return self.value * x[:, INPUTS.index(self.operation)]
            first, *others = (operand.at(x) for operand in self.operands)
            function = OPERATIONS[self.operation]
            return reduce(function, others, first) if others else function(first)

    def shape(self) -> Expression:
        """Without what is only added to all of it or multiplies all of it: a linear combination has its own numbers for that."""
        if self.operation in ("add", "sub", "mul", "div"):
            kept = [operand for operand in self.operands if operand.operation != "number"]
            if len(kept) == 1 and (self.operation != "div" or kept[0] is self.operands[0]):
                return kept[0].shape()
        return replace(self, value=1.0) if self.operation in INPUTS else self


def linear(expressions: list[Expression], numbers: ArrayLike) -> Expression:
    """numbers[0] + numbers[1] * expressions[0] + ...: three nodes more for each expression, and one."""
    constant, *factors = np.asarray(numbers, dtype=np.float64).tolist()
    whole = Expression("number", constant)
    for factor, expression in zip(factors, expressions, strict=True):
        whole = Expression("add", 1.0, (whole, Expression("mul", 1.0, (Expression("number", factor), expression))))
    return whole


# --------------------------------------------------------------------------------------------------------- writing


@dataclass(frozen=True)
class Written:
    """An expression as text, with the values (k,) of what the text says, rounded numbers and all, and how many numbers it has."""

    text: str
    values: Array
    numbers: int


@dataclass(frozen=True)
class Term:
    """A product without its number: texts above and below the line, the values (k,), and the numbers inside the texts."""

    over: tuple[str, ...]
    under: tuple[str, ...]
    values: Array
    numbers: int

    @property
    def text(self) -> str:
        above, below = (
            [_power(text, count) for text, count in Counter(side).items()] for side in (self.over, self.under)
        )
        bottom = below[0] if len(below) == 1 else f"({'·'.join(below)})"
        return "·".join(above or ["1"]) + (f"/{bottom}" if below else "")


Sum = list[tuple[float, Term]]


def write(expression: Expression, x: Array, digits: int) -> Written:
    """The expression in common notation with its numbers to so many digits: like terms of sums are collected, and numbers
    are drawn out of products and cube roots. x (k, 4) are the inputs at which its values are wanted."""
    with np.errstate(all="ignore"):
        return _written(_sum(expression, x, digits), len(x), digits)


def _sum(e: Expression, x: Array, digits: int) -> Sum:
    one = np.ones(len(x))
    if e.operation == "number":
        return [(np.float64(e.value), Term((), (), one, 0))]
    if e.operation in INPUTS:
        return [(np.float64(e.value), Term((e.operation,), (), x[:, INPUTS.index(e.operation)], 0))]
    first, *others = (_sum(operand, x, digits) for operand in e.operands)
    if e.operation in ("add", "sub"):
        sign = 1.0 if e.operation == "add" else -1.0
        return _collected(first + [(sign * factor, term) for other in others for factor, term in other])
    if e.operation in ("mul", "div"):
        for other in others:
            first = _product(first, other, e.operation == "div", len(x), digits)
        return first
    if e.operation == "cbrt" and len(first) == 1:
        factor, term = first[0]
        root = Term((f"∛{_closed(term)}",), (), np.cbrt(term.values), term.numbers)
        return [(np.float64(np.cbrt(factor)), root if term.text != "1" else term)]
    sign = 1.0
    if e.operation in ("cos", "cbrt") and first[0][0] < 0:  # a minus goes in front of a root, and a cosine ignores it
        first, sign = [(-factor, term) for factor, term in first], 1.0 if e.operation == "cos" else -1.0
    inner = _written(first, len(x), digits)
    name = "∛" if e.operation == "cbrt" else e.operation
    values = OPERATIONS[e.operation](inner.values)
    return [(np.float64(sign), Term((f"{name}({inner.text})",), (), values, inner.numbers))]


def _product(left: Sum, right: Sum, divided: bool, k: int, digits: int) -> Sum:
    """A number multiplies every term of a sum; two sums are put in brackets."""
    numbers = [factor for factor, term in right if len(right) == 1 and not term.over + term.under]
    if numbers:
        return [(factor / numbers[0] if divided else factor * numbers[0], term) for factor, term in left]
    if not divided and len(left) == 1 and not left[0][1].over + left[0][1].under:
        return _product(right, left, False, k, digits)
    (a, u), (b, v) = (_single(side, k, digits) for side in (left, right))
    over, under = (u.over + v.under, u.under + v.over) if divided else (u.over + v.over, u.under + v.under)
    values = u.values / v.values if divided else u.values * v.values
    return [(a / b if divided else a * b, Term(over, under, values, u.numbers + v.numbers))]


def _single(terms: Sum, k: int, digits: int) -> tuple[float, Term]:
    if len(terms) == 1:
        return terms[0]
    inner = _written(terms, k, digits)
    return 1.0, Term((f"({inner.text})",), (), inner.values, inner.numbers)


def _collected(terms: Sum) -> Sum:
    found: dict[str, tuple[float, Term]] = {}
    for factor, term in terms:
        found[term.text] = (found.get(term.text, (0.0, term))[0] + factor, term)
    nothing = (np.float64(0.0), Term((), (), np.ones_like(terms[0][1].values), 0))
    return [pair for pair in found.values() if pair[0] != 0.0] or [nothing]


def _written(terms: Sum, k: int, digits: int) -> Written:
    text, values, numbers = "", np.zeros(k), 0
    for factor, term in sorted(terms, key=lambda pair: not pair[1].over):
        rounded = float(f"{factor:.{digits - 1}e}")
        if text:
            text += " − " if rounded < 0 else " + "
        elif rounded < 0:
            text = "−"
        magnitude = _number(abs(rounded), digits)
        if not term.over:  # a number alone, or above a line
            text += magnitude + term.text[1:]
        else:
            text += term.text if magnitude == "1" else f"{magnitude} {term.text}"
        values = values + rounded * term.values
        numbers += term.numbers + (magnitude != "1" or not term.over)
    return Written(text, values, numbers)


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(SUPERSCRIPT)}"


def _power(text: str, count: int) -> str:
    if count == 1:
        return text
    closed = text if text in INPUTS or text.startswith("(") else f"({text})"
    return closed + str(count).translate(SUPERSCRIPT)


def _closed(term: Term) -> str:
    return term.text if len(term.over) == 1 and not term.under and term.text == term.over[0] else f"({term.text})"
