"""What is evaluated: anything that makes frames from a portrait and a sound, above all an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from echotorrent_core.config import EngineConfig
from echotorrent_core.errors import InputError
from echotorrent_core.stream import Engine
from echotorrent_core.weights.parts import ASSETS, PARTS, fingerprint, load_part

from ..config import preset_with
from .heldout import to_pixels


class Source(Protocol):
    """portrait (3, H, W) in [-1, 1] and sound (n,) at 16 kHz -> chunks of uint8 frames (T, H, W, 3), at least `frames`
    in all; silence follows the sound."""

    def __call__(self, portrait: Tensor, sound: np.ndarray, frames: int, seed: int) -> Iterator[np.ndarray]: ...


def stream(engine: Engine, portrait: Tensor, sound: np.ndarray, frames: int, seed: int) -> Iterator[np.ndarray]:
    """The source that an engine is: `partial(stream, engine)`."""
    state = engine.start(engine.condition(portrait), seed)
    at = 0
    while state.frames < frames:
        need = engine.samples_needed(state)
        heard = sound[at : at + need]
        state, video = engine.step(state, torch.from_numpy(np.pad(heard, (0, need - len(heard)))).float())
        at += need
        yield to_pixels(video[0].transpose(0, 1).cpu())


def of_engine(engine: Engine) -> Source:
    return partial(stream, engine)


def load_engine(preset: str, folders: Sequence[Path], changes: Mapping[str, Any] | None = None) -> Engine:
    """A preset, with `changes` to its fields as a run's `engine` has them; each part from the first of the folders
    that holds it, else from the shipped ones. InputError if a part is nowhere, or does not fit."""
    config: EngineConfig = preset_with(preset, dict(changes or {}))
    engine = Engine.build(config)
    shipped = ASSETS / preset
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        raise InputError(f"{missing[0]}: no such folder; give folders that hold parts of preset '{preset}'")
    paths = []
    for name, module in zip(PARTS, (engine.trunk, engine.vae, engine.audio, engine.text), strict=True):
        found = [path for folder in (*folders, shipped) if (path := folder / f"{name}.safetensors").is_file()]
        if found:
            load_part(module, found[0])
            paths.append(found[0])
        elif preset != "debug":  # of which none is shipped: it has random ones
            told = ", ".join(map(str, folders)) or "none given"
            raise InputError(f"preset '{preset}' has no {name}.safetensors in its folders ({told}); name one that does")
    # Not by their file names alone: the same name comes from several folders.
    known = "-".join(fingerprint([path]) for path in paths) or "random-0"
    return Engine(config, engine.trunk, engine.vae, engine.audio, engine.text, weights=known)
