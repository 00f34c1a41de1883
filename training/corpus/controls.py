"""What changes from frame to frame: head pose, eyes, expression and the four mouth parameters."""

from __future__ import annotations

from dataclasses import dataclass

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "surprised")


@dataclass(frozen=True)
class Controls:
    """One frame's controls. Left and right are the viewer's: positive yaw and gaze_x point to the picture's right edge.

    Angles are radians (positive pitch looks up, positive roll leans to the right edge), shifts are head units
    (``head.PIXELS_PER_UNIT`` of the picture, dy upwards);
    ``blink`` 0 open to 1 closed; gaze in [-1, 1]; expression weights and mouth parameters in [0, 1].
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    dx: float = 0.0
    dy: float = 0.0
    blink: float = 0.0
    gaze_x: float = 0.0
    gaze_y: float = 0.0
    brow: float = 0.0
    smile: float = 0.0
    happy: float = 0.0
    sad: float = 0.0
    angry: float = 0.0
    surprised: float = 0.0
    open: float = 0.0
    wide: float = 0.5
    teeth: float = 0.0
    tongue: float = 0.0
