"""Corpus clips turned into what a trunk trains on: latents, audio features, motion, prompt ids, mouth masks.

    python -m training.data.features --corpus DIR --out FILE.safetensors --mirror

Audio is encoded several times per clip, clean and augmented, because the encoder is frozen while the trunk learns.
With --mirror, every clip comes a second time, behind all others, as its mirror image in other light.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from echotorrent_core import presets
from echotorrent_core.conditioning.audio import AudioEncoder
from echotorrent_core.conditioning.motion import normalise
from echotorrent_core.conditioning.text import Prompt, parse_prompt
from echotorrent_core.stream import Engine
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.parts import ASSETS, load_part

from ..corpus.augment import augment
from ..corpus.build import CorpusReader

MARGIN = 2  # frames on either side of the clip that the audio adapter's window reads
FRAMES = 65
LATENTS = 17


def to_video(frames: np.ndarray) -> Tensor:
    """uint8 (T, H, W, 3) -> float (1, 3, T, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1


def motion_features(labels: dict[str, np.ndarray]) -> Tensor:
    """Motion channels (FRAMES + 2 MARGIN, 8) relative to the reference portrait, which is the row after the clip."""
    pose = torch.from_numpy(np.asarray(labels["pose"], np.float32))  # (66, 5): yaw, pitch, roll, x, y
    gaze = torch.from_numpy(np.asarray(labels["gaze"], np.float32))
    blink = torch.from_numpy(np.asarray(labels["blink"], np.float32))
    raw = torch.cat([pose[:FRAMES] - pose[FRAMES], blink[:FRAMES, None], gaze[:FRAMES]], dim=1)
    raw = torch.cat([raw[:1].expand(MARGIN, -1), raw, raw[-1:].expand(MARGIN, -1)])
    return normalise(raw)


def audio_features(encoder: AudioEncoder, audio: np.ndarray, margin_samples: int) -> Tensor:
    """Features (FRAMES + 2 MARGIN, channels) of a clip's audio, whose frame 0 begins at `margin_samples`."""
    start, count = encoder.window(-MARGIN, FRAMES + 2 * MARGIN)
    begin = margin_samples + start
    padded = np.pad(audio, (max(0, -begin), max(0, begin + count - len(audio))))
    begin = max(0, begin)
    return encoder.features(torch.from_numpy(padded[begin : begin + count])[None].float())[0]


_MIRRORED = torch.tensor([-1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0])  # yaw, roll, x and gaze x change sides
_SIDES = {"left": "right", "right": "left"}


def mirror_prompt(prompt: Prompt) -> Prompt:
    """The prompt that describes the mirror image."""
    gaze, head = (_SIDES.get(word, word) for word in (prompt.gaze, prompt.head))
    return Prompt(prompt.expression, gaze, head)


def relight(video: Tensor, rng: np.random.Generator, strength: float = 0.15) -> Tensor:
    """Other light: brightness and gain per colour channel of (1, 3, T, H, W) in [-1, 1], up to `strength`."""
    gain = rng.uniform(1 - strength, 1 + strength) * rng.uniform(1 - strength / 2, 1 + strength / 2, 3)
    return ((video + 1) * torch.tensor(gain, dtype=video.dtype).reshape(1, 3, 1, 1, 1) - 1).clamp(-1, 1)


@torch.inference_mode()
def build(corpus: Path, out: Path, engine: Engine, variants: int, seed: int, mirror: bool = False) -> None:
    """Encode every clip of `corpus` with the engine's VAE and audio encoder into one file."""
    reader = CorpusReader(corpus)
    vae: CausalVAE = engine.vae
    columns: dict[str, list[Tensor]] = {k: [] for k in ("latents", "reference", "audio", "motion", "ids", "mask")}
    rows = [(i, mirrored) for mirrored in ((False, True) if mirror else (False,)) for i in range(len(reader))]
    for i, mirrored in tqdm(rows, desc="features", mininterval=5):
        rng = np.random.default_rng([seed, i, mirrored])
        video, labels = to_video(reader.frames(i)), reader.labels(i)
        motion, prompt = motion_features(labels), parse_prompt(str(labels["prompt"]))
        mask = torch.from_numpy(np.asarray(labels["mouth_mask"])[:FRAMES].astype(np.float32) / 255)
        if mirrored:
            video, mask = relight(video.flip(-1), rng), mask.flip(-1)
            motion, prompt = motion * _MIRRORED, mirror_prompt(prompt)
        columns["latents"].append(vae.encode(video[:, :, :FRAMES])[0][0].half())
        columns["reference"].append(vae.encode(video[:, :, FRAMES:])[0][0].half())
        samples = reader.audio(i).astype(np.float32) / 32768
        tracks = [samples] + [augment(samples, rng) for _ in range(variants - 1)]
        margin = (len(samples) - FRAMES * engine.config.audio.samples_per_frame) // 2
        columns["audio"].append(torch.stack([audio_features(engine.audio, t, margin) for t in tracks]).half())
        columns["motion"].append(motion.half())
        columns["ids"].append(torch.tensor(prompt.ids()))
        columns["mask"].append(latent_mask(mask).half())
    tensors = {k: torch.stack(v) for k, v in columns.items()}
    if vae.skip is not None:
        tensors["channel_scale"] = vae.skip.scale * vae.latent_std
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out, {"weights": engine.fingerprint})


