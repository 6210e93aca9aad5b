"""The timeline as SVG: journeys that began and that ended well, faults, and how long each one lasted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from rihla_chaos.faults import Fault
from rihla_chaos.history import Journey

WIDTH, LEFT, PLOT, LANE = 1200, 50, 220, 16
COLOURS = {"done": "#2a7f62", "began": "#b8c4ce", "failed": "#c0392b", "fault": "#e08e0b", "recovery": "#f5d9a6"}


def draw(faults: Sequence[Fault], journeys: Sequence[Journey], seconds: float) -> str:
    """The whole picture."""
    span = max(seconds, max((one.ended for one in journeys), default=0.0), 1.0)
    step = max(1, round(span / 240))
    height = PLOT + 60 + LANE * len(faults)

    def x(at: float) -> float:
        return LEFT + at / span * (WIDTH - LEFT - 20)

    began = _counts([one.began for one in journeys], step)
    done = _counts([one.ended for one in journeys if one.good], step)
    failed = _counts([one.ended for one in journeys if one.honest and not one.good], step)
    top = max([*began.values(), *done.values(), 1])

    def y(count: int) -> float:
        return 30 + (PLOT - 30) * (1 - count / top)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" font-size="13">journeys each {step} s: began (grey), done (green), '
        "honest ones that failed (red); below: faults (orange) and the time until a journey worked again</text>",
    ]
    for mark in range(0, int(span) + 1, max(10, int(span / 12 / 10) * 10)):
        parts.append(f'<line x1="{x(mark):.1f}" y1="30" x2="{x(mark):.1f}" y2="{height - 20}" stroke="#eee"/>')
        parts.append(f'<text x="{x(mark):.1f}" y="{height - 6}" text-anchor="middle">{mark} s</text>')
    parts += [f'<text x="{LEFT - 6}" y="{y(count) + 4:.1f}" text-anchor="end">{count}</text>' for count in (0, top)]
    for counts, colour, width in ((began, "began", 1.5), (done, "done", 2), (failed, "failed", 1.5)):
        points = " ".join(f"{x(at * step):.1f},{y(counts.get(at, 0)):.1f}" for at in range(int(span // step) + 1))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[colour]}" stroke-width="{width}"/>')
    for lane, fault in enumerate(faults):
        parts += _lane(fault, PLOT + 20 + LANE * lane, x(fault.began), x(fault.ended), x, span)
    return "\n".join([*parts, "</svg>"])


def _lane(fault: Fault, at: float, begin: float, end: float, x: Callable[[float], float], span: float) -> list[str]:
    until = x(min(span, fault.ended + (fault.recovered_after if fault.recovered_after is not None else span)))
    told = "never" if fault.recovered_after is None else f"{fault.recovered_after:.1f} s"
    label = escape(f"{fault.kind} {fault.target} ({told})")
    right = begin > WIDTH * 0.7
    box = f'y="{at}" height="10"'
    return [
        f'<rect x="{begin:.1f}" {box} width="{max(until - begin, 1):.1f}" fill="{COLOURS["recovery"]}"/>',
        f'<rect x="{begin:.1f}" {box} width="{max(end - begin, 2):.1f}" fill="{COLOURS["fault"]}"/>',
        f'<text x="{begin - 4 if right else until + 4:.1f}" y="{at + 9}" '
        f'text-anchor="{"end" if right else "start"}">{label}</text>',
    ]


def _counts(times: Sequence[float], step: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for at in times:
        found[int(at // step)] = found.get(int(at // step), 0) + 1
    return found
