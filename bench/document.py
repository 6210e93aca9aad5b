"""docs/benchmarks.md and its plots: the machine, the versions, the medians, the spread of the runs.

`python bench/document.py` draws the plots again from the page.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pictures import curve, draw, said

ROOT = Path(__file__).resolve().parents[1]
PAGE, PLOTS = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks"
Found = tuple[str, Sequence[int], Mapping[str, Sequence[float | str]], Mapping[str, float | str], str]

TITLES = {
    "proxying": "Gateway: direct, through it, through nginx",
    "holds": "Holds: the database's floor, alone, grouped, a sale",
    "search": "Search",
    "journeys": "Whole journeys, sixteen travellers at once",
    "bookings": "Bookings through the gateway, and their floors",
    "quarter": "A quarter's business at once: 100,000 bookings placed, paid and confirmed",
    "workers": "Bookings against 1, 2 and 4 workers",
    "capacity": "Capacity: 100,000 people, a quarter's bookings, the busiest day and three times that",
    "payments": "Payments",
    "mails": "Confirmation mails",
    "papers": "Papers: worker time each",
    "sale": "A sale opens: two thousand buyers through the gateway",
    "sign_in": "Signing in",
    "chat": "Chat",
}
BARS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "proxying": (
        ("bare direct, a second", "bare upstream, direct"), ("bare nginx, a second", "through nginx"),
        ("bare gateway, a second", "through the gateway"), ("fastapi direct, a second", "FastAPI, direct"),
        ("fastapi nginx, a second", "through nginx"), ("fastapi gateway, a second", "through the gateway"),
    ),
    "holds": (
        ("floor (pgbench), spread, a second", "floor: pgbench, spread"), ("alone, spread, a second", "alone, spread"),
        ("grouped, spread, a second", "grouped, spread"),
        ("floor (pgbench), hot, a second", "floor: pgbench, one flight"), ("alone, hot, a second", "alone, one flight"),
        ("grouped, hot, a second", "grouped, one flight"),
    ),
    "bookings": (
        ("floor_empty_handler_per_second", "floor: an empty handler"),
        ("floor_pgbench_holds_per_second", "floor: pgbench holds"), ("bookings_per_second", "bookings a second"),
    ),
}  # fmt: skip
"""Bench -> (figure, label) of its plot; any other bench is drawn from the figures that end in `a second`."""
CURVES: Mapping[str, tuple[str, Mapping[str, Sequence[tuple[float, str]]]]] = {
    "search": ("flights on sale", {
        f"{kind}, searches a second": (
            (1e4, f"10,000 flights: {kind}, a second"), (1e5, f"100,000 flights: {kind}, a second"),
            (1e6, f"{kind}, a second"),
        )
        for kind in ("direct", "one stop", "two stops")
    }),
    "workers": ("workers of each service", {"bookings a second": (
        (1, "1 worker, a second"), (2, "2 workers, a second"), (4, "4 workers, a second"),
    )}),
}  # fmt: skip
"""Bench -> what its cost curve runs over, and for each line the figure at each place. Drawn instead of bars."""
RATIOS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "holds": (
        ("grouped, spread, a second", "floor (pgbench), spread, a second"),
        ("grouped, hot, a second", "floor (pgbench), hot, a second"),
    ),
    "workers": (("1 worker, a second", "floor (pgbench holds), a second"),),
}
"""Bench -> (figure, its floor of the same run), where the bench itself says no ratio."""


def write(found: Sequence[Found], facts: Mapping[str, Any]) -> None:
    """Write the page, and a plot for each bench that has one. Benches that did not run keep the section they had."""
    PLOTS.mkdir(parents=True, exist_ok=True)
    head = [
        "# Benchmarks",
        "",
        "Written by `make bench`; do not edit. Each figure is the median of the runs that stand beside it: a section "
        "says how many and of which day. Floors were measured in the same run on the same machine.",
        "",
        *machine(),
        "",
    ]
    kept = sections(PAGE.read_text()) if PAGE.exists() else {}
    fresh = {one[0]: section(one, facts) for one in found}
    names = [name for name in TITLES if name in fresh or name in kept]
    names += [name for name in fresh if name not in names]
    PAGE.write_text("\n".join(head + ["\n".join(fresh.get(name) or kept[name]) for name in names]))


def sections(page: str) -> dict[str, list[str]]:
    """The lines of each bench's section of a page."""
    names = {title: name for name, title in TITLES.items()} | {name: name for name in TITLES}
    found: dict[str, list[str]] = {}
    for part in page.split("\n## ")[1:]:
        name = names.get(part.split("\n", 1)[0])
        if name:
            found[name] = [*f"## {part}".rstrip("\n").split("\n"), ""]
    return found


