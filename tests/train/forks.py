"""Real processes for the tests of faults. Torch is imported once, then every attempt is a fork: twenty deaths take seconds.

Run as `python forks.py <scene> <folder>`; prints what happened as JSON.
"""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from nuclr.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from nuclr.errors import NuclrError

STEPS = 400


def config(seed):
    training = TrainingConfig(steps=STEPS, warmup=10, batch=64)
    return RunConfig("short", seed, DataConfig(observables=("radius",)), ModelConfig(width=8), training)


def job(store, seeds=(0, 1)):
    from nuclr.train.worker import Job

    return Job("smoke", tuple(map(config, seeds)), tuple(f"{seed:016x}" for seed in seeds), store, "cpu", threads=1)


def train(store, on_progress=lambda _: True, seeds=(0, 1), log=None):
    """Train with saves so often that most moments are near one; `log` gets a line a fleet: seeds and first step."""
    from nuclr.train import loop, worker
    from nuclr.train.loop import Fleet

    class Logged(Fleet):
        def train(self, *arguments):
            with open(log or os.devnull, "a") as file:
                file.write(json.dumps([[c.seed for c in self.configs], self.step]) + "\n")
            return super().train(*arguments)

    before = worker.fleet_of, worker.SAVE_EVERY, worker.SAVING_SHARE, loop.CHECK_EVERY
    worker.fleet_of, worker.SAVE_EVERY, worker.SAVING_SHARE, loop.CHECK_EVERY = Logged, 0.02, 0.5, 20
    try:
        return worker.train(job(store, seeds), on_progress)
    finally:
        worker.fleet_of, worker.SAVE_EVERY, worker.SAVING_SHARE, loop.CHECK_EVERY = before


def checksums(store):
    """Checksums of the weights, checkpoints and curves of every finished run."""
    return [json.loads(path.read_text())["files"] for path in sorted(store.glob("smoke/short/*/0*/manifest.json"))]


def leftovers(store):
    """What should not outlive a training."""
    return [str(path) for glob in (".unfinished/*", ".leases/*", "**/.partial-*") for path in store.glob(glob)]


def lines(log):
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def fork(action):
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        action()
        code = 0
    finally:
        os._exit(code)


def undisturbed(folder):
    train(folder / "undisturbed")
    return checksums(folder / "undisturbed")


def deaths(folder):
    """kill -9 at random moments, at least twenty times, then the same command to the end."""
    chance, killed, stores = random.Random(2405), 0, []
    log = folder / "log"
    train(folder / "warm", seeds=(0,))  # torch loads parts of itself at first use
    began = time.monotonic()
    expected = undisturbed(folder)
    whole = time.monotonic() - began
    while killed < 20:
        store = folder / f"store-{len(stores)}"
        status = -1
        while status and killed < 10 * (len(stores) + 1):
            pid = fork(lambda store=store: train(store, log=log))
            time.sleep(chance.uniform(0.0, 0.45) * whole)
            os.kill(pid, signal.SIGKILL)
            status = os.waitpid(pid, 0)[1]
            killed += os.WIFSIGNALED(status)
        outcome = train(store, log=log)
        stores.append({"files": checksums(store), "notes": outcome.notes, "leftovers": leftovers(store)})
    return {"killed": killed, "expected": expected, "stores": stores, "begun at": [step for _, step in lines(log)]}


def together(folder):
    """Five processes at once, each to train all of six runs, two at a time in an order of its own."""
    store, log = folder / "store", folder / "log"
    train(folder / "warm", seeds=(0,))
    pairs = [(0, 1), (2, 3), (4, 5)]

    def everything(first):
        for index in range(3):
            train(store, seeds=pairs[(first + index) % 3][:: 1 if first % 2 else -1], log=log)

    pids = [fork(lambda first=first: everything(first)) for first in range(5)]
    codes = [os.waitpid(pid, 0)[1] for pid in pids]
    trained = sorted(seed for seeds, _ in lines(log) for seed in seeds)
    return {"codes": codes, "trained": trained, "finished": len(checksums(store)), "leftovers": leftovers(store)}


