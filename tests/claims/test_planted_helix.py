"""Claims of the helix: planted helices, and lines, walks and arcs in their place."""

import numpy as np
import pytest
from planted import WIDTH, along, circle, embedded, falsehood, helix, limit, parity, shaped, trained, truth

from claims.test_task_of_origin import TASKS
from nuclr.analysis.nulls import random_walks
from nuclr.verdict.statistics import Verdict

NOISY = 0.2


def arc(symbol):
    """A smooth curve of one turn and a half: continuous, and no helix."""
    return np.column_stack([along(symbol), 0.5 * circle(symbol, 1.5)])


def wave(symbol):
    """A wave in a plane: it goes up and down where a helix goes round."""
    return helix(symbol)[:, :2]


def mixed_up(symbol):
    return np.random.default_rng(0).permutation(arc(symbol))


def walking(config):
    """Every number a random step from the one before."""
    walks = [random_walks(len(along(symbol)), WIDTH, 1, 2 * config.seed + i)[0] for i, symbol in enumerate("ZN")]
    return embedded(config, *walks)


def walking_n(config):
    return walking(config).with_embedding("Z", HELIX(config).embedding("Z"))


def even_and_odd(symbol):
    return np.column_stack([along(symbol), 0.5 * parity(symbol)])


LINE, ARC, HELIX, MIXED_UP = (shaped(shape) for shape in (along, arc, helix, mixed_up))
HELIX_OF_N = shaped(along, helix)
OTHER_HELIX, OTHER_HELIX_OF_N = shaped(helix, salt=1), shaped(along, helix, salt=1)
NOISY_HELIX, PARITY = shaped(helix, noise=NOISY), shaped(even_and_odd)


def binding(network, other=LINE):
    runs = {"binding": network, "neutron-separation": other, "binding-without-decay": ARC}
    return lambda: {name: trained(name, network) for name, network in runs.items()}


def decay(with_it=HELIX, without=ARC, ratio=1.0):
    def worse(_):
        return {"validation_rms.binding": 100.0 * ratio}

    return lambda: {
        "binding": trained("binding", with_it),
        "binding-without-decay": trained("binding-without-decay", without, worse),
    }


def theory(on_data, on_semf):
    return lambda: {"binding": trained("binding", on_data), "binding-semf": trained("binding-semf", on_semf)}


def tasks(**planted):
    """Every task has its line, but for those where another network is planted."""
    structures = {"binding": HELIX, "neutron_separation": PARITY, "proton_separation": PARITY} | planted
    return lambda: {task: trained(task, structures.get(task.replace("-", "_"), LINE)) for task in TASKS}


def joint(network):
    return lambda: {"joint": trained("joint", network)}


CASES = [
    truth("helix", "helices of five turns", runs=binding(HELIX)),
    falsehood("helix", "a straight line for Z", Verdict.NOT_REPRODUCED, ["margin-z"], runs=binding(HELIX_OF_N)),
    falsehood("helix", "a random walk for N", Verdict.NOT_REPRODUCED, ["margin-n"], runs=binding(walking_n)),
    falsehood("helix", "the same helices without binding energies", Verdict.INCONCLUSIVE, runs=binding(HELIX, HELIX)),
    # A wave in a plane is half a turn one way and half the other: H is 0.5, and smooth noise has 0.3. Trained runs of the cpu
    # profile have next to nothing in the other sense, so theirs are no such waves.
    limit("helix", "waves in a plane", Verdict.REPRODUCED, runs=binding(shaped(wave))),
    truth("helix-needs-weight-decay", "helices with it, an arc without", runs=decay()),
    falsehood(
        "helix-needs-weight-decay",
        "helices without it too",
        Verdict.NOT_REPRODUCED,
        ["difference-z", "difference-n"],
        runs=decay(without=OTHER_HELIX),
    ),
    falsehood(
        "helix-needs-weight-decay",
        "a helix of N without it too",
        Verdict.NOT_REPRODUCED,
        ["difference-n"],
        runs=decay(without=OTHER_HELIX_OF_N),
    ),
    falsehood(
        "helix-needs-weight-decay",
        "numbers mixed up without it",
        Verdict.NOT_REPRODUCED,
        ["continuity"],
        runs=decay(without=MIXED_UP),
    ),
    falsehood(
        "helix-needs-weight-decay",
        "three times the error without it",
        Verdict.NOT_REPRODUCED,
        ["validation-ratio"],
        runs=decay(ratio=3.0),
    ),
    truth("helix-cleaner-on-theory", "noise in the helix of the data", runs=theory(NOISY_HELIX, HELIX)),
    falsehood(
        "helix-cleaner-on-theory",
        "noise in the helix of theory",
        Verdict.NOT_REPRODUCED,
        runs=theory(HELIX, NOISY_HELIX),
    ),
    falsehood(
        "helix-cleaner-on-theory",
        "noise in both",
        Verdict.INCONCLUSIVE,
        runs=theory(NOISY_HELIX, shaped(helix, noise=NOISY, salt=1)),
    ),
    truth("task-of-origin", "a helix of binding, parity of separation", runs=tasks()),
    falsehood(
        "task-of-origin",
        "a helix of alpha decay",
        Verdict.NOT_REPRODUCED,
        ["helix-margin"],
        runs=tasks(binding=LINE, alpha_decay=HELIX),
    ),
    falsehood(
        "task-of-origin",
        "parity of the charge radius",
        Verdict.NOT_REPRODUCED,
        ["parity-margin"],
        runs=tasks(neutron_separation=LINE, proton_separation=LINE, charge_radius=PARITY),
    ),
    falsehood(
        "task-of-origin",
        "a helix of each task",
        Verdict.INCONCLUSIVE,
        runs=tasks(**{task.replace("-", "_"): HELIX for task in TASKS}),
    ),
    truth("not-phantom", "helices", runs=joint(HELIX)),
    falsehood("not-phantom", "random walks", Verdict.NOT_REPRODUCED, runs=joint(walking)),
    falsehood(
        "not-phantom",
        "noise without any order",
        Verdict.INCONCLUSIVE,
        runs=joint(shaped(lambda symbol: 0 * along(symbol), noise=1.0)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_planted_is_judged_for_what_it_is(case, judge):
    assert judge(case) == (case.verdict, set(case.misses))
