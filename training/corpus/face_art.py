"""The painted part of a face: skin tone, eyes, brows, beard and mouth as smooth 2-D art in the frontal plane.

The picture is the texture of the head mesh (see ``render``), so yaw, pitch and occlusion by the nose come from the
mesh. All lengths are head units; the canvas carries the scale.
"""

from __future__ import annotations

import numpy as np
import skia

from .controls import Controls
from .head import Array, Mouth, bell, smoothstep
from .identity import RGB, Identity

LEFT, RIGHT, TOP, BOTTOM = -0.85, 0.85, 1.05, -1.5  # what the texture covers

EYE_X, EYE_Y = 0.285, -0.015
INTERIOR: RGB = (64, 10, 20)
TEETH: RGB = (255, 252, 244)
TONGUE: RGB = (226, 98, 108)


def colour(rgb: RGB | Array, alpha: float = 1.0) -> int:
    r, g, b = (min(max(int(c), 0), 255) for c in rgb)
    return skia.ColorSetARGB(int(min(max(alpha, 0.0), 1.0) * 255), r, g, b)


def mix(a: RGB | Array, b: RGB | Array, amount: float) -> Array:
    return np.asarray(a, dtype=np.float64) * (1 - amount) + np.asarray(b, dtype=np.float64) * amount


def fill(rgb: RGB | Array, alpha: float = 1.0, blur: float = 0.0) -> skia.Paint:
    paint = skia.Paint(AntiAlias=True, Color=colour(rgb, alpha))
    if blur > 0:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    return paint


def stroke(rgb: RGB | Array, width: float, alpha: float = 1.0, blur: float = 0.0) -> skia.Paint:
    paint = fill(rgb, alpha, blur)
    paint.setStyle(skia.Paint.kStroke_Style)
    paint.setStrokeWidth(width)
    paint.setStrokeCap(skia.Paint.kRound_Cap)
    paint.setStrokeJoin(skia.Paint.kRound_Join)
    return paint


def vertical(y0: float, y1: float, *stops: int) -> skia.Shader:
    return skia.GradientShader.MakeLinear([skia.Point(0, y0), skia.Point(0, y1)], list(stops))


def path(x: Array, y: Array, closed: bool = True) -> skia.Path:
    return skia.Path.Polygon(list(map(skia.Point, np.asarray(x).tolist(), np.asarray(y).tolist())), closed)


def band(x: Array, upper: Array, lower: Array) -> skia.Path:
    return path(np.concatenate([x, x[::-1]]), np.concatenate([upper, lower[::-1]]))


def lip_curves(identity: Identity, controls: Controls, mouth: Mouth) -> dict[str, Array]:
    """Contours of the mouth over x: outer_top, inner_top, inner_bottom, outer_bottom (head units, 2 lists of x)."""
    s = np.linspace(-1, 1, 33)
    shape = mouth.opening(s)
    line = mouth.line(s)
    inner_top, inner_bottom = line + mouth.upper * shape, line - mouth.lower * shape
    full = identity.lip_fullness * (1 + 0.35 * mouth.pucker - 0.16 * smoothstep(0.5, 1, controls.wide))
    full *= 1 - 0.14 * controls.open
    bow = 0.94 - 0.16 * bell(s, 0, 0.15) + 0.12 * bell(np.abs(s), 0.26, 0.22)
    top = 0.066 * full * np.clip(1 - np.abs(s) ** 2.2, 0, 1) * bow + 0.006
    bottom = 0.088 * full * np.clip(1 - np.abs(s) ** (2.2 + mouth.pucker), 0, 1) ** (0.85 - 0.15 * mouth.pucker) + 0.006
    grow = 1 + 0.014 / mouth.half_width
    return {
        "x": s * mouth.half_width,
        "outer_x": s * mouth.half_width * grow,
        "outer_top": inner_top + top,
        "inner_top": inner_top,
        "inner_bottom": inner_bottom,
        "outer_bottom": inner_bottom - bottom,
    }


