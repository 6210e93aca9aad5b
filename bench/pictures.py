"""The plots of docs/benchmarks.md as SVG: bars, and curves over what grows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_LINES = ("#2a7f62", "#e08e0b", "#5c6bc0", "#c0392b")


def said(value: float | str) -> str:
    """A figure as a reader wants it."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:,.3g}"


def draw(title: str, bars: Sequence[tuple[str, float | str]]) -> str:
    """Horizontal bars; floors are grey."""
    most = max((float(value) for _, value in bars), default=1.0) or 1.0
    height = 40 + 28 * len(bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="800" height="{height}" fill="#fff"/><text x="10" y="20" font-size="14">{escape(title)}</text>',
    ]
    for row, (label, value) in enumerate(bars):
        y, width = 34 + 28 * row, 470 * float(value) / most
        colour = "#b8c4ce" if "floor" in label or "direct" in label or "nginx" in label else "#2a7f62"
        parts.append(f'<text x="210" y="{y + 14}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect x="220" y="{y}" width="{max(width, 1):.1f}" height="20" fill="{colour}"/>')
        parts.append(f'<text x="{226 + width:.1f}" y="{y + 14}">{said(value)}</text>')
    return "\n".join([*parts, "</svg>"])


def curve(title: str, over: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Lines through measured points; what they run over grows by factors, so its axis is logarithmic."""
    most = max(value for points in lines.values() for _, value in points) or 1.0
    first, last = (pick(at for points in lines.values() for at, _ in points) for pick in (min, max))

    def x(at: float) -> float:
        return 90 + 520 * (math.log(at / first) / math.log(last / first))

    def y(value: float) -> float:
        return 300 - 250 * value / most

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 350" font-family="sans-serif" font-size="12">',
        f'<rect width="800" height="350" fill="#fff"/><text x="10" y="20" font-size="14">{escape(title)}</text>',
        f'<text x="350" y="340" text-anchor="middle">{escape(over)}</text>',
        '<path d="M 90 40 V 300 H 620" fill="none" stroke="#888"/>',
        f'<text x="84" y="304" text-anchor="end">0</text><text x="84" y="54" text-anchor="end">{said(most)}</text>',
    ]
    parts += [
        f'<text x="{x(at):.1f}" y="318" text-anchor="middle">{at:,.0f}</text>'
        for at in sorted({at for points in lines.values() for at, _ in points})
    ]
    for number, (name, points) in enumerate(lines.items()):
        colour = _LINES[number % len(_LINES)]
        path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(at):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>' for at, value in points]
        parts += [
            f'<text x="{x(at):.1f}" y="{y(value) - 6:.1f}" text-anchor="middle" font-size="10">{said(value)}</text>'
            for at, value in points
        ]
        parts.append(f'<text x="630" y="{60 + 18 * number}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"])
