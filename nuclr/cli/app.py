"""The command line itself, the options that commands share, and what they mean here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nuclr.errors import NuclrError, Stopped

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
    help='"From Neurons to Neutrons" as a test suite: nuclear data, trained networks, claims judged, one report.',
    epilog="Start with `python -m nuclr reproduce`.",
)

CLAIMS_FILE = Path("claims/paper.toml")
GOLDEN = Path("golden")

ProfileOption = Annotated[
    str, typer.Option(help="smoke, cpu, wide, paper, or auto: paper where there is a GPU, cpu elsewhere.")
]
StoreOption = Annotated[Path, typer.Option(help="Folder of the trained runs.")]
ReportsOption = Annotated[Path, typer.Option(help="Folder of the evidence and the report.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Worker processes, one thread each; 0: one a core.")]
DeviceOption = Annotated[str, typer.Option(help="cpu, cuda, or auto: cuda where there is one.")]
BudgetOption = Annotated[
    str, typer.Option(help="Train for this long (90s, 9m, 1h30m), save and stop; the same command goes on.")
]
ScaleOption = Annotated[
    float, typer.Option(help="Share of the steps, for a trial: the profile is then paper-x0.001, and never golden.")
]


def main() -> None:
    """Run the command line; what a user can mend is one sentence on stderr and exit code 2."""
    try:
        app()
    except NuclrError as error:
        print(f"nuclr: {error}", file=sys.stderr)
        sys.exit(130 if isinstance(error, Stopped) else 2)


def profile_named(profile: str, scale: float) -> str:
    """The profile that is meant: "auto" resolved, and with another name where its steps are cut."""
    from nuclr.runs import scaled

    check_profile(profile)
    if profile == "auto":
        from nuclr.train.plan import resolve_profile

        profile = resolve_profile(profile)
    return scaled(profile, scale)


def check_profile(profile: str) -> None:
    """Refuse an unknown profile at once, before the seconds that importing torch takes."""
    from nuclr.runs import planned

    if profile != "auto":
        planned(profile)


def from_root(path: Path) -> Path:
    if not path.exists():
        raise NuclrError(f"There is no {path} here: run this command in the root of the nuclr repository.")
    return path
