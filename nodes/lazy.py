"""What the nodes hand on: descriptions that are checked when they are made and cost nothing until somebody pulls.

`SaveVideo` and `Collect` pull: only then are weights loaded, and never more than a few chunks are in memory.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..echotorrent_core.config import EngineConfig
from ..echotorrent_core.errors import InputError
from ..echotorrent_core.media import AudioReader, read_image
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
    function that brings the modules to the device.
    """

    def __init__(self, config: EngineConfig, load: Callable[[], Engine], keep: Keep) -> None:
        self.config, self._load, self._keep = config, load, keep
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._to_device: Callable[[], None] = lambda: None

    def engine(self) -> Engine:
        """The engine, its weights on the device they run on."""
        with self._lock:
            if self._engine is None:
                with torch.inference_mode(False):  # the host runs nodes inside it, but weights outlive a node
                    engine = self._load()
                parts = (engine.trunk, engine.vae, engine.audio, engine.text)
                self._to_device = self._keep([part for part in parts if isinstance(part, torch.nn.Module)], drop_caches)
                self._engine = engine
            self._to_device()
            return self._engine

    @property
    def speakers(self) -> int:
        """How many speakers the model tells apart."""
        audio = self.config.trunk.audio
        return 1 if audio is None or audio.inject else 2


def drop_caches() -> None:
    """Free the rotations and masks that are kept on the device from chunk to chunk; they are made again when needed."""
    from ..echotorrent_core.model import history, rope

    history._mask.cache_clear()
    rope.rotation.cache_clear()


class Sound:
    """ECHOTORRENT_AUDIO: the voice of each speaker, from the host's AUDIO (waveform (1, C, n) and sample_rate)."""

    def __init__(self, *voices: dict[str, Any]) -> None:
        self.voices = [_voice(voice, f"audio of speaker {i + 1}") for i, voice in enumerate(voices)]

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
            found.update(f"{samples.shape}{rate}".encode() + np.ascontiguousarray(samples).tobytes())
        return found.hexdigest()

    def blocks(self, sample_rate: int, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(mono (n,), or (speakers, n), at `sample_rate`; sound (2, m) at 48 kHz) from sample `start` on."""
        readers = [iter(_reader(samples, rate, sample_rate, start)) for samples, rate in self.voices]
        if len(readers) == 1:
            yield from readers[0]
            return
        ratio = SOUND_RATE // sample_rate
        held = [(np.zeros(0, np.float32), np.zeros((2, 0), np.float32)) for _ in readers]
        while True:
            for i, reader in enumerate(readers):
                while len(held[i][0]) < sample_rate and (block := next(reader, None)) is not None:
                    held[i] = tuple(np.concatenate(pair, -1) for pair in zip(held[i], block, strict=True))  # type: ignore[assignment]
            n = max(len(mono) for mono, _ in held)
            if not n:
                return
            n = min(n, sample_rate)  # voices that have ended go on with silence
            monos = [np.pad(mono[:n], (0, n - len(mono[:n]))) for mono, _ in held]
            sounds = [
                np.pad(sound[:, : n * ratio], ((0, 0), (0, n * ratio - sound[:, : n * ratio].shape[1])))
                for _, sound in held
            ]
            held = [(mono[n:], sound[:, n * ratio :]) for mono, sound in held]
            yield np.stack(monos), np.clip(sum(sounds), -1, 1)


class Look:
    """ECHOTORRENT_CONDITIONING: reference picture, prompts over time, where two speakers are.

    image: the host's IMAGE (1, H, W, C) in [0, 1]; masks: (1, H, W) of each speaker, of any size.
    """

    def __init__(self, image: Tensor, prompt: str = "", masks: tuple[Tensor, ...] = ()) -> None:
        self.png, self.prompt = _png(image), prompt
        self.schedule = Schedule.parse(prompt)
        self.masks = [_mask(mask, i + 1) for i, mask in enumerate(masks)]

    @cached_property
    def digest(self) -> str:
        found = hashlib.sha256(self.png)
        for mask in self.masks:
            found.update(mask.numpy().tobytes())
        return found.hexdigest()

    def image(self, size: tuple[int, int]) -> Tensor:
        """(3, H, W) in [-1, 1]: scaled to cover `size` (height, width), its centre kept."""
        return read_image(self.png, size)

    def speakers(self, size: tuple[int, int]) -> Tensor:
        """Masks (3, H, W) of two speakers and the background; without any, the halves of the picture."""
        from ..echotorrent_core.model.speakers import box_masks, default_boxes

        if not self.masks:
            return box_masks(default_boxes(*size), *size)
        scaled = [torch.nn.functional.interpolate(mask[None], size, mode="nearest")[0, 0] for mask in self.masks]
        both = torch.stack([(mask > 0.5).float() for mask in scaled])
        return torch.cat([both, (both.sum(0, keepdim=True) == 0).float()])


@dataclass(frozen=True)
class Stream:
    """ECHOTORRENT_STREAM: everything a video is made of. InputError for parts that do not fit each other."""

    model: Model
    look: Look
    sound: Sound
    seed: int

    def __post_init__(self) -> None:
        name, speakers = self.model.config.name, self.sound.speakers
        if speakers > self.model.speakers:
            raise InputError(f"preset '{name}' knows one speaker; leave the second audio out or choose InfiniteTalk")
        if self.look.masks and speakers == 1:
            raise InputError("there are masks of two speakers but one voice; give the second audio, or no masks")

    def info(self) -> dict[str, Any]:
        """What tells this run from others; a run is only resumed with the same."""
        return {
            "preset": self.model.config.name,
            "size": list(self.model.config.size),
            "fps": self.model.config.stream.fps,
            "seed": self.seed,
            "prompt": self.look.prompt,
            "image": {"digest": self.look.digest},
            "audio": {"digest": self.sound.digest},
        }

    @property
    def frames(self) -> int:
        """Frames the video will have."""
        return max(1, -(-round(self.sound.seconds * SOUND_RATE) * self.model.config.stream.fps // SOUND_RATE))

    def condition(self, engine: Engine) -> Any:
        """What the engine starts from."""
        size = self.model.config.size
        speakers = self.look.speakers(size) if self.sound.speakers > 1 else None
        try:
            return engine.condition(self.look.image(size), self.look.schedule.at(0), speakers)
        except ValueError as error:
            raise InputError(str(error)) from None


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
    if not bool(torch.isfinite(samples).all()):
        raise InputError(f"{what} holds values that are not numbers; load the sound again")
    if float(samples.abs().max()) < SILENT:
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
