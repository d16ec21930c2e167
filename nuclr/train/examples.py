"""The rows of a run as tensors: targets in min-max units, loss weights, and the batch of every step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from torch import Tensor

from nuclr.config import DataConfig, RunConfig
from nuclr.data.observables import TARGETS, Rows, pseudo, rows
from nuclr.data.splits import Split, split


@dataclass(frozen=True)
class Examples:
    """All rows of a run, k in number.

    z, n, observable: tokens, int64 (k,). value: physical units, target: the same in min-max units, float64 (k,).
    weight: of the squared error in min-max units, float64 (k,). measured: False where the evaluation gives an estimate.
    train, validation: masks (k,).
    low, high: for each observable what 0 and 1 stand for, in physical units: the extremes of its training rows.
    """

    z: np.ndarray
    n: np.ndarray
    observable: np.ndarray
    value: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    measured: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def physical(self, unit: np.ndarray) -> np.ndarray:
        """Predictions (k,) in min-max units as physical units."""
        physical: np.ndarray = self.low[self.observable] + unit * (self.high - self.low)[self.observable]
        return physical

    @cached_property
    def digest(self) -> str:
        """sha256 of the rows: what the fingerprint knows of the data.

        Targets and weights follow from these by arithmetic, whose last bits differ between versions of numpy; so do those of
        the values that a formula gave, which is why the values count as float32.
        """
        sha = hashlib.sha256()
        for array in (self.z, self.n, self.observable):
            sha.update(array.astype(np.int64).tobytes())
        sha.update(self.value.astype(np.float32).tobytes())
        for mask in (self.measured, self.train, self.validation):
            sha.update(mask.astype(bool).tobytes())
        return sha.hexdigest()


def examples(config: RunConfig) -> Examples:
    """The examples of a run. Raises NuclrError when the packaged data are damaged."""
    names = config.data.observables
    table, parts = _rows(config.data, config.seed)  # type: ignore[arg-type]  # of nuclei: sums are made by nuclr.train.addition
    low, high, weights = (np.zeros(len(names)) for _ in range(3))
    for task, name in enumerate(names):
        values = table.value[(table.task == task) & parts.train]
        low[task], high[task] = values.min(), values.max()
        weights[task] = _weight(config.training.weighting, high[task] - low[task], TARGETS[name].expected_error)
    span = high - low
    weight = weights[table.task]
    return Examples(
        z=table.z,
        n=table.n,
        observable=table.task,
        value=table.value,
        target=(table.value - low[table.task]) / span[table.task],
        # Only ratios matter to AdamW; a mean of one keeps the loss of every weighting near the same size.
        weight=weight / weight[parts.train].mean(),
        measured=table.measured,
        train=parts.train,
        validation=parts.validation,
        low=low,
        high=high,
    )


def _rows(data: DataConfig, seed: int) -> tuple[Rows, Split]:
    table = _table(data.observables, data.nuclides)
    if data.targets == "semf":
        table = pseudo(table)
    over = data.split_over or data.observables
    parts = _split(over, data.nuclides, data.split, data.fraction, seed, each=bool(data.split_over))
    if over == data.observables:
        return table, parts
    # Both tables are ordered by (z, n) within an observable, so the rows of one observable correspond in order.
    wider = _table(over, data.nuclides)
    where = np.concatenate([np.flatnonzero(wider.task == over.index(name)) for name in data.observables])
    return table, Split(parts.train[where], parts.validation[where])


_table = cache(rows)  # many runs share their rows, and many of one observable the split of the joint run


@cache
def _split(names: tuple[str, ...], nuclides: str, kind: str, fraction: float, seed: int, each: bool) -> Split:
    return split(_table(names, nuclides), kind, fraction, seed, each)


def _weight(weighting: str, span: float, expected_error: float) -> float:
    """Weight of a squared error in min-max units, for an observable whose unit interval spans `span` physical units."""
    return {
        "chi2": (span / expected_error) ** 2,
        "inverse": span**2 / expected_error,
        "equal": 1.0,
    }[weighting]


def batch_rows(config: RunConfig, data: Examples) -> int:
    """Rows in a step. A share is of the nominal training rows, so that it is the same for every seed."""
    nominal = config.data.fraction * len(data.z)
    wanted = config.training.batch * nominal if config.training.batch <= 1 else config.training.batch
    return max(1, min(int(wanted), int(data.train.sum())))


class Batches:
    """The shuffled batches of one run. Batch s depends on the seed and s alone, so that a resumed run sees the same.

    columns: z, n, observable (int64), target, weight (dtype) of the k training rows, each of shape (k,).
    rows: in a batch. per_epoch: batches in an epoch.
    """

    def __init__(self, config: RunConfig, data: Examples, device: torch.device, dtype: torch.dtype) -> None:
        self.seed = config.seed
        self.rows = batch_rows(config, data)
        keep = data.train
        self.columns = [
            torch.from_numpy(column[keep]).to(device)
            for column in (data.z.astype(np.int64), data.n.astype(np.int64), data.observable.astype(np.int64))
        ] + [torch.from_numpy(column[keep]).to(device, dtype) for column in (data.target, data.weight)]
        self.per_epoch = len(self.columns[0]) // self.rows
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def epoch_order(self, epoch: int) -> Tensor:
        """The training rows as shuffled for an epoch: positions in the columns, int64 (k,). Those past its last batch rest."""
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed((self.seed << 32) + epoch)
            self._epoch, self._order = epoch, torch.randperm(len(self.columns[0]), generator=generator)
        return self._order

    def indices(self, step: int) -> Tensor:
        """Positions in the columns of the rows in batch `step`, int64 (rows,)."""
        epoch, index = divmod(step, self.per_epoch)
        return self.epoch_order(epoch)[index * self.rows : (index + 1) * self.rows]

    def at(self, step: int) -> list[Tensor]:
        """Columns z, n, observable, target, weight of batch `step`, each of shape (rows,)."""
        index = self.indices(step)
        return [column[index.to(column.device)] for column in self.columns]
