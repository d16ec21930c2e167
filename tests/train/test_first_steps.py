"""The first steps of every engine are those that were recorded with the number in nuclr/train/arithmetic.py.

A run's fingerprint has that number in the place of the code, so the number must be raised when the arithmetic changes. Then
`python tests/train/test_first_steps.py` records the readings anew.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nuclr.config import AdditionConfig, DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.train import native
from nuclr.train.addition import Adders
from nuclr.train.arithmetic import ARITHMETIC
from nuclr.train.kinds import examples
from nuclr.train.native import Native
from nuclr.train.replicas import Replicas

RECORDED = Path(__file__).with_suffix(".json")
CPU = torch.device("cpu")
STEPS = 20
TRAINING = TrainingConfig(5e-3, 0.5, steps=100, warmup=5, batch=200, precision="float32")
PLAIN = RunConfig("plain", 0, DataConfig(("radius", "sn", "binding")), ModelConfig(32), TRAINING)
SUMS = RunConfig(
    "sums", 0, AdditionConfig(11, 0.5), ModelConfig(16, 1), replace(TRAINING, weighting="equal", batch=1.0)
)


def _with(data=None, model=None, training=None):
    return replace(
        PLAIN,
        data=replace(PLAIN.data, **data or {}),
        model=replace(PLAIN.model, **model or {}),
        training=replace(TRAINING, **training or {}),
    )


CASES = {
    "plain": PLAIN,
    "another seed": replace(PLAIN, seed=7),
    "inverse weights": _with(training={"weighting": "inverse"}),
    "equal weights": _with(training={"weighting": "equal"}),
    "constant rate": _with(training={"schedule": "constant", "warmup": 0}),
    "a fifth of the rows": _with(training={"batch": 0.2}),
    "heavy nuclides, by nucleus": _with(data={"nuclides": "heavy", "split": "nucleus", "fraction": 0.3}),
    "the SEMF's energies": _with(data={"observables": ("binding",), "targets": "semf"}),
    "wider": _with(model={"width": 64, "depth": 3}),
    "free biases": _with(model={"biases": "free"}),
    "layer norm": _with(model={"norm": "layer"}),
    "RMS norm": _with(model={"norm": "rms"}),
    "batch norm": _with(model={"norm": "batch"}),
    "learned attention": _with(model={"attention": "learned"}),
    "transformer": _with(model={"attention": "transformer", "biases": "free"}),
    "SoLU": _with(model={"block_activation": "solu", "first_activation": "gelu"}),
    "modular addition": SUMS,
}


def readings(engine_of, config):
    """Losses after some steps and norms of parameters and moments at their end: numbers that every constant reaches."""
    engine = engine_of([config], [examples(config)], CPU, torch.float32)
    found = {"first loss": engine.advance(0, 1).item(), "loss": engine.advance(1, STEPS - 1).item()}
    for kind in ("parameter", "first", "second"):
        parts = [tensor.double() for name, tensor in engine.state(0).items() if name.startswith(f"{kind}.")]
        found[f"norm of {kind}"] = float(sum(part.square().sum() for part in parts)) ** 0.5
    return found


def engines(config):
    """The engines that can train a run here."""
    if isinstance(config.data, AdditionConfig):
        return [Adders]
    return [Replicas, *([Native] if native.can_train(config, CPU, torch.float32) else [])]


@pytest.mark.parametrize("case", CASES)
def test_the_first_steps_are_the_recorded_ones(case):
    recorded = json.loads(RECORDED.read_text())
    assert recorded["arithmetic"] == ARITHMETIC, (
        "The number was raised: record the readings anew, as the docstring says."
    )
    for engine in engines(CASES[case]):
        for name, value in readings(engine, CASES[case]).items():
            assert value == pytest.approx(recorded["readings"][case][name], rel=2e-4), (
                f"{engine.__name__} computes another {name} than recorded. If that is meant, raise ARITHMETIC in "
                "nuclr/train/arithmetic.py, so that runs trained before are known to be stale."
            )


@pytest.mark.parametrize(("name", "value"), [("eps", 1e-8), ("betas", (0.9, 0.998)), ("betas", (0.91, 0.999))])
def test_another_constant_of_the_optimizer_is_seen(monkeypatch, name, value):
    adamw = torch.optim.AdamW
    monkeypatch.setattr(torch.optim, "AdamW", lambda *groups, **settings: adamw(*groups, **settings | {name: value}))
    recorded = json.loads(RECORDED.read_text())["readings"]["inverse weights"]
    found = readings(Replicas, CASES["inverse weights"])
    assert any(abs(found[reading] / recorded[reading] - 1) > 1e-3 for reading in recorded)


def test_every_reading_is_of_a_training_that_moves():
    for case, recorded in json.loads(RECORDED.read_text())["readings"].items():
        assert case in CASES
        assert np.isfinite(list(recorded.values())).all()
        assert recorded["loss"] != recorded["first loss"]


if __name__ == "__main__":
    found = {case: readings(engines(config)[0], config) for case, config in CASES.items()}
    RECORDED.write_text(json.dumps({"arithmetic": ARITHMETIC, "readings": found}, indent=1) + "\n")
