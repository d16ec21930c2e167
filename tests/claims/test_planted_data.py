"""Claims of the data alone: planted in the nuclear table, from which they read everything."""

import numpy as np
import pytest
from planted import falsehood, truth

from nuclr.data.table import core
from nuclr.physics.formulas import EQUATION_5, SEMF
from nuclr.physics.nuclides import MAGIC_N, MAGIC_Z
from nuclr.verdict.statistics import Verdict


def withoutnuclides(table, left=3000):
    """Only so many of the nuclides were ever seen."""
    return table.drop(table.index[core(table)][left:])


def without_radii(table):
    return table.assign(radius=np.nan)


def formula(*bumps):
    """A table whose binding energies are those of the SEMF, plus bumps (magic numbers of Z, of N, half width, keV)."""

    def changed(table):
        z, n = table.z.to_numpy(), table.n.to_numpy()
        energy = SEMF.predict(z, n)
        for magic_z, magic_n, half_width, height in bumps:
            for number, magic in ((z, magic_z), (n, magic_n)):
                energy = energy + height * (np.abs(number[:, None] - np.array(magic)) <= half_width).sum(axis=1)
        return table.assign(be_from_me=energy)

    return changed


def mixed(share_of_semf, off=0.0):
    """A table whose binding energies lie between Equation 5 and the SEMF, every other one `off` keV too high or too low."""

    def changed(table):
        z, n = table.z.to_numpy(), table.n.to_numpy()
        energy = (1 - share_of_semf) * EQUATION_5.predict(z, n) + share_of_semf * SEMF.predict(z, n)
        return table.assign(be_from_me=energy + off * (-1.0) ** np.arange(len(table)))

    return changed


MAGIC = (MAGIC_Z[3:6], MAGIC_N[3:7])  # 28, 50, 82 and for N 126
MOVED = ((28, 50, 76), (28, 50, 82, 126))

CASES = [
    truth("dataset", "the table as it is", table=lambda table: table),
    falsehood("dataset", "a table of 3000 nuclides", Verdict.NOT_REPRODUCED, ["nuclei"], table=withoutnuclides),
    falsehood("dataset", "a table without radii", Verdict.NOT_REPRODUCED, ["observables"], table=without_radii),
    truth("distilled-formula", "Equation 5, and 4600 keV of noise", table=mixed(0.0, 4600.0)),
    falsehood("distilled-formula", "energies 100 keV from the SEMF", Verdict.NOT_REPRODUCED, table=mixed(1.0, 100.0)),
    falsehood(
        "distilled-formula",
        "Equation 5, and 1000 keV of noise",
        Verdict.NOT_REPRODUCED,
        ["rms"],
        table=mixed(0.0, 1000.0),
    ),
    falsehood(
        "distilled-formula",
        "energies 4600 keV from Equation 5, and nearer to the SEMF",
        Verdict.NOT_REPRODUCED,
        ["ratio"],
        table=mixed(4600 / 8439),
    ),
    truth("semf-misses-shells", "the SEMF and 3 MeV at each magic number", table=formula((*MAGIC, 0, 3000.0))),
    falsehood("semf-misses-shells", "energies that are the SEMF's", Verdict.NOT_REPRODUCED, table=formula()),
    falsehood(
        "semf-misses-shells",
        "Z = 76 magic in place of 82",
        Verdict.NOT_REPRODUCED,
        table=formula((*MOVED, 0, 3000.0)),
    ),
    falsehood(
        "semf-misses-shells",
        "broad shells, level about the magic numbers",
        Verdict.NOT_REPRODUCED,
        ["smallest-kink"],
        table=formula((*MAGIC, 3, 3000.0)),
    ),
    falsehood(
        "semf-misses-shells",
        "a kink at each magic number, at the bottom of a shell",
        Verdict.NOT_REPRODUCED,
        ["smallest-excess"],
        table=formula((*MAGIC, 3, -3000.0), (*MAGIC, 0, 1000.0)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_planted_is_judged_for_what_it_is(case, judge):
    assert judge(case) == (case.verdict, set(case.misses))
