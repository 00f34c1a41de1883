"""One HTML file per run: curves, sample videos, configuration, environment. Self-contained but for the videos.

python -m training --report RUN            # writes RUN/report.html, also while the run goes on
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

from echotorrent_core.errors import InputError

from .files import replace_text
from .metrics import FILE, read_metrics
from .networks import CONFIG, DONE, ENVIRONMENT
from .samples import FOLDER

NAME = "report.html"
POINTS = 400  # drawn per curve; more are averaged
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 360, 190, 52, 26, 10, 12  # of a plot and its margins, in pixels
FIRST = ("loss", "heldout", "sample", "long")  # groups in this order, then the others by name
TITLES = {
    "loss": "Losses",
    "heldout": "Held-out errors",
    "sample": "Videos, measured",
    "long": "Long rollout, measured",
    "grad": "Gradient norms",
    "": "Other numbers",
}

Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    name: str
    points: Sequence[Point]  # (step, value)


def write_report(folder: Path) -> Path:
    """Write the report of a run. InputError if the folder holds no run."""
    if not any((folder / name).exists() for name in (FILE, CONFIG)):
        raise InputError(f"{folder}: holds no run (no {FILE})")
    path = folder / NAME
    replace_text(path, page(folder))
    return path


def page(folder: Path) -> str:
    lines = list(read_metrics(folder)) if (folder / FILE).exists() else []
    config = _text(folder / CONFIG)
    environment = _text(folder / ENVIRONMENT)
    title = folder.resolve().name
    body = [
        f"<h1>{escape(title)}</h1>",
        tiles(folder, lines),
        videos(folder),
        *(section(group, found) for group, found in grouped(curves(lines)).items()),
        _details("Configuration", config),
        _details("Environment", environment),
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return f"{head}{view}<style>{STYLE}</style><main>{''.join(body)}</main><script>{SCRIPT}</script></html>\n"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _details(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary><pre>{escape(text)}</pre></details>" if text else ""


# Numbers


def curves(lines: Sequence[dict[str, float]]) -> list[Curve]:
    """Every number that was logged, in the order of its first appearance."""
    found: dict[str, list[Point]] = {}
    for line in lines:
        for name, value in line.items():
            if name not in ("step", "time") and math.isfinite(value):
                found.setdefault(name, []).append((line["step"], value))
    return [Curve(name, points) for name, points in found.items()]


def grouped(found: Sequence[Curve]) -> dict[str, list[Curve]]:
    """By the name's first part."""
    groups: dict[str, list[Curve]] = {}
    for curve in found:
        group, slash, _ = curve.name.partition("/")
        groups.setdefault(group if slash else "", []).append(curve)
    order = sorted(groups, key=lambda g: (FIRST.index(g) if g in FIRST else len(FIRST), g == "", g))
    return {group: groups[group] for group in order}


def thinned(points: Sequence[Point], most: int = POINTS) -> list[Point]:
    """At most `most` points, means of neighbours."""
    if len(points) <= most:
        return list(points)
    size = len(points) / most
    parts = [points[round(i * size) : round((i + 1) * size)] for i in range(most)]
    return [(sum(x for x, _ in p) / len(p), sum(y for _, y in p) / len(p)) for p in parts]


