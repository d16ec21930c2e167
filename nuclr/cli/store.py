"""`python -m nuclr store`: what is in a store of trained runs, and carrying runs from one to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nuclr.errors import NuclrError

if TYPE_CHECKING:
    from nuclr.train.store import StoredRun

app = typer.Typer(
    no_args_is_help=True,
    help="The store of trained runs: list it, pack runs for the way to another machine, unpack them there.",
    epilog="Examples: `python -m nuclr store list`, `python -m nuclr store export joint --out parcel`, "
    "`python -m nuclr store import parcel`",
)

StoreOption = Annotated[Path, typer.Option(help="Folder of the trained runs.")]


@app.command("list", epilog="Example: `python -m nuclr store list --store runs --profile paper`")
def show(
    store: StoreOption = Path("runs"),
    profile: Annotated[str, typer.Option(help="Only the runs of this profile.")] = "",
) -> None:
    """List the trained runs with size and fingerprint: current, stale (of another config, data or code), or why it cannot be read."""
    from nuclr.train.store import Store

    found, unread = [], []
    for run in Store(store).runs():
        if isinstance(run, NuclrError):
            unread.append(str(run))
        elif profile in ("", run.manifest["profile"]):
            found.append((run, _state(run), sum(run.manifest["sizes"].values())))
    for run, state, size in found:
        name = f"{run.manifest['profile']}/{run.config.name}/{run.config.seed}"
        print(f"{name:44} {size / 1e6:9.1f} MB  {run.manifest['fingerprint']}  {state}")
    for trouble in unread:
        print(f"not readable here: {trouble}")
    counts = [f"{sum(of == state for _, of, _ in found)} {state}" for state in dict.fromkeys(of for _, of, _ in found)]
    counts += [f"{len(unread)} more not readable here"] if unread else []
    print(
        f"{len(found)} runs in {store}, {sum(size for *_, size in found) / 1e9:.3f} GB{': ' if counts else ''}{', '.join(counts)}."
    )


@app.command(
    epilog="Examples: `python -m nuclr store export joint --profile paper --out parcel`, "
    "`python -m nuclr store export binding/0 binding/1 --profile cpu --out parcel`"
)
def export(
    runs: Annotated[list[str], typer.Argument(help="Runs by name (every seed) or as name/seed.")],
    out: Annotated[Path, typer.Option(help="The folder to write, new or empty.")],
    profile: Annotated[str, typer.Option(help="Profile of the runs: smoke, cpu, wide, paper, or auto.")] = "auto",
    store: StoreOption = Path("runs"),
    part_size: Annotated[float, typer.Option(min=0.001, help="Megabytes in a part at most.")] = 15,
) -> None:
    """Pack trained runs into parts with checksums, for a carrier that takes small files alone."""
    wanted = [_named(text) for text in runs]
    from nuclr.runs import named
    from nuclr.train.parcel import pack
    from nuclr.train.plan import require, resolve_profile
    from nuclr.train.store import Store

    name, configs = resolve_profile(profile), []
    for run, seed in wanted:
        seeds = [config for config in named(name, run) if seed in (None, config.seed)]
        if not seeds:
            raise NuclrError(
                f"Run {run} has no seed {seed} in the profile {name}: it has {len(named(name, run))}, from 0."
            )
        configs += [config for config in seeds if config not in configs]
    packed = pack([require(name, config, Store(store)) for config in configs], out, int(part_size * 1e6))
    parts = [part for run in packed for part in run.parts]
    print(
        f"Packed {len(packed)} runs in {len(parts)} parts, {sum(part.size for part in parts) / 1e6:.1f} MB, into {out}."
    )
    print(f"On the other machine: python -m nuclr store import {out.name}")


@app.command("import", epilog="Example: `python -m nuclr store import parcel --store runs`")
def take_in(
    folder: Annotated[Path, typer.Argument(help="A folder that `store export` wrote.")],
    store: StoreOption = Path("runs"),
) -> None:
    """Check every part of a parcel and put its runs into the store; nothing there is ever replaced."""
    from nuclr.train.parcel import unpack
    from nuclr.train.store import Store

    for run, known in unpack(folder, Store(store)):
        print(
            f"{run.manifest['profile']}/{run.config.name}/{run.config.seed}: {'was there already' if known else _state(run)}"
        )


def _named(text: str) -> tuple[str, int | None]:
    """ "joint/2" as ("joint", 2), "joint" as ("joint", None)."""
    name, slash, seed = text.partition("/")
    if not name or (slash and not seed.isdecimal()):
        raise NuclrError(f"{text!r} is no run: write joint for every seed of it, or joint/0 for one.")
    return name, int(seed) if slash else None


def _state(run: StoredRun) -> str:
    """How a stored run stands to the runs that are planned here."""
    from nuclr.runs import named
    from nuclr.train.plan import fingerprint_of

    try:
        configs = {config.seed: config for config in named(run.manifest["profile"], run.config.name)}
    except NuclrError:
        return "unknown here"
    config = configs.get(run.config.seed)
    if config is None:
        return "unknown here"
    return "current" if fingerprint_of(config) == run.manifest["fingerprint"] else "stale"
