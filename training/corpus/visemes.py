"""Phonemes -> mouth shapes: 15 viseme classes, 4 continuous parameters, and tracks at the video's frame rate.

Mnemonics are espeak-ng's (Kirshenbaum-like, shared by its languages). A mnemonic is read by its first symbols,
so accents, length marks and language-specific suffixes need no table of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d

PARAMETERS = ("open", "wide", "teeth", "tongue")
CLASSES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
CLASS_INDEX = {name: i for i, name in enumerate(CLASSES)}

Phoneme = tuple[float, float, str]  # start seconds, end seconds, espeak mnemonic


class Shape(NamedTuple):
    """One mouth target: viseme class and parameters in [0, 1]. wide: 0 rounded, 0.5 neutral, 1 spread."""

    name: str
    open: float
    wide: float
    teeth: float
    tongue: float


SILENCE = Shape("sil", 0.0, 0.5, 0.0, 0.0)
CLOSED = Shape("PP", 0.0, 0.5, 0.0, 0.0)

# Consonants, longest match first when read; the rest of a mnemonic (";", "[", "#", digits) only colours it.
CONSONANTS: dict[str, Shape] = {
    **dict.fromkeys(("p", "b", "m"), CLOSED),
    **dict.fromkeys(("f", "v", "P"), Shape("FF", 0.12, 0.55, 0.80, 0.0)),
    "B": Shape("FF", 0.10, 0.40, 0.20, 0.0),  # bilabial approximant: nearly, never quite, closed
    **dict.fromkeys(("T", "D"), Shape("TH", 0.22, 0.55, 0.60, 0.90)),
    **dict.fromkeys(("t", "d", "r*", "*", "t#"), Shape("DD", 0.20, 0.55, 0.60, 0.60)),
    **dict.fromkeys(("k", "g", "x", "X", "q", "Q", "G", "N", "c", "J", "C"), Shape("kk", 0.30, 0.52, 0.35, 0.15)),
    **dict.fromkeys(("S", "Z", "tS", "dZ", "t_S", "s.", "z.", "ts.", "S;"), Shape("CH", 0.22, 0.22, 0.75, 0.20)),
    **dict.fromkeys(("s", "z", "ts", "dz", "t_s", "d_z"), Shape("SS", 0.12, 0.72, 0.90, 0.15)),
    **dict.fromkeys(("n", "l", "L"), Shape("nn", 0.26, 0.55, 0.45, 0.75)),
    **dict.fromkeys(("r", "R"), Shape("RR", 0.26, 0.30, 0.30, 0.35)),
    "j": Shape("I", 0.24, 0.85, 0.55, 0.35),
    "w": Shape("U", 0.14, 0.02, 0.0, 0.05),
}
VOWELS: dict[str, Shape] = {
    "a": Shape("aa", 0.92, 0.60, 0.40, 0.22),
    "A": Shape("aa", 1.00, 0.45, 0.30, 0.20),
    "V": Shape("aa", 0.75, 0.52, 0.35, 0.20),
    "&": Shape("aa", 0.85, 0.70, 0.45, 0.22),
    "@": Shape("E", 0.45, 0.50, 0.35, 0.22),
    "3": Shape("RR", 0.45, 0.32, 0.30, 0.35),
    "E": Shape("E", 0.65, 0.72, 0.50, 0.30),
    "e": Shape("E", 0.52, 0.80, 0.55, 0.30),
    "I": Shape("I", 0.38, 0.80, 0.55, 0.30),
    "i": Shape("I", 0.30, 0.98, 0.62, 0.32),
    "0": Shape("O", 0.78, 0.28, 0.20, 0.15),
    "O": Shape("O", 0.70, 0.18, 0.15, 0.15),
    "o": Shape("O", 0.52, 0.10, 0.10, 0.12),
    "8": Shape("O", 0.45, 0.15, 0.12, 0.15),
    "W": Shape("O", 0.55, 0.20, 0.15, 0.22),
    "Y": Shape("O", 0.45, 0.12, 0.12, 0.25),
    "U": Shape("U", 0.38, 0.10, 0.10, 0.10),
    "u": Shape("U", 0.26, 0.0, 0.05, 0.08),
    "y": Shape("U", 0.24, 0.05, 0.10, 0.25),
}
_GLOTTAL = ("h", "H", "?")  # made below the mouth: it already has the next sound's shape
_CONSONANT_KEYS = sorted(CONSONANTS, key=len, reverse=True)
_LATER_VOWEL = re.compile(r"[aAVEeIiOoUuYy@]")
STOP_CLOSED_SHARE = 0.7  # of a p or b interval; the rest is release and aspiration
UNSTRESSED = 0.88  # jaw opening of unstressed vowels


def shapes_of(mnemonic: str) -> list[Shape]:
    """Mouth targets of an espeak mnemonic, to be spread evenly over its time: two for diphthongs and affricated
    labials, one otherwise, none for glottal sounds (which take their neighbour's shape)."""
    stressed = mnemonic.startswith("'")
    symbol = mnemonic.lstrip("',%=|")
    if len(symbol) > 1 and symbol[0] == "?":  # Danish stod, Arabic pharyngeals: the vowel decides
        symbol = symbol[1:]
    if not symbol or symbol[0] in "_(<" or symbol in (";", ":"):
        return [SILENCE]
    if symbol[0] in _GLOTTAL:
        return []
    if symbol[0] in VOWELS:
        vowels = [symbol[0], *_LATER_VOWEL.findall(symbol[1:])]
        scale = 1.0 if stressed else UNSTRESSED
        return [VOWELS[v]._replace(open=VOWELS[v].open * scale) for v in vowels]
    if symbol.startswith("pf"):
        return [CLOSED, CONSONANTS["f"]]
    key = next((k for k in _CONSONANT_KEYS if symbol.startswith(k)), None)
    if key is None:  # unknown symbol: the nearest we can say of a consonant is a slightly open mouth
        lowered = symbol[0].lower()
        return [CONSONANTS.get(lowered) or VOWELS.get(lowered) or CONSONANTS["k"]]
    return [CONSONANTS[key]]


def is_closure(mnemonic: str) -> bool:
    """True for p, b, m (and pf, p;, b[ ...): the lips touch."""
    shapes = shapes_of(mnemonic)
    return bool(shapes) and shapes[0] is CLOSED


def closure_intervals(phonemes: Sequence[Phoneme]) -> list[tuple[float, float]]:
    """(start, end) seconds in which the lips touch: all of an m, the first part of p and b."""
    intervals = []
    for start, end, mnemonic in phonemes:
        if is_closure(mnemonic):
            nasal = mnemonic.lstrip("',%=|").startswith("m")
            intervals.append((start, end if nasal else start + STOP_CLOSED_SHARE * (end - start)))
    return intervals


def segments(phonemes: Sequence[Phoneme]) -> list[tuple[float, float, Shape]]:
    """Phonemes -> consecutive (start, end, shape); diphthongs are split, glottals take the next sound's shape."""
    result: list[tuple[float, float, Shape]] = []
    following: Shape = SILENCE
    for start, end, mnemonic in reversed(phonemes):
        shapes = shapes_of(mnemonic)
        if not shapes:
            shapes = [SILENCE if following is SILENCE else following._replace(open=0.85 * following.open)]
        edges = np.linspace(start, end, len(shapes) + 1)
        result.extend((edges[i], edges[i + 1], shapes[i]) for i in reversed(range(len(shapes))))
        following = shapes[0]
    return result[::-1]


def viseme_track(
    phonemes: Sequence[Phoneme],
    n_frames: int,
    fps: float = 25.0,
    *,
    offset: float = 0.0,
    sigma: float = 0.030,
    advance: float = 0.015,
    release: float = 0.045,
    rate: int = 400,
) -> tuple[np.ndarray, np.ndarray]:
    """Mouth parameters and classes per video frame, sampled at frame centres (f + 0.5) / fps + offset.

    phonemes: (start, end, mnemonic) in seconds, ascending; time not covered is silence. sigma: co-articulation
    (Gaussian, seconds); advance: the mouth leads the sound; release: time the lips take to leave a closure.
    Returns (params float32 (F, 4) in [0, 1], classes int64 (F,)). Closures survive the smoothing: frames
    flagged by `closure_flags` are fully closed.
    """
    margin = 0.25  # seconds of context on both sides so that smoothing has no edges
    first = offset + advance - margin
    n = int(np.ceil((n_frames / fps + 2 * margin) * rate))
    target = np.tile(np.array(SILENCE[1:], dtype=np.float64), (n, 1))
    classes = np.zeros(n, dtype=np.int64)
    for start, end, shape in segments(phonemes):
        a, b = (max(0, round((t - first) * rate)) for t in (start, end))
        target[a:b] = shape[1:]
        classes[a:b] = CLASS_INDEX[shape.name]
    params = gaussian_filter1d(target, sigma * rate, axis=0, mode="nearest")

    centres = (np.arange(n_frames) + 0.5) / fps  # relative to offset
    at = np.clip(np.round((centres + margin) * rate).astype(np.int64), 0, max(n - 1, 0))
    time = first + np.arange(n) / rate
    closed = np.zeros(n)
    for start, end in _on_frames(closure_intervals(phonemes), n_frames, fps, offset + advance):
        distance = np.maximum(np.maximum(start - time, time - end), 0.0)
        closed = np.maximum(closed, 0.5 + 0.5 * np.cos(np.pi * np.minimum(distance / release, 1.0)))
    # Touching lips hide teeth and tongue as well; how wide the lips are stays co-articulated.
    params[:, [0, 2, 3]] *= 1.0 - closed[:, None]
    out_classes = classes[at]
    out_classes[closure_flags(phonemes, n_frames, fps, offset=offset, advance=advance)] = CLASS_INDEX["PP"]
    return np.clip(params[at], 0.0, 1.0).astype(np.float32), out_classes


def closure_flags(
    phonemes: Sequence[Phoneme], n_frames: int, fps: float = 25.0, *, offset: float = 0.0, advance: float = 0.015
) -> np.ndarray:
    """Frames (F,) bool whose centre lies in a p, b or m closure; each closure owns at least one frame."""
    centres = (np.arange(n_frames) + 0.5) / fps + offset + advance
    flags = np.zeros(n_frames, dtype=bool)
    for start, end in _on_frames(closure_intervals(phonemes), n_frames, fps, offset + advance):
        flags |= (centres >= start - 1e-9) & (centres <= end + 1e-9)
    return flags


def _on_frames(
    intervals: list[tuple[float, float]], n_frames: int, fps: float, offset: float
) -> list[tuple[float, float]]:
    """Stretch closures shorter than a frame to the nearest frame centre: a closure between two frames is not seen."""
    stretched = []
    for start, end in intervals:
        if end <= offset or start >= offset + n_frames / fps:
            continue
        nearest = (np.floor((0.5 * (start + end) - offset) * fps) + 0.5) / fps + offset
        stretched.append((min(start, nearest), max(end, nearest)))
    return stretched
