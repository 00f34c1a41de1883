"""Causal initialisation by regression on stored trajectories of the teacher (CausVid, Self-Forcing; the paper's "ODE
distillation").

`make_pairs` follows the guided teacher from noise to its sample and keeps some of the levels on the way, a file per
batch, so that it may stop anywhere. `ODEInit` gives the student those noisy latents, each chunk at a level of its own,
and asks for the sample.

A student that sees a noisy past of which several futures are possible learns their blur: keep the teacher an AR one
(its trajectories are functions of what the student sees), or give the clean past (`context`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor
from tqdm import tqdm

from echotorrent_core import schedules
from echotorrent_core.config import EngineConfig
from echotorrent_core.errors import InputError
from echotorrent_core.sampler import denoise, euler_step
from echotorrent_core.weights.parts import read_metadata, save_part

from ..conditions import chunks_of, draw_sink, guided
from ..denoiser import Denoiser, teacher_config
from ..loop import Batch, Data, StepResult, shared_generator
from ..optim import adamw
from ..roles import Role
from ..weighting import by_level, channel_weights, error_weights

TRAJECTORY, SINK = "trajectory", "sink"


@dataclass(frozen=True)
class PairsConfig:
    """How the teacher is followed. window: latents of a bidirectional one (L_AR), 0 for one under the stream's own
    policies; steps, shift: its levels; guidance: audio scale (w convention); keep: the steps whose latents are stored,
    at the defaults 1, .75, .5, .25 before the shift; precision: of what is stored.

    Numbers of Self-Forcing.
    """

    window: int = 0
    steps: int = 48
    shift: float = 8.0
    guidance: float = 6.0
    keep: tuple[int, ...] = (0, 12, 24, 36)
    first_as_sink: float = 0.5
    precision: Literal["float32", "float16", "bfloat16"] = "float32"
    seed: int = 0

    @property
    def levels(self) -> tuple[float, ...]:
        """Those of the stored latents, descending, without the sample's 0."""
        sigmas = schedules.wan(self.steps, self.shift)
        return tuple(sigmas[i] for i in self.keep)


@torch.no_grad()
def trajectory(
    teacher: Denoiser, config: EngineConfig, batch: Batch, sink: Tensor, noise: Tensor, settings: PairsConfig
) -> Tensor:
    """Latents (B, K + 1, C, T, h, w) of the teacher's Euler path from `noise` (B, C, T, h, w): at the K kept steps, and
    its sample."""
    kept: list[Tensor] = []

    def estimate(x: Tensor, sigma: float, i: int) -> Tensor:
        if i in settings.keep:
            kept.append(x)
        levels = torch.full((x.shape[0], x.shape[2]), sigma, device=x.device)
        return guided(teacher, config, x, levels, sink, batch, settings.guidance)

    sigmas = schedules.wan(settings.steps, settings.shift)
    sample = denoise(estimate, noise, sigmas, euler_step, torch.Generator())
    return torch.stack([*kept, sample], dim=1)


def make_pairs(
    teacher: Denoiser,
    config: EngineConfig,
    data: Data,
    numbers: range,
    folder: Path,
    settings: PairsConfig,
    weights: str,
    device: torch.device | str = "cpu",
) -> None:
    """Write `pairs-<number>.safetensors` for the batches `numbers` of `data`, those that `folder` lacks. Each depends
    on its number only; several processes may share the work. weights: names those of the teacher (`fingerprint`).
    InputError if the folder's pairs were made otherwise."""
    config = teacher_config(config, settings.window) if settings.window else config
    described = {"preset": config.name, "teacher": weights, "settings": json.loads(json.dumps(asdict(settings)))}
    folder.mkdir(parents=True, exist_ok=True)
    for number in tqdm(numbers, desc="pairs", mininterval=5):
        path = folder / f"pairs-{number:06d}.safetensors"
        if path.exists():
            found = {key: value for key, value in read_metadata(path).items() if key in described}
            if found != described:
                raise InputError(f"{path}: made with {found}, now {described} is asked for; choose another folder")
            continue
        batch = {key: value.to(device) for key, value in data.batch(number).items()}
        chunks_of(batch["latents"].shape[2], config)
        generator = shared_generator(settings.seed, number)
        noise = torch.randn(batch["latents"].shape, generator=generator).to(batch["latents"])
        sink = draw_sink(batch, settings.first_as_sink, generator)
        batch[TRAJECTORY] = trajectory(teacher, config, batch, sink, noise, settings)
        save_part(
            batch | {SINK: sink}, path, described | {"levels": settings.levels}, getattr(torch, settings.precision)
        )


class PairsData:
    """The stored batches by number, over and over. InputError for a folder that holds none."""

    def __init__(self, folder: Path):
        self.paths = sorted(folder.glob("pairs-*.safetensors"))
        if not self.paths:
            raise InputError(f"{folder}: holds no trajectories (pairs-*.safetensors); make them first")
        self.levels = tuple(read_metadata(self.paths[0])["levels"])

    def __len__(self) -> int:
        return len(self.paths)

    def batch(self, index: int) -> Batch:
        stored = load_file(self.paths[index % len(self.paths)])
        return {key: value.float() if value.is_floating_point() else value for key, value in stored.items()}


@dataclass(frozen=True)
class ODEInitConfig:
    """lr: 2e-6 (Self-Forcing) to 4e-5 (LiveTalk); `context`: what earlier chunks are read as, themselves at their own
    levels (`noisy`) or the teacher's sample (`clean`); `mouth`: as in `SFTConfig`; `pairs`, `batches`: what the builder
    of a run makes, and how many batches of it."""

    lr: float = 2e-6
    context: Literal["clean", "noisy"] = "noisy"
    mouth: float = 0.0
    pairs: PairsConfig = field(default_factory=PairsConfig)
    batches: int = 500


class ODEInit:
    """The method. Batches come from `PairsData`, whose `levels` it is given."""

    def __init__(
        self,
        config: EngineConfig,
        student: Denoiser,
        settings: ODEInitConfig,
        levels: tuple[float, ...],
        channel_scale: Tensor | None = None,
    ):
        self.config, self.settings = config, settings
        self.roles = {"student": Role(student, trainable=True)}
        self.levels = torch.tensor(levels)
        self.channels = channel_weights(config.vae.z_dim, channel_scale)

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        return {"student": adamw(self.roles["student"].module, self.settings.lr)}

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        path = batch[TRAJECTORY]
        size, _, _, length = path.shape[:4]
        chunks = chunks_of(length, self.config)
        index = torch.randint(0, len(self.levels), (size, chunks), generator=generator)
        index = index.repeat_interleave(length // chunks, dim=1)  # (B, T)
        target = path[:, -1]
        # Every latent at the level of its chunk: path[b, index[b, t], :, t].
        noisy = path.movedim(3, 1)[torch.arange(size)[:, None], torch.arange(length), index.to(path.device)]
        noisy = noisy.movedim(1, 2)  # (B, T, C, h, w) -> (B, C, T, h, w)
        sigma = self.levels[index].to(path.device)
        clean = target if self.settings.context == "clean" else None
        student = self.roles["student"].module
        estimate = guided(student, self.config, noisy, sigma, batch[SINK], batch, 1.0, clean)
        error = F.mse_loss(estimate, target, reduction="none")
        loss = (error_weights(batch["mask"], self.settings.mouth, self.channels) * error).mean()
        return StepResult({"student": loss}, by_level(error.mean((1, 3, 4)).flatten(), sigma.flatten(), "regression"))
