"""Pictures of the rows of training data, for what learns pixels: those kept in the cache, or the corpus' own."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from echotorrent_core.errors import InputError

from .clips import Corpus
from .features import Column, FeatureData


class Clips(Protocol):
    """frames(i): uint8 (T + 1, H, W, 3), the last one the reference; labels(i)["mouth_box"]: (T + 1, 4) as x0, y0, x1,
    y1 in pixels. `training.corpus.build.CorpusReader` is one."""

    def __len__(self) -> int: ...

    def frames(self, i: int) -> np.ndarray: ...

    def labels(self, i: int) -> dict[str, np.ndarray]: ...


class KeptFrames:
    """The rows of a cache that was made with --keep-frames, as clips."""

    def __init__(self, pixels: Column, boxes: Column) -> None:
        self.pixels, self.boxes = pixels, boxes

    def __len__(self) -> int:
        return int(self.pixels.shape[0])

    def frames(self, i: int) -> np.ndarray:
        return self.pixels[i].numpy()

    def labels(self, i: int) -> dict[str, np.ndarray]:
        return {"mouth_box": self.boxes[i].numpy()}


def pictures(features: FeatureData, corpus: Path | None) -> tuple[Clips, dict[int, int]]:
    """Clips, and the clip that shows each row of `features`: all rows of a cache with frames, else those of `corpus`
    that are no mirror images. InputError if there are none."""
    if "frames" in features.columns:
        kept = KeptFrames(features.columns["frames"], features.columns["mouth_box"])
        return kept, {row: row for row in range(len(kept))}
    if corpus is None:
        raise InputError("these training data hold no pictures; make them with --keep-frames, or name their corpus")
    reader = Corpus(corpus).reader
    if not features.rows:  # a single file: the corpus' clips in order, mirror images behind them
        return reader, {row: row for row in range(min(len(reader), len(features)))}
    plain = {row: int(said["clip"]) for row, said in enumerate(features.rows) if not said["mirrored"]}
    return reader, {row: clip for row, clip in plain.items() if clip < len(reader)}
