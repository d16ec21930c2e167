"""Symbolic regression: the search for short expressions in Z and N that follow a quantity (appendix G).

The search is genetic programming by pyoperon (extra `symbolic`): NSGA-II, which minimises the mean squared error and the
length together, with a few steps of Levenberg and Marquardt on the numbers of every candidate. One thread and a seed make it
repeat itself to the bit. pyoperon computes in single precision; whatever is reported is computed again in double.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuclr.analysis.expressions import INPUTS, OPERATIONS, Expression, linear

Array = NDArray[np.float64]

POPULATION = 200
REFINEMENTS = 3  # steps of Levenberg and Marquardt for each candidate
UNLIMITED = 10**12
SYMBOLS = ",".join((*OPERATIONS, "constant", "variable"))


@dataclass(frozen=True)
class Front:
    """The most accurate expressions found for each length, the shortest first, each more accurate than those before it.

    errors: RMS of what is left of the target after a linear fit, in its unit. candidates: how many expressions were tried.
    """

    expressions: list[Expression]
    errors: list[float]
    candidates: int

    def best(self, length: int) -> Expression | None:
        """The most accurate expression of at most this length; None where there is none."""
        short = [expression for expression in self.expressions if expression.length <= length]
        return short[-1] if short else None


def search(x: Array, target: Array, length: int, candidates: int, seed: int, everywhere: Array) -> Front:
    """Expressions of at most `length` nodes that follow the target (k,) at the inputs x (k, 4) up to a linear function.

    `candidates` expressions are formed, refined and scored, a multiple of POPULATION. Only those which are finite at all inputs
    `everywhere` (m, 4) are kept. Raises ValueError where there are too few candidates, or none that is kept.
    """
    from pyoperon.sklearn import SymbolicRegressor

    generations = candidates // POPULATION - 1  # the first population is none of them
    if candidates % POPULATION or generations < 1:
        raise ValueError(
            f"A search takes a multiple of {POPULATION} candidates, at least twice as many: got {candidates}."
        )
    regressor = SymbolicRegressor(
        allowed_symbols=SYMBOLS,
        objectives=["mse", "length"],
        max_length=length,
        population_size=POPULATION,
        generations=generations,
        max_evaluations=UNLIMITED,
        optimizer_iterations=REFINEMENTS,
        epsilon=0.0,
        n_threads=1,
        random_state=seed,
    )
    scale = float(target.std()) or 1.0
    regressor.fit(x, (target - target.mean()) / scale)
    names = dict(zip(regressor.variables_, INPUTS, strict=True))
    found = dict.fromkeys(expression_of(solution["tree"].Nodes, names).shape() for solution in regressor.pareto_front_)
    errors = {
        expression: fit([expression], x, target)[1]
        for expression in found
        if np.isfinite(expression.at(everywhere)).all()
    }
    front: list[Expression] = []
    for expression in sorted(errors, key=lambda found: (found.length, errors[found])):
        if not front or errors[expression] < errors[front[-1]]:
            front.append(expression)
    if not front:
        raise ValueError("No expression was found that is a finite number at every nucleus.")
    tried = POPULATION * (1 + regressor.stats_["generations"])
    return Front(front, [errors[expression] for expression in front], tried)


def fit(expressions: list[Expression], x: Array, target: Array) -> tuple[Expression, float]:
    """The linear combination of the expressions, with a constant, that follows the target (k,) best at the inputs x (k, 4),
    and the RMS of what it leaves."""
    design = np.stack([np.ones(len(x)), *(expression.at(x) for expression in expressions)], axis=1)
    size = np.linalg.norm(design, axis=0)
    size[size == 0.0] = 1.0
    solution, *_ = np.linalg.lstsq(design / size, target, rcond=None)
    left = target - design @ (solution / size)
    return linear(expressions, solution / size), float(np.sqrt(np.mean(left**2)))


def expression_of(nodes: list[Any], names: Mapping[int, str]) -> Expression:
    """A tree of pyoperon, whose nodes come after their operands, the first operand last. names: its inputs by their hash."""
    stack: list[Expression] = []
    for node in nodes:
        operation = node.Type.name.lower()
        if operation == "constant":
            stack.append(Expression("number", node.Value))
        elif operation == "variable":
            stack.append(Expression(names[node.HashValue], node.Value))
        else:
            stack.append(Expression(operation, 1.0, tuple(stack.pop() for _ in range(node.Arity))))
    (whole,) = stack
    return whole
