"""Stages that stand in for those of a slot, in a module that imports no torch: their processes start in a moment.

A fleet does what its name says. Run as `python one_slot_fakes.py <folder>`, a slot of such stages fills the folder.
"""

import io
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from nuclr.config import RunConfig
from tools.one_slot import slot
from tools.one_slot.plan import Fleet
from tools.one_slot.slot import Slot, Tasks


def fleet(name, members):
    configs = tuple(RunConfig(name, seed) for seed in range(members))
    return Fleet(configs, tuple(f"{name}-{seed}" for seed in range(members)), name, pace=1e-6)


def facts(say, device):
    say(f"a made-up {device}")


def plan(_say, _profile, only):
    return [fleet(name, int(members or 1)) for name, _, members in (text.partition("*") for text in only)]


def nothing_is_off(*_):
    return set()


def float32_is_off(*_):
    return {"float32"}


def graph_and_fleet_are_off(*_):
    return {"graph", "fleet"}


def hang(*_):
    time.sleep(1000)


def pace(_say, fleet, _device):
    return fleet.pace


def train(say, fleet, _profile, _store, _device):
    name = fleet.configs[0].name
    say(f"{name} x {len(fleet.configs)}{'' if fleet.graph else ' eager'}")
    if name == "crashes":
        raise RuntimeError("this fleet cannot be trained")
    if name == "needs-eager" and fleet.graph:
        raise RuntimeError("no graph, please")
    if name == "large" and len(fleet.configs) > 2:
        import torch

        raise torch.OutOfMemoryError("the card is full")
    if name == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "hangs":
        hang()
    return list(zip(fleet.configs, fleet.fingerprints, strict=True))


def read(_say, _profile, config, _fingerprint, _store):
    if config.name == "unreadable":
        raise ValueError("nothing to read")
    file = io.BytesIO()
    rng = np.random.default_rng(config.seed)
    np.savez(file, **{"embedding.Z": rng.random(10_000), "prediction": rng.random(40_000)})
    return file.getvalue()


def judge(say, _profile, _store, reports, _at_once):
    reports.mkdir(parents=True)
    (reports / "evidence.json").write_text("{}")
    say("judged")


def judge_without_end(say, profile, store, reports, at_once):
    judge(say, profile, store, reports, at_once)
    hang()


def bench(say, device, seconds):
    say(f"bench of {device} for {seconds} s")
    return {"results": []}


TASKS = Tasks(facts, plan, nothing_is_off, nothing_is_off, pace, nothing_is_off, train, read, judge, bench)


if __name__ == "__main__":
    slot.START = 0.0
    Slot(Path(sys.argv[1]), Path(sys.argv[2]), "cpu", "smoke", only=["good*60"] * 2, tasks=TASKS).run()
