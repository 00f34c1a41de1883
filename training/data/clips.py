"""Where training clips come from: a folder of videos, checked and cut into windows, or the procedural corpus.

A window is T frames at 25 fps (T = 1 + 4 (latents - 1)) cropped around one face, and one reference frame of the same
person from outside it. Both sources give the labels of the corpus (`corpus.build`) over the T + 1 pictures, the
reference last: pose (T + 1, 5), gaze (T + 1, 2), blink (T + 1,), mouth_box (T + 1, 4) in pixels, mouth_mask
(T + 1, h, w) uint8, prompt, domain.
"""

from __future__ import annotations

import json
import mimetypes
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from echotorrent_core.errors import InputError

from ..corpus.augment import speech_level
from ..corpus.build import DOMAINS, CorpusReader
from . import tracks, video
from .faces import Trackers, mouth_mask
from .tracks import Limits, Shot
from .video import BadClip

PROMPT = "a person is talking, looking at the camera"


@dataclass(frozen=True)
class Window:
    """frames: uint8 (T + 1, H, W, 3), the reference last; start: frame of the clip it begins with; begin: sample of the
    clip's sound at which that frame begins."""

    frames: np.ndarray
    labels: dict[str, np.ndarray]
    start: int
    begin: int


@dataclass(frozen=True)
class Clip:
    """key: tells its random draws from other clips'; sound: float32 (samples,) at 16 kHz; windows: read once."""

    key: int
    sound: np.ndarray
    windows: Iterable[Window]


class Source(Protocol):
    """Clips by name. Small and picklable: every worker has its own. size: (H, W) of their frames."""

    @property
    def size(self) -> tuple[int, int]: ...

    def names(self) -> list[str]:
        """All clips in order. InputError if there are none."""
        ...

    def clip(self, name: str) -> Clip:
        """BadClip if it cannot be used; also while its windows are read."""
        ...

    def settings(self) -> dict[str, Any]:
        """What the windows depend on, for the cache's index."""
        ...


@dataclass(frozen=True)
class Corpus:
    """The procedural corpus (`training.corpus.build`): a clip is a window, made with its reference and masks."""

    folder: Path

    @cached_property
    def reader(self) -> CorpusReader:
        return CorpusReader(self.folder)

    @property
    def size(self) -> tuple[int, int]:
        side = int(self.reader.index["size"])
        return side, side

    def __reduce__(self) -> tuple[type[Corpus], tuple[Path]]:
        return Corpus, (self.folder,)  # without the reader, whose maps do not travel

    def names(self) -> list[str]:
        if not len(self.reader):
            raise InputError(
                f"{self.folder}: the corpus holds no clips; render some with python -m training.corpus.build"
            )
        return [f"{i:06d}" for i in range(len(self.reader))]

    def clip(self, name: str) -> Clip:
        i = int(name)
        window = Window(self.reader.frames(i), self.reader.labels(i), 0, int(self.reader.index["audio_margin"]))
        return Clip(i, self.reader.audio(i).astype(np.float32) / 32768, [window])

    def settings(self) -> dict[str, Any]:
        kept = {k: v for k, v in self.reader.index.items() if k not in ("shards", "mix")}
        return {"corpus": kept}


