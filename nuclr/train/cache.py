"""The folder for what a machine measured or built once and for all: nothing there is missed when it is gone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def folder() -> Path:
    """NUCLR_CACHE, else a folder in the user's cache, else in the temporary folder."""
    if given := os.environ.get("NUCLR_CACHE"):
        return Path(given)
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # there is no home folder
        root = Path(tempfile.gettempdir())
    return root / "nuclr"
