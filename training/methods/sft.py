"""Supervised flow training of a trunk on whole sequences of chunks, under the policies it will stream with.

All chunks of a clip go through one pass (`SequenceContext`), each reading the sink and its window of earlier chunks
at the same noise level, which is what a `per_step` cache shows at inference. Some samples draw a level per chunk
(diffusion forcing), so that other cache policies work too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from echotorrent_core import flow
from echotorrent_core.config import EngineConfig

from ..denoiser import Denoiser
from ..loop import Batch, StepResult
from ..optim import muon_adamw
from ..roles import Role, ema_of


@dataclass(frozen=True)
class SFTConfig:
    """Learning rates; `pure_noise`: share of samples at sigma 1, the others logit-normal(mean, std); `per_chunk`:
    share of samples with a level per chunk; `mouth`: extra loss weight inside the mouth mask; dropout of audio."""

    lr: float = 1e-3
    muon_lr: float = 6e-3
    ema: float = 0.996
    pure_noise: float = 0.4
    mean: float = 0.6
    std: float = 1.2
    per_chunk: float = 0.2
    mouth: float = 6.0
    drop_audio: float = 0.05
    first_as_sink: float = 0.5


class SFT:
    """The method. Batches come from `training.data.features.FeatureData`."""

    def __init__(
        self, config: EngineConfig, student: Denoiser, settings: SFTConfig, channel_weights: Tensor | None = None
    ):
        self.config, self.settings = config, settings
        role = Role(student, trainable=True)
        self.roles = {"student": role, "ema": ema_of("student", role, settings.ema)}
        weights = torch.ones(config.vae.z_dim) if channel_weights is None else channel_weights
        self.channel_weights = (weights / weights.mean()).reshape(1, -1, 1, 1, 1)

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        exclude = ("trunk.head", "trunk.text_embedding", "trunk.time_embedding", "text.")
        return {"student": muon_adamw(self.roles["student"].module, self.settings.lr, self.settings.muon_lr, exclude)}

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def levels(self, batch: int, latents: int, generator: torch.Generator) -> Tensor:
        """Noise levels (B, T): one per sample, or one per chunk for a share of the samples."""
        s, chunk = self.settings, self.config.stream.chunk_latents
        chunks = latents // chunk
        drawn = torch.sigmoid(torch.randn(batch, chunks, generator=generator) * s.std + s.mean)
        drawn = torch.where(torch.rand(batch, chunks, generator=generator) < s.pure_noise, 1.0, drawn)
        same = torch.rand(batch, 1, generator=generator) >= s.per_chunk
        return torch.where(same, drawn[:, :1], drawn).repeat_interleave(chunk, dim=1)

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        latents, reference, first = batch["latents"], batch["reference"], bool(batch["first"])
        size = latents.shape[0]
        sigma = self.levels(size, latents.shape[2], generator).to(latents.device)
        noise = torch.randn(latents.shape, generator=generator).to(latents.device)
        keep = (torch.rand(size, 1, 1, generator=generator) >= self.settings.drop_audio).to(latents)
        as_sink = (torch.rand(size, 1, 1, 1, 1, generator=generator) < self.settings.first_as_sink).to(latents.device)
        sink = torch.where(as_sink, batch["first_latent"], reference)
        estimate = self.roles["student"].module(
            self.config,
            flow.add_noise(latents, noise, sigma),
            sigma,
            reference,
            sink,
            batch | {"features": batch["features"] * keep},
            first,
        )
        weight = (1 + self.settings.mouth * batch["mask"]) * self.channel_weights.to(latents)
        error = F.mse_loss(estimate.float(), latents.float(), reduction="none")
        loss = (weight * error).mean()
        high = (sigma[:, :1] > 0.99).float().reshape(-1, 1, 1, 1, 1)
        mouth = (batch["mask"] * error).mean(dim=(1, 2, 3, 4)) / batch["mask"].mean(dim=(1, 2, 3, 4)).clamp_min(1e-4)
        rows = high.flatten()
        return StepResult(
            {"student": loss},
            {
                "x0_error": float(error.detach().mean()),
                "mouth_error_pure_noise": float((mouth.detach() * rows).sum() / rows.sum().clamp_min(1)),
            },
        )
