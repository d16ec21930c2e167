"""PC0 of the penultimate layer is the volume term of the mass formula (figures 11 and 23)."""

import numpy as np
import pytest

from claims.conftest import penultimate
from nuclr.analysis import nulls
from nuclr.analysis.pca import cosine, cosines
from nuclr.physics.formulas import TERMS
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("volume-pc")

SHOWN = (
    "volume",
    "surface",
    "coulomb",
    "asymmetry",
    "pairing",
    "shell",
    "exchange_coulomb",
    "wigner",
    "surface_symmetry",
    "curvature",
)
COMPONENTS = 12


def test_the_first_component_is_the_volume(runs, core, evidence):
    joint = runs("joint")
    volume = TERMS["volume"](core.z, core.n)
    layers = [penultimate(run.probe, core) for run in joint]
    first = [layer.axes(1)[:, 0] for layer in layers]
    evidence.measure("cosine", [abs(cosine(axis, volume)) for axis in first])

    untrained = [penultimate(joint[0].probe.untrained(seed), core).axes(1)[:, 0] for seed in range(20)]
    evidence.control("untrained networks", [abs(cosine(axis, volume)) for axis in untrained])
    smooth = nulls.smooth_functions(core.z, core.n, width=20, draws=200, seed=0)
    evidence.control("random smooth functions of N and Z", [abs(cosine(function, volume)) for function in smooth])

    # How specific the match is: smooth terms that grow with A resemble one another.
    rivals = {name: TERMS[name](core.z, core.n) for name in ("surface", "coulomb", "curvature")}
    for name, term in {**rivals, "Z": core.z.astype(float), "N": core.n.astype(float)}.items():
        evidence.note(f"cosine of PC0 and {name}", [abs(cosine(axis, term)) for axis in first])
        evidence.note(f"cosine of the volume term itself and {name}", abs(cosine(volume, term)))
    evidence.note("share of the variance in PC0", [layer.components.share[0] for layer in layers])

    axes = layers[0].axes(COMPONENTS)
    found = np.abs(cosines(axes, np.stack([TERMS[name](core.z, core.n) for name in SHOWN], axis=1)))
    best = {name: int(found[1:, i].argmax()) + 1 for i, name in enumerate(SHOWN)}
    evidence.figure(
        "figure-11",
        title="Components of the penultimate layer against terms of the mass formulas",
        caption="Absolute cosines of centred vectors over all nuclides, the first seed.",
        alt=f"Table of cosines: PC0 with volume {found[0, 0]:.3f}; of PC1 to PC{COMPONENTS - 1} most like "
        + ", ".join(
            f"{name} PC{best[name]} ({found[best[name], SHOWN.index(name)]:.2f})" for name in ("pairing", "shell")
        )
        + ".",
        panels=[
            Panel(
                "heatmap",
                "",
                {"value": found},
                {
                    "rows": [f"PC{i}" for i in range(COMPONENTS)],
                    "columns": [name.replace("_", " ") for name in SHOWN],
                    "label": "abs cosine",
                    "low": 0.0,
                    "high": 1.0,
                },
            )
        ],
    )
    evidence.figure(
        "figure-23",
        title="PC0 on the chart of nuclides",
        caption="It grows with the mass number alone.",
        alt=f"Chart of nuclides coloured by PC0 of the penultimate layer, whose cosine with the mass number is {found[0, 0]:.3f}.",
        panels=[
            Panel(
                "chart",
                "PC0",
                {"z": core.z, "n": core.n, "value": axes[:, 0] * np.sign(cosine(axes[:, 0], volume))},
                {"label": "PC0 of the penultimate layer"},
            )
        ],
    )
    evidence.conclude()
