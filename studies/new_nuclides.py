"""How well do networks that know the masses of 2016 predict those measured since, beside mass formulas and the published mass
models? `python -m studies.new_nuclides` prints the tables of docs/new-nuclides.md and draws its picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from claims.conftest import Run
from nuclr.analysis.ranks import rank_correlation
from nuclr.data import table
from nuclr.physics.formulas import BW2, SEMF
from nuclr.report import style
from nuclr.train.examples import examples
from nuclr.verdict.statistics import student
from studies.mass_models import MODELS, mass_excess
from studies.reading import Trained, main, markdown, save, trained

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
PICTURE = Path("docs/new-nuclides.png")
KINDS = {
    "binding": "network",
    "binding-without-decay": "network, no weight decay",
    "binding-on-all": "network, nothing held out",
}
SEEN_ALL = "BSkG3"  # fitted to AME2020


@dataclass(frozen=True)
class Masses:
    """Nuclides: z, n, measured binding energy in keV and mass excess in keV, all of shape (k,)."""

    z: NDArray[np.int64]
    n: NDArray[np.int64]
    binding: Array
    excess: Array

    @classmethod
    def of(cls, chosen: pd.DataFrame) -> Masses:
        numbers = (chosen[name].to_numpy(np.int64) for name in ("z", "n"))
        energies = (chosen[name].to_numpy(np.float64) for name in ("be_from_me", "mass_excess"))
        return cls(*numbers, *energies)


class Chart:
    """known: the nuclides that train, and formulas are fitted to, with z, n >= 8. new: those measured since, of elements of
    which some mass was known (a network has never seen the others' Z). beyond: how many of those there are."""

    def __init__(self) -> None:
        everything = table.load()
        known, new = everything[table.known_in_2016(everything)], everything[table.new_since_2016(everything)]
        there = new.z.isin(known.z) & new.n.isin(known.n)
        self.trained = Masses.of(known)
        self.known = Masses.of(known[(known.z >= 8) & (known.n >= 8)])
        self.new, self.beyond = Masses.of(new[there]), int((~there).sum())

    @cached_property
    def distance(self) -> NDArray[np.int64]:
        """Steps on the chart from each new nuclide to the nearest known one: (k,)."""
        new, known = self.new, self.trained
        steps = np.abs(new.z[:, None] - known.z) + np.abs(new.n[:, None] - known.n)
        nearest: NDArray[np.int64] = steps.min(axis=1)
        return nearest


def rms(errors: Array) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def by_formulas(chart: Chart) -> dict[str, tuple[float, float]]:
    """RMS (keV) of formulas and models for the known and the new nuclides, by name."""
    known, new = chart.known, chart.new
    formulas = {
        "published": (SEMF, BW2),
        "refitted": tuple(f.refit(known.z, known.n, known.binding) for f in (SEMF, BW2)),
    }
    found = {
        f"{formula.name}, {how}": (
            rms(formula.predict(known.z, known.n) - known.binding),
            rms(formula.predict(new.z, new.n) - new.binding),
        )
        for how, both in formulas.items()
        for formula in both
    }
    for model in MODELS:
        found[model] = (
            rms(mass_excess(model, known.z, known.n) - known.excess),
            rms(mass_excess(model, new.z, new.n) - new.excess),
        )
    return found


def predicted(run: Run, nuclides: Masses) -> Array:
    return run.probe.predict(nuclides.z, nuclides.n, "binding")


def errors_of(run: Run, nuclides: Masses) -> Array:
    """Predicted less measured binding energies (k,), keV."""
    return predicted(run, nuclides) - nuclides.binding


def parts(run: Run) -> tuple[float, float | None]:
    """RMS (keV) of a network for the nuclides with z, n >= 8 that it trained on, and for those held out (None: it held out none)."""
    data = examples(run.stored.config)
    heavy = (data.z >= 8) & (data.n >= 8)
    errors = run.probe.predict(data.z, data.n, "binding") - data.value
    held = heavy & data.validation
    return rms(errors[heavy & data.train]), rms(errors[held]) if held.any() else None


def with_interval(values: list[float]) -> str:
    """ "612 ± 40": the mean over seeds and half of its 95 % interval (Student t)."""
    interval = student(values)
    assert interval is not None
    return f"{np.mean(values):.0f} ± {(interval[1] - interval[0]) / 2:.0f}"


def together(runs: list[Run], nuclides: Masses) -> Array:
    """Errors (k,), keV, of the mean of what the networks predict."""
    return np.mean([errors_of(run, nuclides) for run in runs], axis=0)


def skill(chart: Chart, found: Trained) -> str:
    """A row a formula, model or kind of network."""
    rows = [
        [
            name + (" (fitted to the new masses as well)" if name == SEEN_ALL else ""),
            f"{known:.0f}",
            "",
            f"{new:.0f}",
            "",
        ]
        for name, (known, new) in by_formulas(chart).items()
    ]
    for name, runs in found.items():
        train, held = zip(*(parts(run) for run in runs), strict=True)
        rows.append(
            [
                KINDS[name],
                with_interval(list(train)),
                "" if None in held else with_interval([one for one in held if one is not None]),
                with_interval([rms(errors_of(run, chart.new)) for run in runs]),
                f"{rms(together(runs, chart.new)):.0f}",
            ]
        )
    header = ("RMS, keV", "known in 2016", "of these held out", f"{len(chart.new.z)} new", "new, mean of the networks")
    return markdown(header, rows)


def by_distance(chart: Chart, found: Trained) -> str:
    """RMS of the mean of the networks, and of the best model, by the steps to the nearest known nuclide."""
    best = min(
        set(MODELS) - {SEEN_ALL}, key=lambda model: rms(mass_excess(model, chart.new.z, chart.new.n) - chart.new.excess)
    )
    rows = []
    for steps in np.unique(chart.distance):
        here = chart.distance == steps
        model = mass_excess(best, chart.new.z, chart.new.n) - chart.new.excess
        rows.append(
            [str(steps), str(int(here.sum()))]
            + [f"{rms(errors[here]):.0f}" for errors in (together(runs, chart.new) for runs in found.values())]
            + [f"{rms(model[here]):.0f}"]
        )
    return markdown(("steps to the nearest known", "nuclides", *(KINDS[name] for name in found), best), rows)


def beside(chart: Chart, found: Trained) -> str:
    """What the spread between seeds tells of the error, what weight decay does seed by seed, and where the networks err most."""
    lines = []
    for name, runs in found.items():
        spread = np.std([predicted(run, chart.new) for run in runs], axis=0, ddof=1)
        rho = float(rank_correlation(spread, np.abs(together(runs, chart.new))))
        lines.append(f"{KINDS[name]}: rho of the spread between seeds and the size of the error {rho:.2f}.")
    if {"binding", "binding-without-decay"} <= found.keys():
        decayed, without = (
            np.log([rms(errors_of(run, chart.new)) for run in found[name]])
            for name in ("binding", "binding-without-decay")
        )
        low, high = np.exp(student((without - decayed).tolist()) or (np.nan, np.nan))
        mean = np.exp(np.mean(without - decayed))
        lines.append(f"RMS without weight decay over that with it: {mean:.2f} ({low:.2f} to {high:.2f}).")
    if "binding" in found:
        errors = together(found["binding"], chart.new)
        worst = (
            f"Z = {chart.new.z[i]}, N = {chart.new.n[i]}: {errors[i]:+.0f}" for i in np.argsort(-np.abs(errors))[:8]
        )
        lines.append(f"The largest errors of the mean of the networks, keV: {', '.join(worst)}.")
    lines.append(f"{chart.beyond} more new nuclides are of elements of which no mass was known: left out.")
    return "\n".join(f"* {line}" for line in lines)


def draw(chart: Chart, found: Trained, out: Path) -> None:
    """RMS for the new nuclides by every description, and where on the chart the networks err."""
    with matplotlib.rc_context(style.RC):
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(2, 3))
        _bars(left, chart, found)
        _errors(figure, right, chart, found)
        save(figure, out)


