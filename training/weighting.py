"""Weights of squared latent errors: channels by what they are worth in pixels, the mouth more than the rest."""

from __future__ import annotations

import torch
from torch import Tensor

BUCKETS = 4


def channel_weights(channels: int, scale: Tensor | None) -> Tensor:
    """(1, C, 1, 1, 1) with mean 1. scale: the worth of one unit of each channel, None for equal ones."""
    weights = torch.ones(channels) if scale is None else scale
    return (weights / weights.mean()).reshape(1, -1, 1, 1, 1)


def error_weights(mask: Tensor, mouth: float, channels: Tensor) -> Tensor:
    """(B, C, T, h, w): 1 + `mouth` inside the mask (B, 1, T, h, w), times the channels' weights."""
    return (1 + mouth * mask) * channels.to(mask)


def by_level(errors: Tensor, sigma: Tensor, prefix: str) -> dict[str, float]:
    """Means of errors (B,) in quarters of the levels sigma (B,), as metrics `prefix/bucket0` (cleanest) and so on."""
    bucket = (sigma * BUCKETS).long().clamp(0, BUCKETS - 1)
    chosen = {i: errors.detach()[bucket == i] for i in range(BUCKETS)}
    return {f"{prefix}/bucket{i}": float(some.mean()) for i, some in chosen.items() if len(some)}
