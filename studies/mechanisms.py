"""What else can be read out of the networks? Four of the analyses that the NuCLR-MechInterp project lists, each beside a control:
`python -m studies.mechanisms` prints the tables of docs/mechanisms.md and draws its picture. Nothing more is trained.

What is measured, and what we expected before any trained network was read:

pieces   The binding energy as a sum of functions of one number each (A, N - Z, Z, N, the two parities), the piece that leaves
         least first. Expected: A, then N - Z, as in the liquid drop; networks and data leave the same after each.
waves    Does parity stand out among the fast waves of the embeddings, where R_P, the measure of the paper, finds none? And is it
         used: with that one wave taken out of the embeddings of Z and N, do even and odd nuclides still differ? Expected: it
         stands out, in Z and N alike, and most of the odd-even staggering goes with it; a neighbouring wave takes nothing.
         Asked after these were read, and before it was: over the runs of figure 9, does this wave grow as the error falls, as the
         paper says of R_P? Expected: it does. (It does so only beside the other fast waves, which fade: the strengths of both
         were asked for when the ratio had been read.)
chains   The penultimate layer along isotopes and isotones: does the path bend at magic numbers? Its second difference over steps
         of two nucleons (so that pairing drops out), there over that of the numbers 3 to 8 away. Expected: it does, more than at
         other numbers.
units    Does a unit stand for a region of the chart? The share of nuclides at which it is active, and how many units, the most
         needed first, carry what few principal components do. Expected: few units are local, and many more of them are needed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from claims.conftest import Run
from claims.fractions import SYMBOLS, Sweep, embedding, interval, parity_wave, rho, waves_beside
from claims.test_few_pcs import counts_to_try, needed, rms_by_count
from nuclr.analysis import additive, nulls
from nuclr.analysis.pca import Components, components, random_directions
from nuclr.analysis.spectrum import ALTERNATING, alternation, power, without_wave
from nuclr.analysis.structure import parity_split
from nuclr.model.network import ACTIVATIONS, MAX_N, MAX_Z
from nuclr.model.probe import TRAINED_NUMBERS, Probe
from nuclr.physics.formulas import SEMF
from nuclr.report import style
from nuclr.runs import FRACTIONS
from studies.reading import Trained, main, markdown, save, told, trained
from studies.scaling import core

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

KINDS = {"binding": "binding energy alone", "joint": "all observables"}
PICTURE = Path("docs/mechanisms.png")
NEIGHBOURING = 0.4  # turns a number: the wave that is taken out as a control
CLOSED = {"Z": (20, 28, 50, 82), "N": (28, 50, 82, 126)}  # with enough nuclides on either side
ALONG = {"Z": np.arange(14, 90), "N": np.arange(20, 140)}
SETS = 2000  # of as many other numbers, drawn at random
LOCAL = 0.1  # a unit that is active at fewer nuclides is local


def untrained(run: Run) -> Run:
    return Run(run.stored, run.probe.untrained(100 + run.seed))


# ------------------------------------------------------------------------------------------------------------- pieces


def pieces(found: Trained) -> str:
    """RMS left after each piece, in networks, in the data and in the liquid drop."""
    z, n = core().z, core().n
    numbers = additive.numbers_of(z, n)
    left = {
        KINDS[name]: [additive.in_order(_energy(run.probe), numbers) for run in runs] for name, runs in found.items()
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
        f"{KINDS[name]}: {told([float(np.corrcoef(additive.rest(_energy(run.probe), every), theirs)[0, 1]) for run in runs], 2)}"
        for name, runs in found.items()
    ]
    table = markdown(("MeV left after", "order", *(f"{i + 1} pieces" for i in range(len(numbers)))), rows)
    return f"{table}\n\nCorrelation of what is left in the networks with what is left in the data: {'; '.join(kept)}"


def _energy(probe: Probe) -> Array:
    return probe.predict(core().z, core().n, "binding")


# -------------------------------------------------------------------------------------------------------------- waves


def waves(found: Trained) -> str:
    """How far parity stands out, beside R_P, smooth noise and untrained networks."""
    rows = []
    for name, runs in found.items():
        for symbol, numbers in TRAINED_NUMBERS.items():
            embeddings = [run.probe.embedding(symbol) for run in runs]
            noise = [
                alternation(draw)
                for one, run in zip(embeddings, runs, strict=True)
                for draw in nulls.like(one, 20, run.seed)
            ]
            rows.append(
                [
                    f"{KINDS[name]}, {symbol}",
                    told([alternation(one) for one in embeddings], 1),
                    f"{np.quantile(noise, 0.95):.1f}",
                    told([alternation(untrained(run).probe.embedding(symbol)) for run in runs], 1),
                    told([parity_split(one, numbers) for one in embeddings], 3),
                ]
            )
    return markdown(("parity among the fast waves", "networks", "95 % of smooth noise", "untrained", "R_P"), rows)


def staggered(energy: Array, symbol: str) -> float:
    """Mean odd-even staggering in keV of binding energies (MAX_Z + 1, MAX_N + 1), NaN where they do not count: the three-point
    formula, (-1)^n (E(n) - (E(n - 1) + E(n + 1)) / 2), along isotones for "Z" and along isotopes for "N"."""
    chart = energy if symbol == "Z" else energy.T
    sign = np.where(np.arange(1, len(chart) - 1) % 2 == 0, 1.0, -1.0)[:, None]
    return float(np.nanmean(sign * (chart[1:-1] - (chart[:-2] + chart[2:]) / 2)))


def chart(energy: Array) -> Array:
    """Energies of the core set (k,) as (MAX_Z + 1, MAX_N + 1), NaN elsewhere and for the light nuclides (z, n <= 8)."""
    whole = np.full((MAX_Z + 1, MAX_N + 1), np.nan)
    whole[core().z, core().n] = energy
    whole[:9] = whole[:, :9] = np.nan
    return whole


def less_a_wave(probe: Probe, frequency: float) -> Probe:
    """The network with one wave taken out of the embeddings of Z and of N."""
    for symbol in TRAINED_NUMBERS:
        probe = probe.with_embedding(symbol, without_wave(probe.embedding(symbol), frequency))
    return probe


def share_of_wave(run: Run, symbol: str) -> float:
    """The share in % of an embedding's variance that the alternating wave has."""
    whole = run.probe.embedding(symbol)
    return 100 * (1 - np.var(without_wave(whole, ALTERNATING), axis=0).sum() / np.var(whole, axis=0).sum())


