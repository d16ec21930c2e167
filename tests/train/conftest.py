import pytest

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig


@pytest.fixture
def tiny():
    """tiny(seed=..., **training): a run of a network small enough to train in a second."""

    def build(seed=0, name="tiny", **training):
        settings = {"steps": 120, "warmup": 10, "batch": 64, "precision": "float32"} | training
        return RunConfig(
            name, seed, DataConfig(observables=("radius", "sn")), ModelConfig(width=8), TrainingConfig(**settings)
        )

    return build