@dataclass(frozen=True)
class VideoFolder:
    """A folder of videos, at any depth. Beside `a.mp4`, `a.json` may say {"prompt": ..., "domain": ...}; without, the
    domain is that of the nearest folder above that is named after one.

    size: (height, width) of the crops; stride: pixels per latent; frames: T; trackers: finds the faces; seed: draws
    which frame is a window's reference."""

    folder: Path
    size: tuple[int, int]
    stride: int
    frames: int
    trackers: Trackers
    limits: Limits = field(default_factory=Limits)
    seed: int = 0

    def names(self) -> list[str]:
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such folder; give a folder of videos")
        files = (path for path in self.folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        found = sorted(path.relative_to(self.folder).as_posix() for path in files if is_video(path))
        if not found:
            raise InputError(f"{self.folder}: holds no videos; put some in ({', '.join(video.VIDEO[:5])} and others)")
        return found

    def settings(self) -> dict[str, Any]:
        sizes = {"size": list(self.size), "stride": self.stride, "frames": self.frames, "reference_seed": self.seed}
        return {"videos": {"faces": repr(self.trackers), **sizes, "limits": asdict(self.limits)}}

    def clip(self, name: str) -> Clip:
        key = zlib.crc32(name.encode())
        words = {"prompt": PROMPT, "domain": self._domain(name)} | self.words(name)
        found = self.probe(name)
        self._check_length(found.seconds, "lasts")
        if found.seconds is not None and found.seconds > self.limits.longest:
            raise BadClip(f"lasts {found.seconds:.0f} s, more than {self.limits.longest:.0f}; cut it into clips")
        sound = self.sound(name, found.sound_late)
        self._check_length(len(sound) / video.SAMPLE_RATE, "its sound lasts")
        level = loudness(sound)
        if level < self.limits.silent:
            raise BadClip(f"is silent ({level:.0f} dB, speech is above {self.limits.silent:.0f})")
        seen = tracks.survey(self.pictures(name), self.trackers())
        self._check_length(len(seen.faces) / video.FPS, "its pictures last")
        usable = min(len(seen.faces), len(sound) // video.SAMPLES_PER_FRAME)
        shots = tracks.plan(seen, usable, self.frames, self.size, self.limits, [self.seed, key])
        return Clip(key, sound, self._windows(name, seen, shots, words))

    # What is read of a clip's files

    def words(self, name: str) -> dict[str, str]:
        return read_sidecar((self.folder / name).with_suffix(".json"))

    def probe(self, name: str) -> video.Probe:
        return video.probe(self.folder / name)

    def sound(self, name: str, late: float) -> np.ndarray:
        return video.sound(self.folder / name, late)

    def pictures(self, name: str) -> Iterator[np.ndarray]:
        return video.frames(self.folder / name)

    def _check_length(self, seconds: float | None, what: str) -> None:
        """A window and at least one frame beside it."""
        needed = (self.frames + 1) / video.FPS
        if seconds is not None and seconds < needed - 0.5 / video.FPS:
            raise BadClip(f"{what} {seconds:.2f} s, a window and a reference beside it need {needed:.2f} s")

    def _domain(self, name: str) -> str:
        return next((part for part in reversed(Path(name).parts[:-1]) if part in DOMAINS), DOMAINS[0])

    def _windows(self, name: str, seen: tracks.Survey, shots: list[Shot], words: dict[str, str]) -> Iterator[Window]:
        """Crops of the second reading: a shot is complete once its last frame and its reference have gone by."""
        waiting = list(shots)
        crops: dict[Shot, dict[int, np.ndarray]] = {shot: {} for shot in shots}
        for number, frame in enumerate(self.pictures(name)):
            for shot in waiting:
                if number == shot.reference or shot.start <= number < shot.start + self.frames:
                    crops[shot][number] = crop(frame, shot.box, self.size)
            while waiting and len(crops[waiting[0]]) == self.frames + 1:
                shot = waiting.pop(0)
                order = [*range(shot.start, shot.start + self.frames), shot.reference]
                pictures = np.stack([crops[shot][k] for k in order])
                del crops[shot]
                labels = self._labels(seen, np.array(order), shot, words)
                yield Window(pictures, labels, shot.start, shot.start * video.SAMPLES_PER_FRAME)
            if not waiting:
                return
        raise BadClip("gave fewer pictures the second time it was read")

    def _labels(
        self, seen: tracks.Survey, order: np.ndarray, shot: Shot, words: dict[str, str]
    ) -> dict[str, np.ndarray]:
        x0, y0, x1, _ = shot.box
        mouth = (seen.mouth[order] - np.array([x0, y0])) * (self.size[1] / (x1 - x0))
        mask = mouth_mask(mouth, self.size, self.stride)
        return {
            "pose": seen.pose[order],
            "gaze": seen.gaze[order],
            "blink": seen.blink[order],
            "mouth_box": np.concatenate([mouth.min(1), mouth.max(1)], axis=1).astype(np.float32),
            "mouth_mask": np.round(255 * mask).astype(np.uint8),
            "prompt": np.array(words["prompt"]),
            "domain": np.array(words["domain"]),
        }


def loudness(sound: np.ndarray) -> float:
    """Level of the speech in a sound, dB under full scale."""
    return float(20 * np.log10(speech_level(sound)))


def is_video(path: Path) -> bool:
    kind = mimetypes.guess_type(path.name)[0] or ""
    return path.suffix.lower() in video.VIDEO or kind.startswith("video/")


def read_sidecar(path: Path) -> dict[str, str]:
    """What the file beside a clip says of it; nothing if there is none. BadClip for what it may not say."""
    if not path.is_file():
        return {}
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadClip(f"{path.name} beside it is not JSON ({error})") from error
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise BadClip(f'{path.name} beside it must look like {{"prompt": "...", "domain": "{DOMAINS[0]}"}}')
    if unknown := sorted(said.keys() - {"prompt", "domain"}):
        raise BadClip(f"{path.name} beside it says '{unknown[0]}'; known are prompt and domain")
    if said.get("domain", DOMAINS[0]) not in DOMAINS:
        raise BadClip(f"{path.name} beside it gives the domain '{said['domain']}'; known are {', '.join(DOMAINS)}")
    return said


def crop(frame: np.ndarray, box: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
    """The part `box` of a frame (H, W, 3), antialiased to `size` (height, width)."""
    picture = Image.fromarray(frame).resize(size[::-1], Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    return np.asarray(picture)
