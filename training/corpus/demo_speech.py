"""Makes the demo speeches in `echotorrent_core/assets/speech`: 16 kHz mono FLAC, voices that no training clip uses.

    python -m training.corpus.demo_speech [--output FOLDER]

Three are espeak-ng, one is `flite` (a voice built from recordings of a person), which is left as it is where that
program is not installed (`apt install flite`). The same versions of both write the same sound.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

import echotorrent_core

from . import flite, speech
from .speech import SAMPLE_RATE, Utterance, join

FOLDER = Path(echotorrent_core.__file__).parent / "assets" / "speech"
PEAK = 0.7


@dataclass(frozen=True)
class Script:
    """One speech. voice: flite's when `flite` is set, espeak-ng's otherwise; rate: words per minute; pause: seconds."""

    voice: str
    sentences: tuple[str, ...]
    flite: bool = False
    rate: int = 150
    pitch: int = 50
    pause: float = 0.35


SCRIPTS = {
    "introduction": Script(
        "slt",
        (
            "Hello, and welcome to Echo Torrent.",
            "A moment ago I was only a picture.",
            "Now this voice moves my lips, a few frames at a time, while you are already watching.",
        ),
        flite=True,
        pause=0.2,
    ),
    "streaming": Script(
        "en-gb-scotland",
        (
            "Most videos are finished before anyone can see them.",
            "This one is like a conversation: each part is made just before it is needed.",
            "What you hear now had not been drawn when I began to speak.",
        ),
    ),
    "closed_lips": Script(
        "en-us+f4",
        (
            "Maybe my baby brother built the biggest paper boat in the bathtub.",
            "Bubbles popped above it, and pink soap made the blue map of Peru bloom.",
            "Please, Mum, may we keep it?",
        ),
        rate=155,
        pitch=55,
    ),
    "italiano": Script(
        "it",
        (
            "Buongiorno a tutti!",
            "Io non conosco le parole, ascolto soltanto il suono.",
            "Per questo posso parlare anche italiano, piano piano, oppure molto in fretta.",
        ),
        rate=160,
    ),
}


def speak(script: Script) -> Utterance:
    """The speech with short silences around it. Raises ValueError when the voice is not installed."""
    parts: list[Utterance | float] = [0.3]
    for sentence in script.sentences:
        if script.flite:
            spoken = flite.synthesise(sentence, script.voice)
        else:
            spoken = speech.synthesise(sentence, script.voice, script.rate, script.pitch)
        parts += [spoken, script.pause]
    return join(parts)


def write(path: Path, samples: np.ndarray) -> None:
    """Write mono float samples in [-1, 1] at 16 kHz as 16-bit FLAC."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        pcm = np.round(samples * 32767.0).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder for the files (default: the shipped ones)")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in SCRIPTS.items():
        path = folder / f"{name}.flac"
        if script.flite and not flite.available():
            print(f"{path}: left as it is, flite is not installed")
            continue
        spoken = speak(script)
        write(path, spoken.samples * (PEAK / np.abs(spoken.samples).max()))
        print(f"{path}: {spoken.seconds:.1f} s, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
