"""Where to compute is said once, and refused in one sentence where it cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nuclr.errors import NuclrError
from nuclr.model.device import device_named

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("gpu", "device"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_where_there_is_one(gpu, device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert device_named("auto") == device
    assert device_named("cpu") == "cpu"


def test_what_there_is_not_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NuclrError, match="no CUDA device that torch can use"):
        device_named("cuda")
    with pytest.raises(NuclrError, match="no device 'tpu': choose cpu, cuda or auto"):
        device_named("tpu")


@pytest.mark.parametrize(
    ("device", "sentence"),
    [("cuda", "This machine has no CUDA device that torch can use"), ("tpu", "There is no device 'tpu'")],
)
def test_judging_refuses_it_before_anything_is_judged(device, sentence, tmp_path):
    arguments = ["claims/test_dataset.py", "--device", device, "--reports", tmp_path, "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},  # as on a machine without a GPU
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4  # a usage error
    told = [line for line in (done.stdout + done.stderr).splitlines() if line]
    assert len(told) == 1, told
    assert told[0].startswith(f"ERROR: {sentence}")
    assert not list(tmp_path.iterdir())
