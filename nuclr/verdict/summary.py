"""What the terminal shows at the end: a row a claim, why a claim was not reproduced, and the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from nuclr.verdict.record import Record
from nuclr.verdict.statistics import Verdict
from nuclr.verdict.wording import estimate, number

HEADER = ("claim", "verdict", "value (interval)", "bound", "paper")
PAPER_WIDTH = 32
KEPT = "*"


def rows(records: Mapping[str, Record], judged: Collection[str]) -> list[tuple[str, ...]]:
    """The table below HEADER: claims with a verdict, and those of this session (`judged`) without one.

    A verdict that an earlier session gave carries an asterisk.
    """
    shown = [name for name, record in records.items() if name in judged or record["verdict"] != Verdict.NOT_RUN]
    return [_row(name, records[name], name in judged) for name in shown]


def told(records: Mapping[str, Record], judged: Collection[str]) -> list[tuple[str, Verdict | None]]:
    """The table and the counts as lines, each with the verdict that it is of; below a row the reason, where it is not reproduced."""
    table = rows(records, judged)
    header, *lines = aligned([HEADER, *table])
    found: list[tuple[str, Verdict | None]] = [(header, None)]
    for (name, *_), line in zip(table, lines, strict=True):
        verdict = Verdict(records[name]["verdict"])
        found.append((line, verdict))
        if verdict is not Verdict.REPRODUCED:
            found.append((f"    {records[name]['reason']}", None))
    return [*found, ("", None), (f"{counts(records)}.", None)]


def aligned(table: list[tuple[str, ...]]) -> list[str]:
    """`table` as lines, its columns flush left."""
    widths = [max(len(row[i]) for row in table) for i in range(len(HEADER))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def counts(records: Mapping[str, Record]) -> str:
    """ "8 of 10 judged claims reproduced, 19 not run": an error is no verdict on the claim and is counted apart."""
    n = Counter(record["verdict"] for record in records.values())
    judged = n[Verdict.REPRODUCED] + n[Verdict.NOT_REPRODUCED] + n[Verdict.INCONCLUSIVE]
    parts = [f"{n[Verdict.REPRODUCED]} of {judged} judged claim{'s' if judged != 1 else ''} reproduced"]
    parts += [f"{n[verdict]} {verdict}" for verdict in (Verdict.NOT_REPRODUCED, Verdict.INCONCLUSIVE) if n[verdict]]
    if n[Verdict.ERROR]:
        parts.append(f"{n[Verdict.ERROR]} error{'s' if n[Verdict.ERROR] != 1 else ''}")
    parts.append(f"{n[Verdict.NOT_RUN]} not run")
    return ", ".join(parts)


def _row(name: str, record: Record, judged: bool) -> tuple[str, ...]:
    interval = None if record["interval"] is None else (record["interval"][0], record["interval"][1])
    found = estimate(record["value"], interval, record["bound"].values())
    unit = "" if record["unit"] == "1" or not found else f" {record['unit']}"
    paper = record["paper_value"]
    told = paper if isinstance(paper, str) else number(paper, 4)
    told = told if len(told) <= PAPER_WIDTH else told[: PAPER_WIDTH - 1].rstrip() + "…"
    return name, record["verdict"] + ("" if judged else KEPT), found + unit, record["bound_text"], told
