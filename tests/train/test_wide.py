"""What the manifest and the checkpoints of a run on a GPU hold, tried on a CPU: wide networks, and a driver that is made up."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nuclr.config import AdditionConfig, ModelConfig
from nuclr.errors import NuclrError
from nuclr.train import addition, loop, plan, store, worker
from nuclr.train.kinds import examples
from nuclr.train.replicas import Replicas
from nuclr.train.store import Store
from nuclr.train.worker import Job, driver_name, train


@pytest.fixture
def trained(tiny, tmp_path):
    """trained(width): a run of two steps in a store."""

    def run(width):
        config = replace(tiny(steps=2, warmup=0), model=ModelConfig(width=width, depth=1))
        fingerprint = plan.fingerprint_of(config)
        train(Job("smoke", (config,), (fingerprint,), tmp_path, "cpu", 1), lambda _: True)
        return Store(tmp_path).find("smoke", config, fingerprint)

    return run


def test_a_wide_run_keeps_the_embeddings_of_its_checkpoints_and_says_so(trained, monkeypatch):
    monkeypatch.setattr(store, "WHOLE_UP_TO", 8)
    narrow, wide = trained(8), trained(12)
    assert narrow.weights(1).keys() == narrow.weights().keys()
    assert wide.weights(1).keys() == {"embedding.Z", "embedding.N", "embedding.observable"}
    assert wide.weights().keys() == narrow.weights().keys()
    assert wide.manifest["format"] == 3
    last = wide.probe(2)
    np.testing.assert_array_equal(last.embedding("Z"), wide.probe().embedding("Z"))
    z, n = np.array([82]), np.array([126])
    for read in (lambda: last.predict(z, n, "sn"), lambda: last.read_out(np.zeros((1, 12)), "sn")):
        with pytest.raises(
            NuclrError, match="tiny, seed 0 holds its embeddings alone: read anything else from the final"
        ):
            read()
    assert wide.probe().predict(z, n, "sn").shape == (1,)


def test_a_run_of_the_format_before_is_read_as_it_is(trained, monkeypatch):
    monkeypatch.setattr(store, "FORMAT", 2)
    run = trained(8)
    assert run.manifest["format"] == 2
    assert run.probe(1).predict(np.array([82]), np.array([126]), "sn").shape == (1,)


def test_a_run_on_a_cpu_has_no_driver(trained):
    assert driver_name("cpu") is None
    run = trained(8)
    assert run.manifest["driver"] is None
    assert run.record()["driver"] is None
    del run.manifest["driver"]  # as runs of an earlier version
    assert run.record()["driver"] is None


def test_the_driver_is_asked_of_nvidias_tool(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "12.4")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(worker, "KERNEL_MODULE", tmp_path / "version")
    assert driver_name("cuda") == "NVIDIA of unknown version, CUDA 12.4"
    (tmp_path / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\nGCC version: 12\n"
    )
    assert driver_name("cuda") == "NVIDIA 550.54.15, CUDA 12.4"
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 570.1\necho 570.1\n")
    tool.chmod(0o755)
    assert driver_name("cuda:0") == "NVIDIA 570.1, CUDA 12.4"


def test_where_nothing_is_kept_no_state_is_saved_and_the_run_and_its_checkpoints_are_stored(
    tiny, tmp_path, monkeypatch
):
    monkeypatch.setattr(worker, "SAVE_EVERY", 0.0)
    saved = []
    monkeypatch.setattr(worker.Unfinished, "save", lambda *_: saved.append(1))
    configs = tuple(tiny(seed=seed) for seed in (0, 1))
    job = Job("smoke", configs, tuple(map(plan.fingerprint_of, configs)), tmp_path, "cpu", 1, saves=False)
    assert not train(job, lambda rows: rows < 64).finished
    assert train(job, lambda _: True).trained == 2
    assert saved == []
    assert Store(tmp_path).find("smoke", configs[0], job.fingerprints[0]).weights(1)
    assert not train(replace(job, store=tmp_path / "other", saves=True), lambda rows: rows < 64).finished
    assert len(saved) >= 2


@pytest.mark.parametrize("graph", [True, False])
@pytest.mark.parametrize("kind", ["nuclei", "addition"])
def test_a_job_says_whether_the_torch_engine_replays_a_graph(tiny, tmp_path, monkeypatch, kind, graph):
    asked = []
    engine, module = (Replicas, loop) if kind == "nuclei" else (addition.Adders, addition)

    class Recording(engine):
        def __init__(self, configs, examples, device, dtype, graph=True):
            asked.append(graph)
            super().__init__(configs, examples, device, dtype, graph)

    monkeypatch.setattr(module, engine.__name__, Recording)
    config = tiny(steps=2, warmup=0)
    if kind == "addition":
        config = replace(config, data=AdditionConfig(5), model=ModelConfig(8))
    train(Job("smoke", (config,), (plan.fingerprint_of(config),), tmp_path, "cpu", 1, graph=graph), lambda _: True)
    assert asked == [graph]


def test_gradients_are_those_of_float64_and_leave_the_parameters(tiny):
    configs = [tiny(seed=seed) for seed in (0, 1)]
    engines = [
        Replicas(configs, [examples(config) for config in configs], torch.device("cpu"), dtype)
        for dtype in (torch.float32, torch.float64)
    ]
    before = {name: value.clone() for name, value in engines[0].parameters(1).items()}
    found, exact = (engine.gradients(3) for engine in engines)
    for name, gradient in exact.items():
        assert gradient.shape[0] == 2
        assert (found[name] - gradient).norm() <= 1e-5 * gradient.norm(), name
    assert found.keys() == before.keys()
    assert all(torch.equal(before[name], value) for name, value in engines[0].parameters(1).items())
    assert not torch.equal(exact["first.weight"], engines[1].gradients(4)["first.weight"])
