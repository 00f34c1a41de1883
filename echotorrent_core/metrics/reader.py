"""The mouth reader: what a frame of the corpus' world shows, read from its pixels alone.

One small convolutional network, trained on rendered frames with exact labels (`training/methods/reader.py`): mouth
openness and width, yaw, blink, mouth centre, how much the picture looks like a clean face, and an identity embedding.

Shapes: frames (N, 3, 128, 128) in [-1, 1].
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..weights.parts import ASSETS, load_part

SIZE = 128
WEIGHTS = ASSETS / "embedded" / "reader.safetensors"
FACE = 0.5  # confidence below which a picture should not be taken for a face


class Reading(NamedTuple):
    """Per frame (N,): open, wide, blink in [0, 1]; yaw in radians; x, y of the mouth in [0, 1] of the picture;
    confidence in [0, 1] that this is a face, and a clean one; identity (N, D) with unit length."""

    open: Tensor
    wide: Tensor
    yaw: Tensor
    blink: Tensor
    x: Tensor
    y: Tensor
    confidence: Tensor
    identity: Tensor


class Residual(nn.Module):
    """x + conv(conv(x)), normalised in between; the last convolution starts at zero."""

    def __init__(self, channels: int):
        super().__init__()
        self.a, self.b = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.norm = nn.GroupNorm(8, channels)
        nn.init.zeros_(self.b.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.b(F.silu(self.norm(self.a(F.silu(x)))))


class MouthReader(nn.Module):
    """0.98 M parameters. The feature map is flattened, not averaged, so that places are easy to read."""

    def __init__(self, widths: tuple[int, int, int] = (40, 80, 112), embedding: int = 48):
        super().__init__()
        a, b, c = widths
        self.stem = nn.Conv2d(12, a, 3, stride=2, padding=1)  # 32 x 32
        self.down = nn.ModuleList([nn.Conv2d(a, b, 3, stride=2, padding=1), nn.Conv2d(b, c, 3, stride=2, padding=1)])
        self.blocks = nn.ModuleList([Residual(a), Residual(b), Residual(c)])
        self.squeeze = nn.Conv2d(c, 32, 1)  # 8 x 8
        self.hidden = nn.Linear(32 * 64, 160)
        self.norm = nn.LayerNorm(160)
        self.tracks = nn.Linear(160, 7)
        self.identity = nn.Linear(32 * 64, embedding)

    def forward(self, frames: Tensor) -> Reading:
        x = self.stem(F.pixel_unshuffle(frames, 2))
        x = self.blocks[0](x)
        for down, block in zip(self.down, self.blocks[1:], strict=True):
            x = block(down(F.silu(x)))
        flat = F.silu(self.squeeze(F.silu(x))).flatten(1)
        values = self.tracks(F.silu(self.norm(self.hidden(flat)))).float()
        opening, wide, blink, x_, y_, confidence = values[:, [0, 1, 3, 4, 5, 6]].sigmoid().unbind(1)
        identity = F.normalize(self.identity(flat).float(), dim=1)
        return Reading(opening, wide, values[:, 2], blink, x_, y_, confidence, identity)


@lru_cache(maxsize=2)
def load_reader(path: Path = WEIGHTS) -> MouthReader:
    """The shipped reader, ready to read. InputError when the file is missing or does not fit."""
    reader = MouthReader()
    load_part(reader, path)
    return reader.eval().requires_grad_(False)


@torch.inference_mode()
def read(reader: MouthReader, frames: Tensor, batch: int = 64) -> Reading:
    """Read frames (N, 3, H, W) in [-1, 1] of any size, `batch` at a time."""
    if frames.ndim != 4 or frames.shape[1] != 3 or not len(frames):
        raise ValueError(f"frames are {tuple(frames.shape)}, expected (at least one, 3, height, width)")
    parts = []
    for some in frames.float().split(batch):
        if some.shape[-2:] != (SIZE, SIZE):
            some = F.interpolate(some, (SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False)
        parts.append(reader(some))
    return Reading(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def looks_like_face(image: Tensor, reader: MouthReader | None = None) -> bool:
    """Whether a portrait (3, H, W) in [-1, 1] looks like the faces that the embedded model knows."""
    return bool(read(reader or load_reader(), image[None]).confidence[0] >= FACE)
