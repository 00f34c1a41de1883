"""Samplers: from one level to the next, given a clean estimate. Same objects in training and inference."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

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


class UniPC:
    """Second-order multistep predictor-corrector, variant B2 in x0 space (Zhao et al., 2023; Wan's default). On a
    straight path each of its updates is an Euler step with a bettered estimate.

    Remembers the last estimates: one object serves one chain of levels.
    """

    def __init__(self) -> None:
        self.x: Tensor | None = None  # at the last level
        self.past: list[tuple[float, Tensor]] = []  # (sigma, x0) of the last two levels, newest last

    def __call__(self, x: Tensor, x0: Tensor, sigma: float, sigma_next: float, generator: torch.Generator) -> Tensor:
        if self.x is not None:
            x = unipc_correct(self.x, self.past, sigma, x0)
        self.x, self.past = x, [*self.past[-1:], (sigma, x0)]
        return unipc_predict(x, self.past, sigma_next)


def unipc_predict(x: Tensor, past: Sequence[tuple[float, Tensor]], sigma_next: float) -> Tensor:
    """UniP: x at the newest level of `past` (one or two estimates, newest last) brought to sigma_next."""
    sigma, x0 = past[-1]
    if len(past) > 1 and sigma_next > 0:  # the log-SNR at 0 is infinite: the last step is of first order
        x0 = x0 + _slope(past, _log_snr(sigma_next) - _log_snr(sigma)) / 2
    return flow.euler(x, x0, sigma, sigma_next)


def unipc_correct(x: Tensor, past: Sequence[tuple[float, Tensor]], sigma_next: float, x0_next: Tensor) -> Tensor:
    """UniC: the same step again, now that the estimate at its end, x0_next, is known too."""
    sigma, x0 = past[-1]
    if len(past) == 1:
        return flow.euler(x, (x0 + x0_next) / 2, sigma, sigma_next)
    h = _log_snr(sigma_next) - _log_snr(sigma)
    ratio = (_log_snr(past[-2][0]) - _log_snr(sigma)) / h
    # Weights rho of the two differences, R rho = b of the paper with hh = -h.
    phi = math.expm1(-h)
    b1 = -1 / h - 1 / phi
    b2 = 2 * (1 / h**2 + 1 / (h * phi) - 1 / (2 * phi))
    rho = (b2 - b1) / (ratio - 1)
    return flow.euler(x, x0 + rho * _slope(past, h) + (b1 - rho) * (x0_next - x0), sigma, sigma_next)


def _log_snr(sigma: float) -> float:
    """lambda = log((1 - s) / s)."""
    return math.log((1 - sigma) / sigma) if sigma < 1 else -math.inf


def _slope(past: Sequence[tuple[float, Tensor]], h: float) -> Tensor:
    """Change of the estimate over a step of h in log-SNR, as between the two last levels."""
    (earlier, x0_earlier), (sigma, x0) = past
    return (x0_earlier - x0) * (h / (_log_snr(earlier) - _log_snr(sigma)))


SAMPLERS: dict[str, Step] = {"renoise": renoise_step, "euler": euler_step}


def new_step(name: str) -> Step:
    """The sampler called `name`, for one chain of levels. KeyError for a name that is none."""
    return UniPC() if name == "unipc" else SAMPLERS[name]


def denoise(
    estimate: Callable[[Tensor, float, int], Tensor],
    noise: Tensor,
    sigmas: tuple[float, ...],
    step: Step,
    generator: torch.Generator,
    on_step: Callable[[int], None] | None = None,
    lead: Tensor | None = None,
) -> Tensor:
    """Run the chain of levels. `estimate(x, sigma, i)` returns x0 (B, C, T, H, W) at step i.

    lead: clean latents (B, C, t, H, W) that the first ones are pinned to at every step and in the result."""

    def pinned(x: Tensor) -> Tensor:
        return x if lead is None else torch.cat([lead, x[:, :, lead.shape[2] :]], dim=2)

    x = pinned(noise)
    for i, (sigma, sigma_next) in enumerate(zip(sigmas, (*sigmas[1:], 0.0), strict=True)):
        if on_step is not None:
            on_step(i)
        x = pinned(step(x, estimate(x, sigma, i), sigma, sigma_next, generator))
    return x
