"""`make bench`: every bench one after the other, several runs of each, their medians, and docs/benchmarks.md.

`python bench/run.py [--quick] [--runs 3] [--only holds,bookings]`. Benches that need the whole platform share one
stack of their own. A bench says its figures in a last line `FIGURES {json}`; of one that only prints, the lines
with a rate and those named in `READ` are taken.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from document import write
from stacked import stack

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Bench:
    """One module: its arguments in earnest and in a hurry (None: not then), whether it measures the shared stack."""

    module: str
    full: tuple[str, ...]
    quick: tuple[str, ...] | None
    platform: bool = False
    most_runs: int = 9
    """How often it runs at most: a hundred thousand bookings are their own average."""


BENCHES = (
    Bench("proxying", ("--seconds", "5"), ("--seconds", "1")),
    Bench("holds", ("--seconds", "5"), ("--seconds", "1.5")),
    Bench("search", ("--seconds", "5", "--curve"), ("--seconds", "1", "--flights", "20000")),
    Bench("journeys", ("--seconds", "60"), ("--seconds", "8"), platform=True),
    Bench("bookings", ("--seconds", "10"), ("--seconds", "4"), platform=True),
    Bench("quarter", (), ("--bookings", "300", "--people", "48", "--behind", "5"), most_runs=1),
    Bench("workers", ("--seconds", "6"), None),
    Bench("capacity", ("--seconds", "45"), None),
    Bench("payments", ("--seconds", "5"), ("--seconds", "1", "--webhooks", "500", "--entries", "20000")),
    Bench("mails", ("--mails", "10000", "--inbox"), ("--mails", "300")),
    Bench("papers", (), ("--times", "20"), platform=True),
    Bench("sale", (), ("--buyers", "300", "--seats", "30"), platform=True),
    Bench("sign_in", ("--seconds", "5"), ("--seconds", "2", "--people", "16"), platform=True),
    Bench("chat", (), ("--quick",)),
)

DATA_SETS = ("data.py", "capacity_data.py")

RATE = re.compile(r"^ *(\S.*?)  *([\d,]+(?:\.\d+)?)(?: [a-z]+)?/s\b(.*)$")
"""A line of a table: what, how many a second, and the waits behind it."""
WAIT = re.compile(r"\b(p50|p95|p99) +([\d,.]+)(?: ms)?")
READ: dict[str, tuple[tuple[str, str], ...]] = {
    "proxying": (
        ("gateway: us of CPU a request (bare)", r"bare +gateway.*?([\d,.]+) us CPU a request"),
        ("gateway: us of CPU a request (fastapi)", r"fastapi +gateway.*?([\d,.]+) us CPU a request"),
        ("gateway keeps of direct (bare), %", r"bare +the gateway keeps ([\d,.]+)%"),
        ("gateway keeps of direct (fastapi), %", r"fastapi +the gateway keeps ([\d,.]+)%"),
        ("added at one connection (bare), p50 ms", r"bare +added at one connection: p50 ([\d,.]+) ms"),
    ),
    "holds": (("sale of 180 seats to 2,000 buyers, s", r"grouped, a sale opens.*\n.*sold in ([\d,.]+) s"),),
    "payments": (
        ("statement page, p50 ms", r"statement page +p50 ([\d,.]+) ms"),
        ("recomputation of the ledger, s", r"recomputation +([\d,.]+) s"),
    ),
    "mails": (
        ("mails/s", r"mails in +[\d,.]+ s: +([\d,.]+)/s"),
        ("worker: ms of CPU a mail", r"worker +([\d,.]+) ms CPU a mail"),
        ("mails doubled", r"distinct, ([\d,]+) doubled"),
    ),
}


@dataclass
class Outcome:
    """What the runs of one bench gave."""

    bench: Bench
    codes: list[int] = field(default_factory=list)
    figures: dict[str, list[float | str]] = field(default_factory=dict)
    last_output: str = ""
    seconds: float = 0.0

    def medians(self) -> dict[str, float | str]:
        """The middle of each figure's runs; words are taken from the last run."""
        found: dict[str, float | str] = {}
        for name, values in self.figures.items():
            numbers = [value for value in values if isinstance(value, int | float)]
            found[name] = statistics.median(numbers) if len(numbers) == len(values) else values[-1]
        return found


