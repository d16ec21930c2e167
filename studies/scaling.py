"""How far can the profile cpu be trusted: how do what the claims measure, and where it stands against their bounds, move with
the width of the network and the length of the training? `python -m studies.scaling` prints the tables of docs/scaling.md and
draws its curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from claims.conftest import Nuclides, Run, nuclides, penultimate
from claims.figures import best_match
from claims.landscape import most_bound
from claims.test_few_pcs import at_place, needed, rms_by_count
from claims.test_helix import margin, noise, window
from claims.test_number_order import pc0
from claims.test_ring_is_stability import NEUTRONS, correlation
from claims.test_shell_pc import shell_term
from nuclr.analysis import helix
from nuclr.analysis.pca import components, cosine
from nuclr.analysis.structure import orderedness, parity_split
from nuclr.data import table
from nuclr.errors import NuclrError
from nuclr.model.probe import TRAINED_NUMBERS
from nuclr.physics.formulas import TERMS, pairing
from nuclr.report import style
from nuclr.studies import SEEDS, SLOWER, STEPS, WIDTHS
from nuclr.verdict import registry
from nuclr.verdict.registry import Measure
from nuclr.verdict.statistics import Verdict, decide, student
from studies.reading import Trained, main, markdown, save, trained

Array = NDArray[np.float64]
# Size to name of its profile or study; the profile cpu lies on every axis.
AXES: dict[str, dict[int, str]] = {
    "width": dict(sorted({128: "cpu", **{width: f"width-{width}" for width in WIDTHS}}.items())),
    "steps, less decay": dict(sorted({15_000: "cpu", **{steps: f"steps-{steps}" for steps in STEPS}}.items())),
    "steps, lower rate": dict(sorted({15_000: "cpu", **{steps: f"slower-{steps}" for steps in SLOWER}}.items())),
}
MARKS = {Verdict.REPRODUCED: "●", Verdict.NOT_REPRODUCED: "○", Verdict.INCONCLUSIVE: "◐"}
PICTURE = Path("docs/scaling.png")


@cache
def core() -> Nuclides:
    return nuclides(table.core)


@cache
def highest_noise(shape: tuple[int, int]) -> float:
    return max(noise(np.empty(shape)).values())


def helix_margin(run: Run, symbol: str) -> float:
    k, d = run.probe.embedding(symbol).shape
    return margin(run, symbol, highest_noise((k, d)))


def fitted(run: Run, symbol: str) -> helix.Helix:
    """Equation 2 through the numbers where the paper fits it."""
    found = helix.fit(window(run.axes(symbol), symbol))
    assert found.converged
    return found


def order(run: Run, symbol: str) -> float:
    return orderedness(pc0(run.probe, symbol))


def parity(run: Run, symbol: str) -> float:
    return parity_split(run.probe.embedding(symbol), TRAINED_NUMBERS[symbol])


def volume(run: Run) -> float:
    return abs(cosine(penultimate(run.probe, core()).axes(1)[:, 0], TERMS["volume"](core().z, core().n)))


def matched(run: Run, term: Callable[..., Array]) -> float:
    return best_match(penultimate(run.probe, core()).axes(), term(core().z, core().n)).cosine


def components_needed(run: Run, place: str) -> float:
    points = at_place(run.probe, core(), place)
    curve = rms_by_count(run.probe, core(), place, points, components(points))
    return needed(curve, core().semf_rms, run.probe.config.model.width)


@dataclass(frozen=True)
class Reading:
    """A number that is read in the runs `kind` ("binding" or "joint"), and the measure of a claim whose bound it has, if any."""

    label: str
    kind: str
    read: Callable[[Run], float]
    claim: str | None = None
    measure: str | None = None
    digits: int = 2


def error(name: str) -> Callable[[Run], float]:
    return lambda run: run.error(name)


# A group is a panel of the picture.
READINGS: dict[str, list[Reading]] = {
    "RMS on held-out nuclides (keV)": [
        Reading("binding energy alone", "binding", error("validation_rms.binding"), digits=0),
        Reading("all observables", "joint", error("validation_rms.binding"), digits=0),
    ],
    "RMS on the training data (keV)": [
        Reading("binding energy alone", "binding", error("train_rms.binding"), "train-fits", "train-rms", 0),
        Reading("all observables", "joint", error("train_rms.binding"), "train-fits", "train-rms", 0),
    ],
    "H less that of noise": [
        Reading("Z", "binding", partial(helix_margin, symbol="Z"), "helix", "margin-z"),
        Reading("N", "binding", partial(helix_margin, symbol="N"), "helix", "margin-n"),
    ],
    "R² of Equation 2": [
        Reading("Z", "binding", lambda run: fitted(run, "Z").r2),
        Reading("N", "binding", lambda run: fitted(run, "N").r2),
    ],
    "turns of Equation 2": [
        Reading("Z from 25 to 80", "binding", lambda run: fitted(run, "Z").turns, digits=1),
        Reading("N from 40 to 120", "binding", lambda run: fitted(run, "N").turns, digits=1),
    ],
    "order of the numbers along PC0": [
        Reading("Z", "joint", partial(order, symbol="Z"), "number-order", "order-z"),
        Reading("N", "joint", partial(order, symbol="N"), "number-order", "order-n"),
    ],
    "parity split R_P": [
        Reading("Z", "joint", partial(parity, symbol="Z"), digits=3),
        Reading("N", "joint", partial(parity, symbol="N"), digits=3),
    ],
    "components needed to beat the SEMF": [
        Reading("of Z", "joint", partial(components_needed, place="z"), "few-pcs", "components-z", 1),
        Reading("of N", "joint", partial(components_needed, place="n"), "few-pcs", "components-n", 1),
        Reading(
            "penultimate",
            "joint",
            partial(components_needed, place="penultimate"),
            "few-pcs",
            "components-penultimate",
            1,
        ),
    ],
    "cosine with a term of the mass formula": [
        Reading("PC0 and volume", "joint", volume, "volume-pc", "cosine", 3),
        Reading("best PC and pairing", "joint", partial(matched, term=pairing), "pairing-pc", "cosine"),
        Reading("best PC and shell", "joint", partial(matched, term=shell_term), "shell-pc", "cosine"),
    ],
    "most bound Z against the angle on the ring": [
        Reading(
            "circular correlation",
            "joint",
            lambda run: correlation(run.probe, most_bound(core(), NEUTRONS)),
            "ring-is-stability",
            "circular-correlation",
        ),
    ],
}

Found = dict[str, dict[str, Array]]  # "group, label" -> profile -> a value a seed


def name_of(group: str, reading: Reading) -> str:
    return group if len(READINGS[group]) == 1 else f"{group}: {reading.label}"


def read(store: Path) -> Found:
    """Every reading in every run that the store has: the first seeds of the profile cpu, so that all rest on as many."""
    found: Found = {name_of(group, one): {} for group, readings in READINGS.items() for one in readings}
    profiles = dict.fromkeys(name for sizes in AXES.values() for name in sizes.values())
    for profile in sorted(profiles, key="cpu".__ne__):
        try:
            runs = trained(profile, store, ("binding", "joint"))
        except NuclrError:
            if profile == "cpu":  # without it there is nothing to compare with
                raise
            continue  # `trained` has told what is left out
        for name, values in read_in(runs).items():
            found[name][profile] = values
    return found


def read_in(runs: Trained) -> dict[str, Array]:
    """Every reading of "binding" and "joint" runs, as far as they are there, in the first seeds."""
    return {
        name_of(group, one): np.array([float(one.read(run)) for run in runs[one.kind][:SEEDS]])
        for group, readings in READINGS.items()
        for one in readings
        if one.kind in runs
    }


def bounds() -> dict[str, Measure]:
    """The measure of paper.toml behind each reading that has one."""
    claims = registry.load(Path("claims/paper.toml")).claims
    return {
        name_of(group, one): claims[one.claim].measures[one.measure]
        for group, readings in READINGS.items()
        for one in readings
        if one.claim is not None and one.measure is not None
    }


def cell(values: Array, digits: int, measure: Measure | None) -> str:
    """ "0.93 ± 0.05 ●": the mean over seeds, half of its 95 % interval, and where that stands against the bound."""
    interval = student(list(values))
    told = f"{values.mean():.{digits}f}" + (
        "" if interval is None else f" ± {(interval[1] - interval[0]) / 2:.{digits}f}"
    )
    if measure is None:
        return told
    verdict, _ = decide(student(list(values), measure.range), measure.bound, value=float(values.mean()))
    return f"{told} {MARKS[verdict]}"


def along(axis: str, found: Found) -> str:
    """The table of one axis."""
    return side_by_side(axis, {f"{size:,}": name for size, name in AXES[axis].items()}, found)


def side_by_side(corner: str, columns: dict[str, str], found: Found) -> str:
    """A table of what was found, a column a header and profile; a column of nothing is left out, an empty cell was not read."""
    judged = bounds()
    there = {header: name for header, name in columns.items() if any(name in by for by in found.values())}
    rows = []
    for group, readings in READINGS.items():
        for one in readings:
            name = name_of(group, one)
            measure = judged.get(name)
            cells = [
                cell(found[name][profile], one.digits, measure) if profile in found[name] else ""
                for profile in there.values()
            ]
            rows.append([name, "" if measure is None else str(measure.bound), *cells])
    return markdown((corner, "bound", *there), rows)


def draw(found: Found, out: Path) -> None:
    """A row a group, a column an axis: means over seeds against the size, their range as a band, the bound as a line."""
    with matplotlib.rc_context(style.RC):
        figure = Figure(figsize=(10, 1.75 * len(READINGS)), layout="constrained")
        grid = figure.subplots(len(READINGS), len(AXES), sharex="col", sharey="row", squeeze=False)
        for row, (group, readings) in zip(grid, READINGS.items(), strict=True):
            row[0].set_title(group)
            ends = {end for name, measure in bounds().items() if name.startswith(group) for end in measure.bound.ends}
            for place, (axis, sizes) in zip(row, AXES.items(), strict=True):
                for end in ends:
                    place.axhline(end, color=style.SOFT, linewidth=0.9, linestyle=(0, (4, 3)))
                for i, one in enumerate(readings):
                    _line(place, found[name_of(group, one)], sizes, one.label, i)
                place.set_xscale("log")
                place.set_xticks(list(sizes), [f"{size:,}" for size in sizes])
                place.minorticks_off()
                place.grid(axis="y")
                place.set_xlabel(axis if group == list(READINGS)[-1] else "")
            if "keV" in group:
                row[0].set_yscale("log")
                row[0].yaxis.set_major_formatter("{x:,.0f}")
            row[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        save(figure, out)


def _line(place: Axes, by: dict[str, Array], sizes: dict[int, str], label: str, number: int) -> None:
    there = [size for size, profile in sizes.items() if profile in by]
    values = np.array([by[sizes[size]] for size in there])
    colour = style.SERIES[number]
    place.fill_between(there, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.18, linewidth=0)
    place.plot(there, values.mean(axis=1), color=colour, marker=style.MARKERS[number], label=label)


def tell(store: Path) -> str:
    """The tables; the picture is written on the way."""
    found = read(store)
    draw(found, PICTURE)
    return "\n\n".join(along(axis, found) for axis in AXES)


if __name__ == "__main__":
    main(tell, __doc__ or "")
