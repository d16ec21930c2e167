"""Moving along PC0 of Z moves the predicted binding energy monotonically and sets its scale (figure 6)."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from claims.landscape import CELLS, explored
from nuclr.analysis.pca import components
from nuclr.analysis.topography import own_range, points
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("pc0-is-bulk")

NEUTRONS = (20, 40, 60, 80, 100, 120, 140)
STEPS = 101
LEADING = (0, 1, 2)


def walk(probe, component):
    """Mean over N of abs Spearman rho and of the span (keV) of the energy, along one component of Z over its own range."""
    embedding = probe.embedding("Z")
    found = components(embedding)
    along = own_range(found.project(embedding)[:, component], STEPS)
    path = points(found, [component], along[:, None])
    beside = np.repeat(NEUTRONS, STEPS)
    energies = probe.predict_at(np.tile(path, (len(NEUTRONS), 1)), beside, "binding").reshape(-1, STEPS)
    return np.mean([abs(spearmanr(along, e).statistic) for e in energies]), np.mean([np.ptp(e) for e in energies])


def span_ratios(spans):
    """Span along each component (rows: networks) over the larger of the other two."""
    return np.stack([spans[:, i] / np.delete(spans, i, axis=1).max(axis=1) for i in LEADING], axis=1)


def test_the_first_component_is_the_bulk(runs, core, evidence):
    joint = runs("joint")
    walks = np.array([[walk(run.probe, component) for component in LEADING] for run in joint])
    rho, spans = walks[..., 0], walks[..., 1]
    ratios = span_ratios(spans)
    evidence.measure("monotone", rho[:, 0])
    evidence.measure("span-ratio", ratios[:, 0])
    # PC1 and PC2 are often monotone as well: being monotone alone shows nothing, the span is what sets PC0 apart.
    evidence.control("PC1 and PC2 in the place of PC0", ratios[:, 1:], ["span-ratio"])
    untrained = (joint[0].probe.untrained(seed) for seed in range(10))  # one at a time in memory
    fresh = np.array([[walk(probe, component)[1] for component in LEADING] for probe in untrained])
    evidence.note("span ratio of untrained networks", span_ratios(fresh)[:, 0])
    evidence.note("span of the energy along PC0 of untrained networks", fresh[:, 0], "keV")
    for component in LEADING[1:]:
        evidence.note(f"abs Spearman rho of PC{component} and predicted binding energy", rho[:, component])
    for component in LEADING:
        evidence.note(f"span of the energy along PC{component}", spans[:, component], "keV")
    figure(joint[0].probe, core, evidence)
    evidence.conclude()


def figure(probe, core, evidence, n=80):
    embedding = probe.embedding("Z")
    found = components(embedding)
    own = found.project(embedding, len(LEADING))
    # The sign of a component is arbitrary: PC0 is drawn so that Z grows to the right, PC1 to the top.
    sign = np.sign(own[-1] - own[0])
    over_plane = explored(
        "Over PC0 and PC1",
        probe,
        core,
        own[:, :2] * sign[:2],
        tuple(own_range(1.1 * own[:, i] * sign[i], CELLS) for i in (0, 1)),  # and a margin
        lambda coordinates, _: points(found, (0, 1), coordinates * sign[:2]),
        {
            "xlabel": "PC0",
            "ylabel": "PC1",
            "first": "energy",
            "shown": [20, n, 140],
            "along": "the other components are at their mean",
        },
    )
    series = {}
    for component in LEADING:
        along = own_range(own[:, component] * sign[component], STEPS)
        series[f"pc{component}.x"] = along / np.ptp(own[:, component])
        path = points(found, [component], along[:, None] * sign[component])
        series[f"pc{component}.y"] = probe.predict_at(path, n, "binding") / 1e6
    evidence.figure(
        "figure-06",
        title="The predicted binding energy over PC0 and PC1 of Z",
        caption="The landscape at three N, the other components at their mean, first seed, with the embeddings of Z: large where the "
        f"nuclide is known, a triangle where it is most bound. The profiles are those at N = {n}. Where PC0 is the bulk, the energy "
        "changes along it and hardly across.",
        alt="Landscapes of the predicted binding energy over PC0 and PC1 of Z at three N, and its profiles along PC0, PC1 and PC2: "
        + ", ".join(f"{np.ptp(series[f'pc{i}.y']):.2f} GeV along PC{i}" for i in LEADING)
        + f" at N = {n}.",
        panels=[
            over_plane,
            Panel(
                "lines",
                "along one component",
                series,
                {
                    "series": [{"key": f"pc{i}", "label": f"PC{i}", "style": "line"} for i in LEADING],
                    "xlabel": "place, in units of the embedding's own range",
                    "ylabel": "binding energy (GeV)",
                },
            ),
        ],
    )
