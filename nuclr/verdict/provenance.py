"""Where a verdict comes from: commit, versions, machine. What is reported on is not imported, torch least of all."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import nuclr

PACKAGES = ("torch", "numpy", "scipy", "pandas", "scikit-learn", "safetensors", "nucleardatapy", "pyoperon", "pytest")


def gather(root: Path, networks_on: str = "cpu") -> dict[str, Any]:
    """The commit and dirty flag of the checkout at `root` (None where git cannot tell), versions, the device, and where else than
    on the CPU networks were read."""
    status = _git(root, "status", "--porcelain")
    return {
        "commit": _git(root, "rev-parse", "HEAD"),
        "dirty": None if status is None else status != "",
        "versions": versions(),
        "device": device() if networks_on in ("cpu", "auto") else f"{device()}; networks read on {networks_on}",
    }


def versions() -> dict[str, str]:
    """The versions of nuclr, Python and those of PACKAGES that are installed."""
    found = {"nuclr": nuclr.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def device() -> str:
    """The processor that judges: "cpu: <model name>, <n> cores", counting the cores that this process may use."""
    count = cores()
    return f"cpu: {_model_name()}, {count} core{'s' if count != 1 else ''}"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _model_name() -> str:
    fallback = platform.processor() or platform.machine() or "unknown"
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return fallback
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), fallback)


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