def staggering(found: Trained) -> tuple[str, dict[str, dict[str, list[Array]]]]:
    """The odd-even staggering of networks, whole and with a wave taken out."""
    measured = [staggered(chart(core().binding), symbol) for symbol in SYMBOLS]
    rows = [["data", *(f"{value:.0f}" for value in measured), "", "", ""]]
    read: dict[str, dict[str, list[Array]]] = {}
    for name, runs in found.items():
        changes = {
            "": [run.probe for run in runs],
            ", less parity": [less_a_wave(run.probe, ALTERNATING) for run in runs],
            ", less the neighbouring wave": [less_a_wave(run.probe, NEIGHBOURING) for run in runs],
        }
        for change, probes in changes.items():
            energies = [_energy(probe) for probe in probes]
            both = [np.array([staggered(chart(energy), symbol) for energy in energies]) for symbol in SYMBOLS]
            read.setdefault(name, {})[change] = both
            shares = [
                told([share_of_wave(run, symbol) for run in runs], 2) if change == ", less parity" else ""
                for symbol in SYMBOLS
            ]
            rows.append(
                [
                    KINDS[name] + change,
                    *(told(values, 0) for values in both),
                    told([core().rms(energy) for energy in energies], 0),
                    *shares,
                ]
            )
    header = ("mean odd-even staggering (keV)", "along Z", "along N", "RMS (keV)", "% of variance of Z", "of N")
    return markdown(header, rows), read


def follows(sweep: Sweep) -> str:
    """Does the parity wave grow as the error falls, where R_P does not? In the runs of figure 9, on numbers above 8 as there."""
    rows = []
    for percent in np.unique(np.round(100 * sweep.fraction)):
        there = np.isclose(100 * sweep.fraction, percent)
        cells = [
            told(sweep.each(read, symbol)[there], 2)
            for symbol in SYMBOLS
            for read in (parity_wave, waves_beside, of_wave)
        ]
        rows.append([f"{percent:.0f}", told(sweep.validation[there], 0), *cells])
    columns = [f"{what} of {symbol}" for symbol in SYMBOLS for what in ("parity", "beside it", "ratio")]
    trends = []
    for read, what in ((parity_wave, "parity"), (waves_beside, "what is beside it"), (of_wave, "the ratio")):
        for symbol in SYMBOLS:
            pair = sweep.each(read, symbol), sweep.validation
            low, high = interval(rho, *pair)
            trends.append(f"{what} of {symbol} {float(rho(np.stack(pair, axis=1))):.2f} ({low:.2f} to {high:.2f})")
    table = markdown(("% of rows", "val RMS (keV)", *columns), rows)
    return f"{table}\n\nRank correlation with the validation error: {', '.join(trends)}"


