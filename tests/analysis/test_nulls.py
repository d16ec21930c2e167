"""The nulls have the properties that they are named for."""

import numpy as np
import pytest

from nuclr.analysis import nulls


def neighbour_correlation(x):
    """Correlation of neighbours about a straight line, over all dimensions of one draw (k, d)."""
    t = np.linspace(-1, 1, len(x))
    line, _ = np.linalg.qr(np.stack([np.ones_like(t), t], axis=1))
    rest = x - line @ (line.T @ x)
    return (rest[1:] * rest[:-1]).sum() / np.square(rest).sum()


@pytest.mark.parametrize("width", [1.0, 2.0])
def test_a_matched_null_is_as_smooth_as_its_model(width):
    model = nulls.smooth_noise(177, 64, width, line_share=0.6, draws=1, seed=0)[0]
    matched = nulls.like(model, draws=5, seed=1)
    assert np.mean([neighbour_correlation(draw) for draw in matched]) == pytest.approx(
        neighbour_correlation(model), abs=0.05
    )


def test_the_line_carries_its_share():
    draw = nulls.smooth_noise(177, 64, width=0.1, line_share=0.8, draws=1, seed=0)[0]
    t = np.linspace(-1, 1, 177)
    t /= np.linalg.norm(t)
    centred = draw - draw.mean(0)
    assert np.square(t @ centred).sum() / np.square(centred).sum() == pytest.approx(0.8, abs=0.03)


def test_walks_grow_and_draws_differ():
    walks = nulls.random_walks(100, 50, draws=2, seed=0)
    assert np.square(walks[:, -1]).sum() > 10 * np.square(walks[:, 0]).sum()
    assert not np.array_equal(walks[0], walks[1])


def test_smooth_functions_are_smooth_on_the_chart():
    z, n = (grid.ravel() for grid in np.meshgrid(np.arange(1, 60), np.arange(1, 60), indexing="ij"))
    chart = nulls.smooth_functions(z, n, width=8, draws=1, seed=0)[0].reshape(59, 59)
    assert np.abs(np.diff(chart, axis=0)).mean() < 0.2 * chart.std()
