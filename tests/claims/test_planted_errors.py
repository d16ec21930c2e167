"""Claims of errors, and of one kind of network against another: planted in the errors that runs ended with, or in shapes."""

from dataclasses import replace

import numpy as np
import pytest
from planted import along, circle, falsehood, helix, parity, shaped, trained, truth

from claims.test_attention_differs import BESIDE
from claims.test_norm_indifferent import NORMS
from nuclr.runs import HALF_SPLITS, SINGLES
from nuclr.verdict.statistics import Verdict


def jitter(config, spread=0.05):
    """A factor about 1 that differs from run to run."""
    return float(np.exp(spread * np.random.default_rng([config.seed, *config.name.encode()]).standard_normal()))


def fits(**largest):
    """Train errors in keV of the runs of the paper's size."""

    def errors(config):
        return {"train_rms.binding": largest[config.name] * jitter(config)}

    return lambda: {name: trained(name, errors=errors, profile="paper") for name in largest}


def halves(clean, row):
    """Runs of figure 12: joint training divides the errors of observables by these, "others" those that are not named."""

    def joint(config):
        divisors = {"row": row, "clean": clean}[config.data.split]
        named = {name: divisors.get(name, divisors["others"]) for name in SINGLES.values()}
        return {f"validation_rms.{name}": 100.0 / divisor * jitter(config) for name, divisor in named.items()}

    def runs():
        found = {}
        for split in HALF_SPLITS:
            found |= {name: trained(name, errors=joint) for name in (f"half-{split}", f"half-{split}-with-control")}
            found |= {name: trained(name) for name in (f"half-{split}-{single}" for single in SINGLES)}
        return found

    return runs


def norms(spread=0.05, **ratios):
    """Runs with one norm or another, whose validation errors are the named ratio of those without."""

    def errors(config):
        norm = config.name.removeprefix("binding-").removesuffix("-norm")
        return {"validation_rms.binding": 100.0 * ratios.get(norm, 1.0) * jitter(config, spread)}

    names = ["binding", "binding-brief", *(f"binding-{norm}-norm" for norm in NORMS)]
    return lambda: {name: trained(name, errors=errors) for name in names}


def wave(symbol):
    """Another shape than a helix."""
    return np.column_stack([along(symbol), 0.5 * parity(symbol), 0.5 * circle(symbol, 2.0)])


def own(config):
    """A shape of each seed's own."""
    return shaped(lambda symbol: np.random.default_rng([config.seed, ord(symbol)]).permutation(helix(symbol)))(config)


def attention(learned, fixed=None):
    """Runs with fixed attention, whose embeddings are helices, with learned attention, and with norms."""
    names = ["binding-brief", *(f"binding-{name}" for name in BESIDE)]
    kinds = dict.fromkeys(names, fixed or shaped(helix)) | {"binding-learned-attention": learned}
    return lambda: {name: trained(name, network) for name, network in kinds.items()}


TEN = {"others": 1.5, "control": 1.0}  # joint training helps the ten observables, and not the random target

CASES = [
    truth("train-fits", "30 and 40 keV", runs=fits(binding=30.0, joint=40.0), profile="paper"),
    falsehood(
        "train-fits",
        "joint runs at 300 keV",
        Verdict.NOT_REPRODUCED,
        runs=fits(binding=30.0, joint=300.0),
        profile="paper",
    ),
    truth("multi-task", "all ten errors divided by 1.5", runs=halves(clean=TEN, row=TEN)),
    falsehood("multi-task", "all but the radius", Verdict.NOT_REPRODUCED, runs=halves(TEN | {"radius": 0.7}, TEN)),
    falsehood("multi-task", "on the published split alone", Verdict.INCONCLUSIVE, runs=halves({"others": 1.0}, TEN)),
    falsehood("multi-task", "the random target gains as much", Verdict.INCONCLUSIVE, runs=halves({"others": 1.5}, TEN)),
    truth("norm-indifferent", "a tenth more and less", runs=norms(layer=1.1, rms=0.9)),
    falsehood("norm-indifferent", "twice the error with batch norm", Verdict.NOT_REPRODUCED, runs=norms(batch=2.0)),
    falsehood("norm-indifferent", "half the error with layer norm", Verdict.NOT_REPRODUCED, runs=norms(layer=0.5)),
    falsehood("norm-indifferent", "seeds that scatter by half", Verdict.INCONCLUSIVE, runs=norms(spread=0.5)),
    truth("attention-differs", "helices against waves", runs=attention(shaped(wave, salt=1))),
    falsehood(
        "attention-differs", "helices against helices", Verdict.INCONCLUSIVE, runs=attention(shaped(helix, salt=1))
    ),
    falsehood(
        "attention-differs", "helices against a shape of each seed's own", Verdict.INCONCLUSIVE, runs=attention(own)
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_planted_is_judged_for_what_it_is(case, judge):
    assert judge(case) == (case.verdict, set(case.misses))


def test_the_budget_of_the_cpu_profile_is_not_asked_for_tens_of_kev(judge):
    (case,) = (case for case in CASES if case.claim == "train-fits" and case.kind == "truth")
    assert judge(replace(case, profile="cpu"))[0] == Verdict.NOT_RUN
