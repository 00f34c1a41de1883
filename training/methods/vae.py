"""Training of the embedded causal VAE: PCA, then encoder and decoder, then (encoder frozen) the decoder alone.

    python -m training.methods.vae --corpus DIR --out RUN                              # train; run again to resume
    python -m training.methods.vae --corpus DIR --out RUN --anneal 400                 # 400 more steps, rate to zero
    python -m training.methods.vae --corpus DIR --out RUN --export                     # write the shipped weights
    python -m training.methods.vae --corpus DIR --out RUN2 --init FILE --freeze-encoder    # refine the decoder only
    python -m training.methods.vae --preset embedded_small --corpus DIR64 --out RUN --steps=0 --export FILE   # PCA only

The exported file is the hand-over: it fixes the encoder and the latent statistics, so a trunk can train on its latents
while the decoder goes on improving from it (the slot of the paper's VAE decoder refiner).
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from echotorrent_core.config import VAEConfig, to_dict
from echotorrent_core.errors import InputError
from echotorrent_core.presets import PRESETS, get_preset
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.parts import ASSETS, load_part, save_part

from ..loop import Batch, Loop, LoopConfig, StepResult, plain_accelerator
from ..losses import pyramid_l1
from ..muon import ConvMuon
from ..roles import Role, ema_of

SHIPPED = ""  # of --export: where the preset's weights are shipped


class Clips(Protocol):
    """Rendered clips: `frames(i)` uint8 (T, H, W, 3), the last one a separate portrait; `labels(i)["mouth_box"]`
    (T, 4) as x0, y0, x1, y1 in pixels. `training.corpus.build.CorpusReader` is one."""

    def __len__(self) -> int: ...

    def frames(self, i: int) -> np.ndarray: ...

    def labels(self, i: int) -> dict[str, np.ndarray]: ...


# Data


class Crops:
    """Random crops by step number. Odd steps carry `prime` leading frames that only fill the caches."""

    def __init__(
        self, clips: Clips, size: int, batch: int, seed: int, frames: int = 13, prime: int = 9, mouth: float = 0.5
    ):
        self.clips, self.size, self.count, self.seed, self.mouth = clips, size, batch, seed, mouth
        self.frames, self.prime = frames, prime

    def batch(self, step: int) -> Batch:
        """frames (B, 3, T, S, S) in [-1, 1], mouth (B, 1, T, S, S) 0 or 1, prime () leading frames without loss."""
        draw = np.random.default_rng((self.seed, step))
        prime = self.prime if step % 2 else 0
        length = prime + self.frames - 1 if prime else self.frames
        crops = [self.crop(draw, length) for _ in range(self.count)]
        frames = torch.from_numpy(np.stack([c for c, _ in crops])).permute(0, 4, 1, 2, 3)
        mouth = torch.from_numpy(np.stack([m for _, m in crops]))[:, None]
        return {"frames": frames.float() / 127.5 - 1, "mouth": mouth.float(), "prime": torch.tensor(prime)}

    def crop(self, draw: np.random.Generator, length: int) -> tuple[np.ndarray, np.ndarray]:
        index = int(draw.integers(len(self.clips)))
        frames, boxes = self.clips.frames(index)[:-1], self.clips.labels(index)["mouth_box"]  # the last is a portrait
        start = int(draw.integers(len(frames) - length + 1))
        frames, boxes = frames[start : start + length], boxes[start : start + length]
        height, width = frames.shape[1:3]
        room_x, room_y = width - self.size, height - self.size
        x, y = int(draw.integers(room_x + 1)), int(draw.integers(room_y + 1))
        if draw.random() < self.mouth:
            x0, y0, x1, y1 = boxes[length // 2]
            jitter = draw.uniform(-self.size / 6, self.size / 6, 2)
            x = int(np.clip((x0 + x1 - self.size) / 2 + jitter[0], 0, room_x))
            y = int(np.clip((y0 + y1 - self.size) / 2 + jitter[1], 0, room_y))
        window = np.s_[:, y : y + self.size, x : x + self.size]
        frames, mouth = np.asarray(frames[window]), mouth_mask(boxes, height, width)[window]
        if draw.random() < 0.5:
            frames, mouth = frames[:, :, ::-1], mouth[:, :, ::-1]
        return np.ascontiguousarray(frames), np.ascontiguousarray(mouth)


def mouth_mask(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Boxes (T, 4) -> bool (T, H, W)."""
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    x0, y0, x1, y1 = (boxes[:, k, None] for k in range(4))
    return ((x0 <= x) & (x <= x1))[:, None, :] & ((y0 <= y) & (y <= y1))[:, :, None]


