"""Faces in frames: where they are, how they turn, blink and look, and the outline of their mouths.

The landmarks come from MediaPipe's face landmarker (extra `faces`), which needs its model in a file of its own. Frames
are uint8 (H, W, 3), places (x, y) in pixels of the frame. Left and right are the viewer's, as in the corpus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from echotorrent_core.errors import InputError

from .video import FPS

HEAD_UNIT = 11.5  # centimetres: half the way from the top of a head to its chin
MODEL = "https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker"


class Face(NamedTuple):
    """box: x0, y0, x1, y1 from forehead to chin and ear to ear; mouth: outline of the lips (K, 2); pose: yaw, pitch and
    roll in radians, positive to the right edge, upwards, leaning to the right edge, and the head's place, right and up,
    in head units (`corpus.head`), from anywhere; blink in [0, 1]; gaze: right and up in [-1, 1]."""

    box: np.ndarray
    mouth: np.ndarray
    pose: np.ndarray
    blink: float
    gaze: np.ndarray


Tracker = Callable[[np.ndarray], list[Face]]


class Trackers(Protocol):
    """Makes a tracker per clip, to be given its frames in order: what it finds may not depend on other clips. Goes to
    other processes, so it is a small picklable object, and its `repr` names it in the cache's settings."""

    def __call__(self) -> Tracker: ...


# Outline of the lips in the face mesh (the outer ring of FaceLandmarksConnections.FACE_LANDMARKS_LIPS, mediapipe 1.2).
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)


@dataclass(frozen=True)
class MediaPipe:
    """The face landmarker of `mediapipe` (Apache 2.0) with the model in `model`, a `.task` file."""

    model: Path

    def check(self) -> None:
        """InputError now rather than in every worker: the package is missing, or the file is no such model."""
        if not self.model.is_file():
            raise InputError(f"{self.model}: face landmarker not found; download face_landmarker.task from {MODEL}")
        self()

    def __repr__(self) -> str:
        return f"mediapipe {self.model.name}"

    def __call__(self) -> Tracker:
        try:
            from mediapipe import Image, ImageFormat  # type: ignore[import-not-found,unused-ignore]
            from mediapipe.tasks.python import BaseOptions, vision  # type: ignore[import-not-found,unused-ignore]
        except ImportError as error:
            raise InputError(
                "clips need face landmarks: pip install 'echotorrent[faces]' (or give --corpus, which brings its own)"
            ) from error
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(self.model)),
            running_mode=vision.RunningMode.VIDEO,
            num_faces=2,  # the second is what makes a clip unfit
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        try:
            landmarker = vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise InputError(f"{self.model}: not a face landmarker model ({error}); get one from {MODEL}") from error
        count = 0

        def track(frame: np.ndarray) -> list[Face]:
            nonlocal count
            image = Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(frame))
            result = landmarker.detect_for_video(image, round(count * 1000 / FPS))
            count += 1
            found = zip(
                result.face_landmarks,
                result.facial_transformation_matrixes,
                result.face_blendshapes,
                strict=True,
            )
            return [_face(*parts, size=frame.shape[:2]) for parts in found]

        return track


def _face(landmarks: Any, matrix: np.ndarray, shapes: Any, size: tuple[int, int]) -> Face:
    """A result of the landmarker: relative points, face to camera (x right, y up, z to the viewer), named scores."""
    points = np.array([(p.x, p.y) for p in landmarks], np.float32) * (size[1], size[0])
    score = {shape.category_name: float(shape.score) for shape in shapes}

    def half(plus: tuple[str, str], minus: tuple[str, str] = ("", "")) -> float:
        return (sum(score.get(name, 0.0) for name in plus) - sum(score.get(name, 0.0) for name in minus)) / 2

    gaze = (
        half(("eyeLookOutLeft", "eyeLookInRight"), ("eyeLookInLeft", "eyeLookOutRight")),  # the person's left is right
        half(("eyeLookUpLeft", "eyeLookUpRight"), ("eyeLookDownLeft", "eyeLookDownRight")),
    )
    return Face(
        box=np.concatenate([points.min(0), points.max(0)]).astype(np.float32),
        mouth=points[list(LIPS)].astype(np.float32),
        pose=head_pose(np.asarray(matrix)),
        blink=half(("eyeBlinkLeft", "eyeBlinkRight")),
        gaze=np.array(gaze, np.float32),
    )


def head_pose(matrix: np.ndarray) -> np.ndarray:
    """Pose of a `Face` from its matrix (4, 4), head to camera, in centimetres along right, up and to the viewer."""
    rotation = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    ahead, up = rotation[:, 2], rotation[:, 1]
    yaw, pitch, roll = np.arctan2(ahead[0], ahead[2]), np.arcsin(np.clip(ahead[1], -1, 1)), np.arctan2(up[0], up[1])
    return np.array([yaw, pitch, roll, matrix[0, 3] / HEAD_UNIT, matrix[1, 3] / HEAD_UNIT], np.float32)


def mouth_mask(outlines: np.ndarray, size: tuple[int, int], stride: int, dilate: float = 1.3) -> np.ndarray:
    """Oral masks (T, H / stride, W / stride) in [0, 1] of outlines (T, K, 2) in frames of `size` (H, W).

    The hull of each outline, `dilate` times as large about its centre, with an edge that fades over a tenth of its
    width, averaged over every latent's pixels (sampled at four by four places).
    """
    height, width = size
    y, x = (np.arange(n * 4 // stride) * (stride / 4) + stride / 8 for n in (height, width))
    grid = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
    masks = []
    for outline in outlines:
        centre = (outline.min(0) + outline.max(0)) / 2
        distance = _distance(centre + dilate * (outline - centre), grid)
        fade = max(0.1 * dilate * float(np.ptp(outline[:, 0])), 1e-3)
        soft = np.clip(0.5 - distance / fade, 0, 1)
        masks.append(soft.reshape(height // stride, 4, width // stride, 4).mean((1, 3)))
    return np.stack(masks).astype(np.float32)


def _distance(points: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """How far (h, w) places of `grid` (h, w, 2) lie outside the hull of points (K, 2); negative inside."""
    try:
        sides = ConvexHull(points).equations  # outward normals and offsets
    except QhullError:  # a line or a point covers nothing
        return np.full(grid.shape[:2], np.inf, np.float32)
    return (grid @ sides[:, :2].T + sides[:, 2]).max(-1)
