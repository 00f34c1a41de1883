"""A world small enough to distil in seconds: the reference in other colours, moved by the sound of each latent."""

from __future__ import annotations

import torch
from torch import Tensor

from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.model.dit import Trunk
from echotorrent_core.presets import debug
from training.denoiser import Denoiser
from training.loop import Batch

LATENTS = 8
COLOUR = torch.tensor([1.0, -1.0, 0.5, 0.0]).reshape(1, 4, 1, 1, 1)
MIX = 0.3 * torch.randn(39, 4, generator=torch.Generator().manual_seed(99)) / 39**0.5


def network(seed: int, blank: bool = False) -> Denoiser:
    """Random weights; `blank` knows nothing yet: every estimate is the reference."""
    torch.manual_seed(seed)
    trunk = Trunk(debug().trunk)
    if blank:
        trunk.init_weights()
    return Denoiser(trunk, WordEncoder(debug().text))


def clip(number: int, size: int = 2) -> Batch:
    """A batch from the stream's start; its words tell batches apart."""
    g = torch.Generator().manual_seed(1000 + number)
    sound = torch.randn(size, LATENTS, 39, generator=g).repeat_interleave(4, dim=1)[:, 3:]
    return {
        "latents": torch.zeros(size, 4, LATENTS, 4, 4),
        "reference": torch.randn(size, 4, 1, 4, 4, generator=g),
        "features": torch.cat([sound[:, :1].expand(-1, 2, -1), sound, sound[:, -1:].expand(-1, 2, -1)], dim=1),
        "ids": torch.tensor([[number % 5, 5, 10]] * size),
        "mask": torch.rand(size, 1, LATENTS, 4, 4, generator=g),
        "first": torch.tensor(True),
    }


def truth(batch: Batch) -> Tensor:
    """What the world shows for a batch (B, C, T, h, w)."""
    sound = batch["features"][:, 2:-2][:, ::4] @ MIX
    picture = batch["reference"] + COLOUR
    return picture + sound.permute(0, 2, 1)[..., None, None]


class Oracle(Denoiser):
    """A teacher that knows it."""

    def forward(self, config, noisy, sigma, reference, sink, batch, first, **options):  # type: ignore[no-untyped-def, override]
        return truth(batch)


class Clips:
    """Training data without end."""

    def __init__(self, size: int = 2, start: int = 0):
        self.size, self.start = size, start

    def batch(self, index: int) -> Batch:
        return clip(self.start + index, self.size)