def _bars(place: Axes, chart: Chart, found: Trained) -> None:
    values = {name: new for name, (_, new) in by_formulas(chart).items()}
    values |= {f"{KINDS[name]}, mean": rms(together(runs, chart.new)) for name, runs in found.items()}
    ordered = sorted(values, key=values.__getitem__, reverse=True)
    colours = [style.SERIES[0] if name.startswith("network") else style.SOFT for name in ordered]
    bars = place.barh(ordered, [values[name] for name in ordered], color=colours)
    place.bar_label(bars, fmt="{:,.0f}", padding=3)
    place.set_xscale("log")
    place.set_xlim(100, 4 * max(values.values()))
    place.xaxis.set_major_formatter("{x:,.0f}")
    place.set_xlabel("RMS for the new nuclides (keV)")


def _errors(figure: Figure, place: Axes, chart: Chart, found: Trained) -> None:
    errors = together(next(iter(found.values())), chart.new) / 1000
    place.scatter(chart.trained.n, chart.trained.z, s=4, color=style.SOFT, alpha=0.25, linewidths=0)
    largest = float(np.abs(errors).max())
    drawn = place.scatter(
        chart.new.n,
        chart.new.z,
        s=26,
        c=errors,
        cmap="PuOr",
        norm=TwoSlopeNorm(0.0, -largest, largest),
        edgecolors="black",
        linewidths=0.4,
    )
    figure.colorbar(drawn, ax=place, label="network less measured (MeV)")
    place.set_xlabel("N")
    place.set_ylabel("Z")
    place.set_title("known in 2016 (grey), and measured since", loc="left")


def tell(store: Path) -> str:
    """The tables; the picture is written on the way."""
    chart, found = Chart(), trained("new-nuclides", store)
    draw(chart, found, PICTURE)
    return "\n\n".join([skill(chart, found), by_distance(chart, found), beside(chart, found)])


if __name__ == "__main__":
    main(tell, __doc__ or "")
