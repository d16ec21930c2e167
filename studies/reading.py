"""What the studies share: their trained runs by name, and a Markdown table."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from claims.conftest import Run
from nuclr import files
from nuclr.errors import NuclrError
from nuclr.train.plan import survey
from nuclr.train.store import Store

Trained = dict[str, list[Run]]


def trained(profile: str, store: Path, names: Iterable[str] | None = None) -> Trained:
    """The runs of a profile or study that are in the store, by name; a name with a seed missing is left out, and told."""
    found: Trained = {}
    planned = survey(profile, Store(store), None if names is None else list(names))
    for name in dict.fromkeys(one.config.name for one in planned):
        kept = [one.stored for one in planned if one.config.name == name]
        if all(kept):
            found[name] = [Run(stored, stored.probe) for stored in kept if stored is not None]
        else:
            print(f"Left out: {name} ({kept.count(None)} of {len(kept)} seeds are not trained).", file=sys.stderr)
    if not found:
        raise NuclrError(
            f"No run of {profile} is in {store}: train them with `python -m nuclr train --profile {profile}`."
        )
    return found


def told(values: ArrayLike, digits: int) -> str:
    """ "1.02 (1.01 to 1.03)": the mean over seeds, and their range."""
    numbers = np.asarray(values, dtype=np.float64)
    return f"{numbers.mean():.{digits}f} ({numbers.min():.{digits}f} to {numbers.max():.{digits}f})"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the columns are padded, so that its source can be read as well."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]])


def save(figure: Figure, out: Path) -> None:
    """The picture of a page, as a PNG that is written whole or not at all."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=80, facecolor="white")
    files.write(out, content.getvalue())


def main(tell: Callable[[Path], str], description: str) -> None:
    """Print what a study found in the store that is asked for; what a user can mend is one sentence."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--store", type=Path, default=Path("runs"), help="folder of the trained runs (default: runs)")
    try:
        print(tell(parser.parse_args().store))
    except NuclrError as error:
        sys.exit(f"nuclr: {error}")
