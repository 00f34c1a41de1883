"""How a person moves during a clip: sway, blinks, saccades, and the expression, gaze and head turn of its prompt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .controls import EXPRESSIONS

FPS = 25
GAZES = ("camera", "left", "right", "up", "down")
TURNS = ("straight", "left", "right")
GAZE_DIRECTION = {"left": (-0.85, 0.0), "right": (0.85, 0.0), "up": (0.0, 0.9), "down": (0.0, -0.9)}
EYE_REACH = 0.40  # radians of eye rotation at gaze = 1
SWAY = {"yaw": 0.05, "pitch": 0.03, "roll": 0.02, "dx": 0.012, "dy": 0.008}  # standard deviations


@dataclass(frozen=True)
class Manner:
    """What the prompt says about a clip."""

    expression: str = "neutral"
    gaze: str = "camera"
    turn: str = "straight"

    @property
    def prompt(self) -> str:
        look = "looking at the camera" if self.gaze == "camera" else f"looking {self.gaze}"
        head = "head straight" if self.turn == "straight" else f"head turned {self.turn}"
        return f"{self.expression}, {look}, {head}"


@dataclass(frozen=True)
class Motion:
    """Tracks of F frames: pose (F, 5) yaw, pitch, roll, dx, dy; blink (F,); gaze (F, 2); brow (F,); weight (F,)."""

    manner: Manner
    pose: np.ndarray
    blink: np.ndarray
    gaze: np.ndarray
    brow: np.ndarray
    weight: np.ndarray


def random_manner(rng: np.random.Generator, profile: bool) -> Manner:
    """Mostly neutral, looking at the camera, head straight; a profile clip always has its head turned."""
    expression, gaze, turn = "neutral", "camera", "straight"
    if rng.random() >= 0.6:
        if rng.random() < 0.7:
            expression = EXPRESSIONS[int(rng.integers(1, len(EXPRESSIONS)))]
        if rng.random() < 0.4:
            gaze = GAZES[int(rng.integers(1, len(GAZES)))]
        if rng.random() < 0.4:
            turn = TURNS[int(rng.integers(1, len(TURNS)))]
    if profile:
        turn = TURNS[int(rng.integers(1, len(TURNS)))]
    return Manner(expression, gaze, turn)


def smooth_noise(rng: np.random.Generator, frames: int, seconds: float) -> np.ndarray:
    """Unit-variance noise (frames,) whose correlation time is about ``seconds``."""
    sigma = seconds * FPS / 2
    margin = int(4 * sigma) + 1
    noise = gaussian_filter1d(rng.normal(size=frames + 2 * margin), sigma, mode="wrap")
    return noise[margin:-margin] * np.sqrt(2 * sigma * np.sqrt(np.pi))


def blink_track(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Closed lids (frames,) in [0, 1]: a blink of 150-250 ms every 2 to 5 seconds, closing faster than it opens."""
    time = np.arange(frames) / FPS
    track = np.zeros(frames)
    at = float(rng.uniform(-0.3, 3.5))
    while at < frames / FPS:
        length = float(rng.uniform(0.15, 0.25))
        phase = (time - at) / length
        lid = np.where(phase < 0.4, phase / 0.4, (1 - phase) / 0.6)
        track = np.maximum(track, np.clip(lid * 1.6, 0, 1) * ((phase > 0) & (phase < 1)))
        at += length + float(rng.uniform(1.8, 4.8))
    return track


def saccade_track(rng: np.random.Generator, frames: int, sigma: float) -> np.ndarray:
    """Small jumps of the eyes (frames, 2) every 0.4 to 1.8 s."""
    track = np.zeros((frames, 2))
    at = 0
    while at < frames:
        track[at:] = rng.normal(size=2) * sigma
        at += int(rng.uniform(0.4, 1.8) * FPS)
    return gaussian_filter1d(track, 0.6, axis=0, mode="nearest")


def random_motion(rng: np.random.Generator, frames: int, profile: bool = False) -> Motion:
    """Draw the manner and the tracks of a clip."""
    manner = random_manner(rng, profile)
    pose = np.stack([s * smooth_noise(rng, frames, float(rng.uniform(1.0, 2.0))) for s in SWAY.values()], axis=1)
    side = {"left": -1.0, "right": 1.0, "straight": 0.0}[manner.turn]
    base_yaw = side * float(rng.uniform(0.5, 1.2) if profile else rng.uniform(0.14, 0.25))
    pose[:, 0] += base_yaw
    ramp = np.ones(frames)
    if rng.random() < 0.3:  # the clip starts before the person follows the prompt
        ramp = np.clip((np.arange(frames) / FPS - rng.uniform(0.0, 0.8)) / rng.uniform(0.3, 0.7), 0, 1)
        ramp = ramp * ramp * (3 - 2 * ramp)
        if not profile:
            pose[:, 0] -= base_yaw * (1 - ramp)
    gaze = saccade_track(rng, frames, 0.05)
    if manner.gaze == "camera":  # the eyes hold the camera while the head sways
        gaze -= np.clip(pose[:, :2] / EYE_REACH, -0.9, 0.9) * (0.35 if profile else 1.0)
    else:
        gaze += np.array(GAZE_DIRECTION[manner.gaze]) * ramp[:, None]
    weight = ramp * np.clip(rng.uniform(0.8, 1.0) + 0.06 * smooth_noise(rng, frames, 1.5), 0, 1)
    if manner.expression == "neutral":
        weight = np.zeros(frames)
    brow = 0.22 * smooth_noise(rng, frames, 0.8)
    return Motion(manner, pose, blink_track(rng, frames), np.clip(gaze, -1, 1), brow, weight)
