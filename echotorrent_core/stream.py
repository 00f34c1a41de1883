"""The stream: `Engine` maps (state, audio) -> (state, frames); `StreamState` holds everything between two chunks.

    engine = Engine.from_preset("embedded")
    state = engine.start(engine.condition(image, "smiling"), seed=0)
    state, frames = engine.step(state, samples)      # samples: engine.samples_needed(state) of them

Dimensions: frames (1, 3, T, H, W) in [-1, 1]; audio (samples,) or (speakers, samples) float32 at
`config.audio.sample_rate`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from . import flow, presets
from .chunks import chunk_policy
from .conditioning.audio import AudioEncoder, AudioStream
from .conditioning.motion import MotionTrack
from .conditioning.text import WordEncoder, parse_prompt
from .conditioning.wav2vec2 import Wav2Vec2Stream
from .config import AudioEncoderConfig, EngineConfig, Wav2Vec2StreamConfig, to_dict
from .errors import InputError
from .guidance import combine
from .model.audio_adapters import windows
from .model.dit import Trunk
from .model.history import KV, Geometry, History, WritePolicy
from .model.sink import condition_channels, sink_kv
from .model.speakers import join, token_masks
from .sampler import denoise, new_step
from .schedules import on_grid
from .state import Conditioning, StreamState
from .vae.causal import CausalVAE
from .weights.parts import ASSETS, PARTS, fingerprint, load_part

__all__ = ["Conditioning", "Engine", "StreamState"]


class AudioSource(Protocol):
    """One speaker's sound so far; see `conditioning.audio.AudioStream`."""

    config: Any
    clock: int

    def push(self, samples: Tensor) -> AudioSource: ...

    def needed(self, last_frame: int) -> int: ...

    def features(self, encoder: Any, first_frame: int, n: int) -> Tensor: ...

    def tensors(self) -> dict[str, Tensor]: ...

    def restored(self, tensors: dict[str, Tensor]) -> AudioSource: ...


class TextEncoder(Protocol):
    """Prompt -> features (1, L, dim)."""

    def encode(self, prompt: str) -> Tensor: ...


class ImageEncoder(Protocol):
    """Picture (1, 3, H, W) in [-1, 1] -> CLIP tokens (1, 257, dim)."""

    def encode(self, picture: Tensor) -> Tensor: ...


