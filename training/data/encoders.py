"""The frozen encoders of a preset: what turns pictures, sound and words into what its trunk reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from echotorrent_core import presets
from echotorrent_core.assemble import LoadOptions, OnDemand, choose_encoders
from echotorrent_core.conditioning import wav2vec2
from echotorrent_core.conditioning.audio import AudioEncoder
from echotorrent_core.config import AudioEncoderConfig, EngineConfig, Wav2Vec2StreamConfig
from echotorrent_core.errors import InputError
from echotorrent_core.media.read import file_digest
from echotorrent_core.stream import Engine, ImageEncoder, TextEncoder
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.parts import ASSETS, load_part

from .features import MARGIN

Track = Callable[[int, int], Tensor]


class Speech(Protocol):
    """A speech encoder for training: the whole sound of a clip, read at windows."""

    def track(self, samples: np.ndarray) -> Track:
        """Mono float32 (n,) at 16 kHz -> function (begin sample, frames) -> features (frames + 2 MARGIN, channels) on
        the CPU; silence before the first sample and after the last."""
        ...


class ConvSpeech:
    """The embedded encoder: a frame's features depend on half a second around it."""

    def __init__(self, encoder: AudioEncoder) -> None:
        self.encoder = encoder

    def track(self, samples: np.ndarray) -> Track:
        def read(begin: int, frames: int) -> Tensor:
            start, count = self.encoder.window(-MARGIN, frames + 2 * MARGIN)
            start += begin
            padded = np.pad(samples, (max(0, -start), max(0, start + count - len(samples))))
            start = max(0, start)
            part = torch.from_numpy(padded[start : start + count])[None].float()
            return self.encoder.features(part.to(self.encoder.to_visemes.weight.device))[0].cpu()

        return read


class Wav2Vec2Speech:
    """wav2vec 2.0 reads as a stream does: the last seconds of the sound up to the window's end, brought to one
    loudness."""

    def __init__(self, encoder: wav2vec2.Wav2Vec2Encoder, config: Wav2Vec2StreamConfig) -> None:
        self.encoder, self.config = encoder, config

    def track(self, samples: np.ndarray) -> Track:
        def read(begin: int, frames: int) -> Tensor:
            first = begin // self.config.samples_per_frame - MARGIN
            last = first + frames + 2 * MARGIN
            end = (last + self.config.look_ahead) * self.config.samples_per_frame
            heard = torch.from_numpy(samples[:end])
            stream = wav2vec2.Wav2Vec2Stream(self.config).push(F.pad(heard, (0, end - len(heard))))
            return stream.features(self.encoder, first, last - first)[0].float().cpu()

        return read


@dataclass(frozen=True)
class Encoders:
    """text: None where the trunk has its own table of words; clip: None where it has no image tokens; weights: tells
    them from others."""

    config: EngineConfig
    vae: CausalVAE
    speech: Speech
    text: TextEncoder | None
    clip: ImageEncoder | None
    device: torch.device
    weights: str


@dataclass(frozen=True)
class EncoderFiles:
    """Where a preset's encoders are; small and picklable. paths: the folder of the parts of an embedded preset (none:
    the shipped ones), or the files and folders that hold a published preset's weights."""

    preset: str
    paths: tuple[Path, ...] = ()
    tokenizer: Path | None = None
    device: str = "cpu"
    allow_pickle: bool = False

    def load(self) -> Encoders:
        """InputError for weights that are missing or do not fit."""
        config = presets.get_preset(self.preset)
        if isinstance(config.audio, AudioEncoderConfig):
            return self._embedded(config, config.audio)
        return self._published(config, config.audio)

    def _embedded(self, config: EngineConfig, audio: AudioEncoderConfig) -> Encoders:
        folder = self.paths[0] if self.paths else ASSETS / config.name
        engine = Engine.build(config)  # the trunk it makes too is small
        vae, speech = engine.vae, engine.audio
        if folder.is_dir() or self.paths or config.name != "debug":  # whose weights are random
            load_part(vae, folder / "vae.safetensors")
            load_part(speech, folder / "audio.safetensors")
        weights = _digest(vae, speech, [])
        device = torch.device(self.device)
        return Encoders(config, vae.to(device), ConvSpeech(speech.to(device)), None, None, device, weights)

    def _published(self, config: EngineConfig, audio: Wav2Vec2StreamConfig) -> Encoders:
        if not self.paths:
            raise InputError(f"preset '{config.name}' takes published encoders; give --weights FILE or FOLDER ...")
        options = LoadOptions(device=self.device, tokenizer=self.tokenizer, allow_pickle=self.allow_pickle)
        chosen = choose_encoders(config, self.paths, options)
        loaded = chosen.load(options)
        assert isinstance(loaded.speech, wav2vec2.Wav2Vec2Encoder)  # none is optional here
        return Encoders(
            chosen.config,
            loaded.vae.eval(),
            Wav2Vec2Speech(loaded.speech, audio),
            RememberedText(loaded.text),
            loaded.image.load() if isinstance(loaded.image, OnDemand) else None,
            torch.device(self.device),
            _digest(
                loaded.vae,
                loaded.speech,
                [file for part in (chosen.text, chosen.image) if part for file in part.source.files],
            ),
        )


class RememberedText:
    """A text encoder too large to stay: it is loaded for a prompt it has not seen."""

    def __init__(self, encoder: Any) -> None:
        self.encoder, self.known = encoder, dict[str, Tensor]()

    def encode(self, prompt: str) -> Tensor:
        if prompt not in self.known:
            self.known[prompt] = self.encoder.encode(prompt)
        return self.known[prompt]


def _digest(vae: CausalVAE, speech: nn.Module, files: Iterable[Path]) -> str:
    """Tells encoders apart. The decoder does not count: refining it changes no row."""
    digest = sha256("".join(file_digest(file) for file in files).encode())
    for module in (vae, speech):
        for name, value in sorted(module.state_dict().items()):
            if module is not vae or not name.startswith(("decoder.", "conv2.")):
                digest.update(name.encode() + value.cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
