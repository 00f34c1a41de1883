"""Faces of the embedded model's world, where photo landmark detectors see none: the mouth reader as the tracker.

    python -m training.identity.faces --corpus DIR --heldout DIR      # fits the read-out anew, after a new reader

The reader tells yaw, blink, mouth and whether this is a face. What else a head does (pitch, roll, shift, gaze) is read
linearly from its last hidden layer, by weights fitted to rendered clips whose motion is known. Only differences within
a clip count, as motion is relative to a reference.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from echotorrent_core.errors import InputError
from echotorrent_core.metrics.reader import FACE, WEIGHTS, MouthReader, Reading, load_reader, read
from echotorrent_core.weights.parts import ASSETS, fingerprint, read_metadata, save_part

from ..corpus.build import FRAMES, CorpusReader, corpus_folder
from ..data.faces import Face, Tracker

POSE = ASSETS / "embedded" / "pose.safetensors"
CHANNELS = ("pitch", "roll", "x", "y", "gaze_x", "gaze_y")
BOX = (0.2, 0.27, 0.8, 0.87)  # where the face is in a picture framed as the corpus is, as shares of its sides
RIDGE = 30.0


class Seen(NamedTuple):
    """What the reader sees in frames (N), and the linear read-out's channels (N, 6)."""

    reading: Reading
    motion: Tensor


class PoseReader:
    """The reader with its read-out. InputError if the read-out was fitted to another reader."""

    def __init__(self, path: Path = POSE) -> None:
        if read_metadata(path).get("reader") != fingerprint([WEIGHTS]):
            raise InputError(f"{path}: fitted to another mouth reader; fit it with python -m training.identity.faces")
        self.reader, self.weights = load_reader(), load_file(path)["weights"].float()

    def __call__(self, frames: Tensor) -> Seen:
        """frames (N, 3, H, W) in [-1, 1], square."""
        reading, hidden = with_hidden(self.reader, frames)
        return Seen(reading, hidden @ self.weights)


def with_hidden(reader: MouthReader, frames: Tensor) -> tuple[Reading, Tensor]:
    """What the reader says of frames, and the hidden layer (N, 160) that it says it from."""
    kept: list[Tensor] = []
    hook = reader.tracks.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    try:
        return read(reader, frames), torch.cat(kept)
    finally:
        hook.remove()


@dataclass(frozen=True)
class ReaderFaces:
    """The trackers: one face, or none, in the middle square of a frame."""

    def __repr__(self) -> str:
        return f"mouth reader {fingerprint([WEIGHTS, POSE])}"

    def __call__(self) -> Tracker:
        see = PoseReader()

        def track(frame: np.ndarray) -> list[Face]:
            side = min(frame.shape[:2])
            top, left = ((length - side) // 2 for length in frame.shape[:2])
            square = frame[top : top + side, left : left + side].copy()
            found = see(torch.from_numpy(square).permute(2, 0, 1)[None].float() / 127.5 - 1)
            if found.reading.confidence[0] < FACE:
                return []
            return [as_face(found, 0, side, np.array([left, top], np.float32))]

        return track


def as_face(seen: Seen, i: int, side: int, corner: np.ndarray) -> Face:
    """Frame `i` of what was seen in squares of `side` pixels that begin at `corner` (x, y)."""
    r = seen.reading
    x, y, wide, opening = (float(value[i]) for value in (r.x, r.y, r.wide, r.open))
    pitch, roll, dx, dy, *gaze = seen.motion[i].tolist()
    half, rise = 0.07 + 0.06 * wide, 0.04 + 0.08 * opening  # of a mouth of the corpus, as shares of the picture
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    mouth = np.stack([x + half * np.cos(angle), y + rise * np.sin(angle)], axis=1)
    return Face(
        box=(np.array(BOX) * side + np.tile(corner, 2)).astype(np.float32),
        mouth=(mouth * side + corner).astype(np.float32),
        pose=np.array([float(r.yaw[i]), pitch, roll, dx, dy], np.float32),
        blink=float(r.blink[i]),
        gaze=np.array(gaze, np.float32),
    )


# Fitting the read-out


def observe(corpus: CorpusReader, clips: int, views: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Hidden layer (N, 160) and true channels (N, 6) of `views` frames of each of some clips, less the clip's mean."""
    rng, reader = np.random.default_rng(seed), load_reader()
    hidden, truth = [], []
    for i in np.linspace(0, len(corpus) - 1, min(clips, len(corpus))).astype(int).tolist():
        labels = corpus.labels(i)
        if str(labels["domain"]) == "profile":  # where the reader is at its limits
            continue
        rows = np.sort(rng.choice(FRAMES + 1, views, replace=False))
        frames = torch.from_numpy(np.array(corpus.frames(i)[rows])).permute(0, 3, 1, 2).float() / 127.5 - 1
        found = with_hidden(reader, frames)[1].numpy()
        true = np.concatenate([labels["pose"][rows, 1:], labels["gaze"][rows]], axis=1)
        hidden.append(found - found.mean(0))
        truth.append(true - true.mean(0))
    return np.concatenate(hidden), np.concatenate(truth)


def fit(hidden: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Ridge regression on standardised columns: weights (160, 6)."""
    scale = hidden.std(0) + 1e-4
    a = hidden / scale
    weights = np.linalg.solve(a.T @ a + RIDGE * np.eye(a.shape[1]), a.T @ truth)
    return weights / scale[:, None]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Fit the read-out of head motion to the shipped mouth reader.")
    parser.add_argument("--corpus", type=Path, default=corpus_folder("train"))
    parser.add_argument("--heldout", type=Path, default=corpus_folder("heldout"))
    parser.add_argument("--clips", type=int, default=1200)
    parser.add_argument("--out", type=Path, default=POSE)
    args = parser.parse_args(arguments)
    weights = fit(*observe(CorpusReader(args.corpus), args.clips, 6, seed=0))
    hidden, truth = observe(CorpusReader(args.heldout), args.clips, 12, seed=1)
    found = hidden @ weights
    scores = {name: round(float(np.corrcoef(found[:, k], truth[:, k])[0, 1]), 3) for k, name in enumerate(CHANNELS)}
    facts = {"reader": fingerprint([WEIGHTS]), "channels": CHANNELS, "correlation": scores}
    save_part({"weights": torch.from_numpy(weights)}, args.out, facts, torch.float32)
    print(scores)


if __name__ == "__main__":
    main()
