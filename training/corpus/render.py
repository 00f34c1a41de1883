"""Draws a person: background, hair behind, neck and clothes, the textured head, ears, hair in front, glasses."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import skia

from .background import background_image
from .controls import Controls
from .face_art import BOTTOM, LEFT, RIGHT, TOP, FaceArt, colour, lip_curves, stroke
from .hair import HairMesh
from .head import (
    PIXELS_PER_UNIT,
    Array,
    Camera,
    FaceMesh,
    Skull,
    bell,
    body_grids,
    ear_grid,
    grid_normals,
    grid_triangles,
    mouth_numbers,
    smoothstep,
)
from .identity import Identity

SUPERSAMPLE = 2
EXPOSURE = 1.25  # the texture is multiplied by light / EXPOSURE, so light may exceed 1 without clipping early
TEXTURE_DENSITY = 1.35  # texture pixels per supersampled screen pixel


class Rendered(NamedTuple):
    """One frame: image uint8 (H, W, 3) and the outer lip contour (N, 2) in pixels (x, y)."""

    image: Array
    mouth: Array


class Light:
    """Wrapped key light, cool ambient, a rim and a soft highlight; all per vertex."""

    def __init__(self, identity: Identity):
        a, e = identity.light_azimuth, identity.light_elevation
        self.key = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
        self.half = self.key + np.array([0, 0, 1.0])
        self.half /= np.linalg.norm(self.half)
        warm = identity.light_warmth
        self.ambient = np.array([0.64, 0.575, 0.565])
        self.colour = np.array([0.56 + warm, 0.60, 0.60 - warm])
        self.rim = np.array([0.20, 0.22, 0.25])

    def shade(self, normals: Array) -> Array:
        """Light (N, 3) on unit normals (N, 3) facing the camera along +z."""
        wrapped = np.clip((normals @ self.key + 0.30) / 1.30, 0, 1)
        rim = np.clip(1 - normals[:, 2], 0, 1) ** 3 * (0.4 + 0.6 * np.clip(-np.sign(self.key[0]) * normals[:, 0], 0, 1))
        return self.ambient + self.colour * wrapped[:, None] + self.rim * rim[:, None]

    def gloss(self, normals: Array, power: float) -> Array:
        return np.clip(normals @ self.half, 0, 1) ** power


def pack(rgb: Array) -> list[int]:
    """Colours (N, 3) in [0, 1] as a list of opaque ARGB integers."""
    c = (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint32)
    return (0xFF000000 | (c[:, 0] << 16) | (c[:, 1] << 8) | c[:, 2]).tolist()


def points(xy: Array) -> list[skia.Point]:
    return list(map(skia.Point, xy[:, 0].tolist(), xy[:, 1].tolist()))


def facing(xy: Array, triangles: Array) -> Array:
    """True for triangles (N, 3) turned to the camera, from pixel positions (V, 2)."""
    a, b, c = xy[triangles[:, 0]], xy[triangles[:, 1]], xy[triangles[:, 2]]
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0


class Renderer:
    """Draws frames of one person at one size; keeps the meshes, the background and the painted skin."""

    def __init__(self, identity: Identity, size: int = 128):
        if size < 32:
            raise ValueError(f"Frame size {size} is too small: expected at least 32 pixels.")
        self.identity, self.size = identity, size
        self.big = size * SUPERSAMPLE
        self.light = Light(identity)
        self.skull = Skull(identity)
        self.face = FaceMesh(identity)
        self.art = FaceArt(identity)
        self.hair = HairMesh(identity)
        self.skin = np.array(identity.skin) / 255
        self.hair_tone = np.array(identity.hair_colour) / 255
        self.neck, self.cloth = body_grids(identity)
        self.neck_triangles = grid_triangles(*self.neck.shape[:2])
        self.cloth_triangles = grid_triangles(*self.cloth.shape[:2])
        self.neck_normals, self.cloth_normals = (grid_normals(g).reshape(-1, 3) for g in (self.neck, self.cloth))
        self.ears = [ear_grid(identity, side) for side in (-1.0, 1.0)]
        self.face_shade = self._face_shade()
        self.background = background_image(identity, size)
        self.scale = self.big * PIXELS_PER_UNIT * TEXTURE_DENSITY
        self.texture = skia.Surface(round((RIGHT - LEFT) * self.scale), round((TOP - BOTTOM) * self.scale))
        with self.texture as canvas:
            canvas.save()
            self._texture_space(canvas)
            self.art.paint_base(canvas)
            canvas.restore()
        self.base = self.texture.makeImageSnapshot()
        self.strands = strand_texture(identity)
        if self.hair.grid is not None:
            self.hair_triangles = grid_triangles(*self.hair.grid.shape[:2])
            self.hair_normals = grid_normals(self.hair.grid)
            self.hair_normals[:, [0, -1]] = (self.hair_normals[:, [0]] + self.hair_normals[:, [-1]]) / 2
            self.hair_texture = points(self.hair.texture.reshape(-1, 2) * (512, 64) + (512, 0))
        self.pixels = np.zeros((self.big, self.big, 4), np.uint8)
        self.surface = skia.Surface(self.pixels)
        self.small = np.zeros((size, size, 4), np.uint8)
        self.small_surface = skia.Surface(self.small)

    def _texture_space(self, canvas: skia.Canvas) -> None:
        canvas.scale(self.scale, -self.scale)
        canvas.translate(-LEFT, -TOP)

    def _face_shade(self) -> Array:
        """Static occlusion per face vertex: under the hairline, under the jaw, beside the nose."""
        x, y, z = np.moveaxis(self.face.rest, -1, 0)
        shade = np.ones(x.shape)
        shade *= 1 - 0.35 * smoothstep(-0.80, -1.0, y) * smoothstep(0.72, 0.3, z)
        if self.hair.grid is not None:
            theta = np.broadcast_to(self.face.theta[None, :], x.shape)
            below = self.hair.edge(theta, self.identity) - y
            shade *= 1 - 0.30 * np.exp(-np.clip(below, 0, None) / 0.07)
        return shade.reshape(-1, 1)

    def render(self, controls: Controls) -> Rendered:
        """Draw one frame; the same controls always give the same bytes."""
        mouth = mouth_numbers(self.identity, controls)
        head = Camera(controls, self.big)
        body = Camera(controls, self.big, follow=0.4)
        with self.surface as canvas:
            canvas.drawImageRect(
                self.background, skia.Rect.MakeWH(self.big, self.big), skia.SamplingOptions(skia.FilterMode.kLinear)
            )
            hair = self._hair(head)
            if hair:
                self._draw_blobs(canvas, head)
                self._draw_hair(canvas, hair, front=False)
            self._draw_body(canvas, body, inside=True)
            neck = (self.neck, self.neck_normals, self.neck_triangles)
            self._draw_plain(canvas, body, neck, self.skin, self._neck_shade(controls))
            self._draw_ears(canvas, head, behind=True)
            self._draw_body(canvas, body, inside=False)
            self._draw_face(canvas, head, controls, mouth)
            self._draw_ears(canvas, head, behind=False)
            if self.identity.glasses != "none":
                self._draw_glasses(canvas, head)
            if hair:
                self._draw_hair(canvas, hair, front=True)
        image = self.surface.makeImageSnapshot()
        with self.small_surface as canvas:
            canvas.drawImageRect(
                image, skia.Rect.MakeWH(self.size, self.size), skia.SamplingOptions(skia.FilterMode.kLinear)
            )
        return Rendered(np.ascontiguousarray(self.small[..., :3]), self._lip_pixels(head, controls, mouth))

    def _neck_shade(self, controls: Controls) -> Array:
        y = self.neck[..., 1].reshape(-1, 1)
        drop = 0.30 * controls.open
        return 1 - 0.46 * smoothstep(-1.42 - drop, -1.02 - drop, y)

    def _draw_plain(
        self, canvas: skia.Canvas, camera: Camera, mesh: tuple[Array, Array, Array], rgb: Array, shade: Array | float
    ) -> None:
        """An untextured mesh (grid, normals, triangles) in one colour, lit."""
        grid, normals, triangles = mesh
        turned = camera.turn(grid.reshape(-1, 3))
        xy = camera.project(turned)
        normals = normals @ camera.rotation.T
        light = self.light.shade(normals) * shade / EXPOSURE
        self._triangles(canvas, xy, turned[:, 2], triangles, pack(light * rgb), None, skia.Paint(Color=skia.ColorWHITE))

    def _triangles(self, canvas, xy, depth, triangles, colours, texture, paint, cull=True):  # type: ignore[no-untyped-def]
        """Painter's algorithm on the triangles that face the camera."""
        if cull:
            triangles = triangles[facing(xy, triangles)]
        order = np.argsort(depth[triangles].sum(1), kind="stable")
        indices = triangles[order].reshape(-1).tolist()
        vertices = skia.Vertices(
            skia.Vertices.kTriangles_VertexMode, xy if isinstance(xy, list) else points(xy), texture, colours, indices
        )
        canvas.drawVertices(vertices, paint, skia.BlendMode.kModulate)

    def _draw_body(self, canvas: skia.Canvas, camera: Camera, inside: bool) -> None:
        tone = np.array(self.identity.clothes_colour) / 255
        if inside:  # the back of the collar, seen over the neckline
            flipped = self.cloth_triangles[:, ::-1]
            self._draw_plain(canvas, camera, (self.cloth, self.cloth_normals, flipped), tone, 0.6)
            return
        self._draw_plain(canvas, camera, (self.cloth, self.cloth_normals, self.cloth_triangles), tone, 1.0)
        neckline = camera.project(camera.turn(self.cloth[0, 7:-7]))
        canvas.drawPoints(
            skia.Canvas.kPolygon_PointMode, points(neckline), stroke(tone * 255 * 0.72, 0.035 * camera.scale)
        )

    def _draw_face(self, canvas: skia.Canvas, camera: Camera, controls: Controls, mouth) -> None:  # type: ignore[no-untyped-def]
        with self.texture as art:
            art.drawImage(self.base, 0, 0)
            art.save()
            self._texture_space(art)
            self.art.paint(art, controls, mouth)
            art.restore()
        image = self.texture.makeImageSnapshot()
        shader = image.makeShader(
            skia.TileMode.kClamp, skia.TileMode.kClamp, skia.SamplingOptions(skia.FilterMode.kLinear)
        )
        grid, normals, where = self.face.deform(mouth, controls.smile + controls.happy)
        turned = camera.turn(grid.reshape(-1, 3))
        xy = camera.project(turned)
        n = normals.reshape(-1, 3) @ camera.rotation.T
        light = self.light.shade(n) * self.face_shade
        light += 0.16 * self.light.gloss(n, 26)[:, None]
        texture = points((where.reshape(-1, 2) - (LEFT, TOP)) * (self.scale, -self.scale))
        self._triangles(
            canvas, xy, turned[:, 2], self.face.triangles, pack(light / EXPOSURE), texture, skia.Paint(Shader=shader)
        )

    def _draw_ears(self, canvas: skia.Canvas, camera: Camera, behind: bool) -> None:
        for side, (grid, shade) in zip((-1.0, 1.0), self.ears, strict=True):
            outward = camera.rotation @ np.array([side, 0, 0.0])
            if (outward[2] < -0.05) != behind:
                continue
            turned = camera.turn(grid.reshape(-1, 3))
            xy = camera.project(turned)
            normals = grid_normals(grid, closed=True).reshape(-1, 3) @ camera.rotation.T
            normals *= np.where(normals @ outward > 0, 1, -1)[:, None] * 1.0
            tone = self.skin * (1.0, 0.93, 0.91)
            light = self.light.shade(normals) * shade.reshape(-1, 1) / EXPOSURE
            triangles = grid_triangles(grid.shape[0], grid.shape[1], closed=True)
            self._triangles(
                canvas,
                xy,
                turned[:, 2],
                triangles,
                pack(light * tone),
                None,
                skia.Paint(Color=skia.ColorWHITE),
                cull=False,
            )
            if self.identity.earrings:
                drop = camera.project(camera.turn(np.array([[side * 0.76, -0.36, -0.09]])))[0]
                canvas.drawCircle(
                    *drop.tolist(), 0.04 * camera.scale, skia.Paint(AntiAlias=True, Color=colour((236, 196, 96)))
                )

    def _hair(self, camera: Camera):  # type: ignore[no-untyped-def]
        if self.hair.grid is None:
            return None
        turned = camera.turn(self.hair.grid.reshape(-1, 3))
        xy = camera.project(turned)
        # ruffles of the far curtain that face the camera still belong behind the face
        radial = np.stack([np.sin(self.hair.theta), np.zeros_like(self.hair.theta), np.cos(self.hair.theta)], -1)
        near = np.broadcast_to(radial @ camera.rotation[2] > -0.08, self.hair.grid.shape[:2]).reshape(-1)
        visible = facing(xy, self.hair_triangles) & near[self.hair_triangles].all(1)
        return turned, points(xy), self.hair_normals.reshape(-1, 3) @ camera.rotation.T, visible

    def _hair_colours(self, normals: Array) -> Array:
        light = self.light.shade(normals)
        shine = bell(normals[:, 1], 0.55, 0.22) * np.clip(normals[:, 2] + 0.2, 0, 1)
        curly = self.hair.style.curl > 0
        gloss = (0.05 if curly else 0.22) * shine * (0.35 + self.hair_tone.mean())
        return light * self.hair_tone * 1.02 + gloss[:, None]

    def _draw_hair(self, canvas: skia.Canvas, hair, front: bool) -> None:  # type: ignore[no-untyped-def]
        turned, xy, normals, visible = hair
        chosen = self.hair_triangles[visible if front else ~visible]
        tones = self._hair_colours(normals) if front else np.broadcast_to(self.hair_tone * 0.50, normals.shape)
        shader = self.strands.makeShader(
            skia.TileMode.kRepeat, skia.TileMode.kClamp, skia.SamplingOptions(skia.FilterMode.kLinear)
        )
        self._triangles(
            canvas,
            xy,
            turned[:, 2],
            chosen,
            pack(tones / EXPOSURE * 1.15),
            self.hair_texture,
            skia.Paint(Shader=shader),
            cull=False,
        )

    def _draw_blobs(self, canvas: skia.Canvas, camera: Camera) -> None:
        for grid, texture in self.hair.blobs:
            turned = camera.turn(grid.reshape(-1, 3))
            normals = grid_normals(grid).reshape(-1, 3) @ camera.rotation.T
            shader = self.strands.makeShader(
                skia.TileMode.kRepeat, skia.TileMode.kClamp, skia.SamplingOptions(skia.FilterMode.kLinear)
            )
            where = points(texture.reshape(-1, 2) * (200, 64))
            tones = pack(self._hair_colours(normals) / EXPOSURE * 1.15)
            triangles = grid_triangles(*grid.shape[:2])
            self._triangles(
                canvas, camera.project(turned), turned[:, 2], triangles, tones, where, skia.Paint(Shader=shader)
            )

    def _draw_glasses(self, canvas: skia.Canvas, camera: Camera) -> None:
        i = self.identity
        angle = np.linspace(0, 2 * np.pi, 41)
        power = {"round": 1.0, "square": 0.55, "half": 0.6}[i.glasses]
        ex = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power * 0.215
        ey = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power * (0.195 if i.glasses == "round" else 0.165)
        if i.glasses == "half":
            ey = np.where(ey < 0, ey * 0.9, ey * 0.8)
        width = 0.028 * camera.scale
        paint = stroke(i.glasses_colour, width)
        centre = 0.285 * i.eye_spacing

        def project(x: Array, y: Array, z: Array | float) -> list[skia.Point]:
            return points(camera.project(camera.turn(np.stack([x, y, z + 0 * x], axis=-1))))

        depth = float(self.skull.front(np.array([0.16]), np.array([0.02]))[0]) + 0.11
        for side in (-1, 1):
            x = side * centre + ex
            z = depth - 0.28 * np.clip(np.abs(x) - 0.12, 0, None) ** 1.5
            rim = skia.Path.Polygon(project(x, ey - 0.02, z), True)
            # a rim that turns away fades out before the head would hide it
            shown = float(smoothstep(0.10, 0.32, camera.rotation[2] @ np.array([side * 0.42, 0, 0.9])))
            if shown > 0:
                canvas.drawPath(rim, skia.Paint(AntiAlias=True, Color=colour((215, 235, 255), 0.10 * shown)))
                canvas.drawPath(rim, stroke(i.glasses_colour, width, shown))
            outward = camera.rotation @ np.array([side, 0.0, 0.0])
            if outward[2] > -0.25:
                arm_x = np.array([centre + 0.215, 0.70, 0.755]) * side
                arm = project(arm_x, np.array([0.04, 0.05, 0.02]), np.array([z[0 if side > 0 else 20], 0.42, -0.05]))
                canvas.drawPoints(skia.Canvas.kPolygon_PointMode, arm, stroke(i.glasses_colour, width * 0.9))
        bridge_x = np.linspace(-centre + 0.215, centre - 0.215, 7)
        canvas.drawPoints(
            skia.Canvas.kPolygon_PointMode,
            project(bridge_x, 0.02 + 0.03 * np.cos(bridge_x * 12), np.full(7, depth + 0.02)),
            paint,
        )

    def _lip_pixels(self, camera: Camera, controls: Controls, mouth) -> Array:  # type: ignore[no-untyped-def]
        """Outer lip contour (N, 2) in frame pixels, on the deformed surface."""
        curve = lip_curves(self.identity, controls, mouth)
        x = np.concatenate([curve["outer_x"], curve["outer_x"][::-1]])
        y = np.concatenate([curve["outer_top"], curve["outer_bottom"][::-1]])
        rest = np.concatenate([curve["outer_top"] - mouth.upper, curve["outer_bottom"][::-1] + mouth.lower])
        z = self.skull.front(x, rest) + 0.09 * mouth.pucker
        return camera.project(camera.turn(np.stack([x, y, z], axis=-1))) / SUPERSAMPLE


