"""Timing of a stream, from the wall time each chunk took. Seconds throughout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Seconds = Sequence[float] | np.ndarray


def real_time_factor(video: float, wall: float) -> float:
    """Seconds of video made per second of wall time; above 1 is faster than real time."""
    return video / wall


def percentile(seconds: Seconds, share: float) -> float:
    """The value that `share` (0..1) of the chunks stay below."""
    return float(np.quantile(np.asarray(seconds, np.float64), share))


def ready_times(heard: Seconds, compute: Seconds) -> np.ndarray:
    """When each chunk is ready in a live stream: it starts once its sound was heard (`heard`, since the start of the
    sound) and the chunk before is done, and takes `compute`."""
    ready, before = [], 0.0
    for arrival, cost in zip(heard, compute, strict=True):
        before = max(arrival, before) + cost
        ready.append(before)
    return np.array(ready)


def playback_delay(ready: Seconds, durations: Seconds) -> float:
    """The least delay between sound in and picture out at which a player never waits: chunk i, whose picture belongs
    to the time after the durations before it, must be ready by then."""
    due = np.concatenate([[0.0], np.cumsum(durations)[:-1]])
    return float(np.max(np.asarray(ready) - due))


def flatness(seconds: Seconds, blocks: int = 10) -> float:
    """Largest deviation from 1 of a block's median cost, relative to the median of all; 0 is a flat cost.

    Medians, so that single chunks disturbed by other programs do not count.
    """
    values = np.asarray(seconds, np.float64)
    if len(values) < blocks:
        raise ValueError(f"{len(values)} chunks cannot be split into {blocks} blocks")
    medians = np.array([np.median(part) for part in np.array_split(values, blocks)])
    return float(np.abs(medians / np.median(values) - 1).max())


def trend(seconds: Seconds) -> float:
    """Relative change of the cost from the first to the last chunk, along the Theil-Sen line through block medians."""
    values = np.asarray(seconds, np.float64)
    blocks = min(len(values), 60)
    y = np.array([np.median(part) for part in np.array_split(values, blocks)])
    i, j = np.triu_indices(blocks, 1)
    slope = np.median((y[j] - y[i]) / (j - i))
    return float(slope * (blocks - 1) / np.median(y))


def paired_ratio(a: np.ndarray, b: np.ndarray, draws: int = 2000) -> np.ndarray:
    """Cost of a against b, measured in turns: median of the pairs' ratios with its 95 % interval (bootstrap).

    a, b: (pairs, ...) seconds. Returns (..., 3): median, low, high.
    """
    ratios = np.asarray(a, np.float64) / np.asarray(b, np.float64)
    picks = np.random.default_rng(0).integers(0, len(ratios), (draws, len(ratios)))
    low, high = np.quantile(np.median(ratios[picks], axis=1), (0.025, 0.975), axis=0)
    return np.stack([np.median(ratios, axis=0), low, high], axis=-1)
