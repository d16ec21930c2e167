"""The front door: `python -m nuclr <command>`. Every command imports what it needs, so that --help is instant."""

from nuclr.cli.app import app, main
from nuclr.cli.judging import claims, golden
from nuclr.cli.nuclides import data, predict
from nuclr.cli.reporting import analyse, report
from nuclr.cli.reproducing import reproduce
from nuclr.cli.store import app as store
from nuclr.cli.training import bench, sweep, train

app.add_typer(store, name="store")

__all__ = [
    "analyse",
    "app",
    "bench",
    "claims",
    "data",
    "golden",
    "main",
    "predict",
    "report",
    "reproduce",
    "store",
    "sweep",
    "train",
]
