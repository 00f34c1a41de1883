"""A run as one mp4 that grows while the run is made: for pages that may not play fragments from a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np

from ..echotorrent_core.media import SegmentEncoder
from ..echotorrent_core.media.boxes import Track, box, fragment
from ..echotorrent_core.media.write import VIDEO_TICKS
from ..echotorrent_core.run_folder import EventTail, RunFolder
from . import guard
from .runs import Runs

POLL = 0.05  # seconds between two looks at a run that is being made
BLOCK = 1 << 15  # bytes; Chromium takes a stream in blocks of this size, and shows nothing of one that is not full
PROBED = 21  # frames that Chromium's demuxer (FFmpeg) reads to learn the frame rate before it shows the first


async def fragments(
    folder: Path, runs: Runs, first: int = 0, gone: Callable[[], bool] = lambda: False
) -> AsyncIterator[bytes]:
    """What the mp4 of a run consists of, in playing order, each part as soon as it is there, until the run is over.

    first: chunk to begin with. gone: nobody waits any more. Raises OSError or InputError for a run that is deleted or
    damaged meanwhile.
    """
    tail, begun = EventTail(folder / "events.jsonl"), False
    while not gone():
        running = await asyncio.to_thread(runs.running, folder)  # asked first: what comes after it is seen next time
        for event in await asyncio.to_thread(tail.poll):
            if event["kind"] == "chunk" and event["chunk"] >= first:
                data = await _read(folder, event["file"])
                if not begun:
                    yield padded(await _read(folder, "init.mp4"))
                    if event["frames"] < PROBED:
                        data += await asyncio.to_thread(stills, folder, event["first_frame"], event["frames"])
                    begun = True
                yield padded(data)
        if not running:
            break
        await asyncio.sleep(POLL)
    if begun and (folder / "segments" / "closing.m4s").exists():
        yield padded(await _read(folder, "segments/closing.m4s"))


def padded(data: bytes, block: int = BLOCK) -> bytes:
    """A part filled up to whole blocks with an empty `free` box (ISO/IEC 14496-12, 8.1.2), which players skip."""
    return data + box(b"free", bytes((-len(data) - 8) % block))


def stills(folder: Path, first: int, frames: int) -> bytes:
    """The last of a chunk's frames again, a tick of time each, so that a stream that begins with it has enough of them.

    first, frames: the chunk's in the run. Frames that repeat the one before say "as before" of every block, whatever
    it shows, so those of a black video fit, made by the same encoder.
    """
    info = RunFolder(folder, write=False).info
    height, width = info["size"]
    black = np.zeros((PROBED, height, width, 3), np.uint8)
    samples = SegmentEncoder((height, width), info["fps"])._video_track(0, black).samples[frames:]
    return fragment(0, [Track(1, (first + frames - 1) * VIDEO_TICKS + 1, 1, samples)])


async def _read(folder: Path, name: str) -> bytes:
    return await asyncio.to_thread(guard.inside(folder, name).read_bytes)