def of_wave(probe: Probe, symbol: str) -> float:
    return alternation(embedding(probe, symbol)[0])


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
    energy, slopes = _energy(run.probe), ends[1:] - ends[0]
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


# ------------------------------------------------------------------------------------------------------------ picture


def draw(found: Trained, read: dict[str, dict[str, list[Array]]], sweep: Sweep, out: Path) -> None:
    """Parity in the embeddings: the waves, what happens without one, and how they go with the data that trains."""
    with matplotlib.rc_context(style.RC):
        figure = Figure(figsize=(13, 4.2), layout="constrained")
        first, second, third = figure.subplots(1, 3)
        _draw_waves(first, found)
        _draw_staggering(second, read)
        _draw_sweep(third, sweep)
        save(figure, out)


def _draw_waves(place: Axes, found: Trained) -> None:
    frequencies = np.linspace(0.02, 0.5, 481)
    for i, (name, runs) in enumerate(found.items()):
        for dashes, symbol in zip(style.DASHES, SYMBOLS, strict=False):
            shares = np.array([power(run.probe.embedding(symbol), frequencies) for run in runs])
            place.plot(
                frequencies,
                shares.mean(0),
                linestyle=dashes,
                color=style.SERIES[i],
                label=f"{symbol}, {KINDS[name]}",
                linewidth=1.3,
            )
    place.set(yscale="log", xlabel="turns from a number to the next; 0.5 is parity", title="Waves in the embeddings")
    _plain(place, "power, 1 for white noise")


def _draw_staggering(place: Axes, read: dict[str, dict[str, list[Array]]]) -> None:
    labels = [KINDS[name] + change.replace(", ", "\n") for name, changes in read.items() for change in changes]
    for i, symbol in enumerate(SYMBOLS):
        values = [both[i] for changes in read.values() for both in changes.values()]
        rows, mean = np.arange(len(values)) + 0.2 * (2 * i - 1), np.mean(values, axis=1)
        place.barh(rows, mean, 0.36, color=style.SERIES[i], label=f"along {symbol}")
        place.hlines(rows, np.min(values, axis=1), np.max(values, axis=1), color=style.INK, linewidth=1.2)
        measured = staggered(chart(core().binding), symbol)
        place.axvline(
            measured, color=style.SERIES[i], linewidth=1, linestyle=(0, (4, 3)), label=f"data, along {symbol}"
        )
    place.set(
        yticks=range(len(labels)), yticklabels=labels, xlabel="keV", title="Odd-even staggering", xlim=(None, 2600)
    )
    place.invert_yaxis()
    place.legend(loc="center right")


def _draw_sweep(place: Axes, sweep: Sweep) -> None:
    percents = np.round(100 * sweep.fraction)
    for i, (reading, what) in enumerate(((parity_wave, "parity"), (waves_beside, "waves beside it"))):
        for dashes, symbol in zip(style.DASHES, SYMBOLS, strict=False):
            values = sweep.each(reading, symbol)
            each = np.array([values[percents == percent] for percent in np.unique(percents)])
            place.plot(
                np.unique(percents),
                each.mean(1),
                linestyle=dashes,
                color=style.SERIES[i + 2],
                label=f"{what}, {symbol}",
                linewidth=1.3,
            )
            place.fill_between(
                np.unique(percents), each.min(1), each.max(1), color=style.SERIES[i + 2], alpha=0.12, linewidth=0
            )
    place.set(
        yscale="log", xlabel="% of the rows that train, all observables", title="More data, less noise beside parity"
    )
    _plain(place, "power, 1 for white noise")


def _plain(place: Axes, label: str) -> None:
    place.set_ylabel(label)
    place.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    place.legend()


def tell(store: Path) -> str:
    found = trained("cpu", store, KINDS)
    sweep = Sweep.read(trained("cpu", store, FRACTIONS).__getitem__)
    of_staggering, read = staggering(found)
    draw(found, read, sweep, PICTURE)
    return "\n\n".join((waves(found), of_staggering, follows(sweep), pieces(found), chains(found), units(found)))


if __name__ == "__main__":
    main(tell, __doc__ or "")
