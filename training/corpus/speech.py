"""Synthetic speech with exact phoneme times, from espeak-ng through its C interface.

espeak-ng (GPL) is a training-time tool only; the wheel `espeakng-loader` brings the library and its data.
The library is global C state that one call leaves to the next (pitch flutter, wave phase), so it is loaded anew for
every call, which costs 3 ms: the same arguments always give the same samples, in any process and after any history.
Between calls nothing is loaded, so forked and spawned workers may both use it; a lock keeps threads apart.
"""

from __future__ import annotations

import _ctypes
import ctypes
import threading
from dataclasses import dataclass, field

import numpy as np
from scipy.signal import resample_poly

from . import sentences
from .visemes import Phoneme

SAMPLE_RATE = 16000

# Voices are espeak language + variant. Held-out variants never occur in training; held-out languages neither.
# English has to be on both sides: there the split is by variant and by accent.
_TRAIN_VARIANTS = {
    "en-us": (
        "- f1 f2 f3 f5 m1 m2 m3 m4 m5 m6 klatt klatt2 klatt3 Annie Andy Alex Denis Diogo Hugo Jacky Lee Marco Michael "
        "Mike adam anika aunty belinda benjamin boris david ed edward grandma grandpa ian john linda max norbert "
        "quincy rob robert shelby travis zac"
    ),
    "en-gb-x-rp": "- f2 Andrea Henrique Mario gustave miguel",
    "en-029": "f1 m3",
    "en-us-nyc": "- klatt2 f5",
    "en-gb-x-gbclan": "- f3",
    "en-gb-x-gbcwmd": "- Annie",
    "de": "- f2 m4 klatt",
    "fr": "- f3 michel",
    "es": "- f1 pablo",
    "pt-br": "- marcelo",
    "ru": "- f2",
    "hi": "- m5",
    "ar": "- m2",
    "ka": "-",
    "cmn": "f1",
    "el": "-",
    "tr": "f5",
    "pl": "- m6",
    "fi": "-",
    "cs": "f2",
    "hu": "-",
    "id": "f3",
    "ro": "m1",
}
_HELDOUT_VARIANTS = {
    "en-us": "f4 m7 klatt4 Alicia Gene steph",
    "en-gb-scotland": "- f4 Gene2",
    "en-gb-x-rp": "steph2 sandro",
    "it": "- antonio",
    "sv": "- f4",
    "sw": "m7",
}


def _names(table: dict[str, str]) -> tuple[str, ...]:
    return tuple(base if v == "-" else f"{base}+{v}" for base, variants in table.items() for v in variants.split())


VOICES: dict[str, tuple[str, ...]] = {"train": _names(_TRAIN_VARIANTS), "heldout": _names(_HELDOUT_VARIANTS)}


@dataclass(frozen=True)
class Utterance:
    """samples: float32 mono in [-1, 1] at 16 kHz; phonemes: (start, end, mnemonic) seconds, contiguous, ascending."""

    samples: np.ndarray
    phonemes: list[Phoneme] = field(repr=False)
    voice: str = ""
    text: str = ""

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_SYNCHRONOUS, _PHONEME_EVENTS, _DONT_EXIT = 2, 0x0001, 0x8000
_UTF8, _PHONEME_TEXT = 0x0001, 0x0100
_EVENT_END, _EVENT_PHONEME = 0, 7
_RATE, _PITCH, _RANGE = 1, 3, 4
_LOCK = threading.Lock()


class _Espeak:
    """The freshly loaded library with its callback, which collects PCM blocks and phoneme events."""

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError:
            raise ImportError("synthetic speech needs espeak-ng: run `pip install espeakng-loader`") from None
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate = self.library.espeak_Initialize(_SYNCHRONOUS, 200, data, _PHONEME_EVENTS | _DONT_EXIT)
        if self.rate <= 0:
            raise RuntimeError(
                f"espeak-ng could not be initialised with its data in {data.decode()}; reinstall espeakng-loader"
            )
        self.blocks: list[np.ndarray] = []
        self.events: list[tuple[int, str]] = []
        self._callback = _CALLBACK(self._collect)  # kept: ctypes does not hold a reference
        self.library.espeak_SetSynthCallback(self._callback)
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # the noise of breathy voices; else seeded by the time

    def close(self) -> None:
        """Free the library's memory and forget its state; the object is of no use afterwards."""
        self.library.espeak_Terminate()
        unload = getattr(_ctypes, "dlclose", None) or getattr(_ctypes, "FreeLibrary", None)
        if unload:
            unload(self.library._handle)

    def _collect(self, pcm, count, events) -> int:  # type: ignore[no-untyped-def]
        if pcm and count > 0:
            self.blocks.append(np.ctypeslib.as_array(pcm, (count,)).copy())
        i = 0
        while events[i].type != _EVENT_END:
            if events[i].type == _EVENT_PHONEME:
                name = bytes(events[i].id.string).split(b"\0")[0].decode("utf-8", "replace")
                self.events.append((events[i].sample, name))
            i += 1
        return 0

    def speak(self, text: str, voice: str, rate: int, pitch: int, pitch_range: int, phonemes: bool) -> None:
        self.blocks, self.events = [], []
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(
                f"espeak-ng has no voice '{voice}'; known training voices are in training.corpus.speech.VOICES"
            )
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self.library.espeak_SetParameter(parameter, int(value), 0)
        raw = text.encode()
        flags = _UTF8 | (_PHONEME_TEXT if phonemes else 0)
        self.library.espeak_Synth(raw, ctypes.c_size_t(len(raw) + 1), 0, 1, 0, flags, None, None)
        self.library.espeak_Synchronize()


