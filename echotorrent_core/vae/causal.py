"""The causal video VAE with explicit streaming state: Wan 2.1's, and the small embedded one.

Shapes: frames (B, 3, T, H, W) in [-1, 1]; latents (B, z, t, h, w), normalised. A stream's first latent is one frame,
each later latent `time_stride` frames. Facts of Wan's VAE: `wan/modules/vae.py` of MeiGen-AI/InfiniteTalk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import VAEConfig
from .layers import (
    AttentionBlock,
    Cache,
    CausalConv3d,
    Downsample,
    PatchPCA,
    ResidualBlock,
    Upsample,
    make_norm,
    norm_silu,
)

_PASS = 512  # positions of all latents that go through the network together: two latents of 128 x 128 pixels


class Encoder(nn.Module):
    def __init__(self, config: VAEConfig, out_channels: int) -> None:
        super().__init__()
        widths, kernels = config.widths, config.kernel_t
        self.conv1 = CausalConv3d(3 * config.patch**2, widths[0], (kernels[0], 3, 3))
        blocks: list[nn.Module] = []
        channels = widths[0]
        for level, width in enumerate(widths):
            for _ in range(config.num_res_blocks):
                blocks.append(ResidualBlock(channels, width, kernels[level], config.norm))
                channels = width
            if level < len(widths) - 1:
                blocks.append(Downsample(channels, config.temporal[level], config.spatial[level]))
        self.downsamples = nn.ModuleList(blocks)
        self.middle = middle(channels, kernels[-1], config)
        self.head = head(channels, out_channels, kernels[-1], config.norm)

    def forward(self, x: Tensor, cache: Cache) -> Tensor:
        x = self.conv1(x, cache)
        for block in (*self.downsamples, *self.middle):
            x = block(x, cache)
        return self.head["2"](norm_silu(self.head["0"], x), cache)


class Decoder(nn.Module):
    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        widths, kernels = config.decoder_widths or config.widths, config.kernel_t
        channels = joining = widths[-1]
        self.finest = 0
        self.conv1 = CausalConv3d(config.z_dim, channels, (kernels[-1], 3, 3))
        self.middle = middle(channels, kernels[-1], config)
        blocks: list[nn.Module] = []
        for level in reversed(range(len(widths))):
            for _ in range(config.num_res_blocks + 1):
                blocks.append(ResidualBlock(channels, widths[level], kernels[level], config.norm))
                channels = widths[level]
            if level > 0:
                upsample = Upsample(channels, config.temporal[level - 1], config.spatial[level - 1])
                blocks.append(upsample)
                channels = upsample.out_channels
                self.finest, joining = len(blocks), channels  # in the end: where the finest resolution begins
        self.upsamples = nn.ModuleList(blocks)
        self.draft: nn.Conv2d | None = None
        if config.linear_skip:
            self.draft = nn.Conv2d(3 * config.patch**2, joining, 3, padding=1)
        self.head = head(channels, 3 * config.patch**2, kernels[0], config.norm)

    def forward(self, x: Tensor, cache: Cache, draft: Tensor | None = None) -> Tensor:
        """`draft`: the linear codec's picture in patch channels, joining at the finest resolution."""
        x = self.conv1(x, cache)
        for block in (*self.middle, *self.upsamples[: self.finest]):
            x = block(x, cache)
        if self.draft is not None and draft is not None:
            x = x + self.draft(draft)
        for block in self.upsamples[self.finest :]:
            x = block(x, cache)
        return self.head["2"](norm_silu(self.head["0"], x), cache)


def middle(channels: int, kernel_t: int, config: VAEConfig) -> nn.ModuleList:
    first, last = (ResidualBlock(channels, channels, kernel_t, config.norm) for _ in range(2))
    return nn.ModuleList([first, AttentionBlock(channels), last] if config.attention else [first, last])


def head(in_channels: int, out_channels: int, kernel_t: int, norm: bool) -> nn.ModuleDict:
    conv = CausalConv3d(in_channels, out_channels, (kernel_t, 3, 3))
    return nn.ModuleDict({"0": make_norm(in_channels, norm), "2": conv})


