"""Supervised flow training of a trunk, on whole sequences of chunks or on the windows a teacher will judge.

All chunks of a clip go through one pass (`SequenceContext`), each reading the sink and its window of earlier chunks
at the same noise level, which is what a `per_step` cache shows at inference. Some samples draw a level per chunk
(diffusion forcing), so that other cache policies work too. Settings turn this into

- the teacher of short chunks (paper 3.2): `window` latents of L_AR, everything reading everything;
- the AR teacher of causal initialisation (Causal-Forcing): `context: clean`, teacher forcing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from echotorrent_core import flow
from echotorrent_core.config import EngineConfig

from ..conditions import chunks_of, draw_sink, without_text
from ..denoiser import Denoiser, teacher_config
from ..error_bank import ErrorBank
from ..loop import Batch, StepResult
from ..optim import adamw, muon_adamw
from ..roles import Role, ema_of
from ..weighting import channel_weights, error_weights


@dataclass(frozen=True)
class SFTConfig:
    """Learning rates of AdamW, and of Muon for matrices, from scratch; `muon_lr` 0 tunes with AdamW alone.

    `pure_noise`: share of samples at sigma 1, the others logit-normal(mean, std), whose mean is log k for a timestep
    shift of k; `per_chunk`: share of samples with a level per chunk; `mouth`: extra loss weight inside the mouth mask;
    `drop_audio`, `drop_text`: shares of samples without; `first_as_sink`: share whose sink is the clip's first latent
    instead of the reference.

    window: latents of a bidirectional teacher's window (L_AR); 0 trains the stream's own policies.
    context: what earlier chunks are read as, `noisy` (as a `per_step` cache shows) or `clean` (teacher forcing).
    pinned: latents at a window's start (of a stream: a sequence's) that are given clean, in a share `pin` of samples,
    and have no loss; they are what a clean score window or window mode shows of the chunk before.
    loss: squared error of the clean estimate, or of the velocity (flow matching).
    errors: residuals in the error bank (0: none), which change given and clean latents in a share `error_share`.
    """

    lr: float = 1e-3
    muon_lr: float = 6e-3
    ema: float = 0.996
    pure_noise: float = 0.4
    mean: float = 0.6
    std: float = 1.2
    per_chunk: float = 0.2
    mouth: float = 6.0
    drop_audio: float = 0.05
    drop_text: float = 0.0
    first_as_sink: float = 0.5
    window: int = 0
    context: Literal["noisy", "clean"] = "noisy"
    pinned: int = 0
    pin: float = 1.0
    loss: Literal["x0", "velocity"] = "x0"
    errors: int = 0
    error_share: float = 0.5

    def __post_init__(self) -> None:
        if self.window and self.context == "clean":
            raise ValueError("a bidirectional window has no earlier chunks: set window: 0 or context: noisy")
        if self.window and self.pinned >= self.window:
            raise ValueError(f"all {self.window} latents of a window would be pinned; expected fewer than the window")
        if self.errors and not self.pinned and self.context == "noisy":
            raise ValueError("the error bank changes given latents: set pinned, or context: clean, or errors: 0")


class SFT:
    """The method. Batches come from `training.data.features.FeatureData`; a sequence may hold several windows."""

    def __init__(
        self, config: EngineConfig, student: Denoiser, settings: SFTConfig, channel_scale: Tensor | None = None
    ):
        self.config = teacher_config(config, settings.window) if settings.window else config
        self.settings = settings
        role = Role(student, trainable=True)
        self.roles = {"student": role, "ema": ema_of("student", role, settings.ema)}
        self.channels = channel_weights(config.vae.z_dim, channel_scale)
        self.bank = ErrorBank(settings.errors) if settings.errors else None

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        if not self.settings.muon_lr:
            return {"student": adamw(self.roles["student"].module, self.settings.lr)}
        exclude = ("trunk.head", "trunk.text_embedding", "trunk.time_embedding", "text.")
        return {"student": muon_adamw(self.roles["student"].module, self.settings.lr, self.settings.muon_lr, exclude)}

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def state(self) -> dict[str, Tensor]:
        return {} if self.bank is None else self.bank.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        if self.bank is not None:
            self.bank.load_state(state)

    def levels(self, batch: int, latents: int, generator: torch.Generator) -> Tensor:
        """Noise levels (B, T): one per sample, or one per chunk for a share of the samples."""
        s, chunks = self.settings, chunks_of(latents, self.config)
        drawn = torch.sigmoid(torch.randn(batch, chunks, generator=generator) * s.std + s.mean)
        drawn = torch.where(torch.rand(batch, chunks, generator=generator) < s.pure_noise, 1.0, drawn)
        same = torch.rand(batch, 1, generator=generator) >= s.per_chunk
        return torch.where(same, drawn[:, :1], drawn).repeat_interleave(latents // chunks, dim=1)

    def given(self, batch: int, latents: int, generator: torch.Generator) -> Tensor:
        """Which latents (B, T) are given clean."""
        s = self.settings
        if not s.pinned:
            return torch.zeros(batch, latents, dtype=torch.bool)
        leading = torch.arange(latents) % (s.window or latents) < s.pinned
        return leading & (torch.rand(batch, 1, generator=generator) < s.pin)

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        s, latents, reference, first = self.settings, batch["latents"], batch["reference"], bool(batch["first"])
        size, length = latents.shape[0], latents.shape[2]
        sigma = self.levels(size, length, generator).to(latents.device)
        noise = torch.randn(latents.shape, generator=generator).to(latents.device)
        keep = (torch.rand(size, 1, 1, generator=generator) >= s.drop_audio).to(latents)
        sink = draw_sink(batch, s.first_as_sink, generator)
        conditions = batch | {"features": batch["features"] * keep}
        if s.drop_text:
            untold = torch.rand(size, generator=generator) < s.drop_text
            conditions = without_text(conditions, untold.to(latents.device))
        given = self.given(size, length, generator).to(latents.device)
        context = latents
        if self.bank is not None:
            context = latents + self.bank.draw(latents, self.config.stream.chunk_latents, s.error_share, generator)

        pure = (sigma[:, 0] > 0.99).float()
        sigma = torch.where(given, 0.0, sigma)
        pinned = flow.expand(given, latents)
        noisy = torch.where(pinned > 0, context, flow.add_noise(latents, noise, sigma))
        clean = context if s.context == "clean" else None
        student = self.roles["student"].module
        estimate = student(self.config, noisy, sigma, reference, sink, conditions, first, clean=clean).float()
        if self.bank is not None:
            self.bank.add(self._one_each(estimate - latents, given, generator))

        weight = error_weights(batch["mask"], s.mouth, self.channels) * (1 - pinned)
        error = F.mse_loss(estimate, latents.float(), reduction="none")
        # v^ - v = (x0 - x0^) / s
        scale = 1.0 if s.loss == "x0" else flow.expand(sigma, latents).clamp_min(1e-3) ** -2
        loss = (scale * weight * error).mean() / (1 - pinned).mean()
        mouth = (batch["mask"] * error).mean(dim=(1, 2, 3, 4)) / batch["mask"].mean(dim=(1, 2, 3, 4)).clamp_min(1e-4)
        return StepResult(
            {"student": loss},
            {
                "x0_error": float(((1 - pinned) * error.detach()).mean() / (1 - pinned).mean()),
                "mouth_error_pure_noise": float((mouth.detach() * pure).sum() / pure.sum().clamp_min(1)),
            },
        )

    @staticmethod
    def _one_each(residual: Tensor, given: Tensor, generator: torch.Generator) -> Tensor:
        """One latent per sample (B, C, h, w), drawn among those that were not given."""
        chance = torch.rand(given.shape, generator=generator).to(given.device).masked_fill(given, -1.0)
        return residual[torch.arange(len(residual)), :, chance.argmax(dim=1)]
