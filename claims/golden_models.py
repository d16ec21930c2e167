"""Two trained networks, kept in golden/models, and what every analysis reads in them: whether an analysis has drifted.

    python -m claims.golden_models                 recompute, print old and new, record; look at it before you commit it
    python -m claims.golden_models --from runs     the same after taking the networks anew from a store of trained runs

Where anything has changed it ends 1: a golden is never made green by itself. The networks are the first seeds of `binding` and
`joint` of the cpu profile (`python -m nuclr train --profile cpu --only binding --only joint`): their weights, and not that they
can be trained again, are what is golden here. A test compares (tests/test_golden_models.py).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file
from threadpoolctl import threadpool_limits

from claims.conftest import Nuclides, nuclides, penultimate
from claims.figures import best_match
from claims.landscape import most_bound
from claims.test_attention_differs import COMPONENTS
from claims.test_few_pcs import at_place, rms_by_count
from claims.test_helix import window
from claims.test_pc0_is_bulk import walk
from claims.test_ring_is_stability import BESIDE, NEUTRONS, RING, Ring, correlation
from claims.test_semf_misses_shells import excess, kink
from claims.test_shell_pc import shell_term
from nuclr.analysis import helix, nulls
from nuclr.analysis.arithmetic import RELATIONS, recover
from nuclr.analysis.pca import components, cosines, leading, random_directions
from nuclr.analysis.phantom import band, portrait
from nuclr.analysis.ranks import rank_correlation
from nuclr.analysis.shells import smallest_difference
from nuclr.analysis.similarity import cka, procrustes_distance
from nuclr.analysis.structure import neighbour_distance, orderedness, parity_split
from nuclr.config import from_dict
from nuclr.data import table
from nuclr.model.probe import TRAINED_NUMBERS, Probe
from nuclr.physics.formulas import TERMS, pairing
from nuclr.runs import named
from nuclr.train.examples import examples
from nuclr.train.plan import require
from nuclr.train.store import Store

FOLDER = Path(__file__).parents[1] / "golden" / "models"
RECORD = FOLDER / "analyses.json"
NETWORKS = ("binding", "joint")
KEPT = ("config", "low", "high", "fingerprint", "profile", "steps", "arithmetic", "device", "versions")
DRAWS = 10  # of nulls: their generator is what is watched, not their quantile

Readings = dict[str, list[float]]

# How far a reading may be off, as a share of the largest number in it. Analyses run in float64 on the CPU: from one build of
# BLAS to another their last digits differ, which decompositions magnify to some 1e-10.
TOLERANCE = 1e-6
WIDER = {
    "Equation 2": 1e-3,  # an optimiser, which stops where its steps become small
    "order": 1e-12,  # shares of whole numbers, and ranks: they are the same or they are not
}


def take(store: Path) -> None:
    """Copy the networks from a store of trained runs of the cpu profile. Raises NuclrError where they are missing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in NETWORKS:
        run = require("cpu", named("cpu", name)[0], Store(store))
        shutil.copyfile(run.folder / "weights.safetensors", FOLDER / f"{name}.safetensors")
        manifest = {key: run.manifest[key] for key in KEPT}
        (FOLDER / f"{name}.json").write_text(json.dumps(manifest, indent=1) + "\n")


def network(name: str) -> Probe:
    manifest = json.loads((FOLDER / f"{name}.json").read_text())
    low, high = (np.array(manifest[key]) for key in ("low", "high"))
    return Probe.open(from_dict(manifest["config"]), load_file(FOLDER / f"{name}.safetensors"), low, high)


@threadpool_limits.wrap(limits=1)  # several threads add up in another order, and wait for one another on a busy machine
def readings() -> Readings:
    """Every analysis of the networks, by name."""
    core = nuclides(table.core)
    networks = {name: network(name) for name in NETWORKS}
    found: dict[str, Any] = {}
    for name, probe in networks.items():
        for symbol in ("Z", "N"):
            of_embedding = _embedding(probe.embedding(symbol), symbol)
            found |= {f"{reading}, {symbol} of {name}": value for reading, value in of_embedding.items()}
        found[f"RMS of the binding energy in keV, {name}"] = core.rms(probe.predict(core.z, core.n, "binding"))
    found |= _joint(networks["joint"], core)
    for symbol in ("Z", "N"):
        pair = [leading(probe.embedding(symbol), COMPONENTS) for probe in networks.values()]
        found[f"CKA and Procrustes distance, {symbol} of binding and joint"] = [cka(*pair), procrustes_distance(*pair)]
    return {name: np.atleast_1d(np.asarray(value, dtype=float)).tolist() for name, value in found.items()}


