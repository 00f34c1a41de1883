"""Clips made for tests: videos whose pixels tell their frame number and show faces as coloured blocks, and corpora."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from echotorrent_core.metrics.reader import FACE as CONFIDENT
from echotorrent_core.metrics.reader import load_reader, read
from training.data.faces import Face

SIZE = 64  # of the videos
FACE = (20, 12, 44, 48)  # x0, y0, x1, y1 of the usual block


def picture(number: int, faces: Iterable[tuple[int, int, int, int]] = (FACE,), value: int = 230) -> np.ndarray:
    """Background of grey `number`, a red block per face."""
    frame = np.full((SIZE, SIZE, 3), number, np.uint8)
    for x0, y0, x1, y1 in faces:
        frame[y0:y1, x0:x1] = (value, number, number)
    return frame


def speech(seconds: float, level: float = 0.2) -> np.ndarray:
    """Something loud at 16 kHz, different at every time."""
    t = np.arange(round(seconds * 16000)) / 16000
    return (level * np.sin(2 * np.pi * (200 + 100 * t) * t)).astype(np.float32)


def write_video(
    path: Path, frames: Iterable[np.ndarray], sound: np.ndarray | None, fps: int = 25, sound_late: float = 0.0
) -> Path:
    """A clip: lossless pictures (FFV1) and sound (PCM) in Matroska, or H.264 and AAC where `path` ends in .mp4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lossy = path.suffix == ".mp4"
    codecs, pixel_format = (("libx264", "aac"), "yuv444p") if lossy else (("ffv1", "pcm_s16le"), "bgr0")
    pictures = list(frames)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codecs[0], rate=fps, options={"crf": "8"} if lossy else None)
        video.pix_fmt, (video.height, video.width) = pixel_format, pictures[0].shape[:2]
        audio = container.add_stream(codecs[1], rate=16000, layout="mono") if sound is not None else None
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            samples, kind = np.clip(sound, -1, 1).astype(np.float32), "fltp"
            if not lossy:
                samples, kind = np.round(samples * 32767).astype(np.int16), "s16"
            for start in range(0, len(samples), 1024):
                block = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format=kind, layout="mono")
                block.sample_rate, block.pts = 16000, start + round(sound_late * 16000)
                block.time_base = Fraction(1, 16000)
                container.mux(audio.encode(block))
            container.mux(audio.encode(None))
    return path


@dataclass(frozen=True)
class Blocks:
    """Finds the red blocks: columns of red pixels that hang together are a face, its mouth in the lowest quarter."""

    def __call__(self):
        def track(frame: np.ndarray) -> list[Face]:
            red = (frame[..., 0].astype(int) - frame[..., 1]) > 20
            columns = np.flatnonzero(red.any(0))
            groups = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1) if len(columns) else []
            return [_face(red, group) for group in groups]

        return track


def _face(red: np.ndarray, columns: np.ndarray) -> Face:
    rows = np.flatnonzero(red[:, columns[0]])
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    top, left, right = y1 - (y1 - y0) / 4, x0 + (x1 - x0) / 4, x1 - (x1 - x0) / 4
    mouth = np.array([(left, top), (right, top), (right, y1), (left, y1)], np.float32)
    pose = np.array([0.1, 0.0, 0.0, (x0 + x1) / 100, -(y0 + y1) / 100], np.float32)
    return Face(np.array([x0, y0, x1, y1], np.float32), mouth, pose, 0.0, np.zeros(2, np.float32))


@dataclass(frozen=True)
class ReadFaces:
    """Finds faces that the mouth reader knows, in pictures that are framed as the corpus is: one, or none."""

    def __call__(self):
        reader = load_reader()

        def track(frame: np.ndarray) -> list[Face]:
            found = read(reader, torch.from_numpy(frame.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1)
            if found.confidence[0] < CONFIDENT:
                return []
            size = len(frame)
            x, y, wide, opening = (size * float(v[0]) for v in (found.x, found.y, found.wide, found.open))
            half, rise = 0.07 * size + 0.06 * wide, 0.04 * size + 0.08 * opening
            angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
            mouth = np.stack([x + half * np.cos(angle), y + rise * np.sin(angle)], axis=1)
            pose = np.array([float(found.yaw[0]), 0, 0, x / size, -y / size], np.float32)
            box = np.array([0.2, 0.27, 0.8, 0.87], np.float32) * size
            return [Face(box, mouth.astype(np.float32), pose, float(found.blink[0]), np.zeros(2, np.float32))]

        return track


def write_corpus(folder: Path, clips: int, size: int = 32, per_shard: int = 2) -> Path:
    """A folder in the format of `training.corpus.build`, with noise in place of people."""
    folder.mkdir(parents=True)
    shards = []
    for shard, first in enumerate(range(0, clips, per_shard)):
        count = min(per_shard, clips - first)
        rng = np.random.default_rng([7, shard])
        np.save(folder / f"frames_{shard:04d}.npy", rng.integers(0, 255, (count, 66, size, size, 3), dtype=np.uint8))
        np.save(folder / f"audio_{shard:04d}.npy", rng.integers(-9000, 9000, (count, 62080), dtype=np.int16))
        labels = {
            "pose": rng.normal(size=(count, 66, 5)).astype(np.float32),
            "gaze": rng.normal(size=(count, 66, 2)).astype(np.float32),
            "blink": rng.random((count, 66)).astype(np.float32),
            "mouth_box": np.sort(rng.random((count, 66, 2, 2)), axis=2).reshape(count, 66, 4).astype(np.float32) * size,
            "mouth_mask": rng.integers(0, 255, (count, 66, 16, 16), dtype=np.uint8),
            "prompt": np.array(["happy, looking left, head turned right"] * count),
            "domain": np.array([("general", "singing")[(first + i) % 2] for i in range(count)]),
        }
        np.savez(folder / f"labels_{shard:04d}.npz", **labels)
        shards.append({"shard": shard, "clips": count})
    index = {"version": 1, "split": "train", "size": size, "frames": 65, "fps": 25, "audio_margin": 10240}
    (folder / "index.json").write_text(json.dumps(index | {"shards": shards}))
    return folder
