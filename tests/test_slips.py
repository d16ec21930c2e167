"""Every number on docs/slips.md is computed here, from our data, measures and kept networks; no network is trained."""

import json
import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from claims.conftest import nuclides
from claims.golden_models import network
from claims.test_distilled_formula import refitted
from claims.test_helix import FIT_WINDOW
from nuclr import runs
from nuclr.analysis import helix, nulls, published
from nuclr.analysis.pca import cosine, leading
from nuclr.analysis.structure import parity_split
from nuclr.data import table
from nuclr.data.observables import OBSERVABLES, rows
from nuclr.model.network import MAX_N, MAX_Z, Network
from nuclr.physics.formulas import EQUATION_5, SEMF, pairing, volume
from nuclr.recipe import EMBEDDINGS, STRUCTURE
from nuclr.report import slips
from nuclr.verdict import registry

ROOT = Path(__file__).parent.parent
SEEDS = range(20)


# ------------------------------------------------------------------------------------------------- one function a slip


def parity_measure():
    numbers = {"Z": np.arange(9, MAX_Z + 1), "N": np.arange(9, MAX_N + 1)}
    fresh = Network(1024, 2, len(OBSERVABLES)).initialise(range(5))  # the width of figure 9
    found, fair, ratios = {"percent": 10, "draws": len(SEEDS)}, [], []
    heavy, trained = nuclides(table.heavy), network("joint")
    for symbol, column in (("Z", heavy.z), ("N", heavy.n)):
        every, low = numbers[symbol], symbol.lower()
        untrained = [both_splits(one.double().numpy(), every) for one in fresh[f"embedding.{symbol}"]]
        there = [np.unique(np.random.default_rng(seed).permutation(column)[: len(column) // 10]) for seed in SEEDS]
        missing = [len(every) - len(some) for some in there]
        embedding = np.insert(trained.embedding(symbol), 0, 0.0, axis=0)  # the number is the index, as on the line
        line = np.arange(len(embedding), dtype=float)[:, None]
        of_line, of_trained = (np.array([both_splits(one, some) for some in there]) for one in (line, embedding))
        scatter, fair_scatter = of_line.std(axis=0, ddof=1)
        fair += [one[1] for one in untrained]
        ratios.append(np.divide(*of_trained.std(axis=0, ddof=1)))
        middle = np.mean(untrained, axis=0)[0]
        found |= {
            # Which distances to itself are not zero depends on the order in which a machine adds up.
            f"untrained_{low}": (middle - 0.004, middle + 0.004),
            f"numbers_{low}": len(every),
            f"missing_{low}_least": min(missing),
            f"missing_{low}_most": max(missing),
            f"line_{low}": of_line[:, 0].mean(),
            f"scatter_{low}": scatter,
            f"fair_scatter_{low}": fair_scatter,
        }
    return found | {"untrained_fair": np.mean(fair), "ratio": (2, min(ratios))}


def both_splits(embedding, numbers):
    """R_P as published and over all pairs, of the numbers in an embedding whose row is the number."""
    return published.parity_split(embedding[numbers], numbers), parity_split(embedding[numbers], numbers)


def pairing_term():
    core = nuclides(table.core)
    right, theirs, mass = (term(core.z, core.n) for term in (pairing, published.pairing, volume))
    return {
        "nuclides": len(mass),
        "right": cosine(right, mass),
        "published": cosine(theirs, mass),
        "between": cosine(right, theirs),
    }


def coverage():
    binding, radius = ([len(untrained(name, seed)) for seed in SEEDS] for name in ("binding", "radius"))
    joint = {len(untrained(None, seed)) for seed in SEEDS}
    assert len(joint) == 1
    return {
        "first_seed": min(SEEDS),
        "last_seed": max(SEEDS),
        "draws": len(SEEDS),
        "binding_least": min(binding),
        "binding_most": max(binding),
        "binding_mean": np.mean(binding),
        "binding_draws": np.count_nonzero(binding),
        "radius_least": min(radius),
        "radius_most": max(radius),
        "joint": joint.pop(),
    }


def untrained(name, seed):
    """Held-out rows of an observable (of all, for None) whose Z or N is in no training row, half of the rows being held out."""
    data = core_rows(name)
    order = np.random.default_rng(seed).permutation(len(data))
    train, held_out = np.split(order, [len(data) // 2])
    covered = np.isin(data.z[held_out], data.z[train]) & np.isin(data.n[held_out], data.n[train])
    return held_out[~covered]


@cache
def core_rows(name):
    return rows([name]) if name else rows()


def unequal_helices():
    found = {}
    paper = runs.PROFILES["paper"]
    for kind, recipe, model, mask in (
        ("data", EMBEDDINGS, paper.model, table.core),
        ("semf", STRUCTURE, paper.fraction_model, table.heavy),
    ):
        found |= {
            f"{kind}_width": model.width,
            f"{kind}_rate": recipe.training(1_000_000, 0.2, "constant").learning_rate,
            f"{kind}_ratio": recipe.ratio,
            f"{kind}_decay": recipe.decay,
            f"{kind}_nuclides": len(nuclides(mask).z),
            f"{kind}_left": np.exp(-recipe.decay),
        }
    return found


def affine_helix():
    t = np.linspace(0.0, 1.0, 81)
    flattened = np.stack([np.cos(6 * np.pi * t), np.sin(6 * np.pi * t) / 3, 3 * t], axis=1)
    low, high = FIT_WINDOW["N"]
    walks = [leading(walk, 3) for walk in nulls.random_walks(high - low + 1, 128, 10, seed=0)]
    r2 = np.array([(helix.fit(walk).r2, published.affine_helix_r2(walk)) for walk in walks])
    start = np.concatenate([[2.0, 0.3, 1.0, 3.0], np.random.default_rng(0).standard_normal(15)])
    return {
        "affine_free": free_numbers(lambda p: equation_2(p[:10]) @ p[10:].reshape(3, 3), start),
        "equation_free": free_numbers(equation_2, start[:10]),
        "flat_turns": 3,
        "flat_equation": helix.fit(flattened).r2,
        "flat_affine": published.affine_helix_r2(flattened),
        "walks": len(walks),
        "walk_numbers": high - low + 1,
        "walk_dimensions": 128,
        "walk_equation": r2[:, 0].mean(),
        "walk_affine": r2[:, 1].mean(),
        "walk_gain": (r2[:, 1] - r2[:, 0]).max(),
    }


def equation_2(p):
    """Points (81, 3) of Equation 2: turns, phase, radius, length, rotation vector of the frame, origin."""
    (turns, phase, radius, length), frame = p[:4], Rotation.from_rotvec(p[4:7]).as_matrix()
    t = np.linspace(0.0, 1.0, 81)
    angle = 2 * np.pi * turns * t + phase
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), length * t], axis=1) @ frame.T + p[7:]


def free_numbers(curve, p, step=1e-6):
    """How many of the parameters p of a curve are independent: the rank of its derivative."""
    moves = [(curve(p + step * one) - curve(p - step * one)).ravel() / step for one in np.eye(len(p))]
    return np.linalg.matrix_rank(np.array(moves), tol=1e-5 * np.linalg.norm(moves))


def semf_error():
    found = {}
    for suffix, of in (("", nuclides(table.well_measured)), ("_core", nuclides(table.core))):
        found |= {
            f"semf{suffix}": of.semf_rms,
            f"formula{suffix}": of.rms(EQUATION_5.predict(of.z, of.n)),
            f"semf{suffix}_refit": refitted(SEMF, of),
            f"formula{suffix}_refit": refitted(EQUATION_5, of),
            f"nuclides{suffix}": len(of.z),
        }
    of = nuclides(table.well_measured)
    without = replace(SEMF, terms=SEMF.terms[:-1], coefficients=SEMF.coefficients[:-1])
    odd = without.predict(of.z, of.n) + SEMF.coefficients[-1] * published.pairing(of.z, of.n)
    return found | {"semf_odd": of.rms(odd)}


ATOMIC_MASS_UNIT, PROTON = 931_494.10242, 938_272.08816  # keV, CODATA 2018


def definitions():
    everything = table.load()
    excess = dict(zip(zip(everything.z, everything.n, strict=True), everything.mass_excess, strict=True))
    core = everything[table.core(everything)]

    def left(dz, dn, *emitted):
        """Mass excess of each nuclide, less that of the daughter (Z + dZ, N + dN) and of what is emitted, keV."""
        daughter = [excess.get((z + dz, n + dn), np.nan) for z, n in zip(core.z, core.n, strict=True)]
        return core.mass_excess.to_numpy() - daughter - sum(excess[nuclide] for nuclide in emitted)

    hydrogen, neutron, alpha = (1, 0), (0, 1), (2, 2)
    printed = (left(-1, 1, alpha) - 4 * ATOMIC_MASS_UNIT)[core.qa.notna()]
    differs = (core.qbm_n - core.q2bm).dropna()
    return {
        "qa_within": np.nanmax(np.abs(core.qa - left(-2, -2, alpha))),
        "qa_printed": np.nanmean(printed) / 1e6,
        "qa_least": core.qa.min() / 1e3,
        "qa_most": core.qa.max() / 1e3,
        "qbmn_within": np.nanmax(np.abs(core.qbm_n - left(1, -2, neutron))),
        "qbmn_differs": np.sqrt(np.mean(differs**2)) / 1e3,
        "qbmn_nuclides": len(differs),
        "sp_within": np.nanmax(np.abs(core.sp + left(-1, 0, hydrogen))),
        "proton": excess[hydrogen] - (PROTON - ATOMIC_MASS_UNIT),
    }


def train_error():
    claim = json.loads((ROOT / "golden" / "cpu" / "evidence.json").read_text())["claims"]["train-fits"]
    notes = {note["label"]: note["values"] for note in claim["notes"]}
    joint = notes["train RMS of the binding energy, all ten observables"]
    binding = notes["train RMS of the binding energy, binding energy alone"]
    return {"joint": np.mean(joint), "binding": np.mean(binding), "seeds": len(joint)}


COMPUTED = {
    "parity-measure": parity_measure,
    "pairing-term": pairing_term,
    "coverage": coverage,
    "unequal-helices": unequal_helices,
    "affine-helix": affine_helix,
    "semf-error": semf_error,
    "definitions": definitions,
    "train-error": train_error,
}

# ------------------------------------------------------------------------------------------------------------ the page


def agrees(printed, found):
    """Whether a number rounds to what is printed; of a pair, whether what is printed lies between the two."""
    if isinstance(found, tuple):
        return found[0] <= float(printed) <= found[1]
    return f"{found:.{len(printed.partition('.')[2])}f}" == printed


@pytest.mark.parametrize("slip", slips.load(), ids=lambda slip: slip.id)
def test_every_number_of_a_slip_is_what_is_computed(slip):
    found = COMPUTED[slip.id]()
    assert found.keys() == slip.numbers.keys()
    wrong = {name: (printed, found[name]) for name, printed in slip.numbers.items() if not agrees(printed, found[name])}
    assert not wrong, f"slips.toml prints other numbers of {slip.id} (printed, computed): {wrong}"


def test_the_page_is_written_from_the_source():
    page = (ROOT / "docs" / "slips.md").read_text(encoding="utf-8")
    assert page == slips.markdown(slips.load()), "run `python -m nuclr.report.slips > docs/slips.md`"


# What may stand in a sentence as it is: places in the paper, names, and definitions of sets.
NO_RESULT = "|".join(
    (
        *(
            r"Figure \d+",
            r"Equation \d",
            r"Section \d\.\d",
            r"Appendix [A-G](\.\d)?",
            r"PC\d",
            "R2",
            "AME2020",
            "`[^`]+`",
        ),
        *(r"\(Z - \d, N [-+] \d\)", r"above \d", "100 keV", "1 keV", r"\d0 %"),
    )
)


def test_every_number_is_named_and_used():
    for table_of, slip in zip(
        tomllib.loads(slips.SOURCE.read_text(encoding="utf-8"))["slips"], slips.load(), strict=True
    ):
        sentences = " ".join(table_of[part] for part in slips.PARTS)
        assert set(re.findall(r"\{(\w+)\}", sentences)) == slip.numbers.keys() | slip.cited.keys()
        assert not re.findall(r"\d+", re.sub(rf"{NO_RESULT}|\{{\w+\}}", "", sentences)), slip.id


def test_what_hangs_on_a_slip_are_claims():
    claims = registry.load(ROOT / "claims" / "paper.toml").claims
    for slip in slips.load():
        assert slip.claims
        assert set(slip.claims) <= set(claims)


def test_both_helices_have_the_same_settings_here():
    for profile in ("cpu", "wide"):
        data, theory = (runs.named(profile, name) for name in ("binding", "binding-semf"))
        assert [(run.model, run.training) for run in data] == [(run.model, run.training) for run in theory]
