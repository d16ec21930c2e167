"""The helix comes from the binding energy, parity from the separation energies; order is found nearly everywhere
(Appendix D, figures 18 to 20)."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from nuclr.analysis import helix, nulls
from nuclr.analysis.pca import leading
from nuclr.analysis.structure import orderedness, parity_split
from nuclr.config import CONTROL
from nuclr.data.observables import OBSERVABLES, rows
from nuclr.runs import SINGLES
from nuclr.verdict.evidence import Panel

pytestmark = pytest.mark.claim("task-of-origin")

TASKS = {name: observable for name, observable in SINGLES.items() if observable != CONTROL}
SEPARATION = ("neutron-separation", "proton-separation")
SYMBOLS = ("Z", "N")

MEASURES = {
    "H": lambda embedding, _: helix.score(leading(embedding, 3)).h,
    "R_P": parity_split,
    "order along PC0": lambda embedding, _: orderedness(leading(embedding, 1)[:, 0]),
    # Where PC0 tells even from odd, neighbours alternate, and order can only show among numbers of one parity.
    "order along PC0 in steps of two": lambda embedding, _: np.mean(
        [orderedness(leading(embedding, 1)[first::2, 0]) for first in (0, 1)]
    ),
}


def test_each_structure_has_its_observable(runs, evidence):
    seen = numbers_seen()
    found = {}  # {(measure, task, symbol): one value a seed}
    for task, observable in TASKS.items():
        kind = runs(task)
        for symbol in SYMBOLS:
            numbers = seen[observable, symbol]
            embeddings = [run.probe.embedding(symbol)[numbers - 1] for run in kind]
            for measure, read in MEASURES.items():
                found[measure, task, symbol] = np.array([read(embedding, numbers) for embedding in embeddings])

    def strongest(measure, tasks):
        """The one of the tasks with the most of a structure: (its name, one value a seed). A run has a structure where its
        embedding of Z or that of N has it, the same for every task: a separation energy, say, needs one parity alone."""
        runs_of = {task: np.maximum(*(found[measure, task, symbol] for symbol in SYMBOLS)) for task in tasks}
        best = max(tasks, key=lambda task: runs_of[task].mean())
        return best, runs_of[best]

    for name, measure, origin in (("helix-margin", "H", ("binding",)), ("parity-margin", "R_P", SEPARATION)):
        first, values = strongest(measure, origin)
        rival, others = strongest(measure, [task for task in TASKS if task not in origin])
        # Welch: the runs of one task spread more than those of another, and there are more of binding.
        interval = ttest_ind(values, others, equal_var=False).confidence_interval(evidence.confidence)
        evidence.measure(name, values.mean() - others.mean(), over="run", interval=(interval.low, interval.high))
        evidence.note(f"{measure} of the runs of {first}, where it should come from", values)
        evidence.note(f"{measure} of the runs of {rival}, the strongest other task", others)

    for (measure, task, symbol), values in found.items():
        evidence.note(f"{measure} of {symbol}, {task}", values)
    for symbol in SYMBOLS:
        noise = nulls.smooth_noise(len(seen["binding", symbol]), 32, width=3, line_share=0.5, draws=100, seed=0)
        h = [helix.score(axes).h for axes in nulls.leading_axes(noise)]
        evidence.note(f"95 % of H of {symbol} for smooth noise of width 3 and a line", float(np.quantile(h, 0.95)))
    draw(found, evidence)
    evidence.conclude()


def numbers_seen():
    """{(observable, symbol): the numbers from the lowest to the highest of which it has data}. What lies beyond keeps its
    initial noise, in which there is nothing to find."""
    table = rows()
    return {
        (name, symbol): np.arange(max(1, number[table.task == task].min()), number[table.task == task].max() + 1)
        for task, name in enumerate(table.names)
        for symbol, number in (("Z", table.z), ("N", table.n))
    }


def draw(found, evidence):
    figures = {
        "H": ("figure-18", "helix score", "The paper sees a helix for the binding energy."),
        "R_P": ("figure-19", "parity split", "1 is no split. The paper sees it for the separation energies."),
        "order along PC0": ("figure-20", "order along PC0", "1 is perfect order, 0.5 none."),
    }
    for measure, (figure, title, look) in figures.items():
        largest = {s: max(TASKS, key=lambda task, s=s: found[measure, task, s].mean()) for s in SYMBOLS}
        named = " and ".join(
            f"{OBSERVABLES[TASKS[task]].title} (embedding of {s}, {found[measure, task, s].mean():.2f})"
            for s, task in largest.items()
        )
        evidence.figure(
            figure,
            title=f"The {title} of networks trained on one observable",
            caption=f"Mean over seeds, with the range of the seeds. Largest for {named}. {look}",
            alt=f"The {title} for each of ten observables; largest for {named}.",
            panels=[
                Panel(
                    "bars",
                    f"Embedding of {symbol}",
                    {
                        part: [take(found[measure, task, symbol]) for task in TASKS]
                        for part, take in (("value", np.mean), ("low", np.min), ("high", np.max))
                    },
                    {"labels": [OBSERVABLES[name].title for name in TASKS.values()], "xlabel": title},
                )
                for symbol in SYMBOLS
            ],
        )
