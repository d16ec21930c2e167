"""What a wide network costs: each set of directions is read once, and none beyond those that there are."""

import numpy as np
import planted
import pytest
from planted import untrained

from claims.test_few_pcs import counts_of_control, counts_to_try, rms_by_count
from nuclr.analysis.pca import components, random_directions
from nuclr.config import DataConfig, ModelConfig, RunConfig
from nuclr.model.probe import Probe

CONFIG = RunConfig("joint", 0, DataConfig(("binding",)), ModelConfig(width=256, depth=1))


@pytest.mark.parametrize("kind", ["principal", "random"])
def test_more_directions_than_numbers_are_read_once(kind, core, monkeypatch):
    probe = untrained(CONFIG)
    points = probe.embedding("Z")
    found = components(points)
    assert found.directions.shape == (118, 256)
    directions = found if kind == "principal" else random_directions(found, 0)
    read, predict = [], Probe.predict
    monkeypatch.setattr(Probe, "predict", lambda self, *nuclei: read.append(self) or predict(self, *nuclei))
    curve = rms_by_count(probe, core, "z", points, directions)
    assert list(curve) == counts_to_try(256)
    assert len(read) == sum(k < 118 for k in curve) + 1
    assert curve[128] == curve[256] != curve[64]
    kept = probe.with_embedding("Z", directions.keep(points, 3))
    assert curve[3] == core.rms(predict(kept, core.z, core.n, "binding"))
    if kind == "principal":  # all of them are the embedding itself
        assert curve[256] == pytest.approx(core.rms(predict(probe, core.z, core.n, "binding")), rel=1e-9)


def test_a_control_tries_the_counts_that_are_told_of_it(core):
    probe = untrained(CONFIG)
    points = probe.embedding("N")
    curve = rms_by_count(probe, core, "n", points, components(points), counts_of_control(256))
    assert list(curve) == [1, 3, 10, 32, 128, 256]
    assert np.isfinite(list(curve.values())).all()
    assert {3, 10} <= set(counts_of_control(planted.WIDTH))  # what the figure says, and the bound
