"""Where is parity in the networks, if R_P does not see it? `python -m studies.parity_wave` prints the first tables of
docs/mechanisms.md and draws its picture. Nothing more is trained.

What is measured, and what we expected before any trained network was read: does parity stand out among the fast waves of the
embeddings, where R_P, the measure of the paper, finds none? And is it used: with that one wave taken out of the embeddings of Z
and N, do even and odd nuclides still differ? Expected: it stands out, in Z and N alike, and most of the odd-even staggering goes
with it; a neighbouring wave takes nothing.

Asked after these were read, and before it was: over the runs of figure 9, does this wave grow as the error falls, as the paper
says of R_P? Expected: it does. (It does so only beside the other fast waves, which fade: the strengths of both were asked for when
the ratio had been read.)
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from claims.conftest import Run
from claims.fractions import SYMBOLS, Sweep, embedding, interval, parity_wave, rho, waves_beside
from nuclr.analysis import nulls
from nuclr.analysis.spectrum import ALTERNATING, alternation, power, without_wave
from nuclr.analysis.structure import parity_split
from nuclr.model.network import MAX_N, MAX_Z
from nuclr.model.probe import TRAINED_NUMBERS, Probe
from nuclr.report import style
from nuclr.runs import FRACTIONS
from nuclr.verdict.statistics import CONFIDENCE
from studies.mechanisms import KINDS, energy_of, untrained
from studies.reading import Trained, main, markdown, save, told, trained
from studies.scaling import core

Array = NDArray[np.float64]

PICTURE = Path("docs/mechanisms.png")
NEIGHBOURING = 0.4  # turns a number: the wave that is taken out as a control


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
            energies = [energy_of(probe) for probe in probes]
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
            low, high = interval(rho, CONFIDENCE, *pair)
            trends.append(f"{what} of {symbol} {float(rho(np.stack(pair, axis=1))):.2f} ({low:.2f} to {high:.2f})")
    table = markdown(("% of rows", "val RMS (keV)", *columns), rows)
    return f"{table}\n\nRank correlation with the validation error: {', '.join(trends)}"


def of_wave(probe: Probe, symbol: str) -> float:
    return alternation(embedding(probe, symbol)[0])


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
    return "\n\n".join((waves(found), of_staggering, follows(sweep)))


if __name__ == "__main__":
    main(tell, __doc__ or "")
