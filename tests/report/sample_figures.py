"""Made-up but plausible arrays for every kind of panel: charts of about 3000 nuclei, a noisy helix, training curves."""

from __future__ import annotations

from typing import Any

import numpy as np

MAGIC = (2, 8, 20, 28, 50, 82, 126)


def nuclei() -> tuple[np.ndarray, np.ndarray]:
    """About three thousand (z, n) along the valley of stability."""
    z = np.arange(1, 119)
    valley = z + 0.0062 * z**2.08 * 0.75
    pairs = [
        (p, n)
        for p, mid in zip(z, valley, strict=True)
        for n in range(int(mid - 4 - p / 9), int(mid + 8 + p / 7))
        if n >= 0
    ]
    return np.array([p for p, _ in pairs]), np.array([n for _, n in pairs])


def residual(z: np.ndarray, n: np.ndarray) -> np.ndarray:
    """A shell-like residual in MeV: high where Z or N is near a magic number."""
    near = sum(np.exp(-(((x - m) / 4.5) ** 2)) for x in (z, n) for m in MAGIC[3:])
    return 4.2 * near - 2.1 + np.random.default_rng(1).normal(0, 0.5, z.size)


def spiral(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A noisy helix (k x 3) and the smooth one under it (400 x 3)."""
    t = np.linspace(numbers[0], numbers[-1], 400)
    smooth = np.stack([(t - t.mean()) / 14, 1.1 * np.cos(0.21 * t), 1.1 * np.sin(0.21 * t)], axis=1)
    at = np.stack([np.interp(numbers, t, column) for column in smooth.T], axis=1)
    return at + np.random.default_rng(2).normal(0, 0.11, at.shape), smooth


def figures() -> dict[str, tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """Figures by claim: what the evidence says of them, and their arrays."""
    rng = np.random.default_rng(3)
    z, n = nuclei()
    numbers = np.arange(1, 119)
    points, curve = spiral(numbers)
    steps = np.geomspace(10, 20000, 40)
    loss = {
        name: high * (steps / 10) ** -power + floor
        for name, high, power, floor in (("train", 9e4, 1.1, 215), ("validation", 9e4, 0.9, 640))
    }
    order = np.linspace(0.55, 0.97, 24) + rng.normal(0, 0.02, 24)
    terms = ["volume", "surface", "Coulomb", "asymmetry", "pairing", "shell", "Wigner"]
    cosines = np.clip(rng.normal(0, 0.16, (7, 10)), -1, 1)
    cosines[0, 0], cosines[1, 0], cosines[4, 9 % 10], cosines[5, 3], cosines[3, 1] = 0.998, 0.97, 0.81, -0.35, 0.74
    tasks = ["binding", "radius", "sn", "sp", "qa", "qbm", "qbm_n", "qec", "z", "n"]
    neutrons, side = np.arange(20, 101, 10), np.linspace(-1.4, 1.4, 15)
    stable = np.round(neutrons * 0.72).astype(int)
    turn = 2 * np.pi * (neutrons - 20) / 90
    across, up = np.meshgrid(side, side)
    hills = np.stack([8 + 0.5 * np.cos(a) * across + 0.5 * np.sin(a) * up for a in turn])
    ratio = np.array([0.51, 0.18, 0.64, 0.72, 0.88, 0.69, 0.75, 0.71, 0.43, 0.39])
    return {
        "semf-misses-shells": (
            _figure(
                "figure-03",
                "What the liquid drop misses.",
                "Binding energy, data minus the semi-empirical mass formula; colours saturate at the 99 % quantile.",
                "Nuclear chart: the residual peaks along the magic numbers.",
                [
                    {
                        "kind": "chart",
                        "title": "Data − SEMF",
                        "options": {"label": "residual", "unit": "MeV", "diverging": True},
                    },
                    {
                        "kind": "lines",
                        "title": "Against N",
                        "options": {
                            "series": [{"key": "all", "label": "nuclei", "style": "points"}],
                            "xlabel": "neutrons N",
                            "ylabel": "residual (MeV)",
                            "vlines": [{"at": m, "label": str(m)} for m in (28, 50, 82, 126)],
                            "hlines": [{"at": 0, "label": "SEMF"}],
                        },
                    },
                ],
            ),
            {"0.z": z, "0.n": n, "0.value": residual(z, n), "1.all.x": n, "1.all.y": residual(z, n)},
        ),
        "dataset": (
            _figure(
                "figure-chart",
                "The nuclei.",
                "Binding energy per nucleon over the core set.",
                "Nuclear chart of the binding energy per nucleon with its maximum near iron.",
                [
                    {
                        "kind": "chart",
                        "title": "Binding energy per nucleon",
                        "options": {"label": "binding energy per nucleon", "unit": "MeV"},
                    }
                ],
            ),
            {"0.z": z, "0.n": n, "0.value": 8.8 - 0.00008 * (z + n - 58.0) ** 2 - 6 / (z + n) + 0.05 * residual(z, n)},
        ),
        "helix": (
            _figure(
                "figure-08",
                "The helix of Z.",
                "Embeddings of Z of seed 0 along their first three principal components, with the fit of Equation 2.",
                "A helix of about four turns: Z winds round the axis PC0.",
                [
                    {
                        "kind": "helix",
                        "title": "Embeddings of Z",
                        "options": {"symbol": "Z", "fit": "fit: 3.9 turns, pitch 30.1, radius 1.10, R² 0.96"},
                    }
                ],
            ),
            {"0.numbers": numbers, "0.axes": points, "0.curve": curve},
        ),
        "order-tracks-validation": (
            _figure(
                "figure-09",
                "Order and error.",
                "Left: RMS along the training, the band is the range over seeds. Right: every run of the sweep.",
                "Validation error falls as order grows.",
                [
                    {
                        "kind": "lines",
                        "title": "Training",
                        "options": {
                            "series": [
                                {"key": "train", "label": "train"},
                                {"key": "validation", "label": "validation"},
                            ],
                            "xlabel": "step",
                            "ylabel": "RMS (keV)",
                            "xlog": True,
                            "ylog": True,
                            "hlines": [{"at": 7928, "label": "SEMF 7928"}],
                        },
                    },
                    {
                        "kind": "lines",
                        "title": "Order against error",
                        "options": {
                            "series": [
                                {"key": "z", "label": "Z", "style": "points"},
                                {"key": "n", "label": "N", "style": "points"},
                            ],
                            "xlabel": "orderedness of PC0",
                            "ylabel": "validation RMS (keV)",
                        },
                    },
                ],
            ),
            {
                **{
                    f"0.{name}.{axis}": value
                    for name, y in loss.items()
                    for axis, value in {"x": steps, "y": y, "low": y * 0.86, "high": y * 1.15}.items()
                },
                "1.z.x": order,
                "1.z.y": 3000 - 2300 * order + rng.normal(0, 130, 24),
                "1.n.x": order - 0.03,
                "1.n.y": 3100 - 2300 * order + rng.normal(0, 160, 24),
            },
        ),
        "modular-circle": (
            _figure(
                "figure-02",
                "Residues on a circle.",
                "Embeddings of the residues in the plane of their circle.",
                "Residues on a circle, each three places after the one before.",
                [
                    {
                        "kind": "plane",
                        "title": "At the end",
                        "options": {
                            "period": 31,
                            "label": "place on the circle",
                            "xlabel": "PC0",
                            "ylabel": "PC1",
                            "names": [str(number) for number in range(31)],
                        },
                    },
                    {
                        "kind": "plane",
                        "title": "Means",
                        "options": {"period": 31, "label": "answer", "xlabel": "PC0", "ylabel": "PC1"},
                    },
                ],
            ),
            {
                "0.x": np.cos(6 * np.pi * np.arange(31) / 31),
                "0.y": np.sin(6 * np.pi * np.arange(31) / 31),
                "0.value": 3 * np.arange(31) % 31,
                "1.x": rng.normal(0, 1, 200),
                "1.y": rng.normal(0, 1, 200),
                "1.value": rng.integers(0, 31, 200),
            },
        ),
        "pairing-pc": (
            _figure(
                "figure-11",
                "Physics in the penultimate layer.",
                "Cosine of each principal component with each term of the mass formula.",
                "Heatmap: volume with PC0 at 1.00, pairing with PC9 at 0.81.",
                [
                    {
                        "kind": "heatmap",
                        "title": "Cosine similarity",
                        "options": {
                            "rows": terms,
                            "columns": [f"PC{k}" for k in range(10)],
                            "label": "cosine",
                            "low": -1.0,
                            "high": 1.0,
                        },
                    }
                ],
            ),
            {"0.value": cosines},
        ),
        "ring-is-stability": (
            _figure(
                "figure-07",
                "Where the ring is most bound.",
                "Energy per nucleon over PC1 and PC2 of Z at three N.",
                "Landscapes over PC1 and PC2 of Z: the most bound place goes round with N.",
                [
                    {
                        "kind": "landscape",
                        "title": "Over PC1 and PC2",
                        "options": {
                            "xlabel": "PC1",
                            "ylabel": "PC2",
                            "first": "per_nucleon",
                            "shown": [30, 60, 90],
                            "along": "the other components are at their mean",
                            "radius": 1.1,
                        },
                    }
                ],
            ),
            {
                "0.n": neutrons,
                "0.x": side,
                "0.y": side,
                "0.per_nucleon": hills,
                "0.energy": hills * (neutrons + stable)[:, None, None],
                "0.points": points[:, 1:],
                "0.known": np.abs(numbers - stable[:, None]) < 6,
                "0.most_bound": stable,
                "0.ring.per_nucleon": 1.1 * np.stack([np.cos(turn), np.sin(turn)], axis=1),
                "0.ring.energy": 1.1 * np.stack([np.cos(turn), np.sin(turn)], axis=1),
            },
        ),
        "multi-task": (
            _figure(
                "figure-12",
                "Joint over single.",
                "Ratio of test RMS, clean split, with the 95 % interval over seeds.",
                "All ten ratios lie below one.",
                [
                    {
                        "kind": "bars",
                        "title": "Clean split",
                        "options": {
                            "labels": tasks,
                            "xlabel": "test RMS, joint over single",
                            "vlines": [{"at": 1, "label": "equal"}],
                        },
                    },
                    {
                        "kind": "bars",
                        "title": "Test RMS, joint",
                        "options": {"labels": tasks[:8], "xlabel": "RMS (keV; radius in 10⁻³ fm)", "log": True},
                    },
                ],
            ),
            {
                "0.value": ratio,
                "0.low": ratio - 0.06,
                "0.high": ratio + 0.08,
                "1.value": np.array([1230.0, 30, 422, 560, 662, 700, 640, 690]),
            },
        ),
    }


def _figure(name: str, title: str, caption: str, alt: str, panels: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": name, "title": title, "caption": caption, "alt": alt, "panels": panels}


def curves() -> dict[str, dict[str, np.ndarray]]:
    """Training curves: "embeddings" of a network of nuclides, "addition" with accuracies and no structure."""
    rng = np.random.default_rng(4)
    step, at = np.geomspace(1, 20000, 36).round(), np.geomspace(1, 20000, 12).round()
    fall = 1e6 * (1 + step / 20) ** -1.1
    order = np.clip(np.linspace(0.5, 0.95, 12) + rng.normal(0, 0.02, 12), 0.5, 1)
    return {
        "embeddings": {
            "step": step,
            "train": fall + 215,
            "validation": fall + 640,
            "at": at,
            "order-Z": order,
            "order-N": order - 0.02,
            "parity-Z": 1 + rng.normal(0, 1e-3, 12),
            "parity-N": 1 + rng.normal(0, 1e-3, 12),
        },
        "addition": {"step": step, "train": np.clip(step / 300, 0.02, 1), "validation": np.clip(step / 2000, 0.02, 1)},
    }
