"""A tiny deterministic engine: frames follow from (hash of all audio so far, seed), so any slip in a resume shows."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from echotorrent_core import presets

LOOK_AHEAD = 2000


@dataclass
class FakeState:
    digest: str
    chunk: int = 0
    frames: int = 0
    heard: int = 0
    speakers: int = 1
    extra: dict[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        partial = Path(f"{path}.tmp")
        partial.write_text(json.dumps(dataclasses.asdict(self)))
        os.replace(partial, path)


class FakeEngine:
    fingerprint = "debug-fake"

    def __init__(self, delay: float = 0.0, steps: int = 2, bad_chunk: int | None = None, speakers: int = 1) -> None:
        self.config = presets.debug()
        self.delay, self.steps, self.bad_chunk, self.speakers = delay, steps, bad_chunk, speakers

    def frames_in_chunk(self, index: int) -> int:
        return 13 if index == 0 else 16

    def samples_needed(self, state: FakeState) -> int:
        return (state.frames + self.frames_in_chunk(state.chunk)) * 640 + LOOK_AHEAD - state.heard

    def condition(self, image: torch.Tensor, prompt: str = "", speakers: torch.Tensor | None = None) -> str:
        return hashlib.sha256(image.numpy().tobytes() + prompt.encode()).hexdigest()

    def start(self, cond: str, seed: int, audio: None = None) -> FakeState:
        return FakeState(f"{cond}/{seed}", speakers=self.speakers)

    def change(self, state: FakeState, prompt: str | None = None, image: torch.Tensor | None = None) -> FakeState:
        given = (prompt or "").encode() + (b"" if image is None else image.numpy().tobytes())
        return dataclasses.replace(state, digest=f"{state.digest}/{hashlib.sha256(given).hexdigest()}")

    def step(
        self,
        state: FakeState,
        samples: torch.Tensor,
        on_step: Callable[[int], None] | None = None,
        total: int | None = None,
    ) -> tuple[FakeState, torch.Tensor]:
        assert samples.shape == (state.speakers, self.samples_needed(state))
        for i in range(self.steps):
            if on_step:
                on_step(i)
            time.sleep(self.delay / self.steps)
        count = self.frames_in_chunk(state.chunk)
        digest = hashlib.sha256(state.digest.encode() + samples.numpy().tobytes()).hexdigest()
        rng = np.random.default_rng(int(digest, 16))
        coarse = torch.from_numpy(rng.uniform(-1, 1, (1, 3, count, 4, 4)).astype(np.float32))
        frames = coarse.repeat_interleave(8, 3).repeat_interleave(8, 4)
        if state.chunk == self.bad_chunk:
            frames[0, 0, 0, 0, 0] = float("nan")
        new = dataclasses.replace(
            state,
            digest=digest,
            chunk=state.chunk + 1,
            frames=state.frames + count,
            heard=state.heard + samples.shape[1],
        )
        return new, frames

    def load_state(self, path: Path) -> FakeState:
        return FakeState(**json.loads(path.read_text()))


def speech(seconds: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Speech-like sound: mono (n,) at 16 kHz and stereo (2, 3n) at 48 kHz of the same time."""
    rng = np.random.default_rng(seed)
    n = round(seconds * 16000)
    t = np.arange(3 * n) / 48000
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / 48000
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    loud = np.clip(np.sin(2 * np.pi * 2.3 * t + rng.uniform(0, 6)), 0, 1) ** 2
    sound = (0.2 * voice * loud).astype(np.float32)
    return sound[::3].copy(), np.stack([sound, 0.7 * sound])
