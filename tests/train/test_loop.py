"""Training: repeatable to the bit, each member as if alone, resumable, and loud when it diverges."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch

from nuclr.config import DataConfig, ModelConfig
from nuclr.errors import NuclrError
from nuclr.model.network import Network
from nuclr.train import loop
from nuclr.train.examples import examples
from nuclr.train.loop import Fleet, shape
from nuclr.train.replicas import Replicas
from nuclr.train.schedule import curve_steps, learning_rate, log_spaced


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def motley(tiny):
    """Three runs of equal shape which differ in all that may differ."""

    def build(**training):
        first = tiny(steps=100, **training)
        second = replace(
            tiny(seed=5, steps=100, learning_rate=3e-3, weight_decay=0.3, weighting="inverse", batch=48, **training),
            data=DataConfig(observables=("binding", "qa"), nuclides="heavy", split="nucleus", fraction=0.5),
        )
        third = replace(
            tiny(seed=2, steps=100, weighting="equal", batch=0.05, **training),
            data=DataConfig(observables=("sp", "z"), split="clean", fraction=0.7),
        )
        return [first, second, third]

    return build


def replicas(configs, dtype=torch.float32):
    """A fleet on the torch engine, whatever is the fastest here."""
    return Fleet(configs, dtype=dtype, engine=Replicas)


def weights(fleet, index=0):
    return {name: value.clone() for name, value in fleet.parameters_of(index).items()}


def assert_close(fleet, index, other, other_index, tolerance):
    for name, value in weights(other, other_index).items():
        assert torch.allclose(weights(fleet, index)[name], value, rtol=0, atol=tolerance), name


def assert_same_bits(fleet, index, other, other_index):
    assert fleet.curves[index] == other.curves[other_index]
    for name, value in weights(other, other_index).items():
        assert torch.equal(weights(fleet, index)[name], value), name


@pytest.mark.parametrize("precision", ["float32", "bf16-matmul"])
def test_the_same_seed_gives_the_same_bits(tiny, precision):
    first, second = (Fleet([tiny(precision=precision), tiny(seed=1, precision=precision)]) for _ in range(2))
    assert first.train()
    assert second.train()
    assert_same_bits(first, 1, second, 1)


@pytest.mark.parametrize(
    ("engine", "dtype", "tolerance"),
    [(Replicas, torch.float64, 1e-9), ("auto", torch.float32, 1e-3)],
)
def test_a_member_of_a_motley_fleet_equals_the_run_trained_alone(motley, engine, dtype, tolerance):
    configs = motley()
    together = Fleet(configs, dtype=dtype, engine=engine)
    assert together.train()
    for index, config in enumerate(configs):
        alone = Fleet([config], dtype=dtype, engine=engine)
        alone.train()
        assert_close(together, index, alone, 0, tolerance)
        assert together.curves[index][-1]["loss"] == pytest.approx(alone.curves[0][-1]["loss"], rel=tolerance)
        assert together.errors()[index] == pytest.approx(alone.errors()[0], rel=tolerance)
        assert alone.curves[0][-1]["loss"] < 0.5 * alone.curves[0][0]["loss"]  # it does train


@pytest.mark.parametrize("attention", ["fixed", "learned", "transformer"])
def test_steps_are_those_of_plain_adamw(tiny, attention):
    config = replace(tiny(weight_decay=0.3), model=ModelConfig(8, attention=attention))
    data, rate = examples(config), config.training.learning_rate
    engine = Replicas([config], [data], torch.device("cpu"), torch.float64)
    p = {name: value.detach().clone().requires_grad_() for name, value in engine.values.items()}
    groups = [
        {"params": [p[name]], "lr": rule.learning_rate(rate, 8), "weight_decay": rule.weight_decay(0.3, 8)}
        for name, rule in engine.network.rules().items()
    ]
    adamw = torch.optim.AdamW(groups, eps=1e-15, foreach=False, fused=False)
    starts = [group["lr"] for group in groups]
    for step in range(5):
        z, n, observable, target, weight = engine.batches[0].at(step)
        error = engine.network.predict(p, z[None], n[None], observable[None])[0] - target
        adamw.zero_grad()
        (weight * error * error).mean().backward()
        for group, start in zip(adamw.param_groups, starts, strict=True):
            group["lr"] = start * learning_rate(config, step) / rate
        adamw.step()
    engine.advance(0, 5)
    for name, value in engine.parameters(0).items():
        assert torch.allclose(value, p[name][0], rtol=1e-9, atol=1e-11), name


def test_training_learns(tiny):
    fleet = Fleet([tiny(steps=300)])
    fleet.train()
    curve = fleet.curves[0]
    assert curve[-1]["loss"] < 0.05 * curve[0]["loss"]
    assert curve[-1]["validation_rms.radius"] < 0.5 * curve[0]["validation_rms.radius"]
    assert fleet.errors()[0]["train_rms.radius"] == pytest.approx(curve[-1]["train_rms.radius"])


@pytest.mark.parametrize("engine", ["auto", Replicas])
def test_a_stopped_fleet_goes_on_to_the_same_bits(tiny, engine):
    configs = [tiny(steps=250), tiny(seed=3, steps=250, weight_decay=0.2)]
    undisturbed, stopped = Fleet(configs, engine=engine), Fleet(configs, engine=engine)
    undisturbed.train()
    assert not stopped.train(on_step=lambda step: step < 100)
    resumed = Fleet(configs, engine=engine)
    states = [{name: value.clone() for name, value in stopped.member_state(index).items()} for index in (0, 1)]
    resumed.load_members(states, stopped.step, stopped.curves)
    assert resumed.train()
    for index in (0, 1):
        assert_same_bits(resumed, index, undisturbed, index)


def test_the_state_of_a_member_has_no_replica_axis_and_names_every_moment(tiny):
    fleet = replicas([tiny(), tiny(seed=1)])
    rules = Network(8, 2, 2).rules()
    state = fleet.member_state(1)
    assert set(state) == {f"{kind}.{name}" for kind in ("parameter", "first", "second") for name in rules}
    for name, rule in rules.items():
        assert state[f"second.{name}"].shape == state[f"parameter.{name}"].shape == rule.shape


def test_calls_of_any_length_come_to_the_same_bits(tiny, monkeypatch):
    at_once = replicas([tiny(), tiny(seed=1)])
    at_once.train()
    monkeypatch.setattr(loop, "ONE_CALL", 0.0)
    by_one = replicas([tiny(), tiny(seed=1)])
    seen = []
    by_one.train(on_step=lambda step: seen.append(step) is None)
    assert seen == list(range(1, 121))  # Ctrl-C is heard after every call
    assert_same_bits(at_once, 1, by_one, 1)


def test_the_engine_is_called_from_event_to_event(tiny, monkeypatch):
    monkeypatch.setattr(loop, "ONE_CALL", 1e9)
    fleet = replicas([tiny(steps=250)])
    fleet._pace, called = 1.0, []
    advance = fleet.engine.advance
    monkeypatch.setattr(
        fleet.engine, "advance", lambda step, count: called.append(step + count) or advance(step, count)
    )
    fleet.train()
    assert called == sorted({*curve_steps(250), 100, 200} - {0})


def test_weight_decay_shrinks_what_no_row_uses(tiny):
    fleet = Fleet([tiny(weight_decay=0.5), tiny(weight_decay=0.0)])
    unused = weights(fleet)["embedding.Z"][0]  # Z = 0 occurs in no row
    fleet.train()
    assert torch.equal(weights(fleet, 1)["embedding.Z"][0], unused)
    rates = [learning_rate(fleet.configs[0], step) for step in range(120)]
    expected = unused * float(np.prod([1 - 0.5 * rate for rate in rates]))
    assert torch.allclose(weights(fleet, 0)["embedding.Z"][0], expected, rtol=1e-4)


def test_a_diverging_member_is_dropped_and_named_and_the_others_do_not_notice(motley):
    configs = motley(warmup=0, schedule="constant")
    configs = [replace(config, training=replace(config.training, steps=130)) for config in configs]
    mad = replace(configs[0], seed=7, training=replace(configs[0].training, learning_rate=1e8))
    fleet = Fleet([configs[0], mad, *configs[1:]], dtype=torch.float64)
    without = Fleet(configs, dtype=torch.float64)
    assert fleet.train()
    assert without.train()
    assert without.diverged == {}
    assert list(fleet.diverged) == [1]
    assert "Run tiny, seed 7 diverged: loss" in fleet.diverged[1]
    assert "at step 100, learning rate 1e+08" in fleet.diverged[1]
    assert set(fleet.errors()) == {0, 2, 3}
    assert fleet.curves[1][-1]["step"] < 100 < fleet.curves[0][-1]["step"] == 130
    for index, other in ((0, 0), (2, 1), (3, 2)):
        assert_close(fleet, index, without, other, 1e-9)


def test_a_fleet_of_which_all_diverge_ends_and_says_so(tiny):
    fleet = Fleet([tiny(seed=s, learning_rate=1e8, warmup=0, schedule="constant", steps=1000) for s in (0, 1)])
    assert fleet.train()
    assert sorted(fleet.diverged) == [0, 1]
    assert fleet.step == 100
    assert fleet.errors() == {}


def test_runs_of_unequal_shape_do_not_share_a_fleet(tiny):
    with pytest.raises(NuclrError, match="must have the same network, steps, schedule and precision"):
        Fleet([tiny(), tiny(seed=1, steps=130)])
    assert shape(tiny()) == shape(tiny(seed=1, batch=0.3, weight_decay=0.1, learning_rate=0.1, weighting="equal"))
    assert shape(tiny()) != shape(replace(tiny(), data=DataConfig(observables=("sn",))))
    assert shape(tiny()) != shape(tiny(precision="bf16-matmul"))
    kinds = [replace(tiny(), model=ModelConfig(8, attention=kind)) for kind in ("fixed", "learned", "transformer")]
    assert len({shape(kind) for kind in kinds}) == 3


@pytest.mark.parametrize("attention", ["fixed", "transformer"])
def test_under_autocast_the_blocks_alone_are_rounded(tiny, attention):
    config = replace(tiny(), model=ModelConfig(8, attention=attention))
    engine = Replicas([config], [examples(config)], torch.device("cpu"), torch.float32)
    indices, _ = engine._plan(range(1))
    engine.index.copy_(indices[0])
    exact = engine._losses()
    streams, kind, read = [], type(engine.network), engine.network.readout
    engine.autocast = True  # as on a GPU
    with patch.object(kind, "readout", lambda _, p, x, observable: streams.append(x) or read(p, x, observable)):
        rounded = engine._losses()
    assert rounded.dtype == streams[0].dtype == torch.float32
    assert not torch.equal(rounded, exact)  # the blocks did take bfloat16
    assert torch.allclose(rounded, exact, rtol=2e-3)
    gradients = torch.autograd.grad(rounded.sum(), list(engine.learning.values()))
    assert all(gradient.dtype == torch.float32 for gradient in gradients)
    with patch.object(kind, "blocks", lambda *arguments: arguments[2]):
        without = engine._losses()
        engine.autocast = False
        assert torch.equal(without, engine._losses())  # nothing else did


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
