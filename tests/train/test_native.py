"""The kernel does the steps that the network's definition in torch means, and says so when it cannot."""

import platform
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.train import native
from nuclr.train.examples import Batches, examples
from nuclr.train.loop import Fleet, choose_engine
from nuclr.train.native import Native
from nuclr.train.replicas import Replicas

CPU, FLOAT32 = torch.device("cpu"), torch.float32

pytestmark = pytest.mark.skipif(native.library() is None, reason="there is no C compiler here, so there is no kernel")


def run(width=64, observables=("radius", "sn", "binding"), seed=0, **training):
    settings = {"steps": 60, "warmup": 5, "batch": 333, "precision": "float32", "learning_rate": 1e-3} | training
    return RunConfig("small", seed, DataConfig(observables), ModelConfig(width), TrainingConfig(**settings))


def engine(*configs):
    return Native(configs, [examples(config) for config in configs], CPU, FLOAT32)


def relative(found, expected):
    return float(torch.linalg.norm(found.double() - expected.double()) / torch.linalg.norm(expected.double()))


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 3e-6), ("bf16-matmul", 0.1)])
@pytest.mark.parametrize(
    "model",
    [
        ModelConfig(64, 1),
        ModelConfig(96, 3),
        ModelConfig(64, norm="layer"),
        ModelConfig(64, norm="rms"),
        ModelConfig(64, biases="free"),
    ],
)
def test_the_gradient_is_that_of_the_network(precision, tolerance, model):
    config = replace(run(precision=precision), model=model)
    (member,) = engine(config).members.values()
    values = {
        name: tensor.clone().double()[None].requires_grad_() for name, tensor in member.named(member.parameters).items()
    }
    z, n, observable, target, weight = Batches(config, examples(config), CPU, torch.float64).at(0)
    predicted = member.network.predict(values, *(token[None] for token in (z, n, observable)))
    loss = (weight * (predicted - target) ** 2).mean()
    loss.backward()

    assert member.advance(0, 1) == pytest.approx(loss.item(), rel=1e-6 if precision == "float32" else 1e-2)
    for name, found in member.named(member.gradient).items():
        assert relative(found, values[name].grad[0]) < tolerance, name


@pytest.mark.parametrize("biases", ["decayed", "free"])
def test_the_steps_are_those_of_the_torch_engine(biases):
    config = replace(run(weight_decay=0.3), model=ModelConfig(64, biases=biases))
    fast, plain = engine(config), Replicas([config], [examples(config)], CPU, torch.float64)
    for step, count in ((0, 1), (1, 4), (5, 25)):
        assert fast.advance(step, count).item() == pytest.approx(plain.advance(step, count).item(), rel=1e-4)
    # AdamW divides by the size of the gradient, so a gradient that is all rounding still moves a parameter: compare the whole.
    for name, found in fast.parameters(0).items():
        assert relative(found, plain.parameters(0)[name]) < 2e-3, name
    assert np.abs(fast.predictions(0) - plain.predictions(0)).max() < 1e-3


def test_bfloat16_products_train_as_well_as_float32():
    errors = {}
    for precision in ("float32", "bf16-matmul"):
        fleet = Fleet([run(precision=precision, observables=("binding",), steps=1500, learning_rate=1e-2)])
        assert fleet.train()
        errors[precision] = fleet.errors()[0]["train_rms.binding"]
    assert errors["bf16-matmul"] == pytest.approx(errors["float32"], rel=0.3)
    assert errors["float32"] < 20_000  # keV: it has learnt something


@pytest.mark.parametrize("precision", ["float32", "bf16-matmul"])
def test_together_is_as_alone_and_stopped_is_as_undisturbed_to_the_bit(precision):
    configs = [run(precision=precision), run(seed=1, precision=precision, batch=100, learning_rate=1e-2)]
    together, alone = engine(*configs), engine(configs[1])
    together.advance(0, 40)
    alone.advance(0, 13)
    resumed = engine(configs[1])
    resumed.load([{name: tensor.clone() for name, tensor in alone.state(0).items()}])
    resumed.advance(13, 27)
    for name, tensor in together.state(1).items():
        assert torch.equal(tensor, resumed.state(0)[name]), name


