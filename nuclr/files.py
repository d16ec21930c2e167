"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from nuclr.errors import NuclrError


def write(path: Path, content: bytes) -> None:
    """Write `content` under another name, then rename it. Raises NuclrError naming the path where that fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as trouble:
        raise NuclrError(
            f"Cannot write {path} ({trouble.strerror}): make room there or name a writable folder; what was finished is kept."
        ) from trouble
