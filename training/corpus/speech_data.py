"""Hours of un-rendered speech with mouth labels for the audio encoder: made once, cached, augmented on the fly."""

from __future__ import annotations

import json
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from echotorrent_core.conditioning.audio import window
from echotorrent_core.config import AudioEncoderConfig
from echotorrent_core.files import move

from . import flite, singing, speech
from .augment import augment
from .visemes import closure_flags, viseme_track

FRAME = 640
PART_SECONDS = 600.0


@dataclass(frozen=True)
class SpeechMix:
    """What a speech corpus is made of. Shares need not sum to 1; singing and flite count only where pyworld and
    flite are installed (the corpus's `mix.json` says whether they were)."""

    hours: float = 5.0
    general: float = 0.60
    rare: float = 0.12
    singing: float = 0.06
    flite: float = 0.22
    seed: int = 0


def utterance(rng: np.random.Generator, mix: SpeechMix, split: str) -> speech.Utterance:
    """One utterance of a kind drawn from the mix."""
    kinds = {
        "general": mix.general,
        "rare": mix.rare,
        "singing": mix.singing * singing.available(),
        "flite": mix.flite * flite.available(),
    }
    shares = np.array(list(kinds.values()))
    kind = str(rng.choice(list(kinds), p=shares / shares.sum()))
    if kind == "flite":
        return flite.random_utterance(rng, split)
    return speech.random_utterance(rng, kind, split)


def make_part(path: Path, mix: SpeechMix, split: str, index: int) -> Path:
    """Write ten minutes of speech: samples int16, params float16 (F, 4), classes uint8 (F,), closed bool (F,)."""
    rng = np.random.default_rng([mix.seed, split == "heldout", index])
    columns: dict[str, list[np.ndarray]] = {"samples": [], "params": [], "classes": [], "closed": []}
    seconds = 0.0
    while seconds < PART_SECONDS:
        spoken = utterance(rng, mix, split)
        frames = -(-len(spoken.samples) // FRAME)
        params, classes = viseme_track(spoken.phonemes, frames)
        padded = np.pad(spoken.samples, (0, frames * FRAME - len(spoken.samples)))
        columns["samples"].append(np.round(padded * 32767.0).astype(np.int16))
        columns["params"].append(params.astype(np.float16))
        columns["classes"].append(classes.astype(np.uint8))
        columns["closed"].append(closure_flags(spoken.phonemes, frames))
        seconds += spoken.seconds
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **{key: np.concatenate(value) for key, value in columns.items()})  # type: ignore[arg-type]
    move(temporary, path)
    return path


def make(folder: Path, mix: SpeechMix, split: str, workers: int = 1) -> list[Path]:
    """All parts of a split; those already there are kept. A folder belongs to one mix: ValueError for another."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "mix.json"
    if note.is_file():
        found = json.loads(note.read_text(encoding="utf-8"))
        if {key: found.get(key) for key in asdict(mix)} != asdict(mix):
            raise ValueError(f"{folder} holds speech of another mix ({note}); choose another folder or delete it")
    else:
        installed = {"pyworld_installed": singing.available(), "flite_installed": flite.available()}
        note.write_text(json.dumps(asdict(mix) | installed), encoding="utf-8")
    hours = mix.hours if split == "train" else min(0.5, mix.hours)
    paths = [folder / f"{split}-{i:04d}.npz" for i in range(max(1, round(hours * 3600 / PART_SECONDS)))]
    missing = [(i, path) for i, path in enumerate(paths) if not path.is_file()]
    if missing:
        with ProcessPoolExecutor(max(1, workers), mp_context=get_context("spawn")) as pool:
            jobs = [pool.submit(make_part, path, mix, split, i) for i, path in missing]
            for job in tqdm(jobs, desc=f"speech ({split})"):
                job.result()
    return paths


class SpeechData:
    """Augmented crops by step number: same seed and step, same batch, also after a resume.

    A batch: samples (B, S) as the encoder's `window` asks, params (B, F, 4), classes (B, F), closed (B, F).
    """

    def __init__(
        self, config: AudioEncoderConfig, paths: list[Path], batch: int = 32, frames: int = 64, seed: int = 0,
        augmented: bool = True, workers: int = 1,
    ):  # fmt: skip
        self.config, self.size, self.frames, self.seed, self.augmented = config, batch, frames, seed, augmented
        self.paths, self.workers = paths, workers
        self._pool: ProcessPoolExecutor | None = None
        self._ahead: deque[tuple[int, Future[dict[str, np.ndarray]]]] = deque()

    @cached_property
    def parts(self) -> list[dict[str, np.ndarray]]:
        return [dict(np.load(path)) for path in self.paths]

    def batch(self, step: int) -> dict[str, Tensor]:
        """The batch of `step`; later ones are prepared meanwhile by the worker processes."""
        if self.workers == 0:
            return _tensors(self.draw(step))
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, get_context("spawn"), _start_worker, (self._plain(),))
        while self._ahead and self._ahead[0][0] != step:
            self._ahead.popleft()[1].cancel()
        following = self._ahead[-1][0] + 1 if self._ahead else step
        while len(self._ahead) < 3 * self.workers:
            self._ahead.append((following, self._pool.submit(_draw, following)))
            following += 1
        return _tensors(self._ahead.popleft()[1].result())

    def draw(self, step: int) -> dict[str, np.ndarray]:
        """The batch of `step` in numpy, computed here."""
        rng = np.random.default_rng([self.seed, step])
        rows = [self._crop(rng) for _ in range(self.size)]
        return {key: np.stack([row[key] for row in rows]) for key in rows[0]}

    def _crop(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        part = self.parts[rng.integers(len(self.parts))]
        first = int(rng.integers(len(part["classes"]) - self.frames))
        samples = slice_samples(part["samples"], *window(self.config, first, self.frames))
        if self.augmented:
            others = [self._piece(rng, len(samples)) for _ in range(2)]
            samples = augment(samples, rng, others)
        span = slice(first, first + self.frames)
        return {
            "samples": samples,
            "params": part["params"][span].astype(np.float32),
            "classes": part["classes"][span].astype(np.int64),
            "closed": part["closed"][span],
        }

    def _piece(self, rng: np.random.Generator, n: int) -> np.ndarray:
        samples = self.parts[rng.integers(len(self.parts))]["samples"]
        start = int(rng.integers(max(1, len(samples) - n)))
        return samples[start : start + n].astype(np.float32) / 32767.0

    def _plain(self) -> tuple[AudioEncoderConfig, list[Path], int, int, int, bool, int]:
        return (self.config, self.paths, self.size, self.frames, self.seed, self.augmented, 0)


def slice_samples(samples: np.ndarray, start: int, count: int) -> np.ndarray:
    """samples[start : start + count] as float32 in [-1, 1], zeros outside the recording."""
    inside = samples[max(0, start) : max(0, start + count)].astype(np.float32) / 32767.0
    return np.pad(inside, (max(0, -start), count - len(inside) - max(0, -start)))


def _tensors(batch: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {key: torch.from_numpy(value) for key, value in batch.items()}


_WORKER: SpeechData | None = None


def _start_worker(arguments: tuple) -> None:
    global _WORKER
    _WORKER = SpeechData(*arguments)


def _draw(step: int) -> dict[str, np.ndarray]:
    assert _WORKER is not None
    return _WORKER.draw(step)
