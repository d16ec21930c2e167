"""What the manifest and the checkpoints of a run on a GPU hold, tried on a CPU: wide networks, and a driver that is made up."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nuclr.config import ModelConfig
from nuclr.errors import NuclrError
from nuclr.train import plan, store, worker
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