class FaceArt:
    """Paints one person's texture. ``base`` (skin, blush, freckles, nose) is static and painted once by the caller."""

    def __init__(self, identity: Identity):
        self.identity = identity
        self.skin = np.array(identity.skin, dtype=np.float64)
        self.shade = np.clip(self.skin * (0.66, 0.52, 0.48), 0, 255)
        self.dark = sum(identity.skin) < 420
        rng = np.random.default_rng([0xF4EC, identity.seed])
        self.spots = rng.normal(size=(46, 2)) * (0.24, 0.10) + (0, -0.22)
        self.spot_sizes = rng.uniform(0.008, 0.016, 46)

    def paint_base(self, canvas: skia.Canvas) -> None:
        i = self.identity
        canvas.clear(colour(self.skin))
        for side in (-1, 1):
            for radius, amount in ((0.21, 0.55), (0.13, 0.45)):
                paint = fill(i.blush, i.blush_amount * amount, 0.09)
                canvas.drawOval(
                    skia.Rect.MakeLTRB(
                        side * 0.43 - radius, -0.31 - radius * 0.7, side * 0.43 + radius, -0.31 + radius * 0.7
                    ),
                    paint,
                )
            x = side * EYE_X * i.eye_spacing  # soft shadow of the eye socket and of the lid
            canvas.drawOval(
                skia.Rect.MakeLTRB(x - 0.22, EYE_Y - 0.10, x + 0.22, EYE_Y + 0.19), fill(self.shade, 0.20, 0.05)
            )
        tip = -0.34 * i.nose_length
        width = 0.115 * i.nose_width
        canvas.drawOval(
            skia.Rect.MakeLTRB(-width - 0.03, tip - 0.15, width + 0.03, tip - 0.07), fill(self.shade, 0.42, 0.022)
        )
        canvas.drawOval(skia.Rect.MakeLTRB(-0.05, tip - 0.02, 0.05, tip + 0.08), fill((255, 255, 255), 0.10, 0.03))
        for side in (-1, 1):
            x = side * width * 0.52
            canvas.drawOval(
                skia.Rect.MakeLTRB(x - 0.034, tip - 0.108, x + 0.034, tip - 0.07), fill(self.shade * 0.45, 0.75, 0.008)
            )
            wing = np.linspace(-0.9, 1.3, 12)
            canvas.drawPath(
                path(side * (width * 0.98 + 0.022 * np.cos(wing)), tip - 0.05 + 0.055 * np.sin(wing), False),
                stroke(self.shade, 0.016, 0.5, 0.008),
            )
        if i.freckles:
            for (x, y), radius in zip(self.spots, self.spot_sizes, strict=True):
                canvas.drawCircle(x, y, radius, fill(self.shade, 0.5 * i.freckles, 0.004))

    def paint(self, canvas: skia.Canvas, controls: Controls, mouth: Mouth) -> None:
        """Everything that moves, over the base."""
        if self.identity.beard != "none":
            self.paint_beard(canvas, mouth)
        self.paint_mouth(canvas, controls, mouth)
        for side in (-1, 1):
            self.paint_eye(canvas, controls, side)
            self.paint_brow(canvas, controls, side)

    def paint_eye(self, canvas: skia.Canvas, c: Controls, side: int) -> None:
        i = self.identity
        x0 = side * EYE_X * i.eye_spacing
        half = 0.168 * i.eye_size
        s = np.linspace(-1, 1, 25)  # inner corner to outer corner
        blink = float(np.clip(c.blink, 0, 1))
        wide_open = 1 + 0.22 * c.surprised - 0.10 * c.angry - 0.05 * c.happy - 0.08 * c.sad + 0.10 * min(c.gaze_y, 0.0)
        top_height = 0.122 * i.eye_size * wide_open + 0.012 * c.gaze_y
        low_height = 0.080 * i.eye_size * (1 - 0.42 * c.happy - 0.18 * c.smile - 0.2 * c.angry)
        tilt = i.eye_tilt * 0.5 * s
        closing = blink * (top_height + low_height * 0.75)
        top = (top_height - closing) * np.clip(1 - np.abs(s + 0.08 * (1 - s * s)) ** 2.3, 0, 1) ** 0.72 + tilt
        top -= (0.035 * c.angry * np.clip(-s, 0, 1) + 0.040 * c.sad * np.clip(s, 0, 1)) * (1 - s**4) * (1 - blink)
        low = -low_height * np.clip(1 - np.abs(s - 0.1 * (1 - s * s)) ** 2.2, 0, 1) ** 0.8 + tilt
        top = np.maximum(top, low)
        x = x0 + side * half * s
        top, low = top + EYE_Y, low + EYE_Y
        lashes = mix(i.brow_colour, (18, 12, 14), 0.65)

        # the lid: a soft fold above the eye that closes with it
        crease = (
            EYE_Y + tilt + (top_height * 1.0 + 0.048) * np.clip(1 - np.abs(s) ** 2.2, 0, 1) ** 0.6 * (1 - 0.25 * blink)
        )
        lid = fill(mix(self.skin, self.shade, 0.26), 0.8)
        canvas.drawPath(band(x, np.maximum(crease, top), np.minimum(top, crease)), lid)
        canvas.drawPath(path(x[2:-2], crease[2:-2], False), stroke(self.shade * 0.9, 0.014, 0.65))

        if blink < 0.97:
            almond = band(x, top, low)
            canvas.save()
            canvas.clipPath(almond, skia.ClipOp.kIntersect, True)
            canvas.drawPaint(fill((250, 249, 248)))
            gx = x0 + 0.078 * c.gaze_x - side * 0.006
            gy = EYE_Y + 0.014 + 0.058 * c.gaze_y
            radius = 0.107 * i.eye_size
            iris = skia.Paint(AntiAlias=True)
            base = np.array(i.eye_colour)
            stops = [colour(mix(base, (255, 255, 255), 0.30)), colour(base), colour(base * 0.42)]
            iris.setShader(
                skia.GradientShader.MakeRadial(
                    skia.Point(gx, gy - radius * 0.35), radius * 1.25, stops, [0.1, 0.55, 1.0]
                )
            )
            canvas.drawCircle(gx, gy, radius, iris)
            canvas.drawCircle(gx, gy, radius, stroke(base * 0.30, 0.016, 0.85))
            canvas.drawCircle(gx, gy, radius * 0.47, fill((10, 8, 12)))
            shadow = skia.Paint(AntiAlias=True)
            crown = float(top.max())
            shadow.setShader(vertical(crown, crown - 0.11, colour((40, 24, 40), 0.50), colour((40, 24, 40), 0.0)))
            canvas.drawPaint(shadow)
            light = 1 if i.light_azimuth > 0 else -1
            canvas.drawCircle(gx + light * 0.038, gy + 0.042, 0.030, fill((255, 255, 255), 0.97))
            canvas.drawCircle(gx - light * 0.040, gy - 0.042, 0.016, fill((255, 255, 255), 0.55))
            canvas.drawCircle(x0 - side * half * 0.96, EYE_Y - 0.012, 0.022, fill((226, 138, 132), 0.8))
            canvas.restore()
        canvas.drawPath(path(x, low, False), stroke(self.shade * 0.8, 0.010 + 0.006 * i.lashes, 0.6))
        thick = (0.026 + 0.022 * i.lashes) * np.clip(1 - np.abs(s) ** 3, 0, 1) * (0.72 + 0.28 * s) + 0.010
        wing = 0.055 * i.lashes * smoothstep(0.55, 1.0, s)
        lash_x = x + side * wing
        lash = band(lash_x, top + wing * (0.55 - 0.9 * blink) + thick, top + wing * (0.35 - 0.9 * blink) - 0.004)
        canvas.drawPath(lash, fill(lashes))

    def paint_brow(self, canvas: skia.Canvas, c: Controls, side: int) -> None:
        i = self.identity
        s = np.linspace(0, 1, 17)  # inner end to outer end
        x = side * (0.125 + 0.355 * s) * (0.5 + 0.5 * i.eye_spacing)
        raised = 0.055 * c.brow + 0.105 * c.surprised + 0.02 * c.happy - 0.055 * c.angry
        y = 0.205 + i.brow_height + raised + 0.060 * i.brow_arch * np.sin(np.pi * s**1.1) + 0.02 * s - 0.035 * s**3
        y += (
            0.075 * c.sad * (1 - s) ** 1.5
            - 0.045 * c.sad * s
            - 0.085 * c.angry * (1 - s) ** 1.6
            + 0.06 * c.angry * s**2
        )
        x = x - side * 0.03 * c.angry * (1 - s)
        thick = (
            0.037
            * i.brow_thickness
            * (0.72 + 0.5 * s)
            * np.clip(1.02 - s**2.5, 0, 1) ** 0.7
            * smoothstep(-0.12, 0.12, s)
        )
        canvas.drawPath(band(x, y + thick, y - thick), fill(i.brow_colour, 0.94, 0.006))

    def beard_outline(self, mouth: Mouth, kind: str) -> skia.Path:
        my = mouth.y
        if kind == "moustache":
            half = [
                (0, my + 0.17),
                (0.12, my + 0.16),
                (0.27, my + 0.07),
                (0.34, my - 0.02),
                (0.27, my + 0.01),
                (0, my + 0.07),
            ]
            x, y = np.array(half).T
            return path(np.concatenate([x, -x[::-1]]), np.concatenate([y, y[::-1]]))
        if kind == "goatee":
            outer = [
                (0, my + 0.17),
                (0.14, my + 0.16),
                (0.33, my + 0.07),
                (0.40, my - 0.08),
                (0.36, my - 0.28),
                (0.2, my - 0.62),
                (0, my - 0.7),
            ]
        else:
            outer = [
                (0, my + 0.17), (0.14, my + 0.165), (0.34, my + 0.08), (0.50, my + 0.10), (0.60, my + 0.24),
                (0.655, my + 0.44), (0.70, my + 0.60), (0.95, my + 0.60), (0.95, my - 0.3), (0.6, my - 0.9),
                (0, my - 0.9),
            ]  # fmt: skip
        x, y = np.array(outer).T
        fine = np.linspace(0, len(x) - 1, 60)
        x, y = np.interp(fine, np.arange(len(x)), x), np.interp(fine, np.arange(len(y)), y)
        y = y - mouth.lower * smoothstep(0.0, 0.26, my - y) * np.exp(-((x / 0.62) ** 4))
        return path(np.concatenate([x, -x[::-1]]), np.concatenate([y, y[::-1]]))

    def paint_beard(self, canvas: skia.Canvas, mouth: Mouth) -> None:
        i = self.identity
        tone = np.array(i.brow_colour) * 1.15
        if i.beard == "stubble":
            canvas.drawPath(self.beard_outline(mouth, "full"), fill(mix(tone, self.shade, 0.5), 0.34, 0.05))
        else:
            canvas.drawPath(self.beard_outline(mouth, i.beard), fill(tone, 0.90, 0.016))

    def paint_mouth(self, canvas: skia.Canvas, c: Controls, mouth: Mouth) -> None:
        i = self.identity
        curve = lip_curves(i, c, mouth)
        x, ox = curve["x"], curve["outer_x"]
        it, ib, ot, ob = curve["inner_top"], curve["inner_bottom"], curve["outer_top"], curve["outer_bottom"]
        lip = np.array(i.lip, dtype=np.float64)
        hw, gap = mouth.half_width, mouth.gap
        low, high = float(ob.min()), float(ot.max())
        hairy = i.beard in ("full", "goatee")
        if not hairy:  # shadow under the lower lip
            canvas.drawOval(
                skia.Rect.MakeLTRB(-hw * 0.62, low - 0.065, hw * 0.62, low - 0.005), fill(self.shade, 0.42, 0.022)
            )
        if self.dark or hairy:  # a light rim separates dark skin and beard from the lips
            canvas.drawPath(band(ox, ot, ob), stroke(mix(lip, (255, 225, 210), 0.35), 0.022, 0.35, 0.008))

        upper, lower = band(ox, ot, it * 0.5 + ib * 0.5), band(ox, it * 0.5 + ib * 0.5, ob)
        paint = fill(lip)
        paint.setShader(vertical(high, high - 0.13, colour(lip * 0.92), colour(lip * 0.66)))
        canvas.drawPath(upper, paint)
        paint.setShader(
            vertical(low + 0.15, low, colour(lip * 0.98), colour(mix(lip, (255, 190, 185), 0.16)), colour(lip * 0.84))
        )
        canvas.drawPath(lower, paint)
        shine_y = float(ib.min()) - 0.052 * i.lip_fullness
        canvas.drawOval(
            skia.Rect.MakeLTRB(-hw * 0.40, shine_y - 0.018, hw * 0.40, shine_y + 0.018),
            fill((255, 255, 255), 0.34, 0.014),
        )

        if gap > 0.004:
            self.paint_interior(canvas, c, mouth, band(x, it, ib), float(it.max()), float(ib.min()))
        closed = float(np.clip(1 - gap / 0.10, 0, 1))
        line_tone = lip * 0.30
        if closed > 0:
            canvas.drawPath(path(x, it * 0.5 + ib * 0.5, False), stroke(line_tone, 0.019, 0.95 * closed))
        for end in (0, -1):  # corners
            canvas.drawCircle(float(x[end]), float(it[end]), 0.012, fill(line_tone, 0.6, 0.006))

    def paint_interior(
        self, canvas: skia.Canvas, c: Controls, mouth: Mouth, hole: skia.Path, high: float, low: float
    ) -> None:
        hw, gap = mouth.half_width, mouth.gap
        canvas.save()
        canvas.clipPath(hole, skia.ClipOp.kIntersect, True)
        dark = fill(INTERIOR)
        dark.setShader(vertical(high, low, colour((34, 4, 12)), colour(INTERIOR), colour((120, 26, 36))))
        canvas.drawPaint(dark)
        # tongue: rests low, rises to the upper teeth
        lift = float(np.clip(c.tongue, 0, 1))
        rest = low - 0.06 + 0.30 * gap
        tip = rest + lift * (high - 0.035 - rest)
        width = hw * (0.66 - 0.10 * lift)
        tongue = fill(TONGUE)
        tongue.setShader(
            vertical(tip, tip - 0.22, colour(mix(TONGUE, (255, 200, 200), 0.25)), colour(TONGUE), colour((150, 44, 58)))
        )
        teeth = float(np.clip(c.teeth, 0, 1))
        height = min(0.115, 0.62 * gap + 0.02) * teeth
        s = np.linspace(-1, 1, 25)
        arch = np.clip(1 - 0.35 * np.abs(s) ** 2.5, 0, 1)
        edge = mouth.line(s) + mouth.upper - height * arch
        if teeth > 0.02:
            upper = band(s * hw, edge + 0.3, edge)
            white = fill(TEETH)
            white.setShader(
                vertical(
                    high,
                    high - 0.15,
                    colour(mix(TEETH, (226, 214, 208), float(smoothstep(0.08, 0.25, gap)))),
                    colour(TEETH),
                    colour(TEETH),
                )
            )
            canvas.drawPath(upper, white)
        if teeth > 0.45:  # the lower row shows when the teeth nearly meet
            rise = float(smoothstep(0.45, 1.0, teeth) * smoothstep(0.28, 0.12, gap)) * 0.45 * gap
            floor = mouth.line(s) - mouth.lower
            canvas.drawPath(band(s * hw, floor + rise * arch, floor - 0.1), fill((240, 232, 226)))
            if gap < 0.22:
                meet = (high - height + low + rise) / 2
                canvas.drawLine(-hw, meet, hw, meet, stroke((120, 70, 72), 0.008, float(0.45 * teeth)))
        canvas.drawOval(skia.Rect.MakeLTRB(-width, tip - 0.40, width, tip), tongue)
        if gap > 0.08:
            canvas.drawLine(0, tip - 0.03, 0, tip - 0.16, stroke((150, 44, 58), 0.012, 0.45, 0.006))
        rim = stroke((30, 4, 10), 0.020, 0.5 * float(smoothstep(0.02, 0.14, gap)) + 0.12, 0.008)
        canvas.drawPath(hole, rim)
        canvas.restore()
