"""A component of the penultimate layer resembles the shell term (figures 11 and 23)."""

import numpy as np
import pytest

from claims.conftest import penultimate
from claims.figures import best_match, match_figure
from nuclr.physics.formulas import BW2, shell
from nuclr.physics.nuclides import MAGIC_N, MAGIC_Z

pytestmark = pytest.mark.claim("shell-pc")

ALPHA, BETA = (BW2.coefficients[BW2.terms.index(name)] for name in ("shell", "shell_squared"))


def shell_term(z, n, magic_z=MAGIC_Z, magic_n=MAGIC_N):
    """alpha P + beta P^2 with Kirson's coefficients, for any magic numbers."""
    p = shell(z, n, magic_z, magic_n)
    return ALPHA * p + BETA * p**2


def test_a_component_resembles_the_shell_term(runs, core, evidence):
    joint = runs("joint")
    term = shell_term(core.z, core.n)
    axes = [penultimate(run.probe, core).axes() for run in joint]
    matches = [best_match(found, term) for found in axes]
    evidence.measure("cosine", [match.cosine for match in matches])
    rng = np.random.default_rng(0)
    shifted = []
    for i in range(300):
        # Each magic number moves by 4 to 12 either way: as many shells, at other places.
        magic_z, magic_n = (
            np.abs(np.array(magic) + rng.integers(4, 13, len(magic)) * rng.choice([-1, 1], len(magic)))
            for magic in (MAGIC_Z, MAGIC_N)
        )
        shifted.append(best_match(axes[i % len(axes)], shell_term(core.z, core.n, magic_z, magic_n)).cosine)
    evidence.control("the shell term with shifted magic numbers", shifted)
    evidence.note("the component it is", [match.component for match in matches], "PC")
    evidence.note(
        "cosine with PC0 (the paper: 0.44)", [best_match(found, term, first=0, last=0).cosine for found in axes]
    )
    evidence.figure("figure-11-shell", **match_figure("shell term", core, axes[0], term, matches[0]))
    evidence.conclude()
