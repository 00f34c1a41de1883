"""Error recycling (Stable-Video-Infinity): a network's own errors, put into the context it is given in training.

In a stream the context is the network's own output, in training it is clean. A residual of one latent is added to all
context latents of a chunk: what carries from chunk to chunk (colour, blur, identity) is what changes slowly.
"""

from __future__ import annotations

import torch
from torch import Tensor


class ErrorBank:
    """The last `capacity` residuals x0^ - x0 of single latents, (C, h, w) each; all of one size."""

    def __init__(self, capacity: int):
        self.capacity = capacity
        self.residuals = torch.empty(0)
        self.count = 0  # ever added

    def add(self, residuals: Tensor) -> None:
        """Residuals (n, C, h, w) over the oldest ones. ValueError for latents of another size."""
        if self.count == 0:
            self.residuals = residuals.new_zeros(self.capacity, *residuals.shape[1:], dtype=torch.float32)
        if residuals.shape[1:] != self.residuals.shape[1:]:
            size, known = tuple(residuals.shape[1:]), tuple(self.residuals.shape[1:])
            raise ValueError(f"latents of {size} came after latents of {known}; train one size at a time")
        self.residuals = self.residuals.to(residuals.device)  # a checkpoint brings it back on the CPU
        for residual in residuals.detach():
            self.residuals[self.count % self.capacity] = residual
            self.count += 1

    def draw(self, like: Tensor, chunk: int, share: float, generator: torch.Generator) -> Tensor:
        """Errors for the latents `like` (B, C, T, h, w): in a `share` of the samples one per chunk, zero elsewhere."""
        batch, latents = like.shape[0], like.shape[2]
        chunks = -(-latents // chunk)
        chosen = (torch.rand(batch, 1, 1, 1, 1, generator=generator) < share).to(like)
        rows = torch.randint(0, max(1, min(self.count, self.capacity)), (batch, chunks), generator=generator)
        if self.count == 0:
            return torch.zeros_like(like)
        residuals = self.residuals.to(like)[rows.to(like.device)].movedim(1, 2)  # (B, C, chunks, h, w)
        return chosen * residuals.repeat_interleave(chunk, dim=2)[:, :, :latents]

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"residuals": self.residuals, "count": torch.tensor(self.count)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.residuals, self.count = state["residuals"].clone(), int(state["count"])