def smoothed(points: Sequence[Point], share: float = 0.05) -> list[Point]:
    """Mean over a window of neighbours, a `share` of all on either side."""
    reach = round(share * len(points))
    around = [points[max(0, i - reach) : i + reach + 1] for i in range(len(points))]
    return [(x, sum(y for _, y in near) / len(near)) for (x, _), near in zip(points, around, strict=True)]


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round numbers between low and high."""
    span = (high - low) or abs(high) or 1.0
    step = 10 ** math.floor(math.log10(span / most))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (factor * step) <= most)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def label(value: float) -> str:
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def tick_labels(values: Sequence[float]) -> list[str]:
    """As many digits as it takes to tell the ticks apart."""
    gap = min((b - a for a, b in pairwise(values)), default=0.0)
    digits = max(0, -math.floor(math.log10(gap) + 1e-9)) if gap else 0
    plain = gap and digits <= 5 and max(map(abs, values)) < 1e6
    return [f"{value:,.{digits}f}" if plain else label(value) for value in values]


# Parts of the page


def tiles(folder: Path, lines: Sequence[dict[str, float]]) -> str:
    """The run at a glance."""
    if not lines:
        return "<p>Nothing was logged yet.</p>"
    first, last = lines[0], lines[-1]
    paces = [line["seconds_per_step"] for line in lines if "seconds_per_step" in line]
    facts: dict[str, str] = {
        "Step": f"{int(last['step']):,}",
        "State": "done" if (folder / DONE).exists() else "going on",
    }
    facts["Logged over"] = duration(last["time"] - first["time"])
    if paces:
        facts["Seconds per step"] = label(sorted(paces)[len(paces) // 2])
    for name in ("loss/student", "heldout/mouth"):
        values = [line[name] for line in lines if name in line]
        if values:
            facts[f"{name}, last"] = label(values[-1])
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(fact)}</dd></div>" for name, fact in facts.items())
    return f"<dl>{cells}</dl>"


def duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60:02d} min" if hours else f"{rest // 60} min {rest % 60:02d} s"


def section(group: str, found: Sequence[Curve]) -> str:
    title = TITLES.get(group, group)
    plots = "".join(f"<figure><figcaption>{escape(c.name)}</figcaption>{plot(c.points)}</figure>" for c in found)
    return f"<section><h2>{escape(title)}</h2><div class=plots>{plots}</div></section>"


def plot(points: Sequence[Point]) -> str:
    """A curve as inline SVG: what was logged, pale, and its running mean."""
    points = thinned(points)
    steps, values = [x for x, _ in points], [y for _, y in points]
    low, high = min(values), max(values)
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    low, high = low - pad, high + pad
    first, last = (steps[0], steps[-1]) if len(points) > 1 else (steps[0] - 1, steps[0] + 1)
    heights = ticks(low, high)

    def x(step: float) -> float:
        return LEFT + (step - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def line(found: Sequence[Point], kind: str) -> str:
        return f'<polyline class={kind} points="{" ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in found)}"/>'

    grid = "".join(
        f'<line x1={LEFT} x2={WIDTH - RIGHT} y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        f'<text x={LEFT - 6} y="{y(v) + 4:.1f}" text-anchor=end>{text}</text>'
        for v, text in zip(heights, tick_labels(heights), strict=True)
    )
    feet = "".join(
        f'<text x="{x(v):.1f}" y={HEIGHT - 8} text-anchor=middle>{v:,.0f}</text>'
        for v in ticks(first, last, 4)
        if v == round(v)
    )
    few = len(points) < 8
    drawn = line(points, "mean") if few else line(points, "raw") + line(smoothed(points), "mean")
    if few:
        drawn += "".join(f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r=3 />' for a, b in points)
    data = escape(json.dumps([[a, float(f"{b:.5g}"), round(x(a), 1), round(y(b), 1)] for a, b in points]), quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role=img data-points="{data}"><g class=grid>{grid}{feet}</g>{drawn}'
        '<g class=mark style="display:none"><line class=cross /><circle r=3.5 /><text></text></g></svg>'
    )


def videos(folder: Path) -> str:
    """Sample videos, newest first, a row per step."""
    rows: dict[int, list[Path]] = {}
    for path in sorted((folder / FOLDER).glob("step-*.mp4")):
        rows.setdefault(int(path.stem.split("-")[1]), []).append(path)
    if not rows:
        return ""
    found = [
        f"<h3>Step {step:,}</h3><div class=videos>{''.join(_video(path) for path in rows[step])}</div>"
        for step in sorted(rows, reverse=True)
    ]
    older = f"<details><summary>Earlier ones</summary>{''.join(found[1:])}</details>" if found[1:] else ""
    return f"<section><h2>Videos</h2>{found[0]}{older}</section>"


def _video(path: Path) -> str:
    source, name = escape(f"{FOLDER}/{path.name}", quote=True), escape("-".join(path.stem.split("-")[2:]))
    return (
        f'<figure><video src="{source}#t=0.1" controls preload=metadata></video>'
        f'<figcaption><a href="{source}">{name}</a></figcaption></figure>'
    )


STYLE = """
:root { color-scheme: light dark; --back: #fbfbfa; --card: #fff; --ink: #1d1f23; --soft: #6a6f78; --edge: #e3e4e6;
  --line: #1f6fb4; }
@media (prefers-color-scheme: dark) { :root { --back: #16181b; --card: #1f2226; --ink: #e8e9eb; --soft: #9aa0a9;
  --edge: #33373d; --line: #6db3f2; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; margin: 0 0 14px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 34px 0 10px; }
h3 { font-size: 14px; font-weight: 600; color: var(--soft); margin: 16px 0 6px; }
dl { display: flex; flex-wrap: wrap; gap: 10px; margin: 0; }
dl div, figure { background: var(--card); border: 1px solid var(--edge); border-radius: 8px; }
dl div { padding: 8px 14px; }
dt { color: var(--soft); font-size: 12px; }
dd { margin: 0; font-size: 18px; font-variant-numeric: tabular-nums; }
figure { margin: 0; padding: 10px; min-width: 0; }
figcaption { font-size: 13px; overflow-wrap: anywhere; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 12px; }
.videos { display: flex; flex-wrap: wrap; gap: 12px; }
.videos video { display: block; width: 200px; max-width: 100%; aspect-ratio: 1; background: #000; border-radius: 4px;
  image-rendering: auto; margin-bottom: 6px; }
svg { display: block; width: 100%; height: auto; touch-action: pan-y; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid line { stroke: var(--edge); }
polyline { fill: none; stroke: var(--line); stroke-width: 1.8; stroke-linejoin: round; }
polyline.raw { opacity: .3; stroke-width: 1; }
circle { fill: var(--line); }
.mark text { fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
.cross { stroke: var(--soft); stroke-dasharray: 2 3; }
details { margin-top: 22px; }
summary { cursor: pointer; font-weight: 600; }
pre { background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 12px; overflow: auto;
  font-size: 12.5px; }
a { color: var(--line); }
"""

SCRIPT = """
for (const svg of document.querySelectorAll("svg[data-points]")) {
  const points = JSON.parse(svg.dataset.points), mark = svg.querySelector(".mark");
  const [cross, dot, text] = mark.children, box = svg.viewBox.baseVal;
  svg.addEventListener("pointermove", (event) => {
    const at = (event.offsetX / svg.clientWidth) * box.width;
    const [step, value, x, y] = points.reduce((a, b) => (Math.abs(b[2] - at) < Math.abs(a[2] - at) ? b : a));
    for (const [name, v] of [["x1", x], ["x2", x], ["y1", 10], ["y2", box.height - 26]]) cross.setAttribute(name, v);
    dot.setAttribute("cx", x); dot.setAttribute("cy", y);
    text.setAttribute("x", x); text.setAttribute("y", Math.max(12, y - 8));
    text.setAttribute("text-anchor", x > box.width * 0.6 ? "end" : "start");
    text.textContent = ` ${value} at ${Math.round(step)} `;
    mark.style.display = "";
  });
  svg.addEventListener("pointerleave", () => { mark.style.display = "none"; });
}
"""
