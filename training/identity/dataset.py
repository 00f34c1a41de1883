"""A person's clips as the panel keeps them, and as a source of training data.

    DATASET/dataset.json            {"name": ..., "clips": {FILE: {"begin", "end", "caption", "use"}}}
    DATASET/clips/FILE              videos and stills
    DATASET/made/FILE.jpg, .json    thumbnail and verdict (training/identity/clips.py)

A still serves as the reference of a window a second time: the picture that a video of the person will begin with.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError

from echotorrent_core import presets
from echotorrent_core.config import EngineConfig
from echotorrent_core.errors import InputError
from echotorrent_core.loading import published
from echotorrent_core.media import file_digest

from ..data import tracks, video
from ..data.clips import VideoFolder, Window, crop, is_video
from ..data.faces import MediaPipe, Trackers
from ..data.tracks import Limits, Shot
from ..data.video import FPS, SAMPLE_RATE, BadClip
from .faces import ReaderFaces

CLIPS, MADE, DATASET = "clips", "made", "dataset.json"
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
LATENTS = 13  # of a window: three chunks of four, at a stream's start or later
MOST = 20  # clips
ZOOM, SHIFT = (0.96, 1.08), 0.05  # of copies; shift as a share of the picture


@dataclass(frozen=True)
class Use:
    """How a clip is used. begin, end: seconds; end None: to its end."""

    begin: float = 0.0
    end: float | None = None
    caption: str = ""
    use: bool = True

    def __post_init__(self) -> None:
        if self.begin < 0 or (self.end is not None and self.end <= self.begin):
            raise InputError(f"a clip from {self.begin} to {self.end} s is empty; expected 0 <= begin < end")


def is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES


def read_dataset(folder: Path) -> tuple[str, dict[str, Use]]:
    """Name and clips of a dataset, those not mentioned used whole. InputError if it is none or holds no videos."""
    path = folder / DATASET
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        name, clips = str(said.get("name", folder.name)), {}
        for file, use in said.get("clips", {}).items():
            known = {key: value for key, value in use.items() if key in Use.__dataclass_fields__}
            end = known.get("end")
            clips[file] = Use(
                float(known.get("begin") or 0.0),
                None if end is None else float(end),
                str(known.get("caption") or ""),
                bool(known.get("use", True)),
            )
    except FileNotFoundError:
        raise InputError(f"{folder}: no dataset here (no {DATASET}); make one of some clips first") from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not readable as a dataset ({error})") from error
    files = sorted(file.name for file in (folder / CLIPS).glob("*") if file.is_file() and not file.name.startswith("."))
    found = {file: clips.get(file, Use()) for file in files if is_video(Path(file)) or is_picture(Path(file))}
    return name, found


@dataclass(frozen=True)
class PersonClips(VideoFolder):
    """The clips of a dataset that are used, trimmed. uses: by file name in `folder`; stills come with the videos;
    copies: of every window, seen from a little elsewhere, so that it is not learnt by heart."""

    uses: Mapping[str, Use] = field(default_factory=dict)
    copies: int = 2

    def names(self) -> list[str]:
        found = [name for name, use in self.uses.items() if use.use and is_video(Path(name))]
        if not found:
            raise InputError(f"{self.folder}: no video is used; a person is learnt from at least one talking clip")
        if len(found) > MOST:
            raise InputError(f"{self.folder}: {len(found)} videos are used; choose at most {MOST}")
        return found

    def settings(self) -> dict[str, Any]:
        used = {name: use for name, use in self.uses.items() if use.use}
        told = {name: asdict(use) | {"file": file_digest(self.folder / name)} for name, use in used.items()}
        return super().settings() | {"clips": told, "copies": self.copies}

    # What is read of a clip's files

    def words(self, name: str) -> dict[str, str]:
        caption = self.uses[name].caption.strip()
        return {"prompt": caption} if caption else super().words(name)

    def probe(self, name: str) -> video.Probe:
        found, use = super().probe(name), self.uses[name]
        if found.seconds is None:
            return found
        return replace(found, seconds=max(0.0, min(found.seconds, use.end or found.seconds) - use.begin))

    def sound(self, name: str, late: float) -> np.ndarray:
        use = self.uses[name]
        first, last = _span(use, SAMPLE_RATE)
        return super().sound(name, late)[first:last]

    def pictures(self, name: str) -> Iterator[np.ndarray]:
        return islice(super().pictures(name), *_span(self.uses[name], FPS))

    # Stills

    @cached_property
    def stills(self) -> list[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Pictures (H, W, 3) at the size of the crops, and their labels, of the stills that show one face."""
        found = []
        for name, use in self.uses.items():
            if use.use and is_picture(Path(name)):
                try:
                    found.append(self.still(name))
                except BadClip:
                    continue  # its verdict says why
        return found

    def still(self, name: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """BadClip if it is not readable or does not show one face, lit and large enough."""
        try:
            with Image.open(self.folder / name) as image:
                picture = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except (OSError, ValueError, UnidentifiedImageError) as error:
            raise BadClip(f"cannot be opened as a picture ({error})") from error
        seen = tracks.survey([picture], self.trackers())
        if seen.light[0] < self.limits.dark:
            raise BadClip("its face is too dark")
        box = tracks.frame_box(seen, np.array([0]), self.size, self.limits)
        if box is None:
            raise BadClip("its face is too small")
        shot = Shot(0, 0, box)
        return crop(picture, box, self.size), self._labels(seen, np.array([0]), shot, {"prompt": "", "domain": ""})

    # More windows of the same clips

    def _windows(self, name: str, seen: tracks.Survey, shots: list[Shot], words: dict[str, str]) -> Iterator[Window]:
        for number, window in enumerate(super()._windows(name, seen, shots, words)):
            yield from self._copies(window, [self.seed, zlib.crc32(name.encode()), number, 0])
            if self.stills:
                picture, labels = self.stills[number % len(self.stills)]
                frames = np.concatenate([window.frames[:-1], picture[None]])
                last = ("pose", "gaze", "blink", "mouth_box", "mouth_mask")
                joined = {key: np.concatenate([window.labels[key][:-1], labels[key]]) for key in last}
                other = replace(window, frames=frames, labels=window.labels | joined)
                yield from self._copies(other, [self.seed, zlib.crc32(name.encode()), number, 1])

    def _copies(self, window: Window, seed: list[int]) -> Iterator[Window]:
        yield window
        rng = np.random.default_rng(seed)
        for _ in range(self.copies):
            zoom, shift = rng.uniform(*ZOOM), rng.uniform(-SHIFT, SHIFT, 2)
            yield moved(window, float(zoom), shift)


def moved(window: Window, zoom: float, shift: np.ndarray) -> Window:
    """The window, its reference and its labels as a camera sees them that is nearer by `zoom` and points elsewhere, by
    `shift` (x, y) as shares of the picture. Motion, which is relative to the reference, stays. Edges are repeated."""
    height, width = window.frames.shape[1:3]
    centre = np.array([width, height]) / 2
    boxes = window.labels["mouth_box"].reshape(-1, 2, 2)
    placed = (boxes - centre) * zoom + centre + shift * (width, height)
    mask = torch.from_numpy(np.ascontiguousarray(window.labels["mouth_mask"]))[:, None].float()
    pictures = torch.from_numpy(np.ascontiguousarray(window.frames)).permute(0, 3, 1, 2).float()
    frames = _seen(pictures, zoom, shift).permute(0, 2, 3, 1).round().clamp(0, 255).to(torch.uint8).numpy()
    labels = {
        "mouth_box": placed.reshape(-1, 4).astype(np.float32),
        "mouth_mask": _seen(mask, zoom, shift)[:, 0].round().clamp(0, 255).to(torch.uint8).numpy(),
    }
    return replace(window, frames=frames, labels=window.labels | labels)


def _seen(x: torch.Tensor, zoom: float, shift: np.ndarray) -> torch.Tensor:
    """Pictures (N, C, H, W): what stands at p comes from (p - shift) / zoom about the centre."""
    theta = torch.tensor([[1 / zoom, 0.0, -2 * shift[0] / zoom], [0.0, 1 / zoom, -2 * shift[1] / zoom]])
    grid = F.affine_grid(theta.float()[None].expand(len(x), -1, -1), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bicubic", padding_mode="border", align_corners=False)


def _span(use: Use, rate: int) -> tuple[int, int | None]:
    return round(use.begin * rate), None if use.end is None else round(use.end * rate)


def person_clips(folder: Path, preset: str | EngineConfig, landmarks: Path | None = None) -> PersonClips:
    """The clips of a dataset for a preset. landmarks: MediaPipe's face landmarker, for presets that draw photographs.
    InputError if faces cannot be found."""
    config = presets.get_preset(preset) if isinstance(preset, str) else preset
    trackers: Trackers = ReaderFaces()
    if published(config):
        if landmarks is None:
            raise InputError(
                f"preset '{config.name}' finds faces with MediaPipe: name its model file (face_landmarker.task)"
            )
        trackers = MediaPipe(landmarks)
        trackers.check()
    frames = 1 + config.vae.time_stride * (LATENTS - 1)
    _, uses = read_dataset(folder)
    return PersonClips(folder / CLIPS, config.size, config.vae.space_stride, frames, trackers, Limits(), uses=uses)