def fit_pca(vae: CausalVAE, data: Crops, batches: int) -> None:
    """Fill `vae.skip` from the crops training will see (mouth-centred ones included)."""
    skip = vae.skip
    if skip is None:
        raise InputError("this preset's VAE has no linear skip, so there is no PCA to fit: choose preset embedded")
    dim = len(skip.mean)
    count, total, second = 0, torch.zeros(dim).double(), torch.zeros(dim, dim).double()
    for step in range(batches):
        frames = data.batch(2 * step)["frames"][:, :, 1:]
        x = skip.patches(frames).flatten(0, 3).double()
        total, second, count = total + x.sum(0), second + x.T @ x, count + len(x)
    mean = total / count
    covariance = second / count - torch.outer(mean, mean)
    values, vectors = torch.linalg.eigh(covariance)
    z = len(skip.scale)
    skip.mean.copy_(mean)
    skip.basis.copy_(vectors[:, -z:].flip(1).T)
    skip.scale.copy_(values[-z:].flip(0).clamp_min(1e-8).sqrt())


# The method


@dataclasses.dataclass(frozen=True)
class VAETraining:
    """Rates; mouth: loss weight inside the mouth box; detail: weight of the Laplacian pyramid; latent: weight of the
    latents' mean square; noise: added to the latents, so that the decoder forgives a trunk's small errors."""

    lr: float = 1e-3
    muon_lr: float = 3e-3
    ema: float = 0.995
    mouth: float = 4.0
    detail: float = 1.0
    latent: float = 1e-3
    noise: float = 0.03


