"""The stream: `Engine` maps (state, audio) -> (state, frames); `StreamState` holds everything between two chunks.

    engine = Engine.from_preset("embedded")
    state = engine.start(engine.condition(image, "smiling"), seed=0)
    state, frames = engine.step(state, samples)      # samples: engine.samples_needed(state) of them

Dimensions: frames (1, 3, T, H, W) in [-1, 1]; audio (samples,) float32 mono at `config.audio.sample_rate`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from . import flow, presets
from .conditioning.audio import AudioEncoder, AudioStream
from .conditioning.motion import MotionTrack
from .conditioning.text import Prompt, WordEncoder, parse_prompt
from .config import EngineConfig, to_dict
from .errors import InputError
from .model.audio_adapters import windows
from .model.dit import Trunk
from .model.history import KV, Geometry, History, RollingContext, Window, WritePolicy
from .model.sink import condition_channels, sink_kv
from .sampler import SAMPLERS, denoise
from .vae.causal import CausalVAE
from .weights.parts import ASSETS, PARTS, fingerprint, load_part


@dataclass(frozen=True)
class Conditioning:
    """What stays the same from chunk to chunk: reference latents (1, C, 1, h, w), text features (1, L, dim)."""

    reference: Tensor
    text: Tensor
    prompt: Prompt


@dataclass
class StreamState:
    """Everything a stream carries from chunk to chunk. Belongs to one stream; `Engine.step` uses it up."""

    conditioning: Conditioning
    generator: torch.Generator
    history: History
    audio: AudioStream
    sink: Tensor  # latents the sink was made from
    sink_kv: list[KV]  # follows from `sink`; not saved
    vae: dict[str, Tensor] | None = None
    motion: Tensor | None = None
    motion_ahead: Tensor | None = None  # motion features already drawn for the next chunk's window
    chunk: int = 0
    frames: int = 0
    extra: dict[str, str] = field(default_factory=dict)  # small strings of the owner (session), saved along

    def save(self, path: Path) -> None:
        """Write the state to a safetensors file, atomically and durably."""
        tensors = {
            "generator": self.generator.get_state(),
            "sink": self.sink,
            "reference": self.conditioning.reference,
            "text": self.conditioning.text,
            **{f"history.{key}": value for key, value in self.history.tensors().items()},
            **{f"audio.{key}": value for key, value in self.audio.tensors().items()},
            **{f"vae.{key}": value for key, value in (self.vae or {}).items()},
        }
        if self.motion is not None and self.motion_ahead is not None:
            tensors |= {"motion": self.motion, "motion_ahead": self.motion_ahead}
        numbers = {"chunk": self.chunk, "frames": self.frames, "written": self.history.written}
        metadata = {"numbers": json.dumps(numbers), "prompt": json.dumps(dataclasses.asdict(self.conditioning.prompt))}
        temporary = Path(f"{path}.tmp")
        save_file(
            {key: value.detach().cpu().contiguous() for key, value in tensors.items()},
            temporary,
            metadata | {f"extra.{key}": value for key, value in self.extra.items()},
        )
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)

    @staticmethod
    def load(path: Path, engine: Engine) -> StreamState:
        """Read a state written by an engine of the same preset and weights."""
        with safe_open(path, "pt", device=str(engine.device)) as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
            metadata = file.metadata()
        groups: dict[str, dict[str, Tensor]] = {"history": {}, "audio": {}, "vae": {}}
        for key, value in tensors.items():
            group, _, name = key.partition(".")
            if name:
                groups[group][name] = value
        numbers = json.loads(metadata["numbers"])
        conditioning = Conditioning(tensors["reference"], tensors["text"], Prompt(**json.loads(metadata["prompt"])))
        state = engine.start(conditioning, seed=0, sink=tensors["sink"])
        state.generator.set_state(tensors["generator"].cpu())
        state.history.load_tensors(groups["history"], numbers["written"])
        state.audio = AudioStream.from_tensors(engine.config.audio, groups["audio"])
        state.vae = groups["vae"] or None
        if "motion" in tensors:
            state.motion, state.motion_ahead = tensors["motion"].cpu(), tensors["motion_ahead"].cpu()
        state.chunk, state.frames = numbers["chunk"], numbers["frames"]
        state.extra = {key.removeprefix("extra."): value for key, value in metadata.items() if key.startswith("extra.")}
        return state


class Engine:
    """One set of weights on one device. Holds no stream: any number of states may take turns."""

    def __init__(
        self,
        config: EngineConfig,
        trunk: Trunk,
        vae: CausalVAE,
        audio: AudioEncoder,
        text: WordEncoder,
        weights: str = "random",
    ):
        self.config = config
        self.trunk, self.vae, self.audio, self.text = trunk, vae, audio, text
        for module in (trunk, vae, audio, text):
            module.eval().requires_grad_(False)
        self.device = next(trunk.parameters()).device
        height, width = (pixels // config.vae.space_stride for pixels in config.size)
        rows, columns = trunk.grid(height, width)
        self.latent_size = (height, width)
        self.geometry = Geometry(rows, columns, config.trunk.head_dim, config.trunk.rope_theta, self.device)
        self.window = Window.of(config.stream.sink, config.history_latents, config.stream.chunk_latents)
        self.writes = WritePolicy(config.stream.cache_write, len(config.stream.sigmas))
        self.motion = None if config.motion is None else MotionTrack(config.motion, config.stream.fps)
        described = json.dumps(to_dict(config), sort_keys=True) + weights
        self.fingerprint = f"{config.name}-{hashlib.sha256(described.encode()).hexdigest()[:16]}"

    @staticmethod
    def build(config: EngineConfig, seed: int = 0, attention: str = "sdpa") -> Engine:
        """An engine with seeded random weights (for tests, and as what training starts from)."""
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

    # What a stream needs

    def frames_in_chunk(self, index: int) -> int:
        """Video frames of chunk `index`: the stream's first latent is one frame, every other one `time_stride`."""
        frames = self.config.stream.chunk_latents * self.config.vae.time_stride
        return frames - (self.config.vae.time_stride - 1) if index == 0 else frames

    def samples_needed(self, state: StreamState) -> int:
        """New audio samples the next step must be given, look-ahead included."""
        last = state.frames + self.frames_in_chunk(state.chunk) + self._margin - 1
        return max(0, state.audio.needed(last) - state.audio.clock)

    @property
    def _margin(self) -> int:
        """Frames on either side that the audio adapter's window reads."""
        audio = self.config.trunk.audio
        return 0 if audio is None else audio.window // 2

    # Starting and steering

    @torch.inference_mode()
    def condition(self, image: Tensor, prompt: str = "") -> Conditioning:
        """Encode a reference image (3, H, W) in [-1, 1] at `config.size` and a prompt."""
        if tuple(image.shape) != (3, *self.config.size):
            raise ValueError(
                f"reference image is {tuple(image.shape)}, expected {(3, *self.config.size)}; resize it first"
            )
        reference, _ = self.vae.encode(image[None, :, None].to(self.device))
        parsed = parse_prompt(prompt)
        return Conditioning(reference, self.text.encode(parsed), parsed)

    @torch.inference_mode()
    def start(self, conditioning: Conditioning, seed: int, sink: Tensor | None = None) -> StreamState:
        """A stream at its beginning. Every random draw of it comes from a generator seeded with `seed`."""
        sink = conditioning.reference if sink is None else sink
        motion = None if self.motion is None else self.motion.start()
        return StreamState(
            conditioning=conditioning,
            generator=torch.Generator().manual_seed(seed),
            history=self._history(),
            audio=AudioStream(self.config.audio),
            sink=sink,
            sink_kv=self._sink_kv(conditioning, sink),
            motion=motion,
            motion_ahead=None if motion is None else torch.zeros(2 * self._margin, 8),
        )

    @torch.inference_mode()
    def recondition(self, state: StreamState, conditioning: Conditioning) -> StreamState:
        """Go on with another prompt or reference from the next chunk; a new reference becomes the sink."""
        same = torch.equal(conditioning.reference, state.conditioning.reference)
        sink = state.sink if same else conditioning.reference
        return dataclasses.replace(
            state, conditioning=conditioning, sink=sink, sink_kv=self._sink_kv(conditioning, sink)
        )

    # One chunk

    @torch.inference_mode()
    def step(
        self, state: StreamState, samples: Tensor, on_step: Callable[[int], None] | None = None
    ) -> tuple[StreamState, Tensor]:
        """Make the next chunk: (state, frames (1, 3, T, H, W)). The given state must not be used again.

        on_step(i) is called before denoising step i and may raise to cancel; after any error the given state is
        as it was. Raises ValueError if `samples` are not `samples_needed(state)`, FloatingPointError on NaN.
        """
        if samples.numel() != self.samples_needed(state):
            raise ValueError(f"got {samples.numel()} samples, the next chunk needs {self.samples_needed(state)}")
        generator_state = state.generator.get_state()
        try:
            return self._step(state, samples, on_step)
        except BaseException:
            state.history.discard()
            state.generator.set_state(generator_state)
            raise

    def _step(
        self, state: StreamState, samples: Tensor, on_step: Callable[[int], None] | None
    ) -> tuple[StreamState, Tensor]:
        stream, chunk = self.config.stream, self.config.stream.chunk_latents
        frames = self.frames_in_chunk(state.chunk)
        audio = state.audio.push(samples)
        features = audio.features(self.audio, state.frames - self._margin, frames + 2 * self._margin)
        motion, ahead = state.motion, state.motion_ahead
        if self.motion is not None and motion is not None and ahead is not None:
            new, motion = self.motion.advance(motion, frames, state.conditioning.prompt, state.generator)
            track = torch.cat([ahead, new])
            features = torch.cat([features, track[None].to(features)], dim=-1)
            ahead = track[frames:]
        tokens = self.audio_tokens(features)
        extra = self._draw_sink_offset(state.generator)

        reference = state.conditioning.reference
        text = self.trunk.embed_text(state.conditioning.text)
        condition = condition_channels(reference, chunk, first=state.chunk == 0)
        silence = None if stream.audio_scale == 1 else self.trunk.audio_proj.silence(state.chunk == 0, chunk, tokens)

        def run(x: Tensor, sigma: float, read: int, write: int | None, audio_tokens: Tensor) -> Tensor:
            context = RollingContext(
                self.config.layers, self.geometry, self.window, self.trunk.attention,
                state.sink_kv, state.history, read, write, extra,
            )  # fmt: skip
            level = torch.full((x.shape[0],), sigma, device=x.device)
            output = self.trunk(x, level, condition, text, audio_tokens, context)
            return flow.to_x0(output, x, level, self.config.trunk.prediction, reference)

        def estimate(x: Tensor, sigma: float, i: int) -> Tensor:
            x0 = run(x, sigma, self.writes.read(i), self.writes.write(i), tokens)
            if silence is None:
                return x0
            return flow.guide(x0, run(x, sigma, self.writes.read(i), None, silence), stream.audio_scale)

        shape = (1, self.config.vae.z_dim, chunk, *self.latent_size)
        noise = torch.randn(shape, generator=state.generator).to(self.device)
        latents = denoise(estimate, noise, stream.sigmas, SAMPLERS[stream.sampler], state.generator, on_step)
        if self.writes.extra_pass:
            run(latents, 0.0, 0, 0, tokens)
        video, vae = self.vae.decode(latents, state.vae)
        if not bool(torch.isfinite(video).all()):
            raise FloatingPointError(f"chunk {state.chunk} is not finite; the weights or the input audio are damaged")

        sink, constants = state.sink, state.sink_kv
        if state.chunk == 0 and stream.sink.source == "first_generated":
            sink = latents[:, :, : stream.sink.latents].clone()
            constants = self._sink_kv(state.conditioning, sink)
        state.history.commit(chunk)
        return (
            dataclasses.replace(
                state,
                audio=audio,
                vae=vae,
                sink=sink,
                sink_kv=constants,
                motion=motion,
                motion_ahead=ahead,
                chunk=state.chunk + 1,
                frames=state.frames + frames,
            ),
            video.clamp(-1, 1),
        )

    def audio_tokens(self, features: Tensor) -> Tensor:
        """Per-frame features (1, F + window - 1, channels) -> audio tokens (1, T, A, dim)."""
        audio = self.config.trunk.audio
        assert audio is not None
        return self.trunk.audio_proj(windows(features.unflatten(-1, (audio.blocks, -1)), audio.window))

    def _history(self) -> History:
        dtype = self.config.stream.history_dtype
        stored = None if dtype is None else getattr(torch, dtype)
        return History(self.config.layers, self.writes.slots, self.geometry.tokens, stored)

    def _sink_kv(self, conditioning: Conditioning, sink: Tensor) -> list[KV]:
        text = self.trunk.embed_text(conditioning.text)
        return sink_kv(self.trunk, self.geometry, sink, conditioning.reference, text)

    def _draw_sink_offset(self, generator: torch.Generator) -> int:
        most = self.config.stream.sink.offset_random
        return int(torch.randint(0, most + 1, (1,), generator=generator)) if most else 0
