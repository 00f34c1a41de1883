"""The VAE against Wan's: encoding of any length, decoding whole and streamed, and what it keeps between two calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from echotorrent_core.config import VAEConfig
from echotorrent_core.vae.causal import CausalVAE

from ..runner import Fixture, case


def vae_of(fixture: Fixture, normalise: bool = True) -> CausalVAE:
    c = fixture.meta["config"]
    statistics = {name: tuple(fixture.io[f"in/latent_{name}"].tolist()) for name in ("mean", "std")}
    config = VAEConfig(
        z_dim=c["z_dim"],
        widths=tuple(c["dim"] * factor for factor in c["dim_mult"]),
        num_res_blocks=c["num_res_blocks"],
        temporal=tuple(c["temporal_downsample"]),
        **(statistics if normalise else {}),
    )
    vae = CausalVAE(config)
    vae.load_state_dict(fixture.weights())
    return vae.eval()


@case("vae")
def vae(fixture: Fixture) -> Iterator[tuple[Any, ...]]:
    io, vae = fixture.io, vae_of(fixture)
    video, z = io["in/video"], io["in/z"]
    yield "out/latent", vae.encode(video)[0]
    yield "out/latent_unnormalised", vae_of(fixture, normalise=False).encode(video)[0]
    yield "out/latent_single_frame", vae.encode(video[:, :, :1])[0]
    yield "out/latent_9_frames", vae.encode(video[:, :, :9])[0]
    yield "out/latent_trailing_frames_dropped", vae.encode(video[:, :, :-2])[0]
    yield "out/video", vae.decode(z)[0]
    yield "out/video_single_latent", vae.decode(z[:, :, :1])[0]

    parts, cache = [], None
    for part in z.split(1, dim=2):
        frames, cache = vae.decode(part, cache)
        parts.append(frames)
    assert [part.shape[2] for part in parts] == fixture.meta["checks"]["decode_chunk_frame_counts"]
    yield "out/video streamed", torch.cat(parts, 2), io["out/video"]
    parts, cache = [], None
    for part in video.split([1, 8, video.shape[2] - 9], dim=2):
        latents, cache = vae.encode(part, cache)
        parts.append(latents)
    yield "out/latent streamed", torch.cat(parts, 2), io["out/latent"]
