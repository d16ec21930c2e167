"""One of the later components of the penultimate layer is the pairing term (figures 11 and 23)."""

import numpy as np
import pytest

from claims.conftest import penultimate
from claims.figures import ON_WEIGHTING, best_match, match_figure
from nuclr.physics.formulas import pairing

pytestmark = pytest.mark.claim("pairing-pc")


def test_a_later_component_is_pairing(runs, core, evidence):
    joint = runs("joint")
    term = pairing(core.z, core.n)
    axes = [penultimate(run.probe, core).axes() for run in joint]
    matches = [best_match(found, term) for found in axes]
    evidence.measure("cosine", [match.cosine for match in matches])
    rng = np.random.default_rng(0)
    # Shuffled among nuclides of any mass, the term keeps its values and loses its parity.
    shuffled = [best_match(axes[i % len(axes)], rng.permutation(term)).cosine for i in range(300)]
    evidence.control("the pairing term with shuffled parity", shuffled)
    evidence.note("the component it is", [match.component for match in matches], "PC")
    evidence.figure("figure-11-pairing", **match_figure("pairing term", core, axes[0], term, matches[0]))
    evidence.remark(ON_WEIGHTING)
    evidence.conclude()
