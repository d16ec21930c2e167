"""Training: repeatable to the bit, each replica as if alone, resumable, and loud when it diverges."""

import numpy as np
import pytest
import torch

from nuclr.errors import NuclrError
from nuclr.train.loop import Fleet, curve_steps, learning_rate, log_spaced


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def weights(fleet):
    return {name: value.detach().clone() for name, value in fleet.parameters.items()}


@pytest.mark.parametrize("precision", ["float32", "bf16-matmul"])
def test_the_same_seed_gives_the_same_bits(tiny, precision):
    first, second = (Fleet([tiny(precision=precision), tiny(seed=1, precision=precision)]) for _ in range(2))
    assert first.train()
    assert second.train()
    for name, value in weights(first).items():
        assert torch.equal(value, weights(second)[name]), name


def test_a_member_of_a_fleet_equals_the_run_trained_alone(tiny):
    together = Fleet([tiny(seed=s) for s in (0, 1, 2)], dtype=torch.float64)
    alone = Fleet([tiny(seed=1)], dtype=torch.float64)
    together.train()
    alone.train()
    for name, value in weights(alone).items():
        assert torch.allclose(weights(together)[name][1], value[0], rtol=0, atol=1e-9), name


def test_training_learns(tiny):
    fleet = Fleet([tiny(steps=300)])
    fleet.train()
    curve = fleet.curves[0]
    assert curve[-1]["loss"] < 0.05 * curve[0]["loss"]
    assert curve[-1]["validation_rms.radius"] < 0.5 * curve[0]["validation_rms.radius"]
    assert fleet.errors()[0]["train_rms.radius"] == pytest.approx(curve[-1]["train_rms.radius"])


def test_a_stopped_fleet_goes_on_to_the_same_bits(tiny):
    configs = [tiny(steps=250), tiny(seed=3, steps=250)]
    undisturbed, stopped = Fleet(configs), Fleet(configs)
    undisturbed.train()
    assert not stopped.train(on_step=lambda step: step < 100)
    resumed = Fleet(configs)
    state = {name: value.clone() for name, value in stopped.state().items()}
    resumed.load_state(state, stopped.step, stopped.curves)
    assert resumed.train()
    assert resumed.curves == undisturbed.curves
    for name, value in weights(undisturbed).items():
        assert torch.equal(value, weights(resumed)[name]), name


def test_weight_decay_shrinks_what_no_row_uses(tiny):
    decayed, kept = Fleet([tiny(weight_decay=0.5)]), Fleet([tiny(weight_decay=0.0)])
    unused = decayed.parameters["embedding.Z"][0, 0].detach().clone()  # Z = 0 occurs in no row
    decayed.train()
    kept.train()
    assert torch.equal(kept.parameters["embedding.Z"][0, 0], unused)
    rates = [learning_rate(decayed.config, step) for step in range(120)]
    expected = unused * float(np.prod([1 - 0.5 * rate for rate in rates]))
    assert torch.allclose(decayed.parameters["embedding.Z"][0, 0], expected, rtol=1e-4)


def test_a_diverging_run_stops_and_is_named(tiny):
    with pytest.raises(NuclrError, match=r"Run tiny, seed 7 diverged: loss .* at step \d+, learning rate 1e\+08"):
        Fleet([tiny(seed=7, learning_rate=1e8, warmup=0, schedule="constant")]).train()


def test_runs_that_differ_in_more_than_the_seed_do_not_share_a_fleet(tiny):
    with pytest.raises(NuclrError, match="seed alone"):
        Fleet([tiny(), tiny(seed=1, weight_decay=0.0)])


def test_the_schedule_warms_up_and_falls_to_zero(tiny):
    config = tiny(steps=100, warmup=10, learning_rate=1.0)
    rates = [learning_rate(config, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1.0
    assert rates == [*sorted(rates[:10]), *sorted(rates[10:], reverse=True)]
    assert rates[-1] < 1e-3
    assert learning_rate(tiny(schedule="constant", learning_rate=1.0), 100) == 1.0


def test_checkpoints_are_spaced_in_the_logarithm_and_reach_both_ends():
    steps = log_spaced(15_000, 12)
    assert steps[0] == 0
    assert steps[1] == 1
    assert steps[-1] == 15_000
    ratios = np.divide(steps[6:], steps[5:-1])
    assert ratios.max() / ratios.min() < 1.1
    assert set(steps) <= set(curve_steps(15_000))
    assert log_spaced(1, 12) == [0, 1]


def test_training_leaves_the_process_as_it_was(tiny):
    Fleet([tiny(precision="bf16-matmul", steps=20)]).train()
    assert torch.get_float32_matmul_precision() == "highest"
    assert np.float64(5e-324) * 2 > 0  # denormals are alive again
    assert (torch.tensor([1e-40]) * 2).item() > 0
