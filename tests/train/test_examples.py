"""What a network is trained on: units, weights, batches."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nuclr.config import DataConfig
from nuclr.data.observables import OBSERVABLES
from nuclr.physics.formulas import SEMF
from nuclr.train.examples import Batches, batch_rows, examples


def test_targets_fill_the_unit_interval_of_the_training_rows(tiny):
    data = examples(tiny())
    for task in (0, 1):
        chosen = data.target[(data.observable == task) & data.train]
        assert chosen.min() == 0.0
        assert chosen.max() == 1.0
    assert not (data.train & data.validation).any()


@pytest.mark.parametrize(("weighting", "power"), [("chi2", 2), ("inverse", 1)])
def test_weights_divide_squared_errors_by_the_expected_error(tiny, weighting, power):
    data = examples(tiny(weighting=weighting))
    span = data.high - data.low
    errors = [OBSERVABLES[name].expected_error for name in ("radius", "sn")]
    expected = (span[0] ** 2 / errors[0] ** power) / (span[1] ** 2 / errors[1] ** power)
    assert data.weight[data.observable == 0][0] / data.weight[data.observable == 1][0] == pytest.approx(expected)
    assert data.weight[data.train].mean() == pytest.approx(1.0)


def test_equal_weighting_weighs_all_alike(tiny):
    assert np.ptp(examples(tiny(weighting="equal")).weight) == pytest.approx(0.0)


def test_an_epoch_sees_every_training_row_at_most_once_and_epochs_differ(tiny):
    config = tiny(batch=0.2)
    data = examples(config)
    batches = Batches(config, data, torch.device("cpu"), torch.float64)
    seen = [
        torch.cat([batches.at(epoch * batches.per_epoch + i)[3] for i in range(batches.per_epoch)]) for epoch in (0, 1)
    ]
    assert len(seen[0]) == batches.per_epoch * batches.rows > 0.75 * data.train.sum()
    keys = [tuple(int(token[i]) for token in batches.at(0)[:3]) for i in range(batches.rows)]
    assert len(set(keys)) == batches.rows
    assert not torch.equal(seen[0], seen[1])


def test_a_batch_depends_on_seed_and_step_alone(tiny):
    data = examples(tiny())
    first, second = (Batches(tiny(), data, torch.device("cpu"), torch.float64) for _ in range(2))
    first.at(0)
    assert all(torch.equal(a, b) for a, b in zip(first.at(77), second.at(77), strict=True))


def test_every_seed_of_a_share_has_the_same_batch(tiny):
    assert len({batch_rows(tiny(seed=s, batch=0.2), examples(tiny(seed=s, batch=0.2))) for s in range(5)}) == 1


def test_the_digest_follows_the_data(tiny):
    assert examples(tiny()).digest == examples(tiny(steps=200)).digest
    assert examples(tiny()).digest != examples(tiny(seed=1)).digest


@pytest.mark.parametrize("split", ["row", "nucleus", "clean"])
def test_a_single_split_over_many_holds_out_the_same_rows_as_the_joint_run(tiny, split):
    over = ("binding", "radius", "sn")
    config = tiny()

    def rows_of(observables, name):
        data = examples(
            replace(config, data=DataConfig(observables, split=split, fraction=0.5, split_over=over, nuclides="heavy"))
        )
        mine = data.observable == observables.index(name)
        return [
            set(zip(data.z[mine & part], data.n[mine & part], data.value[mine & part], strict=True))
            for part in (data.train, data.validation)
        ]

    for name in over:
        assert rows_of((name,), name) == rows_of(over, name) == rows_of(("sn", "radius", "binding"), name)


def test_pseudo_data_replace_the_values_and_nothing_else(tiny):
    binding = replace(tiny(), data=DataConfig(("binding",)))
    measured, theory = (examples(replace(binding, data=replace(binding.data, targets=t))) for t in ("measured", "semf"))
    assert np.array_equal(measured.train, theory.train)
    assert np.array_equal(measured.z, theory.z)
    assert np.array_equal(theory.value, SEMF.predict(theory.z, theory.n))
    assert measured.digest != theory.digest


def test_the_control_is_weighed_by_an_expected_error_of_one(tiny):
    data = examples(replace(tiny(), data=DataConfig(("sn", "control"))))
    span = data.high - data.low
    ratio = data.weight[data.observable == 1][0] / data.weight[data.observable == 0][0]
    assert ratio == pytest.approx((span[1] / 1.0) ** 2 / (span[0] / 200.0) ** 2)
