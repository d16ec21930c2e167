"""What the paper says, as data: claims/paper.toml read into frozen dataclasses, with every key checked.

A typing error in that file must not turn into a bound that nobody meant: nothing unknown and nothing missing passes.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuclr.errors import NuclrError, unknown
from nuclr.verdict.bound import Bound, Interval

__all__ = ["Bound", "Claim", "Measure", "Registry", "load"]

SCHEMA = 1
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
PAPER = ("title", "authors", "venue", "arxiv")
CLAIM = ("title", "statement", "where", "figures", "paper", "why", "control", "seeds", "measures")
CLAIM_OPTIONAL = ("module", "profiles", "changed", "untested", "group", "runs")
GROUPS = ("headline", "supporting", "context")
UNJUDGED = ("untested", "group", "runs")  # on which no verdict rests
MEASURE = ("label", "unit")
MEASURE_OPTIONAL = ("paper", "range")
BOUND = ("above", "at_least", "below", "at_most")


@dataclass(frozen=True)
class Measure:
    """One number measured for a claim. `paper` is the printed value, `range` what can occur at all; both in `unit`."""

    name: str
    label: str
    unit: str
    paper: float | None
    range: Interval | None
    bound: Bound


@dataclass(frozen=True)
class Claim:
    """One statement of the paper with what would make it true. The fields are the keys of its table in paper.toml.

    `profiles` is empty where the bounds apply to every profile. `digest` tells whether the table has changed since
    a verdict was given; it does not follow what no verdict rests on.
    `group` says what the claim is to the paper; `runs` names the trained runs that it rests on, with * as in file names.
    """

    id: str
    title: str
    statement: str
    where: str
    figures: tuple[int, ...]
    paper: str
    why: str
    control: str
    seeds: int
    module: str
    profiles: tuple[str, ...]
    measures: dict[str, Measure]
    changed: str | None
    untested: str | None
    group: str
    runs: tuple[str, ...]
    digest: str

    @property
    def needs_control(self) -> bool:
        return not self.control.startswith("none")

    def judged_in(self, profile: str) -> bool:
        """Whether the bounds apply to `profile`; elsewhere values are reported and not judged."""
        return not self.profiles or profile in self.profiles


@dataclass(frozen=True)
class Registry:
    """The claims by id, in the order of the file at `path`, and the `paper` they come from."""

    paper: dict[str, str]
    claims: dict[str, Claim]
    path: Path

    def module_of(self, claim: Claim) -> Path:
        """The file that judges `claim`."""
        return self.path.parent / claim.module


def load(path: Path) -> Registry:
    """The registry in the TOML file at `path`. Raises NuclrError that names the file, the claim and the key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise NuclrError(
            f"The claims file {path} cannot be read ({error}): give its place with --claims-file."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise NuclrError(f"The claims file {path} is not valid TOML: {error}.") from None
    try:
        return _registry(raw, path)
    except NuclrError as error:
        raise NuclrError(f"In {path}: {error}") from None


def _registry(raw: Mapping[str, Any], path: Path) -> Registry:
    _keys("the file", raw, ("schema", "paper", "claims"))
    if raw["schema"] != SCHEMA:
        raise NuclrError(f"schema is {raw['schema']!r}, this version of nuclr reads {SCHEMA}.")
    paper = _typed("the file", raw, "paper", dict)
    _keys("[paper]", paper, PAPER)
    claims = _typed("the file", raw, "claims", dict)
    if not claims:
        raise NuclrError("there are no claims: add a table [claims.<id>].")
    return Registry(
        paper={key: _text("[paper]", paper, key) for key in PAPER},
        claims={name: _claim(name, _typed("[claims]", claims, name, dict)) for name in claims},
        path=path,
    )


def _claim(name: str, raw: dict[str, Any]) -> Claim:
    where = f"claim {name!r}"
    _slug(where, name)
    _keys(where, raw, CLAIM, CLAIM_OPTIONAL)
    measures = _typed(where, raw, "measures", dict)
    if not measures:
        raise NuclrError(f"{where}: measures is empty; a claim needs something that is measured.")
    seeds = _typed(where, raw, "seeds", int)
    if seeds < 0:
        raise NuclrError(f"{where}: seeds is {seeds}, it cannot be negative.")
    module = _text(where, raw, "module") if "module" in raw else f"test_{name.replace('-', '_')}.py"
    if Path(module).name != module or not module.endswith(".py"):
        raise NuclrError(f"{where}: module is {module!r}, give the name of a Python file beside this one.")
    return Claim(
        id=name,
        **{key: _text(where, raw, key) for key in ("title", "statement", "where", "paper", "why", "control")},
        figures=_sequence(where, raw, "figures", int),
        seeds=seeds,
        module=module,
        profiles=_sequence(where, raw, "profiles", str) if "profiles" in raw else (),
        measures={key: _measure(name, key, _typed(where, measures, key, dict)) for key in measures},
        changed=_text(where, raw, "changed") if "changed" in raw else None,
        untested=_text(where, raw, "untested") if "untested" in raw else None,
        group=_group(where, raw),
        runs=_sequence(where, raw, "runs", str) if "runs" in raw else (),
        digest=_digest(raw),
    )


def _group(where: str, raw: Mapping[str, Any]) -> str:
    found = _text(where, raw, "group") if "group" in raw else "supporting"
    if found not in GROUPS:
        raise NuclrError(f"{where}: {unknown('group', found, GROUPS)}")
    return found


def _digest(raw: Mapping[str, Any]) -> str:
    judged = {key: value for key, value in raw.items() if key not in UNJUDGED}
    return hashlib.sha256(json.dumps(judged, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _measure(claim: str, name: str, raw: dict[str, Any]) -> Measure:
    where = f"claim {claim!r}, measure {name!r}"
    _slug(where, name)
    _keys(where, raw, MEASURE, MEASURE_OPTIONAL + BOUND)
    ends = {key: _typed(where, raw, key, float) for key in BOUND if key in raw}
    try:
        bound = Bound(**ends)
    except NuclrError as error:
        raise NuclrError(f"{where}: {error}") from None
    return Measure(
        name=name,
        label=_text(where, raw, "label"),
        unit=_text(where, raw, "unit"),
        paper=_typed(where, raw, "paper", float) if "paper" in raw else None,
        range=_range(where, raw, bound) if "range" in raw else None,
        bound=bound,
    )


def _range(where: str, raw: Mapping[str, Any], bound: Bound) -> Interval:
    ends = _sequence(where, raw, "range", float)
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise NuclrError(f"{where}: range is {raw['range']!r}, give [low, high] with low below high.")
    if bound.contains((ends[0], ends[1])) or bound.disjoint((ends[0], ends[1])):
        raise NuclrError(f"{where}: the bound {bound} and the range {list(ends)} leave nothing to be decided.")
    return ends[0], ends[1]


def _keys(where: str, raw: Mapping[str, Any], required: Collection[str], optional: Collection[str] = ()) -> None:
    for key in raw:
        if key not in required and key not in optional:
            raise NuclrError(f"{where}: {unknown('key', key, [*required, *optional])}")
    for key in required:
        if key not in raw:
            raise NuclrError(f"{where}: the key {key!r} is missing.")


def _typed(where: str, raw: Mapping[str, Any], key: str, kind: type) -> Any:
    """The value of `key`, which must be of `kind`: a TOML integer passes for a float, a boolean for neither."""
    value = raw[key]
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or isinstance(value, bool) or value != value:
        raise NuclrError(f"{where}: {key} is {value!r}, it must be {_NOUN[kind]}.")
    return value


def _text(where: str, raw: Mapping[str, Any], key: str) -> str:
    value = str(_typed(where, raw, key, str))
    if not value.strip():
        raise NuclrError(f"{where}: {key} is empty.")
    return value


def _sequence(where: str, raw: Mapping[str, Any], key: str, kind: type) -> tuple[Any, ...]:
    return tuple(_typed(where, {key: value}, key, kind) for value in _typed(where, raw, key, list))


def _slug(where: str, name: str) -> None:
    if not SLUG.fullmatch(name):
        raise NuclrError(f"{where}: a name has lower-case letters, digits and single hyphens.")


_NOUN: dict[type, str] = {dict: "a table", str: "a text", int: "a whole number", float: "a number", list: "a list"}