class Reconstruct(nn.Module):
    """The autoencoder as one forward pass: frames -> latents and frames again, after `prime` frames of history."""

    def __init__(self, vae: CausalVAE, frozen: bool):
        super().__init__()
        self.vae, self.frozen = vae, frozen

    def forward(self, frames: Tensor, prime: int, noise: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        seen = wrote = None
        if prime:
            with torch.no_grad():
                latents, seen = self.vae.encode(frames[:, :, :prime])
                _, wrote = self.vae.decode(latents)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            latents, _ = self.vae.encode(frames[:, :, prime:], seen)
        drawn = torch.randn(latents.shape, generator=generator).to(latents)
        output, _ = self.vae.decode(latents + noise * drawn, wrote)
        return latents, output


class VAEMethod:
    """L1 + Laplacian pyramid, weighted on the mouth. Roles: `student` and its average `ema`."""

    def __init__(self, vae: CausalVAE, settings: VAETraining, freeze_encoder: bool = False):
        self.settings, self.frozen = settings, freeze_encoder
        role = Role(Reconstruct(vae, freeze_encoder), trainable=True)
        self.roles = {"student": role, "ema": ema_of("student", role, settings.ema)}
        if freeze_encoder and not vae.config.linear_encoder:
            vae.encoder.requires_grad_(False)
            vae.conv1.requires_grad_(False)

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        matrices: list[nn.Parameter] = []
        rest: list[nn.Parameter] = []
        for name, parameter in self.roles["student"].module.named_parameters():
            outer = ".head." in name or name.startswith(("vae.conv", "vae.encoder.conv1", "vae.decoder.conv1"))
            if parameter.requires_grad:
                (matrices if name.endswith("weight") and not outer else rest).append(parameter)
        adamw = torch.optim.AdamW(rest, lr=self.settings.lr, betas=(0.9, 0.99), weight_decay=0.0)
        return {"student": [adamw, ConvMuon(matrices, lr=self.settings.muon_lr)]}

    def average(self) -> CausalVAE:
        """The averaged VAE, which is what is evaluated and exported."""
        module = self.roles["ema"].module
        assert isinstance(module, Reconstruct)
        return module.vae

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        s, prime = self.settings, int(batch["prime"])
        latents, output = self.roles["student"].module(batch["frames"], prime, s.noise, generator)
        error = output.float() - batch["frames"][:, :, prime:]
        weight = 1 + (s.mouth - 1) * batch["mouth"][:, :, prime:]
        pixel, detail = pyramid_l1(error.transpose(1, 2).flatten(0, 1), weight.transpose(1, 2).flatten(0, 1))
        energy = latents.float().square().mean()
        loss = pixel + s.detail * detail + s.latent * energy
        return StepResult(
            {"student": loss},
            {
                "l1": float(pixel.detach()),
                "detail": float(detail.detach()),
                "latent_rms": float(energy.detach().sqrt()),
            },
        )


# Evaluation and export


@torch.no_grad()
def evaluate(vae: CausalVAE, clips: Clips, indices: list[int], frames: int = 33) -> dict[str, float]:
    """Mean PSNR in dB over clips, whole picture and inside the mouth box, of streamed reconstruction from frame 0."""
    full, mouth = [], []
    for i in indices:
        true = torch.from_numpy(np.array(clips.frames(i)[:frames])).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        boxes = clips.labels(i)["mouth_box"][: true.shape[2]]
        mask = torch.from_numpy(mouth_mask(boxes, *true.shape[-2:]))
        output = vae.decode(vae.encode(true)[0])[0].clamp(-1, 1)
        square = (output - true[:, :, : output.shape[2]]).square().mean(1)[0]
        full.append(psnr(square.mean()))
        mouth.append(psnr(square[mask[: len(square)]].mean()))
    return {"psnr": float(np.mean(full)), "psnr_mouth": float(np.mean(mouth))}


def psnr(mean_square: Tensor) -> float:
    """PSNR in dB for signals in [-1, 1]."""
    return float(10 * torch.log10(4 / mean_square))


@torch.no_grad()
def measure_latents(vae: CausalVAE, clips: Clips, count: int) -> None:
    """Set `latent_mean/latent_std` from `count` clips spread over the corpus."""
    vae.latent_mean.zero_()
    vae.latent_std.fill_(1)
    spread = np.linspace(0, len(clips) - 1, min(count, len(clips))).astype(int)
    rows = []
    for i in spread:
        frames = torch.from_numpy(np.array(clips.frames(int(i))[:-1])).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        rows.append(vae.encode(frames)[0].transpose(0, 1).flatten(1))
    latents = torch.cat(rows, dim=1)
    vae.latent_mean.copy_(latents.mean(1))
    vae.latent_std.copy_(latents.std(1))


def load_exported(path: Path, config: VAEConfig) -> CausalVAE:
    """The VAE in `path`, float32. InputError for a file that is not one of this preset."""
    vae = CausalVAE(config)
    load_part(vae, path)
    return vae


# Command line


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the embedded causal VAE.")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of training clips")
    parser.add_argument("--held-out", type=Path, help="folder of held-out clips (default: CORPUS/../heldout)")
    parser.add_argument("--out", type=Path, required=True, help="run folder: checkpoint.pt, metrics.jsonl")
    parser.add_argument("--preset", default="embedded", choices=list(PRESETS))
    parser.add_argument("--init", type=Path, help="start from this exported vae.safetensors")
    parser.add_argument("--freeze-encoder", action="store_true", help="train the decoder only (with --init)")
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--anneal", type=int, default=0, help="end after this many more steps, rate going to zero")
    parser.add_argument("--minutes", type=float, help="stop with a checkpoint after this wall time")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=64, help="pixels, at most those of a clip")
    parser.add_argument("--eval-every", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("no", "bf16"), default="bf16")
    parser.add_argument(
        "--export",
        nargs="?",
        const=SHIPPED,
        metavar="FILE",
        help="write the averaged weights and stop (no file: the preset's shipped ones)",
    )
    for field in dataclasses.fields(VAETraining):
        parser.add_argument("--" + field.name.replace("_", "-"), type=float, default=field.default)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    from ..corpus.build import CorpusReader

    settings = VAETraining(**{f.name: getattr(args, f.name) for f in dataclasses.fields(VAETraining)})
    try:
        clips = CorpusReader(args.corpus)
        held_out = CorpusReader(args.held_out or args.corpus.parent / "heldout")
        run(args, settings, clips, held_out)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def export_file(args: argparse.Namespace) -> Path:
    """The file that --export names. InputError if it names none and the preset's weights are not shipped."""
    if args.export != SHIPPED:
        return Path(args.export)
    folder = ASSETS / args.preset
    if not folder.is_dir():
        raise InputError(f"no weights of preset '{args.preset}' are shipped; say where they go: --export FILE")
    return folder / "vae.safetensors"


