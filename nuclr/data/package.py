"""Files of the package nucleardatapy, read where it is installed or straight from its wheel.

Its licence forbids passing on a changed copy, so that nuclr holds none of its data.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from importlib.util import find_spec
from pathlib import Path

from nuclr.errors import NuclrError

PACKAGE, VERSION = "nucleardatapy", "1.0.2"
WHEELS = "NUCLR_WHEELS"  # the environment variable that names a folder of wheels, or the one wheel
MEND = f"install {PACKAGE}=={VERSION}, or name its wheel or the folder of its wheel in {WHEELS}"
MOST = 16 << 20  # bytes of a file; the longest that is read has a tenth of that


def read(file: str, what: str) -> tuple[Path, bytes]:
    """A file of the package, "data/nuclei/...": where it was found, and its content; `what` it holds, as in "charge radii".

    The wheel that NUCLR_WHEELS names, itself or its folder, comes before the installed package.
    Raises NuclrError where there is neither, and where the wheel or the file is damaged or another one.
    """
    named = os.environ.get(WHEELS)
    wheel = _wheel(Path(named)) if named else None
    if wheel:
        return wheel / PACKAGE / file, _unpacked(wheel, f"{PACKAGE}/{file}")
    # The location only: importing the package would draw in matplotlib and scipy for one text file.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        also = f", also from {named}" if named else ""
        raise NuclrError(f"The {what} come with the package {PACKAGE}, which is missing{also}: {MEND}.")
    path = Path(spec.submodule_search_locations[0]) / file
    try:
        return path, path.read_bytes()
    except OSError as error:
        raise NuclrError(f"{path} cannot be read ({error.strerror}): {MEND}.") from error


def _wheel(path: Path) -> Path | None:
    if not path.is_dir():
        return path
    return next(path.glob(f"{PACKAGE}-{VERSION}-*.whl"), None)


def _unpacked(wheel: Path, name: str) -> bytes:
    mend = f"use the wheel of {PACKAGE} {VERSION}"
    try:
        with zipfile.ZipFile(wheel) as archive:
            size = archive.getinfo(name).file_size  # zipfile unpacks no more than that
            if size > MOST:
                raise NuclrError(f"{name} in the wheel {wheel} has {size} bytes, more than it should: {mend}.")
            return archive.read(name)
    except KeyError as error:
        raise NuclrError(f"The wheel {wheel} holds no {name}: {mend}.") from error
    # A damaged wheel may also call for a password (RuntimeError) or another compression (NotImplementedError, which is one).
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise NuclrError(f"The wheel {wheel} cannot be read ({error}): {mend}.") from error
