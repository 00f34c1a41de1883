"""Numbers of a run: averaged between two log lines and over processes, kept as `metrics.jsonl`."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from echotorrent_core.errors import InputError

from .files import replace_text

FILE = "metrics.jsonl"

Sums = dict[str, list[float]]  # name -> [sum, count]


class Meter:
    """Means of named numbers since the last `take`. A number that is only known at some steps (another branch, an
    update every fifth step) is averaged over those; what is not finite counts as `name/not_finite`."""

    def __init__(self) -> None:
        self.sums: Sums = {}

    def add(self, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            key = name if math.isfinite(value) else f"{name}/not_finite"
            total = self.sums.setdefault(key, [0.0, 0.0])
            total[0] += value if math.isfinite(value) else 1.0
            total[1] += 1.0

    def take(self, gather: Callable[[list[Sums]], list[Sums]] = list) -> dict[str, float]:
        """The means over all processes, whose sums `gather` brings together; begins anew."""
        sums, self.sums = gather([self.sums]), {}
        totals: Sums = {}
        for one in sums:
            for name, (total, count) in one.items():
                kept = totals.setdefault(name, [0.0, 0.0])
                kept[0] += total
                kept[1] += count
        return {name: total / count for name, (total, count) in totals.items()}

    def state(self) -> dict[str, Tensor]:
        return {name: torch.tensor(sums, dtype=torch.float64) for name, sums in self.sums.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.sums = {name: sums.tolist() for name, sums in state.items()}


def write_metrics(folder: Path, step: int, metrics: dict[str, float]) -> None:
    """Append one line: step, time and the numbers. InputError if there is no room."""
    try:
        with open(folder / FILE, "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "time": round(time.time(), 1)} | metrics) + "\n")
    except OSError as error:
        raise InputError(
            f"{folder / FILE}: cannot be written ({error.strerror}); make room and start again, it goes on from the "
            "newest checkpoint"
        ) from error


def read_metrics(folder: Path) -> Iterator[dict[str, float]]:
    """The logged metrics of a run, in order. A last line that a kill cut off is left out."""
    with open(folder / FILE, encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)


def rewind_metrics(folder: Path, step: int) -> None:
    """Forget the lines after `step`: a run that goes on from there will write them again."""
    if (folder / FILE).exists():
        kept: Iterable[dict[str, float]] = [line for line in read_metrics(folder) if line["step"] <= step]
        replace_text(folder / FILE, "".join(json.dumps(line) + "\n" for line in kept))
