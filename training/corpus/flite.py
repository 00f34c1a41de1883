"""Speech of `flite` (CMU, permissive licence) with its segment times: voices built from recordings of people.

Optional: used when the `flite` program is installed (`apt install flite`). Its spectra are closer to real speech
than espeak's formant synthesis, so a share of it makes the audio encoder travel better.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from . import sentences
from .speech import SAMPLE_RATE, Utterance, join
from .visemes import Phoneme

VOICES = {"train": ("kal16", "awb", "rms"), "heldout": ("slt",)}

# CMU phones as espeak mnemonics; vowels carry a stress mark because flite does not reduce their length further.
PHONES = {
    "pau": "_",
    **{letter: letter for letter in "bdfgklmnprstvwz"},
    **{"ch": "tS", "dh": "D", "hh": "h", "jh": "dZ", "ng": "N", "sh": "S", "th": "T", "y": "j", "zh": "Z"},
    **{"aa": "'A:", "ae": "'a", "ah": "'V", "ao": "'O:", "aw": "'aU", "ax": "@", "ay": "'aI", "eh": "'E", "er": "'3:"},
    **{"ey": "'eI", "ih": "'I", "iy": "'i:", "ow": "'oU", "oy": "'OI", "uh": "'U", "uw": "'u:"},
}


def available() -> bool:
    """Whether the `flite` program is installed."""
    return shutil.which("flite") is not None


def synthesise(text: str, voice: str, stretch: float = 1.0, shift: float = 1.0) -> Utterance:
    """Speak one sentence. stretch: duration factor; shift: pitch factor. ValueError when flite fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = [
            "flite",
            "-voice",
            voice,
            "--setf",
            f"duration_stretch={stretch:.3f}",
            "-psdur",
            "-t",
            text + " ",
            "-o",
            str(path),
        ]
        if shift != 1.0:
            command[3:3] = ["--setf", f"f0_shift={shift:.3f}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not path.is_file():
            raise ValueError(
                f"flite could not say {text!r} with voice '{voice}': {done.stderr.strip() or done.returncode}"
            )
        rate, pcm = wavfile.read(path)
    if rate != SAMPLE_RATE:
        raise ValueError(f"flite voice '{voice}' gives {rate} Hz, expected {SAMPLE_RATE}")
    samples = pcm.astype(np.float32) / 32768.0
    phonemes: list[Phoneme] = []
    for word in done.stdout.split():
        name, _, end = word.partition(":")
        start = phonemes[-1][1] if phonemes else 0.0
        stop = min(float(end), len(samples) / SAMPLE_RATE)
        if stop > start:
            phonemes.append((start, stop, PHONES[name]))
    last = phonemes[-1][1] if phonemes else 0.0
    if last < len(samples) / SAMPLE_RATE:
        phonemes.append((last, len(samples) / SAMPLE_RATE, "_"))
    return Utterance(samples, phonemes, voice, text)


def random_utterance(rng: np.random.Generator, split: str = "train", min_seconds: float = 4.0) -> Utterance:
    """As `training.corpus.speech.random_utterance`, in English with a voice of flite."""
    voice = str(rng.choice(VOICES[split]))
    stretch, shift = float(rng.uniform(0.8, 1.35)), float(rng.uniform(0.8, 1.25))
    seconds = float(rng.uniform(0.0, 0.5))
    parts: list[Utterance | float] = [seconds]
    while seconds < min_seconds:
        text = "".join("," if c in ".!?" else c for c in sentences.english(rng)).rstrip(", ")
        spoken = synthesise(text, voice, stretch, shift)
        parts += [spoken, float(rng.uniform(0.0, 0.4))]
        seconds += spoken.seconds
    return join(parts)
