"""Head motion, blinks and gaze as a seeded stream beside the audio features.

Speech does not determine them, and a few-step model trained by regression would average them away; given as a
condition they stay lively, seeded and steerable by the prompt. Channels, relative to the reference portrait:
yaw, pitch, roll, x, y, blink, gaze x, gaze y, each scaled to about one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..config import MotionConfig
from .text import Prompt

CHANNELS = ("yaw", "pitch", "roll", "x", "y", "blink", "gaze_x", "gaze_y")
SCALES = (0.1, 0.06, 0.04, 0.02, 0.02, 1.0, 1.0, 1.0)  # raw units per unit of the feature
_BLINK = (0.35, 0.9, 1.0, 0.85, 0.5, 0.2)  # lid closure over six frames = 240 ms
_GAZE = {"camera": (0.0, 0.0), "left": (-0.7, 0.0), "right": (0.7, 0.0), "up": (0.0, 0.7), "down": (0.0, -0.7)}
_SLOW, _SMOOTH = 1.2, 0.3  # seconds: time constants of the wander and of its low-pass
_STATE = 5 * 2 + 4 + 2  # wander and smoothed value of five pose channels; gaze now and target; gaze and blink timers


def normalise(raw: Tensor) -> Tensor:
    """Raw channels (..., 8) in radians, head heights and [0, 1] / [-1, 1] -> features (..., 8)."""
    return raw / raw.new_tensor(SCALES)


class MotionTrack:
    """Generates the channels frame by frame; all state is one small tensor."""

    def __init__(self, config: MotionConfig, fps: int):
        self.fps = fps
        self.sigma = torch.tensor([config.yaw, config.pitch, config.roll, config.shift, config.shift])
        self.turn = {"straight": 0.0, "left": -config.turn, "right": config.turn}
        self.blink_frames = config.blink_seconds * fps

    def start(self) -> Tensor:
        """State at rest in the reference's pose; the first blink comes after at least a second."""
        state = torch.zeros(_STATE)
        state[-1] = self.fps
        return state

    def advance(self, state: Tensor, frames: int, prompt: Prompt, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The next `frames` frames: (features (frames, 8), new state). Every draw comes from `generator`."""
        noise = torch.randn(frames, 5, generator=generator)
        uniform = torch.rand(frames, 4, generator=generator)
        wander, value = state[:5].clone(), state[5:10].clone()
        gaze, target = state[10:12].clone(), state[12:14].clone()
        gaze_timer, blink_timer = state[14].item(), state[15].item()
        target_pose = torch.tensor([self.turn[prompt.head], 0.0, 0.0, 0.0, 0.0])
        bias = torch.tensor(_GAZE[prompt.gaze])
        keep = 1 - 1 / (_SLOW * self.fps)
        follow = 1 / (_SMOOTH * self.fps)
        rows = []
        for f in range(frames):
            wander = keep * wander + self.sigma * (1 - keep**2) ** 0.5 * noise[f]
            value = value + follow * (wander + target_pose - value)
            if gaze_timer <= 0:
                target = bias + 0.3 * (2 * uniform[f, :2] - 1)
                gaze_timer = self.fps * (0.6 + 1.8 * uniform[f, 2].item())
            gaze = gaze + 0.6 * (target - gaze)
            gaze_timer -= 1
            blink_timer -= 1
            blink = _BLINK[int(-blink_timer) - 1] if -len(_BLINK) <= blink_timer < 0 else 0.0
            if blink_timer < -len(_BLINK):
                blink_timer = float(int(self.blink_frames * (0.4 + 1.2 * uniform[f, 3].item())))
            rows.append(torch.cat([value, torch.tensor([blink]), gaze]))
        state = torch.cat([wander, value, gaze, target, torch.tensor([gaze_timer, blink_timer])])
        return normalise(torch.stack(rows)), state
