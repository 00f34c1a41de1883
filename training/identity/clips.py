"""Is a clip fit to learn a person from? One verdict per file, with a thumbnail, as training will see it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ..data import tracks, video
from ..data.clips import loudness
from ..data.video import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, BadClip
from ..files import replace_file, replace_text
from .dataset import MADE, PersonClips, is_picture

Reason = Literal["", "no face", "too dark", "silent", "too short", "unreadable", "several faces", "badly framed"]
THUMBNAIL = 256  # pixels of its longer side


@dataclass(frozen=True)
class Verdict:
    """usable; reason: empty if it is; sentence: says more. seconds: of the chosen stretch; faces: share of frames with
    exactly one; brightness of the face in [0, 1]; loudness in dB under full scale; width, height: of the picture."""

    usable: bool
    reason: Reason = ""
    sentence: str = ""
    seconds: float = 0.0
    faces: float = 0.0
    brightness: float = 0.0
    loudness: float = 0.0
    width: int = 0
    height: int = 0


def examine(source: PersonClips, name: str) -> Verdict:
    """The verdict on one clip or still."""
    facts: dict[str, Any] = {}
    try:
        reason, sentence = _still(source, name) if is_picture(Path(name)) else _clip(source, name, facts)
    except BadClip as error:
        reason, sentence = "unreadable", str(error)
    return Verdict(usable=not reason, reason=reason, sentence=sentence, **facts)


def _still(source: PersonClips, name: str) -> tuple[Reason, str]:
    try:
        source.still(name)
    except BadClip as error:
        text = str(error)
        dark, small, none = "dark" in text, "small" in text, "no frame" in text
        return ("too dark" if dark else "badly framed" if small else "no face" if none else "unreadable"), text
    return "", ""


def _clip(source: PersonClips, name: str, facts: dict[str, Any]) -> tuple[Reason, str]:
    """Fills `facts` as far as the clip can be read. In the order in which training looks at it."""
    limits, needed = source.limits, (source.frames + 1) / FPS
    found = source.probe(name)
    sound = source.sound(name, found.sound_late)
    facts["seconds"] = round(found.seconds or len(sound) / SAMPLE_RATE, 2)
    facts["loudness"] = round(loudness(sound), 1)
    pictures = list(source.pictures(name))
    if not pictures:
        return "too short", "nothing is left of it between its beginning and its end"
    facts["height"], facts["width"] = pictures[0].shape[:2]
    seconds = min(len(pictures) / FPS, len(sound) / SAMPLE_RATE)
    facts["seconds"] = round(seconds, 2)
    if seconds < needed - 0.5 / FPS:
        return "too short", f"lasts {seconds:.2f} s; {needed:.2f} s are needed"
    if facts["loudness"] < limits.silent:
        return "silent", f"its sound is at {facts['loudness']:.0f} dB; speech is above {limits.silent:.0f}"
    try:
        seen = tracks.survey(pictures, source.trackers())
    except BadClip as error:
        return "no face", str(error)
    single = seen.faces == 1
    facts["faces"] = round(float(single.mean()), 3)
    facts["brightness"] = round(float(np.nanmean(seen.light[single])), 3)
    if facts["brightness"] < limits.dark:
        return "too dark", f"its face has a brightness of {facts['brightness']:.2f}; {limits.dark:.2f} are needed"
    usable = min(len(pictures), len(sound) // SAMPLES_PER_FRAME)
    try:
        tracks.plan(seen, usable, source.frames, source.size, limits, [source.seed, 0])
    except BadClip as error:
        several = int((seen.faces > 1).sum())
        absent = int((seen.faces == 0).sum())
        reason: Reason = "several faces" if several > absent else "no face" if absent else "badly framed"
        return reason, str(error)
    return "", ""


def write_verdict(folder: Path, source: PersonClips, name: str) -> Verdict:
    """Look at a clip of the dataset in `folder`, and keep its verdict and a thumbnail there."""
    found, made = examine(source, name), folder / MADE
    made.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(found))
    replace_text(made / f"{name}.json", text)
    if (picture := middle(source, name)) is not None:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        replace_file(made / f"{name}.jpg", lambda path: picture.save(path, "JPEG", quality=85))
    return found


def middle(source: PersonClips, name: str) -> Image.Image | None:
    """The picture half-way through a clip, or the still itself; None if nothing can be read."""
    try:
        if is_picture(Path(name)):
            with Image.open(source.folder / name) as image:
                return image.convert("RGB")
        last = None
        count = round(FPS * (source.probe(name).seconds or 0) / 2)
        for number, frame in enumerate(source.pictures(name)):
            last = frame
            if number >= count:
                break
        return None if last is None else Image.fromarray(last)
    except (OSError, ValueError, video.BadClip):
        return None
