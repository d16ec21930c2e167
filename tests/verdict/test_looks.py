"""A claim that its seeds leave undecided is judged again on more, and that is paid for."""

import numpy as np
import pytest

from nuclr.errors import NuclrError
from nuclr.verdict.bound import Bound
from nuclr.verdict.looks import Looks, seeds_needed, straddles
from nuclr.verdict.statistics import Verdict, decide, student

SCHEDULES = ((5, 10, 20), (3, 6, 12))
CLAIMS = 2000
ABOVE = Bound(above=0.0)


def looked(values, schedule):
    """The verdict on values (seeds,) of a claim that is looked at with so many seeds until it is decided."""
    confidence = Looks(len(schedule)).confidence
    for seeds in schedule:
        verdict, _ = decide(student(values[:seeds], confidence=confidence), ABOVE)
        if verdict is not Verdict.INCONCLUSIVE:
            break
    return verdict


def shares(mean, schedule):
    """How often claims with values of this mean and a standard deviation of 1 get each verdict."""
    rng = np.random.default_rng(0)
    draws = mean + rng.standard_normal((CLAIMS, schedule[-1]))
    found = [looked(values.tolist(), schedule) for values in draws]
    return {verdict: found.count(verdict) / CLAIMS for verdict in set(found)}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_what_lies_on_the_bound_is_called_reproduced_in_at_most_5_percent(schedule):
    found = shares(0.0, schedule)
    assert 0 < found[Verdict.REPRODUCED] <= 0.05
    assert 0 < found[Verdict.NOT_REPRODUCED] <= 0.05


@pytest.mark.parametrize(("schedule", "power"), [((5, 10, 20), 0.95), ((3, 6, 12), 0.70)])
def test_what_lies_one_standard_deviation_inside_is_mostly_found(schedule, power):
    assert shares(1.0, schedule)[Verdict.REPRODUCED] >= power
    assert shares(-1.0, schedule)[Verdict.NOT_REPRODUCED] >= power


def test_looking_without_paying_would_be_wrong_more_often(monkeypatch):
    paid = shares(0.0, (5, 10, 20))[Verdict.REPRODUCED]
    monkeypatch.setattr(Looks, "confidence", 0.95)
    assert shares(0.0, (5, 10, 20))[Verdict.REPRODUCED] > 1.5 * paid


def test_the_confidence_of_an_interval_pays_for_every_look():
    assert Looks(1).confidence == pytest.approx(0.95)
    assert Looks(3).confidence == pytest.approx(1 - 0.05 / 3)


def test_more_seeds_can_decide_where_an_interval_reaches_over_the_bound():
    assert straddles(None, ABOVE)
    assert straddles((-0.1, 0.4), ABOVE)
    assert not straddles((0.1, 0.4), ABOVE)
    assert not straddles((-0.4, -0.1), ABOVE)


def test_the_seeds_needed_are_those_at_which_the_interval_would_leave_the_bound():
    assert seeds_needed(0.1, (-0.1, 0.3), ABOVE, 5) == 21  # half the width at four times the seeds touches it
    assert seeds_needed(0.5, (0.1, 1.2), Bound(above=0.0, below=1.0), 5) == 10
    assert seeds_needed(0.001, (-0.5, 0.5), ABOVE, 5) is None
    assert seeds_needed(0.0, (-0.5, 0.5), ABOVE, 5) is None
    assert seeds_needed(0.1, None, ABOVE, 1) is None


def test_an_unknown_group_is_refused(tmp_path):
    from nuclr.verdict import registry

    file = tmp_path / "paper.toml"
    paper = (registry.Path(__file__).parents[2] / "claims" / "paper.toml").read_text()
    file.write_text(paper.replace('group = "headline"', 'group = "headlin"', 1))
    with pytest.raises(NuclrError, match="no group 'headlin': did you mean 'headline'"):
        registry.load(file)
