"""The audio encoder as a viseme regressor: mouth parameters and viseme classes from synthetic speech.

    python -m training.methods.audio_encoder --folder runs/audio --minutes 15

Its features are frozen inputs of the video model afterwards. Running again continues where it stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from echotorrent_core.conditioning.audio import AudioEncoder, window
from echotorrent_core.config import AudioEncoderConfig
from echotorrent_core.errors import InputError
from echotorrent_core.presets import get_preset
from echotorrent_core.weights.parts import ASSETS, load_part, save_part

from ..corpus.augment import augment
from ..corpus.speech_data import SpeechData, SpeechMix, make, slice_samples
from ..corpus.visemes import PARAMETERS
from ..loop import Batch, Loop, LoopConfig, StepResult
from ..paths import cache_folder
from ..roles import Role, ema_of


@dataclass(frozen=True)
class AudioSettings:
    """Loss weights per mouth parameter, of the classes, and the extra weight of `open` in closures."""

    lr: float = 2e-3
    weight_decay: float = 0.02
    ema: float = 0.998
    params: tuple[float, float, float, float] = (2.0, 1.0, 1.0, 1.0)
    classes: float = 0.05
    closures: float = 3.0


class AudioMethod:
    """Smooth-L1 on the mouth parameters, cross-entropy on the classes. Batches come from `SpeechData`."""

    def __init__(self, encoder: AudioEncoder, settings: AudioSettings) -> None:
        self.settings = settings
        role = Role(encoder, trainable=True)
        self.roles = {"student": role, "ema": ema_of("student", role, settings.ema)}
        self.split = (encoder.config.channels, encoder.config.visemes, encoder.config.classes)

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        s, parameters = self.settings, self.roles["student"].module.parameters()
        return {"student": [torch.optim.AdamW(parameters, lr=s.lr, betas=(0.9, 0.98), weight_decay=s.weight_decay)]}

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        _, visemes, classes = self.roles["student"].module(batch["samples"]).split(self.split, dim=-1)
        weights = torch.tensor(self.settings.params) * torch.ones_like(visemes)
        weights[..., 0] += self.settings.closures * batch["closed"]
        regression = (weights * F.smooth_l1_loss(visemes, batch["params"], beta=0.1, reduction="none")).mean()
        entropy = F.nll_loss(classes.clamp_min(1e-7).log().flatten(0, 1), batch["classes"].flatten())
        loss = regression + self.settings.classes * entropy
        return StepResult(
            {"student": loss}, {"regression": float(regression.detach()), "entropy": float(entropy.detach())}
        )


@torch.no_grad()
def predict(encoder: AudioEncoder, samples: np.ndarray) -> Tensor:
    """Features (F, out_channels) of a whole recording, float32 mono at 16 kHz, in pieces of bounded memory."""
    frames, piece = len(samples) // encoder.config.samples_per_frame, 1000
    out = []
    for first in range(0, frames, piece):
        n = min(piece, frames - first)
        start, count = window(encoder.config, first, n)
        span = samples[max(0, start) : max(0, start + count)]
        before = max(0, -start)
        span = np.pad(span, (before, count - len(span) - before))
        out.append(encoder.features(torch.from_numpy(span)[None])[0])
    return torch.cat(out)


def scores(encoder: AudioEncoder, paths: Sequence[Path], augmented: bool = False, seed: int = 0) -> dict[str, float]:
    """Pooled correlation per mouth parameter, class accuracy, and the share of closure frames opened less than 0.15."""
    channels, truth, found, classes, logits, closed = encoder.config.channels, [], [], [], [], []
    for path in paths:
        part = dict(np.load(path))
        samples = slice_samples(part["samples"], 0, len(part["samples"]))
        if augmented:  # in pieces, so that every few seconds hear another room
            rng, size = np.random.default_rng(seed), 5 * encoder.config.sample_rate
            pieces = [samples[i : i + size] for i in range(0, len(samples), size)]
            samples = np.concatenate([augment(p, rng, pieces[:20]) for p in pieces])
        features = predict(encoder, samples).numpy()
        found.append(features[:, channels : channels + 4])
        logits.append(features[:, channels + 4 :].argmax(1))
        truth.append(part["params"].astype(np.float32))
        classes.append(part["classes"])
        closed.append(part["closed"])
    x, y, flags = np.concatenate(found), np.concatenate(truth), np.concatenate(closed)
    result = {name: float(np.corrcoef(x[:, i], y[:, i])[0, 1]) for i, name in enumerate(PARAMETERS)}
    result["accuracy"] = float((np.concatenate(logits) == np.concatenate(classes)).mean())
    result["closures"] = float((x[flags, 0] < 0.15).mean())
    result["open_std_ratio"] = float(x[:, 0].std() / y[:, 0].std())
    return {key: round(value, 4) for key, value in result.items()}


def train(
    folder: Path,
    config: AudioEncoderConfig,
    mix: SpeechMix,
    loop: LoopConfig,
    settings: AudioSettings | None = None,
    batch: int = 32,
    workers: int = 1,
    init: Path | None = None,
) -> tuple[AudioEncoder, int, dict[str, dict[str, float]]]:
    """Make the speech if needed, train (from the weights file `init`, if given), score. Returns the averaged encoder,
    steps done and its scores."""
    torch.manual_seed(loop.seed)
    start = AudioEncoder(config)
    if init is not None:
        load_part(start, init)
    speech = cache_folder() / "corpus" / f"speech-{mix.hours:g}h-{mix.seed}"
    paths = {split: make(speech, mix, split, max(1, workers)) for split in ("train", "heldout")}
    method = AudioMethod(start, settings or AudioSettings())
    data = SpeechData(config, paths["train"], batch, seed=loop.seed, workers=workers)

    def validate(running: Loop, step: int) -> dict[str, float]:
        if step % loop.save_every:
            return {}
        found = scores(method.roles["ema"].module, paths["heldout"][:1])  # type: ignore[arg-type]
        return {f"heldout/{key}": value for key, value in found.items()}

    steps = Loop(method, data, folder, loop, callbacks=(validate,)).run()
    encoder = method.roles["ema"].module
    assert isinstance(encoder, AudioEncoder)
    found = {
        "clean": scores(encoder, paths["heldout"]),
        "augmented": scores(encoder, paths["heldout"], augmented=True),
    }
    return encoder, steps, found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", default="embedded", help="engine preset whose audio encoder is trained")
    parser.add_argument("--folder", type=Path, default=Path("runs/audio"), help="checkpoints and metrics")
    parser.add_argument("--output", type=Path, help="weights file; default: the assets of the preset")
    parser.add_argument("--hours", type=float, default=SpeechMix.hours, help="speech to synthesise")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument(
        "--minutes", type=float, help="stop after this many minutes of wall clock; run again to continue"
    )
    parser.add_argument(
        "--init", type=Path, help="weights to start from; what reads its features keeps most of its use"
    )
    parser.add_argument("--lr", type=float, default=AudioSettings.lr)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare batches")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    config = get_preset(options.preset).audio
    assert isinstance(config, AudioEncoderConfig), f"preset {options.preset} has a published audio encoder"
    mix, settings = SpeechMix(hours=options.hours), AudioSettings(lr=options.lr)
    loop = LoopConfig(
        options.steps, 100, options.steps // 2, minutes=options.minutes, seed=options.seed, save_every=250
    )
    try:
        encoder, steps, found = train(
            options.folder, config, mix, loop, settings, options.batch, options.workers, options.init
        )
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    output = options.output or ASSETS / options.preset / "audio.safetensors"
    metadata = {
        "preset": options.preset,
        "recipe": {"mix": asdict(mix), "settings": asdict(settings), "batch": options.batch},
        "seed": options.seed,
        "steps": steps,
        "scores": found,
    }
    save_part(encoder.state_dict(), output, metadata)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
