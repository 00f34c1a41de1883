"""One set of weights, evaluated: short clips against their truth, and long streams against their own beginning."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from echotorrent_core.metrics import lipsync
from echotorrent_core.metrics.drift import sharpness
from echotorrent_core.metrics.reader import MouthReader

from ..corpus.build import FPS
from ..files import replace_text
from .heldout import SAMPLES_PER_FRAME, Held, long_speech, to_pixels, to_tensor
from .measures import Figures, Measured, clip_figures, curves, cut, follow, stream_figures
from .sources import Source

LEAD = 12  # frames before a clip's first that a stream begins with; 12 + 65 frames end with a chunk of 4 latents


@dataclass(frozen=True)
class Settings:
    """clips: short ones, of `domains`; people: long streams of `seconds`, one per person; seed: of the noise and the
    head's motion; portraits, words and truth are the same for all seeds."""

    clips: int = 20
    domains: tuple[str, ...] = ("general",)
    people: int = 4
    seconds: float = 60.0
    seed: int = 0


@dataclass(frozen=True)
class Evaluation:
    """A value per clip of every figure (training/evaluation/measures.py), the same of the true frames, a value and a
    curve per long stream, and what it was made with. pooled: correlation over the frames of all clips at once."""

    clips: dict[str, list[float]]
    truth: dict[str, list[float]]
    streams: dict[str, list[float]]
    curves: dict[str, list[list[float]]]
    pooled: dict[str, float]
    facts: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(_rounded(asdict(self)), indent=1, allow_nan=False)
        replace_text(path, text + "\n")

    @staticmethod
    def load(path: Path) -> Evaluation:
        data = json.loads(path.read_text(encoding="utf-8"))
        for kind in ("clips", "truth", "streams", "pooled"):
            data[kind] = {name: _numbers(values) for name, values in data[kind].items()}
        return Evaluation(**data)


def evaluate(
    source: Source,
    size: tuple[int, int],
    held: Sequence[Held],
    settings: Settings,
    reader: MouthReader,
    facts: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Everything there is to know of a source of frames of `size`; held: at least one clip."""
    began = time.process_time()
    clips: list[Figures] = []
    truths: list[Figures] = []
    opening: dict[str, list[np.ndarray]] = {"made": [], "true": []}
    for i, clip in enumerate(tqdm(held, desc="clips", mininterval=5)):
        made, true = short(source, size, clip, settings.seed * 1000 + i, reader)
        clips.append(clip_figures(made, true, clip.params, clip.closures))
        truths.append(clip_figures(true, true, clip.params, clip.closures))
        opening["made"].append(made["open"])
        opening["true"].append(true["open"])
    streams: list[Figures] = []
    drawn: list[Measured] = []
    for i in tqdm(range(settings.people), desc="streams", mininterval=5):
        clip = held[i % len(held)]
        measured = long(source, size, clip, settings.seconds, i, settings.seed * 1000 + i, reader)
        sharp = float(sharpness(to_pixels(to_tensor(clip.portrait[None], size)))[0])
        streams.append(stream_figures(measured, measured["truth"], sharp))
        drawn.append(curves(measured, measured["truth"], sharp))
    spoken = [clip.params[:, 0] for clip in held]
    pooled = {name: lipsync.pooled(tracks, spoken) for name, tracks in opening.items()}
    pooled["offset_frames"] = lipsync.best_offset(opening["made"], spoken)
    about = {"settings": asdict(settings), "size": list(size), "cpu_seconds": time.process_time() - began}
    return Evaluation(
        _columns(clips), _columns(truths), _columns(streams),
        {name: [one[name].tolist() for one in drawn] for name in (drawn[0] if drawn else {})},
        pooled, about | dict(facts or {}),
    )  # fmt: skip


def short(
    source: Source, size: tuple[int, int], clip: Held, seed: int, reader: MouthReader, lead: int = LEAD
) -> tuple[Measured, Measured]:
    """A clip as the source makes it, and as it is. The source hears `lead` frames more before it."""
    portrait, count = to_tensor(clip.portrait[None], size), len(clip.frames)
    true = to_pixels(to_tensor(clip.frames, size))
    sound = clip.sound[clip.margin - lead * SAMPLES_PER_FRAME :]
    chunks = source(portrait[0], sound, lead + count, seed)
    pixels = to_pixels(portrait)[0]
    made = cut(follow(chunks, pixels, reader), lead, lead + count)
    return made, follow([true], pixels, reader)


def long(
    source: Source, size: tuple[int, int], clip: Held, seconds: float, speech: int, seed: int, reader: MouthReader
) -> Measured:
    """A long stream of a clip's person, measured, and the openness `truth` (T,) of what was said; speech: which."""
    sound, truth = long_speech(seconds, speech)
    frames = round(seconds * FPS)
    portrait = to_tensor(clip.portrait[None], size)
    made = follow(source(portrait[0], sound, frames, seed), to_pixels(portrait)[0], reader)
    return cut(made, 0, frames) | {"truth": truth[:frames]}


def _columns(rows: Sequence[Figures]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else {})}


def _rounded(value: Any) -> Any:
    """JSON-ready: six digits, what is not finite as null."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def _numbers(value: Any) -> Any:
    """Null as NaN."""
    return [_numbers(one) for one in value] if isinstance(value, list) else math.nan if value is None else value
