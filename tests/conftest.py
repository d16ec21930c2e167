"""Shared by all tests: pytest's own harness for plugins, and property tests that repeat themselves exactly."""

import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

# What a machine keeps of its own (a compiled kernel, measured times) belongs to the user: tests keep theirs apart, and all of
# them share one, since compiling takes seconds.
os.environ.setdefault("NUCLR_CACHE", str(Path(tempfile.gettempdir()) / f"nuclr-tests-{os.getuid()}"))

# A shell that runs these tests in the background has them ignore Ctrl-C, and every process that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["pytester"]

with suppress(ImportError):
    from hypothesis import settings

    settings.register_profile("nuclr", derandomize=True, deadline=None, database=None)
    settings.load_profile("nuclr")


def pytest_configure(config: pytest.Config) -> None:
    """A warning is an error here alone: `pytest claims` shows it, so that a newer numpy or torch keeps nobody from judging."""
    config.addinivalue_line("filterwarnings", "error")
