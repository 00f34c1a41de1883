"""Clips of a drawn person for tests: a shipped portrait that nods, with shipped speech."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from echotorrent_core.media import read_sound
from echotorrent_core.weights.parts import ASSETS
from training.corpus.person import write_clip

PORTRAIT = ASSETS / "portraits" / "ana.png"
SPEECH = ASSETS / "speech" / "introduction.flac"
SIZE = 128


def face(shift: int = 0, size: int = SIZE) -> np.ndarray:
    with Image.open(PORTRAIT) as image:
        picture = np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS))
    return np.roll(picture, shift, axis=0)


def frames(count: int, **changes) -> np.ndarray:
    return np.stack([face(round(2 * np.sin(k / 5)), **changes) for k in range(count)])


def sound(seconds: float) -> np.ndarray:
    return read_sound(SPEECH)[16000 : 16000 + round(16000 * seconds)]


def clip(path: Path, count: int = 60, pictures: np.ndarray | None = None, voice: np.ndarray | None = None) -> Path:
    pictures = frames(count) if pictures is None else pictures
    return write_clip(path, pictures, sound(len(pictures) / 25) if voice is None else voice)


def dataset(folder: Path, **uses: dict) -> Path:
    """A dataset of the files that lie in its clips/ already."""
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    said = {name.replace("__", "."): use for name, use in uses.items()}
    (folder / "dataset.json").write_text(json.dumps({"name": "Ana", "created": 0, "clips": said}))
    return folder
