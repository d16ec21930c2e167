"""Two evidence files side by side: first the verdicts that changed, then the values that moved, then the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuclr import files
from nuclr.report import page, reading, words

ORDER = ("another verdict", "only in one", "another value", "the same")


@dataclass(frozen=True)
class Row:
    """A claim in both files; None where a file does not have it. `change` is one of ORDER."""

    id: str
    title: str
    change: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def rows(before: dict[str, Any], after: dict[str, Any]) -> list[Row]:
    """A row a claim of either evidence, what changed most first.

    A value is another where the two intervals have nothing in common, or where numbers without a spread differ.
    """
    names = dict.fromkeys([*before["claims"], *after["claims"]])
    found = [_row(name, before["claims"].get(name), after["claims"].get(name)) for name in names]
    return sorted(found, key=lambda row: ORDER.index(row.change))


def told(found: list[Row]) -> str:
    """The comparison in a sentence."""
    changed = sum(row.change == ORDER[0] for row in found)
    common = sum(row.before is not None and row.after is not None for row in found)
    return f"{changed} of {common} verdict{'' if common == 1 else 's'} changed"


def write(before: Path, after: Path, out: Path) -> tuple[list[Row], list[str]]:
    """Write the page that compares two evidence files; the rows, and what is wrong with the evidence."""
    (one, faults), (other, more) = reading.read(before), reading.read(after)
    found = rows(one, other)
    sides = [
        {
            "name": name,
            "file": str(file),
            "profile": evidence["profile"],
            "updated": evidence["updated"],
            "device": evidence["provenance"].get("device"),
            "commit": words.commit(evidence["provenance"]),
            "result": ", ".join(filter(None, words.headline(c["verdict"] for c in evidence["claims"].values()))),
        }
        for name, file, evidence in (("A", before, one), ("B", after, other))
    ]
    template = page.environment().get_template("compare.html")
    html = template.render(
        **page.assets(), main=told(found), rows=found, order=ORDER, sides=sides, troubles=[*faults, *more]
    )
    files.write(out, html.encode())
    return found, [*faults, *more]


def _row(name: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Row:
    title = (after or before or {}).get("title", name)
    if before is None or after is None:
        change = ORDER[1]
    elif before["verdict"] != after["verdict"]:
        change = ORDER[0]
    else:
        change = ORDER[2] if _apart(before, after) else ORDER[3]
    blank = {"value": None, "interval": None, "unit": None}
    return Row(name, title, change, before and blank | before, after and blank | after)


def _apart(before: dict[str, Any], after: dict[str, Any]) -> bool:
    one, other = before.get("interval"), after.get("interval")
    if before.get("value") is None or after.get("value") is None or not one or not other:
        return bool(before.get("value") != after.get("value"))
    return bool(one[1] < other[0] or other[1] < one[0])
