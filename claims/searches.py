"""Searches for expressions, each kept in the user's cache: judged again, or after an interruption, none is made twice."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuclr.analysis import symbolic
from nuclr.analysis.expressions import INPUTS, OPERATIONS, Expression
from nuclr.analysis.symbolic import Front
from nuclr.errors import NuclrError
from nuclr.files import write
from nuclr.train.cache import folder

Array = NDArray[np.float64]


def search(x: Array, target: Array, length: int, candidates: int, seed: int, everywhere: Array) -> Front:
    """What `nuclr.analysis.symbolic.search` finds, from the cache where the same search was made before.

    A damaged entry is searched anew; one that cannot be written is done without.
    """
    path = folder() / "searches" / f"{_key(x, target, length, candidates, seed, everywhere)}.json"
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        known = json.loads(path.read_text(encoding="utf-8"))
        expressions = [_read(one) for one in known["expressions"]]
        errors = [symbolic.fit([expression], x, target)[1] for expression in expressions]
        if expressions and np.isfinite(errors).all():
            return Front(expressions, errors, int(known["candidates"]))
    found = symbolic.search(x, target, length, candidates, seed, everywhere)
    content = {"candidates": found.candidates, "expressions": [_plain(one) for one in found.expressions]}
    with suppress(NuclrError):
        write(path, json.dumps(content).encode())
    return found


def _key(x: Array, target: Array, length: int, candidates: int, seed: int, everywhere: Array) -> str:
    """All that a search depends on. pyoperon computes in single precision, so the last bits of a target change nothing."""
    causes = (length, candidates, seed, symbolic.POPULATION, symbolic.REFINEMENTS, symbolic.SYMBOLS)
    sha = hashlib.sha256(repr((*causes, metadata.version("pyoperon"))).encode())
    scale = float(target.std()) or 1.0
    for array in (x, (target - target.mean()) / scale, everywhere):
        sha.update(np.ascontiguousarray(array, np.float32).tobytes())
    return sha.hexdigest()[:32]


def _plain(expression: Expression) -> list[Any]:
    return [expression.operation, expression.value, *map(_plain, expression.operands)]


def _read(plain: list[Any]) -> Expression:
    """The inverse of `_plain`. Raises ValueError for what is no expression."""
    operation, value, *operands = plain
    if operation not in ("number", *INPUTS, *OPERATIONS) or bool(operands) != (operation in OPERATIONS):
        raise ValueError(f"{operation!r} with {len(operands)} operands is no expression")
    return Expression(operation, float(value), tuple(map(_read, operands)))
