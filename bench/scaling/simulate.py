"""The curves behind docs/scaling.md: `python bench/scaling/simulate.py` writes docs/scaling.svg and prints the figures.

Nothing here is measured again: measured figures (named, with their source) go in, arithmetic and one queueing
simulation come out. Seeded: two runs give the same picture.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SVG = ROOT / "docs" / "scaling.svg"

HOLD_SPREAD = 8_600.0
"""Holds a second of one PostgreSQL on two cores, spread over rows, five statements each (measured floor)."""
HOLD_HOT_SECONDS = 1 / 4_600
"""One hold on one hot row, one writer at a time (measured floor)."""
GROUP_OVERHEAD_SECONDS = 1 / 3_500
"""A transaction that groups: begin, lock, commit (fitted to 16 holds a transaction = 23,263 holds a second)."""
GROUP_EACH_SECONDS = (16 / 23_263 - GROUP_OVERHEAD_SECONDS) / 16
SEARCH_A_CORE = 1_170.0
"""Searches with a stop among a million flights that one core of flight-service answers (850 us each, measured:
`bench/search.py`)."""
BOOKING_BYTES = 22_000
"""Rows of one booking and its traveller in all databases with indexes, measured on 100,000 of them (1.25 passengers,
one flight each: `bench/capacity_data.py`); documents are elsewhere."""
PEAK = 8.0
"""Busiest second to the mean of the year: daily pattern (3) x season (1.6) x sale (1.7)."""
LOOK_TO_BOOK = 1_000.0
"""Searches for each booking; assumed high, as fare comparison sites make it."""
PASSENGERS_A_BOOKING = 1.8
SECONDS_A_YEAR = 365 * 86_400.0


@dataclass(frozen=True)
class Demand:
    """What a year's passengers mean in the busiest second."""

    passengers: float

    @property
    def bookings(self) -> float:
        """Bookings a second at the peak."""
        return self.passengers / PASSENGERS_A_BOOKING / SECONDS_A_YEAR * PEAK

    @property
    def searches(self) -> float:
        """Searches a second at the peak."""
        return self.bookings * LOOK_TO_BOOK

    @property
    def gigabytes(self) -> float:
        """Rows a year adds."""
        return self.passengers / PASSENGERS_A_BOOKING * BOOKING_BYTES / 1e9

    @property
    def search_processes(self) -> int:
        """Processes of flight-service at 60 % of a core each."""
        return max(2, -int(-self.searches // (SEARCH_A_CORE * 0.6)))

    @property
    def database_share(self) -> float:
        """Of one two-core PostgreSQL's holds, with three holds placed for each booking that is paid."""
        return self.bookings * 3 / HOLD_SPREAD


def hot_flight(arrivals: float, *, group: int, seconds: float = 20.0, seed: int = 7) -> tuple[float, float]:
    """One flight, one writer: served a second and p99 wait (seconds) when `arrivals` a second want it.

    Poisson arrivals; the writer takes up to `group` of those that wait into one transaction.
    """
    random_ = random.Random(seed)
    now, served, free_at = 0.0, 0, 0.0
    waits: list[float] = []
    queue: list[float] = []
    while now < seconds:
        now += random_.expovariate(arrivals)
        while queue and free_at <= now:
            free_at, done = _serve(queue, free_at, group)
            served += len(done)
            waits += [free_at - came for came in done]
        heapq.heappush(queue, now)
        free_at = max(free_at, now) if len(queue) == 1 else free_at
    waits.sort()
    return served / seconds, waits[int(len(waits) * 0.99) - 1] if waits else 0.0


def _serve(queue: list[float], free_at: float, group: int) -> tuple[float, list[float]]:
    start = max(free_at, queue[0])
    taken: list[float] = []
    while queue and queue[0] <= start and len(taken) < group:
        taken.append(heapq.heappop(queue))
    cost = HOLD_HOT_SECONDS if group == 1 else GROUP_OVERHEAD_SECONDS + GROUP_EACH_SECONDS * len(taken)
    return start + cost, taken


Curve = list[tuple[float, float]]
COLOURS = ("#1b5e9e", "#c2571a", "#2e7d32")


def chart(x0: int, title: str, note: str, curves: dict[str, Curve], *, log: bool = False) -> str:
    """One panel: lines with a legend, axes labelled with their ends."""
    points = [point for curve in curves.values() for point in curve]
    scale = _log if log else float
    low_x, high_x = scale(min(x for x, _ in points)), scale(max(x for x, _ in points))
    low_y = scale(min(y for _, y in points)) if log else 0.0
    high_y = scale(max(y for _, y in points))
    parts = [f'<g transform="translate({x0},40)"><text x="0" y="-18" font-size="13" font-weight="bold">{title}</text>']
    parts.append(f'<text x="0" y="-4" font-size="10" fill="#555">{note}</text>')
    parts.append('<path d="M0 0V220H270" fill="none" stroke="#999"/>')
    for number, (name, curve) in enumerate(curves.items()):
        way = " ".join(
            f"{(scale(x) - low_x) / (high_x - low_x) * 270:.1f},{220 - (scale(y) - low_y) / (high_y - low_y) * 215:.1f}"
            for x, y in curve
        )
        colour = COLOURS[number]
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="8" y="{14 + 14 * number}" font-size="11" fill="{colour}">{name}</text>')
    ends = (min(x for x, _ in points), max(x for x, _ in points), max(y for _, y in points))
    parts.append(f'<text x="0" y="236" font-size="10">{ends[0]:,.4g}</text>')
    parts.append(f'<text x="270" y="236" font-size="10" text-anchor="end">{ends[1]:,.4g}</text>')
    parts.append(f'<text x="270" y="10" font-size="10" text-anchor="end">top = {ends[2]:,.4g}</text></g>')
    return "".join(parts)


def _log(value: float) -> float:
    from math import log10

    return log10(max(value, 1e-9))


def main() -> None:
    """Print the table, write the picture."""
    years = [Demand(million * 1e6) for million in (0.4, 1, 2, 5, 10, 20, 50, 100)]
    print(
        f"{'passengers':>12} {'bookings/s':>11} {'searches/s':>11} {'GB a year':>10} "
        f"{'search procs':>13} {'of 1 PG':>8}"
    )
    for year in years:
        print(
            f"{year.passengers:12,.0f} {year.bookings:11.2f} {year.searches:11.0f} {year.gigabytes:10.0f} "
            f"{year.search_processes:13d} {year.database_share:8.1%}"
        )
    offered = [500, 1_000, 2_000, 3_000, 4_000, 4_500, 6_000, 9_000, 12_000, 15_000, 20_000]
    alone = [(float(rate), hot_flight(rate, group=1, seconds=4)) for rate in offered]
    grouped = [(float(rate), hot_flight(rate, group=64, seconds=4)) for rate in offered]
    print("\none hot flight: offered/s, served/s and p99 alone, served/s and p99 grouped")
    for (rate, one), (_, many) in zip(alone, grouped, strict=True):
        print(f"{rate:8,.0f} {one[0]:8,.0f} {one[1] * 1000:9.1f} ms {many[0]:8,.0f} {many[1] * 1000:7.1f} ms")
    panels = [
        chart(
            30,
            "A year's passengers and the peak second",
            "million passengers, both axes logarithmic",
            {
                "searches/s": [(year.passengers / 1e6, year.searches) for year in years],
                "bookings/s": [(year.passengers / 1e6, year.bookings) for year in years],
                "GB a year": [(year.passengers / 1e6, year.gigabytes) for year in years],
            },
            log=True,
        ),
        chart(
            350,
            "Everybody wants one flight",
            "holds offered a second; holds served a second",
            {
                "grouped, one writer": [(rate, many[0]) for rate, many in grouped],
                "one by one": [(rate, one[0]) for rate, one in alone],
            },
        ),
        chart(
            670,
            "Search processes needed",
            "million passengers; processes at 60 % of a core",
            {"processes": [(year.passengers / 1e6, float(year.search_processes)) for year in years]},
        ),
    ]
    SVG.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="970" height="300" font-family="sans-serif">'
        f'<rect width="970" height="300" fill="#fff"/>{"".join(panels)}</svg>\n'
    )
    print(f"\n{SVG.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
