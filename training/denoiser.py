"""The network that every method trains or asks: a trunk and its word table, as a map from noisy to clean latents.

How a pass may attend is in the `EngineConfig` it is given: with the layer policies and the chunk of a stream, all
chunks of a sequence are done in one pass as the stream would do them one by one; with one chunk as long as the sequence
and full attention (`teacher_config`) it is a bidirectional teacher of that window.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from echotorrent_core import flow
from echotorrent_core.config import EngineConfig, LayerPolicy
from echotorrent_core.model.attention import Attention
from echotorrent_core.model.audio_adapters import windows
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import KV, Context, Geometry, SequenceContext, Window
from echotorrent_core.model.sink import condition_channels, sink_kv

from .loop import Batch
from .teacher_forcing import TeacherForcing

# What a pass may read, made once its geometry is known; the last argument computes the sink's keys and values.
ContextOf = Callable[[Geometry, Window, Attention, Callable[[], list[KV]]], Context]


def teacher_config(config: EngineConfig, latents: int) -> EngineConfig:
    """The same network as a bidirectional model of windows of `latents` latents: one chunk, in which everything reads
    everything and the sink."""
    layers = (LayerPolicy(0, "full"),) * config.trunk.num_layers
    stream = dataclasses.replace(config.stream, chunk_latents=latents)
    return dataclasses.replace(config, layers=layers, stream=stream)


class Denoiser(nn.Module):
    """Trunk and word table: what trains together and is saved as `trunk` and `text`. Student, teacher and critic are
    one each."""

    def __init__(self, trunk: Trunk, text: nn.Module):
        super().__init__()
        self.trunk, self.text = trunk, text
        # Whether the sink's keys and values are under gradients. The sink is a pass of its own, so that gradients of
        # whole weights then wait for the end of the backward pass: 38 GB of a sharded 14B model.
        self.sink_gradient = True

    def forward(
        self,
        config: EngineConfig,
        noisy: Tensor,
        sigma: Tensor,
        reference: Tensor,
        sink: Tensor,
        batch: Batch,
        first: bool,
        clean: Tensor | None = None,
        context: ContextOf | None = None,
        recompute: bool = False,
    ) -> Tensor:
        """Clean estimates of a sequence: noisy (B, C, T, h, w) at sigma (B, T) -> x0 of the same shape.

        clean: latents (B, C, T, h, w) that earlier chunks are read from (teacher forcing); None reads the noisy ones.
        context: reads something else altogether, such as a history (training/rollout.py).
        recompute: keep no activations for the backward pass, but run this one again there (activation checkpointing).
        """
        inputs = (config, noisy, sigma, reference, sink, batch, first, clean, context)
        if torch.is_grad_enabled():
            # Before torch 2.10, weights that autocast has cast in a pass without gradients are reused in this one, and
            # receive none.
            torch.clear_autocast_cache()
        if recompute and torch.is_grad_enabled():
            # Inside forward, so that wrappers of several processes see one pass, not two. Nothing here draws numbers.
            return checkpoint(self._estimate, *inputs, use_reentrant=False, preserve_rng_state=False)
        return self._estimate(*inputs)

    def _estimate(
        self,
        config: EngineConfig,
        noisy: Tensor,
        sigma: Tensor,
        reference: Tensor,
        sink: Tensor,
        batch: Batch,
        first: bool,
        clean: Tensor | None,
        context: ContextOf | None,
    ) -> Tensor:
        trunk = self.trunk
        rows, columns = trunk.grid(*noisy.shape[-2:])
        geometry = Geometry(rows, columns, config.trunk.head_dim, config.trunk.rope_theta)
        window = Window.of(config.stream.sink, config.history_latents, config.stream.chunk_latents)
        # Published presets bring what umT5, CLIP and the VAE made of prompt and picture (training/data).
        text = trunk.embed_text(self.text(batch["text"] if "text" in batch else batch["ids"]))
        image = trunk.embed_image(batch["image"]) if "image" in batch else None
        start = batch.get("start", reference)
        audio = config.trunk.audio
        assert audio is not None
        features = batch["features"].unflatten(-1, (audio.blocks, -1))
        tokens = trunk.audio_proj(windows(features, audio.window))
        condition = condition_channels(start, noisy.shape[2], first)
        x, levels = noisy, sigma
        if clean is not None:
            x, levels = torch.cat([clean, noisy], dim=2), torch.cat([torch.zeros_like(sigma), sigma], dim=1)
            condition, tokens = condition.repeat(1, 1, 2, 1, 1), tokens.repeat(1, 2, 1, 1)

        def constants() -> list[KV]:
            with torch.set_grad_enabled(torch.is_grad_enabled() and self.sink_gradient):
                return sink_kv(trunk, geometry, sink, start, text, image)

        if context is None:
            kind = SequenceContext if clean is None else TeacherForcing
            reads: Context = kind(config.layers, geometry, window, trunk.attention, constants())
        else:
            reads = context(geometry, window, trunk.attention, constants)
        output = trunk(x, levels, condition, text, tokens, reads, image)[:, :, -noisy.shape[2] :]
        return flow.to_x0(output, noisy, sigma, config.trunk.prediction, reference)
