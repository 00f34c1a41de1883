"""Several clips of one person: what an identity is tuned on, and the truth that its videos are held against.

    python -m training.corpus.person --person 900 --clips 8 --out DIR      # DIR/person-900/00.mp4 ...

The corpus has one clip per person. Here the person stays and everything else is drawn anew: words, voice, motion and
manner. Same person and number, same clip.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from .build import FPS, SAMPLE_RATE, SIZE, controls_of
from .controls import Controls
from .identity import identity_seed, make_identity
from .motion import Motion, random_motion
from .render import Renderer
from .speech import random_utterance
from .visemes import closure_flags, viseme_track


@dataclass(frozen=True)
class Take:
    """frames (T, H, W, 3) uint8; sound (T * 640,) float32 at 16 kHz; controls: of every frame; params (T, 4) open,
    wide, teeth, tongue; closures (T,) bool."""

    frames: np.ndarray
    sound: np.ndarray
    controls: tuple[Controls, ...]
    motion: Motion
    params: np.ndarray
    closures: np.ndarray


def take(person: int, number: int, seconds: float = 4.0, size: int = SIZE, voices: str = "train") -> Take:
    """Clip `number` of a held-out person; voices: split of who speaks."""
    count = round(seconds * FPS)
    rng = np.random.default_rng([0x9E25, person, number])
    spoken = random_utterance(rng, "general", voices, seconds)
    samples = count * SAMPLE_RATE // FPS
    sound = np.pad(spoken.samples, (0, samples))[:samples]
    sound = sound * (float(rng.uniform(0.35, 0.95)) / max(float(np.abs(sound).max()), 1e-3))
    params = viseme_track(spoken.phonemes, count, FPS)[0]
    motion = random_motion(rng, count)
    controls = tuple(controls_of(motion, frame, params[frame]) for frame in range(count))
    renderer = Renderer(make_identity(identity_seed(person, "heldout")), size)
    frames = np.stack([renderer.render(one).image.copy() for one in controls])
    closures = np.asarray(closure_flags(spoken.phonemes, count, FPS), bool)
    return Take(frames, sound.astype(np.float32), controls, motion, params, closures)


def portrait(person: int, size: int = SIZE) -> np.ndarray:
    """Neutral still (H, W, 3) uint8 of a held-out person."""
    return Renderer(make_identity(identity_seed(person, "heldout")), size).render(Controls()).image.copy()


def write_clip(path: Path, frames: np.ndarray, sound: np.ndarray) -> Path:
    """frames (T, H, W, 3) uint8 at 25 per second with mono sound at 16 kHz, as H.264 (nearly lossless) and AAC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "12"})
        video.pix_fmt, (video.height, video.width) = "yuv444p", frames.shape[1:3]
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv444p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        samples = np.clip(sound, -1, 1).astype(np.float32)[None]
        for start in range(0, samples.shape[1], 1024):
            block = av.AudioFrame.from_ndarray(samples[:, start : start + 1024], format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
            container.mux(audio.encode(block))
        container.mux(audio.encode(None))
    return path


def write_person(folder: Path, person: int, clips: int, seconds: float = 4.0, size: int = SIZE) -> list[Path]:
    """Clips 0, 1, ... of a person as files."""
    made = (take(person, number, seconds, size) for number in range(clips))
    return [write_clip(folder / f"{i:02d}.mp4", one.frames, one.sound) for i, one in enumerate(made)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Render clips of one person.")
    parser.add_argument("--person", type=int, default=900, help="number of a held-out person")
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    folder = args.out / f"person-{args.person}"
    for path in write_person(folder, args.person, args.clips, args.seconds, args.size):
        print(path)


if __name__ == "__main__":
    main()
