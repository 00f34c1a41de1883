"""The stream in window mode against InfiniteTalk's whole generation loop, with its tiny trunk, VAE and CLIP.

Only what the fixture fixes is put in from outside: features of the sound, text features and each window's noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from echotorrent_core import schedules, stream
from echotorrent_core.conditioning.clip import encode_image, load_clip
from echotorrent_core.conditioning.wav2vec2 import Wav2Vec2StreamConfig
from echotorrent_core.config import EngineConfig, LayerPolicy, StreamConfig, TextConfig, VAEConfig, WindowConfig
from echotorrent_core.guidance import Guidance
from echotorrent_core.model.speakers import box_masks, default_boxes
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.source import open_source

from ..runner import Fixture, case
from .transformer import trunk_of

FRAME = 640


class Given:
    """A sound source whose features are known beforehand; ends are repeated, as wav2vec's are."""

    config = Wav2Vec2StreamConfig()

    def __init__(self, features: Tensor, clock: int = 0):
        self.known, self.clock = features, clock

    def push(self, samples: Tensor) -> Given:
        return Given(self.known, self.clock + samples.numel())

    def needed(self, last_frame: int) -> int:
        return (last_frame + 1) * FRAME

    def features(self, encoder: Any, first_frame: int, n: int) -> Tensor:
        assert first_frame + n <= len(self.known), "asked for sound that does not exist"
        return self.known[torch.arange(first_frame, first_frame + n).clamp_min(0)].flatten(1)[None]


class Text:
    def __init__(self, prompt: Tensor, negative: Tensor):
        self.features = {"prompt": prompt[None], "negative": negative[None]}

    def encode(self, prompt: str) -> Tensor:
        return self.features[prompt]


class Clip:
    def __init__(self, fixture: Fixture):
        heads = fixture_of(fixture, "clip_vision").meta["config"]["num_heads"]
        weights = fixture_of(fixture, "clip_vision").folder / "weights.safetensors"
        self.model = load_clip(open_source(weights), torch.float32, heads=heads)

    def encode(self, picture: Tensor) -> Tensor:
        return encode_image(self.model, picture)


class Spy:
    """Puts in a window's noise, and keeps what goes into the trunk and comes out of it."""

    def __init__(self, engine: stream.Engine, noise: Tensor):
        self.engine, self.noise = engine, noise
        self.calls: list[tuple[Any, Tensor]] = []

    def __enter__(self) -> Spy:
        engine, decode = self.engine, self.engine.chunks.decode
        engine.noise = lambda state: self.noise[None]
        self.hooks = [
            engine.trunk.register_forward_hook(lambda module, args, output: self.calls.append((args, output[0]))),
            engine.trunk.audio_proj.register_forward_hook(self._heard),
        ]

        def spied(vae: CausalVAE, state: Any, latents: Tensor) -> Any:
            self.final = latents[0]
            return decode(vae, state, latents)

        engine.chunks.decode = spied
        return self

    def _heard(self, module: Any, args: Any, output: Any) -> None:
        if args[0].abs().sum() > 0:  # not the silence of the passes without audio
            self.windows = args[0]

    def __exit__(self, *exc: object) -> None:
        for hook in self.hooks:
            hook.remove()
        del self.engine.noise, self.engine.chunks.decode


def fixture_of(fixture: Fixture, name: str) -> Fixture:
    return Fixture(fixture.folder.parent / name)


def cover(image: np.ndarray, height: int, width: int) -> Tensor:
    """Resize to cover, crop the centre: uint8 (H, W, 3) -> (3, height, width) in [-1, 1]."""
    scale = max(height / image.shape[0], width / image.shape[1])
    size = math.ceil(scale * image.shape[1]), math.ceil(scale * image.shape[0])
    resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    top, left = round((size[1] - height) / 2), round((size[0] - width) / 2)
    cropped = resized[top : top + height, left : left + width]
    return torch.from_numpy(cropped.copy()).permute(2, 0, 1).float() / 127.5 - 1


@case("pipeline_single", "pipeline_two")
def pipeline(fixture: Fixture) -> Iterator[tuple[Any, ...]]:
    io, c = fixture.io, fixture.meta["config"]
    trunk = trunk_of(fixture_of(fixture, "dit_single"), None)
    v = fixture_of(fixture, "vae")
    vae_config = VAEConfig(
        widths=tuple(v.meta["config"]["dim"] * m for m in v.meta["config"]["dim_mult"]),
        mean=tuple(v.io["in/latent_mean"].tolist()),
        std=tuple(v.io["in/latent_std"].tolist()),
    )
    vae = CausalVAE(vae_config)
    vae.load_state_dict(v.weights())
    config = EngineConfig(
        name="fixture",
        size=tuple(c["size"]),
        trunk=trunk.config,
        layers=(LayerPolicy(),) * trunk.config.num_layers,
        vae=vae_config,
        audio=Given.config,
        text=TextConfig("umt5", negative="negative"),
        stream=StreamConfig(
            chunk_latents=(c["frame_num"] - 1) // 4 + 1,
            sigmas=schedules.infinitetalk(c["steps"], c["shift"]),
            sampler="euler",
            condition="first",
            guidance=Guidance(c["text_guide_scale"], c["audio_guide_scale"]),
            window=WindowConfig(c["motion_frame"], c["color_correction_strength"]),
        ),
    )
    text = Text(io["in/context"], io["in/context_null"])
    engine = stream.Engine(config, trunk, vae, None, text, Clip(fixture))
    image = cover(io["in/image_uint8"].numpy(), *c["size"])
    masks = box_masks(default_boxes(*c["size"]), *c["size"]) if c["speakers"] == 2 else None
    state = engine.start(engine.condition(image, "prompt", masks), seed=0)
    state.audio = tuple(Given(io[f"in/audio_features_{i}"]) for i in range(c["speakers"]))

    videos = []
    for index in range(len(c["windows"])):
        samples = torch.zeros(c["speakers"], engine.samples_needed(state))
        with Spy(engine, io[f"in/noise_window{index}"]) as spy:
            state, video = engine.step(state, samples, total=c["audio_frames"])
        videos.append(video)
        name = f"mid/window{index}"
        passes = len(c["pass_order"])
        assert len(spy.calls) == c["windows"][index]["model_calls"]
        yield f"{name}/first_model_input", spy.calls[0][0][0][0]
        yield f"{name}/model_outputs_step0", torch.stack([output for _, output in spy.calls[:passes]])
        yield f"{name}/audio_windows", spy.windows
        yield f"{name}/final_latent", spy.final
        if index == 0:
            yield "mid/y", spy.calls[0][0][2][0]
    yield "out/video", torch.cat(videos, 2)[0, :, : c["audio_frames"]]
