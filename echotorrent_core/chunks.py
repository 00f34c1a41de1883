"""How one chunk follows another. The engine's one loop is the same for both policies:

- `Rolling`: chunks go on from one another through sink and histories, the decoder through its cache (DESIGN section 2).
- `Windows`: each window is made afresh and begins with the last frames of the one before, encoded again and pinned as
  clean latents (InfiniteTalk, SoulX-FlashTalk).
"""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from .conditioning.colour import match_colour
from .config import EngineConfig, WindowConfig
from .model.attention import Attention
from .model.history import Context, FullContext, Geometry, RollingContext, Window
from .state import StreamState
from .vae.causal import CausalVAE


class ChunkPolicy(Protocol):
    """What the engine asks for every chunk, `index` counting from 0."""

    def frames(self, index: int) -> int:
        """New video frames of a chunk."""
        ...

    def overlap(self, index: int) -> int:
        """Frames before the new ones that the chunk makes once more."""
        ...

    def first(self, index: int) -> bool:
        """Whether the chunk's first latent is the first of its video: one frame, marked in the condition's mask."""
        ...

    def lead(self, state: StreamState) -> Tensor | None:
        """Clean latents (1, C, t, h, w) that the chunk's first ones are pinned to."""
        ...

    def context(self, state: StreamState, read: int, write: int | None, sink_extra: int) -> Context:
        """What self-attention may read, with the history slots of the step."""
        ...

    def decode(self, vae: CausalVAE, state: StreamState, latents: Tensor) -> tuple[Tensor, dict[str, Any]]:
        """New frames (1, 3, F, H, W) of the chunk's latents, and the state's fields that follow from them."""
        ...


def chunk_policy(config: EngineConfig, geometry: Geometry, attention: Attention) -> ChunkPolicy:
    """The policy that a preset names."""
    if config.stream.window is None:
        return Rolling(config, geometry, attention)
    return Windows(config, config.stream.window, geometry, attention)


class Rolling:
    """Chunks go on from one another."""

    def __init__(self, config: EngineConfig, geometry: Geometry, attention: Attention):
        self.latents, self.stride = config.stream.chunk_latents, config.vae.time_stride
        self.layers, self.geometry, self.attention = config.layers, geometry, attention
        self.window = Window.of(config.stream.sink, config.history_latents, self.latents)

    def frames(self, index: int) -> int:
        return self.latents * self.stride - (self.stride - 1 if index == 0 else 0)

    def overlap(self, index: int) -> int:
        return 0

    def first(self, index: int) -> bool:
        return index == 0

    def lead(self, state: StreamState) -> None:
        return None

    def context(self, state: StreamState, read: int, write: int | None, sink_extra: int) -> Context:
        return RollingContext(
            self.layers,
            self.geometry,
            self.window,
            self.attention,
            state.sink_kv,
            state.history,
            read,
            write,
            sink_extra,
        )

    def decode(self, vae: CausalVAE, state: StreamState, latents: Tensor) -> tuple[Tensor, dict[str, Any]]:
        video, cache = vae.decode(latents, state.vae)
        return video.clamp(-1, 1), {"vae": cache}


class Windows:
    """Window after window. The overlap is cut from all but the first; the first begins with the reference itself."""

    def __init__(self, config: EngineConfig, window: WindowConfig, geometry: Geometry, attention: Attention):
        self.config, self.geometry, self.attention = window, geometry, attention
        self.length = 1 + config.vae.time_stride * (config.stream.chunk_latents - 1)

    def frames(self, index: int) -> int:
        return self.length - self.overlap(index)

    def overlap(self, index: int) -> int:
        return self.config.overlap if index else 0

    def first(self, index: int) -> bool:
        return True

    def lead(self, state: StreamState) -> Tensor:
        return state.conditioning.reference if state.lead is None else state.lead

    def context(self, state: StreamState, read: int, write: int | None, sink_extra: int) -> Context:
        return FullContext(self.geometry, self.attention)

    def decode(self, vae: CausalVAE, state: StreamState, latents: Tensor) -> tuple[Tensor, dict[str, Any]]:
        video = vae.decode(latents)[0].clamp(-1, 1)
        video = match_colour(video, state.conditioning.picture, self.config.colour)
        lead, _ = vae.encode(video[:, :, -self.config.overlap :])
        return video[:, :, self.overlap(state.chunk) :], {"lead": lead}
