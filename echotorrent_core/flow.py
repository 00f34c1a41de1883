"""Rectified-flow maths in clean (x0) space. Pure functions; `1000 * sigma` happens here and nowhere else.

x_s = (1 - s) x0 + s e, v = e - x0, s in [0, 1] with 1 = pure noise. Levels broadcast over latents: a level of
shape (B,) or (B, T) belongs to a tensor (B, C, T, H, W).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .config import Prediction
from .schedules import shift as shift


def expand(sigma: Tensor, like: Tensor) -> Tensor:
    """Levels (B,) or (B, T) reshaped to broadcast over `like` (B, C, T, H, W)."""
    return sigma.reshape(sigma.shape[0], 1, -1, 1, 1).to(like.dtype)


def add_noise(x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """x_s = (1 - s) x0 + s e."""
    s = expand(sigma, x0)
    return (1 - s) * x0 + s * noise


def velocity(x0: Tensor, noise: Tensor) -> Tensor:
    """v = e - x0, the network target in Wan's sign."""
    return noise - x0


def to_x0(prediction: Tensor, x: Tensor, sigma: Tensor, kind: Prediction, reference: Tensor) -> Tensor:
    """Clean estimate from a network output: x_s - s v, or the reference plus the predicted residual."""
    if kind == "velocity":
        return x - expand(sigma, x) * prediction
    return reference + prediction


def to_velocity(x0: Tensor, x: Tensor, sigma: Tensor, floor: float = 1e-4) -> Tensor:
    """v = (x_s - x0) / s for s > floor."""
    return (x - x0) / expand(sigma, x).clamp_min(floor)


def timestep(sigma: Tensor) -> Tensor:
    """The network's timestep in [0, 1000]."""
    return 1000.0 * sigma


def guide(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance in the w convention: u + w (c - u); w = 1 is the conditional estimate."""
    return unconditional + scale * (conditional - unconditional)


def euler(x: Tensor, x0: Tensor, sigma: float | Tensor, sigma_next: float | Tensor) -> Tensor:
    """One deterministic step from sigma to sigma_next along the straight line through the clean estimate. Levels are
    numbers, or tensors as `expand` gives them."""
    return x0 + (sigma_next / sigma) * (x - x0)


def renoise(x0: Tensor, noise: Tensor, sigma_next: float) -> Tensor:
    """One consistency step: the clean estimate noised afresh to sigma_next."""
    return (1 - sigma_next) * x0 + sigma_next * noise


def sinusoid(t: Tensor, dim: int) -> Tensor:
    """Timestep features [cos, sin], frequencies 10000^(-i / (dim/2)); float64 inside. (...,) -> (..., dim)."""
    half = dim // 2
    freqs = torch.pow(10000.0, -torch.arange(half, dtype=torch.float64, device=t.device) / half)
    angles = t.double()[..., None] * freqs
    return torch.cat([angles.cos(), angles.sin()], dim=-1).float()
