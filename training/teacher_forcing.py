"""Teacher forcing: a clean and a noisy copy of a sequence in one pass, [clean | noisy] along time.

Clean chunk b reads clean chunks <= b, noisy chunk b reads clean chunks < b and itself; all read the sink, and earlier
chunks through each layer's window. That is what a stream under the `clean` cache policy does chunk by chunk: the extra
pass at sigma 0 writes the history that every denoising step reads (Causal-Forcing; LongLive 2.0).
"""

from __future__ import annotations

import torch
from torch import Tensor

from echotorrent_core.config import LayerPolicy
from echotorrent_core.model.history import SequenceContext, Window
from echotorrent_core.model.rope import rotate


class TeacherForcing(SequenceContext):
    """Tokens of both copies, (B, 2 T n, H, D). A chunk is multiplied only with what it may read."""

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        span = self.times(q.shape[1] // (2 * self.geometry.tokens), q.device).repeat(2, 1)
        q_clean, q_noisy = rotate(q, span).chunk(2, dim=1)
        k_clean, k_noisy = rotate(k, span).chunk(2, dim=1)
        v_clean, v_noisy = v.chunk(2, dim=1)
        clean = self.read(layer, q_clean, k_clean, v_clean, k_clean, v_clean)
        noisy = self.read(layer, q_noisy, k_noisy, v_noisy, k_clean, v_clean)
        return torch.cat([clean, noisy], dim=1)


class MaskedTeacherForcing(SequenceContext):
    """The same as one attention under a mask, to read and to compare with: most of its products are thrown away."""

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        latents = q.shape[1] // (2 * self.geometry.tokens)
        span = self.times(latents, q.device).repeat(2, 1)
        chunks = latents // self.window.chunk
        # The sink keeps its distance to every chunk, so each chunk has a copy of its own.
        times = [t + c * self.window.chunk for c in range(chunks) for t in self.window.sink_times()]
        sink_k, sink_v = (x.repeat(1, chunks, 1, 1) for x in self.sink[layer])
        sink_k = rotate(sink_k, self.geometry.rotations(times, q.device))
        allowed = readable(self.policies[layer], self.window, latents).to(q.device)
        allowed = allowed.repeat_interleave(self.geometry.tokens, 0).repeat_interleave(self.geometry.tokens, 1)
        mask = torch.zeros(allowed.shape, device=q.device).masked_fill(~allowed, float("-inf"))
        keys, values = torch.cat([sink_k, rotate(k, span)], 1), torch.cat([sink_v, v], 1)
        return self.attention(rotate(q, span), keys, values, mask)


def readable(policy: LayerPolicy, window: Window, latents: int) -> Tensor:
    """Which latents a layer's latents may read: (2 T, chunks * S + 2 T) bool. Queries are [clean | noisy], keys a sink
    of S latents per chunk and [clean | noisy]."""
    t = torch.arange(latents).repeat(2)
    noisy = torch.arange(2 * latents) >= latents
    start = t // window.chunk * window.chunk  # of the chunk that a latent lies in
    sink = torch.arange(0, latents, window.chunk).repeat_interleave(window.sink)
    before = t[None] < start[:, None]
    near = t[None] >= start[:, None] - policy.history
    own = (noisy[:, None] == noisy[None]) & (start[:, None] == start[None])
    if policy.in_chunk == "frame_causal":
        own &= t[None] <= t[:, None]
    return torch.cat([(start[:, None] == sink[None]) & policy.sink, (~noisy[None] & before & near) | own], dim=1)