class CausalVAE(nn.Module):
    """Wan's causal VAE, parameter names and shapes as published, with a functional streaming cache.

    With `linear_skip` a whitened PCA patch codec (`skip.*`) runs beside the network, which starts as a zero residual:
    z = PCA(x) + encoder(x), y = PCA^T(z) + decoder(z). With `linear_encoder` there is no encoder network at all.

    Latents leave `encode` normalised as (z - mean) / std. Wan's statistics are constants of the model and come from
    `config.mean/std` (None: 0 and 1); those of a `linear_skip` model are measured after training and therefore
    travel with its weights, as the buffers `latent_mean/latent_std`.
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        levels = len(config.widths)
        if len(config.kernel_t) != levels or len(config.temporal) != levels - 1:
            raise ValueError(
                f"VAE config: {levels} widths need {levels} kernel_t and {levels - 1} temporal values, "
                f"got {config.kernel_t} and {config.temporal}"
            )
        self.config = config
        moments = config.z_dim if config.linear_skip else 2 * config.z_dim  # Wan also has a log-variance, never used
        if not config.linear_encoder:
            self.encoder = Encoder(config, moments)
            self.conv1 = CausalConv3d(moments, moments, (1, 1, 1))
        self.conv2 = CausalConv3d(config.z_dim, config.z_dim, (1, 1, 1))
        self.decoder = Decoder(config)
        self.skip: PatchPCA | None = None
        if config.linear_skip:
            self.skip = PatchPCA(config.z_dim, config.time_stride, config.space_stride)
            self.register_buffer("latent_mean", torch.zeros(config.z_dim))
            self.register_buffer("latent_std", torch.ones(config.z_dim))
            self.latent_mean: Tensor
            self.latent_std: Tensor
            self._start_as_residual()
        for name, module in self.named_modules():
            if isinstance(module, CausalConv3d):
                module.slot = name

    def _start_as_residual(self) -> None:
        for name, value in self.named_parameters():
            data = value.detach()
            if name.endswith(("bias", "head.2.weight")):
                data.zero_()
            elif name in ("conv1.weight", "conv2.weight"):
                nn.init.eye_(data[:, :, 0, 0, 0])
            elif name.endswith("weight"):
                gain = 0.3 if "residual.6" in name else 1.0
                nn.init.normal_(data, std=gain * data[0].numel() ** -0.5)

    def encode(self, frames: Tensor, cache: Mapping[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """Frames (B, 3, T, H, W) -> latents (B, z, t, H/s, W/s) and the cache for the following frames.

        cache None starts a stream: its first frame becomes the first latent. Frames that do not fill a latent wait in
        the cache, so any split into calls gives the same latents. ValueError for sizes not divisible by the stride.
        """
        stride, space = self.config.time_stride, self.config.space_stride
        b, c, t, h, w = frames.shape
        if c != 3 or t < 1 or h % space or w % space:
            raise ValueError(
                f"VAE encode: frames are {tuple(frames.shape)}, expected (batch, 3, at least 1, height, width) with "
                f"height and width divisible by {space}"
            )
        parts, state = [], dict(cache or {})
        if cache is None:
            first, state = self._encode(frames[:, :, :1], Cache(None, b))
            parts, frames = [first], frames[:, :, 1:]
        if "encoder.pending" in state:
            frames = torch.cat([state.pop("encoder.pending").to(frames.dtype), frames], dim=2)
        whole = frames.shape[2] // stride
        for start, stop in _passes(whole, h * w // space**2):
            latents, state = self._encode(frames[:, :, start * stride : stop * stride], Cache(state, b))
            parts.append(latents)
        if whole * stride < frames.shape[2]:
            state["encoder.pending"] = frames[:, :, whole * stride :].detach().clone()
        empty = frames.new_zeros((b, self.config.z_dim, 0, h // space, w // space))
        return torch.cat(parts, dim=2) if parts else empty, state

    def decode(self, latents: Tensor, cache: Mapping[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """Latents (B, z, t, h, w) -> frames (B, 3, T, H, W), not clamped, and the cache for the following latents.

        cache None starts a stream: its first latent gives one frame, every other one `time_stride` frames. Any split
        into calls gives the same frames.
        """
        b, c, t, h, w = latents.shape
        if c != self.config.z_dim or t < 1:
            raise ValueError(
                f"VAE decode: latents are {tuple(latents.shape)}, "
                f"expected (batch, {self.config.z_dim}, at least 1, h, w)"
            )
        parts, state = [], dict(cache or {})
        if cache is None:
            first, state = self._decode(latents[:, :, :1], Cache(None, b))
            parts, latents = [first], latents[:, :, 1:]
        for start, stop in _passes(latents.shape[2], h * w):
            frames, state = self._decode(latents[:, :, start:stop], Cache(state, b))
            parts.append(frames)
        return torch.cat(parts, dim=2), state

    def _encode(self, frames: Tensor, cache: Cache) -> tuple[Tensor, dict[str, Tensor]]:
        z = torch.zeros((), device=frames.device) if self.skip is None else self.skip.encode(frames, cache.first)
        if not self.config.linear_encoder:
            x = F.pixel_unshuffle(fold(frames), self.config.patch).contiguous(memory_format=torch.channels_last)
            z = z + self.conv1(self.encoder(x, cache), cache)[:, : self.config.z_dim]
        mean, std = self._statistics(z)
        return unfold((z - mean) / std, cache.batch), cache.new

    def _decode(self, latents: Tensor, cache: Cache) -> tuple[Tensor, dict[str, Tensor]]:
        z = fold(latents).contiguous(memory_format=torch.channels_last)
        mean, std = self._statistics(z)
        z = z * std + mean
        draft = None
        if self.skip is not None:
            draft = self.skip.decode(z, cache.batch, cache.first).flatten(0, 1)
            draft = F.pixel_unshuffle(draft, self.config.patch).contiguous(memory_format=torch.channels_last)
        x = self.decoder(self.conv2(z, cache), cache, draft)
        x = F.pixel_shuffle(x if draft is None else x + draft, self.config.patch)
        return unfold(x, cache.batch), cache.new

    def _statistics(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the latent channels, (z, 1, 1)."""
        if self.config.linear_skip:
            mean, std = self.latent_mean, self.latent_std
        else:
            mean = z.new_tensor(self.config.mean or (0.0,) * self.config.z_dim)
            std = z.new_tensor(self.config.std or (1.0,) * self.config.z_dim)
        return mean.view(-1, 1, 1), std.view(-1, 1, 1)


def _passes(latents: int, area: int) -> Iterator[tuple[int, int]]:
    """Latents [start, stop) of each pass: as many as keep the activations, the largest of all, small."""
    size = max(1, _PASS // area)
    return ((start, min(start + size, latents)) for start in range(0, latents, size))


def fold(x: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (T*B, C, H, W)."""
    return x.permute(2, 0, 1, 3, 4).flatten(0, 1)


def unfold(x: Tensor, batch: int) -> Tensor:
    """(T*B, C, H, W) -> (B, C, T, H, W)."""
    return x.unflatten(0, (-1, batch)).permute(1, 2, 0, 3, 4).contiguous()
