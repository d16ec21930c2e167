"""`python -m nuclr claims` and `golden`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nuclr.cli.app import CLAIMS_FILE, GOLDEN, ProfileOption, ReportsOption, app, check_profile, from_root
from nuclr.errors import NuclrError


@app.command(epilog="Example: `python -m nuclr claims --json`")
def claims(
    reports: ReportsOption = Path("reports"),
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list for tools.")] = False,
    claim: Annotated[str, typer.Argument(help="Show this claim alone.")] = "",
) -> None:
    """List the claims with their bounds and the last verdict of each profile."""
    from nuclr.errors import unknown
    from nuclr.verdict.record import last_verdicts
    from nuclr.verdict.registry import load

    found = load(from_root(CLAIMS_FILE)).claims
    if claim and claim not in found:
        raise unknown("claim", claim, found)
    verdicts = last_verdicts(reports)
    listed: list[dict[str, Any]] = [
        {
            "id": entry.id,
            "title": entry.title,
            "figure": list(entry.figures),
            "bound": {name: str(measure.bound) for name, measure in entry.measures.items()},
            "verdicts": {profile: of.get(entry.id, "not run") for profile, of in verdicts.items()},
        }
        for entry in found.values()
        if claim in ("", entry.id)
    ]
    if as_json:
        print(json.dumps(listed, indent=1))
        return
    for row in listed:
        last = ", ".join(f"{profile}: {verdict}" for profile, verdict in row["verdicts"].items()) or "never judged"
        bounds = "; ".join(f"{name} {bound}" for name, bound in row["bound"].items())
        print(f"{row['id']:26} {row['title']}\n{'':26} {bounds}\n{'':26} {last}")


@app.command(
    epilog="Examples: `python -m nuclr golden --profile cpu` compares; `python -m nuclr golden --profile cpu --record` replaces."
)
def golden(
    profile: ProfileOption = "cpu",
    reports: ReportsOption = Path("reports"),
    record: Annotated[bool, typer.Option("--record", help="Make the evidence golden; never ends 0.")] = False,
) -> None:
    """Hold the evidence of a profile against the golden one. Ends 1 where a verdict changed or a measure drifted."""
    from_root(CLAIMS_FILE)
    check_profile(profile)
    from nuclr.verdict import golden as goldens

    if record:
        print("\n".join(goldens.keep(reports, GOLDEN, profile, CLAIMS_FILE.parent)))
        print(f"Recorded {GOLDEN / profile}: look at what changed (git diff --stat {GOLDEN}), say why, and commit it.")
        raise typer.Exit(1)
    if against_golden(profile, reports):
        raise typer.Exit(1)


def against_golden(profile: str, reports: Path) -> bool:
    """Print how the evidence of a profile differs from the golden one; whether it does. Raises NuclrError without either."""
    from nuclr.verdict import golden, record

    file = golden.file_of(GOLDEN, profile)
    if not file.exists():
        raise NuclrError(f"There is no golden evidence of the profile {profile!r} ({file}): record it with --record.")
    known = record.load(file)
    changes = golden.compare(known, record.load(record.file_of(reports, profile)))
    source = known["provenance"]
    print(
        f"Against {file} ({source['device']}, commit {(source['commit'] or 'unknown')[:10]}): {len(changes)} changes."
    )
    for change in changes:
        print(f"  {change}")
    return bool(changes)
