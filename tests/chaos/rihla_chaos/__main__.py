"""`python -m rihla_chaos [--minutes 5] [--seed 1] [--rate 6] [--every 20] [--blackout] [--page]`: 1: violated."""

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from rihla_chaos.report import write
from rihla_chaos.run import Wish, run
from rihla_local.layout import ROOT


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="rihla_chaos", description="Break the platform under load, then judge it.")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1, help="decides every fault and every traveller's choices")
    parser.add_argument("--rate", type=float, default=6.0, help="journeys a second that begin")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between faults")
    parser.add_argument("--quiet", type=float, default=240.0, help="longest wait for calm, seconds")
    parser.add_argument("--blackout", action="store_true", help="once, everything dies and is started again")
    parser.add_argument("--page", action="store_true", help="write docs/chaos.md and its picture from this run")
    parser.add_argument("--keep", action="store_true", help="leave the stack running")
    parser.add_argument("--folder", type=Path, default=ROOT / ".run" / "chaos")
    chosen = parser.parse_args()
    wish = Wish(
        folder=chosen.folder, seconds=chosen.minutes * 60, seed=chosen.seed, rate=chosen.rate, every=chosen.every,
        quiet=chosen.quiet, blackout=chosen.blackout, keep=chosen.keep,
    )  # fmt: skip
    result = asyncio.run(run(wish))
    if chosen.page:
        (ROOT / "docs" / "chaos").mkdir(exist_ok=True)
        (ROOT / "docs" / "chaos.md").write_text(write(result, picture="chaos/timeline.svg"))
        shutil.copy(wish.folder / "timeline.svg", ROOT / "docs" / "chaos" / "timeline.svg")
    print(f"\n{(wish.folder / 'report.md').read_text()}\nreport: {wish.folder / 'report.md'}")
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
