"""Means of figures that vary from seed to seed and from clip to clip, with intervals that know of both."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95


class Interval(NamedTuple):
    """A mean and its confidence interval; NaN where there is none."""

    mean: float
    low: float
    high: float

    @property
    def settled(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0


def interval(values: Any, level: float = LEVEL) -> Interval:
    """Of values (S, C): S seeds that all met the same C clips, both drawn from many.

    Two-way random effects without repetition: the mean's variance is (MS_seed + MS_clip - MS_rest) / (S C), its degrees
    of freedom Satterthwaite's; never below that of the larger of both alone. With one seed, or one clip, the other's.
    Clips without a value for some seed are left out.
    """
    table = np.asarray(values, np.float64)
    if table.ndim != 2:
        raise ValueError(f"values are {table.shape}, expected (seeds, clips)")
    table = table[:, np.isfinite(table).all(axis=0)]
    seeds, clips = table.shape
    if not table.size:
        return Interval(math.nan, math.nan, math.nan)
    mean = float(table.mean())
    by_seed, by_clip = table.mean(axis=1), table.mean(axis=0)
    rest = table - by_seed[:, None] - by_clip[None] + mean
    squares = {
        "seed": (clips * ((by_seed - mean) ** 2).sum(), seeds - 1),
        "clip": (seeds * ((by_clip - mean) ** 2).sum(), clips - 1),
        "rest": ((rest**2).sum(), (seeds - 1) * (clips - 1)),
    }
    means = {name: total / free for name, (total, free) in squares.items() if free}
    if not means:
        return Interval(mean, math.nan, math.nan)
    alone = max(means.get("seed", 0.0), means.get("clip", 0.0))
    both = means.get("seed", 0.0) + means.get("clip", 0.0) - means.get("rest", 0.0)
    if both > alone:
        freedom = both**2 / sum(value**2 / squares[name][1] for name, value in means.items() if value)
    else:
        both, freedom = max((value, squares[name][1]) for name, value in means.items() if name != "rest")
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * math.sqrt(both / table.size)
    return Interval(mean, mean - half, mean + half)
