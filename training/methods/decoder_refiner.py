"""VAE decoder refiner (paper 3.5): the decoder learns to draw true frames from the student's own latents.

L1 with Laplacian bands, a perceptual distance and a hinge GAN of adaptive weight. Only the decoder and its critic
train; the causal cache is primed with the latents before those that count. Pixels can only be compared where the
student's latents stand for a real clip's frames, and there are three ways to such latents (`targets`):

    renoise   real latents brought to the level of one of the student's last steps, and denoised by it (default)
    corrupt   real latents plus what the student got wrong on another clip: its errors, without its pictures
    rollout   the student's samples under the clip's own sound and motion, which a preset with motion follows closely

Real latents themselves are mixed in, so that reconstruction does not suffer.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from accelerate.utils import extract_model_from_parallel
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.func import functional_call
from tqdm import tqdm

from echotorrent_core import flow
from echotorrent_core.config import EngineConfig
from echotorrent_core.sampler import denoise, new_step
from echotorrent_core.vae.causal import CausalVAE

from ..data.features import FeatureData, window
from ..data.pictures import Clips
from ..files import replace_file
from ..loop import Batch, StepResult
from ..losses import PatchCritic, adaptive_weight, hinge_critic, hinge_student, perceptual, pyramid_l1
from ..muon import ConvMuon
from ..optim import adamw
from ..roles import Role, ema_of
from ..rollout import sample
from .vae import mouth_mask

PRIME = 2  # leading latents that only fill the decoder's cache
LENGTH = 3  # latents with a loss
START_EVERY = 5  # every so many batches begin at the stream's first latent, which is one frame and has no history

Sampler = Callable[[Batch, torch.Generator], Tensor]
"""A batch of whole windows -> the student's latents for them (B, C, T, h, w)."""


@dataclass(frozen=True)
class DecoderRefinerConfig:
    """targets: see above; last_steps: of the student's steps, those whose levels are drawn from for `renoise`; clips:
    how many the student is recorded on; true_share: of crops whose latents are real; crop: pixels.

    lr, muon_lr, critic_lr: muon_lr 0 trains everything by AdamW. Weights of the losses beside L1: detail (Laplacian
    bands), perceptual (of kind `distance`, on so many `frames` per crop; vgg: for LPIPS), adversarial; mouth: of errors
    inside the mouth box; keep_mouth: draw the mouth as the decoder did before, which preserves lip sync when the crops
    are of few clips. start: step at which the adversarial loss sets in, the critic `lead` steps before."""

    targets: Literal["renoise", "corrupt", "rollout"] = "renoise"
    last_steps: int = 2
    clips: int = 400
    true_share: float = 0.3
    crop: int = 64
    lr: float = 2e-4
    muon_lr: float = 0.0
    critic_lr: float = 2e-4
    critic_width: int = 32
    ema: float = 0.995
    mouth: float = 4.0
    keep_mouth: bool = False
    detail: float = 1.0
    perceptual: float = 0.3
    distance: Literal["energy", "lpips"] = "energy"
    vgg: Path | None = None
    frames: int = 4
    adversarial: float = 0.5
    start: int = 200
    lead: int = 100


# The student's latents


def rolled_out(student: nn.Module, config: EngineConfig) -> Sampler:
    """Sampled from noise, as the stream does it."""
    return lambda batch, generator: sample(student, config, batch, generator)


def renoised(student: nn.Module, config: EngineConfig, last_steps: int) -> Sampler:
    """Real latents at the level of one of the last steps, then that step and those after it: what the student's last
    steps make of a picture, without a change of the picture."""
    stream = config.stream

    @torch.no_grad()
    def refine(batch: Batch, generator: torch.Generator) -> Tensor:
        latents, reference, first = batch["latents"], batch["reference"], bool(batch["first"])
        steps = int(torch.randint(1, last_steps + 1, (1,), generator=generator))
        sigmas = stream.sigmas[-steps:]

        def estimate(x: Tensor, sigma: float, i: int) -> Tensor:
            level = torch.full((x.shape[0], x.shape[2]), sigma, device=x.device)
            return student(config, x, level, reference, reference, batch, first).float()

        noise = torch.randn(latents.shape, generator=generator).to(latents)
        noisy = flow.renoise(latents, noise, sigmas[0])
        return denoise(estimate, noisy, sigmas, new_step(stream.sampler), generator)

    return refine


def sampler(student: nn.Module, config: EngineConfig, settings: DecoderRefinerConfig) -> Sampler:
    """What the settings' targets ask for."""
    if settings.targets == "renoise":
        return renoised(student, config, settings.last_steps)
    return rolled_out(student, config)


