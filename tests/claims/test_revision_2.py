"""Revision 2 of the claims, written down before its networks are judged: what differs from paper.toml says why, and nothing is lost."""

from pathlib import Path

import pytest

from nuclr.verdict import registry

ROOT = Path(__file__).parents[2]
NOW = registry.load(ROOT / "claims" / "paper.toml").claims
NEXT = registry.load(ROOT / "claims" / "revision-2.toml").claims
# Claims that held more than one statement, and the claims that hold one each now.
SPLIT = {
    "structure-evolution": ("order-evolution", "parity-evolution"),
    "multi-task": ("multi-task-energies", "multi-task-radius", "multi-task-numbers"),
}


@pytest.mark.parametrize("name", [name for name in NEXT if name not in NOW or NEXT[name].digest != NOW[name].digest])
def test_what_differs_says_why(name):
    assert NEXT[name].changed


def test_no_claim_is_dropped():
    assert set(NOW) - set(NEXT) == set(SPLIT)
    assert all(part in NEXT for parts in SPLIT.values() for part in parts)


def test_every_figure_is_still_of_a_claim():
    def figures(claims):
        return {number for claim in claims.values() for number in claim.figures}

    assert figures(NEXT) == figures(NOW)


def test_bounds_that_are_not_said_to_change_stand():
    for name in set(NOW) & set(NEXT):
        if NEXT[name].changed and "bound stands" in NEXT[name].changed.replace("bounds stand", "bound stands"):
            before, after = ({m.bound for m in claims[name].measures.values()} for claims in (NOW, NEXT))
            assert before <= after, name
