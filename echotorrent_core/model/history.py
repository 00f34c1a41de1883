"""What a layer may read: the sink, a ring of earlier latents, and the chunk itself.

Keys are stored unrotated; positions are window-relative and given at read. Sink latents sit at 0.., the ring's
latents right before the chunk, the chunk's first latent always at the same place. The contexts share one trunk:
`FullContext` (window mode), `SinkContext` (the sink alone, run once), `RollingContext` (one chunk against a `History`)
and `SequenceContext` (training: all chunks of a sequence in one pass, history windowed at read).

Dimensions: B batch, N tokens, n tokens of one latent, H heads, D head width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from ..config import CacheWrite, InChunk, LayerPolicy, SinkConfig
from .attention import Attention
from .ring import Ring
from .rope import rotate, rotation

KV = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Geometry:
    """Token grid and rotary numbers of a stream: n = height * width tokens per latent."""

    height: int
    width: int
    head_dim: int
    theta: float

    @property
    def tokens(self) -> int:
        return self.height * self.width

    def rotations(self, times: Sequence[float], device: torch.device) -> Tensor:
        return rotation(tuple(times), self.height, self.width, self.head_dim, self.theta, device)


@dataclass(frozen=True)
class WritePolicy:
    """When a step's keys and values become history, and which slot a step reads (DESIGN section 2).

    `per_step`: step i reads and writes slot i. `last_step`: all read slot 0, the last step writes it.
    `clean`: all read slot 0, one extra pass at sigma 0 writes it.
    """

    name: CacheWrite
    steps: int

    @property
    def slots(self) -> int:
        return self.steps if self.name == "per_step" else 1

    @property
    def extra_pass(self) -> bool:
        return self.name == "clean"

    def read(self, step: int) -> int:
        return step if self.name == "per_step" else 0

    def write(self, step: int) -> int | None:
        """Slot written by denoising step `step`; None if it writes nothing."""
        if self.name == "per_step":
            return step
        return 0 if self.name == "last_step" and step == self.steps - 1 else None


class History:
    """Rings of keys and values of earlier chunks, per slot and layer, of static size.

    A chunk's pass stages its keys and values; `commit` moves them into the rings at once, so an aborted
    chunk leaves the history as it was. dtype: precision of the rings, None as computed.
    """

    def __init__(self, policies: Sequence[LayerPolicy], slots: int, tokens: int, dtype: torch.dtype | None = None):
        self.capacity = [policy.history for policy in policies]
        self.slots = slots
        self.tokens = tokens
        self.dtype = dtype
        self.written = 0  # latents, since the stream began
        self.rings: dict[tuple[int, int], tuple[Ring, Ring]] = {}  # (slot, layer) -> K, V
        self._staged: dict[tuple[int, int], tuple[Ring, Ring]] = {}  # the chunk's own, in the same precision

    def stage(self, slot: int, layer: int, k: Tensor, v: Tensor) -> None:
        if self.capacity[layer]:
            self._staged[slot, layer] = (self._ring(k), self._ring(v))

    def _ring(self, x: Tensor) -> Ring:
        """The latents of x (B, N, H, D) in a ring that is just as long."""
        ring = Ring.empty(x, x.shape[1] // self.tokens, self.tokens, self.dtype or x.dtype)
        for place, latent in enumerate(x.detach().split(self.tokens, dim=1)):
            ring.write(place, latent)
        return ring

    def discard(self) -> None:
        self._staged.clear()

    def commit(self, latents: int) -> None:
        """Write the staged keys and values of a chunk of `latents` latents over the oldest ones."""
        for (slot, layer), staged in self._staged.items():
            capacity = self.capacity[layer]
            if (slot, layer) not in self.rings:
                k, v = (new.resized(capacity) for new in staged)
                self.rings[slot, layer] = (k, v)
            for ring, new in zip(self.rings[slot, layer], staged, strict=True):
                for index in range(max(0, latents - capacity), latents):
                    ring.copy((self.written + index) % capacity, new, index)
        self._staged.clear()
        self.written += latents

    def read(self, slot: int, layer: int, like: Tensor) -> KV:
        """K, V of a ring in physical order, (B, capacity * n, H, D) as `like`; zeros before anything was written."""
        if (slot, layer) not in self.rings:
            shape = (like.shape[0], self.capacity[layer] * self.tokens, *like.shape[2:])
            return like.new_zeros(shape), like.new_zeros(shape)
        k, v = self.rings[slot, layer]
        return k.read(like.dtype), v.read(like.dtype)

    def ages(self, layer: int) -> tuple[int | None, ...]:
        """Age of each physical latent (1 = the latest before the chunk), None where nothing is stored yet."""
        capacity = self.capacity[layer]
        ages = ((self.written - 1 - place) % capacity + 1 for place in range(capacity))
        return tuple(age if age <= self.written else None for age in ages)

    def clear(self) -> None:
        self.written = 0
        self.rings.clear()
        self._staged.clear()

    def tensors(self) -> dict[str, Tensor]:
        """Flat copy-free view for saving; `written` is saved by the stream."""
        return {
            f"{slot}.{layer}.{name}.{part}": tensor
            for (slot, layer), ring in self.rings.items()
            for name, half in zip("kv", ring, strict=True)
            for part, tensor in half.tensors().items()
        }

    def load_tensors(self, tensors: dict[str, Tensor], written: int) -> None:
        """What `tensors` gave, on whatever device it was read to."""
        self.written = written

        def ring(stem: str) -> Ring:
            scale = tensors.get(f"{stem}.scale")
            return Ring(tensors[f"{stem}.data"].clone(), None if scale is None else scale.clone())

        for slot, layer in sorted({tuple(key.split(".")[:2]) for key in tensors}):
            self.rings[int(slot), int(layer)] = (ring(f"{slot}.{layer}.k"), ring(f"{slot}.{layer}.v"))


class Context(Protocol):
    """What the trunk's self-attention calls: q, k, v of all tokens, unrotated, (B, N, H, D) -> (B, N, H, D)."""

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor: ...

    def reference(self, layer: int, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """The queries and the keys (B, n, H, D) of the latent that shows the reference, both rotated: what two
        speakers are told apart by (model/speakers.py)."""
        ...


class FullContext:
    """Everything reads everything; the first latent stands at position 0."""

    def __init__(self, geometry: Geometry, attention: Attention):
        self.geometry = geometry
        self.attention = attention

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        rotations = self.geometry.rotations(range(q.shape[1] // self.geometry.tokens), q.device)
        return self.attention(rotate(q, rotations), rotate(k, rotations), v, None)

    def reference(self, layer: int, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        n = self.geometry.tokens
        rotations = self.geometry.rotations(range(q.shape[1] // n), q.device)
        return rotate(q, rotations), rotate(k[:, :n], rotations[:n])


class SinkContext(FullContext):
    """The sink's tokens read only themselves; their K and V per layer are kept in `kv`."""

    def __init__(self, geometry: Geometry, attention: Attention):
        super().__init__(geometry, attention)
        self.kv: list[KV] = []

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if layer == len(self.kv):  # not when a backward pass runs the layer again: it would keep that one's activations
            self.kv.append((k, v))
        return super().attend(layer, q, k, v)


@dataclass(frozen=True)
class Window:
    """Window-relative positions: sink at 0.., the chunk's first latent at `start`, history right before it."""

    sink: int
    start: int
    chunk: int

    @staticmethod
    def of(sink: SinkConfig, longest_history: int, chunk: int) -> Window:
        return Window(sink.latents, sink.latents - 1 + sink.offset + longest_history, chunk)

    def sink_times(self, extra: int = 0) -> list[int]:
        """Sink positions; `extra` moves them further into the past (rolling sink, Live Avatar)."""
        return [t - extra for t in range(self.sink)]

    def chunk_times(self) -> list[int]:
        return list(range(self.start, self.start + self.chunk))


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _mask(
    in_chunk: InChunk, sink: int, filled: tuple[bool, ...], chunk: int, tokens: int, device: torch.device
) -> Tensor | None:
    """Additive mask (chunk * n, (sink + history + chunk) * n); None where everything may be read."""
    if in_chunk == "full" and all(filled):
        return None
    own = torch.ones(chunk, chunk, dtype=torch.bool)
    if in_chunk == "frame_causal":
        own = own.tril()
    history = torch.tensor(filled, dtype=torch.bool).expand(chunk, len(filled))
    allowed = torch.cat([torch.ones(chunk, sink, dtype=torch.bool), history, own], dim=1)
    allowed = allowed.repeat_interleave(tokens, 0).repeat_interleave(tokens, 1).to(device)
    return torch.zeros(allowed.shape, device=device).masked_fill(~allowed, float("-inf"))


def drop_caches() -> None:
    """Free the rotations and masks that are kept on the device from chunk to chunk; they are made again when needed."""
    _mask.cache_clear()
    rotation.cache_clear()


class RollingContext:
    """One chunk against sink and rings. Shapes do not change from the first chunk on."""

    def __init__(
        self,
        policies: Sequence[LayerPolicy],
        geometry: Geometry,
        window: Window,
        attention: Attention,
        sink: list[KV],
        history: History,
        read_slot: int,
        write_slot: int | None,
        sink_extra: int = 0,
    ):
        self.policies, self.geometry, self.window, self.attention = policies, geometry, window, attention
        self.sink, self.history = sink, history
        self.read_slot, self.write_slot = read_slot, write_slot
        self.sink_times = window.sink_times(sink_extra)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if self.write_slot is not None:
            self.history.stage(self.write_slot, layer, k, v)
        policy, window, chunk_times = self.policies[layer], self.window, self.window.chunk_times()
        keys, values = [k], [v]
        times: list[int] = [*chunk_times]
        ages: tuple[int | None, ...] = ()
        if policy.history:
            past_k, past_v = self.history.read(self.read_slot, layer, k)
            keys.insert(0, past_k)
            values.insert(0, past_v)
            ages = self.history.ages(layer)
            times[:0] = [window.start - (age or 0) for age in ages]
        sink = window.sink if policy.sink else 0
        if sink:
            keys.insert(0, self.sink[layer][0])
            values.insert(0, self.sink[layer][1])
            times[:0] = self.sink_times
        filled = tuple(age is not None for age in ages)
        mask = _mask(policy.in_chunk, sink, filled, window.chunk, self.geometry.tokens, q.device)
        q = rotate(q, self.geometry.rotations(chunk_times, q.device))
        k = rotate(torch.cat(keys, dim=1), self.geometry.rotations(times, q.device))
        return self.attention(q, k, torch.cat(values, dim=1), mask)

    def reference(self, layer: int, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        sink = self.sink[layer][0][:, : self.geometry.tokens]
        q = rotate(q, self.geometry.rotations(self.window.chunk_times(), q.device))
        return q, rotate(sink, self.geometry.rotations(self.sink_times[:1], q.device))


class SequenceContext:
    """All chunks of a training sequence in one pass: what each chunk's queries would have read from a `per_step`
    history, as an append-only view that is windowed at read, so gradients are those of the whole sequence."""

    def __init__(
        self, policies: Sequence[LayerPolicy], geometry: Geometry, window: Window, attention: Attention, sink: list[KV]
    ):
        self.policies, self.geometry, self.window, self.attention, self.sink = (
            policies,
            geometry,
            window,
            attention,
            sink,
        )

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        span = self.times(q.shape[1] // self.geometry.tokens, q.device)
        k = rotate(k, span)
        return self.read(layer, rotate(q, span), k, v, k, v)

    def times(self, latents: int, device: torch.device) -> Tensor:
        """Rotations of a sequence of `latents` latents, whose first chunk stands where every chunk of a stream does."""
        return self.geometry.rotations(range(self.window.start, self.window.start + latents), device)

    def read(self, layer: int, q: Tensor, k: Tensor, v: Tensor, past_k: Tensor, past_v: Tensor) -> Tensor:
        """Each chunk against the sink, its window of earlier latents of `past`, and itself. All of one length,
        queries and keys rotated."""
        policy, window, n = self.policies[layer], self.window, self.geometry.tokens
        size = window.chunk * n
        sink_k, sink_v = self.sink[layer]
        out = []
        for c in range(q.shape[1] // size):
            first = max(0, c * window.chunk - policy.history)
            past, own = slice(first * n, c * size), slice(c * size, (c + 1) * size)
            # The sink keeps its distance to every chunk: rotated along with it.
            moved = rotate(
                sink_k, self.geometry.rotations([t + c * window.chunk for t in window.sink_times()], q.device)
            )
            filled = (True,) * (c * window.chunk - first)
            mask = _mask(policy.in_chunk, window.sink if policy.sink else 0, filled, window.chunk, n, q.device)
            seen = 0 if policy.sink else moved.shape[1]
            keys = torch.cat([moved[:, seen:], past_k[:, past], k[:, own]], 1)
            values = torch.cat([sink_v[:, seen:], past_v[:, past], v[:, own]], 1)
            out.append(self.attention(q[:, own], keys, values, mask))
        return torch.cat(out, dim=1)

    def reference(self, layer: int, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        # The sink keeps its distance to every chunk, so each may be seen where a stream would see it.
        chunks = q.shape[1] // (self.window.chunk * self.geometry.tokens)
        sink = self.sink[layer][0][:, : self.geometry.tokens]
        q = rotate(q, self.geometry.rotations(self.window.chunk_times() * chunks, q.device))
        return q, rotate(sink, self.geometry.rotations(self.window.sink_times()[:1], q.device))
