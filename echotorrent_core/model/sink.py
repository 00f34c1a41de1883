"""The reference: condition channels beside every latent, and the sink's keys and values."""

from __future__ import annotations

import torch
from torch import Tensor

from .dit import Trunk
from .history import KV, Geometry, SinkContext


def condition_channels(condition: Tensor, latents: int, first: bool) -> Tensor:
    """Mask and condition latents (B, 4 + C, latents, h, w), in Wan's I2V layout; the mask marks the video's first
    latent, which is one frame long.

    condition: (B, C, 1, h, w) stands beside every latent; (B, C, latents, h, w) beside those of the video's start, and
    its last one beside all later ones."""
    batch, _, given, height, width = condition.shape
    mask = condition.new_zeros(batch, 4, latents, height, width)
    if first:
        mask[:, :, 0] = 1
    if not first or given != latents:
        condition = condition[:, :, -1:].expand(-1, -1, latents, -1, -1)
    return torch.cat([mask, condition], dim=1)


def sink_kv(
    trunk: Trunk, geometry: Geometry, sink: Tensor, condition: Tensor, text: Tensor, image: Tensor | None = None
) -> list[KV]:
    """K and V per layer of the sink latents (B, C, S, h, w), run alone at sigma 0 with silent audio, so that they are
    constants of the stream (DESIGN section 2). text, image: embedded tokens (B, L, D)."""
    context = SinkContext(geometry, trunk.attention)
    batch, _, latents = sink.shape[:3]
    silence = trunk.audio_proj.silence(True, latents, sink).expand(batch, -1, -1, -1)
    level = torch.zeros(batch, device=sink.device)
    trunk(sink, level, condition_channels(condition[:, :, :1], latents, first=True), text, silence, context, image)
    return context.kv
