"""Reading a clip for training: its pictures at 25 per second, upright, and its sound at 16 kHz on the same clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from echotorrent_core.errors import InputError
from echotorrent_core.media.read import AudioReader

FPS = 25
SAMPLE_RATE = 16000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
VIDEO = (
    ".mp4",
    ".mov",
    ".m4v",
    ".mkv",
    ".webm",
    ".avi",
    ".mpg",
    ".mpeg",
    ".ts",
    ".mts",
    ".flv",
    ".wmv",
    ".ogv",
    ".3gp",
)
_SLACK = 0.01  # seconds a time stamp may be late, as containers round them
_FROZEN = (
    0.25  # seconds without a new picture: the clip was cut or damaged, and lips stand still while the sound goes on
)


class BadClip(InputError):
    """A clip that cannot be trained on; the message says why and is listed beside its name."""


@dataclass(frozen=True)
class Probe:
    """What a container says: seconds of its picture track (None: not stored), and how much later its sound begins."""

    seconds: float | None
    sound_late: float


def probe(path: Path) -> Probe:
    """Open a clip without decoding it. BadClip if that fails, or if picture or sound are missing."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BadClip("holds no pictures")
            if not container.streams.audio:
                raise BadClip("has no sound track")
            video, audio = container.streams.video[0], container.streams.audio[0]
            seconds = _seconds(video, video.duration)
            if seconds is None and container.duration:
                seconds = container.duration / av.time_base
            late = (_seconds(audio, audio.start_time) or 0.0) - (_seconds(video, video.start_time) or 0.0)
            return Probe(seconds, late)
    except BadClip:
        raise
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise BadClip(f"cannot be opened as a video ({_said(error)})") from error


def _said(error: Exception) -> str:
    """Without the number and the path that it begins and ends with."""
    return str(getattr(error, "strerror", None) or error)


def _seconds(stream: Any, ticks: int | None) -> float | None:
    return None if ticks is None or stream.time_base is None else float(ticks * stream.time_base)


def frames(path: Path) -> Iterator[np.ndarray]:
    """uint8 (H, W, 3), upright, 25 per second of the clip's time whatever its own rate: picture k is the one shown at
    k / 25 s. BadClip as soon as something cannot be decoded."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            first = last = 0.0
            shown: Any = None
            made = 0
            for frame in container.decode(stream):
                if frame.pts is None or stream.time_base is None:
                    raise BadClip("has pictures without time stamps")
                time = float(frame.pts * stream.time_base)
                if shown is None:
                    first = last = time
                if frame.is_corrupt or time - last > _FROZEN:
                    raise BadClip(f"its pictures are damaged or missing {last - first:.2f} s after the start")
                last = time
                while shown is not None and made / FPS < time - first - _SLACK:
                    yield _upright(shown)
                    made += 1
                shown = frame
            if shown is None:
                raise BadClip("holds no picture that can be decoded")
            yield _upright(shown)
    except BadClip:
        raise
    except (av.error.FFmpegError, OSError, IndexError, ValueError) as error:
        raise BadClip(f"its pictures cannot be decoded ({_said(error)})") from error


def _upright(frame: Any) -> np.ndarray:
    quarters = round((getattr(frame, "rotation", 0) or 0) / 90)
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), quarters))


def sound(path: Path, late: float = 0.0) -> np.ndarray:
    """Mono float32 (samples,) at 16 kHz that begins with the pictures; `late`: `Probe.sound_late`. BadClip if it
    cannot be decoded."""
    try:
        reader = AudioReader(path, SAMPLE_RATE)
        samples = np.concatenate([block.mono for block in reader])
        reader.close()
    except BadClip:
        raise
    except InputError as error:
        raise BadClip(f"its sound cannot be decoded ({_said(error)})") from error
    if reader.damaged:
        raise BadClip(f"its sound is damaged in {reader.damaged} places")
    shift = round(late * SAMPLE_RATE)
    return np.pad(samples, (shift, 0)) if shift > 0 else samples[-shift:]
