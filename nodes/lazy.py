"""What the nodes hand on: descriptions that are checked when they are made and cost nothing until somebody pulls.

`SaveVideo` and `Collect` pull: only then are weights loaded, and never more than a few chunks are in memory.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..echotorrent_core.config import EngineConfig, Wav2Vec2StreamConfig
from ..echotorrent_core.errors import InputError
from ..echotorrent_core.media import AudioBlock, AudioReader, mix, read_image
from ..echotorrent_core.run_folder import RunFolder
from ..echotorrent_core.session import Session
from . import encoded
from .prompts import Schedule

if TYPE_CHECKING:
    from ..echotorrent_core.stream import Engine

SILENT = 1e-3  # peak; about -60 dB
SMALLEST = 16  # pixels a side, below which nothing can be a face
SHORTEST = 0.04  # seconds: one frame
SOUND_RATE = 48000

Keep = Callable[[list[Any], Callable[[], None]], Callable[[], None]]


class Model:
    """ECHOTORRENT_MODEL: a preset, and its engine once it was needed.

    load: makes the engine. keep: is given the engine's modules, the trunk first, and what drops its caches; returns a
    function that brings the modules to the device. missing: encoders that the model uses and that were not given.
    with_lora: makes the model with one LoRA more, of a file and strength; None for models that take none.
    with_identity: makes the model tuned to a person by an identity file, at a strength; None likewise.
    """

    def __init__(
        self,
        config: EngineConfig,
        load: Callable[[], Engine],
        keep: Keep,
        missing: frozenset[str] = frozenset(),
        with_lora: Callable[[Path, float], Model] | None = None,
        with_identity: Callable[[Path, float], Model] | None = None,
    ) -> None:
        self.config, self._load, self._keep, self.missing, self.with_lora = config, load, keep, missing, with_lora
        self.with_identity = with_identity
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._to_device: Callable[[], None] = lambda: None

    def engine(self) -> Engine:
        """The engine, its weights on the device they run on."""
        from ..echotorrent_core.model.history import drop_caches

        with self._lock:
            if self._engine is None:
                with torch.inference_mode(False):  # the host runs nodes inside it, but weights outlive a node
                    engine = self._load()
                parts = (engine.trunk, engine.vae, engine.audio, engine.text)
                self._to_device = self._keep([part for part in parts if isinstance(part, torch.nn.Module)], drop_caches)
                self._engine = engine
            self._to_device()
            return self._engine


class Sound:
    """ECHOTORRENT_AUDIO: the voice of each speaker, from the host's AUDIO (waveform (1, C, n) and sample_rate).

    layers: of each voice, from the host's AUDIO_ENCODER_OUTPUT; without, speech is encoded chunk by chunk.
    """

    def __init__(self, *voices: dict[str, Any], encoder_outputs: Sequence[Any] = ()) -> None:
        self.voices = [_voice(voice, f"audio of speaker {i + 1}") for i, voice in enumerate(voices)]
        self.layers = [
            encoded.speech_layers(output, samples.shape[1] / rate, f"audio_encoder_output of speaker {i + 1}")
            for i, ((samples, rate), output) in enumerate(zip(self.voices, encoder_outputs, strict=False))
        ]

    @property
    def speakers(self) -> int:
        return len(self.voices)

    @property
    def seconds(self) -> float:
        return max(samples.shape[1] / rate for samples, rate in self.voices)

    @cached_property
    def digest(self) -> str:
        found = hashlib.sha256()
        for samples, rate in self.voices:
            found.update(f"{samples.shape}{rate}".encode())
            found.update(np.ascontiguousarray(samples).reshape(-1).data)
        return found.hexdigest()

    def blocks(self, sample_rate: int, start: int = 0) -> Iterator[AudioBlock]:
        """(mono (n,), or (speakers, n), at `sample_rate`; sound (2, m) at 48 kHz) from sample `start` on."""
        return mix([_reader(samples, rate, sample_rate, start) for samples, rate in self.voices])


class Look:
    """ECHOTORRENT_CONDITIONING: reference picture, prompts over time, where two speakers are.

    image: the host's IMAGE (1, H, W, C) in [0, 1]; masks: (1, h, w) of each speaker over it. From the host's encoders:
    conditioning, instead of a prompt; clip_vision_output of the image.
    """

    def __init__(
        self,
        image: Tensor,
        prompt: str = "",
        masks: Sequence[Tensor] = (),
        conditioning: Any = None,
        clip_vision_output: Any = None,
    ) -> None:
        self.png, self.prompt = _png(image), prompt
        self.picture = (image.shape[1], image.shape[2])
        self.schedule = Schedule.parse(prompt)
        self.masks = [_mask(mask, i + 1) for i, mask in enumerate(masks)]
        self.text = None if conditioning is None else encoded.text_rows(conditioning)
        self.tokens = None if clip_vision_output is None else encoded.image_tokens(clip_vision_output)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.png).hexdigest()

    def image(self, size: tuple[int, int]) -> Tensor:
        """(3, H, W) in [-1, 1]: scaled to cover `size` (height, width), its centre kept."""
        return read_image(self.png, size)


@dataclass(frozen=True)
class Stream:
    """ECHOTORRENT_STREAM: everything a video is made of. InputError for parts that do not fit each other."""

    model: Model
    look: Look
    sound: Sound
    seed: int

    def __post_init__(self) -> None:
        name, speakers = self.model.config.name, self.sound.speakers
        if speakers > self.model.config.speakers:
            raise InputError(f"preset '{name}' knows one speaker; leave the second audio out or choose InfiniteTalk")
        if self.look.masks and speakers == 1:
            raise InputError("there are masks of two speakers but one voice; give the second audio, or no masks")
        self._check_encoded()
        self.speakers()

    def _check_encoded(self) -> None:
        """InputError for what ComfyUI encoded for another model, and for encoders that are missed."""
        config, look, layers = self.model.config, self.look, self.sound.layers
        name, trunk = config.name, config.trunk
        given = {"conditioning": look.text, "clip_vision_output": look.tokens, "audio_encoder_output": layers or None}
        taken = {
            "conditioning": config.text.kind == "umt5",
            "clip_vision_output": trunk.image_dim > 0,
            "audio_encoder_output": isinstance(config.audio, Wav2Vec2StreamConfig),
        }
        for what, value in given.items():
            if value is not None and not taken[what]:
                raise InputError(f"preset '{name}' has no use for {what}; disconnect it")
        if look.text is not None and (look.text.shape[1] > trunk.text_len or look.text.shape[2] != trunk.text_dim):
            raise InputError(
                f"conditioning has {look.text.shape[1]} rows of {look.text.shape[2]} values, preset '{name}' takes at "
                f"most {trunk.text_len} of {trunk.text_dim}; encode a shorter prompt with Wan's text encoder"
            )
        if look.tokens is not None and look.tokens.shape[2] != trunk.image_dim:
            raise InputError(
                f"clip_vision_output is {look.tokens.shape[2]} wide, preset '{name}' takes {trunk.image_dim}; load the "
                "CLIP vision model that it was made with"
            )
        heard = 0 if trunk.audio is None else trunk.audio.blocks * trunk.audio.channels
        for voice in layers:
            count, width = len(voice), voice[0].shape[2]
            if count * width != heard:
                raise InputError(
                    f"audio_encoder_output has {count} layers of {width} values, preset '{name}' takes {heard} in all; "
                    "load the audio encoder that it was made with"
                )
        needed = {
            "umt5": ("text_encoder", "conditioning", look.text is None or config.stream.guidance.text_scale != 1),
            "clip_vision": ("clip_vision", "clip_vision_output", look.tokens is None),
            "wav2vec2": ("audio_encoder", "audio_encoder_output", not layers),
        }
        for kind, (file, input, wanted) in needed.items():
            if wanted and kind in self.model.missing:
                instead = f", or connect {input}" if given[input] is None else ": it encodes a negative prompt too"
                raise InputError(f"preset '{name}' needs a file for {file}; choose one in 'Load Model'{instead}")

    def info(self) -> dict[str, Any]:
        """What tells this run from others; a run is only resumed with the same."""
        look, sound = self.look, self.sound
        return {
            "preset": self.model.config.name,
            "size": list(self.model.config.size),
            "fps": self.model.config.stream.fps,
            "seed": self.seed,
            "prompt": look.prompt,
            "image": {"digest": look.digest},
            "audio": {"digest": sound.digest},
            "mask": encoded.digest(look.masks),
            "conditioning": encoded.digest([] if look.text is None else [look.text]),
            "clip_vision_output": encoded.digest([] if look.tokens is None else [look.tokens]),
            "audio_encoder_output": encoded.digest(layer for voice in sound.layers for layer in voice),
        }

    @property
    def frames(self) -> int:
        """Frames the video will have."""
        return max(1, -(-round(self.sound.seconds * SOUND_RATE) * self.model.config.stream.fps // SOUND_RATE))

    def speakers(self) -> Tensor | None:
        """Masks (3, H, W) of two speakers and the background; None for one."""
        from ..echotorrent_core.conditioning.masks import place_speakers

        if self.sound.speakers < 2:
            return None
        return place_speakers(self.model.config, self.look.picture, [mask[0] for mask in self.look.masks])

    def condition(self, engine: Engine) -> Any:
        """What the engine starts from."""
        look, image = self.look, self.look.image(self.model.config.size)
        try:
            return engine.condition(image, look.schedule.at(0), self.speakers(), text=look.text, tokens=look.tokens)
        except ValueError as error:
            raise InputError(str(error)) from None

    def recordings(self) -> list[Any] | None:
        """Speech features of each voice, where the host encoded them."""
        from ..echotorrent_core.conditioning.wav2vec2 import Wav2Vec2Recording

        config, voices = self.model.config.audio, self.sound.voices
        if not self.sound.layers or not isinstance(config, Wav2Vec2StreamConfig):
            return None
        return [
            Wav2Vec2Recording.of_layers(
                config, layers, round(samples.shape[1] * config.sample_rate / rate), self.frames
            )
            for layers, (samples, rate) in zip(self.sound.layers, voices, strict=True)
        ]

    def session(self, run: RunFolder, **options: Any) -> Session:
        """A session that makes what `run` lacks: all of it, or what follows its last committed chunk."""
        engine = self.model.engine()
        cond = None if run.state_path.exists() else self.condition(engine)
        return Session.resume(run, engine, cond, audio=self.recordings(), **options)


@dataclass(frozen=True)
class Frames:
    """ECHOTORRENT_FRAMES: the stream as pictures."""

    stream: Stream


def _voice(audio: dict[str, Any], what: str) -> tuple[np.ndarray, int]:
    """Samples (1 or 2, n) float32 and their rate. InputError for what cannot move a mouth."""
    waveform, rate = audio["waveform"], int(audio["sample_rate"])
    if waveform.ndim != 3 or waveform.shape[0] != 1:
        raise InputError(f"{what} is a batch of {waveform.shape[0]}; give one sound")
    samples = waveform[0].detach().cpu().float()
    if rate < 1 or samples.shape[0] < 1 or samples.shape[1] < SHORTEST * rate:
        raise InputError(f"{what} is empty or shorter than one frame ({samples.shape[-1]} samples); give speech")
    lowest, highest = (float(end) for end in samples.aminmax())  # no copy of an hour of sound is made to check it
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise InputError(f"{what} holds values that are not numbers; load the sound again")
    if max(-lowest, highest) < SILENT:
        raise InputError(f"{what} is silent, so the mouth has nothing to follow; give speech")
    if samples.shape[0] > 2:  # nobody says which of them are left or right
        samples = samples.mean(0, keepdim=True)
    return samples.numpy(), rate


def _reader(samples: np.ndarray, rate: int, sample_rate: int, start: int) -> AudioReader:
    raw_format = f"f32le:{rate}:{len(samples)}"
    return AudioReader(_Interleaved(samples), sample_rate, raw_format, start)  # type: ignore[arg-type]


class _Interleaved:
    """Samples (C, n) read as a binary file of interleaved float32, without a copy of all of them."""

    def __init__(self, samples: np.ndarray) -> None:
        self._samples, self._at = samples, 0

    def read(self, n: int) -> bytes:
        stop = self._at + max(1, n // (4 * len(self._samples)))
        data = self._samples[:, self._at : stop].T.astype("<f4").tobytes()
        self._at = stop
        return data


def _png(image: Tensor) -> bytes:
    """One picture as PNG bytes, so that it is then treated as a file would be."""
    import io

    from PIL import Image

    if image.ndim != 4 or image.shape[0] != 1:
        raise InputError(f"the reference is a batch of {image.shape[0]} pictures; give one")
    height, width, channels = image.shape[1:]
    if channels not in (1, 3, 4):
        raise InputError(f"the reference picture has {channels} channels; give one with 3, or 4 with transparency")
    if min(height, width) < SMALLEST:
        raise InputError(f"the reference picture has {width} x {height} pixels, too few for a face; give a portrait")
    if not bool(torch.isfinite(image).all()):
        raise InputError("the reference picture holds values that are not numbers; load it again")
    pixels = (image[0].detach().cpu().float().clamp(0, 1) * 255 + 0.5).to(torch.uint8).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _mask(mask: Tensor, speaker: int) -> Tensor:
    """(1, H, W) in [0, 1], not empty."""
    mask = mask.detach().cpu().float()
    mask = mask[None] if mask.ndim == 2 else mask
    if mask.ndim != 3 or mask.shape[0] != 1:
        raise InputError(f"mask of speaker {speaker} is a batch of {mask.shape[0]}; give one")
    if not bool((mask > 0.5).any()):
        raise InputError(f"mask of speaker {speaker} is empty; paint where the speaker is")
    return mask
