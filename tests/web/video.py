"""A run folder in a moment: a moving picture with a tone, through the pack's own encoder, without an engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echotorrent_core.media import SegmentEncoder, SoundWindow, finalise
from echotorrent_core.run_folder import RunFolder

SIZE, FPS, RATE = (128, 128), 25, 48_000


def make_run(folder: Path, chunks: int = 12, frames: int = 16) -> Path:
    """A finished run: its picture brightens from left to right and tells the chunk by its height."""
    encoder = SegmentEncoder(SIZE, FPS)
    time = np.arange(chunks * frames * encoder.samples_per_frame) / RATE
    sound = SoundWindow(0, np.tile(0.2 * np.sin(2 * np.pi * 330 * time), (2, 1)).astype(np.float32))
    info = {"preset": "debug", "fingerprint": "debug-1", "seed": 0, "fps": FPS, "size": SIZE}
    with RunFolder.create(folder, info) as run:
        run.write_init(encoder.init())
        for chunk in range(chunks):
            first = chunk * frames
            end = (first + frames) * encoder.samples_per_frame
            pixels = np.stack([_picture(first + t, chunk / chunks) for t in range(frames)])
            heard = SoundWindow(0, sound.samples[:, :end]).since(encoder.context_start(first))
            event = {"kind": "chunk", "chunk": chunk, "first_frame": first, "frames": frames}
            event |= {"file": f"segments/{chunk:05d}.m4s", "seconds": 0.5, "real_time": round(frames / FPS / 0.5, 2)}
            run.commit(chunk, encoder.chunk(chunk, first, pixels, heard), event, None)
        total = chunks * frames
        run.write_closing(encoder.closing(chunks, total, sound.since(encoder.context_start(total))))
        run.announce("end", frames=total)
        finalise(run.media(), folder / "video.mp4")
    return folder


def _picture(frame: int, height: float) -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    band = (y < SIZE[0] * (1 - height)) & ((x - 4 * frame) % SIZE[1] < 40)
    return np.stack([np.where(band, 230, 40 + x // 4), np.where(band, 150, 60), np.where(band, 60, 90)], -1).astype(
        np.uint8
    )