class Engine:
    """One set of weights on one device. Holds no stream: any number of states may take turns.

    clip: encoder of the reference picture, for trunks with image tokens. weights: names the weights in `fingerprint`.
    """

    def __init__(
        self,
        config: EngineConfig,
        trunk: Trunk,
        vae: CausalVAE,
        audio: Any,
        text: TextEncoder,
        clip: ImageEncoder | None = None,
        weights: str = "random",
    ):
        self.config = config
        self.trunk, self.vae, self.audio, self.text, self.clip = trunk, vae, audio, text, clip
        for module in (trunk, vae, audio, text):
            if isinstance(module, torch.nn.Module):
                module.eval().requires_grad_(False)
        height, width = (pixels // config.vae.space_stride for pixels in config.size)
        self.latent_size = (height, width)
        rows, columns = trunk.grid(height, width)
        self.geometry = Geometry(rows, columns, config.trunk.head_dim, config.trunk.rope_theta)
        self.chunks = chunk_policy(config, self.geometry, trunk.attention)
        self.writes = WritePolicy(config.stream.cache_write, len(config.stream.sigmas))
        self.motion = None if config.motion is None else MotionTrack(config.motion, config.stream.fps)
        described = json.dumps(to_dict(config), sort_keys=True) + weights
        self.fingerprint = f"{config.name}-{hashlib.sha256(described.encode()).hexdigest()[:16]}"

    @staticmethod
    def build(config: EngineConfig, seed: int = 0, attention: str = "sdpa") -> Engine:
        """An engine with seeded random weights (for tests, and as what training starts from)."""
        assert isinstance(config.audio, AudioEncoderConfig), f"{config.name} takes published encoders; load them"
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            trunk = Trunk(config.trunk, attention)
            trunk.init_weights()
            parts = (CausalVAE(config.vae), AudioEncoder(config.audio), WordEncoder(config.text))
        return Engine(config, trunk, *parts, weights=f"random-{seed}")

    @staticmethod
    def from_preset(
        name: str = "embedded",
        folder: Path | None = None,
        device: str = "cpu",
        attention: str = "sdpa",
        **stream: object,
    ) -> Engine:
        """Preset `name` with the weights in `folder` (default: the shipped ones; `debug` has random ones).
        Keyword arguments replace fields of its `StreamConfig`. InputError for an unknown preset or unfit weights."""
        try:
            config = presets.get_preset(name)
        except ValueError as error:
            raise InputError(str(error)) from error
        if stream:
            config = dataclasses.replace(config, stream=dataclasses.replace(config.stream, **stream))  # type: ignore[arg-type]
        engine = Engine.build(config, attention=attention)
        folder = folder or ASSETS / name
        if not folder.is_dir():
            if name == "debug":
                return engine
            raise InputError(f"{folder}: no weights for preset '{name}' here; give the folder that holds them")
        paths = [folder / f"{part}.safetensors" for part in PARTS]
        modules = (engine.trunk, engine.vae, engine.audio, engine.text)
        for module, path in zip(modules, paths, strict=True):
            load_part(module, path)
            module.to(device)
        return Engine(config, engine.trunk, engine.vae, engine.audio, engine.text, weights=fingerprint(paths))

    @property
    def device(self) -> torch.device:
        """Where the trunk is at the moment; hosts move weights between runs."""
        return self.trunk.patch_embedding.weight.device

    # What a stream needs

    def frames_in_chunk(self, index: int) -> int:
        """New video frames of chunk `index`."""
        return self.chunks.frames(index)

    def samples_needed(self, state: StreamState) -> int:
        """New audio samples the next step must be given for each speaker, look-ahead included."""
        last = state.frames + self.frames_in_chunk(state.chunk) + self._margin - 1
        return max(0, state.audio[0].needed(last) - state.audio[0].clock)

    @property
    def _margin(self) -> int:
        """Frames on either side that the audio adapter's window reads."""
        audio = self.config.trunk.audio
        return 0 if audio is None else audio.window // 2

    # Starting and steering

    @torch.inference_mode()
    def condition(
        self,
        image: Tensor,
        prompt: str = "",
        speakers: Tensor | None = None,
        *,
        text: Tensor | None = None,
        tokens: Tensor | None = None,
    ) -> Conditioning:
        """Encode a reference image (3, H, W) in [-1, 1] at `config.size` and a prompt.

        speakers: masks (3, h, w) of two speakers and the background, of any resolution (model/speakers.py). What was
        encoded elsewhere: text, rows (1, L, dim) that stand for the prompt; tokens, CLIP's (1, n, dim) of the image.
        ValueError for what does not fit the model."""
        if speakers is not None and self.config.speakers < 2:
            raise ValueError(f"preset '{self.config.name}' knows one speaker; leave the masks of two out")
        config, guided = self.config.trunk, self.config.stream.guidance.text_scale != 1
        if text is None:
            text = self.text.encode(prompt)
        elif text.shape[0] != 1 or text.shape[1] > config.text_len or text.shape[2] != config.text_dim:
            raise ValueError(
                f"text is {tuple(text.shape)}, expected one prompt of at most {config.text_len} rows of "
                f"{config.text_dim}"
            )
        return Conditioning(
            prompt=prompt,
            text=text.to(self.device),
            negative=self.text.encode(self.config.text.negative).to(self.device) if guided else None,
            speakers=None if speakers is None else token_masks(speakers, *self.trunk.grid(*self.latent_size)),
            **self._see(image, tokens),
        )

    def _see(self, image: Tensor, tokens: Tensor | None = None) -> dict[str, Any]:
        """What a `Conditioning` says of the reference image."""
        if tuple(image.shape) != (3, *self.config.size):
            raise ValueError(
                f"reference image is {tuple(image.shape)}, expected {(3, *self.config.size)}; resize it first"
            )
        picture = image[None, :, None].to(self.device)
        reference, _ = self.vae.encode(picture)
        if tokens is None and self.clip is not None:
            tokens = self.clip.encode(picture[:, :, 0])
        elif tokens is not None and (tokens.shape[0], tokens.shape[2]) != (1, self.config.trunk.image_dim):
            raise ValueError(
                f"image tokens are {tuple(tokens.shape)}, expected those of one picture, "
                f"{self.config.trunk.image_dim} wide"
            )
        return {
            "picture": picture,
            "reference": reference,
            "start": self._start_latents(picture) if self.config.stream.condition == "first" else None,
            "image": None if tokens is None else tokens.to(self.device),
        }

    def _start_latents(self, picture: Tensor) -> Tensor:
        """Latents of the picture followed by mid grey, as many as a chunk has (Wan I2V)."""
        frames = self.config.vae.time_stride * (self.config.stream.chunk_latents - 1)
        return self.vae.encode(F.pad(picture, (0, 0, 0, 0, 0, frames)))[0]

    @torch.inference_mode()
    def start(
        self,
        conditioning: Conditioning,
        seed: int,
        sink: Tensor | None = None,
        audio: Sequence[AudioSource] | None = None,
    ) -> StreamState:
        """A stream at its beginning. Every random draw of it comes from a generator seeded with `seed`.

        audio: sources that bring features of their own, one per speaker (`Wav2Vec2Recording`), instead of encoding the
        last seconds that were heard."""
        sink = conditioning.reference if sink is None else sink
        motion = None if self.motion is None else self.motion.start()
        speakers = 1 if conditioning.speakers is None else len(conditioning.speakers) - 1
        sources = tuple(self._audio_source() for _ in range(speakers)) if audio is None else tuple(audio)
        if len(sources) != speakers:
            raise ValueError(f"got {len(sources)} recordings, expected one for each of {speakers} speakers")
        dtype = self.config.stream.history_dtype
        return StreamState(
            conditioning=conditioning,
            generator=torch.Generator().manual_seed(seed),
            history=History(
                self.config.layers,
                self.writes.slots,
                self.geometry.tokens,
                None if dtype is None else getattr(torch, dtype),
            ),
            audio=sources,
            sink=sink,
            sink_kv=self._sink_kv(conditioning, sink),
            motion=motion,
            motion_ahead=None if motion is None else torch.zeros(2 * self._margin, 8),
        )

    def _audio_source(self) -> AudioSource:
        config = self.config.audio
        return Wav2Vec2Stream(config) if isinstance(config, Wav2Vec2StreamConfig) else AudioStream(config)

    @torch.inference_mode()
    def recondition(self, state: StreamState, conditioning: Conditioning) -> StreamState:
        """Go on with another prompt or reference from the next chunk; a new reference becomes the sink. The places of
        two speakers stay if `conditioning` has none."""
        if conditioning.speakers is None:
            conditioning = dataclasses.replace(conditioning, speakers=state.conditioning.speakers)
        same = torch.equal(conditioning.reference, state.conditioning.reference)
        sink = state.sink if same else conditioning.reference
        return dataclasses.replace(
            state, conditioning=conditioning, sink=sink, sink_kv=self._sink_kv(conditioning, sink)
        )

    @torch.inference_mode()
    def change(self, state: StreamState, prompt: str | None = None, image: Tensor | None = None) -> StreamState:
        """Go on with another prompt, or reference image (3, H, W), from the next chunk; all else stays."""
        changes = {} if image is None else self._see(image)
        if prompt is not None:
            changes |= {"prompt": prompt, "text": self.text.encode(prompt).to(self.device)}
        return self.recondition(state, dataclasses.replace(state.conditioning, **changes))

    # One chunk

    @torch.inference_mode()
    def step(
        self,
        state: StreamState,
        samples: Tensor,
        on_step: Callable[[int], None] | None = None,
        total: int | None = None,
    ) -> tuple[StreamState, Tensor]:
        """Make the next chunk: (state, frames (1, 3, T, H, W)). The given state must not be used again.

        samples: (n,), or (speakers, n). total: once the sound has ended, the frames of the whole stream; `samples` are
        then padded with silence. on_step(i) is called before denoising step i and may raise to cancel; after any
        error the given state is as it was. Raises ValueError if `samples` are not `samples_needed(state)` or not as
        many as there are speakers, FloatingPointError on NaN.
        """
        samples = torch.atleast_2d(samples)
        expected = (len(state.audio), self.samples_needed(state))
        if tuple(samples.shape) != expected:
            raise ValueError(f"got samples {tuple(samples.shape)}, the next chunk needs {expected}")
        generator_state = state.generator.get_state()
        try:
            return self._step(state, samples, on_step, total)
        except BaseException:
            state.history.discard()
            state.generator.set_state(generator_state)
            raise

    def _step(
        self, state: StreamState, samples: Tensor, on_step: Callable[[int], None] | None, total: int | None
    ) -> tuple[StreamState, Tensor]:
        stream, given, index = self.config.stream, state.conditioning, state.chunk
        latents, frames, overlap = stream.chunk_latents, self.chunks.frames(index), self.chunks.overlap(index)

        audio = tuple(source.push(new) for source, new in zip(state.audio, samples, strict=True))
        span = (state.frames - overlap - self._margin, overlap + frames + 2 * self._margin)
        features = torch.cat([self._features(source, *span, total) for source in audio])
        motion, ahead = state.motion, state.motion_ahead
        if self.motion is not None and motion is not None and ahead is not None:
            new, motion = self.motion.advance(motion, frames, parse_prompt(given.prompt), state.generator)
            track = torch.cat([ahead, new])
            features = torch.cat([features, track.to(features).expand(len(features), -1, -1)], dim=-1)
            ahead = track[len(track) - 2 * self._margin - self.chunks.overlap(index + 1) :]
        extra = self._draw_sink_offset(state.generator)

        first = self.chunks.first(index)
        inputs = self._inputs(given, self.audio_tokens(features), first)
        condition = condition_channels(given.condition, latents, first)
        lead = self.chunks.lead(state)
        momentum: tuple[Tensor, ...] = ()
        told = on_grid(stream.sigmas) if stream.sampler == "unipc" else stream.sigmas  # Wan asks at whole timesteps

        def run(x: Tensor, sigma: float, read: int, write: int | None, **inputs: Any) -> Tensor:
            context = self.chunks.context(state, read, write, extra)
            level = torch.full((x.shape[0],), sigma, device=x.device)
            return self.trunk(x, level, condition, context=context, **inputs)

        def estimate(x: Tensor, sigma: float, i: int) -> Tensor:
            nonlocal momentum
            read, write = self.writes.read(i), self.writes.write(i)
            outputs = {
                name: run(x, told[i], read, write if name == "cond" else None, **inputs[name])
                for name in stream.guidance.passes
            }
            output, momentum = combine(stream.guidance, outputs, momentum)
            level = torch.full((x.shape[0],), sigma, device=x.device)
            return flow.to_x0(output, x, level, self.config.trunk.prediction, given.reference)

        x0 = denoise(
            estimate, self.noise(state), stream.sigmas, new_step(stream.sampler), state.generator, on_step, lead
        )
        if self.writes.extra_pass:
            run(x0, 0.0, 0, 0, **inputs["cond"])
        video, changes = self.chunks.decode(self.vae, state, x0)
        if not bool(torch.isfinite(video).all()):
            raise FloatingPointError(f"chunk {index} is not finite; the weights or the input audio are damaged")

        if index == 0 and stream.sink.source == "first_generated":
            sink = x0[:, :, : stream.sink.latents].clone()
            changes |= {"sink": sink, "sink_kv": self._sink_kv(given, sink)}
        state.history.commit(latents)
        state = dataclasses.replace(
            state,
            audio=audio,
            motion=motion,
            motion_ahead=ahead,
            chunk=index + 1,
            frames=state.frames + frames,
            **changes,
        )
        return state, video

    def _features(self, source: AudioSource, first: int, count: int, total: int | None) -> Tensor:
        """Features (1, count, channels) from frame `first` on. Behind the end of the sound they are silence's, or in
        window mode those before it in reverse (InfiniteTalk)."""
        if total is None or self.config.stream.window is None or first + count <= total:
            return source.features(self.audio, first, count).to(self.device)
        frames = torch.arange(first, first + count)
        frames = torch.where(frames < total, frames, 2 * total - 1 - frames)
        start = int(frames.min())
        return source.features(self.audio, start, total - start)[:, frames - start].to(self.device)

    def _inputs(self, given: Conditioning, tokens: Tensor, first: bool) -> dict[str, dict[str, Any]]:
        """What the trunk is told in each pass of guidance. Passes without audio hear the silence of one speaker."""
        names = self.config.stream.guidance.passes
        image = None if given.image is None else self.trunk.embed_image(given.image)
        text = self.trunk.embed_text(given.text)
        spoken = {"audio": tokens, "speakers": given.speakers, "image": image}
        inputs = {"cond": {"text": text, **spoken}}
        if len(names) > 1:
            silence = self.trunk.audio_proj.silence(first, tokens.shape[1], tokens)
            silent = {"audio": silence, "speakers": None, "image": image}
            inputs["drop_audio"] = {"text": text, **silent}
            if given.negative is not None:
                negative = self.trunk.embed_text(given.negative)
                inputs |= {"drop_text": {"text": negative, **spoken}, "uncond": {"text": negative, **silent}}
        return inputs

    def noise(self, state: StreamState) -> Tensor:
        """What the next chunk starts from: (1, C, T, h, w), drawn from the stream's generator."""
        shape = (1, self.config.vae.z_dim, self.config.stream.chunk_latents, *self.latent_size)
        return torch.randn(shape, generator=state.generator).to(self.device)

    def audio_tokens(self, features: Tensor) -> Tensor:
        """Per-frame features (speakers, F + window - 1, channels) -> audio tokens (1, T, speakers * A, dim)."""
        audio = self.config.trunk.audio
        assert audio is not None
        return join(self.trunk.audio_proj(windows(features.unflatten(-1, (audio.blocks, -1)), audio.window)))

    def _sink_kv(self, given: Conditioning, sink: Tensor) -> list[KV]:
        if self.config.stream.window is not None:
            return []
        text = self.trunk.embed_text(given.text)
        image = None if given.image is None else self.trunk.embed_image(given.image)
        return sink_kv(self.trunk, self.geometry, sink, given.condition, text, image)

    def _draw_sink_offset(self, generator: torch.Generator) -> int:
        most = self.config.stream.sink.offset_random
        return int(torch.randint(0, most + 1, (1,), generator=generator)) if most else 0
