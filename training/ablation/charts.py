"""Curves as a small SVG picture: panels side by side, one legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from ..report import tick_labels, ticks

COLOURS = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#8c8c00", "#7f7f7f")
WIDTH, HEIGHT = 300, 190  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 24, 26  # its margins
NAME, ROW = 210, 18  # of the legend


def picture(panels: Mapping[str, Mapping[str, Sequence[float]]], end: float, unit: str = " s") -> str:
    """Panels by title, each with curves by name, whose points are evenly spread from 0 to `end`; the first curve is
    drawn last, and heavier."""
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    width = WIDTH * len(panels)
    per_line = max(1, (width - LEFT) // NAME)
    height = HEIGHT + ROW * -(-len(names) // per_line) + 10
    body = [
        f'<g transform="translate({WIDTH * i},0)">{panel(title, curves, end, unit, colours)}</g>'
        for i, (title, curves) in enumerate(panels.items())
    ]
    for i, name in enumerate(names):
        x, y = LEFT + (width - LEFT) / per_line * (i % per_line), HEIGHT + 10 + ROW * (i // per_line)
        body.append(
            f'<path d="M{x:.0f} {y - 4} h18" stroke="{colours[name]}" stroke-width="2.5"/>'
            f'<text x="{x + 24:.0f}" y="{y}">{escape(name)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="11" fill="#333">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{"".join(body)}</svg>\n'
    )


def panel(title: str, curves: Mapping[str, Sequence[float]], end: float, unit: str, colours: Mapping[str, str]) -> str:
    """One pair of axes."""
    shown = np.concatenate([np.asarray(curve, np.float64) for curve in curves.values()])
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    low, high = low - pad, high + pad

    def x(t: float) -> float:
        return LEFT + t / end * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    heights = ticks(low, high)
    grid = "".join(
        f'<path d="M{LEFT} {y(v):.1f} H{WIDTH - RIGHT}" stroke="#ddd"/>'
        f'<text x="{LEFT - 5}" y="{y(v) + 4:.1f}" text-anchor="end">{text}</text>'
        for v, text in zip(heights, tick_labels(heights), strict=True)
    )
    feet = "".join(
        f'<text x="{x(t):.1f}" y="{HEIGHT - 10}" text-anchor="middle">{t:g}{unit}</text>' for t in ticks(0, end, 4)
    )
    lines = []
    for i, (name, curve) in reversed(list(enumerate(curves.items()))):
        times = (np.arange(len(curve)) + 0.5) * end / len(curve)
        points = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in zip(times, curve, strict=True) if np.isfinite(v))
        heavy = 2.6 if i == 0 else 1.4
        lines.append(f'<polyline fill="none" stroke="{colours[name]}" stroke-width="{heavy}" points="{points}"/>')
    return f'<text x="{LEFT}" y="14" font-weight="600">{escape(title)}</text>{grid}{feet}{"".join(lines)}'
