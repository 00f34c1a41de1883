"""The network that every method trains or asks: a trunk and its word table, as a map from noisy to clean latents.

How a pass may attend is in the `EngineConfig` it is given: with the layer policies and the chunk of a stream, all chunks
of a sequence are done in one pass as the stream would do them one by one; with one chunk as long as the sequence and
full attention it is a bidirectional teacher of that window.
"""

from __future__ import annotations

from torch import Tensor, nn

from echotorrent_core import flow
from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.config import EngineConfig
from echotorrent_core.model.audio_adapters import windows
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import Geometry, SequenceContext, Window
from echotorrent_core.model.sink import condition_channels, sink_kv

from .loop import Batch


class Denoiser(nn.Module):
    """Trunk and word table: what trains together and is saved as `trunk` and `text`. Student, teacher and critic are
    one each."""

    def __init__(self, trunk: Trunk, text: WordEncoder):
        super().__init__()
        self.trunk, self.text = trunk, text

    def forward(
        self,
        config: EngineConfig,
        noisy: Tensor,
        sigma: Tensor,
        reference: Tensor,
        sink: Tensor,
        batch: Batch,
        first: bool,
    ) -> Tensor:
        """Clean estimates of a sequence: noisy (B, C, T, h, w) at sigma (B, T) -> x0 of the same shape."""
        trunk = self.trunk
        rows, columns = trunk.grid(*noisy.shape[-2:])
        geometry = Geometry(rows, columns, config.trunk.head_dim, config.trunk.rope_theta)
        window = Window.of(config.stream.sink, config.history_latents, config.stream.chunk_latents)
        text = trunk.embed_text(self.text(batch["ids"]))
        audio = config.trunk.audio
        assert audio is not None
        features = batch["features"].unflatten(-1, (audio.blocks, -1))
        tokens = trunk.audio_proj(windows(features, audio.window))
        constants = sink_kv(trunk, geometry, sink, reference, text)
        context = SequenceContext(config.layers, geometry, window, trunk.attention, constants)
        condition = condition_channels(reference, noisy.shape[2], first)
        output = trunk(noisy, sigma, condition, text, tokens, context)
        return flow.to_x0(output, noisy, sigma, config.trunk.prediction, reference)
