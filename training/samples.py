"""Videos while a run trains: always the same portraits, sound and seeds, so that only the weights differ.

    RUN/samples/step-00000500-ana.mp4     a few seconds of each portrait
    RUN/samples/step-00001000-long.mp4    one long rollout of the first: drift shows here or nowhere

They are made by the engine itself, from the average of the student where there is one. Sharded networks are not
gathered for it; make theirs from the written weights with `echotorrent generate`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from accelerate.utils import DistributedType
from torch import nn

from echotorrent_core.config import AudioEncoderConfig, EngineConfig
from echotorrent_core.errors import InputError
from echotorrent_core.media import finalise, read_image, read_sound
from echotorrent_core.metrics.drift import fifths, largest_change, mean_colour, sharpness
from echotorrent_core.run_folder import RunFolder
from echotorrent_core.session import Session
from echotorrent_core.stream import Engine
from echotorrent_core.threads import release_workers
from echotorrent_core.weights.parts import ASSETS

from .config import SampleSettings
from .loop import Loop
from .metrics import Meter
from .networks import fresh, part

FOLDER = "samples"


class Samples:
    """The callback. InputError at once if portraits, sound or the parts that do not train are not there."""

    def __init__(self, config: EngineConfig, settings: SampleSettings, folder: Path, assets: Sequence[str] = ()):
        if not isinstance(config.audio, AudioEncoderConfig):
            raise InputError(
                f"samples: preset '{config.name}' takes published encoders; set samples.every: 0 and use "
                "'echotorrent generate' with the written weights"
            )
        self.settings, self.folder = settings, folder / FOLDER
        portraits = settings.portraits or tuple(sorted((ASSETS / "portraits").glob("*.png"))[:3])
        sound = settings.sound or next(iter(sorted((ASSETS / "speech").glob("i*.flac"))), None)
        if not portraits or sound is None:
            raise InputError("samples: no portraits or no sound are shipped here; name some in the configuration")
        self.portraits = {path.stem: read_image(path, config.size) for path in portraits}
        self.sound = read_sound(sound, config.audio.sample_rate)
        own: dict[str, Any] = {name: part(config, name, assets) for name in ("vae", "audio")}
        student = fresh(config, 0)
        self.engine = Engine(config, student.trunk, own["vae"], own["audio"], student.text)  # type: ignore[arg-type]

    def __call__(self, loop: Loop, step: int) -> dict[str, float] | None:
        s = self.settings
        short, long = s.every and step % s.every == 0, s.long_every and step % s.long_every == 0
        return self.make(loop, step, bool(short), bool(long)) if short or long else None

    def make(
        self, loop: Loop, step: int, short: bool = True, long: bool = False, number: int | None = None
    ) -> dict[str, float] | None:
        """The videos of now, whether or not they are due. number: step in their names, if it is another one."""
        step = step if number is None else number
        s, sharded = self.settings, loop.accelerator.distributed_type == DistributedType.FSDP
        if sharded or not loop.accelerator.is_main_process:
            return None
        roles = loop.method.roles
        role = roles.get("ema") or roles["student"]
        meter, metrics = Meter(), {}
        release_workers()
        with using(self.engine, loop.accelerator.unwrap_model(role.module)) as engine:
            for number, name in enumerate(self.portraits if short else ()):
                path = self.folder / f"step-{step:08d}-{name}.mp4"
                meter.add(measure(self.video(engine, name, s.seconds, s.seed + number, path), "sample"))
            if long:
                path = self.folder / f"step-{step:08d}-long.mp4"
                frames = self.video(engine, next(iter(self.portraits)), s.long_seconds, s.seed, path)
                metrics = measure(frames, "long")
        return meter.take() | metrics

    def video(self, engine: Engine, portrait: str, seconds: float, seed: int, path: Path) -> np.ndarray:
        """Write a video with its sound, which repeats if it is short; every frame's picture (T, H, W, 3) uint8."""
        conditioning = engine.condition(self.portraits[portrait])
        info = {"preset": engine.config.name, "fingerprint": engine.fingerprint, "seed": seed}
        rate = engine.config.audio.sample_rate
        parts = []
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".run-", dir=path.parent))
        try:
            with (
                RunFolder.create(scratch / "run", info) as run,
                Session(engine, conditioning, run, seed, pending=1e9, state_every=1 << 30) as session,
            ):
                frames = session.frames(maxsize=1 << 30)
                session.push(self.sound.take(range(round(seconds * rate)), mode="wrap"))
                session.end()
                parts = [chunk for _, chunk in frames]
                session.wait()
                finalise(run.media(), path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return np.concatenate(parts)


@contextmanager
def using(engine: Engine, module: nn.Module) -> Iterator[Engine]:
    """The engine with the networks of a role in place of its own; the role is as before afterwards."""
    parts: dict[str, Any] = {"trunk": engine.trunk, "vae": engine.vae, "audio": engine.audio, "text": engine.text}
    parts |= {name: part for name, part in module.named_children() if name in parts}
    training, wanted = module.training, [(p, p.requires_grad) for p in module.parameters()]
    try:
        engine.vae.to(next(module.parameters()).device)
        engine.audio.to(next(module.parameters()).device)
        yield Engine(engine.config, **parts)
    finally:
        module.train(training)
        for parameter, required in wanted:
            parameter.requires_grad_(required)


def measure(frames: np.ndarray, prefix: str) -> dict[str, float]:
    """Motion (mean change from frame to frame), colour and sharpness, 0..255, and how far they move from the first
    fifth of the video: what dies, fades or burns in over a rollout."""
    still = frames[:, ::2, ::2].astype(np.float32)
    motion = np.abs(np.diff(still, axis=0)).mean(axis=(1, 2, 3))
    colour, sharp = mean_colour(frames), 255 * sharpness(frames)
    found = {"motion": float(motion.mean()), "colour": float(colour.mean()), "colour_std": float(still.std())}
    found["sharpness"] = float(sharp.mean())
    if len(motion) >= 5:
        tail = fifths(motion)
        found["motion_left"] = float(tail[-1] / max(tail[0], 1e-6))
        found["colour_drift"] = largest_change(fifths(colour))
        found["sharpness_drift"] = largest_change(fifths(sharp[:, None]))
    return {f"{prefix}/{name}": value for name, value in found.items()}
