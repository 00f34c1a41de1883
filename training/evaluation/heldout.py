"""People and voices that no part was trained on: short clips with their truth, and speech of any length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..corpus.build import (
    DEFAULT_MIX,
    FPS,
    FRAMES,
    MARGIN,
    SAMPLE_RATE,
    SHARD,
    SIZE,
    CorpusReader,
    corpus_folder,
    render_clip,
    shard_clips,
    write_script,
)

SAMPLES_PER_FRAME = SAMPLE_RATE // FPS


@dataclass(frozen=True)
class Held:
    """A held-out clip.

    frames (65, H, W, 3) and portrait (H, W, 3) uint8; sound float32 at 16 kHz, frame 0 begins at sample `margin`;
    params (65, 4) open, wide, teeth, tongue; closures (65,) bool.
    """

    frames: np.ndarray
    portrait: np.ndarray
    sound: np.ndarray
    margin: int
    params: np.ndarray
    closures: np.ndarray
    domain: str
    voice: str


def held_out(count: int, domains: Sequence[str], corpus: Path | None = None, size: int = SIZE) -> Iterator[Held]:
    """The first `count` spoken held-out clips of some domains: of a corpus folder, or rendered now (about a second
    each), which gives the same ones as a folder of the default mix and that size."""
    clips = _rendered(domains, size) if corpus is None else _cached(corpus, domains)
    yield from islice((clip for clip in clips if clip.voice != "silence"), count)


def clips_at_hand(count: int, domains: Sequence[str], size: int) -> list[Held]:
    """The same, from the cached corpus of that size if there is one and it has enough of them."""
    folder = corpus_folder("heldout", size)
    found = list(held_out(count, domains, folder)) if (folder / "index.json").exists() else []
    return found if len(found) == count else list(held_out(count, domains, size=size))


def _cached(folder: Path, domains: Sequence[str]) -> Iterator[Held]:
    reader = CorpusReader(folder)
    for i in range(len(reader)):
        labels = reader.labels(i)
        if str(labels["domain"]) not in domains:
            continue
        frames = np.array(reader.frames(i))
        sound = reader.audio(i).astype(np.float32) / 32767
        yield Held(
            frames[:FRAMES], frames[FRAMES], sound, MARGIN, labels["params"], labels["closures"],
            str(labels["domain"]), str(labels["voice"]),
        )  # fmt: skip


def _rendered(domains: Sequence[str], size: int) -> Iterator[Held]:
    shard = 0
    while True:
        for clip in shard_clips(shard, SHARD * (shard + 1), "heldout", DEFAULT_MIX):
            if clip.domain not in domains:
                continue
            script = write_script(clip)
            if script.voice == "silence":
                continue
            frames = render_clip(clip, script, size)[0]
            sound = script.audio.astype(np.float32) / 32767
            yield Held(
                frames[:FRAMES], frames[FRAMES], sound, MARGIN, script.params[:FRAMES], script.closures,
                clip.domain, script.voice,
            )  # fmt: skip
        shard += 1


def long_speech(seconds: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Held-out utterances one after another: sound (n,) at 16 kHz and openness (F,) of a little more than `seconds`."""
    from ..corpus.speech import random_utterance
    from ..corpus.visemes import viseme_track

    rng, sounds, tracks, frames = np.random.default_rng([seed, 1]), [], [], 0
    while frames < seconds * FPS:
        spoken = random_utterance(rng, "general", "heldout", 6.0)
        count = -(-len(spoken.samples) // SAMPLES_PER_FRAME)
        level = 0.6 / max(np.abs(spoken.samples).max(), 1e-3)
        sounds.append(np.pad(spoken.samples * level, (0, count * SAMPLES_PER_FRAME - len(spoken.samples))))
        tracks.append(viseme_track(spoken.phonemes, count)[0][:, 0])
        frames += count
    return np.concatenate(sounds).astype(np.float32), np.concatenate(tracks)


# Frames as the network has them, and as a video does


def to_tensor(frames: np.ndarray, size: tuple[int, int] | None = None) -> Tensor:
    """uint8 (T, H, W, 3) -> float (T, 3, H, W) in [-1, 1], at another size if given."""
    x = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1
    if size and tuple(x.shape[2:]) != tuple(size):
        x = F.interpolate(x, size, mode="bilinear", antialias=True)
    return x


def to_pixels(frames: Tensor) -> np.ndarray:
    """(T, 3, H, W) in [-1, 1] -> uint8 (T, H, W, 3), as the video gets them."""
    return ((frames.clamp(-1, 1) + 1) * 127.5 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()
