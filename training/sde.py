"""The flow ODE as an SDE with the same marginals, for reinforcement learning (Flow-GRPO; Flow-SDE).

A step from s to s' < s, d = s' - s < 0, with noise scale g:

    mean = x + v d + g^2 / (2 s) (x + (1 - s) v) d        v = (x - x0) / s
    x'   = mean + std z,  std = g sqrt(-d)

g = 0 is the Euler step. Everything in float32: differences of log-probabilities are small. Levels are numbers, tensors
(N, C, T, h, w).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from echotorrent_core import flow

Scale = Literal["flow", "constant"]


def noise_scale(sigma: float, sigma_next: float, kind: Scale, strength: float) -> float:
    """g: strength * sqrt(s / (1 - s)), whose 1 - s at s = 1 is that of the next level (Flow-GRPO, strength .7), or
    `strength` itself (DanceGRPO, .25 to .3)."""
    if kind == "constant":
        return strength
    return strength * math.sqrt(sigma / (1 - (sigma if sigma < 1 else sigma_next)))


def step(x: Tensor, x0: Tensor, sigma: float, sigma_next: float, g: float) -> tuple[Tensor, float]:
    """Mean and standard deviation of the next point, given the clean estimate x0 at x."""
    x, x0, d = x.float(), x0.float(), sigma_next - sigma
    velocity = (x - x0) / sigma
    drift = g**2 / (2 * sigma) * (x + (1 - sigma) * velocity) * d
    return flow.euler(x, x0, sigma, sigma_next) + drift, g * math.sqrt(-d)


def log_prob(x_next: Tensor, mean: Tensor, std: float) -> Tensor:
    """log N(x_next; mean, std^2), averaged over all but the first dimension: (N,)."""
    distance = ((x_next.float() - mean) / std).square().flatten(1).mean(1)
    return -0.5 * distance - math.log(std) - 0.5 * math.log(2 * math.pi)


def divergence(mean: Tensor, other: Tensor, std: float) -> Tensor:
    """KL divergence of two steps of the same std, averaged like `log_prob`: (N,)."""
    return ((mean - other) / std).square().flatten(1).mean(1) / 2


def sample(mean: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """A next point, drawn from the generator on its own device."""
    return mean + std * torch.randn(mean.shape, generator=generator).to(mean)
