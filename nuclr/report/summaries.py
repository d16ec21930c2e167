"""The result for machines and for a CI job's page: JUnit XML and a Markdown summary, beside the HTML page.

JUnit knows no verdicts. A claim that is not reproduced is a failure of type "not reproduced", an inconclusive one and one that
was not run are skipped, with the word first in the message; an error is an error. So a viewer of test results shows what
needs reading, and `nox -s claims` still ends 0: whether a claim stands is a result and breaks no build.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nuclr import files
from nuclr.report import words

JUNIT, MARKDOWN = "junit.xml", "summary.md"
MARKS = {"reproduced": "✓", "not reproduced": "✗", "inconclusive": "◆", "error": "△", "not run": "○"}
# What JUnit calls each verdict.
OUTCOMES = {"not reproduced": "failure", "inconclusive": "skipped", "error": "error", "not run": "skipped"}


def write(evidence: Mapping[str, Any], troubles: list[str], folder: Path) -> None:
    """Write both summaries of `evidence` into `folder`; `troubles` are what is wrong with it."""
    files.write(folder / JUNIT, junit(evidence).encode())
    files.write(folder / MARKDOWN, markdown(evidence, troubles).encode())


def junit(evidence: Mapping[str, Any]) -> str:
    """A test suite with a test case a claim."""
    claims = evidence["claims"]
    count = Counter(OUTCOMES.get(claim["verdict"], "passed") for claim in claims.values())
    seconds = sum(_seconds(claim) for claim in claims.values())
    suite = ElementTree.Element(
        "testsuite",
        name=f"claims, profile {evidence['profile']}",
        tests=str(len(claims)),
        failures=str(count["failure"]),
        errors=str(count["error"]),
        skipped=str(count["skipped"]),
        time=f"{seconds:.3f}",
        timestamp=evidence["updated"],
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("commit", "device", "command"):
        value = evidence["provenance"].get(name)
        ElementTree.SubElement(properties, "property", name=name, value=_xml(str(value or "")))
    for name, claim in claims.items():
        module = claim["module"].removesuffix(".py")
        case = ElementTree.SubElement(
            suite, "testcase", classname=_xml(f"claims.{module}"), name=_xml(name), time=f"{_seconds(claim):.3f}"
        )
        if outcome := OUTCOMES.get(claim["verdict"]):
            message = _xml(f"{claim['verdict']}: {claim['reason']}")
            found = ElementTree.SubElement(case, outcome, message=message)
            if outcome != "skipped":
                found.set("type", claim["verdict"])
                found.text = _xml(f"{claim['statement']} ({claim['where']})\n{claim['reason']}")
        ElementTree.SubElement(case, "system-out").text = _xml(f"{_told(claim)}, bound {claim['bound_text']}")
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def markdown(evidence: Mapping[str, Any], troubles: list[str]) -> str:
    """The sentence of the result and a table of the claims, in the order of the paper."""
    main, rest = words.headline(claim["verdict"] for claim in evidence["claims"].values())
    made = evidence["provenance"]
    device = made.get("device") or "device not recorded"
    lines = [
        f"## {main}" + (f", {rest}" if rest else ""),
        "",
        f"{_cell(evidence['paper']['title'])}. Profile {_cell(evidence['profile'])}, {_cell(device)}, "
        f"commit {words.commit(dict(made))}, {words.moment(evidence['updated'])}.",
        "",
        *(f"> {_cell(trouble)}" for trouble in [*troubles, *map(str, evidence["problems"])]),
        "",
        "| claim | verdict | this run | bound | paper |",
        "|---|---|---|---|---|",
    ]
    for claim in evidence["claims"].values():
        verdict = f"{MARKS[claim['verdict']]} {claim['verdict']}"
        cells = (claim["title"], verdict, _told(claim), words.signs(claim["bound_text"]), claim["paper"])
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines) + "\n"


def _told(claim: Mapping[str, Any]) -> str:
    value, interval = claim.get("value"), claim.get("interval")
    if value is None:
        return words.NOTHING
    around = f" ({words.span(interval)})" if interval and interval[0] != interval[1] else ""
    return f"{words.number(value, interval)}{words.unit(claim.get('unit'))}{around}"


def _seconds(claim: Mapping[str, Any]) -> float:
    return float((claim.get("provenance") or {}).get("duration") or 0.0)


def _cell(text: str) -> str:
    """Text that Markdown leaves as it is: no new cell, no line break, no HTML."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{letter}" if letter in "\\`*_[]|#" else letter for letter in text)


def _xml(text: str) -> str:
    """Text without the control characters that XML cannot hold."""
    return "".join(letter for letter in text if letter in "\t\n" or letter >= " ")
