"""The reference: condition channels beside every latent, and the sink's keys and values."""

from __future__ import annotations

import torch
from torch import Tensor

from .dit import Trunk
from .history import KV, Geometry, SinkContext


def condition_channels(reference: Tensor, latents: int, first: bool) -> Tensor:
    """Mask and condition latents (B, 4 + C, latents, h, w) from reference (B, C, 1, h, w), in Wan's I2V layout. The
    reference stands beside every latent; the mask marks the stream's first latent, which is one frame long."""
    batch, _, _, height, width = reference.shape
    mask = reference.new_zeros(batch, 4, latents, height, width)
    if first:
        mask[:, :, 0] = 1
    return torch.cat([mask, reference.expand(-1, -1, latents, -1, -1)], dim=1)


def sink_kv(trunk: Trunk, geometry: Geometry, sink: Tensor, reference: Tensor, text: Tensor) -> list[KV]:
    """K and V per layer of the sink latents (B, C, S, h, w), run alone at sigma 0 with silent audio, so that they are
    constants of the stream (DESIGN section 2). text: embedded tokens (B, L, D)."""
    context = SinkContext(geometry, trunk.attention)
    batch, _, latents = sink.shape[:3]
    silence = trunk.audio_proj.silence(True, latents, sink).expand(batch, -1, -1, -1)
    level = torch.zeros(batch, device=sink.device)
    trunk(sink, level, condition_channels(reference, latents, first=True), text, silence, context)
    return context.kv
