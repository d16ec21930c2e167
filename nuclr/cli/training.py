"""`python -m nuclr train`, `sweep` and `bench`."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nuclr.cli.app import (
    BudgetOption,
    DeviceOption,
    ProfileOption,
    ScaleOption,
    StoreOption,
    WorkersOption,
    app,
    check_profile,
    profile_named,
)
from nuclr.errors import NuclrError
from nuclr.model.device import device_named
from nuclr.verdict.provenance import cores


@app.command(
    epilog="Examples: `python -m nuclr train --profile cpu`, `python -m nuclr train --only binding --only joint`, "
    "`python -m nuclr train --profile paper --budget 9m` (a slice of a long training, again and again), "
    "`python -m nuclr train --profile paper --scale 1e-5 --only binding` (a trial of the path)"
)
def train(
    profile: ProfileOption = "auto",
    store: StoreOption = Path("runs"),
    workers: WorkersOption = 0,
    device: DeviceOption = "auto",
    only: Annotated[
        list[str] | None, typer.Option(help="Train the runs of this name alone; may be given again.")
    ] = None,
    look: Annotated[int, typer.Option(min=1, help="Train the seeds of this look and of those before.")] = 1,
    budget: BudgetOption = "",
    scale: ScaleOption = 1.0,
) -> None:
    """Train every run of a profile that the store lacks; interrupted training resumes. Ends 0 also when a budget is spent."""
    train_profile(profile_named(profile, scale), store, workers, device, only, budget, look)


@app.command(
    epilog="Examples: `python -m nuclr sweep --profile paper --partition gpu --time 8:00:00 --setup 'module load cuda'` "
    "sends the missing runs to SLURM; `python -m nuclr sweep --profile paper --status` tells how they stand."
)
def sweep(
    profile: ProfileOption = "paper",
    store: StoreOption = Path("runs"),
    cluster: Annotated[
        str, typer.Option(help="slurm, local (this machine's cores) or debug (in this process, one by one).")
    ] = "slurm",
    partition: Annotated[str, typer.Option(help="SLURM partition; the cluster's default without.")] = "",
    account: Annotated[str, typer.Option(help="SLURM account to charge.")] = "",
    gpus: Annotated[int, typer.Option(min=0, max=1, help="GPUs of a task; 0 trains on a CPU core.")] = 1,
    limit: Annotated[
        str, typer.Option("--time", help="Time limit of a task, as 4:00:00 or 2-12:00:00; at the limit it is requeued.")
    ] = "4:00:00",
    max_parallel: Annotated[int, typer.Option(min=0, help="Tasks at once; 0: as many as SLURM grants.")] = 0,
    setup: Annotated[
        list[str] | None, typer.Option(help="Shell command before a task, such as 'module load cuda'; repeatable.")
    ] = None,
    follow: Annotated[bool, typer.Option("--wait", help="Follow the tasks to their end.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Tell how the runs stand; send nothing.")] = False,
) -> None:
    """Train the missing runs of a profile on a SLURM cluster; what is stored, training or queued is not sent again."""
    check_profile(profile)
    import torch

    from nuclr.train import sweep as sweeps
    from nuclr.train.plan import fleets, resolve_profile, train_missing
    from nuclr.train.progress import Display

    name, store = resolve_profile(profile), store.resolve()
    if status:
        print(sweeps.told(sweeps.standings(name, store)))
        return
    wanted = sweeps.Cluster(cluster, partition, account, gpus, sweeps.minutes(limit), max_parallel, tuple(setup or ()))
    device = "cuda" if gpus else "cpu"
    if cluster != "slurm" and gpus and not torch.cuda.is_available():
        raise NuclrError("This machine has no CUDA device that torch can use: train on its cores with --gpus 0.")
    display = Display(Console())
    if cluster == "local":
        train_missing(name, store, device, cores(), display)
        return
    runs = sweeps.standings(name, store)
    to_send = [s.run for s in runs if s.state not in ("done", "training", "waiting")]
    jobs = fleets(to_send, name, store, device, wanted.parallel or 1)
    display.plan([s.run for s in runs], jobs)
    if not jobs:
        print("Nothing to send: what is not stored is training or waiting.")
        return
    submitted = sweeps.submit(jobs, wanted, store)
    if cluster == "debug":
        return
    print(f"Sent {len(jobs)} tasks: {', '.join(submitted)}.")
    print(f"Their output is in {sweeps.logs(store)}. How they stand:")
    print(f"  python -m nuclr sweep --profile {name} --store {store} --status")
    if follow:
        sweeps.follow(submitted, display)


@app.command(epilog="Example: `python -m nuclr bench --device cuda --width 2048 --json > bench.json`")
def bench(
    device: DeviceOption = "auto",
    width: Annotated[int, typer.Option(min=0, help="Width of the network; 0: 128 on a CPU, 2048 on a GPU.")] = 0,
    depth: Annotated[int, typer.Option(min=1, max=8, help="Residual blocks.")] = 2,
    rows: Annotated[int, typer.Option(min=2, help="Rows in a step.")] = 2048,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long to measure.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for tools.")] = False,
) -> None:
    """Measure the training beside the published step: ratios, and the share of the machine's matmul peak."""
    from nuclr.train.throughput import measure, table

    device = device_named(device)
    console = Console(stderr=True)
    found = measure(device, width or (2048 if device == "cuda" else 128), depth, rows, seconds, console.print)
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        Console().print(table(found))


def train_profile(
    profile: str,
    store: Path,
    workers: int,
    device: str = "auto",
    only: list[str] | None = None,
    budget: str = "",
    look: int = 1,
) -> bool:
    """Train what is missing of a profile, known by its own name; False where the budget was spent before the end."""
    from nuclr.train.budget import seconds_of, sentence

    seconds = seconds_of(budget) if budget else None
    device = device_named(device)
    from nuclr.train.plan import survey, train_missing, work_left
    from nuclr.train.progress import Display
    from nuclr.train.store import Store

    console = Console()
    console.print(f"Profile {profile} on {device}, store {store}.", highlight=False)
    display = Display(console)
    train_missing(profile, store, device, workers or cores(), display, only, seconds, look)
    if seconds is None:
        return True
    runs = survey(profile, Store(store), only, look)
    left = sum(run.stored is None for run in runs)
    if left:
        again = f"python -m nuclr {shlex.join(sys.argv[1:])}"
        print(sentence(len(runs), left, work_left(runs, store), display.time_left, again))
    return not left
