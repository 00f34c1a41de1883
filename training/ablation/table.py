"""docs/ablations.md from results: a pure function of OUT/ROW/seed-N/result.json.

A row is held against the full one seed by seed and clip by clip, so what a clip is hard or a seed unlucky by drops out;
intervals are of the mean of these differences (training/evaluation/statistics.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from echotorrent_core.errors import InputError

from ..evaluation.evaluate import Evaluation
from ..evaluation.statistics import Interval, interval
from ..files import replace_text
from . import charts
from .rows import COLUMNS, FULL, ROWS

RESULT = "result.json"
CURVES = {
    "sync": "sync (correlation)",
    "identity": "identity (cosine)",
    "colour": "colour change, 0..255",
    "sharpness": "sharpness / portrait's",
}
DRIFTS = {
    "sync_last": "sync, last fifth",
    "identity_drift": "identity",
    "colour_drift": "colour, 0..255",
    "sharpness_drift": "sharpness",
    "motion_drift": "motion",
}
SHORT = {
    "sync": "sync",
    "closures": "closures hit",
    "spread": "spread",
    "sharpness": "sharpness",
    "identity": "identity",
}
TINY = 1e-9


@dataclass(frozen=True)
class Results:
    """What is known of a row: its evaluation of every seed, the keys they were made under, and what it cost."""

    evaluations: dict[int, Evaluation]
    keys: dict[int, str]
    seconds: float

    def values(self, kind: str, name: str, seeds: Sequence[int]) -> np.ndarray:
        """(S, C): a value per seed and clip (`clips`) or stream (`streams`)."""
        return np.array([getattr(self.evaluations[seed], kind)[name] for seed in seeds], np.float64)


def read_results(out: Path) -> dict[str, Results]:
    """The finished rows. InputError if the full one is not among them."""
    found: dict[str, Results] = {}
    for name in ROWS:
        paths = sorted((out / name).glob(f"seed-*/{RESULT}"))
        read = {path: json.loads(path.read_text(encoding="utf-8")) for path in paths}
        if read:
            found[name] = Results(
                {data["seed"]: Evaluation.load(path.parent / data["evaluation"]) for path, data in read.items()},
                {data["seed"]: data["key"] for data in read.values()},
                float(np.mean([data["seconds"] for data in read.values()])),
            )
    if FULL not in found:
        raise InputError(f"{out}: holds no result of the row '{FULL}', which the others are held against; run it first")
    return found


def write_result(out: Path, row: str, seed: int, key: str, evaluation: Path, seconds: float) -> None:
    """A row's result of one seed; evaluation: the file of figures, anywhere below `out`."""
    folder = out / row / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    above = Path(*[".."] * len(folder.relative_to(out).parts))
    data = {"row": row, "seed": seed, "key": key, "seconds": round(seconds, 1)}
    data["evaluation"] = (above / evaluation.relative_to(out)).as_posix()
    replace_text(folder / RESULT, json.dumps(data, indent=1) + "\n")


# Differences to the full row


def difference(results: Mapping[str, Results], row: str, kind: str, name: str) -> Interval:
    """Of the row minus the full one, over the seeds that both have."""
    seeds = sorted(results[row].evaluations.keys() & results[FULL].evaluations.keys())
    a, b = (results[one].values(kind, name, seeds) for one in (row, FULL))
    return interval(a - b)


def same(results: Mapping[str, Results], row: str) -> bool:
    """Whether the row is, by its configuration, the full one."""
    return row != FULL and results[row].keys.items() <= results[FULL].keys.items()


def word(value: float) -> str:
    return "equal" if abs(value) < TINY else "higher" if value > 0 else "lower"


def disagreement(row: str, differences: Mapping[str, Interval]) -> str | None:
    """One sentence on the columns where the sign of a row's difference is not the paper's; None if there is none.

    A column disagrees where the interval leaves 0 out on the other side than the paper's difference, or at all if the
    paper has none; where the paper's sign is not seen and 0 lies inside, it may be chance."""
    printed, full = ROWS[row].paper, ROWS[FULL].paper
    assert printed is not None and full is not None
    settled, doubtful = [], []
    for (name, title), there, base in zip(COLUMNS.items(), printed, full, strict=True):
        here, paper = differences[name], there - base
        differs = abs(paper) > TINY
        if here.settled and (here.mean * paper < 0 or not differs):
            by = f"{word(here.mean)} by {abs(here.mean):.3f} [{shown(here)}]"
            settled.append(f"{title} (paper: {word(paper)}, here: {by})")
        elif differs and here.mean * paper <= 0:
            doubtful.append(title)
    unseen = f"the paper's sign is not seen in {', '.join(doubtful)}, which may be chance"
    if settled:
        more = f"; {unseen}" if doubtful else ""
        return f"**{ROWS[row].title}** disagrees in {', '.join(settled)}{more}."
    return f"**{ROWS[row].title}**: {unseen}." if doubtful else None


# The page


def shown(found: Interval) -> str:
    return f"{found.low:+.3f}, {found.high:+.3f}"