def latent_mask(mask: Tensor) -> Tensor:
    """Per-frame masks (65, h, w) -> per-latent masks (17, h, w): the largest over each latent's frames."""
    return torch.cat([mask[:1], mask[1:].unflatten(0, (-1, 4)).amax(dim=1)])


class FeatureData:
    """Batches of windows of whole chunks, by number: most are `short` latents long, some `long`; some begin at the
    stream's start (latent 0, one frame), the others anywhere later.

    channel_scale: what one unit of each latent channel is worth in pixels, (C,)."""

    def __init__(self, path: Path, batch_size: int, seed: int, short: int = 8, long: int = 16, long_share: float = 0.3):
        with safe_open(path, "pt") as file:
            self.columns = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        self.channel_scale = self.columns.pop("channel_scale", None)
        self.batch_size, self.seed = batch_size, seed
        self.short, self.long, self.long_share = short, long, long_share

    def __len__(self) -> int:
        return self.columns["latents"].shape[0]

    def batch(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.seed, index])
        rows = torch.from_numpy(rng.choice(len(self), self.batch_size, replace=len(self) < self.batch_size))
        length = self.long if rng.random() < self.long_share else self.short
        start = 0 if rng.random() < 0.25 else int(rng.integers(1, LATENTS - length + 1))
        variant = torch.from_numpy(rng.integers(self.columns["audio"].shape[1], size=self.batch_size))
        return window(self.columns, rows, variant, start, length)


def window(columns: dict[str, Tensor], rows: Tensor, variant: Tensor, start: int, length: int) -> dict[str, Tensor]:
    """A batch of the given clips' latents [start, start + length) and what belongs to them."""
    first_frame, last_frame = max(0, 4 * start - 3), 4 * (start + length) - 3
    frames = slice(first_frame, last_frame + 2 * MARGIN)
    features = torch.cat([columns["audio"][rows, variant], columns["motion"][rows]], dim=-1)
    latents = columns["latents"][rows]
    return {
        "latents": latents[:, :, start : start + length].float(),
        "first_latent": latents[:, :, :1].float(),
        "reference": columns["reference"][rows].float(),
        "features": features[:, frames].float(),
        "ids": columns["ids"][rows],
        "mask": columns["mask"][rows, start : start + length].float()[:, None],
        "first": torch.tensor(start == 0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="embedded")
    parser.add_argument("--assets", type=Path, help="folder with vae.safetensors and audio.safetensors")
    parser.add_argument("--variants", type=int, default=4)
    parser.add_argument("--mirror", action="store_true", help="every clip also as its mirror image in other light")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    config = presets.get_preset(args.preset)
    engine = Engine.build(config)
    folder = args.assets or ASSETS / args.preset
    load_part(engine.vae, folder / "vae.safetensors")
    load_part(engine.audio, folder / "audio.safetensors")
    build(args.corpus, args.out, engine, args.variants, args.seed, args.mirror)


if __name__ == "__main__":
    main()
