"""Singing with exact phoneme times: speech re-synthesised on a melody by the WORLD vocoder.

The vocoder is `pyworld` (wheels: `pip install pyworld-prebuilt`), imported when first needed. Every vowel is
stretched linearly to its note and the fundamental is replaced; because the stretch is ours, so are the new times
of the phonemes.
"""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np

from . import sentences
from .speech import SAMPLE_RATE, VOICES, Utterance, join, synthesise
from .visemes import VOWELS, Phoneme

PERIOD = 0.005  # seconds between WORLD frames
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9))
BEATS = (0.5, 0.5, 1.0, 1.0, 1.0, 1.5, 2.0, 3.0)


def _world() -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pyworld's own use of pkg_resources
            import pyworld
    except ImportError as error:
        raise ImportError(f"singing needs pyworld ({error}): run `pip install pyworld-prebuilt`") from None
    return pyworld


def available() -> bool:
    """Whether pyworld can be imported."""
    try:
        _world()
    except ImportError:
        return False
    return True


def is_vowel(mnemonic: str) -> bool:
    """True for mnemonics that begin with a vowel symbol: what a singer holds."""
    return mnemonic.lstrip("',%=|")[:1] in VOWELS


def sing(spoken: Utterance, notes: list[tuple[float, float]], vibrato: float = 0.03) -> Utterance:
    """Sing an utterance. notes: (hertz, seconds) used in turn, one per vowel (never shorter than spoken);
    vibrato: depth as a fraction of the pitch. The result's phonemes carry the sung times."""
    if not notes:
        raise ValueError("a song needs at least one note (hertz, seconds)")
    world = _world()
    source = spoken.samples.astype(np.float64)
    rough, times = world.dio(source, SAMPLE_RATE, frame_period=1000 * PERIOD)
    pitch = world.stonemask(source, rough, times, SAMPLE_RATE)
    envelope = world.cheaptrick(source, pitch, times, SAMPLE_RATE)
    noise = world.d4c(source, pitch, times, SAMPLE_RATE)

    phonemes: list[Phoneme] = []
    edges, sung_edges, melody = [0.0], [0.0], []  # piecewise linear map of time, and the note of each piece
    vowel = 0
    for start, end, name in spoken.phonemes:
        length = end - start
        if is_vowel(name):
            length = max(length, notes[vowel % len(notes)][1])
            vowel += 1
        phonemes.append((sung_edges[-1], sung_edges[-1] + length, name))
        edges.append(end)
        sung_edges.append(sung_edges[-1] + length)
        melody.append(notes[max(0, vowel - 1) % len(notes)][0])

    n = int(sung_edges[-1] / PERIOD) + 1
    sung = np.arange(n) * PERIOD
    at = np.clip(np.round(np.interp(sung, sung_edges, edges) / PERIOD).astype(int), 0, len(pitch) - 1)
    piece = np.clip(np.searchsorted(sung_edges, sung, side="right") - 1, 0, len(melody) - 1)
    target = _glide(np.log(np.array(melody))[piece], 0.04)
    target += (
        vibrato * np.sin(2 * np.pi * 5.5 * sung) * _glide(np.array([is_vowel(p[2]) for p in phonemes])[piece], 0.15)
    )
    new_pitch = np.where(pitch[at] > 0, np.exp(target), 0.0)
    voice = world.synthesize(new_pitch, envelope[at], noise[at], SAMPLE_RATE, 1000 * PERIOD)

    samples = np.zeros(round(sung_edges[-1] * SAMPLE_RATE), dtype=np.float32)
    count = min(len(samples), len(voice))
    samples[:count] = voice[:count]
    peak = max(float(np.abs(samples).max()), 1e-6)
    return Utterance(samples * min(1.0, 0.9 / peak), phonemes, spoken.voice, spoken.text)


def _glide(values: np.ndarray, seconds: float) -> np.ndarray:
    """Moving average: the voice slides to the next note instead of jumping."""
    width = max(1, int(seconds / PERIOD)) | 1
    padded = np.pad(values.astype(np.float64), width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")


def random_song(rng: np.random.Generator, split: str = "train", min_seconds: float = 4.0) -> Utterance:
    """A random voice singing random lines on a random melody, with rests. See `speech.random_utterance`."""
    voice = str(rng.choice(VOICES[split]))
    language = voice.split("+")[0]
    root = 110.0 * 2.0 ** rng.uniform(0.0, 1.4)
    scale, beat = SCALES[rng.integers(len(SCALES))], 60.0 / rng.uniform(70.0, 130.0)
    vibrato = float(rng.uniform(0.0, 0.04))
    seconds = float(rng.uniform(0.1, 0.6))
    parts: list[Utterance | float] = [seconds]
    while seconds < min_seconds:
        text = sentences.english(rng) if language.startswith("en") else sentences.foreign(rng, language)
        spoken = synthesise(text, voice, rate=int(rng.integers(140, 190)), pitch=40, pitch_range=10)
        notes = [_note(rng, root, scale, beat) for _ in range(12)]
        line = sing(spoken, notes, vibrato)
        rest = float(rng.choice([0.0, 0.5, 1.0, 2.0])) * beat
        parts += [line, rest]
        seconds += line.seconds + rest
    parts.append(float(rng.uniform(0.1, 0.5)))
    return join(parts)


def _note(rng: np.random.Generator, root: float, scale: tuple[int, ...], beat: float) -> tuple[float, float]:
    degree = scale[rng.integers(len(scale))] + 12 * int(rng.integers(0, 2))
    return root * 2.0 ** (degree / 12.0), float(rng.choice(BEATS)) * beat - 0.08