def _embedding(embedding: np.ndarray, symbol: str) -> dict[str, Any]:
    axes, numbers = leading(embedding, 3), TRAINED_NUMBERS[symbol]
    score, curve = helix.score(axes), helix.fit(window(axes, symbol))
    seen, null = portrait(embedding), band(embedding, embedding.shape[1], DRAWS, seed=0)
    margins = null.margins(seen)
    like = nulls.leading_axes(nulls.like(embedding, DRAWS, seed=0))
    return {
        "shares of the variance": seen.share,
        "H and the size of its turns": [score.h, abs(score.turns)],
        "H of smooth noise like it": [helix.score(draw).h for draw in like],
        "R2, turns, radius over length of Equation 2": [curve.r2, curve.turns, curve.radius / curve.length],
        "order along PC0": orderedness(axes[:, 0]),
        "R_P": parity_split(embedding, numbers),
        "R_P of pairs": parity_split(embedding, numbers // 2),
        "neighbour distance, in three components and in all": [neighbour_distance(axes), neighbour_distance(embedding)],
        "size of the rank correlation of PC0 with the number": abs(rank_correlation(axes[:, 0], numbers)),
        "spectra of PC0 to PC3": seen.spectra[:4, :12].ravel(),
        "margins over phantom oscillation": [margins.spectrum, margins.variance],
    }


def _joint(probe: Probe, core: Nuclides) -> dict[str, Any]:
    layer, stable = penultimate(probe, core), most_bound(core, NEUTRONS)
    axes = layer.axes()
    terms = np.stack([term(core.z, core.n) for term in TERMS.values()], axis=1)
    bulk = np.array([walk(probe, component) for component in (0, 1, 2)])
    residual = core.binding - probe.predict(core.z, core.n, "binding")
    found: dict[str, Any] = {
        "cosines of PC0 to PC5 with the terms": np.abs(cosines(axes[:, :6], terms)).ravel(),
        "shares of the variance, penultimate layer": layer.components.share[:6],
        "spans along PC0 to PC2 of Z in keV": bulk[:, 1],
        "order of the energy along PC0 to PC2 of Z": bulk[:, 0],
        "circular correlation on the ring and beside it": [
            correlation(probe, stable, plane) for plane in (RING, BESIDE)
        ],
        "size of the ring": Ring(probe, RING).radius,
        "smallest excess and kink of what is left over in keV": [
            smallest_difference(samples(residual, core)) for samples in (excess, kink)
        ],
    }
    for name, term in (("pairing", pairing), ("shell", shell_term)):
        match = best_match(axes, term(core.z, core.n))
        found[f"component and cosine of the {name} term"] = [match.component, match.cosine]
    for place in ("z", "n", "penultimate"):
        points = at_place(probe, core, place)
        principal = components(points)
        for kind, directions in {"principal": principal, "random": random_directions(principal, 0)}.items():
            found[f"RMS in keV against the {kind} components, {place}"] = list(
                rms_by_count(probe, core, place, points, directions).values()
            )
    data, names = examples(probe.config), probe.config.data.observables
    solved = recover(names, data.observable, data.z, data.n, data.value, data.train)
    found["share of held-out energies that follow by arithmetic"] = [
        solved.follows[data.validation & (data.observable == names.index(name))].mean() for name in RELATIONS
    ]
    return found


def tolerance(name: str) -> float:
    return next((wider for word, wider in WIDER.items() if word in name), TOLERANCE)


def drifted(old: Mapping[str, list[float]], new: Mapping[str, list[float]]) -> list[str]:
    """A sentence for every reading that has changed by more than its tolerance, or that only one of the two has."""
    found = []
    for name in sorted({*old, *new}):
        was, now = np.array(old.get(name, [])), np.array(new.get(name, []))
        if was.shape == now.shape:
            off = np.abs(now - was)
            if (off <= tolerance(name) * np.abs(was).max()).all():  # NaN is not
                continue
            worst = int(np.argmax(np.nan_to_num(off, nan=np.inf)))
            place = f" (number {worst + 1} of {len(was)})" if len(was) > 1 else ""
            found.append(f"drifted: {name} was {was[worst]:.9g} is {now[worst]:.9g}{place}")
        else:
            found.append(f"drifted: {name} was {_told(was)} is {_told(now)}")
    return found


def _told(values: np.ndarray) -> str:
    return f"{len(values)} number{'s' * (len(values) > 1)}" if len(values) else "not there"


def recorded() -> Readings:
    return json.loads(RECORD.read_text()) if RECORD.exists() else {}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--from", dest="store", type=Path, help="folder of trained runs to take the networks from")
    store = parser.parse_args().store
    if store:
        take(store)
    old, new = recorded(), readings()
    changes = drifted(old, new)
    lines = (f"{json.dumps(name)}: {json.dumps(values)}" for name, values in new.items())
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print("\n".join(changes) or "Nothing has drifted; the record has its digits anew.")
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main())
