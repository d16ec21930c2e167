"""Shared by all tests: pytest's own harness for tests of a pytest plugin."""

pytest_plugins = ["pytester"]