def test_rows_that_fill_up_a_slice_count_for_nothing():
    one, many = run(batch=2, width=32), run(batch=64, width=32)
    for config in (one, many):
        member, data = engine(config).members[0], examples(config)
        batch = Batches(config, data, CPU, torch.float64).indices(0)
        unit = member.predictions()[np.flatnonzero(data.train)[batch]]
        wanted = np.mean(data.weight[data.train][batch] * (unit - data.target[data.train][batch]) ** 2)
        assert member.advance(0, 1) == pytest.approx(wanted, rel=1e-4)


def test_a_divergence_shows():
    fleet = Fleet([run(learning_rate=1e12, warmup=0, schedule="constant", steps=300)])
    assert isinstance(fleet.engine, Native)
    fleet.train()
    assert "diverged" in fleet.diverged[0]


def test_what_the_kernel_cannot_is_left_to_torch():
    plain = run()
    assert choose_engine(CPU, plain, FLOAT32) is Native
    for model in (
        ModelConfig(64, norm="batch"),
        ModelConfig(48),
        ModelConfig(64, attention="learned"),
        ModelConfig(64, attention="transformer"),
        ModelConfig(64, 9),
    ):
        assert choose_engine(CPU, replace(plain, model=model), FLOAT32) is Replicas
    assert choose_engine(CPU, plain, torch.float64) is Replicas
    assert choose_engine(torch.device("cuda"), plain, FLOAT32) is Replicas


def test_without_a_compiler_torch_trains(monkeypatch, tmp_path):
    monkeypatch.setenv("NUCLR_CACHE", str(tmp_path))
    monkeypatch.setenv("CC", "/bin/false")
    native.library.cache_clear()
    try:
        assert native.library() is None
        assert choose_engine(CPU, run(), FLOAT32) is Replicas
    finally:
        native.library.cache_clear()


def kernel_built(monkeypatch, *flags):
    """A kernel compiled with more flags, as another processor would have it."""
    monkeypatch.setattr(native, "FLAGS", (*native.FLAGS, *flags))
    found = native.library.__wrapped__()
    assert found is not None
    return found


X86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the flags are those of x86 processors")


@X86
@pytest.mark.parametrize("less", [("-mno-avx512f",), ("-mno-avx",)], ids=["AVX2", "SSE"])
def test_shorter_vectors_compute_the_same(less, monkeypatch):
    config, kernel = run(), native.library()
    member = native.Member(config, examples(config), kernel, False)
    other = native.Member(config, examples(config), kernel_built(monkeypatch, *less), False)
    assert member.advance(0, 1) == pytest.approx(other.advance(0, 1), rel=1e-6)
    for name, found in other.named(other.gradient).items():
        assert relative(found, member.named(member.gradient)[name]) < 3e-6, name


@X86
@pytest.mark.parametrize("model", [ModelConfig(96, 3), ModelConfig(64, norm="rms")])
def test_tiles_compute_the_same_as_vectors_to_the_bit(model, monkeypatch):
    if not native.library().nuclr_has_bf16():
        pytest.skip("this processor has no bfloat16 products to do the work of tiles")
    config = replace(run(precision="bf16-matmul"), model=model)
    flags = {"vectors": ("-mno-amx-bf16",), "tiles": ("-include", str(Path(__file__).with_name("tiles.h")))}
    trained = {}
    for name, more in flags.items():
        with monkeypatch.context() as patch:
            member = native.Member(config, examples(config), kernel_built(patch, *more), True)
        member.advance(0, 20)
        trained[name] = member.parameters
    assert np.isfinite(trained["tiles"]).all()
    assert (trained["tiles"] == trained["vectors"]).all()


def test_a_damaged_kernel_is_built_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("NUCLR_CACHE", str(tmp_path))
    native.library.cache_clear()
    try:
        assert native.library() is not None
        (built,) = tmp_path.glob("kernel-*.so")
        (tmp_path / "other").mkdir()
        damaged = tmp_path / "other" / built.name
        damaged.write_bytes(built.read_bytes()[:1000])
        damaged.with_suffix(".sha256").write_text(built.with_suffix(".sha256").read_text())
        monkeypatch.setenv("NUCLR_CACHE", str(damaged.parent))
        native.library.cache_clear()
        assert native.library() is not None
        assert damaged.stat().st_size == built.stat().st_size
    finally:
        native.library.cache_clear()


def test_predictions_are_of_float32_products_whatever_trains():
    config = run(precision="bf16-matmul")
    fast = engine(config)
    fast.advance(0, 30)
    exact = engine(replace(config, training=replace(config.training, precision="float32")))
    exact.load([fast.state(0)])
    assert np.array_equal(fast.predictions(0), exact.predictions(0))
