"""From the clips of a dataset to what a fine-tune reads: rows of the person, rows of other people, and a still."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from echotorrent_core.errors import InputError

from ..data.clips import Clip
from ..data.encoders import EncoderFiles
from ..data.features import read_index
from ..data.shards import Plan, build
from ..data.video import BadClip
from ..files import replace_file, replace_text
from .dataset import LATENTS, PersonClips, person_clips
from .prior import Others, write_others

FEATURES, OTHERS, REFERENCE, SETTINGS = "features", "others.safetensors", "reference.png", "clips.json"
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Reporting(PersonClips):
    """The same clips, telling how many have been read."""

    tell: Tell | None = None

    def clip(self, name: str) -> Clip:
        if self.tell is not None:
            names = self.names()
            self.tell(names.index(name), len(names))
        return super().clip(name)


def prepare(
    dataset: Path,
    out: Path,
    preset: str,
    weights: tuple[Path, ...] = (),
    landmarks: Path | None = None,
    device: str = "cpu",
    keep_frames: bool = True,
    tell: Tell | None = None,
    begun: bool = False,
) -> dict[str, int]:
    """Make what is missing in `out`; a summary of the dataset. begun: something has been trained on it already.
    InputError if no clip can be used, or if the clips are others than those that training began with."""
    source = person_clips(dataset, preset, landmarks)
    source = Reporting(**{name: getattr(source, name) for name in source.__dataclass_fields__}, tell=tell)
    keep_what_fits(out, json.dumps(source.settings(), sort_keys=True), begun)
    files = EncoderFiles(preset, weights, device=device)
    build(out / FEATURES, Plan(source, files, variants=2, keep_frames=keep_frames, per_shard=1), progress=False)
    if not (out / OTHERS).is_file():
        write_others(out / OTHERS, files.load(), Others(), LATENTS)
    rows = read_index(out / FEATURES)["rows"]
    used = {row["clip"] for row in rows}
    if not (out / REFERENCE).is_file():
        picture = Image.fromarray(best_still(source, sorted(used)))
        replace_file(out / REFERENCE, lambda path: picture.save(path, "PNG"))
    frames = source.frames
    return {"clips": len(used), "stills": len(source.stills), "windows": len(rows), "frames": len(rows) * frames}


def keep_what_fits(out: Path, clips: str, begun: bool) -> None:
    """Forget what was made of other clips, or the same ones used otherwise."""
    known = out / SETTINGS
    if known.is_file() and known.read_text(encoding="utf-8") != clips:
        if begun:
            raise InputError(
                f"{out}: the clips are others, or used otherwise, than when this job began; duplicate it to begin anew"
            )
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    replace_text(known, clips)


def best_still(source: PersonClips, names: list[str]) -> np.ndarray:
    """What videos of the person begin with: the first still, else the reference of a window that looks straight ahead,
    (H, W, 3) at the preset's size."""
    if source.stills:
        return source.stills[0][0]
    found = [(_turned(labels), picture) for picture, labels in _references(replace(source), names)]
    return min(found, key=lambda one: one[0])[1]


def _references(source: PersonClips, names: list[str]) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    for name in names:
        try:
            yield from ((window.frames[-1], window.labels) for window in source.clip(name).windows)
        except BadClip:
            continue


def _turned(labels: dict[str, np.ndarray]) -> float:
    """How far a reference is from a face that looks ahead with open eyes and closed lips."""
    x0, y0, x1, y1 = labels["mouth_box"][-1]
    yaw, pitch, *_ = labels["pose"][-1]
    return float(abs(yaw) + abs(pitch) + labels["blink"][-1] + 0.3 * (y1 - y0) / max(x1 - x0, 1))
