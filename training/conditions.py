"""What the samples of a batch are told: silence, sinks, groups of the same conditions; and guidance by audio."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from echotorrent_core import flow
from echotorrent_core.conditioning.text import Prompt
from echotorrent_core.config import EngineConfig

from .loop import Batch


def chunks_of(latents: int, config: EngineConfig) -> int:
    """How many chunks (of a teacher: windows) a sequence is. ValueError if they are not whole."""
    chunk = config.stream.chunk_latents
    if latents % chunk:
        raise ValueError(f"sequences of {latents} latents are not whole chunks of {chunk}; choose another length")
    return latents // chunk


def silent(batch: Batch) -> Batch:
    """The batch without its audio: zero features, which is what 'unconditional' means here; the words stay."""
    return batch | {"features": torch.zeros_like(batch["features"])}


def without_text(batch: Batch, chosen: Tensor) -> Batch:
    """The batch with nothing said to the `chosen` samples (B,) bool: the words' defaults, or zero text features."""
    if "ids" in batch:
        defaults = torch.tensor(Prompt().ids()).to(batch["ids"])
        return batch | {"ids": torch.where(chosen[:, None], defaults, batch["ids"])}
    return batch | {"text": batch["text"] * ~chosen[:, None, None]}


def repeat(batch: Batch, times: int) -> Batch:
    """Every sample `times` times in a row: a group. What has no batch dimension stays."""
    return {key: value.repeat_interleave(times, dim=0) if value.ndim else value for key, value in batch.items()}


def draw_sink(batch: Batch, share: float, generator: torch.Generator) -> Tensor:
    """Sinks (B, C, 1, h, w): the clip's first latent in a `share` of the samples, as in a stream after its first chunk,
    and the reference otherwise."""
    as_sink = torch.rand(len(batch["reference"]), 1, 1, 1, 1, generator=generator) < share
    return torch.where(as_sink.to(batch["reference"].device), batch["first_latent"], batch["reference"])


def guided(
    network: nn.Module,
    config: EngineConfig,
    noisy: Tensor,
    sigma: Tensor,
    sink: Tensor,
    batch: Batch,
    scale: float,
    clean: Tensor | None = None,
) -> Tensor:
    """Clean estimates (B, C, T, h, w) at levels sigma (B, T) with audio guidance `scale` (w convention: 1 runs one
    pass), float32. sink, clean: as `Denoiser.forward` takes them."""

    def estimate(told: Batch) -> Tensor:
        reference, first = batch["reference"], bool(batch["first"])
        return network(config, noisy, sigma, reference, sink, told, first, clean=clean).float()

    conditional = estimate(batch)
    return conditional if scale == 1 else flow.guide(conditional, estimate(silent(batch)), scale)
