"""VAE decoder refiner (paper 3.5): the decoder learns to draw true frames from the student's own latents.

    python -m training.methods.decoder_refiner --features FILE --corpus DIR --folder RUN --steps 1500

Student latents follow the clip's real audio and motion, so they stay aligned with its pixels; only the decoder trains.
L1 and Laplacian bands, weighted on the mouth; true latents are mixed in so that reconstruction does not suffer.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from echotorrent_core import presets
from echotorrent_core.config import EngineConfig
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.parts import ASSETS, load_part, read_metadata, save_part

from ..corpus.build import CorpusReader
from ..data.features import LATENTS, FeatureData, window
from ..loop import Batch, Loop, LoopConfig, StepResult
from ..muon import ConvMuon
from ..roles import Role, ema_of
from ..rollout import sample
from ..trunk import build_student
from .vae import Clips, mouth_mask, pyramid_l1

PRIME = 2  # leading latents that only fill the decoder's cache
LENGTH = 3  # latents with a loss
START_EVERY = 5  # every so many batches begin at the stream's first latent, which is one frame and has no history


def record(
    features: FeatureData, config: EngineConfig, weights: Path, among: int, clips: int, out: Path, seed: int = 0
) -> None:
    """Sample the student on `clips` of the first `among` clips (mirror images, which have no frames on disk, come
    behind them), 16 latents from the stream's start, and save them as fp16."""
    student = build_student(config.name, 0, "math").eval()
    load_part(student.trunk, weights / "trunk.safetensors")
    load_part(student.text, weights / "text.safetensors")
    generator = torch.Generator().manual_seed(seed)
    rows = torch.linspace(0, among - 1, min(clips, among)).long()
    latents = []
    for part in tqdm(rows.split(8), desc="rollout", mininterval=5):
        batch = window(features.columns, part, torch.zeros_like(part), start=0, length=LATENTS - 1)
        with torch.autocast("cpu", torch.bfloat16):
            latents.append(sample(student, config, batch, generator).half())
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({"rows": rows, "latents": torch.cat(latents)}, out)


class PairedCrops:
    """Crops of (latents, frames): the student's latents, or true ones for a share of the batches."""

    def __init__(self, rollouts: Path, features: FeatureData, clips: Clips, batch: int, seed: int, true_share: float):
        stored = load_file(rollouts)
        self.rows, self.student = stored["rows"], stored["latents"]
        self.features, self.clips, self.count, self.seed, self.true_share = features, clips, batch, seed, true_share

    def batch(self, index: int) -> Batch:
        """latents (B, C, prime + LENGTH, 8, 8), and of the last LENGTH frames and mouth (B, 3 or 1, T, 64, 64)."""
        rng = np.random.default_rng([self.seed, index])
        prime = PRIME if index % START_EVERY else 0
        parts = [self._crop(rng, prime) for _ in range(self.count)]
        latents, frames, mouth = (torch.stack(x) for x in zip(*parts, strict=True))
        return {"latents": latents, "frames": frames, "mouth": mouth, "prime": torch.tensor(prime)}

    def _crop(self, rng: np.random.Generator, prime: int) -> tuple[Tensor, Tensor, Tensor]:
        i = int(rng.integers(len(self.rows)))
        clip = int(self.rows[i])
        true = rng.random() < self.true_share
        source = self.features.columns["latents"][clip] if true else self.student[i]
        t = int(rng.integers(1, LATENTS - prime - LENGTH)) if prime else 0
        shown = slice(max(0, 4 * (t + prime) - 3), 4 * (t + prime + LENGTH) - 3)
        boxes = np.asarray(self.clips.labels(clip)["mouth_box"], np.float32)[shown]
        frames = np.asarray(self.clips.frames(clip)[shown])
        cells = frames.shape[1] // 8 - 8
        x, y = (int(v) for v in rng.integers(0, cells + 1, 2))
        if rng.random() < 0.5:
            x0, y0, x1, y1 = boxes[6]
            centre = np.array([(x0 + x1) / 16 - 4, (y0 + y1) / 16 - 4]) + rng.uniform(-1.5, 1.5, 2)
            x, y = (int(v) for v in np.clip(np.round(centre), 0, cells))
        pixels = np.s_[:, 8 * y : 8 * y + 64, 8 * x : 8 * x + 64]
        mask = mouth_mask(boxes, *frames.shape[1:3])[pixels]
        return (
            source[:, t : t + prime + LENGTH, y : y + 8, x : x + 8].float(),
            torch.from_numpy(np.ascontiguousarray(frames[pixels])).permute(3, 0, 1, 2).float() / 127.5 - 1,
            torch.from_numpy(np.ascontiguousarray(mask))[None].float(),
        )