def interrupted(folder):
    """Ctrl-C: seconds from the signal to the last step, and to the return with the state saved."""
    found = []
    for attempt in range(3):
        store, times = folder / f"store-{attempt}", {}
        signal.signal(signal.SIGINT, lambda *_, times=times: times.setdefault("signal", time.monotonic()))

        def on_progress(rows, times=times, wait=0.1 + 0.013 * attempt):
            if rows and "sender" not in times:
                times["sender"] = fork(lambda: (time.sleep(wait), os.kill(os.getppid(), signal.SIGINT)))
            times["step"] = time.monotonic()
            return "signal" not in times

        outcome = train(store, on_progress)
        ended = time.monotonic()
        os.waitpid(times["sender"], 0)
        found.append(
            {
                "finished": outcome.finished,
                "last step": times["step"] - times["signal"],
                "return": ended - times["signal"],
                "saves": len(list(store.glob(".unfinished/*/save-*"))),
                "leases": len(list(store.glob(".leases/*"))),
            }
        )
    return found


class Drive:
    """A drive that can be filled: a small tmpfs where this process may mount one, else a limit on the size of a file."""

    def __init__(self, folder, way):
        self.folder, self.way = folder / "drive", way
        self.folder.mkdir()
        if way != "rlimit":
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", self.folder], check=True)

    def fill(self):
        if self.way == "rlimit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
            return
        with open(self.folder / "filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def free(self):
        if self.way == "rlimit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            (self.folder / "filler").unlink(missing_ok=True)

    def freeze(self):
        subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True)


def full(folder, way):
    """The drive is full from step 100: to the end, after which room is made; and in a second store until step 250."""
    expected, drive, log = undisturbed(folder), Drive(folder, way), folder / "log"
    rows = 128  # a step

    def on_progress(seen, room_at=STEPS + 1):
        if 100 * rows <= seen < room_at * rows:
            drive.fill()
        else:
            drive.free()
        return True

    store, error = drive.folder / "store", ""
    try:
        train(store, on_progress)
    except NuclrError as trouble:
        error = str(trouble)
    found = {"error": error, "half": [str(path) for path in store.glob("**/.partial-*")], "early": checksums(store)}
    drive.free()
    outcome = train(store, log=log)
    found |= {"later": checksums(store), "notes": outcome.notes, "begun at": [step for _, step in lines(log)]}
    store = drive.folder / "second"
    outcome = train(store, lambda seen: on_progress(seen, 250))
    return found | {
        "expected": expected,
        "second": checksums(store),
        "second notes": outcome.notes,
        "leftovers": leftovers(store),
    }


def readonly(folder, way):
    """A store that cannot be written from the start: a tmpfs mounted read-only, else a file in its place."""
    drive = Drive(folder, way)
    store = drive.folder / "store"
    if way == "rlimit":
        store.write_text("a file where a folder should be")
    else:
        drive.freeze()
    began = []
    try:
        train(store, lambda rows: not began.append(rows))
    except NuclrError as trouble:
        return {"error": str(trouble), "begun": began}
    return {"error": "", "begun": began}


CONTENDERS = 8


def takeovers(folder):
    """Many processes find the same stale lease at once, again and again; the winners of every round."""
    from nuclr.train.lease import Leases

    winners = []
    for number in range(20):
        store = folder / str(number)
        os.waitpid(
            fork(lambda store=store: (Leases(store, ["run"]).__enter__(), os.kill(os.getpid(), signal.SIGKILL))), 0
        )
        assert (store / ".leases" / "run").exists()
        start = time.monotonic() + 0.04

        def contend(store=store, start=start):
            time.sleep(max(0.0, start - time.monotonic()))
            with Leases(store, ["run"]) as leases:
                (store / f"{'winner' if leases.mine else 'loser'}-{os.getpid()}").touch()
                while leases.mine and len(list(store.glob("*er-*"))) < CONTENDERS:
                    time.sleep(0.01)  # or one that is late, on a busy machine, would find the lease given back

        for pid in [fork(contend) for _ in range(CONTENDERS)]:
            assert os.waitpid(pid, 0)[1] == 0
        winners.append(len(list(store.glob("winner-*"))))
    return {"winners": winners, "left": [str(path) for path in folder.glob("*/.leases/*")]}


if __name__ == "__main__":
    os.fsync = lambda _: (
        None
    )  # a killed process loses nothing that it wrote; waiting for a slow disk tests only patience
    scenes = {scene.__name__: scene for scene in (deaths, together, interrupted, full, readonly, takeovers)}
    print(json.dumps(scenes[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])))
