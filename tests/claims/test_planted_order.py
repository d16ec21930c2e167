"""Claims of order and parity: embeddings planted with more or less of either, beside errors that go with it or do not."""

from functools import cache

import numpy as np
import pytest
from planted import along, circle, embedded, falsehood, limit, parity, scattered, shaped, trained, truth

from nuclr.runs import FRACTIONS, GENERALISING, MEMORISING
from nuclr.verdict.statistics import Verdict

VARIANTS = ("joint", "joint-without-numbers")


def counting(symbol):
    """The numbers along the first component, on a bent line."""
    return np.column_stack([along(symbol), 0.3 * circle(symbol, 1.0)])


def mixed_up(symbol):
    """The same points, handed to other numbers."""
    return np.random.default_rng(0).permutation(counting(symbol))


def even_and_odd(symbol):
    """The first component tells even from odd, the second counts."""
    return np.column_stack([2 * parity(symbol), along(symbol)])


ORDERED, MIXED_UP, BY_PARITY = (shaped(shape, noise=0.001) for shape in (counting, mixed_up, even_and_odd))


def variants(**planted):
    """Runs with ordered embeddings, but for a variant where another network is planted."""
    return lambda: {name: trained(name, planted.get(name.replace("-", "_"), ORDERED)) for name in VARIANTS}


def strength(config, salt=0):
    """How much structure a run of figure 9 has, 0 to 1: it grows with the fraction, by seeds that differ."""
    draw = np.random.default_rng([round(100 * config.data.fraction), config.seed, salt]).uniform(-0.1, 0.1)
    return (config.data.fraction + 0.1 + draw) / 1.1


def luck(config):
    """Nothing that structure knows of, 0 to 1."""
    return np.random.default_rng([round(100 * config.data.fraction), config.seed, 99]).uniform()


def ordered_to(amount, symbol, seed):
    """The numbers in an order that is the better the larger the amount (0 to 1), 0.6 to 1 of the neighbours."""
    rng = np.random.default_rng(seed)
    line = along(symbol)
    jitter = 2 / len(line) * (0.15 + 2 * (1 - amount)) * rng.standard_normal(len(line))
    return scattered(line + jitter, seed, noise=0.001)


def parity_to(amount, symbol, seed):
    """Even and odd numbers the further apart the larger the amount."""
    return scattered(np.column_stack([along(symbol), 0.3 * amount * parity(symbol)]), seed)


def sweep(structure, error, train=luck, of_n=strength):
    """The runs of figure 9 with so much structure, and validation and train errors that fall with what is named."""

    def network(config):
        z, n = (
            structure(of(config), s, 2 * config.seed + i) for i, (s, of) in enumerate([("Z", strength), ("N", of_n)])
        )
        return embedded(config, z, n)

    def errors(config):
        held_out = 2000 - 1000 * error(config)
        return {
            "validation_rms.binding": held_out,
            "validation.measured_rms.binding": held_out,
            "train_rms.binding": 200 - 100 * train(config),
        }

    return lambda: {name: trained(name, network, errors) for name in FRACTIONS}


def less(config):
    return -strength(config)


def with_luck(salt):
    """What goes with structure as well as another of these does."""
    return lambda config: strength(config, salt)


def hardly_less(config):
    return 0.7 * strength(config) + 0.3 * luck(config)


def growing(**kinds):
    """Runs whose order and parity have come to the named amounts (order, parity) at the end, and grow with the step."""

    @cache
    def at(config, step):
        order, split = kinds["generalising" if config.name == GENERALISING else "memorising"]
        share = 1.0 if step is None else step / config.training.steps
        rng = np.random.default_rng(config.seed)
        embeddings = []
        for symbol in ("Z", "N"):
            line = along(symbol)
            jitter = 2 / len(line) * (0.3 + 2 * (1 - share * order)) * rng.standard_normal(len(line))
            columns = np.column_stack([line + jitter, 0.3 * share * split * parity(symbol)])
            embeddings.append(scattered(columns, config.seed, noise=0.001))
        return embedded(config, *embeddings)

    return lambda: {name: trained(name, at=at) for name in (GENERALISING, MEMORISING)}


CASES = [
    truth("number-order", "the numbers on a bent line", runs=variants()),
    falsehood(
        "number-order",
        "other numbers, with all targets",
        Verdict.NOT_REPRODUCED,
        ["order-z", "order-n"],
        runs=variants(joint=MIXED_UP),
    ),
    falsehood(
        "number-order",
        "other numbers, without Z and N as targets",
        Verdict.NOT_REPRODUCED,
        ["order-z-without-numbers", "order-n-without-numbers"],
        runs=variants(joint_without_numbers=MIXED_UP),
    ),
    falsehood(
        "number-order",
        "parity before order",
        Verdict.NOT_REPRODUCED,
        ["order-z", "order-n"],
        runs=variants(joint=BY_PARITY),
    ),
    truth("order-tracks-validation", "errors that fall with order", runs=sweep(ordered_to, strength)),
    falsehood("order-tracks-validation", "errors drawn by lot", Verdict.INCONCLUSIVE, runs=sweep(ordered_to, luck)),
    falsehood("order-tracks-validation", "errors that rise", Verdict.NOT_REPRODUCED, runs=sweep(ordered_to, less)),
    falsehood(
        "order-tracks-validation",
        "order of N by lot",
        Verdict.INCONCLUSIVE,
        ["rho-n"],
        runs=sweep(ordered_to, strength, of_n=luck),
    ),
    truth("parity-tracks-validation", "errors that fall with parity", runs=sweep(parity_to, strength)),
    falsehood("parity-tracks-validation", "errors drawn by lot", Verdict.INCONCLUSIVE, runs=sweep(parity_to, luck)),
    falsehood("parity-tracks-validation", "errors that rise", Verdict.NOT_REPRODUCED, runs=sweep(parity_to, less)),
    falsehood(
        "parity-tracks-validation",
        "parity of N by lot",
        Verdict.INCONCLUSIVE,
        ["rho-n"],
        runs=sweep(parity_to, strength, of_n=luck),
    ),
    truth("order-ignores-train-error", "only the validation error falls", runs=sweep(ordered_to, strength)),
    falsehood(
        "order-ignores-train-error",
        "only the train error falls",
        Verdict.NOT_REPRODUCED,
        runs=sweep(ordered_to, luck, train=strength),
    ),
    falsehood(
        "order-ignores-train-error",
        "both errors fall alike",
        Verdict.INCONCLUSIVE,
        runs=sweep(ordered_to, with_luck(1), train=with_luck(2)),
    ),
    # The bound asks which of the two correlations is the stronger, not that the other vanish.
    limit(
        "order-ignores-train-error",
        "the train error falls, if not quite as steadily",
        Verdict.REPRODUCED,
        runs=sweep(ordered_to, strength, train=hardly_less),
    ),
    truth("structure-evolution", "both grow", runs=growing(generalising=(1, 1), memorising=(0, 0))),
    falsehood(
        "structure-evolution",
        "order grows in memorising runs too",
        Verdict.INCONCLUSIVE,
        ["order-gap"],
        runs=growing(generalising=(1, 1), memorising=(1, 0)),
    ),
    falsehood(
        "structure-evolution",
        "parity grows in memorising runs alone",
        Verdict.NOT_REPRODUCED,
        ["parity-gap"],
        runs=growing(generalising=(1, 0), memorising=(0, 1)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_planted_is_judged_for_what_it_is(case, judge):
    assert judge(case) == (case.verdict, set(case.misses))
