"""Shared by all tests: pytest's own harness for plugins, and property tests that repeat themselves exactly."""

from contextlib import suppress

pytest_plugins = ["pytester"]

with suppress(ImportError):
    from hypothesis import settings

    settings.register_profile("nuclr", derandomize=True, deadline=None, database=None)
    settings.load_profile("nuclr")
