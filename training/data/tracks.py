"""From the faces of a clip's frames to the windows that can be trained on: whole, lit, of one person, well framed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .faces import Tracker
from .video import FPS, BadClip


@dataclass(frozen=True)
class Limits:
    """longest: seconds of a clip; silent: dB under full scale; dark: mean brightness of the face in [0, 1]; gap: frames
    without a face that are bridged; jump: move from frame to frame, in face heights, that is a cut; small: pixels of
    the clip per pixel of the crop; face, middle: the face's height in the crop and its centre from the top, both as
    shares of the crop's height (those of the corpus)."""

    longest: float = 300.0
    silent: float = -50.0
    dark: float = 0.08
    gap: int = 5
    jump: float = 0.35
    small: float = 0.5
    face: float = 0.6
    middle: float = 0.57


@dataclass(frozen=True)
class Survey:
    """Per frame of a clip (F): number of faces; of the only one, box (F, 4), mouth (F, K, 2), pose (F, 5), blink (F,),
    gaze (F, 2) and brightness (F,) in [0, 1] (NaN where there is none, or more than one); size: (H, W) of the clip."""

    faces: np.ndarray
    box: np.ndarray
    mouth: np.ndarray
    pose: np.ndarray
    blink: np.ndarray
    gaze: np.ndarray
    light: np.ndarray
    size: tuple[int, int]


@dataclass(frozen=True)
class Shot:
    """A window of a clip: frames [start, start + T), the reference's frame, and the crop x0, y0, x1, y1 of both."""

    start: int
    reference: int
    box: tuple[float, float, float, float]


def survey(frames: Iterable[np.ndarray], tracker: Tracker) -> Survey:
    """Look for faces in every frame of a clip. BadClip if there is none in any."""
    found, light, size = [], [], (0, 0)
    for frame in frames:
        faces = tracker(frame)
        found.append(faces)
        light.append(_brightness(frame, faces[0].box) if len(faces) == 1 else np.nan)
        size = (frame.shape[0], frame.shape[1])
    example = next((faces[0] for faces in found if len(faces) == 1), None)
    if example is None:
        many = sum(len(faces) > 1 for faces in found)
        raise BadClip(f"shows no frame with one face ({many} of {len(found)} frames show more)")

    def column(name: str) -> np.ndarray:
        missing = np.full(np.shape(getattr(example, name)), np.nan, np.float32)
        rows = [getattr(faces[0], name) if len(faces) == 1 else missing for faces in found]
        return np.stack(rows).astype(np.float32)

    count = np.array([len(faces) for faces in found])
    columns = {name: column(name) for name in ("box", "mouth", "pose", "blink", "gaze")}
    return Survey(count, light=np.array(light, np.float32), size=size, **columns)


def _brightness(frame: np.ndarray, box: np.ndarray) -> float:
    x0, y0, x1, y1 = np.clip(np.round(box), 0, None).astype(int)
    part = frame[y0:y1, x0:x1]
    return float(part.mean() / 255) if part.size else 0.0


def plan(seen: Survey, frames: int, length: int, size: tuple[int, int], limits: Limits, seed: list[int]) -> list[Shot]:
    """The windows of `length` among the first `frames` frames of a clip, for crops of `size` (H, W), in order.

    Bridges short gaps in `seen`. A window's reference is drawn from the `length` frames before and behind it: never
    from the window, where it would give away what the model is to draw. BadClip if there is no window.
    """
    bridge(seen, limits.gap)
    light = seen.light[:frames]
    with np.errstate(invalid="ignore"):
        good = light >= limits.dark
    stretches = runs(good, cuts(seen.box[:frames], limits.jump))
    shots, unframed = [], 0
    for first, last in stretches:
        for start in range(first, last - length + 1, length):
            beside = [*range(max(first, start - length), start), *range(start + length, min(last, start + 2 * length))]
            if not beside:
                continue
            awake = [k for k in beside if seen.blink[k] < 0.5] or beside
            reference = int(np.random.default_rng([*seed, start]).choice(awake))
            box = frame_box(seen, np.r_[start : start + length], size, limits)
            if box is None or not holds(box, seen.mouth[[*range(start, start + length), reference]]):
                unframed += 1
                continue
            shots.append(Shot(start, reference, box))
    if not shots:
        none, many = int((seen.faces == 0).sum()), int((seen.faces > 1).sum())
        dark = int(np.nansum(light < limits.dark))
        raise BadClip(
            f"no {length + 1} frames ({(length + 1) / FPS:.2f} s) in a row show one face, lit and large enough: of "
            f"{frames} frames {none} show none, {many} several, {dark} are too dark, {len(stretches)} stretches are "
            f"left between cuts, and in {unframed} windows the face is too small or leaves the picture"
        )
    return shots


def bridge(seen: Survey, gap: int) -> None:
    """Fill up to `gap` frames in a row without a face from those around them, in place."""
    known = seen.faces == 1
    for first, last in runs(seen.faces == 0, np.zeros(len(known), bool)):
        if last - first > gap or first == 0 or last == len(known) or not (known[first - 1] and known[last]):
            continue
        share = (np.arange(first, last) - (first - 1)) / (last - (first - 1))
        for column in (seen.box, seen.mouth, seen.pose, seen.blink, seen.gaze, seen.light):
            weight = share.reshape(-1, *(1,) * (column.ndim - 1))
            column[first:last] = (1 - weight) * column[first - 1] + weight * column[last]


def cuts(box: np.ndarray, jump: float) -> np.ndarray:
    """Frames (F,) before which the face moved or changed size, by more than `jump` of its height, at once."""
    height = (box[:, 3] - box[:, 1])[:-1]
    move = np.abs(np.diff(box, axis=0)).max(1) / np.maximum(height, 1)
    with np.errstate(invalid="ignore"):
        return np.r_[False, move > jump]


def runs(good: np.ndarray, cut: np.ndarray) -> list[tuple[int, int]]:
    """Stretches [first, last) of frames that are good, ended before every cut."""
    found: list[tuple[int, int]] = []
    for k in np.flatnonzero(good).tolist():
        if found and found[-1][1] == k and not cut[k]:
            found[-1] = (found[-1][0], k + 1)
        else:
            found.append((k, k + 1))
    return found


def frame_box(
    seen: Survey, rows: np.ndarray, size: tuple[int, int], limits: Limits
) -> tuple[float, float, float, float] | None:
    """A still crop in the aspect of `size` for frames `rows`: the face as in the corpus, moved and at most shrunk to
    stay inside the picture. None if it has too few pixels."""
    box = np.median(seen.box[rows], axis=0)
    high, wide = seen.size
    height = min((box[3] - box[1]) / limits.face, high, wide * size[0] / size[1])
    width = height * size[1] / size[0]
    if height < limits.small * size[0]:
        return None
    x = np.clip((box[0] + box[2] - width) / 2, 0, wide - width)
    y = np.clip((box[1] + box[3]) / 2 - limits.middle * height, 0, high - height)
    return float(x), float(y), float(x + width), float(y + height)


def holds(box: tuple[float, float, float, float], mouths: np.ndarray) -> bool:
    """Whether the crop shows every one of the outlines (T, K, 2)."""
    x0, y0, x1, y1 = box
    return bool(((mouths >= (x0, y0)) & (mouths <= (x1, y1))).all())
