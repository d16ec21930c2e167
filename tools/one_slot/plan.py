"""Which runs train together and in which order, as data that needs no torch."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection
from dataclasses import dataclass, replace

from nuclr.config import RunConfig
from nuclr.errors import NuclrError
from nuclr.runs import planned

# The first two carry most claims; the next four are their controls; then figure 9. What is not named comes last.
ORDER = (
    "joint",
    "binding",
    "binding-semf",
    "binding-without-decay",
    "neutron-separation",
    "joint-without-numbers",
    "fraction-*",
)


@dataclass(frozen=True)
class Fleet:
    """Runs of one name that train together.

    kind: equal for fleets whose steps are equally much work. pace: seconds that one step of one run takes, estimated.
    graph: whether the step is replayed as a CUDA graph.
    """

    configs: tuple[RunConfig, ...]
    fingerprints: tuple[str, ...]
    kind: str
    pace: float
    graph: bool = True

    @property
    def label(self) -> str:
        return f"{self.configs[0].name} of seeds {', '.join(str(config.seed) for config in self.configs)}"

    @property
    def run_steps(self) -> int:
        """Steps of all runs together."""
        return len(self.configs) * self.configs[0].training.steps

    def halves(self) -> list[Fleet]:
        """The runs as two smaller fleets."""
        cut = (len(self.configs) + 1) // 2
        return [self._part(slice(cut)), self._part(slice(cut, None))]

    def alone(self) -> list[Fleet]:
        """Every run as a fleet of its own."""
        return [self._part(slice(number, number + 1)) for number in range(len(self.configs))]

    def _part(self, part: slice) -> Fleet:
        return replace(self, configs=self.configs[part], fingerprints=self.fingerprints[part])


def names(profile: str, only: Collection[str]) -> list[str]:
    """Names of the runs in the order of their training. Raises NuclrError for an unknown profile or run."""
    known = [run.name for run in planned(profile, only or None)]
    first = [name for pattern in ORDER for name in fnmatch.filter(known, pattern)]
    return list(dict.fromkeys(first + known))


def seed_of(profile: str, text: str) -> RunConfig:
    """The run that "joint/0" names. Raises NuclrError where the profile has none such."""
    name, _, seed = text.partition("/")
    found = [config for config in planned(profile, [name]) if str(config.seed) == seed]
    if not found:
        seeds = ", ".join(f"{name}/{config.seed}" for config in planned(profile, [name]))
        raise NuclrError(f"{text!r} is no run of the profile {profile}: choose of {seeds}.")
    return found[0]
