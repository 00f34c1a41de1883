"""Training of the mouth reader: exact labels of rendered frames, seen through mild degradations.

    python -m training.methods.reader --corpus DIR --heldout DIR --out RUN    # train, score, write the weights

Running again continues where it stopped. Three losses: the tracks (smooth L1), how much of a clean face is left
(cross-entropy against the degree of damage), and which frames of a batch show the same person (supervised contrast).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from echotorrent_core.metrics import identity as identities
from echotorrent_core.metrics.lipsync import correlation
from echotorrent_core.metrics.reader import SIZE, WEIGHTS, MouthReader, Reading, read
from echotorrent_core.weights.parts import save_part

from ..data import degrade
from ..loop import Batch, Loop, LoopConfig, StepResult, plain_accelerator
from ..optim import muon_adamw
from ..roles import Role, ema_of

READABLE = 0.6  # quality from which on a frame's tracks and person count
TRACKS = ("open", "wide", "yaw", "blink", "x", "y")


class Clips(Protocol):
    """Rendered clips: frames(i) uint8 (T, H, W, 3); labels(i) with params, blink, pose and mouth_box per frame."""

    def __len__(self) -> int: ...

    def frames(self, i: int) -> np.ndarray: ...

    def labels(self, i: int) -> dict[str, np.ndarray]: ...


@dataclass(frozen=True)
class ReaderSettings:
    """Learning rates, weights of the losses and of the tracks in `TRACKS`; damaged, no_face: shares of a batch;
    people x views: frames in a batch; blinks: how much likelier a frame with closed eyes is drawn, as they are few."""

    lr: float = 1.5e-3
    muon_lr: float = 3e-3
    ema: float = 0.995
    tracks: tuple[float, ...] = (3.0, 1.0, 2.0, 1.0, 8.0, 8.0)
    blinks: float = 5.0
    confidence: float = 0.05
    identity: float = 0.03
    temperature: float = 0.1
    damaged: float = 0.15
    no_face: float = 0.12
    people: int = 16
    views: int = 6


def targets(labels: dict[str, np.ndarray], rows: np.ndarray, size: int) -> np.ndarray:
    """What the tracks of `TRACKS` should be (N, 6) in frames `rows` of a clip whose pictures are `size` wide."""
    params = np.concatenate([labels["params"], labels["reference_params"][None]])[rows]
    box = labels["mouth_box"][rows]
    centre = (box[:, :2] + box[:, 2:]) / (2 * size)
    columns = [params[:, 0], params[:, 1], labels["pose"][rows, 0], labels["blink"][rows], *centre.T]
    return np.stack(columns, axis=1).astype(np.float32)


class ReaderData:
    """Batches by step number: frames (N, 3, 128, 128), tracks (N, 6), quality (N,), person (N,)."""

    def __init__(self, clips: Clips, settings: ReaderSettings, seed: int = 0):
        self.clips, self.settings, self.seed = clips, settings, seed

    def batch(self, step: int) -> Batch:
        s, rng = self.settings, np.random.default_rng([self.seed, step])
        chosen = rng.choice(len(self.clips), s.people, replace=len(self.clips) < s.people)
        frames, tracks = [], []
        for i in chosen:
            clip, labels = self.clips.frames(int(i)), self.clips.labels(int(i))
            rare = 1 + s.blinks * labels["blink"].astype(np.float64)
            rows = rng.choice(len(clip), s.views, replace=len(clip) < s.views, p=rare / rare.sum())
            frames.append(np.ascontiguousarray(clip[rows]))
            tracks.append(targets(labels, rows, clip.shape[2]))
        x = torch.from_numpy(np.concatenate(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1
        y = torch.from_numpy(np.concatenate(tracks))
        x, y = moved(degrade.surround(x, rng), y, rng)
        x, quality = self._degrade(x, rng)
        return {
            "frames": x.contiguous(memory_format=torch.channels_last),
            "tracks": y,
            "quality": quality,
            "person": torch.from_numpy(chosen).repeat_interleave(s.views),
        }

    def _degrade(self, x: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        rows, quality = [], torch.ones(len(x))
        kind = rng.random(len(x))
        for i, frame in enumerate(x):
            if kind[i] < self.settings.damaged:
                frame, quality[i] = degrade.damaged(frame, rng)
            elif kind[i] < self.settings.damaged + self.settings.no_face:
                frame, quality[i] = degrade.no_face(frame, x[int(rng.integers(len(x)))], rng), 0.0
            rows.append(degrade.mild(frame, rng))
        return torch.stack(rows), quality


def moved(x: Tensor, tracks: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Frames shifted by up to 6 pixels, scaled by up to 8 % and mirrored, at SIZE, with their tracks."""
    n = len(x)
    zoom = torch.from_numpy(rng.uniform(0.93, 1.08, n).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-6 / 64, 6 / 64, (n, 2)).astype(np.float32))
    mirror = torch.from_numpy(np.where(rng.random(n) < 0.5, -1, 1).astype(np.float32))
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = zoom * mirror, zoom, shift
    grid = F.affine_grid(theta, [n, 3, SIZE, SIZE], align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
    tracks = tracks.clone()
    tracks[:, 2] *= mirror
    place = 2 * tracks[:, 4:6] - 1  # output position p shows input position theta p
    tracks[:, 4] = ((place[:, 0] - shift[:, 0]) / (zoom * mirror) + 1) / 2
    tracks[:, 5] = ((place[:, 1] - shift[:, 1]) / zoom + 1) / 2
    return x, tracks


class ReaderMethod:
    """The method. Batches come from `ReaderData`."""

    def __init__(self, reader: MouthReader, settings: ReaderSettings):
        self.settings = settings
        role = Role(reader, trainable=True)
        self.roles = {"student": role, "ema": ema_of("student", role, settings.ema)}

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        exclude = ("tracks", "identity")
        return {"student": muon_adamw(self.roles["student"].module, self.settings.lr, self.settings.muon_lr, exclude)}

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        s, found = self.settings, Reading(*self.roles["student"].module(batch["frames"]))
        clean = batch["quality"] > READABLE
        error = F.smooth_l1_loss(columns(found), batch["tracks"], beta=0.05, reduction="none")
        tracks = (error * torch.tensor(s.tracks).to(error))[clean].mean()
        confidence = F.binary_cross_entropy(found.confidence.float().clamp(1e-4, 1 - 1e-4), batch["quality"])
        person = contrast(found.identity[clean], batch["person"][clean], s.temperature)
        return StepResult(
            {"student": tracks + s.confidence * confidence + s.identity * person},
            {
                "tracks": float(tracks.detach()),
                "confidence": float(confidence.detach()),
                "identity": float(person.detach()),
            },
        )


def columns(reading: Reading) -> Tensor:
    """The tracks of a reading in the order of `TRACKS`, (N, 6)."""
    return torch.stack([getattr(reading, name) for name in TRACKS], dim=1)


def contrast(embeddings: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss of unit embeddings (N, D) (Khosla et al. 2020, eq. 2)."""
    n = len(embeddings)
    itself = torch.eye(n, dtype=torch.bool, device=labels.device)
    logits = (embeddings @ embeddings.T / temperature).masked_fill(itself, float("-inf"))
    same = (labels[:, None] == labels[None]) & ~itself
    log_share = logits.log_softmax(dim=1).masked_fill(~same, 0.0)
    return -(log_share.sum(1) / same.sum(1).clamp_min(1))[same.any(1)].mean()


@torch.no_grad()
def scores(reader: MouthReader, clips: Clips, count: int = 40, every: int = 2) -> dict[str, float]:
    """Correlation of each track, of `open` also where the head is turned, on clean frames of up to `count` clips; how
    well persons are told apart; mean confidence of clean, damaged and faceless pictures."""
    rng = np.random.default_rng(0)
    truth, found, embeddings, bad = [], [], [], []
    for i in range(min(count, len(clips))):
        frames, labels = clips.frames(i), clips.labels(i)
        rows = np.arange(0, len(frames), every)
        x = torch.from_numpy(np.ascontiguousarray(frames[rows])).permute(0, 3, 1, 2).float() / 127.5 - 1
        reading = read(reader, x)
        truth.append(targets(labels, rows, frames.shape[2]))
        found.append(torch.cat([columns(reading), reading.confidence[:, None]], 1).numpy())
        embeddings.append(reading.identity.numpy())
        damaged = torch.stack([degrade.damaged(frame, rng)[0] for frame in x[:8]])
        faceless = torch.stack([degrade.no_face(frame, x[-1], rng) for frame in x[:8]])
        bad.append([float(read(reader, some).confidence.mean()) for some in (damaged, faceless)])
    y, z = np.concatenate(truth), np.concatenate(found)
    result = {name: correlation(z[:, k], y[:, k]) for k, name in enumerate(TRACKS)}
    turned = np.abs(y[:, 2]) > 0.5
    if turned.sum() > 50:
        result["open_profile"] = correlation(z[turned, 0], y[turned, 0])
        result["open_frontal"] = correlation(z[~turned, 0], y[~turned, 0])
    result["open_error"] = float(np.abs(z[:, 0] - y[:, 0]).mean())
    result |= {"confidence": float(z[:, 6].mean()), "confidence_p1": float(np.quantile(z[:, 6], 0.01))}
    result["confidence_damaged"], result["confidence_no_face"] = (float(v) for v in np.mean(bad, axis=0))
    means = np.stack([e.mean(0) for e in embeddings])
    same = np.concatenate([identities.distance(e, e[-1]) for e in embeddings])
    other = np.concatenate([identities.distance(np.delete(means, i, 0), e[-1]) for i, e in enumerate(embeddings)])
    result |= {"identity_same": float(same.mean()), "identity_other": float(other.mean())}
    result["identity_separation"] = identities.separation(same, other)
    return {key: round(value, 4) for key, value in result.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True, help="folder of training clips")
    parser.add_argument("--heldout", type=Path, help="folder of held-out clips (default: CORPUS/../heldout)")
    parser.add_argument("--out", type=Path, required=True, help="run folder: checkpoint.pt, metrics.jsonl")
    parser.add_argument("--output", type=Path, default=WEIGHTS, help="weights file to write")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--minutes", type=float, help="stop with a checkpoint after this wall time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("no", "bf16"), default="bf16")
    args = parser.parse_args(arguments)
    from ..corpus.build import CorpusReader

    torch.manual_seed(args.seed)
    settings = ReaderSettings()
    clips, heldout = CorpusReader(args.corpus), CorpusReader(args.heldout or args.corpus.parent / "heldout")
    reader = MouthReader().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    method = ReaderMethod(reader, settings)
    config = LoopConfig(
        args.steps, warmup=50, cooldown=args.steps // 2, save_every=200, seed=args.seed, minutes=args.minutes
    )
    accelerator = plain_accelerator(args.precision)
    done = Loop(method, ReaderData(clips, settings, args.seed), args.out, config, accelerator).run()
    if done < args.steps:
        print(f"stopped after {done} of {args.steps} steps; run again to go on")
        return
    average = method.roles["ema"].module.cpu().eval()
    assert isinstance(average, MouthReader)
    found = scores(average, heldout)
    recipe = asdict(settings) | {"clips": len(clips), "heldout_clips": len(heldout)}
    save_part(average.state_dict(), args.output, {"recipe": recipe, "seed": args.seed, "steps": done, "scores": found})
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