class Decode(nn.Module):
    """Decoding after `prime` latents of history, as one forward pass."""

    def __init__(self, vae: CausalVAE):
        super().__init__()
        self.vae = vae

    def forward(self, latents: Tensor, prime: int) -> Tensor:
        if prime == 0:
            return self.vae.decode(latents)[0]
        with torch.no_grad():
            _, cache = self.vae.decode(latents[:, :, :prime])
        return self.vae.decode(latents[:, :, prime:], cache)[0]


class Refiner:
    """The method: roles `student` (the decoder) and its average `ema`."""

    def __init__(self, vae: CausalVAE, lr: float, muon_lr: float, mouth: float, ema: float = 0.995):
        self.lr, self.muon_lr, self.mouth = lr, muon_lr, mouth
        role = Role(Decode(vae), trainable=True)
        if not vae.config.linear_encoder:
            vae.encoder.requires_grad_(False)
            vae.conv1.requires_grad_(False)
        self.roles = {"student": role, "ema": ema_of("student", role, ema)}

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        named = [(n, p) for n, p in self.roles["student"].module.named_parameters() if p.requires_grad]
        hidden = [p for n, p in named if n.endswith("weight") and p.ndim > 1 and ".head." not in n and "conv1" not in n]
        rest = [p for _, p in named if not any(p is h for h in hidden)]
        adamw = torch.optim.AdamW(rest, lr=self.lr, betas=(0.9, 0.99), weight_decay=0.0)
        return {"student": [adamw, ConvMuon(hidden, lr=self.muon_lr)]}

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        output = self.roles["student"].module(batch["latents"], int(batch["prime"])).float()
        weight = 1 + (self.mouth - 1) * batch["mouth"]
        error = (output - batch["frames"]).transpose(1, 2).flatten(0, 1)
        pixel, detail = pyramid_l1(error, weight.transpose(1, 2).flatten(0, 1))
        return StepResult({"student": pixel + detail}, {"l1": float(pixel.detach()), "detail": float(detail.detach())})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--preset", default="embedded")
    parser.add_argument("--weights", type=Path, help="folder of the parts; default: the shipped ones")
    parser.add_argument("--clips", type=int, default=400, help="clips to sample the student on")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--muon-lr", type=float, default=1e-3)
    parser.add_argument("--mouth", type=float, default=4.0)
    parser.add_argument("--true-share", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    config = presets.get_preset(args.preset)
    weights = args.weights or ASSETS / args.preset
    features = FeatureData(args.features, args.batch, args.seed)
    rollouts, corpus = args.folder / "rollouts.safetensors", CorpusReader(args.corpus)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="bf16")
    with accelerator.main_process_first():
        if not rollouts.exists():
            record(features, config, weights, len(corpus), args.clips, rollouts)
    vae = CausalVAE(config.vae)
    load_part(vae, weights / "vae.safetensors")
    method = Refiner(vae, args.lr, args.muon_lr, args.mouth)
    data = PairedCrops(rollouts, features, corpus, args.batch, args.seed, args.true_share)
    schedule = LoopConfig(args.steps, cooldown=args.steps // 2, minutes=args.minutes, seed=args.seed, save_every=200)
    done = Loop(method, data, args.folder, schedule, accelerator).run()
    if not accelerator.is_main_process:
        return
    refined = method.roles["ema"].module
    assert isinstance(refined, Decode)
    metadata = read_metadata(weights / "vae.safetensors") | {"refined_steps": done}
    save_part(refined.vae.state_dict(), weights / "vae.safetensors", metadata)


if __name__ == "__main__":
    main()