def page(results: Mapping[str, Results], command: str = "") -> str:
    """The whole of docs/ablations.md."""
    full = results[FULL]
    first = next(iter(full.evaluations.values()))
    settings = first.facts["settings"]
    seeds = len(full.evaluations)
    minutes = max(found.seconds for found in results.values()) / 60
    parts = [
        "# Ablations",
        f"Written by `python -m training.ablate{command}`; the figures are its results' and no hand's. "
        f"Preset `{first.facts.get('preset', '')}`, {seeds} seeds, {settings['people']} streams of "
        f"{settings['seconds']:g} s and {settings['clips']} short clips of people and voices that nothing was trained "
        f"on, the same for all rows. A row costs up to {minutes:.0f} minutes on one core beside the stages that all "
        "share.",
        "The columns stand for the paper's (Table 2): sync for Sync-C, quality for IQA, identity for ID, confidence "
        "for HA, background for BC; `training/evaluation/measures.py` says what each is. Higher is better in all of "
        "them. They are read by a reader that knows the procedural corpus only; sizes of differences do not compare "
        "with the paper's, signs may.",
        "## Long streams",
        table(("Row", *COLUMNS, "seeds"), [absolute(results, name) for name in results]),
        "## Differences to the full model",
        "Row minus EchoTorrent, paired by seed and person, with 95 % intervals; bold where 0 lies outside. Arrows are "
        "the paper's signs.",
        table(
            ("Row", *COLUMNS), [relative(results, name, "streams", tuple(COLUMNS)) for name in results if name != FULL]
        ),
        "## Disagreements with the paper",
        disagreements(results),
        "## Drift",
        "Last fifth of a stream against its first: the full model's own, and the others' differences to it.",
        table(("Row", *DRIFTS.values()), [drifted(results, name, "streams", tuple(DRIFTS)) for name in results]),
        "![Rows of the paper over time](ablations.svg)",
        "![Our settings over time](ablations_ours.svg)",
        "## Short clips",
        "The full model's own, the true frames' (what the reader leaves of a perfect video), and differences.",
        table(("Row", *SHORT.values()), short_rows(results)),
        "## What the rows are",
        "\n".join(f"- **{ROWS[name].title}** (`{name}`): {ROWS[name].about}." for name in results),
    ]
    return "\n\n".join(parts) + "\n"


def disagreements(results: Mapping[str, Results]) -> str:
    rows = [name for name in results if ROWS[name].paper and name != FULL]
    found = []
    for name in rows:
        differences = {column: difference(results, name, "streams", column) for column in COLUMNS}
        if sentence := disagreement(name, differences):
            found.append(f"- {sentence}")
    return "\n".join(found) if found else f"None of the {len(rows)} rows disagrees in sign."


def absolute(results: Mapping[str, Results], name: str) -> list[str]:
    """A row of means with half their intervals."""
    found = results[name]
    seeds = sorted(found.evaluations)
    cells = [interval(found.values("streams", column, seeds)) for column in COLUMNS]
    return [title(results, name), *(f"{c.mean:.3f} ± {c.high - c.mean:.3f}" for c in cells), str(len(seeds))]


def relative(results: Mapping[str, Results], name: str, kind: str, columns: Sequence[str]) -> list[str]:
    """A row of differences to the full one."""
    printed, full = ROWS[name].paper, ROWS[FULL].paper
    cells = []
    for i, column in enumerate(columns):
        here = difference(results, name, kind, column)
        text = f"{here.mean:+.3f} [{shown(here)}]"
        arrow = ""
        if kind == "streams" and printed and full and column in COLUMNS:
            arrow = {"lower": " ↓", "equal": " =", "higher": " ↑"}[word(printed[i] - full[i])]
        cells.append((f"**{text}**" if here.settled else text) + arrow)
    return [title(results, name), *cells]


def drifted(results: Mapping[str, Results], name: str, kind: str, columns: Sequence[str]) -> list[str]:
    if name != FULL:
        return relative(results, name, kind, columns)
    found = results[name]
    cells = [interval(found.values(kind, column, sorted(found.evaluations))) for column in columns]
    return [title(results, name), *(f"{c.mean:.3f} [{shown(c)}]" for c in cells)]


def short_rows(results: Mapping[str, Results]) -> list[list[str]]:
    full = results[FULL]
    true = next(iter(full.evaluations.values())).truth
    truth = ["true frames", *(f"{interval([true[column]]).mean:.3f}" for column in SHORT)]
    rows = [drifted(results, name, "clips", tuple(SHORT)) for name in results]
    return [rows[0], truth, *rows[1:]]


def title(results: Mapping[str, Results], name: str) -> str:
    return ROWS[name].title + (" (here the full one)" if same(results, name) else "")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# Curves


def write_report(out: Path, docs: Path, command: str = "") -> Path:
    """docs/ablations.md and its pictures. InputError if there are no results."""
    results = read_results(out)
    docs.mkdir(parents=True, exist_ok=True)
    papers = [name for name in results if ROWS[name].paper]
    ours = [FULL, *(name for name in results if not ROWS[name].paper and not same(results, name))]
    files = {
        "ablations.md": page(results, command),
        "ablations.svg": pictures(results, papers),
        "ablations_ours.svg": pictures(results, ours),
    }
    for name, text in files.items():
        replace_text(docs / name, text)
    return docs / "ablations.md"


def pictures(results: Mapping[str, Results], rows: Sequence[str]) -> str:
    """Means over seeds and people."""
    seconds = float(next(iter(results[FULL].evaluations.values())).facts["settings"]["seconds"])

    def mean(row: str, name: str) -> list[float]:
        curves = [one.curves[name] for one in results[row].evaluations.values()]
        return np.asarray(curves, np.float64).mean(axis=(0, 1)).tolist()

    panels = {label: {ROWS[row].title: mean(row, name) for row in rows} for name, label in CURVES.items()}
    return charts.picture(panels, seconds)
