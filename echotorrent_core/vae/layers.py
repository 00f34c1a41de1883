"""Layers of the causal VAE. Inside the network time is folded into the batch, time-major, and memory is channels-last:

    x (T*B, C, H, W), frame t of sample b at row t*B + b

so a shift in time is a slice without a copy, every spatial layer is a plain 2-D one, and a causal 3-D convolution is a
sum of 2-D convolutions of shifted frames (on CPUs up to six times faster than `conv3d`, never slower).

T frames or latents, B batch, C channels, H W space, N = T*B, kt temporal kernel.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Cache:
    """What one call reads from and writes to the streaming state.

    slots: the dict the previous call returned, never written to; None starts a stream (`first`).
    `new` is the state after this call: per layer the last inputs it must see again, (frames, B, H, W, C).
    """

    def __init__(self, slots: Mapping[str, Tensor] | None, batch: int) -> None:
        self.first = slots is None
        self.old: Mapping[str, Tensor] = slots if slots is not None else {}
        self.new: dict[str, Tensor] = {}
        self.batch = batch

    def extend(self, slot: str, x: Tensor, frames: int) -> Tensor:
        """x with the `frames` frames before it in front (zeros at the start of a stream); the new tail is kept."""
        if frames == 0:
            return x
        if self.first:
            past = x.new_zeros((frames * self.batch, *x.shape[1:]))
        else:
            past = self._load(slot, x)
        x = torch.cat([past, x])
        self.store(slot, x[-frames * self.batch :])
        return x

    def store(self, slot: str, x: Tensor) -> None:
        kept = x.permute(0, 2, 3, 1).contiguous()  # no copy when x is channels-last ...
        kept = kept.clone() if kept.data_ptr() == x.data_ptr() else kept  # ... then the slice must not pin all of x
        self.new[slot] = kept.unflatten(0, (-1, self.batch))

    def _load(self, slot: str, x: Tensor) -> Tensor:
        past = self.old.get(slot)
        if past is None:
            raise ValueError(
                f"the VAE cache has no '{slot}': pass the cache that the previous call of this VAE returned"
            )
        expected = (self.batch, x.shape[2], x.shape[3], x.shape[1])
        if tuple(past.shape[1:]) != expected:
            raise ValueError(
                f"the VAE cache holds {tuple(past.shape[1:])} (batch, height, width, channels) for '{slot}', this call "
                f"needs {expected}: batch and picture size must stay the same during a stream"
            )
        return past.flatten(0, 1).permute(0, 3, 1, 2).to(x.dtype)


class RMSNorm(nn.Module):
    """x / ||x||_2 over channels * sqrt(C) * gamma. gamma has Wan's shape (C, 1, 1[, 1])."""

    def __init__(self, channels: int, dims: int = 3) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, *(1,) * dims))

    def forward(self, x: Tensor) -> Tensor:
        scale = torch.linalg.vector_norm(x, dim=1, keepdim=True).clamp_min(1e-12).reciprocal()
        gamma = self.gamma.view(-1, 1, 1) * self.gamma.shape[0] ** 0.5
        y = x * scale
        return y * gamma.to(x.dtype) if y.requires_grad or gamma.requires_grad else y.mul_(gamma.to(x.dtype))


