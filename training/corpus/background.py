"""Still, soft backgrounds: gradients, bokeh, a window, a studio wall."""

from __future__ import annotations

import numpy as np
import skia

from .identity import RGB, Identity


def _paint(rgb: RGB, alpha: float, blur: float) -> skia.Paint:
    paint = skia.Paint(AntiAlias=True, Color=skia.ColorSetARGB(int(255 * alpha), *rgb))
    if blur > 0:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    return paint


def _lighter(rgb: RGB, amount: float) -> RGB:
    r, g, b = (int(c + (255 - c) * amount) for c in rgb)
    return r, g, b


def background_image(identity: Identity, size: int) -> skia.Image:
    """The backdrop (size, size) of a person."""
    rng = np.random.default_rng([0xB0CE, identity.seed])
    light, dark = identity.background_colours
    surface = skia.Surface(size, size)
    with surface as canvas:
        canvas.scale(size, size)
        paint = skia.Paint(AntiAlias=True, Dither=True)
        colours = [skia.ColorSetRGB(*light), skia.ColorSetRGB(*dark)]
        if identity.background == "studio":
            paint.setShader(skia.GradientShader.MakeRadial(skia.Point(0.5, 0.42), 0.75, colours))
        else:
            tilt = float(rng.uniform(-0.4, 0.4))
            ends = [skia.Point(0.5 - tilt, 0.0), skia.Point(0.5 + tilt, 1.0)]
            paint.setShader(skia.GradientShader.MakeLinear(ends, colours))
        canvas.drawPaint(paint)
        if identity.background == "bokeh":
            for _ in range(int(rng.integers(9, 16))):
                x, y = rng.uniform(0, 1), rng.uniform(0, 0.9)
                radius = rng.uniform(0.03, 0.12)
                canvas.drawCircle(
                    x, y, radius, _paint(_lighter(light, rng.uniform(0.2, 0.7)), rng.uniform(0.10, 0.32), 0.012)
                )
        if identity.background == "window":
            for x in (0.02, 0.76):
                pane = skia.Rect.MakeXYWH(x + float(rng.uniform(-0.05, 0.05)), -0.1, 0.22, 0.75)
                canvas.drawRect(pane, _paint(_lighter(light, 0.55), 0.45, 0.02))
            canvas.drawRect(skia.Rect.MakeLTRB(0, 0.8, 1, 1), _paint(dark, 0.35, 0.03))
    return surface.makeImageSnapshot()