def once(bench: Bench, arguments: tuple[str, ...], environment: dict[str, str], outcome: Outcome) -> None:
    """One run in a process of its own; its words are shown as they come."""
    began, lines = time.monotonic(), []
    command = [sys.executable, str(HERE / f"{bench.module}.py"), *arguments]
    with subprocess.Popen(
        command, env=environment, cwd=HERE.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            lines.append(line)
            if not line.startswith("FIGURES "):
                print(f"  {line}", end="", flush=True)
    outcome.codes.append(running.returncode)
    outcome.seconds += time.monotonic() - began
    outcome.last_output = "".join(line for line in lines if not line.startswith("FIGURES "))
    for name, value in figures_of(bench.module, lines).items():
        outcome.figures.setdefault(name, []).append(value)


def figures_of(module: str, lines: list[str]) -> dict[str, float | str]:
    """The FIGURES line; else every line with a rate, and what READ finds in the text."""
    for line in reversed(lines):
        if line.startswith("FIGURES "):
            return dict(json.loads(line.removeprefix("FIGURES ")))
    text, found = "".join(lines), dict[str, float | str]()
    for line in lines:
        if match := RATE.match(line):
            name = " ".join(match.group(1).rstrip(" :").split())
            found[f"{name}, a second"] = _number(match.group(2))
            found |= {f"{name}, {share} ms": _number(wait) for share, wait in WAIT.findall(match.group(3))}
    for name, pattern in READ.get(module, ()):
        if match := re.search(pattern, text):
            found[name] = _number(match.group(1))
    return found


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="short runs, once each: under three minutes, no report")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="modules, comma-separated")
    parser.add_argument("--data", action="store_true", help="only make the data sets")
    parser.add_argument("--report", action="store_true", help="write docs/benchmarks.md also of a quick run")
    chosen = parser.parse_args()
    wanted = {name for name in chosen.only.split(",") if name}
    benches = [one for one in BENCHES if (HERE / f"{one.module}.py").exists() and (not wanted or one.module in wanted)]
    benches = [one for one in benches if not chosen.quick or one.quick is not None]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if chosen.data:
        made = [subprocess.run([sys.executable, str(HERE / one)], check=False) for one in DATA_SETS]
        return max(one.returncode for one in made)
    outcomes: list[Outcome] = []
    facts: dict[str, Any] = {"quick": chosen.quick, "runs": 1 if chosen.quick else chosen.runs, "began": time.time()}
    alone, together = [one for one in benches if not one.platform], [one for one in benches if one.platform]
    for group, shared in ((alone, False), (together, True)):
        if not group:
            continue
        with ExitStack() as held:
            if shared:
                print("a stack of its own is started ...", flush=True)
                environment["BENCH_STACK"] = str(held.enter_context(stack()).folder)
            for bench in group:
                outcome = Outcome(bench)
                outcomes.append(outcome)
                for run in range(runs := min(int(facts["runs"]), bench.most_runs)):
                    print(f"{bench.module}, run {run + 1} of {runs}", flush=True)
                    once(bench, (bench.quick if chosen.quick else bench.full) or (), environment, outcome)
    if not chosen.quick or chosen.report:
        write([(one.bench.module, one.codes, one.figures, one.medians(), one.last_output) for one in outcomes], facts)
    for one in outcomes:
        print(
            f"{one.bench.module:10} {one.seconds:6.1f} s  {'targets reached' if not any(one.codes) else 'NOT reached'}"
        )
        for name, value in one.medians().items():
            print(f"           {name}: {value:,}" if isinstance(value, int | float) else f"           {name}: {value}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
