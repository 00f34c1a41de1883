"""How a frame can differ from a rendered one: mildly, which a reader must see through, or badly, which it must notice.

Frames are (3, H, W) float in [-1, 1]; `strength` runs from 0 (nothing) to 1 (ruined). All randomness comes from the
given generator of numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 8


def soften(frame: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Down and up again, by up to a factor of ten."""
    size = [max(4, round(n / (1 + 9 * strength))) for n in frame.shape[1:]]
    small = F.interpolate(frame[None], size, mode="area")
    return F.interpolate(small, frame.shape[1:], mode="bilinear")[0]


def quantise(frame: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Round the cosine coefficients of 8 x 8 blocks, the high ones more, as JPEG does."""
    basis, order = cosine_blocks()
    blocks = F.unfold(frame[:, None], BLOCK, stride=BLOCK)  # (3, 64, n)
    step = (4.0 * strength**1.5 * (0.15 + order / order.max()))[:, None] + 1e-6
    rounded = ((basis @ blocks) / step).round() * step
    return F.fold(basis.T @ rounded, frame.shape[1:], BLOCK, stride=BLOCK)[:, 0]


def truncate(frame: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Keep only the low cosine coefficients of 8 x 8 blocks, slightly wrong: a codec with few channels."""
    basis, order = cosine_blocks()
    shift = rng.integers(0, BLOCK, 2).tolist()
    blocks = F.unfold(frame.roll(shift, (1, 2))[:, None], BLOCK, stride=BLOCK)
    keep = (order <= 14 * (1 - strength) ** 1.5).float()[:, None]
    scale = 1 + 0.6 * strength * torch.from_numpy(rng.normal(size=(64, 1)).astype(np.float32))
    blocks = basis.T @ ((basis @ blocks) * keep * scale)
    return F.fold(blocks, frame.shape[1:], BLOCK, stride=BLOCK)[:, 0].roll([-s for s in shift], (1, 2))


def grain(frame: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Gaussian noise, white or blotchy."""
    size = [max(2, n // int(rng.choice((1, 1, 2, 4)))) for n in frame.shape[1:]]
    noise = torch.from_numpy(rng.normal(size=(1, 3, *size)).astype(np.float32))
    return frame + 0.7 * strength * F.interpolate(noise, frame.shape[1:], mode="bilinear")[0]


def tint(frame: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Another gain and offset per colour channel."""
    gain, offset = rng.normal(size=(2, 3, 1, 1)).astype(np.float32) * strength
    return frame * torch.from_numpy(np.exp(0.8 * gain)) + torch.from_numpy(0.6 * offset)


def scramble(frame: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Exchange a share of the picture's blocks."""
    size = int(rng.choice((8, 16, 32)))
    blocks = F.unfold(frame[None], size, stride=size)
    chosen = np.flatnonzero(rng.random(blocks.shape[-1]) < 0.15 + 0.85 * strength)
    blocks[..., chosen] = blocks[..., rng.permutation(chosen)]
    return F.fold(blocks, frame.shape[1:], size, stride=size)[0]


MILD: tuple[Callable[[Tensor, float, np.random.Generator], Tensor], ...] = (soften, quantise, truncate, grain, tint)
DAMAGE = (*MILD, scramble)
MILD_STRENGTH = 0.15


def mild(frame: Tensor, rng: np.random.Generator) -> Tensor:
    """Two or none of the mild changes."""
    for change in rng.choice(len(MILD), int(rng.choice((0, 1, 2))), replace=False):
        frame = MILD[change](frame, float(rng.uniform(0, MILD_STRENGTH)), rng)
    return frame.clamp(-1, 1)


def damaged(frame: Tensor, rng: np.random.Generator) -> tuple[Tensor, float]:
    """One strong change, and what is left of the frame's quality: 1 at the end of the mild range, 0 at strength 1."""
    strength = float(rng.uniform(MILD_STRENGTH, 1))
    change = DAMAGE[rng.integers(len(DAMAGE))]
    if change is scramble:
        return scramble(frame, strength, rng), 0.0
    return change(frame, strength, rng).clamp(-1, 1), (1 - strength) / (1 - MILD_STRENGTH)


def no_face(frame: Tensor, other: Tensor, rng: np.random.Generator) -> Tensor:
    """A picture without a proper face: made up, or a frame upside down, cut apart, far off or crossed with another."""
    height, width = frame.shape[1:]
    kind = rng.integers(8)
    if kind <= 2:
        return fractal(height, rng) if kind == 0 else shapes(height, rng)
    if kind == 3:
        return frame.flip(1)
    if kind == 4:  # a small part, enlarged
        side = int(rng.integers(height // 6, height // 3))
        y, x = rng.integers(0, height - side), rng.integers(0, width - side)
        return F.interpolate(frame[None, :, y : y + side, x : x + side], (height, width), mode="bilinear")[0]
    if kind == 5:
        return frame.roll((height // 2, width // 2), (1, 2))
    if kind == 6:  # half of another person
        half = torch.linspace(0, 1, width).gt(0.5)
        return torch.where(half if rng.random() < 0.5 else half[:, None], frame, other.flip(1))
    return F.interpolate(frame[None, :, ::4, ::4], (height // 4, width // 4))[0].repeat(1, 4, 4)  # tiles


def fractal(size: int, rng: np.random.Generator) -> Tensor:
    """Coloured noise with the spectrum of landscapes, in two or three mixed colours."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))) + 1 / size
    noise = np.fft.fft2(rng.normal(size=(3, size, size))) / frequency ** rng.uniform(0.7, 2.2)
    picture = np.fft.ifft2(noise).real
    picture = np.einsum("ij,jhw->ihw", rng.normal(size=(3, 3)), picture / picture.std(axis=(1, 2), keepdims=True))
    picture = picture * rng.uniform(0.1, 0.4) + rng.uniform(-0.6, 0.6, (3, 1, 1))
    picture += np.linspace(-1, 1, size)[:, None] * rng.normal(size=(3, 1, 1)) * 0.4  # sky and ground
    return torch.from_numpy(picture.astype(np.float32)).clamp(-1, 1)


def shapes(size: int, rng: np.random.Generator) -> Tensor:
    """Flat ellipses and bars on a gradient: objects, some of them in skin colours and in the place of a face."""
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    low, high = rng.uniform(-1, 1, (2, 3, 1, 1))
    picture = low + (high - low) * (0.5 + (x if rng.random() < 0.5 else y))
    for _ in range(int(rng.integers(1, 14))):
        cx, cy = rng.uniform(-0.5, 0.5, 2) * rng.choice((0.1, 1.0))
        a, b = rng.uniform(0.02, 0.45, 2)
        angle, power = rng.uniform(0, np.pi), rng.choice((2.0, 8.0))
        u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        v = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        inside = np.abs(u / a) ** power + np.abs(v / b) ** power < 1
        skin = np.array([0.7, 0.2, -0.1]) + rng.uniform(-0.6, 0.25)
        colour = skin if rng.random() < 0.4 else rng.uniform(-1, 1, 3)
        picture = np.where(inside, colour[:, None, None] + rng.normal() * 0.3 * x, picture)
    return torch.from_numpy(picture.astype(np.float32)).clamp(-1, 1)


def surround(frames: Tensor, rng: np.random.Generator) -> Tensor:
    """Frames (N, 3, H, W), half of them with other frames' pixels outside an ellipse around the head."""
    n, _, height, width = frames.shape
    y, x = np.mgrid[0:height, 0:width]
    scale = rng.uniform(0.36, 0.5, (n, 2, 1, 1))
    radius = np.hypot((x / width - 0.5) / scale[:, 0], (y / height - 0.5) / (scale[:, 1] * 1.05))
    swapped = (rng.random((n, 1, 1)) < 0.5) * np.clip((radius - 1) * 8, 0, 1)
    outside = torch.from_numpy(swapped[:, None].astype(np.float32))
    return torch.lerp(frames, frames.roll(int(rng.integers(1, n)) if n > 1 else 0, 0), outside)


@lru_cache(maxsize=1)
def cosine_blocks() -> tuple[Tensor, Tensor]:
    """Orthonormal cosine basis (64, 64) of 8 x 8 blocks and the order (64,) of each coefficient (0..14)."""
    k = torch.arange(BLOCK, dtype=torch.float32)
    one = torch.cos(torch.pi * (k[None] + 0.5) * k[:, None] / BLOCK) * (2 / BLOCK) ** 0.5
    one[0] /= 2**0.5
    return torch.kron(one, one), (k[:, None] + k[None]).flatten()
