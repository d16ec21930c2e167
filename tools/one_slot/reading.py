"""What a later judging needs of a trained run, in a megabyte: networks of 120 MB cannot come back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from claims.training import curve
from nuclr.analysis.pca import components
from nuclr.config import RunConfig
from nuclr.data import table
from nuclr.errors import NuclrError
from nuclr.model.probe import Probe
from nuclr.train.kinds import adds, examples
from nuclr.train.store import Store, StoredRun
from tools.one_slot.parts import npz
from tools.one_slot.worker import Say

Array = NDArray[np.float64]
COMPONENTS = 64


def read(_: Say, profile: str, config: RunConfig, fingerprint: str, store: Path) -> bytes:
    """The reading of a stored run as the bytes of an .npz file."""
    torch.set_num_threads(1)  # other runs are read at the same time
    with threadpool_limits(1):
        run = Store(store).find(profile, config, fingerprint)
        if run is None:
            raise NuclrError(f"Run {config.label} is not in {store}: it cannot be read.")
        return npz(reading(run))


def reading(run: StoredRun) -> dict[str, np.ndarray]:
    """
    manifest             its manifest, as JSON
    curve.<quantity>     of training: (points,), NaN where a point lacks it
    trained.<quantity>   how errors and structure of the embeddings came, as the report shows it (claims.training)
    embedding.<Z or N>   (numbers, numbers at most) of TRAINED_NUMBERS, rotated onto their own axes: all distances and angles are
                         those of the network, and further columns would be zero
    penultimate.*        for the binding energy, or the first observable, of the core set of k nuclides: axes (k, 64), the first
                         principal coordinates; share (64,) of the variance; readout (65,) in physical units, of the mean and of
                         one unit along each component
    prediction           (rows,) in physical units, of all rows in the order of nuclr.train.kinds.examples
    weights.<parameter>  of modular addition all parameters, in place of the last three
    """
    points = run.curves()
    found = {"manifest": np.array(json.dumps(run.manifest).encode())}
    for quantity in dict.fromkeys(key for point in points for key in point):
        found[f"curve.{quantity}"] = np.array([point.get(quantity, np.nan) for point in points])
    found |= {f"trained.{quantity}": np.asarray(values) for quantity, values in curve(run).arrays.items()}
    if adds(run.config):
        return found | {f"weights.{name}": value.numpy() for name, value in run.weights().items()}
    probe = run.probe()
    found |= {f"embedding.{symbol}": rotated(probe.embedding(symbol)) for symbol in "ZN"}
    found |= {f"penultimate.{name}": value.astype(np.float32) for name, value in _penultimate(probe).items()}
    return found | {"prediction": _predictions(probe).astype(np.float32)}


def rotated(points: Array) -> NDArray[np.float32]:
    """The points (k, d) turned about the origin onto their own axes, the strongest first: (k, min(k, d))."""
    left, sizes, _ = np.linalg.svd(points, full_matrices=False)
    return np.asarray(left * sizes, dtype=np.float32)


def _penultimate(probe: Probe) -> dict[str, Array]:
    everything = table.load()
    core = everything[table.core(everything)]
    targets = probe.config.data.observables
    observable = "binding" if "binding" in targets else targets[0]
    activations = probe.penultimate(core.z.to_numpy(np.int64), core.n.to_numpy(np.int64), observable)
    layer = components(activations)
    directions = layer.directions[:COMPONENTS]
    of_mean, *of_units = probe.read_out(np.vstack([layer.mean, layer.mean + directions]), observable)
    return {
        "axes": layer.project(activations, COMPONENTS),
        "share": layer.share[:COMPONENTS],
        "readout": np.array([of_mean, *(of_unit - of_mean for of_unit in of_units)]),
    }


def _predictions(probe: Probe) -> Array:
    rows = examples(probe.config)
    found = np.full(len(rows.z), np.nan)
    for task, observable in enumerate(probe.config.data.observables):
        of_task = rows.observable == task
        found[of_task] = probe.predict(rows.z[of_task], rows.n[of_task], observable)
    return found