def record(
    features: FeatureData,
    config: EngineConfig,
    draw: Sampler,
    rows: Tensor,
    out: Path,
    device: torch.device,
    made_by: str = "",
    seed: int = 0,
) -> None:
    """Save the student's latents for `rows` of the data, from the stream's start, as fp16; made_by: kept with them."""
    chunk, latents = config.stream.chunk_latents, int(features.columns["latents"].shape[2])
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for some in tqdm(rows.split(8), desc="student", mininterval=5):
        batch = window(features.columns, some, torch.zeros_like(some), 0, latents // chunk * chunk)
        batch = {name: value.to(device) for name, value in batch.items()}
        with torch.autocast(device.type, torch.bfloat16):
            parts.append(draw(batch, generator).half().cpu())
    out.parent.mkdir(parents=True, exist_ok=True)
    made = {"rows": rows, "latents": torch.cat(parts)}
    replace_file(out, lambda temporary: save_file(made, temporary, {"made_by": made_by}))


def recorded_by(path: Path) -> str | None:
    """How the recording was made; None if there is none."""
    if not path.is_file():
        return None
    with safe_open(path, "pt") as file:
        return (file.metadata() or {}).get("made_by", "")


# Data


class PairedCrops:
    """Crops of (latents, frames), by number: the student's latents, or true ones for a share of the crops.

    rows: the clip that shows each row of the data; a recorded row without one is left out."""

    def __init__(
        self,
        recording: Path,
        features: FeatureData,
        clips: Clips,
        rows: dict[int, int],
        settings: DecoderRefinerConfig,
        batch: int,
        seed: int,
    ):
        with safe_open(recording, "pt") as file:
            self.recorded, self.student = file.get_tensor("rows").tolist(), file.get_tensor("latents")
        self.usable = [i for i, row in enumerate(self.recorded) if row in rows]
        self.true, self.clips, self.rows = features.columns["latents"], clips, rows
        self.settings, self.count, self.seed = settings, batch, seed

    def batch(self, index: int) -> Batch:
        """latents (B, C, prime + LENGTH, cells, cells), and of the frames of the last LENGTH, frames (B, 3, T, crop,
        crop) and mouth (B, 1, T, crop, crop)."""
        rng = np.random.default_rng([self.seed, index])
        prime = PRIME if index % START_EVERY else 0
        parts = [self._crop(rng, prime) for _ in range(self.count)]
        latents, frames, mouth = (torch.stack(x) for x in zip(*parts, strict=True))
        return {"latents": latents, "frames": frames, "mouth": mouth, "prime": torch.tensor(prime)}

    def latents(self, i: int, rng: np.random.Generator) -> Tensor:
        """What the decoder is given for recording i (C, T, h, w)."""
        true = self.true[self.recorded[i]]
        if rng.random() < self.settings.true_share:
            return true
        if self.settings.targets != "corrupt":
            return self.student[i]
        other = int(rng.integers(len(self.recorded)))
        count = self.student.shape[2]
        return true[:, :count] + self.student[other] - self.true[self.recorded[other]][:, :count]

    def _crop(self, rng: np.random.Generator, prime: int) -> tuple[Tensor, Tensor, Tensor]:
        i = self.usable[int(rng.integers(len(self.usable)))]
        clip, source = self.rows[self.recorded[i]], self.latents(i, rng)
        t = int(rng.integers(1, self.student.shape[2] + 1 - prime - LENGTH)) if prime else 0
        shown = slice(max(0, 4 * (t + prime) - 3), 4 * (t + prime + LENGTH) - 3)
        boxes = np.asarray(self.clips.labels(clip)["mouth_box"], np.float32)[shown]
        frames = np.asarray(self.clips.frames(clip)[shown])
        stride, size = frames.shape[1] // source.shape[-2], self.settings.crop
        cells = size // stride
        room = np.array([frames.shape[2] // stride - cells, frames.shape[1] // stride - cells])
        x, y = (int(v) for v in rng.integers(0, room + 1))
        if rng.random() < 0.5:
            x0, y0, x1, y1 = boxes[len(boxes) // 2]
            centre = np.array([(x0 + x1), (y0 + y1)]) / (2 * stride) - cells / 2 + rng.uniform(-1.5, 1.5, 2)
            x, y = (int(v) for v in np.clip(np.round(centre), 0, room))
        pixels = np.s_[:, stride * y : stride * y + size, stride * x : stride * x + size]
        mask = mouth_mask(boxes, *frames.shape[1:3])[pixels]
        return (
            source[:, t : t + prime + LENGTH, y : y + cells, x : x + cells].float(),
            torch.from_numpy(np.ascontiguousarray(frames[pixels])).permute(3, 0, 1, 2).float() / 127.5 - 1,
            torch.from_numpy(np.ascontiguousarray(mask))[None].float(),
        )


# The method


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


class DecoderRefiner:
    """The method: roles `student` (the decoder), its average `ema`, and `critic` if there is an adversarial loss.

    The critic is asked without wrappers, so roles may be copied to several processes, but not sharded."""

    def __init__(self, vae: CausalVAE, settings: DecoderRefinerConfig):
        self.settings = settings
        role = Role(Decode(vae), trainable=True)
        if not vae.config.linear_encoder:
            vae.encoder.requires_grad_(False)
            vae.conv1.requires_grad_(False)
        self.roles = {"student": role, "ema": ema_of("student", role, settings.ema)}
        if settings.keep_mouth:
            self.roles["before"] = Role(copy.deepcopy(role.module))
        if settings.adversarial:  # drawn before the distance is read, which draws numbers only once per process
            self.roles["critic"] = Role(PatchCritic(settings.critic_width), trainable=True)
        self.distance = perceptual(settings.distance, settings.vgg) if settings.perceptual else None

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        s, decoder = self.settings, self.roles["student"].module
        found = {"student": adamw(decoder, s.lr, (0.5, 0.9), 0.0)}
        if s.muon_lr:
            named = [(n, p) for n, p in decoder.named_parameters() if p.requires_grad]
            inner = [
                p for n, p in named if n.endswith("weight") and p.ndim > 1 and ".head." not in n and "conv1" not in n
            ]
            rest = [p for _, p in named if not any(p is one for one in inner)]
            plain = torch.optim.AdamW(rest, lr=s.lr, betas=(0.9, 0.99), weight_decay=0.0)
            found = {"student": [plain, ConvMuon(inner, lr=s.muon_lr)]}
        if s.adversarial:
            found["critic"] = adamw(self.roles["critic"].module, s.critic_lr, (0.5, 0.9), 0.0)
        return found

    def updates(self, step: int) -> list[str]:
        s = self.settings
        return ["student", "critic"] if s.adversarial and step >= s.start - s.lead else ["student"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        s, frames = self.settings, batch["frames"]
        output = self.roles["student"].module(batch["latents"], int(batch["prime"])).float()
        if s.keep_mouth:
            with torch.no_grad():
                before = self.roles["before"].module(batch["latents"], int(batch["prime"])).float()
            frames = torch.lerp(frames, before, batch["mouth"])
        weight = 1 + (s.mouth - 1) * batch["mouth"]
        pixel, detail = pyramid_l1(pictures_of(output - frames), pictures_of(weight))
        loss = pixel + s.detail * detail
        metrics = {"l1": float(pixel.detach()), "detail": float(detail.detach())}
        if self.distance is not None:
            some = torch.randperm(frames.shape[2], generator=generator)[: s.frames]
            shown = (pictures_of(x[:, :, some]) for x in (output, frames, weight))
            felt = self.distance.to(frames.device)(*shown)
            loss = loss + s.perceptual * felt
            metrics["perceptual"] = float(felt.detach())
        losses = {}
        if "critic" in self.updates(step):
            losses["critic"], judged = self._judge(frames, output)
            metrics |= {"critic/real": float(judged[0].mean()), "critic/fake": float(judged[1].mean())}
        if s.adversarial and step >= s.start:
            deceived = hinge_student(self._frozen_critic(output))
            student = extract_model_from_parallel(self.roles["student"].module)
            factor = adaptive_weight(loss, deceived, student.vae.decoder.head["2"].weight)
            loss = loss + s.adversarial * factor * deceived
            metrics |= {"adversarial": float(deceived.detach()), "adversarial_factor": float(factor)}
        return StepResult({"student": loss} | losses, metrics)

    def _judge(self, real: Tensor, output: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The critic's loss, and its scores of real and drawn frames (one pass, as several processes need it)."""
        scores = self.roles["critic"].module(torch.cat([real, output.detach()])).float()
        true, drawn = scores.chunk(2)
        return hinge_critic(true, drawn), (true.detach(), drawn.detach())

    def _frozen_critic(self, output: Tensor) -> Tensor:
        """Scores whose gradients reach the output, but not the critic's weights."""
        critic = extract_model_from_parallel(self.roles["critic"].module)
        weights = {name: value.detach() for name, value in critic.named_parameters()}
        scores: Tensor = functional_call(critic, weights, (output,))
        return scores.float()


def pictures_of(video: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (B T, C, H, W)."""
    return video.transpose(1, 2).flatten(0, 1)
