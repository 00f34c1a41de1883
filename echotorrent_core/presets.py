"""Presets: plain functions that return a complete `EngineConfig`; each number names its source."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable

from .config import (
    AudioAdapterConfig,
    AudioEncoderConfig,
    EngineConfig,
    LayerPolicy,
    MotionConfig,
    SinkConfig,
    StreamConfig,
    TextConfig,
    TrunkConfig,
    VAEConfig,
)


def staggered(num_layers: int, history: int) -> tuple[LayerPolicy, ...]:
    """Every other layer causal with history, the rest bidirectional without (paper 4.1)."""
    causal, full = LayerPolicy(history, "frame_causal"), LayerPolicy(0, "full")
    return tuple(causal if i % 2 == 0 else full for i in range(num_layers))


def embedded() -> EngineConfig:
    """The small model shipped with the repository: 128 px, 25 fps, CPU real time."""
    audio = AudioEncoderConfig()
    z_dim = 48  # linear latents; 32 loses 1.5 dB in the mouth
    return EngineConfig(
        name="embedded",
        size=(128, 128),
        trunk=TrunkConfig(
            dim=192,
            ffn_dim=768,
            num_heads=4,
            num_layers=8,
            in_dim=2 * z_dim + 4,  # Wan I2V layout: latents, 4 mask channels, condition latents
            out_dim=z_dim,
            text_dim=32,
            text_len=8,
            image_dim=0,
            freq_dim=128,
            prediction="reference_residual",
            audio=AudioAdapterConfig(
                window=5,
                blocks=1,
                channels=audio.out_channels + 8,  # and 8 motion channels
                intermediate_dim=384,
                output_dim=192,
                context_tokens=4,
                inject=True,
            ),
        ),
        layers=staggered(8, history=12),  # paper 4.1: 12 latents of history
        vae=VAEConfig(
            z_dim=z_dim,
            widths=(32, 64, 128),
            num_res_blocks=1,
            temporal=(True, True),
            spatial=(True, True),
            patch=2,
            kernel_t=(1, 3, 3),
            attention=False,
            linear_skip=True,
            linear_encoder=True,  # the trunk can train at once, and learns linear latents sooner
        ),
        audio=audio,
        text=TextConfig(kind="words", dim=32, length=8),
        motion=MotionConfig(),
        stream=StreamConfig(
            chunk_latents=4,  # paper 4.1
            sigmas=(1.0, 0.75, 0.5, 0.25),
            sampler="renoise",
            cache_write="per_step",  # paper Alg. 2
            history_dtype="bfloat16",  # half the state written per chunk
            sink=SinkConfig(source="first_generated"),  # paper Alg. 2 line 15
        ),
    )


def debug() -> EngineConfig:
    """Random-weight toy of the same shape as `embedded`; runs in milliseconds in tests."""
    base = embedded()
    return dataclasses.replace(
        base,
        name="debug",
        size=(32, 32),
        trunk=dataclasses.replace(
            base.trunk,
            dim=24,
            ffn_dim=48,
            num_heads=2,
            num_layers=4,
            in_dim=2 * 4 + 4,
            out_dim=4,
            freq_dim=16,
            audio=AudioAdapterConfig(
                blocks=1, channels=12 + 19 + 8, intermediate_dim=16, output_dim=24, context_tokens=2, inject=True
            ),
        ),
        layers=staggered(4, history=12),
        vae=dataclasses.replace(base.vae, z_dim=4, widths=(4, 8, 8), decoder_widths=None),
        audio=dataclasses.replace(base.audio, channels=12, layers=2),
        stream=dataclasses.replace(base.stream, sigmas=(1.0, 0.5)),
    )


PRESETS: dict[str, Callable[[], EngineConfig]] = {"embedded": embedded, "debug": debug}


def get_preset(name: str) -> EngineConfig:
    """The preset called `name`; ValueError with the nearest known name otherwise."""
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "known presets: " + ", ".join(PRESETS)
        raise ValueError(f"unknown preset '{name}'; {hint}")
    return PRESETS[name]()
