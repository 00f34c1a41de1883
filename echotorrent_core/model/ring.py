"""Storage of a history: keys or values of the latest latents at fixed places, in a precision of its own.

Dimensions: B batch, n tokens of one latent, H heads, D head width.
"""

from __future__ import annotations

import torch
from torch import Tensor

FLOAT8 = torch.float8_e4m3fn


class Ring:
    """`capacity` places of one latent each, read as one tensor (B, capacity * n, H, D) in physical order.

    float8 has three bits of mantissa and no range to spare, so each latent and head is stored over its largest value;
    the other types store values as they are.
    """

    def __init__(self, data: Tensor, scale: Tensor | None = None):
        self.data = data  # (B, capacity, n, H, D)
        self.scale = scale  # (B, capacity, 1, H, 1), float8 only

    @staticmethod
    def empty(like: Tensor, capacity: int, tokens: int, dtype: torch.dtype) -> Ring:
        """Zeros for latents such as `like` (B, N, H, D)."""
        batch, _, heads, width = like.shape
        data = torch.zeros(batch, capacity, tokens, heads, width, dtype=dtype, device=like.device)
        return Ring(data, like.new_ones(batch, capacity, 1, heads, 1, dtype=torch.float32) if dtype == FLOAT8 else None)

    def write(self, place: int, latent: Tensor) -> None:
        """Replace what stands at `place` by a latent (B, n, H, D)."""
        if self.scale is not None:
            largest = latent.float().abs().amax(dim=(1, 3), keepdim=True).clamp_min(1e-12)
            self.scale[:, place] = largest / torch.finfo(FLOAT8).max
            latent = latent / self.scale[:, place]
        self.data[:, place] = latent.to(self.data.dtype)

    def copy(self, place: int, other: Ring, index: int) -> None:
        """Replace what stands at `place` by what stands at `index` in another ring of the same precision."""
        self.data[:, place] = other.data[:, index]
        if self.scale is not None and other.scale is not None:
            self.scale[:, place] = other.scale[:, index]

    def resized(self, capacity: int) -> Ring:
        """An empty ring of another capacity."""
        batch, _, *latent = self.data.shape
        scale = None if self.scale is None else self.scale.new_ones(batch, capacity, *self.scale.shape[2:])
        return Ring(self.data.new_zeros(batch, capacity, *latent), scale)

    def read(self, dtype: torch.dtype) -> Tensor:
        """(B, capacity * n, H, D) as `dtype`."""
        data = self.data.to(dtype)
        if self.scale is not None:
            data = data * self.scale.to(dtype)
        return data.flatten(1, 2)

    def tensors(self) -> dict[str, Tensor]:
        """For saving: `data`, and `scale` where there is one."""
        return {"data": self.data} | ({} if self.scale is None else {"scale": self.scale})
