"""Causal initialisation by consistency distillation, without stored trajectories (Causal-Forcing++).

On a grid s_0 > ... > s_N = 0, the same level for all latents of a sample, f the clean estimate:

    x_i   = (1 - s_i) x0 + s_i e                          x0 real
    x_i+1 = one Euler step of the guided teacher from x_i
    loss  = | f_student(x_i) - sg f_target(x_i+1) |^2     target: an average of the student
    f(x, 0) = x                                           boundary condition

Teacher and student read the clean past (`clean`, an AR teacher of `sft`), or what a `per_step` cache shows (`noisy`).
Where the network predicts the velocity, the boundary condition holds by itself and the grid's last step hardly matters;
where it predicts a residual to the reference, that step is all that ties f to the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from echotorrent_core import flow, schedules
from echotorrent_core.config import EngineConfig

from ..conditions import chunks_of, draw_sink, guided
from ..denoiser import Denoiser
from ..loop import Batch, StepResult
from ..optim import adamw
from ..roles import Role, ema_of
from ..weighting import by_level, channel_weights, error_weights


@dataclass(frozen=True)
class CausalCDConfig:
    """Numbers of Causal-Forcing++. `steps`, `shift`: the grid; `guidance`: the teacher's audio scale (w convention);
    `target`: decay of the target's average; `mouth`, `first_as_sink`: as in `SFTConfig`."""

    lr: float = 2e-6
    target: float = 0.99
    steps: int = 48
    shift: float = 5.0
    guidance: float = 3.0
    context: Literal["clean", "noisy"] = "clean"
    mouth: float = 0.0
    first_as_sink: float = 0.5


class CausalCD:
    """The method. `real` is the teacher; `target` follows the student and is part of every checkpoint."""

    def __init__(
        self,
        config: EngineConfig,
        student: Denoiser,
        real: Denoiser,
        settings: CausalCDConfig,
        channel_scale: Tensor | None = None,
    ):
        self.config, self.settings = config, settings
        role = Role(student, trainable=True)
        self.roles = {"student": role, "real": Role(real), "target": ema_of("student", role, settings.target)}
        self.grid = torch.tensor((*schedules.wan(settings.steps, settings.shift), 0.0))
        self.channels = channel_weights(config.vae.z_dim, channel_scale)

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        return {"student": adamw(self.roles["student"].module, self.settings.lr)}

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        s, latents = self.settings, batch["latents"]
        size, _, length = latents.shape[:3]
        chunks_of(length, self.config)
        index = torch.randint(0, s.steps, (size,), generator=generator)
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        sink = draw_sink(batch, s.first_as_sink, generator)
        sigma, sigma_next = (levels.to(latents.device) for levels in (self.grid[index], self.grid[index + 1]))
        clean = latents if s.context == "clean" else None

        def f(role: str, x: Tensor, level: Tensor, scale: float = 1.0) -> Tensor:
            levels = level[:, None].expand(size, length)
            return guided(self.roles[role].module, self.config, x, levels, sink, batch, scale, clean)

        x = flow.add_noise(latents, noise, sigma)
        with torch.no_grad():
            x_next = self.euler(x, f("real", x, sigma, s.guidance), sigma, sigma_next)
            target = f("target", x_next, sigma_next)
            target = torch.where(flow.expand(sigma_next, x) > 0, target, x_next)
        error = F.mse_loss(f("student", x, sigma), target, reduction="none")
        loss = (error_weights(batch["mask"], s.mouth, self.channels) * error).mean()
        return StepResult({"student": loss}, by_level(error.mean((1, 2, 3, 4)), sigma, "consistency"))

    @staticmethod
    def euler(x: Tensor, x0: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
        """`flow.euler` with a level per sample (B,)."""
        return flow.euler(x, x0, flow.expand(sigma, x), flow.expand(sigma_next, x))
