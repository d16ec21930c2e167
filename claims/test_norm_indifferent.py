"""Layer, RMS or batch norm, or none, give similar results (Appendix B)."""

import numpy as np
import pytest

from nuclr.analysis.ratios import largest_ratio
from nuclr.verdict.evidence import Panel
from nuclr.verdict.statistics import student

pytestmark = pytest.mark.claim("norm-indifferent")

NORMS = {"layer": "layer norm", "rms": "RMS norm", "batch": "batch norm"}


def test_the_norm_does_not_matter(runs, evidence):
    kinds = {"none": runs("binding-brief"), **{norm: runs(f"binding-{norm}-norm") for norm in NORMS}}
    assert len({tuple(run.seed for run in kind) for kind in kinds.values()}) == 1
    validation, train = (
        {name: np.array([run.error(f"{part}_rms.binding") for run in kind]) for name, kind in kinds.items()}
        for part in ("validation", "train")
    )
    # Seeds hold out other nuclides, some of them much harder: norms are compared seed by seed, and averaged then.
    logs = {norm: np.log(validation[norm] / validation["none"]) for norm in NORMS}
    intervals = {norm: student(log, confidence=evidence.confidence) for norm, log in logs.items()}
    value, interval = largest_ratio(
        np.array([log.mean() for log in logs.values()]), *np.array(list(intervals.values())).T
    )
    evidence.measure("largest-ratio", value, over="run", interval=interval)

    for name in kinds:
        evidence.note(f"validation RMS, {NORMS.get(name, 'no norm')}", validation[name], "keV")
        evidence.note(f"train RMS, {NORMS.get(name, 'no norm')}", train[name], "keV")
    for norm in NORMS:
        evidence.note(f"ratio of validation RMS, {NORMS[norm]} over none", np.exp(logs[norm]))
        evidence.note(f"ratio of train RMS, {NORMS[norm]} over none", train[norm] / train["none"])
        measured = [[run.error("validation.measured_rms.binding") for run in kinds[name]] for name in (norm, "none")]
        evidence.note(f"ratio of validation RMS on measured masses, {NORMS[norm]} over none", np.divide(*measured))
    # What a factor of 1.5 is worth: seeds of the plain network, and a longer training of it.
    evidence.note("largest ratio between seeds without a norm", validation["none"].max() / validation["none"].min())
    longer = {run.seed: run.error("validation_rms.binding") for run in runs("binding")}
    by_seed = [longer[run.seed] for run in kinds["none"]]
    evidence.note("ratio of validation RMS, the longer training of `binding` over none", by_seed / validation["none"])
    evidence.figure(
        "ratios",
        title="Validation error with a norm over that without",
        caption="Mean ratio over seeds and its interval, seed against the same seed. The lines are a factor of 1.5 either "
        f"way, the bound of the claim; the norm furthest from none is off by a factor of {value:.2f}.",
        alt=f"Ratio of the validation error for three norms; the furthest from 1 is a factor of {value:.2f}.",
        panels=[
            Panel(
                "bars",
                "",
                {
                    "value": [np.exp(log.mean()) for log in logs.values()],
                    "low": [np.exp(intervals[norm][0]) for norm in NORMS],
                    "high": [np.exp(intervals[norm][1]) for norm in NORMS],
                },
                {
                    "labels": list(NORMS.values()),
                    "xlabel": "validation RMS over that without a norm",
                    "vlines": [{"at": 1 / 1.5, "label": "1/1.5"}, {"at": 1.5, "label": "1.5"}],
                    "log": True,
                },
            )
        ],
    )
    evidence.remark(
        "It hangs on how the networks are trained: docs/norms.md has other learning rates and a longer training."
    )
    evidence.conclude()
