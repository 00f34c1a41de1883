"""Noise schedules: descending sigmas without the final 0, as `StreamConfig.sigmas` holds them. Pure functions of
floats, so that a preset may name one without importing torch.
"""

from __future__ import annotations

import math

GRID = 1000  # levels the published models were trained on


def shift(u: float, k: float) -> float:
    """Timestep shift s = k u / (1 + (k - 1) u) (SD3, Wan)."""
    return k * u / (1 + (k - 1) * u)


def warped(levels: tuple[float, ...], k: float) -> tuple[float, ...]:
    """Levels of a step-distilled student, shifted: (1, .75, .5, .25) at k = 5 is 1, .9375, .8333, .625 (LightX2V)."""
    return tuple(shift(u, k) for u in levels)


def infinitetalk(steps: int, k: float) -> tuple[float, ...]:
    """Evenly spaced from 1 to 1 / 1000, shifted. The last level is near k / 1000, so `steps` steps do the work of one
    less (InfiniteTalk)."""
    return warped(tuple(1 - i / (steps - 1) * (1 - 1 / GRID) for i in range(steps)), k) if steps > 1 else (1.0,)


def wan(steps: int, k: float) -> tuple[float, ...]:
    """Evenly spaced from 1, the final 0 left out, shifted (Wan's `get_sampling_sigmas`)."""
    return warped(tuple(1 - i / steps for i in range(steps)), k)


def unipc(steps: int, k: float) -> tuple[float, ...]:
    """As `wan`, but from 999 / 1000: UniPC takes the logarithm of 1 - sigma (Wan's default sampler)."""
    return warped(tuple((1 - 1 / GRID) * (1 - i / steps) for i in range(steps)), k)


def on_grid(sigmas: tuple[float, ...]) -> tuple[float, ...]:
    """The levels the network is told where a sampler asks it at whole timesteps, rounded down (Wan's UniPC)."""
    return tuple(math.floor(GRID * sigma) / GRID for sigma in sigmas)
