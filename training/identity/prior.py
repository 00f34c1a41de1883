"""Other people with other speech, whom a tuned model must go on drawing as before: the shipped portraits and sounds.

Rows like those of `training.data`, but of conditions only, with zeros for latents: their targets are what the base
itself makes of them (training/methods/identity.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from echotorrent_core.conditioning.motion import MotionTrack
from echotorrent_core.conditioning.text import parse_prompt
from echotorrent_core.errors import InputError
from echotorrent_core.media import read_image, read_sound
from echotorrent_core.weights.parts import ASSETS

from ..corpus.motion import random_manner
from ..data.encoders import Encoders
from ..data.features import MARGIN
from ..data.rows import Row, encode_pictures, voice_energy
from ..data.shards import stack
from ..data.video import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from ..files import replace_file


@dataclass(frozen=True)
class Others:
    """Portraits and sounds (none: the shipped ones); each: how many stretches of sound every portrait says."""

    portraits: tuple[Path, ...] = ()
    sounds: tuple[Path, ...] = ()
    each: int = 4
    seed: int = 0

    def files(self) -> tuple[list[Path], list[Path]]:
        """InputError if there is nothing of a kind."""
        portraits = list(self.portraits) or sorted((ASSETS / "portraits").glob("*.png"))
        sounds = list(self.sounds) or sorted((ASSETS / "speech").glob("*.flac"))
        if not portraits or not sounds:
            raise InputError(f"{ASSETS}: no shipped portraits or speech here; name other people's portraits and sounds")
        return portraits, sounds


def write_others(path: Path, encoders: Encoders, others: Others, latents: int) -> None:
    """A file of rows of `latents` latents, as `training.data.features.read_columns` reads it."""
    made = list(rows(encoders, others, latents))
    columns = {name: stack([row[name] for row in made]) for name in made[0]}
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda temporary: save_file(columns, temporary))


@torch.inference_mode()
def rows(encoders: Encoders, others: Others, latents: int) -> list[Row]:
    """`each` rows of every portrait, with drawn words, motion and stretches of sound."""
    rng, config = np.random.default_rng([others.seed, 0x07E5]), encoders.config
    generator = torch.Generator().manual_seed(others.seed)
    portraits, sounds = others.files()
    heard = [read_sound(path, SAMPLE_RATE) for path in sounds]
    tracks = [encoders.speech.track(sound) for sound in heard]
    frames = 1 + config.vae.time_stride * (latents - 1)
    found = []
    for portrait in portraits:
        picture = read_image(portrait, config.size)
        seen = encode_pictures(encoders, picture[None, :, None].expand(-1, -1, 2, -1, -1))
        alike = seen["latents"]
        empty = alike.new_zeros(alike.shape[0], latents, *alike.shape[2:])
        for _ in range(others.each):
            which = int(rng.integers(len(sounds)))
            latest = max(0, len(heard[which]) // SAMPLES_PER_FRAME - frames)
            begin = int(rng.integers(latest + 1)) * SAMPLES_PER_FRAME
            prompt = random_manner(rng, profile=False).prompt
            row = seen | {
                "latents": empty,
                "audio": tracks[which](begin, frames)[None].half(),
                "energy": voice_energy(heard[which], begin, frames).half(),
                "mask": torch.zeros(latents, *alike.shape[2:], dtype=torch.half),
                "mouth_box": torch.zeros(frames + 1, 4),
                "domain": torch.tensor(0),
            }
            if config.motion is not None:
                row["motion"] = wander(MotionTrack(config.motion, FPS), prompt, frames + 2 * MARGIN, generator)
            if encoders.text is None:
                row["ids"] = torch.tensor(parse_prompt(prompt).ids())
            else:
                row["text"] = encoders.text.encode(prompt)[0].to("cpu", torch.bfloat16)
            found.append(row)
    return found


def wander(track: MotionTrack, prompt: str, frames: int, generator: torch.Generator) -> Tensor:
    """Motion (frames, 8) of a stream that has been going on for a second."""
    return track.advance(track.start(), FPS + frames, parse_prompt(prompt), generator)[0][FPS:].half()
