"""Hair: a shell around the skull whose lower edge is the hairline or, for long hair, hangs free; buns and tails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .head import Array, Skull, smoothstep
from .identity import Identity

ANGLES = (0, 25, 45, 62, 74, 84, 98, 115, 145, 180)  # degrees from the front where styles give their edge height


@dataclass(frozen=True)
class Style:
    """Edge height of the shell at ANGLES (head units) and its thickness on top, at the sides and at the back."""

    edge: tuple[float, ...]
    top: float
    side: float
    back: float
    lean: float = 0.0  # lowers the edge on one side and lifts it on the other: partings, swept fringes
    wave: float = 0.0  # waves along hanging hair
    curl: float = 0.0  # bumps of curly hair
    front: float = 0.03  # thickness of the front edge
    flare: float = 0.0
    lift: float = 0.0  # quiff


SHORT_BACK = (0.06, -0.08, -0.52, -0.66)
STYLES: dict[str, Style] = {
    "bald": Style((0.62,) * 10, 0, 0, 0),
    "buzz": Style((0.60, 0.60, 0.54, 0.32, 0.12, 0.02, 0.12, 0.02, -0.5, -0.55), 0.022, 0.015, 0.02, front=0.008),
    "crop": Style((0.56, 0.57, 0.52, 0.30, 0.02, -0.12, *SHORT_BACK), 0.12, 0.05, 0.06, lean=0.06, front=0.05),
    "side_part": Style((0.58, 0.58, 0.52, 0.28, 0.0, -0.15, *SHORT_BACK), 0.17, 0.06, 0.07, lean=0.20, front=0.09),
    "quiff": Style((0.62, 0.61, 0.54, 0.30, 0.0, -0.12, *SHORT_BACK), 0.16, 0.045, 0.06, front=0.16, lift=0.10),
    "mop": Style((0.40, 0.40, 0.38, 0.24, 0.0, -0.18, -0.1, -0.2, -0.5, -0.7), 0.20, 0.12, 0.12, lean=0.16, front=0.10),
    "pixie": Style((0.44, 0.42, 0.36, 0.16, -0.12, -0.24, *SHORT_BACK), 0.16, 0.07, 0.08, lean=0.22, front=0.08),
    "bob": Style(
        (0.60, 0.56, 0.44, 0.10, -0.5, -0.82, -0.9, -0.92, -0.92, -0.92), 0.15, 0.13, 0.12, lean=0.20, front=0.06
    ),
    "fringe_bob": Style((0.32, 0.32, 0.30, 0.12, -0.6, -0.85, -0.9, -0.9, -0.9, -0.9), 0.16, 0.13, 0.12, front=0.08),
    "long": Style(
        (0.60, 0.55, 0.40, 0.0, -0.9, -1.55, -1.7, -1.75, -1.8, -1.8), 0.14, 0.12, 0.12, lean=0.16, front=0.05
    ),
    "long_fringe": Style((0.32, 0.32, 0.28, 0.0, -1.0, -1.6, -1.7, -1.75, -1.8, -1.8), 0.15, 0.12, 0.12, front=0.08),
    "wavy": Style(
        (0.60, 0.54, 0.38, -0.05, -0.9, -1.35, -1.5, -1.55, -1.6, -1.6), 0.17, 0.16, 0.15, 0.18, 0.05, 0, 0.06, 0.12
    ),
    "bun": Style((0.60, 0.58, 0.50, 0.28, 0.0, -0.10, 0.08, -0.02, -0.5, -0.62), 0.06, 0.045, 0.05, front=0.02),
    "ponytail": Style((0.60, 0.57, 0.48, 0.24, -0.1, -0.24, 0.06, -0.02, -0.5, -0.62), 0.08, 0.05, 0.06, 0.10),
    "curly": Style(
        (0.50, 0.48, 0.40, 0.10, -0.35, -0.6, -0.7, -0.75, -0.8, -0.8), 0.22, 0.20, 0.20, 0.04, 0, 0.05, 0.12
    ),
    "afro": Style(
        (0.56, 0.54, 0.46, 0.26, 0.02, -0.2, -0.2, -0.3, -0.55, -0.6), 0.30, 0.28, 0.28, curl=0.035, front=0.17
    ),
}


class HairMesh:
    """Static hair of a person: the shell grid (R, C, 3), texture positions (R, C, 2) and extra round pieces."""

    def __init__(self, identity: Identity):
        self.style = style = STYLES[identity.hair_style]
        self.blobs: list[tuple[Array, Array]] = []
        self.grid: Array | None = None
        if identity.hair_style == "bald":
            return
        rng = np.random.default_rng([0x4A13, identity.seed])
        skull = Skull(identity)
        columns, rows = 72, 20
        theta = np.linspace(-np.pi, np.pi, columns)
        self.theta = theta
        edge = self.edge(theta, identity)
        strands = rng.normal(size=columns)
        ragged = 0.018 + 0.02 * (identity.hair_style in ("crop", "pixie", "mop", "fringe_bob", "long_fringe"))
        if identity.hair_style in ("buzz", "bun", "ponytail"):
            ragged = 0.006
        for _ in range(2):
            strands = 0.5 * strands + 0.25 * (np.roll(strands, 1) + np.roll(strands, -1))
        strands[-1] = strands[0]
        edge = edge + ragged * strands * (0.3 + 0.7 * smoothstep(1.6, 1.0, np.abs(theta)))
        t = np.linspace(0, 1, rows)[:, None]
        top = 0.999
        # even steps in angle over the dome, then straight down
        y = edge[None, :] + (top - edge[None, :]) * np.cos(t * np.pi / 2) ** 1.15
        held = np.maximum(y, 0.02)
        width, front, back = skull.section(held)
        hang = np.clip(0.02 - y, 0, None)
        volume = identity.hair_volume
        angle = np.abs(theta)[None, :]
        frontness = smoothstep(1.3, 0.5, angle)
        backness = smoothstep(1.7, 2.6, angle)
        height = smoothstep(0.15, 0.95, y)
        thick = style.side + (style.back - style.side) * backness
        thick = (thick + (style.top - thick) * height) * volume
        near_edge = smoothstep(0.55, 1.0, t)
        thick = thick + (style.front - thick) * near_edge * frontness
        short = edge[None, :] > -0.75
        taper = 1 - 0.75 * smoothstep(0.8, 1.0, t) * (1 - frontness) * short
        thick = np.maximum(thick * taper, 0.012)
        thick = thick + style.lift * frontness * smoothstep(0.35, 0.8, t) * smoothstep(1.0, 0.9, t)
        groove = np.interp(theta * 40 / np.pi, np.arange(-40, 41), rng.normal(size=81) * 0.006)[None, :]
        if style.curl == 0:
            thick = thick + groove * smoothstep(0.1, 0.5, t)
        if style.curl:
            bumps = np.sin(theta[None, :] * 13 + 2.2 * np.sin(9 * y)) * np.sin(
                y * 15 + 1.7 * np.sin(6 * theta[None, :])
            )
            fine = rng.normal(size=(rows, columns)) * 0.2
            fine[:, -1] = fine[:, 0]
            thick = thick + style.curl * (bumps + fine) * smoothstep(0.05, 0.3, t)
        flare = style.flare * smoothstep(0, 1.2, hang) - 0.05 * smoothstep(0.3, 1.4, hang) * (style.flare == 0)
        wave = style.wave * np.sin(hang * 9 + 2.0 * np.sin(theta[None, :] * 2)) * smoothstep(0, 0.3, hang)
        out = thick + flare + wave
        sine, cosine = np.sin(theta)[None, :], np.cos(theta)[None, :]
        half = (front - back) / 2
        x = (width + out) * sine
        z = (front + back) / 2 + (half + out) * np.sign(cosine) * np.abs(cosine) ** 0.82
        z = z - 0.10 * hang * (cosine > 0) * cosine
        crown = np.clip(1 - t / 0.5, 0, 1) ** 0.5
        self.grid = np.stack([x, y + style.top * volume * crown * 0.9 + 0.0 * thick, z], axis=-1)
        self.texture = np.stack([np.broadcast_to(theta[None, :] / np.pi, y.shape), np.broadcast_to(t, y.shape)], -1)
        if identity.hair_style == "bun":
            self.blobs.append(ball((0, 1.08, -0.38), (0.32, 0.29, 0.32)))
        if identity.hair_style == "ponytail":
            self.blobs.append(ball((0, 0.42, -1.02), (0.22, 0.24, 0.24)))
            self.blobs.append(ball((0, -0.30, -1.22), (0.24, 0.80, 0.24)))

    def edge(self, theta: Array, identity: Identity) -> Array:
        """Height of the shell's lower edge at longitude ``theta``."""
        style = self.style
        lean = style.lean * identity.hair_side * np.sin(1.3 * theta) * smoothstep(1.35, 0.75, np.abs(theta))
        knots = np.deg2rad(ANGLES)
        fine = np.linspace(0, np.pi, 361)
        heights = np.interp(fine, knots, style.edge)
        kernel = np.hanning(15)
        padded = np.pad(heights, 7, mode="reflect")
        heights = np.convolve(padded, kernel / kernel.sum(), mode="valid")
        return np.interp(np.abs(theta), fine, heights) + lean


def ball(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> tuple[Array, Array]:
    """An ellipsoid grid (R, C, 3) with texture positions (R, C, 2)."""
    latitude = np.linspace(0.01, np.pi - 0.01, 11)[:, None]
    longitude = np.linspace(-np.pi, np.pi, 21)[None, :]
    unit = np.stack(
        [
            np.sin(latitude) * np.sin(longitude),
            np.cos(latitude) + 0 * longitude,
            np.sin(latitude) * np.cos(longitude),
        ],
        axis=-1,
    )
    texture = np.stack([longitude / np.pi + 0 * latitude, latitude / np.pi + 0 * longitude], axis=-1)
    return unit * np.array(radii) + np.array(centre), texture