class CausalConv3d(nn.Conv3d):
    """Convolution over frames t-kt+1 .. t and space, zero-padded in space; its slot keeps the last kt - stride_t."""

    slot = ""  # set by CausalVAE to the module's name

    def __init__(self, in_channels: int, out_channels: int, kernel: tuple[int, int, int], stride_t: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel)
        self.stride_t = stride_t
        # Wan's shape (O, I, kt, kh, kw), but in memory (kt, O, kh, kw, I): each tap is a channels-last 2-D weight.
        self.weight = nn.Parameter(self.weight.detach().permute(2, 0, 3, 4, 1).contiguous().permute(1, 4, 0, 2, 3))

    def forward(self, x: Tensor, cache: Cache) -> Tensor:  # type: ignore[override]
        kt, kh, kw = self.kernel_size
        x = cache.extend(self.slot, x, kt - self.stride_t)
        conv = pointwise if kh == kw == 1 else F.conv2d
        if kt == 1:
            return conv(x, self.weight[:, :, 0], self.bias, padding=kh // 2)
        # Slice with channels last in the shape too: autograd then keeps that memory order in the gradients.
        frames = x.permute(0, 2, 3, 1).unflatten(0, (-1, cache.batch))
        span = (frames.shape[0] - kt) // self.stride_t * self.stride_t + 1
        out: Tensor | None = None
        for k in range(kt):
            tap = frames[k : k + span : self.stride_t].flatten(0, 1).permute(0, 3, 1, 2)
            part = conv(tap, self.weight[:, :, k], self.bias if out is None else None, padding=kh // 2)
            out = part if out is None else out.add_(part)
        assert out is not None
        return out


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None, padding: int = 0) -> Tensor:
    """1x1 conv2d as a matrix product; the CPU convolution takes a slow path for small batches on one thread."""
    return F.linear(x.permute(0, 2, 3, 1), weight[:, :, 0, 0], bias).permute(0, 3, 1, 2)


def make_norm(channels: int, norm: bool) -> nn.Module:
    return RMSNorm(channels) if norm else nn.Identity()


def norm_silu(norm: nn.Module, x: Tensor) -> Tensor:
    y = norm(x)
    return F.silu(y, inplace=y is not x and not y.requires_grad)


class ResidualBlock(nn.Module):
    """norm-SiLU-conv twice plus a shortcut. The odd indices are Wan's parameter names."""

    def __init__(self, in_channels: int, out_channels: int, kernel_t: int, norm: bool = True) -> None:
        super().__init__()
        kernel = (kernel_t, 3, 3)
        self.residual = nn.ModuleDict(
            {
                "0": make_norm(in_channels, norm),
                "2": CausalConv3d(in_channels, out_channels, kernel),
                "3": make_norm(out_channels, norm),
                "6": CausalConv3d(out_channels, out_channels, kernel),
            }
        )
        self.shortcut = CausalConv3d(in_channels, out_channels, (1, 1, 1)) if in_channels != out_channels else None

    def forward(self, x: Tensor, cache: Cache) -> Tensor:
        norm1, conv1, norm2, conv2 = self.residual.values()
        h = conv1(norm_silu(norm1, x), cache)
        h = conv2(norm_silu(norm2, h), cache)
        return h.add_(x if self.shortcut is None else self.shortcut(x, cache))


class AttentionBlock(nn.Module):
    """Single-head self-attention inside each frame."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = RMSNorm(channels, dims=2)
        self.to_qkv = nn.Conv2d(channels, channels * 3, 1)
        self.proj = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, cache: Cache) -> Tensor:
        n, _, h, w = x.shape
        qkv = self.to_qkv(self.norm(x)).permute(0, 2, 3, 1).reshape(n, 1, h * w, -1)
        out = F.scaled_dot_product_attention(*qkv.chunk(3, dim=-1))
        return x + self.proj(out.reshape(n, h, w, -1).permute(0, 3, 1, 2))


class Downsample(nn.Module):
    """Halve space (pad right and bottom), then time. The stream's first frame passes the temporal part untouched."""

    def __init__(self, channels: int, time: bool, space: bool = True) -> None:
        super().__init__()
        self.resample = nn.ModuleDict({"1": nn.Conv2d(channels, channels, 3, stride=2)} if space else {})
        self.time_conv = CausalConv3d(channels, channels, (3, 1, 1), stride_t=2) if time else None

    def forward(self, x: Tensor, cache: Cache) -> Tensor:
        for conv in self.resample.values():
            x = conv(F.pad(x, (0, 1, 0, 1)))
        if self.time_conv is None:
            return x
        if cache.first:
            cache.store(self.time_conv.slot, x)
            return x
        return self.time_conv(x, cache)


class Upsample(nn.Module):
    """Double time (a convolution to 2C whose halves alternate), then space (nearest x2, 3x3 convolution to C/2).

    The stream's first latent passes the temporal part untouched and leaves it a zero history.
    """

    def __init__(self, channels: int, time: bool, space: bool = True) -> None:
        super().__init__()
        self.out_channels = channels // 2 if space else channels
        self.resample = nn.ModuleDict({"1": nn.Conv2d(channels, channels // 2, 3, padding=1)} if space else {})
        self.time_conv = CausalConv3d(channels, channels * 2, (3, 1, 1)) if time else None

    def forward(self, x: Tensor, cache: Cache) -> Tensor:
        if self.time_conv is not None:
            if cache.first:
                cache.store(self.time_conv.slot, x.new_zeros((2 * cache.batch, *x.shape[1:])))
            else:
                even, odd = self.time_conv(x, cache).unflatten(0, (-1, cache.batch)).chunk(2, dim=2)
                x = torch.stack([even, odd], dim=1).flatten(0, 2).contiguous(memory_format=torch.channels_last)
        for conv in self.resample.values():
            assert isinstance(conv, nn.Conv2d)
            x = conv_of_doubled(x, conv.weight, conv.bias)
        return x


def conv_of_doubled(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """conv2d(nearest-x2(x), weight, bias, padding=1) for a 3x3 weight, as one 2x2 convolution to 4 phases.

    Doubled pixels repeat, so each of the four output phases sees only 2x2 distinct inputs: 16 products instead of 36,
    and the enlarged input never exists.
    """
    n, _, h, w = x.shape
    out = weight.shape[0]
    # Rows of output phase 0 read input rows (i-1, i, i), of phase 1 (i, i, i+1).
    merge = weight.new_tensor([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])
    phases = torch.einsum("oikl,apk,bql->aboipq", weight, merge, merge).flatten(0, 2)
    y = F.conv2d(x, phases, None if bias is None else bias.repeat(4), padding=1)  # (N, 4*out, H+1, W+1)
    y = y.permute(0, 2, 3, 1).unflatten(3, (2, 2, out))
    # Phase (a, b) of pixel (i, j) lies at row i+a, column j+b.
    y = torch.stack([y[:, :h, :, 0], y[:, 1:, :, 1]], dim=2)
    y = torch.stack([y[..., :w, 0, :], y[..., 1:, 1, :]], dim=4)
    return y.view(n, 2 * h, 2 * w, out).permute(0, 3, 1, 2)


class PatchPCA(nn.Module):
    """Linear codec of (time_stride, space_stride, space_stride, 3) patches: whitened PCA coefficients.

    Buffers: mean (D), basis (z, D) with orthonormal rows, scale (z) = standard deviation of each coefficient.
    """

    def __init__(self, z_dim: int, time_stride: int, space_stride: int) -> None:
        super().__init__()
        self.time_stride, self.space_stride = time_stride, space_stride
        dim = 3 * time_stride * space_stride**2
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("basis", torch.eye(z_dim, dim))
        self.register_buffer("scale", torch.ones(z_dim))
        self.mean: Tensor
        self.basis: Tensor
        self.scale: Tensor

    def patches(self, frames: Tensor) -> Tensor:
        """(B, 3, T*ts, H*ss, W*ss) -> (T, B, H, W, D)."""
        b, c, t, h, w = frames.shape
        ts, ss = self.time_stride, self.space_stride
        x = frames.reshape(b, c, t // ts, ts, h // ss, ss, w // ss, ss)
        return x.permute(2, 0, 4, 6, 3, 5, 7, 1).flatten(4)

    def encode(self, frames: Tensor, first: bool) -> Tensor:
        """Frames (B, 3, T, H, W) -> (T*B, z, H, W); the first frame of a stream counts as repeated."""
        x = self.patches(frames.repeat_interleave(self.time_stride, dim=2) if first else frames)
        z = F.linear(x - self.mean, self.basis / self.scale[:, None])
        return z.flatten(0, 1).permute(0, 3, 1, 2)

    def decode(self, z: Tensor, batch: int, first: bool) -> Tensor:
        """(T*B, z, H, W) -> (T*ts, B, 3, H, W); the first latent of a stream gives the last of its frames."""
        x = F.linear(z.permute(0, 2, 3, 1), (self.basis * self.scale[:, None]).T, self.mean)
        ts, ss = self.time_stride, self.space_stride
        n, h, w, _ = x.shape
        x = x.view(n // batch, batch, h, w, ts, ss, ss, 3)
        x = x[:, :, :, :, -1:] if first else x
        return x.permute(0, 4, 1, 7, 2, 5, 3, 6).reshape(-1, batch, 3, h * ss, w * ss)
