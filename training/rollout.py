"""The student's own samples on training clips: what it will feed the decoder, and what later methods correct.

All chunks of a clip are sampled side by side. Under a `per_step` cache that is the stream itself: a chunk reads what
earlier chunks were at the same step, and they are that in the same pass.
"""

from __future__ import annotations

import torch
from torch import Tensor

from echotorrent_core.config import EngineConfig
from echotorrent_core.sampler import SAMPLERS, denoise

from .denoiser import Denoiser
from .loop import Batch


@torch.no_grad()
def sample(student: Denoiser, config: EngineConfig, batch: Batch, generator: torch.Generator) -> Tensor:
    """Latents (B, C, T, h, w) of whole sequences under the batch's audio, motion, words and reference."""
    reference, first = batch["reference"], bool(batch["first"])
    shape = batch["latents"].shape
    noise = torch.randn(shape, generator=generator).to(reference)

    def estimate(x: Tensor, sigma: float, i: int) -> Tensor:
        level = torch.full((shape[0], shape[2]), sigma, device=x.device)
        return student(config, x, level, reference, reference, batch, first).float()

    return denoise(estimate, noise, config.stream.sigmas, SAMPLERS[config.stream.sampler], generator)
