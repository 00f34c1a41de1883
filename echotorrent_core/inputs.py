"""The files that a run is made from, as the command line names them: checked, remembered, found again, read."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .conditioning.masks import place_speakers, read_mask
from .conditioning.wav2vec2 import Wav2Vec2Recording
from .config import EngineConfig
from .errors import InputError
from .media import AudioReader, file_digest, mix, read_image
from .run_folder import RunFolder

STDIN = "-"
NAMES = ("image", "audio", "audio_2", "mask", "mask_2")  # of the options, and of what a run remembers
PICTURES = ("image", "mask", "mask_2")


@dataclass(frozen=True)
class Inputs:
    """Paths of the portrait, of one or two voices, and of the masks of two speakers. audio may be standard input.

    audio_format: of headerless samples in `audio`; whole: speech is encoded before the first chunk, all of it.
    """

    image: str
    audio: str
    audio_2: str | None = None
    mask: str | None = None
    mask_2: str | None = None
    audio_format: str | None = None
    whole: bool = False

    @classmethod
    def given(cls, args: argparse.Namespace, config: EngineConfig) -> Inputs:
        """Those of a new run. InputError for what does not go together or is too much for the preset."""
        if not args.image or not args.audio:
            raise InputError("give both --image and --audio (or --resume with a run folder)")
        if (args.mask is None) != (args.mask_2 is None):
            raise InputError("one speaker has a mask and the other has none; give --mask and --mask-2, or neither")
        if args.mask and not args.audio_2:
            raise InputError("there are masks of two speakers but one voice; give --audio-2 too, or no masks")
        if args.audio_2 and config.speakers < 2:
            raise InputError(
                f"preset '{config.name}' knows one speaker; leave --audio-2 out or choose an InfiniteTalk preset"
            )
        files = {name: getattr(args, name) for name in NAMES}
        return cls(**files, audio_format=args.audio_format, whole=args.whole_recording)._checked()

    @classmethod
    def of_run(cls, args: argparse.Namespace, run: RunFolder) -> Inputs:
        """Those that a run was begun with, at the places the options name or where they were. InputError for others."""
        more = [f"--{_option(name)}" for name in NAMES if getattr(args, name) and name not in run.info]
        if more:
            raise InputError(f"run '{run.path}' was begun without {', '.join(more)}; leave it out to resume it")
        files = {name: _found(getattr(args, name), run, name) for name in NAMES if name in run.info}
        raw_format = args.audio_format or run.info["audio"].get("format")
        return cls(**files, audio_format=raw_format, whole=args.whole_recording)._checked()

    def describe(self) -> dict[str, Any]:
        """What a run remembers of them, JSON-ready: path and digest of each."""
        files = {name: path for name, path in asdict(self).items() if name in NAMES and path}
        described = {name: {"path": path} if path == STDIN else _identity(path) for name, path in files.items()}
        return {**described, "audio": {**described["audio"], "format": self.audio_format}}

    @property
    def live(self) -> bool:
        return self.audio == STDIN

    @property
    def voices(self) -> list[str]:
        return [path for path in (self.audio, self.audio_2) if path]

    def portrait(self, config: EngineConfig) -> Tensor:
        """(3, H, W) in [-1, 1]."""
        return read_image(self.image, config.size)

    def speakers(self, config: EngineConfig) -> Tensor | None:
        """Masks (3, H, W) of two speakers and the background; None with one voice."""
        if not self.audio_2:
            return None
        height, width = read_image(self.image).shape[1:]
        masks = [read_mask(path) for path in (self.mask, self.mask_2) if path]
        return place_speakers(config, (height, width), masks)

    def readers(self, start: int = 0) -> list[AudioReader]:
        """One for each voice, from a sample on; what comes on standard input goes on where it was left."""
        formats = [self.audio_format, None]
        return [
            AudioReader(path, raw_format=raw_format, start=0 if path == STDIN else start)
            for path, raw_format in zip(self.voices, formats, strict=False)
        ]

    def recordings(self, engine: Any) -> list[Wav2Vec2Recording] | None:
        """The speech features of each voice, silence behind the one that ends first; None unless `whole`."""
        if not self.whole:
            return None
        mono = np.atleast_2d(np.concatenate([block.mono for block in mix(self.readers())], axis=-1))
        return [Wav2Vec2Recording.of(engine.config.audio, engine.audio, torch.from_numpy(voice)) for voice in mono]

    def _checked(self) -> Inputs:
        if self.audio_2 == STDIN:
            raise InputError("--audio-2 takes a file; only --audio may come from standard input")
        if self.live and sys.stdin.isatty():
            raise InputError("--audio - reads sound from standard input, but that is a terminal; pipe sound into it")
        if self.live and self.whole:
            raise InputError("--whole-recording needs all of the sound at once; give --audio a file or leave it out")
        return self


def _identity(path: str) -> dict[str, str]:
    return {"path": os.path.abspath(path), "digest": file_digest(path)}


def _option(name: str) -> str:
    return name.replace("_", "-")


def _found(given: str | None, run: RunFolder, name: str) -> str:
    """The path to read on resume: the one given or the recorded one, if its content is still the same."""
    recorded, what = run.info[name], _option(name)
    path = given or recorded["path"]
    if path == STDIN:
        if given is None:
            raise InputError(f"the {what} of run '{run.path}' came from standard input; give --{what} to go on")
        return path
    if name in PICTURES and run.state_path.exists():  # the state holds all that was taken from them
        return path
    if not Path(path).is_file():
        raise InputError(f"{what} '{path}' of run '{run.path}' is gone; bring it back or give its place with --{what}")
    if "digest" in recorded and file_digest(path) != recorded["digest"]:
        raise InputError(f"{what} '{path}' is not the file that run '{run.path}' was begun with; give that one")
    return path
