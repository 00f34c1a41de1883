"""Lip sync: how well a mouth track read from pixels follows the true one.

A track is (F,) float, one value per video frame; `found` is read from the video, `truth` belongs to the sound. Clips
are lists of tracks. Values that do not exist (a clip whose mouth never moves has no correlation) are NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Track = np.ndarray
Tracks = Sequence[np.ndarray]
STILL = 0.01  # standard deviation below which a track counts as not moving
CLOSED = 0.15  # openness below which lips count as touching


def correlation(found: Track, truth: Track) -> float:
    """Pearson correlation; NaN when one of the tracks does not move."""
    a, b = _pair(found, truth)
    if len(a) < 2 or a.std() < STILL or b.std() < STILL:
        return float("nan")
    return float(np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std()))


def pooled(found: Tracks, truth: Tracks) -> float:
    """Correlation over the frames of all clips at once: also asks for the right level in each clip."""
    return correlation(*_join(found, truth))


def per_clip(found: Tracks, truth: Tracks) -> float:
    """Mean of the clips' own correlations, without clips that do not move."""
    values = [correlation(a, b) for a, b in zip(found, truth, strict=True) if np.std(b) >= STILL]
    return float(np.mean(np.nan_to_num(values))) if values else float("nan")  # a frozen mouth scores 0


def shifted(found: Tracks, truth: Tracks, offset: int) -> float:
    """Pooled correlation when the picture is taken `offset` frames later than the sound."""
    head = max(0, offset), max(0, -offset)
    ends = [min(len(a), len(b)) - abs(offset) for a, b in zip(found, truth, strict=True)]
    return pooled(
        [a[head[0] : head[0] + n] for a, n in zip(found, ends, strict=True) if n > 0],
        [b[head[1] : head[1] + n] for b, n in zip(truth, ends, strict=True) if n > 0],
    )


def best_offset(found: Tracks, truth: Tracks, reach: int = 5) -> float:
    """Frames by which the picture lags the sound: the shift within +-reach of the highest pooled correlation."""
    values = np.array([shifted(found, truth, k) for k in range(-reach, reach + 1)])
    return float("nan") if np.isnan(values).all() else float(np.nanargmax(values) - reach)


def shuffled(found: Tracks, truth: Tracks, turns: int = 5) -> float:
    """Control: mean pooled correlation with the sound of other clips (1, 2, ... `turns` places further). About 0."""
    turns = min(turns, len(truth) - 1)
    if turns < 1:
        return float("nan")
    return float(np.mean([pooled(found, _rotated(truth, k)) for k in range(1, turns + 1)]))


def spread_ratio(found: Tracks, truth: Tracks) -> float:
    """Standard deviation of the found track over that of the true one: below 1 means mumbling."""
    a, b = _join(found, truth)
    return float(a.std() / b.std()) if b.std() >= STILL else float("nan")


def closure_hits(found: Tracks, closures: Tracks, below: float = CLOSED, tolerance: int = 1) -> float:
    """Share of closures (runs of flagged frames: p, b, m) that are seen.

    A closure is seen when the openness falls below `below` in at least one frame of the run or within `tolerance`
    frames of it: a short p lasts a single frame, and a picture one frame off is not noticed.
    Compare with `closure_chance`.
    """
    seen = []
    for track, flags in zip(found, closures, strict=True):
        for start, end in runs(flags):
            span = track[max(0, start - tolerance) : end + tolerance]
            if len(span):
                seen.append(bool(span.min() < below))
    return float(np.mean(seen)) if seen else float("nan")


def closure_frames(found: Tracks, closures: Tracks, below: float = CLOSED) -> float:
    """Share of flagged frames whose own openness is below `below`: the strict reading, no tolerance."""
    values, flags = _join(found, closures)
    flags = flags.astype(bool)
    return float(np.mean(values[flags] < below)) if flags.any() else float("nan")


def closure_chance(found: Tracks, closures: Tracks, below: float = CLOSED, tolerance: int = 1) -> float:
    """Control: `closure_hits` against the closures of the next clip, that is how often a closed mouth is luck."""
    return closure_hits(found, _rotated(closures, 1), below, tolerance) if len(closures) > 1 else float("nan")


def runs(flags: Track) -> list[tuple[int, int]]:
    """(start, end) of each run of true values, end excluded."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, bool).astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def bootstrap(
    statistic: Callable[..., float], *columns: Tracks, draws: int = 1000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of statistic(*columns) under redrawing clips with replacement (frames of a clip are not
    independent, clips are). NaN draws are left out."""
    n, rng = len(columns[0]), np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        rows = rng.integers(n, size=n)
        values.append(statistic(*([column[i] for i in rows] for column in columns)))
    values = [v for v in values if np.isfinite(v)]
    if not values:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _rotated(tracks: Tracks, k: int) -> list[np.ndarray]:
    return [tracks[(i + k) % len(tracks)] for i in range(len(tracks))]


def _pair(a: Track, b: Track) -> tuple[np.ndarray, np.ndarray]:
    n = min(len(a), len(b))
    return np.asarray(a[:n], np.float64), np.asarray(b[:n], np.float64)


def _join(a: Tracks, b: Tracks) -> tuple[np.ndarray, np.ndarray]:
    pairs = [_pair(x, y) for x, y in zip(a, b, strict=True)]
    if not pairs:
        return np.zeros(0), np.zeros(0)
    return np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])
