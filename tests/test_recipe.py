"""The rule that carries the published trainings over to shorter ones."""

import numpy as np
import pytest

from nuclr.config import RunConfig
from nuclr.recipe import EMBEDDINGS, MULTI_TASK, STRUCTURE
from nuclr.train.schedule import learning_rate


@pytest.mark.parametrize(
    ("recipe", "rate", "steps"),
    [(EMBEDDINGS, 1e-4, 1_000_000), (STRUCTURE, 3e-4, 1_000_000), (MULTI_TASK, 1e-4, 100_000)],
)
def test_at_the_published_length_the_rates_are_the_published_ones(recipe, rate, steps):
    training = recipe.training(steps, 0.2, "constant")
    assert training.learning_rate == pytest.approx(rate)
    assert training.weight_decay == pytest.approx(0.01)
    assert (training.warmup, training.weighting) == (0, "inverse")


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
@pytest.mark.parametrize("steps", [50, 3_000, 60_000])
def test_every_length_keeps_both_numbers(schedule, steps):
    training = STRUCTURE.training(steps, 768, schedule)
    run = RunConfig("run", training=training)
    rates = np.array([learning_rate(run, step) for step in range(steps)])
    assert (rates * training.weight_decay).sum() == pytest.approx(STRUCTURE.decay, rel=0.05)
    assert training.learning_rate / training.weight_decay == pytest.approx(STRUCTURE.ratio)


def test_other_settings_are_passed_on():
    training = EMBEDDINGS.training(1_000, 64, weighting="chi2", precision="float32")
    assert (training.weighting, training.precision, training.batch) == ("chi2", "float32", 64)
