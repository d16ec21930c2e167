"""What else can be read out of the networks? Analyses that the NuCLR-MechInterp project lists, each beside a control:
`python -m studies.mechanisms` prints the later tables of docs/mechanisms.md. Nothing more is trained.

What is measured, and what we expected before any trained network was read:

pieces   The binding energy as a sum of functions of one number each (A, N - Z, Z, N, the two parities), the piece that leaves
         least first. Expected: A, then N - Z, as in the liquid drop; networks and data leave the same after each.
chains   The penultimate layer along isotopes and isotones: does the path bend at magic numbers? Its second difference over steps
         of two nucleons (so that pairing drops out), there over that of the numbers 3 to 8 away. Expected: it does, more than at
         other numbers.
units    Does a unit stand for a region of the chart? The share of nuclides at which it is active, and how many units, the most
         needed first, carry what few principal components do. Expected: few units are local, and many more of them are needed.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from claims.conftest import Run
from claims.test_few_pcs import counts_to_try, needed, rms_by_count
from nuclr.analysis import additive
from nuclr.analysis.pca import Components, components, random_directions
from nuclr.model.network import ACTIVATIONS
from nuclr.model.probe import Probe
from nuclr.physics.formulas import SEMF
from studies.reading import Trained, main, markdown, told, trained
from studies.scaling import core

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

KINDS = {"binding": "binding energy alone", "joint": "all observables"}
CLOSED = {"Z": (20, 28, 50, 82), "N": (28, 50, 82, 126)}  # with enough nuclides on either side
ALONG = {"Z": np.arange(14, 90), "N": np.arange(20, 140)}
SETS = 2000  # of as many other numbers, drawn at random
LOCAL = 0.1  # a unit that is active at fewer nuclides is local


def untrained(run: Run) -> Run:
    return Run(run.stored, partial(run.probe.untrained, 100 + run.seed))


# ------------------------------------------------------------------------------------------------------------- pieces


def pieces(found: Trained) -> str:
    """RMS left after each piece, in networks, in the data and in the liquid drop."""
    z, n = core().z, core().n
    numbers = additive.numbers_of(z, n)
    left = {
        KINDS[name]: [additive.in_order(energy_of(run.probe), numbers) for run in runs] for name, runs in found.items()
    }
    left["data"] = [additive.in_order(core().binding, numbers)]
    left["liquid drop (SEMF)"] = [additive.in_order(SEMF.predict(z, n), numbers)]
    every = list(numbers.values())
    theirs = additive.rest(core().binding, every)
    rows = []
    for name, orders in left.items():
        common = [" > ".join(order) for order in orders]
        cells = [
            told([list(order.values())[i] / 1e3 for order in orders], 1 if i < 2 else 2) for i in range(len(numbers))
        ]
        rows.append([name, "; ".join(f"{common.count(one)} x {one}" for one in dict.fromkeys(common)), *cells])
    kept = [
        f"{KINDS[name]}: {told([float(np.corrcoef(additive.rest(energy_of(run.probe), every), theirs)[0, 1]) for run in runs], 2)}"
        for name, runs in found.items()
    ]
    table = markdown(("MeV left after", "order", *(f"{i + 1} piece{'s' * (i > 0)}" for i in range(len(numbers)))), rows)
    return f"{table}\n\nCorrelation of what is left in the networks with what is left in the data: {'; '.join(kept)}"


def energy_of(probe: Probe) -> Array:
    """Predicted binding energies of the core set, keV: (k,)."""
    return probe.predict(core().z, core().n, "binding")


# ------------------------------------------------------------------------------------------------------------- chains


def bends(run: Run, symbol: str) -> Array:
    """How much the penultimate layer bends at each number in chains along `symbol`, over that of the numbers 3 to 8 away: (k,) for
    ALONG[symbol]. The bend is |x(n + 2) - 2 x(n) + x(n - 2)|, mean over the chains that have all three."""
    z, n = core().z, core().n
    x = run.probe.penultimate(z, n, "binding")
    along, chain = (z, n) if symbol == "Z" else (n, z)
    row = {pair: i for i, pair in enumerate(zip(along.tolist(), chain.tolist(), strict=True))}
    sums, counts = np.zeros(along.max() + 1), np.zeros(along.max() + 1)
    for (number, other), i in row.items():
        before, after = row.get((number - 2, other)), row.get((number + 2, other))
        if before is not None and after is not None:
            sums[number] += np.linalg.norm(x[after] - 2 * x[i] + x[before])
            counts[number] += 1
    mean = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    beside = [d for d in range(-8, 9) if abs(d) >= 3]
    return np.array([mean[number] / np.mean([mean[number + d] for d in beside]) for number in ALONG[symbol]])


@cache
def other_numbers(symbol: str) -> tuple[Numbers, Numbers]:
    """Positions in ALONG[symbol] of the closed shells, and those of numbers further than two from any."""
    numbers = ALONG[symbol]
    away = np.min([np.abs(numbers - closed) for closed in CLOSED[symbol]], axis=0)
    return np.flatnonzero(away == 0), np.flatnonzero(away > 2)


def highest_by_chance(values: Array, symbol: str, seed: int) -> float:
    """What the mean over as many other numbers stays below in 95 % of draws."""
    closed, others = other_numbers(symbol)
    rng = np.random.default_rng(seed)
    return float(
        np.quantile([values[rng.choice(others, len(closed), replace=False)].mean() for _ in range(SETS)], 0.95)
    )


def chains(found: Trained) -> str:
    """How much more chains bend at closed shells."""
    rows = []
    for name, runs in found.items():
        for symbol in ALONG:
            closed, _ = other_numbers(symbol)
            read = [bends(run, symbol) for run in runs]
            fresh = [bends(untrained(run), symbol) for run in runs]
            each = [f"{np.mean([values[i] for values in read]):.2f}" for i in closed]
            rows.append(
                [
                    f"{KINDS[name]}, along {symbol} = {', '.join(map(str, CLOSED[symbol]))}",
                    told([values[closed].mean() for values in read], 2),
                    ", ".join(each),
                    told(
                        [highest_by_chance(values, symbol, run.seed) for values, run in zip(read, runs, strict=True)], 2
                    ),
                    told([values[closed].mean() for values in fresh], 2),
                ]
            )
    header = (
        "bend over that of numbers 3 to 8 away",
        "closed shells",
        "one by one",
        "95 % of as many others",
        "untrained",
    )
    return markdown(header, rows)


# -------------------------------------------------------------------------------------------------------------- units


def active(probe: Probe) -> Array:
    """The share of the core set at which each unit of the blocks' inner and outer layers is active: (2 depth, d)."""
    network, p = probe.network, probe.parameters
    z, n = (torch.tensor(numbers, dtype=torch.int64)[None] for numbers in (core().z, core().n))
    task = torch.full(z.shape, probe.config.data.observables.index("binding"))
    activation = ACTIVATIONS[network.block_activation]
    x, shares = network.first_layer(p, z, n, task), []
    for block in range(network.depth):
        before = x
        for layer in ("inner", "outer"):
            x = activation(torch.baddbmm(p[f"block{block}.{layer}.bias"], x, p[f"block{block}.{layer}.weight"]))
            shares.append((x[0] > 0).double().mean(0).numpy())
        x = before + x
    return np.array(shares)


