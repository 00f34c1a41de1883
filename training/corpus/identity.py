"""Who is on screen: everything about a procedural face that stays fixed during a clip, drawn from one seed."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

RGB = tuple[int, int, int]

HELD_OUT_START = 1_000_000  # identity seeds below belong to the train split, seeds from here on to held-out

# (skin, lip, blush) albedos; lips keep a clear contrast to the skin on every tone
SKINS: tuple[tuple[RGB, RGB, RGB], ...] = (
    ((255, 214, 188), (228, 112, 114), (255, 138, 124)),
    ((255, 203, 170), (220, 100, 100), (252, 128, 108)),
    ((248, 192, 152), (208, 88, 86), (240, 116, 92)),
    ((234, 172, 126), (196, 76, 76), (226, 102, 76)),
    ((212, 146, 100), (182, 66, 68), (204, 88, 64)),
    ((182, 118, 78), (176, 64, 70), (176, 76, 56)),
    ((150, 94, 62), (196, 80, 86), (150, 64, 50)),
    ((122, 76, 52), (198, 88, 98), (124, 54, 46)),
)
HAIR_COLOURS: tuple[RGB, ...] = (
    (40, 32, 34),
    (62, 42, 36),
    (98, 62, 42),
    (138, 90, 56),
    (186, 134, 76),
    (232, 192, 122),
    (178, 78, 40),
    (122, 48, 36),
    (196, 196, 204),
    (120, 120, 130),
)
FANCY_HAIR: tuple[RGB, ...] = ((70, 92, 190), (196, 84, 142), (44, 140, 136), (128, 84, 178))
EYE_COLOURS: tuple[RGB, ...] = (
    (92, 58, 34),
    (120, 78, 42),
    (66, 128, 196),
    (72, 146, 96),
    (112, 132, 150),
    (150, 110, 50),
)
FEMININE_HAIR = ("bob", "fringe_bob", "long", "long_fringe", "wavy", "bun", "ponytail", "curly", "afro", "pixie")
MASCULINE_HAIR = ("crop", "crop", "side_part", "side_part", "quiff", "buzz", "bald", "afro", "curly", "mop")


@dataclass(frozen=True)
class Identity:
    """One face with its clothes, light and background. Lengths in head units (half a skull is 1), colours sRGB."""

    seed: int
    femininity: float
    skin: RGB
    lip: RGB
    blush: RGB
    blush_amount: float
    freckles: float
    face_width: float
    jaw_power: float
    jaw_round: float
    chin: float
    cheek: float
    nose_length: float
    nose_width: float
    nose_height: float
    eye_size: float
    eye_spacing: float
    eye_tilt: float
    eye_colour: RGB
    lashes: float
    brow_thickness: float
    brow_arch: float
    brow_height: float
    brow_colour: RGB
    lip_fullness: float
    mouth_width: float
    mouth_y: float
    ear_size: float
    hair_style: str
    hair_colour: RGB
    hair_volume: float
    hair_side: float
    beard: str
    glasses: str
    glasses_colour: RGB
    earrings: bool
    clothes: str
    clothes_colour: RGB
    light_azimuth: float
    light_elevation: float
    light_warmth: float
    background: str
    background_colours: tuple[RGB, RGB]


def _hsv(hue: float, saturation: float, value: float) -> RGB:
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(255 * r), round(255 * g), round(255 * b)


def _scaled(colour: RGB, factor: float) -> RGB:
    r, g, b = (int(min(255, max(0, c * factor))) for c in colour)
    return r, g, b


def _natural(lip: RGB, skin: RGB, amount: float) -> RGB:
    r, g, b = (round(a + (s * 0.82 - a) * amount) for a, s in zip(lip, skin, strict=True))
    return r, g, b


def identity_seed(number: int, split: str) -> int:
    """Identity seed of the ``number``-th person of a split ("train" or "heldout"); the two ranges never meet."""
    if split not in ("train", "heldout"):
        raise ValueError(f'Unknown split "{split}": expected "train" or "heldout".')
    number %= HELD_OUT_START
    return number if split == "train" else HELD_OUT_START + number


def make_identity(seed: int) -> Identity:
    """Draw every attribute of a person from ``seed``. Same seed, same person."""
    rng = np.random.default_rng([0xFACE, seed])
    uniform = rng.uniform

    def pick(options):  # type: ignore[no-untyped-def]
        return options[int(rng.integers(len(options)))]

    femininity = float(np.clip(0.5 + (0.5 if rng.random() < 0.5 else -0.5) * uniform(0.4, 1.0), 0, 1))
    fem = femininity > 0.5
    skin, lip, blush = pick(SKINS)
    tint = uniform(0.96, 1.03)
    dark_skin = sum(skin) < 400
    hair_colour = pick(HAIR_COLOURS[:4] if dark_skin and rng.random() < 0.8 else HAIR_COLOURS)
    brow_colour = _scaled(hair_colour, 0.62 if sum(hair_colour) > 240 else 0.9)
    if rng.random() < 0.07:
        brow_colour = (84, 56, 46)  # dyed hair keeps natural brows and beard
        hair_colour = pick(FANCY_HAIR)
    style = pick(FEMININE_HAIR if fem else MASCULINE_HAIR)
    beard = "none"
    if not fem and rng.random() < 0.5:
        beard = pick(("stubble", "stubble", "full", "goatee", "moustache"))
    glasses = pick(("round", "square", "half")) if rng.random() < 0.25 else "none"
    hue = uniform()
    return Identity(
        seed=seed,
        femininity=femininity,
        skin=_scaled(skin, tint),
        lip=_natural(_scaled(lip, uniform(0.94, 1.08)), skin, 0.0 if fem else 0.18),
        blush=blush,
        blush_amount=uniform(0.15, 0.5) * (1.0 if fem else 0.6),
        freckles=uniform(0.4, 1.0) if rng.random() < 0.15 else 0.0,
        face_width=uniform(0.95, 1.05) * (0.985 if fem else 1.015),
        jaw_power=uniform(2.25, 2.6) if fem else uniform(2.4, 3.1),
        jaw_round=uniform(1.6, 1.85) if fem else uniform(1.7, 2.1),
        chin=uniform(0.0, 0.06) if fem else uniform(0.03, 0.1),
        cheek=uniform(0.02, 0.07),
        nose_length=uniform(0.94, 1.06),
        nose_width=uniform(0.8, 1.0) if fem else uniform(0.95, 1.25),
        nose_height=uniform(0.75, 0.95) if fem else uniform(0.85, 1.15),
        eye_size=uniform(1.0, 1.14) if fem else uniform(0.88, 1.04),
        eye_spacing=uniform(0.95, 1.05),
        eye_tilt=uniform(-0.02, 0.09) if fem else uniform(-0.05, 0.05),
        eye_colour=pick(EYE_COLOURS[:2] if dark_skin else EYE_COLOURS),
        lashes=uniform(0.6, 1.0) if fem else uniform(0.0, 0.25),
        brow_thickness=uniform(0.7, 1.0) if fem else uniform(1.0, 1.5),
        brow_arch=uniform(0.5, 1.2) if fem else uniform(0.1, 0.7),
        brow_height=uniform(-0.02, 0.03),
        brow_colour=brow_colour,
        lip_fullness=uniform(1.0, 1.3) if fem else uniform(0.8, 1.05),
        mouth_width=uniform(0.97, 1.08),
        mouth_y=uniform(-0.60, -0.56),
        ear_size=uniform(0.88, 1.1),
        hair_style=style,
        hair_colour=hair_colour,
        hair_volume=uniform(0.8, 1.2),
        hair_side=float(pick((-1.0, 1.0))),
        beard=beard,
        glasses=glasses,
        glasses_colour=pick(((34, 34, 40), (96, 56, 36), (150, 40, 50), (60, 80, 140), (190, 160, 90))),
        earrings=fem and rng.random() < 0.35,
        clothes=pick(("crew", "crew", "vneck", "turtleneck", "collar")),
        clothes_colour=_hsv(uniform(), uniform(0.15, 0.65), uniform(0.35, 0.95)),
        light_azimuth=float(pick((-1.0, 1.0))) * uniform(0.35, 0.85),
        light_elevation=uniform(0.35, 0.75),
        light_warmth=uniform(-0.03, 0.06),
        background=pick(("gradient", "bokeh", "bokeh", "window", "studio")),
        background_colours=(
            _hsv(hue, uniform(0.15, 0.5), uniform(0.62, 0.95)),
            _hsv(hue + uniform(-0.08, 0.08), uniform(0.25, 0.6), uniform(0.3, 0.62)),
        ),
    )
