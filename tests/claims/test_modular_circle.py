"""The judging code of the primer finds a planted circle, and takes nothing else for one."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from claims import test_modular_circle as judged
from nuclr.analysis import modular
from nuclr.config import AdditionConfig, RunConfig
from nuclr.train.kinds import examples
from nuclr.verdict.evidence import Evidence
from nuclr.verdict.registry import load

P, D = 23, 12
CLAIMS = load(Path(__file__).parents[2] / "claims" / "paper.toml").claims
SUMS = modular.sums(P)


@dataclass
class Planted:
    """A network that is told what to answer; with other embeddings it answers by the slices of its own circle."""

    embedding: np.ndarray
    told: np.ndarray

    def answers(self, embedding=None):
        return self.told if embedding is None else modular.answers([modular.best_plane(embedding)])

    def answer(self, first, second):
        del second
        return np.arange(len(first)) % P

    def untrained(self, seed):
        rng = np.random.default_rng(seed)
        return Planted(rng.standard_normal(self.embedding.shape), rng.integers(0, P, (P, P)))


@dataclass
class Run:
    """What a claim asks of a stored run: it starts at random, knows its sums by heart from step 10 on, and ends as `end`."""

    config: RunConfig
    end: Planted
    memorises: bool = True
    manifest: dict = field(default_factory=lambda: {"steps": 100})

    def adder(self, step=None):
        start = self.end.untrained(self.config.seed)
        if step is None or step == 100 or (not self.memorises and step >= 10):
            return self.end
        return start if step < 10 else Planted(start.embedding, by_heart(self.config))

    def curves(self):
        return [{"step": step, "train_accuracy": 1.0, "validation_accuracy": 0.5} for step in (0.0, 1.0, 100.0)]


def by_heart(config, share_of_others=0.0):
    """Answers that are right for the sums that train, and for a share of the others."""
    right = examples(config).train | (np.random.default_rng(config.seed).random(P * P) < share_of_others)
    return np.where(right.reshape(P, P), SUMS, (SUMS + 1) % P)


def on_a_circle(rng, order=None, width=D):
    """Embeddings (P, width) on a circle, residue k in the place order[k]."""
    angles = 2 * np.pi * 3 * (np.arange(P) if order is None else order) / P
    basis, _ = np.linalg.qr(rng.standard_normal((width, 2)))
    flat = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ basis.T
    return flat + 1e-3 * rng.standard_normal((P, width))


def runs(embedding, answers=lambda _: SUMS, memorises=True, few=None):
    """stored(name): three seeds of modular addition, and three that memorise too few sums (in the places of `few`)."""

    def stored(name):
        found = []
        for seed in range(3):
            rng, of_few = np.random.default_rng(seed), name.endswith("few")
            config = RunConfig(name, seed, AdditionConfig(P, 0.2 if of_few else 0.5))
            if of_few:
                end = Planted((few or (lambda rng: rng.standard_normal((P, D))))(rng), by_heart(config))
            else:
                end = Planted(embedding(rng), answers(config))
            found.append(Run(config, end, memorises))
        return found

    return stored


def verdicts(claim, stored, folder):
    """The verdict on a claim, and those on its measures."""
    tests = {
        "modular-circle": judged.test_residues_come_to_lie_on_a_circle,
        "modular-midpoint": judged.test_the_answer_is_the_slice_of_the_mean,
    }
    evidence = Evidence(CLAIMS[claim], "cpu", folder)
    tests[claim](stored, evidence)
    record = evidence.record()
    return record["verdict"], {measure["name"]: measure["verdict"] for measure in record["measures"]}


BOTH = pytest.mark.parametrize("claim", ["modular-circle", "modular-midpoint"])


@BOTH
def test_a_planted_circle_is_reproduced(claim, tmp_path):
    verdict, measures = verdicts(claim, runs(on_a_circle), tmp_path)
    assert verdict == "reproduced"
    assert set(measures.values()) == {"reproduced"}


@BOTH
@pytest.mark.parametrize(
    "embedding",
    [
        pytest.param(lambda rng: rng.standard_normal((P, D)), id="random"),
        pytest.param(
            lambda rng: np.outer(np.arange(P), rng.standard_normal(D)) + 0.1 * rng.standard_normal((P, D)), id="a line"
        ),
        pytest.param(lambda rng: on_a_circle(rng, order=rng.permutation(P)), id="shuffled residues"),
    ],
)
def test_what_is_no_circle_is_not_reproduced(claim, embedding, tmp_path):
    verdict, measures = verdicts(claim, runs(embedding), tmp_path)
    assert verdict == "not reproduced"
    assert "not reproduced" in (measures.get("circularity"), measures.get("agreement"))


def test_a_circle_under_wrong_answers_beyond_the_training_is_not_reproduced(tmp_path):
    verdict, measures = verdicts("modular-circle", runs(on_a_circle, by_heart), tmp_path)
    assert verdict == "not reproduced"
    assert measures["final-validation"] == "not reproduced"


def test_generalising_at_once_is_not_reproduced(tmp_path):
    verdict, measures = verdicts("modular-circle", runs(on_a_circle, memorises=False), tmp_path)
    assert verdict == "not reproduced"
    assert measures["overfit-gap"] == "not reproduced"


def test_a_circle_that_memorising_makes_too_shows_nothing(tmp_path):
    verdict, measures = verdicts("modular-circle", runs(on_a_circle, few=on_a_circle), tmp_path)
    assert verdict == "inconclusive"
    assert measures["circularity"] == "inconclusive"


def test_slices_of_any_plane_show_nothing(tmp_path):
    verdict, _ = verdicts("modular-midpoint", runs(lambda rng: on_a_circle(rng, width=2)), tmp_path)
    assert verdict == "inconclusive"


def test_a_network_that_adds_otherwise_does_not_agree(tmp_path):
    """Right answers are counted against the slices, so wrong ones of the network cannot pass for agreement."""
    shifted = runs(lambda rng: on_a_circle(rng, order=(np.arange(P) + 1) % P), lambda _: SUMS)
    assert verdicts("modular-midpoint", shifted, tmp_path)[0] == "reproduced"  # where the circle begins is no matter
    doubled = runs(lambda rng: on_a_circle(rng, order=np.arange(P) ** 2 % P))
    assert verdicts("modular-midpoint", doubled, tmp_path)[0] == "not reproduced"