def check_clips(args: argparse.Namespace, size: tuple[int, int], clips: Clips) -> None:
    """InputError for clips that are none, not of the preset's `size` (H, W), or smaller than a crop."""
    if not len(clips):
        raise InputError(f"{args.corpus}: holds no clips; render some with python -m training.corpus.build")
    found = clips.frames(0).shape[1:3]
    if found != size:
        raise InputError(
            f"{args.corpus}: its clips are {found[1]} x {found[0]} pixels, preset '{args.preset}' draws {size[1]} x "
            f"{size[0]}; render a corpus with --size {size[1]}, or choose the preset that it was made for"
        )
    if args.crop > min(size):
        raise InputError(f"--crop {args.crop} is larger than the clips, {size[1]} x {size[0]} pixels")


def run(args: argparse.Namespace, settings: VAETraining, clips: Clips, held_out: Clips) -> None:
    """Train or export as the command line asks."""
    if args.freeze_encoder and args.init is None:
        raise InputError(
            "--freeze-encoder needs --init FILE: the exported vae.safetensors whose encoder stays as it is"
        )
    preset = get_preset(args.preset)
    config, target = preset.vae, None if args.export is None else export_file(args)
    for some in (clips, held_out):
        check_clips(args, preset.size, some)
    torch.manual_seed(args.seed)
    data = Crops(clips, args.crop, args.batch, args.seed)
    vae = load_exported(args.init, config) if args.init else CausalVAE(config)
    checkpoint = args.out / "checkpoint.pt"
    done = 0
    if checkpoint.is_file():
        done = int(torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)["step"])
    elif args.init is None:
        fit_pca(vae, data, batches=150)
    method = VAEMethod(vae, settings, args.freeze_encoder)
    val = list(range(min(8, len(held_out))))

    def report(loop: Loop, step: int) -> dict[str, float] | None:
        if step % args.eval_every:
            return None
        return evaluate(method.average(), held_out, val)

    steps, cooldown = (done + args.anneal, args.anneal) if args.anneal else (args.steps, args.steps // 5)
    loop = Loop(
        method,
        data,
        args.out,
        LoopConfig(
            steps=steps,
            warmup=100,
            cooldown=cooldown,
            save_every=200,
            seed=args.seed,
            minutes=args.minutes,
            log_every=25,
        ),
        plain_accelerator(args.precision),
        callbacks=(report,),
    )
    if target is None:
        if done == 0:
            print("start:", evaluate(vae, held_out, val), flush=True)
        done = loop.run()
        return
    average = method.average()
    if not args.freeze_encoder:
        measure_latents(average, clips, count=200)
    figures = evaluate(average, held_out, list(range(min(32, len(held_out)))))
    recipe = to_dict(settings) | {"batch": args.batch, "crop": args.crop, "frozen_encoder": args.freeze_encoder}
    about: dict[str, Any] = {"preset": args.preset, "config": to_dict(config), "recipe": recipe, "seed": args.seed}
    save_part(average.state_dict(), target, about | {"steps": done} | figures)
    print(f"{target}: {figures}")


if __name__ == "__main__":
    sys.exit(main())
