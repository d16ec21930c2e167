"""What a figure is made of: plotted arrays and how to draw them, checked where they are made and drawn elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuclr.errors import unknown
from nuclr.verdict.record import plain
from nuclr.verdict.statistics import EvidenceError


@dataclass(frozen=True)
class Kind:
    """The arrays a kind of panel needs, and the options it must and may have."""

    arrays: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...]


KINDS = {
    "chart": Kind(("z", "n", "value"), ("label",), ("unit", "diverging", "log")),
    "lines": Kind((), ("series", "xlabel", "ylabel"), ("xlog", "ylog", "hlines", "vlines", "direct")),
    "heatmap": Kind(("value",), ("rows", "columns", "label"), ("low", "high", "annotate")),
    "helix": Kind(("numbers", "axes"), ("symbol",), ("fit",)),
    "plane": Kind(("x", "y", "value"), ("period", "label", "xlabel", "ylabel"), ("names",)),
    "bars": Kind(("value",), ("labels", "xlabel"), ("vlines", "log")),
    "landscape": Kind(
        ("n", "x", "y", "energy", "per_nucleon", "points", "known", "most_bound"),
        ("xlabel", "ylabel", "shown", "first", "along"),
        ("radius",),
    ),
}


@dataclass(frozen=True)
class Panel:
    """One drawing of a figure. Gaps in `arrays` are NaN; `options` are in JSON's types.

    Raises EvidenceError (or NuclrError with the nearest name) where the arrays or options are not those of the kind.
    """

    kind: str
    title: str = ""
    arrays: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown("kind of panel", self.kind, KINDS)
        kind = KINDS[self.kind]
        for name in self.options:
            if name not in kind.required + kind.optional:
                raise unknown(f"option of a {self.kind} panel", name, kind.required + kind.optional)
        if missing := [name for name in kind.required if name not in self.options]:
            raise EvidenceError(f"The {self} lacks the option {missing[0]!r}.")
        arrays = {name: _numbers(f"{name!r} of the {self}", array) for name, array in self.arrays.items()}
        if missing := [name for name in kind.arrays if name not in arrays]:
            raise EvidenceError(f"The {self} lacks the array {missing[0]!r}.")
        object.__setattr__(self, "arrays", arrays)
        object.__setattr__(self, "options", plain(self.options, f"The options of the {self}"))
        self._shapes()

    def __str__(self) -> str:
        return f"{self.kind} panel {self.title!r}"

    def as_dict(self) -> dict[str, Any]:
        """The panel without its arrays."""
        return {"kind": self.kind, "title": self.title, "options": dict(self.options)}

    def _shapes(self) -> None:
        """Raise EvidenceError unless arrays that are drawn against each other fit each other."""
        a, o = self.arrays, self.options
        if self.kind == "chart":
            self._same("z", "n", "value")
        elif self.kind == "lines":
            for series in o["series"]:
                key = series["key"]
                if f"{key}.x" not in a or f"{key}.y" not in a:
                    raise EvidenceError(f"The {self} lacks the arrays '{key}.x' and '{key}.y' of its series {key!r}.")
                self._same(*(name for name in a if name in {f"{key}.{part}" for part in ("x", "y", "low", "high")}))
        elif self.kind == "heatmap":
            self._shape("value", (len(o["rows"]), len(o["columns"])))
        elif self.kind == "helix":
            self._shape("axes", (a["numbers"].size, 3))
            if "curve" in a:
                self._shape("curve", (len(a["curve"]), 3))
        elif self.kind == "plane":
            self._same("x", "y", "value")
            if "names" in o and len(o["names"]) != a["x"].size:
                raise EvidenceError(f"The {self} has {len(o['names'])} names for {a['x'].size} points.")
        elif self.kind == "bars":
            for name in a:
                self._shape(name, (len(o["labels"]),))
        elif self.kind == "landscape":
            many, numbers = a["n"].size, len(a["points"])
            for name in ("energy", "per_nucleon"):
                self._shape(name, (many, a["y"].size, a["x"].size))
            self._shape("points", (numbers, 2))
            self._shape("known", (many, numbers))
            self._same("n", "most_bound")
            for name in ("ring.energy", "ring.per_nucleon"):
                if name in a:
                    self._shape(name, (many, 2))
            if not set(o["shown"]) <= set(a["n"].tolist()):
                raise EvidenceError(f"The {self} shows N = {o['shown']}, which are not all recorded.")

    def _same(self, first: str, *others: str) -> None:
        for name in (first, *others):
            self._shape(name, (self.arrays[first].size,))

    def _shape(self, name: str, shape: tuple[int, ...]) -> None:
        if self.arrays[name].shape != shape:
            raise EvidenceError(
                f"{name!r} of the {self} has the shape {self.arrays[name].shape}, it should be {shape}."
            )


@dataclass(frozen=True)
class Curve:
    """How one run was trained: a quantity ("RMS of binding") in its unit against the step, in training and validation.

    arrays: step, train, validation (k,); where the structure of the embeddings was read as well, its steps at (m,) and order-Z,
    order-N, parity-Z, parity-N (m,). Gaps are NaN. Raises EvidenceError where they do not fit each other.
    """

    quantity: str
    unit: str
    arrays: Mapping[str, Any]

    SERIES = (("step", "train", "validation"), ("at", "order-Z", "order-N", "parity-Z", "parity-N"))

    def __post_init__(self) -> None:
        arrays = {name: _numbers(f"{name!r} of a training curve", array) for name, array in self.arrays.items()}
        object.__setattr__(self, "arrays", arrays)
        for axis, *beside in self.SERIES:
            for name in beside if axis in arrays else ():
                if name not in arrays or arrays[name].shape != (arrays[axis].size,):
                    raise EvidenceError(f"A training curve has no array {name!r} as long as its {axis!r}.")
        if "step" not in arrays:
            raise EvidenceError("A training curve has no array 'step'.")


def _numbers(what: str, array: Any) -> NDArray[Any]:
    numbers = np.asarray(array)
    if numbers.dtype.kind not in "biuf":
        raise EvidenceError(f"{what} is not an array of numbers but of {numbers.dtype}.")
    return numbers
