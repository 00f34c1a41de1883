"""Colour transfer: frames take the mean and spread of a reference picture in CIE Lab.

Windows that continue from generated frames drift in colour; the transfer pulls each frame back. Video is
(B, 3, T, H, W) in [-1, 1].
"""

from __future__ import annotations

import torch
from torch import Tensor

# IEC 61966-2-1 primaries and the D65 white point of the 2 degree observer, rounded as scikit-image rounds them.
_RGB_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
_WHITE = (0.95047, 1.0, 1.08883)
_FLAT = 1e-6  # a channel with less spread than this has none to scale


def match_colour(frames: Tensor, reference: Tensor, strength: float = 1.0) -> Tensor:
    """Give every frame of (B, 3, T, H, W) the Lab mean and standard deviation of `reference` (B or 1, 3, 1, H, W).

    `strength` blends: 0 leaves the frames, 1 replaces them. Each frame is treated alone, its statistics are those of
    the whole picture (population standard deviation), and the result is clipped to the displayable range.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"colour strength must lie in [0, 1], got {strength}")
    if strength == 0:
        return frames
    wanted = _statistics(rgb_to_lab((reference.float() + 1) / 2))
    return torch.cat([_match(frame, wanted, strength) for frame in frames.split(1, dim=2)], dim=2)


def _match(frame: Tensor, wanted: tuple[Tensor, Tensor], strength: float) -> Tensor:
    source = (frame.float() + 1) / 2
    lab = rgb_to_lab(source)
    mean, spread = _statistics(lab)
    wanted_mean, wanted_spread = wanted
    gain = torch.where(spread > _FLAT, wanted_spread / spread.clamp_min(_FLAT), 0)
    matched = lab_to_rgb((lab - mean) * gain + wanted_mean)
    return (torch.lerp(source, matched, strength) * 2 - 1).to(frame.dtype)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """sRGB (B, 3, ...) in [0, 1] -> CIE Lab, L in [0, 100]."""
    linear = torch.where(rgb > 0.04045, ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = _mix(_matrix(rgb), linear) / _white(rgb)
    x, y, z = torch.where(xyz > 0.008856, xyz.clamp_min(0.008856) ** (1 / 3), 7.787 * xyz + 16 / 116).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """CIE Lab (B, 3, ...) -> sRGB clipped to [0, 1]."""
    lightness, a, b = lab.unbind(1)
    y = (lightness + 16) / 116
    f = torch.stack([y + a / 500, y, (y - b / 200).clamp_min(0)], 1)
    xyz = torch.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787) * _white(lab)
    linear = _mix(torch.linalg.inv(_matrix(lab)), xyz)
    rgb = torch.where(linear > 0.0031308, 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)
    return rgb.clamp(0, 1)


def _statistics(lab: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and population standard deviation of each frame and channel, kept broadcastable."""
    return lab.mean((-2, -1), keepdim=True), lab.std((-2, -1), correction=0, keepdim=True)


def _mix(matrix: Tensor, x: Tensor) -> Tensor:
    """Apply a 3 x 3 matrix to the channels of (B, 3, ...)."""
    return torch.einsum("dc,bc...->bd...", matrix.to(x), x)


def _matrix(like: Tensor) -> Tensor:
    return torch.tensor(_RGB_TO_XYZ, dtype=torch.float64, device=like.device)


def _white(like: Tensor) -> Tensor:
    return torch.tensor(_WHITE, device=like.device, dtype=like.dtype).view(1, 3, *(1,) * (like.ndim - 2))