def synthesise(
    text: str, voice: str, rate: int = 165, pitch: int = 50, pitch_range: int = 50, *, phoneme_input: bool = False
) -> Utterance:
    """Speak `text`. rate: words per minute (80..450); pitch, pitch_range: 0..99; phoneme_input: `[[...]]` is read
    as espeak mnemonics. Raises ValueError for an unknown voice or a text that gives no sound."""
    with _LOCK:
        engine = _Espeak()
        try:
            engine.speak(text, voice, rate, pitch, pitch_range, phoneme_input)
        finally:
            engine.close()
    blocks, events, source_rate = engine.blocks, engine.events, engine.rate
    if not blocks or not events:
        raise ValueError(f"voice '{voice}' made no sound of {text!r}; give it words it can read")
    pcm = np.concatenate(blocks).astype(np.float32) / 32768.0
    phonemes = _phonemes(pcm, events, source_rate)
    samples = resample_poly(pcm, SAMPLE_RATE, source_rate).astype(np.float32)
    start, _, last = phonemes[-1]
    phonemes[-1] = (start, len(samples) / SAMPLE_RATE, last)  # resampling rounds the length
    return Utterance(np.clip(samples, -1.0, 1.0), phonemes, voice, text)


def _phonemes(pcm: np.ndarray, events: list[tuple[int, str]], rate: int) -> list[Phoneme]:
    events = [e for e in events if not e[1].startswith("(")]  # "(en)": a switch of language, not a sound
    starts = [max(0, min(sample, len(pcm))) for sample, _ in events]
    for i, (_, name) in enumerate(events):
        if i and name.lstrip("',").startswith(("p", "t", "k", "q", "c")):
            starts[i] = max(starts[i - 1], _silence_before(pcm, starts[i], int(0.09 * rate)))
    ends = [*starts[1:], len(pcm)]
    result = [(s / rate, e / rate, name) for s, e, (_, name) in zip(starts, ends, events, strict=True) if e > s]
    if result and result[0][0] > 0:
        result.insert(0, (0.0, result[0][0], "_"))
    return result


def _silence_before(pcm: np.ndarray, position: int, limit: int) -> int:
    """espeak reports a voiceless stop at its burst; its closure is the silence before. Returns where that begins."""
    loud = np.flatnonzero(np.abs(pcm[max(0, position - limit) : position]) > 1e-3)
    return max(0, position - limit) + (int(loud[-1]) + 1 if len(loud) else 0)


def join(parts: list[Utterance | float]) -> Utterance:
    """Concatenate utterances and silences (floats, seconds) into one utterance."""
    samples: list[np.ndarray] = []
    phonemes: list[Phoneme] = []
    count = 0
    for part in parts:
        start = count / SAMPLE_RATE
        if isinstance(part, Utterance):
            samples.append(part.samples)
            phonemes += [(start + s, start + e, name) for s, e, name in part.phonemes]
        else:
            samples.append(np.zeros(round(part * SAMPLE_RATE), dtype=np.float32))
            if len(samples[-1]):
                phonemes.append((start, start + len(samples[-1]) / SAMPLE_RATE, "_"))
        count += len(samples[-1])
    spoken = [p for p in parts if isinstance(p, Utterance)]
    return Utterance(
        np.concatenate(samples), phonemes, spoken[0].voice if spoken else "", " ".join(p.text for p in spoken)
    )


def random_utterance(
    rng: np.random.Generator, domain: str = "general", split: str = "train", min_seconds: float = 4.0
) -> Utterance:
    """A random speaker saying random sentences for at least `min_seconds`, with silence before, between and after.

    domain: general (English 3/4, other languages, some pseudo-words), rare (`[[...]]` strings of seldom sounds),
    singing (see `training.corpus.singing`; needs pyworld). split: train or heldout voices. Same rng state, same result.
    """
    if domain not in ("general", "singing", "rare"):
        raise ValueError(f"unknown speech domain '{domain}'; expected general, singing or rare")
    if split not in VOICES:
        raise ValueError(f"unknown split '{split}'; expected train or heldout")
    if domain == "singing":
        from .singing import random_song

        return random_song(rng, split, min_seconds)
    voice = str(rng.choice(VOICES[split]))
    language = voice.split("+")[0]
    rate, pitch, spread = (
        int(np.clip(rng.normal(165, 25), 110, 240)),
        int(rng.integers(20, 85)),
        int(rng.integers(20, 90)),
    )
    seconds = float(rng.uniform(0.1, 0.7))
    parts: list[Utterance | float] = [seconds]
    while seconds < min_seconds:
        if domain == "rare":
            text = sentences.rare_phonemes(rng)
        elif language.startswith("en"):
            text = (
                sentences.english(rng) if rng.random() < 0.93 else sentences.pseudo_words(rng, int(rng.integers(3, 7)))
            )
        else:
            text = sentences.foreign(rng, language)
        spoken = synthesise(text, voice, rate, pitch, spread, phoneme_input=domain == "rare")
        pause = float(rng.uniform(0.5, 1.6) if rng.random() < 0.2 else rng.uniform(0.0, 0.35))
        parts += [spoken, pause]
        seconds += spoken.seconds + pause
    parts.append(float(rng.uniform(0.1, 0.6)))
    return join(parts)
