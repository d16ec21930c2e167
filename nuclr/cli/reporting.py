"""`python -m nuclr report` and `analyse`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nuclr.cli.app import CLAIMS_FILE, GOLDEN, ProfileOption, StoreOption, app, check_profile
from nuclr.errors import NuclrError


@app.command(
    epilog="Examples: `python -m nuclr report --evidence reports/evidence-cpu.json --out cpu/index.html`, "
    "`python -m nuclr report --compare golden/cpu/evidence.json reports/evidence-cpu.json`"
)
def report(
    evidence: Annotated[Path, typer.Option(help="Evidence written by the judging.")] = Path("reports/evidence.json"),
    out: Annotated[
        Path | None,
        typer.Option(help="The page to write; by default index.html or compare.html in reports/."),
    ] = None,
    golden: Annotated[Path, typer.Option(help="Folder of golden evidence to show beside.")] = GOLDEN,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Compare two evidence files instead: what changed first.")
    ] = None,
    small: Annotated[
        bool, typer.Option("--small", help="Leave out the explorers: a smaller page, to be sent.")
    ] = False,
) -> None:
    """Write the HTML report from recorded evidence, and junit.xml and summary.md beside it; judges nothing."""
    from nuclr.report import comparison, page

    if compare:
        target = out or Path("reports/compare.html")
        rows, troubles = comparison.write(*compare, target)
        print(f"{comparison.told(rows)}.")
        for row in rows:
            if row.before and row.after and row.change == "another verdict":
                print(f"  {row.id}: {row.after['verdict']}, before {row.before['verdict']}.")
    else:
        target = out or Path("reports/index.html")
        troubles = page.write(evidence, target, golden, CLAIMS_FILE.parent, small)
    print(f"Wrote {target} ({target.stat().st_size / 1e6:.1f} MB).")
    if troubles:
        more = f" and {len(troubles) - 1} more" if len(troubles) > 1 else ""
        raise NuclrError(f"{troubles[0]} The page names it{more}.")


@app.command(
    epilog="Examples: `python -m nuclr analyse --figure 8 --out helix.svg`, "
    "`python -m nuclr analyse --figure figure-09-order --out order.pdf`, `python -m nuclr analyse --run joint --out training.png`"
)
def analyse(
    out: Annotated[Path, typer.Option(help="The picture to write: .svg, .png or .pdf.")],
    figure: Annotated[str, typer.Option(help="Number of a figure of the paper, or the id of one of ours.")] = "",
    evidence: Annotated[Path, typer.Option(help="Evidence written by the judging.")] = Path("reports/evidence.json"),
    run: Annotated[str, typer.Option(help="Draw the training curves of this run instead.")] = "",
    profile: ProfileOption = "auto",
    store: StoreOption = Path("runs"),
) -> None:
    """Draw a figure of the report from its recorded arrays, or a run's training curves; analyses nothing anew."""
    if bool(figure) == bool(run):
        raise NuclrError("Say what to draw: either --figure or --run.")
    if figure:
        from nuclr.report.plots import save

        drawn = save(evidence, figure, out)
    else:
        check_profile(profile)
        from nuclr import runs
        from nuclr.data.observables import OBSERVABLES
        from nuclr.report import training
        from nuclr.train.plan import require, resolve_profile
        from nuclr.train.store import Store

        chosen = resolve_profile(profile)
        curves = [require(chosen, config, Store(store)).curves() for config in runs.named(chosen, run)]
        drawn = training.save(curves, {name: one.unit for name, one in OBSERVABLES.items()}, out)
    print(f"Wrote {out}: {'; '.join(drawn)}.")
