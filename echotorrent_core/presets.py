"""Presets: plain functions that return a complete `EngineConfig`; each number names its source."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable

from . import schedules
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
    Wav2Vec2StreamConfig,
    WindowConfig,
)
from .guidance import Guidance


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


def embedded_small() -> EngineConfig:
    """`embedded` at 64 px and two thirds of its width: what the small recipe trains, and the ablation table. No weights
    of it are shipped."""
    base = embedded()
    audio = base.trunk.audio
    assert audio is not None
    z_dim = 32
    return dataclasses.replace(
        base,
        name="embedded_small",
        size=(64, 64),
        trunk=dataclasses.replace(
            base.trunk,
            dim=128,
            ffn_dim=512,
            num_layers=6,
            in_dim=2 * z_dim + 4,
            out_dim=z_dim,
            freq_dim=64,
            audio=dataclasses.replace(audio, intermediate_dim=256, output_dim=128),
        ),
        layers=staggered(6, history=12),
        vae=dataclasses.replace(base.vae, z_dim=z_dim, widths=(16, 32, 64)),
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
        audio=AudioEncoderConfig(channels=12, layers=2),
        stream=dataclasses.replace(base.stream, sigmas=(1.0, 0.5)),
    )


NEGATIVE = (  # what people ask Wan to avoid in portraits
    "blurry, low quality, compression artefacts, overexposed, still picture, subtitles, watermark, deformed face, "
    "crooked teeth, extra fingers, fused fingers, cluttered background, flicker"
)
WAN_VAE = VAEConfig(  # Wan 2.1; statistics of its latents as published
    mean=(-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508)
    + (0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921),
    std=(2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743)
    + (3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160),
)
DISTILLED = schedules.warped((1.0, 0.75, 0.5, 0.25), 5.0)  # LightX2V and SoulX-FlashTalk: 1, .9375, .8333, .625


def infinitetalk_14b() -> EngineConfig:
    """InfiniteTalk on Wan 2.1 I2V 14B 480p as published: windows of 81 frames, 40 steps of three passes."""
    trunk = TrunkConfig()  # its defaults are this model
    return EngineConfig(
        name="infinitetalk_14b",
        size=(640, 640),  # the 480p bucket has the area of 640 x 640
        trunk=trunk,
        layers=(LayerPolicy(),) * trunk.num_layers,
        vae=WAN_VAE,
        audio=Wav2Vec2StreamConfig(silence=False),  # ends of the sound are repeated
        text=TextConfig(kind="umt5", dim=4096, length=512, negative=NEGATIVE),
        stream=StreamConfig(
            chunk_latents=21,  # 81 frames
            sigmas=schedules.infinitetalk(40, 7.0),  # shift of 480p
            sampler="euler",
            cache_write="last_step",
            condition="first",
            guidance=Guidance(text_scale=5.0, audio_scale=4.0),
            window=WindowConfig(overlap=9, colour=1.0),
        ),
    )


def infinitetalk_14b_lightx2v() -> EngineConfig:
    """InfiniteTalk with LightX2V's step-distilled I2V LoRA (strength 1): 4 steps of one pass."""
    base = infinitetalk_14b()
    stream = dataclasses.replace(base.stream, sigmas=DISTILLED, guidance=Guidance())
    return dataclasses.replace(base, name="infinitetalk_14b_lightx2v", stream=stream)


def flashtalk_14b() -> EngineConfig:
    """SoulX-FlashTalk: InfiniteTalk's network distilled to 4 steps of one pass, windows of 33 frames."""
    base = infinitetalk_14b()
    stream = dataclasses.replace(
        base.stream,
        chunk_latents=9,  # 33 frames, 28 of them new
        sigmas=DISTILLED,
        sampler="renoise",
        guidance=Guidance(),
        window=WindowConfig(overlap=5, colour=1.0),
    )
    # Its 8 seconds of sound are filled with silence from the start.
    return dataclasses.replace(
        base, name="flashtalk_14b", size=(448, 768), audio=Wav2Vec2StreamConfig(silence=True), stream=stream
    )


def echotorrent_14b() -> EngineConfig:
    """EchoTorrent's hybrid (paper 4.1, Alg. 2) at full size. No weights of it are published: it starts from those of
    InfiniteTalk with LightX2V's LoRA, untrained for these policies, or takes what training/ makes of them."""
    base = infinitetalk_14b()
    return dataclasses.replace(
        base,
        name="echotorrent_14b",
        size=(400, 720),  # paper 4.1
        layers=staggered(base.trunk.num_layers, history=12),
        stream=StreamConfig(
            chunk_latents=4,
            sigmas=DISTILLED,
            sampler="renoise",
            cache_write="per_step",
            history_dtype="bfloat16",
            condition="first",
            sink=SinkConfig(source="first_generated"),
        ),
    )


PRESETS: dict[str, Callable[[], EngineConfig]] = {
    function.__name__: function
    for function in (
        embedded,
        embedded_small,
        debug,
        infinitetalk_14b,
        infinitetalk_14b_lightx2v,
        flashtalk_14b,
        echotorrent_14b,
    )
}


def get_preset(name: str) -> EngineConfig:
    """The preset called `name`; ValueError with the nearest known name otherwise."""
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "known presets: " + ", ".join(PRESETS)
        raise ValueError(f"unknown preset '{name}'; {hint}")
    return PRESETS[name]()