def most_needed(run: Run) -> Components:
    """The units of the penultimate layer as directions about its mean, that first without which the error is largest."""
    x = run.probe.penultimate(core().z, core().n, "binding")
    mean, width = x.mean(0), x.shape[1]
    ends = run.probe.read_out(np.vstack([mean, mean + np.eye(width)]), "binding")
    energy, slopes = energy_of(run.probe), ends[1:] - ends[0]
    errors = [core().rms(energy - (x[:, unit] - mean[unit]) * slopes[unit]) for unit in range(width)]
    return Components(mean, np.eye(width)[np.argsort(errors)[::-1]], np.empty(0))


def directions_needed(run: Run) -> dict[str, float]:
    """How many units, principal and random directions of the penultimate layer it takes to be better than the SEMF."""
    x = run.probe.penultimate(core().z, core().n, "binding")
    principal = components(x)
    kinds = {"units": most_needed(run), "principal": principal, "random": random_directions(principal, run.seed)}
    return {
        name: needed(rms_by_count(run.probe, core(), "penultimate", x, directions), core().semf_rms, x.shape[1])
        for name, directions in kinds.items()
    }


def units(found: Trained) -> str:
    """How local units are, and how many directions it takes to be better than the SEMF."""
    rows = []
    for name, runs in found.items():
        counts = [directions_needed(run) for run in runs]
        width = runs[0].probe.config.model.width
        for label, probes in {
            KINDS[name]: [run.probe for run in runs],
            f"{KINDS[name]}, untrained": [untrained(run).probe for run in runs],
        }.items():
            shares = [active(probe) for probe in probes]
            kinds = (
                [one == 0 for one in shares],
                [(one > 0) & (one < LOCAL) for one in shares],
                [one == 1 for one in shares],
            )
            cells = [told([100 * np.mean(one) for one in kind], 0) for kind in kinds]
            if label == KINDS[name]:
                cells += [counted([one[kind] for one in counts], width) for kind in counts[0]]
            rows.append([label, *cells])
    local = f"local (below {LOCAL:.0%} of the chart)"
    header = (
        "% of the units",
        "never active",
        local,
        "always active",
        "units needed",
        "principal components",
        "random directions",
    )
    return markdown(header, [row + [""] * (len(header) - len(row)) for row in rows])


def counted(counts: list[float], width: int) -> str:
    """How many are needed; only some counts were tried, of which the last before all is `most`."""
    most = counts_to_try(width)[-2]
    return f"more than {most}" if min(counts) > most else told(counts, 0)


def tell(store: Path) -> str:
    found = trained("cpu", store, KINDS)
    return "\n\n".join((pieces(found), chains(found), units(found)))


if __name__ == "__main__":
    main(tell, __doc__ or "")
