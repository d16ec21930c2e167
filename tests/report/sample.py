"""A made-up but plausible evidence file with every verdict and every kind of panel.

`python -m report.sample FOLDER`, run in tests/, writes it with its arrays and its page, to be looked at.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from nuclr.report import page

from .sample_figures import curves, figures

CLAIMS = Path(__file__).parents[2] / "claims" / "paper.toml"
COMMIT = "6ab7a6be5e2f61daa9d5a3e0a46cd14cbb89d16a"


# How often claims were looked at: decided at once, left undecided after all, and too near the bound to be decided.
LOOKS: dict[str, Any] = {
    "helix": {"made": 1, "of": 3, "confidence": 1 - 0.05 / 3, "seeds": 5, "undecided": False, "needed": None},
    "parity-tracks-validation": {
        "made": 3,
        "of": 3,
        "confidence": 1 - 0.05 / 3,
        "seeds": 12,
        "undecided": True,
        "needed": 31,
    },
    "volume-pc": {"made": 1, "of": 1, "confidence": 0.95, "seeds": 3, "undecided": True, "needed": None},
}
# claim -> verdict, reason, {measure: (values, half width, verdict, [(control, low, median, high, outside)])}
RESULTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "dataset": (
        "reproduced",
        "nuclei in the core set: 3371 lies inside between 3330 and 3396.",
        {"nuclei": ([3371.0], 0, "reproduced", []), "observables": ([10.0], 0, "reproduced", [])},
    ),
    "semf-misses-shells": (
        "reproduced",
        "smallest excess: 412 to 1630 keV lies inside > 0, and the control stays outside.",
        {
            "smallest-excess": ([1010.0], 610, "reproduced", [("random numbers", -2900, -1800, -700, True)]),
            "smallest-kink": ([688.0], 120, "reproduced", [("random numbers", -1400, -820, -130, True)]),
        },
    ),
    "distilled-formula": (
        "not reproduced",
        "RMS of Equation 5 on the well-measured nuclei: 5127 keV lies outside between 4370 and 4830.",
        {
            "rms": (
                [5127.0],
                0,
                "not reproduced",
                [("refitted SEMF", 3580, 3580, 3580, True), ("mean per nucleon", 61000, 61000, 61000, True)],
            ),
            "ratio": ([0.6467], 0, "reproduced", [("mean per nucleon", 7.7, 7.7, 7.7, True)]),
        },
    ),
    "number-order": (
        "reproduced",
        "all four intervals lie inside > 0.9, and the controls stay outside.",
        {
            name: ([v, v + 0.004, v - 0.003], 0.009, "reproduced", [("untrained embeddings", 0.5, 0.53, 0.61, True)])
            for name, v in (
                ("order-z", 0.991),
                ("order-n", 0.987),
                ("order-z-without-numbers", 0.962),
                ("order-n-without-numbers", 0.948),
            )
        },
    ),
    "order-tracks-validation": (
        "reproduced",
        "both correlations lie below 0, and permuted errors do not.",
        {
            "rho-z": ([-0.83, -0.79, -0.88], 0.11, "reproduced", [("permuted errors", -0.03, 0.21, 0.4, True)]),
            "rho-n": ([-0.71, -0.65, -0.78], 0.16, "reproduced", [("permuted errors", -0.02, 0.18, 0.39, True)]),
        },
    ),
    "parity-tracks-validation": (
        "inconclusive",
        "Spearman rho of the parity split of Z: −0.61 to 0.14 straddles the bound < 0.",
        {
            "rho-z": ([-0.32, -0.11, -0.28], 0.375, "inconclusive", [("permuted errors", -0.02, 0.2, 0.42, True)]),
            "rho-n": ([-0.44, -0.39, -0.51], 0.15, "reproduced", [("permuted errors", -0.02, 0.2, 0.42, True)]),
        },
    ),
    "structure-evolution": (
        "error",
        "the run 'evolution-memorise' of seed 2 is stale: train it again with `nuclr train --profile cpu`.",
        {},
    ),
    "helix": (
        "reproduced",
        "H of Z minus the largest null: 0.12 to 0.27 lies inside > 0, and the controls stay outside.",
        {
            "margin-z": (
                [0.19, 0.22, 0.17],
                0.075,
                "reproduced",
                [
                    ("runs on S_N, Q_A, radius", -0.18, -0.14, -0.07, True),
                    ("noisy straight line", -0.24, -0.21, -0.17, True),
                ],
            ),
            "margin-n": (
                [0.14, 0.25, 0.3],
                0.2,
                "reproduced",
                [("runs on S_N, Q_A, radius", -0.2, -0.15, -0.09, True)],
            ),
        },
    ),
    "volume-pc": (
        "reproduced",
        "0.9971 to 0.9993 lies inside > 0.95, and the controls stay outside.",
        {
            "cosine": (
                [0.9982, 0.9979, 0.9986],
                0.0009,
                "reproduced",
                [("untrained networks", 0.04, 0.11, 0.2, True), ("random smooth functions", 0.1, 0.42, 0.81, True)],
            )
        },
    ),
    "pairing-pc": (
        "reproduced",
        "0.71 to 0.91 lies inside > 0.5, and the control stays outside.",
        {"cosine": ([0.81, 0.77, 0.85], 0.1, "reproduced", [("shuffled parity", 0.03, 0.08, 0.15, True)])},
    ),
    "shell-pc": (
        "inconclusive",
        "the control passes too: 31 % of shifted magic numbers satisfy > 0.3.",
        {"cosine": ([0.35, 0.37, 0.36], 0.025, "inconclusive", [("shifted magic numbers", 0.11, 0.25, 0.37, False)])},
    ),
    "multi-task": (
        "reproduced",
        "largest ratio: 0.81 to 0.96 lies inside < 1, and the control stays outside.",
        {
            "largest-ratio": (
                [0.88, 0.91, 0.86],
                0.075,
                "reproduced",
                [("a random target added", 1.02, 1.05, 1.11, True)],
            )
        },
    ),
    "train-fits": (
        "not run",
        "reported only: the bound applies to the profile paper.",
        {"train-rms": ([215.0, 231.0, 208.0], 29, "not run", [])},
    ),
}


def _run(name: str, seed: int, quantity: str = "RMS of binding", unit: str = "keV") -> dict[str, Any]:
    fingerprint = f"{seed}f3a9c41b2d87e06{seed}"
    return {
        "fingerprint": fingerprint,
        "name": name,
        "seed": seed,
        "profile": "cpu",
        "steps": 20000,
        "device": "cpu",
        "precision": "bf16",
        "seconds": 118.0 + 7 * seed,
        "curve": {"arrays": f"arrays/cpu/run.{fingerprint}.npz", "quantity": quantity, "unit": unit},
    }


# A run of modular addition, on a GPU with its driver, and one of before there were curves.
OTHERS = [
    {**_run("addition", 3, "accuracy", "1"), "device": "cuda: NVIDIA H100", "driver": "570.86.15"},
    {key: value for key, value in _run("earlier", 4).items() if key != "curve"},
]


def evidence(*only: str) -> dict[str, Any]:
    """The evidence of all claims of claims/paper.toml, judged with the made-up RESULTS; or of some, whose page is sooner drawn."""
    paper = tomllib.loads(CLAIMS.read_text(encoding="utf-8"))
    chosen = {name: claim for name, claim in paper["claims"].items() if name in (only or paper["claims"])}
    drawn = figures()
    versions = {"nuclr": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "numpy": "2.2.6", "scipy": "1.16.1"}
    provenance = {"commit": COMMIT, "dirty": False, "versions": versions, "device": "cpu: AMD EPYC 7B13, 2 cores"}
    return {
        "schema": 1,
        "profile": "cpu",
        "updated": "2025-05-24T14:03:11+00:00",
        "paper": paper["paper"],
        "provenance": {
            **provenance,
            "command": "pytest claims --profile cpu",
            "started": "2025-05-24T14:01:50+00:00",
            "seconds": 81.4,
        },
        "problems": ["collection of claims/test_attention.py failed: No module named 'pyoperon'"],
        "claims": {name: _claim(name, claim, drawn.get(name), provenance) for name, claim in chosen.items()},
    }


def _claim(name: str, claim: dict[str, Any], figure: Any, provenance: dict[str, Any]) -> dict[str, Any]:
    verdict, reason, results = RESULTS.get(name, ("not run", "never judged", {}))
    measures = [_measure(key, one, results.get(key)) for key, one in claim["measures"].items()]
    lead = next((one for one in measures if one["verdict"] == verdict), measures[0])
    module = claim.get("module", f"test_{name.replace('-', '_')}.py")
    ran = name in RESULTS and claim["seeds"] > 0
    return {
        "verdict": verdict,
        "reason": reason,
        "value": lead["value"],
        "interval": lead["interval"],
        "bound": lead["bound"],
        "bound_text": lead["bound_text"],
        "paper_value": lead["paper"],
        "unit": lead["unit"],
        "control": {"text": claim["control"], "outside": _outside(measures)},
        **{key: claim[key] for key in ("title", "statement", "where", "figures", "paper", "why", "seeds")},
        "module": module,
        "changed": None,
        "judged": "profiles" not in claim,
        "measures": measures,
        "notes": [
            {"label": "R² of the helix fit, Equation 2", "values": [0.958, 0.949, 0.961], "unit": "1"},
            {"label": "validation RMS of the binding energy", "values": [642.0, 655.3, 631.8], "unit": "keV"},
        ]
        if name == "helix"
        else [],
        "runs": ([_run("embeddings", seed) for seed in range(3)] + (OTHERS if name == "helix" else [])) if ran else [],
        "tolerance": {"half": "inconclusive", "double": verdict} if name == "volume-pc" else None,
        "looks": dict(LOOKS[name]) if name in LOOKS else None,
        "figures_drawn": [{**figure[0], "arrays": f"arrays/cpu/{name}.{figure[0]['id']}.npz"}] if figure else [],
        "test": f"claims/{module}::test_{name.replace('-', '_')}" if name in RESULTS else None,
        "provenance": {**provenance, "judged_at": "2025-05-24T14:02:30+00:00", "duration": 3.2}
        if name in RESULTS
        else None,
    }


def _measure(name: str, one: dict[str, Any], result: Any) -> dict[str, Any]:
    bound = {key: one[key] for key in ("above", "at_least", "below", "at_most") if key in one}
    words = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
    text = " and ".join(f"{words[key]} {value:g}" for key, value in bound.items())
    if set(bound) == {"at_least", "at_most"}:
        text = f"between {bound['at_least']:g} and {bound['at_most']:g}"
    found: dict[str, Any] = {
        "values": [],
        "over": None,
        "value": None,
        "interval": None,
        "method": None,
        "verdict": "not run",
        "reason": "",
        "controls": [],
    }
    if result:
        numbers, half, verdict, controls = result
        mean = float(np.mean(numbers))
        found = {
            "values": numbers,
            "over": "seed" if len(numbers) > 1 else "exact",
            "value": mean,
            "interval": [mean - half, mean + half],
            "method": f"95 % Student t over {len(numbers)} seeds"
            if len(numbers) > 1
            else "exact"
            if not half
            else "95 % bootstrap over nuclides",
            "verdict": verdict,
            "reason": "inside the bound, controls outside" if verdict == "reproduced" else "",
            "tolerance": {
                "half": {"bound": {"above": 0.975}, "bound_text": "> 0.975", "verdict": "inconclusive"},
                "double": {"bound": {"above": 0.9}, "bound_text": "> 0.9", "verdict": verdict},
            }
            if bound == {"above": 0.95}
            else {"none": "the bound is a sign"},
            "controls": [
                {
                    "label": label,
                    "n": 200,
                    "share_inside": 0.0 if outside else 0.31,
                    "median": median,
                    "low": low,
                    "high": high,
                    "outside": outside,
                }
                for label, low, median, high, outside in controls
            ],
        }
    return {
        "name": name,
        "label": one["label"],
        "unit": one["unit"],
        "paper": one.get("paper"),
        "bound": bound,
        "bound_text": text,
        **found,
    }


def _outside(measures: list[dict[str, Any]]) -> bool | None:
    controls = [control["outside"] for measure in measures for control in measure["controls"]]
    return all(controls) if controls else None


def write(folder: Path) -> Path:
    """evidence.json and its arrays under `folder`; the path of the evidence file."""
    for name, (figure, arrays) in figures().items():
        target = folder / "arrays" / "cpu" / f"{name}.{figure['id']}.npz"
        target.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(target, **arrays)
    runs = {
        run["fingerprint"]: run for claim in evidence()["claims"].values() for run in claim["runs"] if "curve" in run
    }
    for run in runs.values():
        np.savez_compressed(folder / run["curve"]["arrays"], **curves()[run["name"]])
    file = folder / "evidence.json"
    file.write_text(json.dumps(evidence(), allow_nan=False, ensure_ascii=False, indent=1), encoding="utf-8")
    return file


if __name__ == "__main__":
    where = Path(sys.argv[1])
    page.write(write(where), where / "index.html")
