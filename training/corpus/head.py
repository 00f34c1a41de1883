"""The head in 3-D: skull, face relief, jaw drop, ears, neck and shoulders as small numpy meshes, and their projection.

Axes: x to the right edge of the picture, y up, z towards the camera; half a skull height is 1. A grid is (R, C, 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .controls import Controls
from .identity import Identity

FACE_TOP, WIDEST, CHIN = 1.0, 0.1, -1.0
CAMERA_DISTANCE = 7.0
PIXELS_PER_UNIT = 50.5 / 128  # of the frame size
CENTRE_Y = 61.0 / 128
PIVOT = np.array([0.0, -0.72, -0.12])
MAX_GAP = 0.40  # inner lip distance at open = 1

Array = np.ndarray


def smoothstep(low: float, high: float, value: Array | float) -> Array:
    t = np.clip((np.asarray(value, dtype=np.float64) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def bell(value: Array | float, centre: float, width: float) -> Array:
    return np.exp(-(((np.asarray(value) - centre) / width) ** 2))


@dataclass(frozen=True)
class Mouth:
    """Numbers of one mouth: half width, lip gap, how much of it is jaw, corner heights and protrusion (head units)."""

    half_width: float
    gap: float
    upper: float  # part of the gap above the rest line
    lower: float  # part below: the jaw drop
    corner: float  # height of the corners against the rest line
    pucker: float
    y: float

    def opening(self, s: Array) -> Array:
        """Shape of the gap over s in [-1, 1] (corner to corner), 1 in the middle."""
        roundness = 2.0 + 0.4 * (1 - self.pucker)
        return np.clip(1 - np.abs(s) ** roundness, 0, 1) ** (0.66 - 0.14 * self.pucker)

    def line(self, s: Array) -> Array:
        """Where closed lips meet."""
        return self.y + self.corner * np.abs(s) ** 2 - 0.007 * bell(s, 0, 0.35)


def mouth_numbers(identity: Identity, controls: Controls) -> Mouth:
    c = controls
    wide = float(np.clip(c.wide, 0, 1))
    half_width = float(np.interp(wide, (0, 0.5, 1), (0.165, 0.302, 0.385))) * identity.mouth_width
    smile = c.smile + c.happy
    half_width *= 1 + 0.06 * smile - 0.05 * c.sad - 0.04 * c.surprised - 0.08 * c.open * wide
    gap = MAX_GAP * float(np.clip(c.open, 0, 1)) ** 0.8  # small openings stay visible at 128 pixels
    upper, lower = 0.26 * gap, 0.74 * gap
    corner = 0.036 + 0.075 * smile - 0.085 * c.sad - 0.045 * c.angry - 0.16 * lower
    return Mouth(half_width, gap, upper, lower, corner, float(np.clip(1 - 2 * wide, 0, 1)), identity.mouth_y)


class Skull:
    """Closed form of the undeformed head: widths and depths over height, and the front relief over (x, y)."""

    def __init__(self, identity: Identity):
        self.identity = identity

    def section(self, y: Array) -> tuple[Array, Array, Array]:
        """Half width, front depth and back depth of the horizontal section at height y."""
        i = self.identity
        y = np.clip(y, CHIN, FACE_TOP)
        top = np.clip((y - WIDEST) / (FACE_TOP - WIDEST), 0, 1)
        dome = np.sqrt(np.clip(1 - top**2.2, 0, 1))
        t = np.clip((WIDEST - y) / (WIDEST - CHIN), 0, 1)
        width = 0.745 * i.face_width * dome * np.clip(1 - t**i.jaw_power, 0, 1) ** (1 / i.jaw_round)
        pole = 0.33
        front_low = pole + (0.80 - pole) * np.sqrt(np.clip(1 - t**8, 0, 1))
        back_low = pole - (0.86 + pole) * np.clip(1 - t**1.6, 0, 1) ** 0.8
        front = np.where(y > WIDEST, -0.02 + 0.82 * dome, front_low)
        back = np.where(y > WIDEST, -0.02 - 0.84 * dome, back_low)
        return width, front, back

    def relief(self, x: Array, y: Array) -> Array:
        """Forward displacement of the face: nose, sockets, brows, cheeks, lips, chin."""
        i = self.identity
        ax = np.abs(x)
        tip = -0.34 * i.nose_length
        along = np.clip((0.14 - y) / (0.14 - tip), 0, 1)
        below = smoothstep(tip - 0.12, tip - 0.01, y)
        ridge = (0.035 + 0.105 * along**1.4) * below * smoothstep(0.30, 0.08, y) * i.nose_height
        nose_width = (0.062 + 0.035 * along) * i.nose_width
        z = ridge * np.exp(-((ax / nose_width) ** 2))
        z += 0.060 * i.nose_height * bell(y, tip, 0.085) * np.exp(-((ax / (0.095 * i.nose_width)) ** 2))
        z += 0.055 * bell(y, tip - 0.02, 0.065) * bell(ax, 0.115 * i.nose_width, 0.055)
        z -= 0.075 * bell(ax, 0.29, 0.17) * bell(y, 0.01, 0.14)
        z += 0.045 * bell(ax, 0.29 * i.eye_spacing, 0.11) * bell(y, -0.01, 0.085)
        z += 0.03 * bell(ax, 0.25, 0.22) * bell(y, 0.22, 0.07)
        z += i.cheek * bell(ax, 0.40, 0.19) * bell(y, -0.27, 0.18)
        z += 0.06 * bell(ax, 0, 0.28) * bell(y, i.mouth_y, 0.12)
        z -= 0.03 * bell(ax, 0, 0.22) * bell(y, i.mouth_y - 0.19, 0.06)
        z += (0.05 + i.chin) * bell(ax, 0, 0.22) * bell(y, -0.90, 0.12)
        return z

    def front(self, x: Array, y: Array) -> Array:
        """Depth z of the face at frontal position (x, y) with the mouth at rest."""
        width, front, back = self.section(y)
        sine = np.clip(x / np.maximum(width, 1e-6), -0.999, 0.999)
        cosine = np.sqrt(1 - sine**2)
        return (front + back) / 2 + (front - back) / 2 * cosine**0.82 + self.relief(x, y) * cosine**0.5

    def around(self, theta: Array, y: Array) -> Array:
        """Points (..., 3) at longitude ``theta`` (0 = front, positive = right) and height ``y``."""
        width, front, back = self.section(y)
        sine, cosine = np.sin(theta), np.cos(theta)
        x = width * sine
        z = (front + back) / 2 + (front - back) / 2 * np.sign(cosine) * np.abs(cosine) ** 0.82
        z = z + self.relief(x, y) * np.clip(cosine, 0, 1) ** 0.5
        return np.stack([x, np.broadcast_to(y, x.shape), z], axis=-1)


def grid_triangles(rows: int, columns: int, closed: bool = False) -> Array:
    """Vertex indices (N, 3) of the two triangles per grid cell, counter-clockwise seen from outside."""
    r = np.arange(rows - 1)[:, None]
    c = np.arange(columns if closed else columns - 1)[None, :]
    right = (c + 1) % columns
    a, b, d, e = r * columns + c, r * columns + right, (r + 1) * columns + c, (r + 1) * columns + right
    return np.concatenate([np.stack([a, d, b], -1).reshape(-1, 3), np.stack([b, d, e], -1).reshape(-1, 3)])


def grid_normals(grid: Array, closed: bool = False) -> Array:
    """Outward unit normals (R, C, 3) of a grid whose rows go down and whose columns go to the right."""
    down = np.empty_like(grid)
    down[1:-1] = grid[2:] - grid[:-2]
    down[0], down[-1] = grid[1] - grid[0], grid[-1] - grid[-2]
    across = np.empty_like(grid)
    across[:, 1:-1] = grid[:, 2:] - grid[:, :-2]
    if closed:
        across[:, 0], across[:, -1] = grid[:, 1] - grid[:, -1], grid[:, 0] - grid[:, -2]
    else:
        across[:, 0], across[:, -1] = grid[:, 1] - grid[:, 0], grid[:, -1] - grid[:, -2]
    n = np.empty_like(grid)
    n[..., 0] = down[..., 1] * across[..., 2] - down[..., 2] * across[..., 1]
    n[..., 1] = down[..., 2] * across[..., 0] - down[..., 0] * across[..., 2]
    n[..., 2] = down[..., 0] * across[..., 1] - down[..., 1] * across[..., 0]
    return n / np.maximum(np.sqrt((n * n).sum(-1, keepdims=True)), 1e-9)


class FaceMesh:
    """The head as a grid whose rows split at the lips: rows upper, two inner ones, lower share a height at rest."""

    def __init__(self, identity: Identity):
        self.skull = Skull(identity)
        self.identity = identity
        my = identity.mouth_y
        top = 0.35 + (FACE_TOP - 0.35) * np.cos(np.linspace(0.02, np.pi / 2, 9))
        middle = np.linspace(0.35, -0.25, 14)[1:]
        lips = np.linspace(-0.25, my, 11)[1:]
        below = np.linspace(my, -0.84, 7)
        under = -0.84 - 0.16 * np.sin(np.linspace(0, np.pi / 2, 7))[1:]
        under[-1] = -0.9999
        self.rows = np.concatenate([top, middle, lips, [my, my], below, under])
        self.upper = len(top) + len(middle) + len(lips) - 1
        self.lower = self.upper + 3
        s = np.linspace(-1, 1, 53)
        self.theta = np.deg2rad(155) * (0.5 * s + 0.5 * np.sign(s) * np.abs(s) ** 2.6)
        self.rest = self.skull.around(self.theta[None, :], self.rows[:, None])
        self.triangles = grid_triangles(*self.rest.shape[:2])
        x, y, z = np.moveaxis(self.rest, -1, 0)
        self.is_lower = (np.arange(len(self.rows)) >= self.lower)[:, None]
        self.is_inner = ((np.arange(len(self.rows)) > self.upper) & (np.arange(len(self.rows)) < self.lower))[:, None]
        self.jaw_side = smoothstep(-0.15, 0.4, z) * smoothstep(-0.15, -0.5, y)
        self.jaw_broad = np.exp(-((x / 0.62) ** 4)) * self.jaw_side
        self.jaw_mix = smoothstep(0.0, 0.26, my - y)
        self.upper_fall = bell(y, my, 0.11) * (y >= my)
        self.corner_fall = bell(y, my, 0.17)
        self.lips_fall = bell(x, 0, 0.26) * bell(y, my, 0.13) * (z > 0)
        cheek_side = np.sign(x)
        self.cheek_fall = bell(np.abs(x), 0.37, 0.16) * bell(y, -0.30, 0.16) * (z > 0)
        # texture position: the frontal view of the deformed face; the far side is unfolded outwards, off the features
        edge = 2 * np.abs(self.rest[..., 0]).max() - np.abs(x)
        self.unfold = np.where(np.abs(self.theta)[None, :] > np.pi / 2, cheek_side * edge, x)
        self.kept = np.concatenate([np.arange(self.upper + 1), np.arange(self.lower, len(self.rows))])

    def deform(self, mouth: Mouth, smile: float) -> tuple[Array, Array, Array]:
        """Vertices (R, C, 3), normals (R, C, 3) and texture positions (R, C, 2) for a mouth shape."""
        points = self.rest.copy()
        x, y = self.rest[..., 0], self.rest[..., 1]
        s = x / mouth.half_width
        inside = mouth.opening(np.clip(s, -1, 1)) * (self.rest[..., 2] > 0)
        corner = mouth.corner * np.clip(np.abs(s), 0, 1) ** 1.7 * bell(np.maximum(np.abs(s), 1), 1, 0.5)
        dy = corner * self.corner_fall
        up = mouth.upper * inside * self.upper_fall
        down = -mouth.lower * ((1 - self.jaw_mix) * inside + self.jaw_mix * self.jaw_broad)
        dy = dy + np.where(self.is_lower, down, up)
        points[..., 1] = y + dy
        points[..., 2] += 0.09 * mouth.pucker * self.lips_fall
        points[..., 2] -= np.where(self.is_lower, 0.22 * mouth.lower * self.jaw_mix * self.jaw_broad, 0)
        points[..., 2] += 0.035 * smile * self.cheek_fall
        normals = np.zeros_like(points)
        normals[self.kept] = grid_normals(points[self.kept])
        joint = normals[self.upper] + normals[self.lower]  # one normal where the lips meet, or a crease would show
        joint /= np.maximum(np.linalg.norm(joint, axis=-1, keepdims=True), 1e-9)
        normals[self.upper] = normals[self.lower] = joint
        first, last = points[self.upper], points[self.lower]
        gap = np.clip((first[:, 1] - last[:, 1]) / 0.12, 0, 1)
        for index, part in ((self.upper + 1, 0.2), (self.upper + 2, 0.8)):
            points[index] = first + (last - first) * part
            points[index, :, 2] -= 0.10 * gap
            normals[index] = (0.0, 0.0, 1.0)
        texture = np.stack([self.unfold, points[..., 1]], axis=-1)
        return points, normals, texture


def ear_grid(identity: Identity, side: float) -> tuple[Array, Array]:
    """A small cupped disc on the side of the head: points (R, C, 3) and its own shading (R, C)."""
    radius = np.linspace(0, 1, 8)[:, None]
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)[None, :] * side
    size = identity.ear_size
    shape = 1 + 0.12 * np.cos(angle - 0.6 * side) * side
    lobe = 1 - 0.22 * smoothstep(0.2, 1.0, -np.sin(angle))
    back = radius * np.cos(angle) * 0.125 * size * shape * lobe
    up = radius * np.sin(angle) * 0.20 * size
    lift = 0.075 * np.sin(np.clip(radius, 0, 1) ** 1.6 * np.pi * 0.86) - 0.02
    width = Skull(identity).section(np.array(-0.13))[0]
    x = side * (width - 0.035 + lift + 0.35 * np.clip(-side * back * side + 0.02, -0.02, 0.2))
    z = -0.10 + side * back * side
    grid = np.stack([np.broadcast_to(x, up.shape), -0.13 + up + 0.1 * (z + 0.1), z], axis=-1)
    shade = 0.74 + 0.26 * smoothstep(0.35, 0.72, radius) * np.ones_like(angle)
    return grid, shade


def body_grids(identity: Identity) -> tuple[Array, Array]:
    """Neck and clothes, each (R, C, 3); the body keeps still below the head."""
    theta = np.linspace(-np.pi, np.pi, 40)[None, :]
    build = 1.1 - 0.16 * identity.femininity
    t = np.linspace(0, 1, 9)[:, None]
    radius = (0.36 + 0.10 * smoothstep(0.55, 1.0, t)) * build
    neck_y = -0.55 - 0.95 * t
    neck = np.stack(
        [radius * np.sin(theta), neck_y + 0 * theta, -0.14 - 0.06 * t + 0.92 * radius * np.cos(theta)], axis=-1
    )
    collar = {"crew": -1.30, "vneck": -1.42, "turtleneck": -1.06, "collar": -1.22}[identity.clothes]
    s = np.linspace(0, 1, 12)[:, None]
    wide = (0.43 + 0.85 * s**0.8) * build + 0.02
    deep = (0.42 + 0.20 * s) * build
    front = np.clip(np.cos(theta), 0, 1)
    low = (1 - s) * front ** (6 if identity.clothes == "vneck" else 1.5)
    y = collar - 0.62 * s**1.7 - (0.40 if identity.clothes == "vneck" else 0.12) * low + 0.05 * (1 - front) * (1 - s)
    if identity.clothes == "turtleneck":
        wide = (0.40 + 0.02 * s + 0.86 * np.clip(s - 0.25, 0, 1) ** 0.9) * build
    cloth = np.stack([wide * np.sin(theta), y, -0.18 + deep * np.cos(theta)], axis=-1)
    return neck, cloth


class Camera:
    """Rotates points with the head (or partly, for the body) and projects them to pixels of a square picture."""

    def __init__(self, controls: Controls, size: float, follow: float = 1.0):
        yaw, pitch, roll = controls.yaw * follow, -controls.pitch * follow, -controls.roll * follow
        cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
        about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        self.rotation = about_z @ about_x @ about_y
        shift = follow**2
        self.shift = np.array([controls.dx * shift, controls.dy * shift, 0.0])
        self.scale = PIXELS_PER_UNIT * size
        self.size = size

    def turn(self, points: Array) -> Array:
        return (points - PIVOT) @ self.rotation.T + (PIVOT + self.shift)

    def project(self, turned: Array) -> Array:
        """Pixels (..., 2) of turned points, with a mild perspective."""
        zoom = self.scale * CAMERA_DISTANCE / (CAMERA_DISTANCE - turned[..., 2:3] + 0.5)
        xy = turned[..., :2] * zoom
        return np.concatenate([self.size / 2 + xy[..., :1], CENTRE_Y * self.size - xy[..., 1:]], axis=-1)
