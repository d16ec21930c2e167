"""The command line: a slot, a second call that fetches whole networks, and their joining at home."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nuclr.errors import NuclrError
from tools.one_slot.plan import names, seed_of
from tools.one_slot.slot import SLOT, Slot


def main() -> None:
    """Do what the arguments say; what a user can mend is one sentence on stderr and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m tools.one_slot", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder that comes back: log and parts, or pieces of networks")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--profile", default="wide")
    parser.add_argument("--seconds", type=float, default=SLOT, help="that the slot lasts (default: %(default)s)")
    parser.add_argument("--only", default="", help="names of runs, with commas; all of the profile without")
    parser.add_argument("--fetch", nargs="+", metavar="RUN", help="pack the weights of these runs, as joint/0")
    parser.add_argument(
        "--work", type=Path, help="folder for the store and the reports, which stays (default: beside --out)"
    )
    parser.add_argument("--first", type=int, default=1, help="number of the first piece that --fetch writes")
    parser.add_argument("--join", type=Path, metavar="DIR", help="make whole files of the pieces in a folder")
    given = parser.parse_args()
    if not (given.join or given.out):
        parser.error("name a folder with --out, or with --join")
    if given.fetch and not given.work:
        parser.error("--fetch needs --work, the folder of the call before: its log names it")
    try:
        if given.join:
            from tools.one_slot.fetch import join

            print("\n".join(map(str, join(given.join))))
        elif given.fetch:
            from tools.one_slot.fetch import fetch

            for run in given.fetch:
                seed_of(given.profile, run)
            fetch(print, given.profile, given.work / "store", given.fetch, given.out, given.first)
        else:
            only = [name for name in given.only.split(",") if name]
            names(given.profile, only)
            out = given.out.resolve()
            work = given.work.resolve() if given.work else out.with_name(f"{out.name}-work")
            Slot(out, work, given.device, given.profile, given.seconds, only).run()
    except NuclrError as error:
        print(f"one_slot: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
