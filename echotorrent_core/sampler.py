"""Samplers: from one level to the next, given a clean estimate. Same objects in training and inference."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from . import flow

Step = Callable[[Tensor, Tensor, float, float, torch.Generator], Tensor]


def renoise_step(x: Tensor, x0: Tensor, sigma: float, sigma_next: float, generator: torch.Generator) -> Tensor:
    """Consistency sampling: fresh noise at every level (paper Alg. 2 line 7, Self-Forcing)."""
    if sigma_next == 0:
        return x0
    noise = torch.randn(x0.shape, generator=generator, device=generator.device).to(x0)
    return flow.renoise(x0, noise, sigma_next)


def euler_step(x: Tensor, x0: Tensor, sigma: float, sigma_next: float, generator: torch.Generator) -> Tensor:
    """Deterministic ODE step (Live Avatar)."""
    return flow.euler(x, x0, sigma, sigma_next)


SAMPLERS: dict[str, Step] = {"renoise": renoise_step, "euler": euler_step}


def denoise(
    estimate: Callable[[Tensor, float, int], Tensor],
    noise: Tensor,
    sigmas: tuple[float, ...],
    step: Step,
    generator: torch.Generator,
    on_step: Callable[[int], None] | None = None,
) -> Tensor:
    """Run the chain of levels. `estimate(x, sigma, i)` returns x0 (B, C, T, H, W) at step i."""
    x = noise
    for i, (sigma, sigma_next) in enumerate(zip(sigmas, (*sigmas[1:], 0.0), strict=True)):
        if on_step is not None:
            on_step(i)
        x = step(x, estimate(x, sigma, i), sigma, sigma_next, generator)
    return x