def section(found: Found, facts: Mapping[str, Any]) -> list[str]:
    """What one bench's runs gave, in lines; its plot is written beside."""
    module, codes, figures, medians, output = found
    quick = " (a quick run: figures of no weight)" if facts["quick"] else ""
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    lines = [
        f"## {TITLES.get(module, module)}",
        "",
        f"`python bench/{module}.py`, {len(codes)} run(s), {day}{quick}",
        "",
    ]
    if any(codes):
        lines += [f"**Not every target was reached** (exit codes {', '.join(map(str, codes))}).", ""]
    if medians:
        lines += ["| figure | median | runs |", "|--|--|--|"]
        lines += [f"| {name} | {said(medians[name])} | {', '.join(map(said, figures[name]))} |" for name in medians]
        lines += [f"| {name.removesuffix(', a second')}: ratio to its floor | {ratio:.3g} | |" for name, ratio in
                  ratios(module, medians)]  # fmt: skip
        lines.append("")
    if (picture := plot(module, medians)) is not None:
        (PLOTS / f"{module}.svg").write_text(picture)
        lines += [f"![{module}](benchmarks/{module}.svg)", ""]
    lines += ["The last run in its own words:", "", "```", output.rstrip(), "```", ""]
    return lines


def ratios(module: str, medians: Mapping[str, float | str]) -> list[tuple[str, float]]:
    """How much of its floor each figure keeps."""
    pairs = [(name, medians.get(name), medians.get(floor)) for name, floor in RATIOS.get(module, ())]
    return [(name, float(value) / float(floor)) for name, value, floor in pairs if value is not None and floor]


def plot(module: str, medians: Mapping[str, float | str]) -> str | None:
    """The bench's picture: its cost curve where it has one, else bars; None when there is nothing to draw."""
    title = TITLES.get(module, module)
    if module in CURVES:
        over, wanted = CURVES[module]
        lines = {name: [(at, float(medians[one])) for at, one in places if one in medians] for name, places in
                 wanted.items()}  # fmt: skip
        if all(len(points) > 1 for points in lines.values()):
            return curve(title, over, lines)
    rates = tuple((name, name.removesuffix(", a second")) for name in medians if name.endswith(", a second"))
    bars = [(label, medians[name]) for name, label in BARS.get(module, rates) if name in medians]
    return draw(title, bars) if bars else None


def machine() -> list[str]:
    """The kind of machine and the versions, without its name."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    system = next(
        (line.split("=", 1)[1].strip('"') for line in _lines("/etc/os-release") if line.startswith("PRETTY_NAME")), ""
    )
    versions = [f"Python {platform.python_version()}"]
    versions += [
        f"{name} {importlib.metadata.version(name)}"
        for name in ("fastapi", "uvicorn", "asyncpg", "sqlalchemy", "aiohttp")
    ]
    versions += [
        text for text in (_version("postgres", "-V"), _version("redis-server", "-v"), _version("nginx", "-v")) if text
    ]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"- {os.cpu_count()} cores ({model or platform.machine()}), {memory / 1e6:.0f} GB, {system}; all on loopback",
        f"- {', '.join(versions)}",
        f"- {datetime.now(UTC):%Y-%m-%d}; load averages at the end {load}",
    ]


def _version(program: str, flag: str) -> str:
    places = [
        *sorted(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")),
        os.environ.get("PATH", ""),
        "/usr/sbin",
    ]
    found = shutil.which(program, path=":".join(places))
    if found is None:
        return ""
    done = subprocess.run([found, flag], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[0].split(" sha=")[0].removeprefix("nginx version: ")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def redraw() -> None:
    """The plots again from the figures that stand on the page."""
    for module, lines in sections(PAGE.read_text()).items():
        rows = [[cell.strip() for cell in line.split("|")] for line in lines if line.startswith("| ")]
        medians: dict[str, float | str] = {}
        for row in rows:
            with contextlib.suppress(ValueError):
                medians[row[1]] = float(row[2].replace(",", ""))
        if (picture := plot(module, medians)) is not None:
            (PLOTS / f"{module}.svg").write_text(picture)


if __name__ == "__main__":
    redraw()