def strand_texture(identity: Identity) -> skia.Image:
    """Grey strands along the hair, (64, 1024), tileable sideways."""
    rng = np.random.default_rng([0x57A4, identity.seed])
    width, height = 1024, 64
    curly = identity.hair_style in ("afro", "curly")
    noise = np.zeros((height, width))
    for cells_x, cells_y, weight in (
        ((32, 2, 0.5), (96, 3, 0.7), (220, 4, 0.8)) if not curly else ((48, 10, 1.0), (110, 24, 1.0))
    ):
        coarse = rng.normal(size=(cells_y, cells_x))
        coarse = np.concatenate([coarse, coarse[:, :1]], axis=1)
        rows = np.linspace(0, cells_y - 1, height)
        columns = np.linspace(0, cells_x, width, endpoint=False)
        r0, c0 = np.minimum(rows.astype(int), cells_y - 2), columns.astype(int)
        fr, fc = (rows - r0)[:, None], (columns - c0)[None, :]
        top = coarse[r0][:, c0] * (1 - fc) + coarse[r0][:, c0 + 1] * fc
        low = coarse[r0 + 1][:, c0] * (1 - fc) + coarse[r0 + 1][:, c0 + 1] * fc
        noise += weight * (top * (1 - fr) + low * fr)
    grey = np.clip(0.86 + 0.085 * noise, 0.5, 1.0)
    root = 1 - 0.12 * np.linspace(0, 1, height)[:, None] ** 3
    value = np.clip(grey * root * 255, 0, 255).astype(np.uint8)
    return skia.Image.fromarray(
        np.ascontiguousarray(np.repeat(value[..., None], 4, axis=2) | np.array([0, 0, 0, 255], np.uint8))
    )


@lru_cache(maxsize=4)
def renderer(identity: Identity, size: int) -> Renderer:
    return Renderer(identity, size)


def render_frame(identity: Identity, controls: Controls, size: int = 128) -> Rendered:
    """Draw one frame of a person: image uint8 (size, size, 3) and the mouth polygon in pixels."""
    return renderer(identity, size).render(controls)


def polygon_mask(polygon: Array, size: int, cells: int | None = None) -> Array:
    """Soft coverage (size, size) uint8 of a polygon in pixels; with ``cells``, averaged to (cells, cells)."""
    pixels = np.zeros((size, size, 4), np.uint8)
    with skia.Surface(pixels) as canvas:
        canvas.drawPath(skia.Path.Polygon(points(polygon), True), skia.Paint(AntiAlias=True, Color=skia.ColorWHITE))
    mask = pixels[..., 3]
    if cells is None:
        return mask
    step = size // cells
    return np.round(mask.reshape(cells, step, cells, step).mean((1, 3))).astype(np.uint8)
