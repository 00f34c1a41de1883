"""The student's own samples, made as the stream makes them and with the same policy objects.

`Rollout` goes chunk by chunk through a history, keeps its state from window to window, and stands under gradients: the
estimate of an exit step is graded, keys and values never are. `sample` does all chunks of a window side by side, which
under a `per_step` cache is the stream itself: a chunk reads what earlier chunks were at the same step, and they are
that in the same pass.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from echotorrent_core import flow
from echotorrent_core.config import EngineConfig
from echotorrent_core.model.attention import Attention
from echotorrent_core.model.audio_adapters import FRAMES_PER_LATENT
from echotorrent_core.model.history import KV, Geometry, History, RollingContext, Window, WritePolicy
from echotorrent_core.model.ring import Ring
from echotorrent_core.sampler import denoise, new_step
from echotorrent_core.schedules import on_grid

from .loop import Batch


@dataclass(frozen=True)
class Rolled:
    """x0: estimates (B, C, T, h, w) of the exit step, under gradients where graded; final: what the stream goes on
    with and would show, detached."""

    x0: Tensor
    final: Tensor


class Rollout:
    """One stream per sample of a batch. A window is as many chunks as the batch's features speak for."""

    def __init__(self, config: EngineConfig, reference: Tensor):
        stream = config.stream
        if stream.window is not None or len(stream.guidance.passes) > 1:
            raise ValueError(f"preset {config.name}: rollouts are of streams with a history and without guidance")
        self.config = config
        self.policy = WritePolicy(stream.cache_write, len(stream.sigmas))
        (height, width), (_, tall, wide) = reference.shape[-2:], config.trunk.patch
        tokens = (height // tall) * (width // wide)
        dtype = None if stream.history_dtype is None else getattr(torch, stream.history_dtype)
        self.history = KeptHistory(config.layers, self.policy.slots, tokens, dtype)
        self.reference, self.sink = reference, reference
        self.chunks = 0

    def window(
        self,
        student: nn.Module,
        batch: Batch,
        generator: torch.Generator,
        exit_step: int | None = None,
        graded: Collection[int] = (),
        ends: bool = False,
        two_phase: bool = True,
    ) -> Rolled:
        """The next chunks of the stream, and their exit step's estimates (default: the last step's).

        graded: which chunks of the window are under gradients. ends: nothing goes on from this window, so steps after
        the exit that only write history may be left out. two_phase: graded passes keep no activations, but are run
        again in the backward pass, one chunk after the other.
        """
        size = self.config.stream.chunk_latents
        parts = []
        for c in range(latents_of(batch, self.margin) // size):
            told = part(batch, c * size, (c + 1) * size, self.margin)
            parts.append(self._chunk(student, told, generator, exit_step, c in graded, ends, two_phase))
        return Rolled(torch.cat([p.x0 for p in parts], dim=2), torch.cat([p.final for p in parts], dim=2))

    def _chunk(
        self,
        student: nn.Module,
        batch: Batch,
        generator: torch.Generator,
        exit_step: int | None,
        graded: bool,
        ends: bool,
        two_phase: bool,
    ) -> Rolled:
        stream = self.config.stream
        leave = self.policy.steps - 1 if exit_step is None else exit_step
        new_sink = self.chunks == 0 and stream.sink.source == "first_generated"
        writes = exit_policy(self.policy, leave, complete=new_sink or not ends)
        sigmas = stream.sigmas[: writes.steps]
        told = on_grid(sigmas) if stream.sampler == "unipc" else sigmas
        sink = self._sink(generator)
        shape = (*self.reference.shape[:2], stream.chunk_latents, *self.reference.shape[-2:])
        noise = torch.randn(shape, generator=generator).to(self.reference)
        taken = noise

        def estimate(x: Tensor, sigma: float, i: int) -> Tensor:
            nonlocal taken
            with torch.set_grad_enabled(graded and i == leave):
                x0 = self._pass(student, x, told[i], batch, (writes.read(i), writes.write(i)), sink, two_phase)
            taken = x0 if i == leave else taken
            return x0.detach()

        final = denoise(estimate, noise, sigmas, new_step(stream.sampler), generator)
        if writes.extra_pass:
            with torch.no_grad():
                self._pass(student, final, 0.0, batch, (0, 0), sink)
        self.history.commit(stream.chunk_latents)
        self.chunks += 1
        if new_sink:
            self.sink = final[:, :, : stream.sink.latents].clone()
        return Rolled(taken, final)

    @torch.no_grad()
    def recache(self, student: nn.Module, batch: Batch, latents: Tensor, generator: torch.Generator) -> None:
        """Write the history anew from the latest final latents (B, C, T, h, w) under what `batch` says now, after a
        prompt has changed (LongLive). A slot's keys and values are those of its own level: the denoising step's under
        `per_step`, the last step's, or the clean one."""
        stream, size = self.config.stream, self.config.stream.chunk_latents
        slots = {"per_step": stream.sigmas, "last_step": stream.sigmas[-1:], "clean": (0.0,)}[stream.cache_write]
        self.history.clear()
        for c in range(latents.shape[2] // size):
            told, clean = part(batch, c * size, (c + 1) * size, self.margin), latents[:, :, c * size : (c + 1) * size]
            sink = self._sink(generator)
            for slot, sigma in enumerate(slots):
                noise = torch.randn(clean.shape, generator=generator).to(clean)
                self._pass(student, flow.renoise(clean, noise, sigma), sigma, told, (slot, slot), sink)
            self.history.commit(size)

    @property
    def margin(self) -> int:
        """Frames on either side that the audio adapter's window reads."""
        audio = self.config.trunk.audio
        return 0 if audio is None else audio.window // 2

    def _sink(self, generator: torch.Generator) -> Sink:
        most = self.config.stream.sink.offset_random
        return Sink(int(torch.randint(0, most + 1, (1,), generator=generator)) if most else 0)

    def _pass(
        self,
        student: nn.Module,
        x: Tensor,
        sigma: float,
        batch: Batch,
        slots: tuple[int, int | None],
        sink: Sink,
        two_phase: bool = False,
    ) -> Tensor:
        """One pass of a chunk that reads and writes these slots of the history."""
        level, first = torch.full((x.shape[0], x.shape[2]), sigma, device=x.device), bool(batch["first"])
        read, write = slots
        # What is under gradients is kept until the backward pass, so it holds no more than it needs.
        sink = Sink(sink.extra) if torch.is_grad_enabled() else sink
        view = self.history.view(read)
        reads = partial(chunk_context, self.config, view, read, write, sink)
        x0: Tensor = student(
            self.config, x, level, self.reference, self.sink, batch, first, context=reads, recompute=two_phase
        )
        self.history.take(view)
        return x0.float()

    # What a rollout carries from window to window

    def state(self) -> dict[str, Tensor]:
        """Flat, for a checkpoint; the reference is the owner's to keep."""
        counts = torch.tensor([self.chunks, self.history.written])
        return {"sink": self.sink, "counts": counts} | {
            f"history.{k}": v.clone() for k, v in self.history.tensors().items()
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """What `state` gave."""
        self.sink = state["sink"].to(self.reference)
        self.chunks, written = (int(count) for count in state["counts"])
        prefix = "history."
        tensors = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        self.history.load_tensors({k: v.to(self.reference.device) for k, v in tensors.items()}, written)


class KeptHistory(History):
    """A history whose tensors are never written to again, so that a pass that is run once more in the backward pass
    (activation checkpointing) reads what it read before. In place, it would read later chunks and give wrong gradients
    in silence. Passes get a `view`; chunks are kept one by one, shared by all views, and windowed where they are read.
    """

    open = True

    def view(self, slot: int) -> KeptHistory:
        """One slot as it is now, whatever is committed later."""
        view = copy.copy(self)
        view.rings = {key: ring for key, ring in self.rings.items() if key[0] == slot}
        view._staged = {}
        return view

    def take(self, view: KeptHistory) -> None:
        """What a view's pass has staged; running the pass again stages nothing."""
        self._staged |= view._staged
        view._staged, view.open = {}, False

    def stage(self, slot: int, layer: int, k: Tensor, v: Tensor) -> None:
        if self.open:
            super().stage(slot, layer, k, v)

    def commit(self, latents: int) -> None:
        rings = dict(self.rings)
        for (slot, layer), new in self._staged.items():
            old = self.rings.get((slot, layer), (None, None))
            k, v = (Chain.behind(a, b, self.capacity[layer]) for a, b in zip(old, new, strict=True))
            rings[slot, layer] = (k, v)
        self.rings, self._staged = rings, {}
        self.written += latents

    def clear(self) -> None:
        self.rings, self._staged = {}, {}
        self.written = 0

    def ages(self, layer: int) -> tuple[int | None, ...]:
        kept = min(self.capacity[layer], self.written)
        return tuple(range(kept, 0, -1)) if kept else super().ages(layer)


class Chain(Ring):
    """The latest `capacity` latents of rings one behind the other, joined where they are read."""

    def __init__(self, parts: tuple[Ring, ...], capacity: int):
        self.parts, self.capacity = parts, capacity

    @staticmethod
    def behind(old: Ring | None, new: Ring, capacity: int) -> Chain:
        """With a new ring at its end, and without those at its beginning that nothing reads any more."""
        parts = (new,) if old is None else (*(old.parts if isinstance(old, Chain) else (old,)), new)
        while sum(part.data.shape[1] for part in parts[1:]) >= capacity:
            parts = parts[1:]
        return Chain(parts, capacity)

    @property
    def data(self) -> Tensor:  # type: ignore[override]
        return torch.cat([part.data for part in self.parts], dim=1)[:, -self.capacity :]

    @property
    def scale(self) -> Tensor | None:  # type: ignore[override]
        scales = [part.scale for part in self.parts if part.scale is not None]
        return torch.cat(scales, dim=1)[:, -self.capacity :] if scales else None


@dataclass(frozen=True)
class Sink:
    """How much further in the past the sink lies for a chunk, and its keys and values, which are the same for all of
    the chunk's passes."""

    extra: int
    kept: list[list[KV]] = field(default_factory=list)

    def constants(self, compute: Callable[[], list[KV]]) -> list[KV]:
        """Computed once, but always anew under gradients."""
        if torch.is_grad_enabled():
            return compute()
        self.kept[:] = self.kept or [compute()]
        return self.kept[0]


def chunk_context(
    config: EngineConfig,
    history: History,
    read: int,
    write: int | None,
    sink: Sink,
    geometry: Geometry,
    window: Window,
    attention: Attention,
    compute: Callable[[], list[KV]],
) -> RollingContext:
    """What a pass of one chunk reads; with all but the last four arguments given, as `Denoiser.forward` takes it."""
    constants = sink.constants(compute)
    return RollingContext(config.layers, geometry, window, attention, constants, history, read, write, sink.extra)


def exit_policy(policy: WritePolicy, exit_step: int, complete: bool) -> WritePolicy:
    """The policy of a chunk whose result is that of an exit step: its `steps` are those to run.

    `last_step` and `clean` end there, and the history is made from that result. Under `per_step` every later step has a
    slot that the next chunk's same step reads, so unless the stream ends (not `complete`) all are run.
    """
    whole = policy.name == "per_step" and complete
    return policy if whole else WritePolicy(policy.name, exit_step + 1)


# Batches


def latents_of(batch: Batch, margin: int) -> int:
    """Latents that a batch's per-frame features (B, F + 2 margin, channels) speak for."""
    frames = batch["features"].shape[1] - 2 * margin
    return (frames + (FRAMES_PER_LATENT - 1) * bool(batch["first"])) // FRAMES_PER_LATENT


def part(batch: Batch, start: int, stop: int, margin: int) -> Batch:
    """What belongs to latents [start, stop) of a batch's window: features, and latents and masks where it has them."""
    first = bool(batch["first"])
    begin, end = (max(0, FRAMES_PER_LATENT * t - (FRAMES_PER_LATENT - 1) * first) for t in (start, stop))
    cut = {name: batch[name][:, :, start:stop] for name in ("latents", "mask") if name in batch}
    features = batch["features"][:, begin : end + 2 * margin]
    return batch | cut | {"features": features, "first": torch.tensor(first and start == 0)}


# Side by side


def sample(
    student: nn.Module,
    config: EngineConfig,
    batch: Batch,
    generator: torch.Generator,
    exit_step: int | None = None,
    graded: bool = False,
    two_phase: bool = True,
) -> Tensor:
    """Latents (B, C, T, h, w) of whole sequences under the batch's audio, motion, words and reference: the estimates of
    an exit step (default: the last), under gradients if graded. The sink is the reference throughout.

    Unlike a rollout's, the gradients also go through what the chunks read of one another in that pass.
    """
    stream = config.stream
    if stream.cache_write != "per_step":
        raise ValueError(f"chunks side by side are a stream under `per_step` only, not under `{stream.cache_write}`")
    reference, first = batch["reference"], bool(batch["first"])
    shape = batch["latents"].shape
    noise = torch.randn(shape, generator=generator).to(reference)
    leave = len(stream.sigmas) - 1 if exit_step is None else exit_step

    def estimate(x: Tensor, sigma: float, i: int) -> Tensor:
        level = torch.full((shape[0], shape[2]), sigma, device=x.device)
        with torch.set_grad_enabled(graded and i == leave):
            return student(config, x, level, reference, reference, batch, first, recompute=two_phase).float()

    return denoise(estimate, noise, stream.sigmas[: leave + 1], new_step(stream.sampler), generator)
