"""Processes that work for the slot: one that hangs or dies is replaced, and holds up nobody for longer than it was given."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

Say = Callable[[str], None]


class Failed(Exception):
    """A task did not come to its end, for this reason. memory: it wanted more memory than there was."""

    def __init__(self, reason: str, memory: bool = False) -> None:
        super().__init__(reason)
        self.memory = memory


@dataclass(frozen=True)
class Task:
    """A function by its place, so that only the process which calls it imports what it needs."""

    module: str
    name: str

    def __call__(self, *arguments: Any) -> Any:
        return getattr(import_module(self.module), self.name)(*arguments)

    def __str__(self) -> str:
        return self.name


class Worker:
    """A process that does one task after another, in a session of its own: what CUDA needs to start is paid once.

    Where a task failed or was late, its process is killed with everything that it started, and the next task gets a new one.
    say: receives the lines of tasks. log: file to which goes what they print.
    """

    def __init__(self, say: Say, log: Path) -> None:
        self._say, self._log = say, log
        self._running: tuple[SpawnProcess, Connection] | None = None

    def do(self, until: float, task: Callable[..., Any], *arguments: Any, silence: float = math.inf) -> Any:
        """What task(say, *arguments) returns. Raises Failed.

        until: on time.monotonic(). silence: seconds without a word of the task after which it counts as hung; the word "" is a
        sign of life and nothing else.
        """
        process, pipe = self._running if self._running and self._running[0].is_alive() else self._start()
        done = False
        try:
            pipe.send((task, arguments))
            while True:
                if not pipe.poll(max(0.0, min(until - time.monotonic(), silence))):
                    late = time.monotonic() >= until
                    raise Failed("Its time was over." if late else f"It gave no sign of life for {silence:.0f} s.")
                kind, content = pipe.recv()
                if kind == "done":
                    done = True
                    return content
                if kind == "failed":
                    raise Failed(*content)
                if content:
                    self._say(content)
        except (EOFError, OSError):
            process.join(1)
            raise Failed(f"Its process died (exit code {process.exitcode}).") from None
        finally:
            if not done:
                self.kill()

    def kill(self) -> None:
        """End the process and all that it started, now."""
        if self._running is None:
            return
        process, pipe = self._running
        self._running = None
        try:
            os.killpg(process.pid or 0, signal.SIGKILL)
        except ProcessLookupError:  # it is gone, or not yet the leader of its group
            process.kill()
        process.join(5)
        pipe.close()

    def _start(self) -> tuple[SpawnProcess, Connection]:
        self.kill()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._log, os.getpid()), daemon=True)
        process.start()
        theirs.close()
        self._running = process, ours
        return self._running


def _serve(pipe: Connection, log: Path, parent: int) -> None:
    """Do tasks as they come; after one that failed, end."""
    os.setsid()
    printed = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(printed, stream)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()

    def say(text: str) -> None:
        pipe.send(("said", text))

    while True:
        try:
            task, arguments = pipe.recv()
            pipe.send(("done", task(say, *arguments)))
        except EOFError:
            return
        except BaseException as error:
            pipe.send(("failed", (traceback.format_exc(), _of_memory(error))))
            return


def _of_memory(error: BaseException) -> bool:
    """torch raises an error of its own, and RuntimeError where a library of CUDA found no memory."""
    return type(error).__name__ == "OutOfMemoryError" or "out of memory" in str(error)


def _end_with(parent: int) -> None:
    """No worker outlives the slot."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)
