"""Audio into the trunk: InfiniteTalk's projection of feature windows to tokens per latent, and its cross-attention.

Dimensions: B batch, F video frames, T latents, W window, L feature blocks, C channels, A tokens, N tokens of a latent.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F_
from einops import rearrange
from torch import Tensor, nn

from ..config import AudioAdapterConfig
from .attention import Attention
from .rope import rotate, rotation_1d
from .speakers import key_positions

FRAMES_PER_LATENT = 4  # Wan's temporal stride, on which the grouping below is built


def windows(features: Tensor, window: int) -> Tensor:
    """Sliding windows: features (B, F + window - 1, L, C) -> (B, F, window, L, C)."""
    return features.unfold(1, window, 1).movedim(-1, 2)


def clamped_windows(features: Tensor, start: int, frames: int, window: int) -> Tensor:
    """Windows around frames start .. start + frames - 1 of a finite track (F, L, C): (frames, window, L, C). Its ends
    are repeated outside it (InfiniteTalk)."""
    centre = torch.arange(start, start + frames, device=features.device)[:, None]
    offset = torch.arange(window, device=features.device) - window // 2
    return features[(centre + offset).clamp(0, features.shape[0] - 1)]


def latter_windows(frames: Tensor) -> Tensor:
    """Group the windows (B, 4T, W, L, C) of latents of four frames: the first frame gives its left half and centre, the
    middle frames their centres, the last frame its centre and right half -> (B, T, W + 3, L, C) (InfiniteTalk)."""
    frames = rearrange(frames, "b (t f) w l c -> b t f w l c", f=FRAMES_PER_LATENT)
    middle = frames.shape[3] // 2
    first = frames[:, :, 0, : middle + 1]
    centres = frames[:, :, 1:-1, middle]
    last = frames[:, :, -1, middle:]
    return torch.cat([first, centres, last], dim=2)


class AudioProj(nn.Module):
    """Feature windows -> context tokens per latent (InfiniteTalk `audio_proj`)."""

    def __init__(self, config: AudioAdapterConfig):
        super().__init__()
        self.config = config
        per_position = config.blocks * config.channels
        grouped = config.window + FRAMES_PER_LATENT - 1
        self.proj1 = nn.Linear(config.window * per_position, config.intermediate_dim)
        self.proj1_vf = nn.Linear(grouped * per_position, config.intermediate_dim)
        self.proj2 = nn.Linear(config.intermediate_dim, config.intermediate_dim)
        self.proj3 = nn.Linear(config.intermediate_dim, config.context_tokens * config.output_dim)
        self.norm = nn.LayerNorm(config.output_dim)

    def forward(self, frames: Tensor) -> Tensor:
        """Windows (B, F, W, L, C) -> tokens (B, T, A, output_dim). F = 4T, or 1 + 4(T - 1) at the stream's start."""
        frames = frames.to(self.norm.weight.dtype)
        hidden = []
        if frames.shape[1] % FRAMES_PER_LATENT:
            hidden.append(self.proj1(frames[:, :1].flatten(2)))
            frames = frames[:, 1:]
        if frames.shape[1]:
            hidden.append(self.proj1_vf(latter_windows(frames).flatten(2)))
        x = F_.relu(torch.cat(hidden, dim=1))
        x = self.proj3(F_.relu(self.proj2(x)))
        return self.norm(x.unflatten(-1, (self.config.context_tokens, -1)))

    def silence(self, first: bool, latents: int, like: Tensor) -> Tensor:
        """Tokens of all-zero features, the 'no audio' condition (1, latents, A, output_dim)."""
        frames = latents * FRAMES_PER_LATENT - (FRAMES_PER_LATENT - 1 if first else 0)
        c = self.config
        return self(torch.zeros(1, frames, c.window, c.blocks, c.channels, device=like.device, dtype=like.dtype))


class AudioCrossAttention(nn.Module):
    """Queries of latent t read only the audio tokens of latent t (InfiniteTalk `audio_cross_attn`). With two speakers,
    rotary positions turn each query towards the voice of its place (model/speakers.py)."""

    def __init__(self, dim: int, num_heads: int, audio_dim: int, attention: Attention):
        super().__init__()
        self.num_heads = num_heads
        self.attention = attention
        self.q_linear = nn.Linear(dim, dim)
        self.kv_linear = nn.Linear(audio_dim, 2 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, audio: Tensor, positions: Tensor | None = None) -> Tensor:
        """x (B, T, N, dim), audio (B, T, A, audio_dim), positions of the queries (B, T * N) -> (B, T, N, dim)."""
        q = rearrange(self.q_linear(x), "b t n (h d) -> (b t) n h d", h=self.num_heads)
        kv = rearrange(self.kv_linear(audio), "b t a (two h d) -> two (b t) a h d", two=2, h=self.num_heads)
        k, v = kv[0], kv[1]
        if positions is not None:
            q = rotate(q, rotation_1d(positions.reshape(q.shape[:2]), q.shape[-1]))
            k = rotate(k, rotation_1d(key_positions(k.shape[1], k.device), k.shape[-1]))
        out = self.attention(q, k, v, None)
        return self.proj(rearrange(out, "(b t) n h d -> b t n (h d)", b=x.shape[0]))
