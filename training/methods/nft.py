"""Reinforcement learning of a few-step student by its forward process: DiffusionNFT, as Astrolabe uses it.

Samples x0 of the policy, with an optimality r in [0, 1] from their group, are noised to one of the student's own
levels. In clean space, with the policy `target` that made them and the student:

    x+ = target + b (student - target),   x- = target - b (student - target)
    loss = r |x+ - x0|^2 + (1 - r) |x- - x0|^2 + kl |student - real|^2

so the student moves to what good samples are and away from what bad ones are. No likelihoods are needed, so samplers
with few steps, and the stream's own, will do: all chunks of a sequence are done as a `per_step` cache would show them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from echotorrent_core import flow
from echotorrent_core.config import EngineConfig

from ..conditions import chunks_of, guided, repeat
from ..denoiser import Denoiser
from ..experience import Experience, Scorer, advantages, pack, unpack
from ..loop import Batch, StepResult
from ..optim import adamw
from ..rewards import RewardConfig
from ..roles import Role, ema_of
from ..rollout import sample
from ..weighting import by_level


@dataclass(frozen=True)
class NFTConfig:
    """group: samples under the same conditions; updates: per rollout; mix: b; target: decay of the average that
    samples; limit: of advantages, that is where r becomes 0 or 1; kl: weight of staying near the first student;
    rewards: what the judge of a run looks at (training/rewards.py)."""

    lr: float = 1e-5
    group: int = 8
    updates: int = 4
    mix: float = 1.0
    target: float = 0.5
    limit: float = 5.0
    kl: float = 1e-3
    rewards: RewardConfig = field(default_factory=RewardConfig)


class NFT:
    """The method. score: the rewards of finished latents. Each rollout is made from one batch and serves `updates`
    updates; the batches of the others are not looked at."""

    def __init__(self, config: EngineConfig, student: Denoiser, score: Scorer, settings: NFTConfig):
        self.config, self.settings, self.score = config, settings, score
        role = Role(student, trainable=True)
        target = ema_of("student", role, settings.target)
        self.roles = {"student": role, "target": target, "real": Role(ema_of("student", role, 1.0).module)}
        self.sigmas = torch.tensor(config.stream.sigmas)
        self.experience = Experience()

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        return {"student": adamw(self.roles["student"].module, self.settings.lr)}

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def state(self) -> dict[str, Tensor]:
        return self.experience.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.experience.load_state(state)

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        metrics: dict[str, float] = {}

        def make() -> dict[str, Tensor]:
            rollout, about = self.collect(batch, generator)
            metrics.update(about)
            return rollout

        rollout = self.experience.take(step, step % self.settings.updates == 0, make, batch["latents"].device)
        loss, about = self.improve(rollout, generator)
        return StepResult({"student": loss}, metrics | about)

    @torch.no_grad()
    def collect(self, batch: Batch, generator: torch.Generator) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Samples of the target, scored: conditions, latents, and optimality (N,)."""
        s = self.settings
        chunks_of(batch["latents"].shape[2], self.config)
        batch = repeat(batch, s.group)
        latents = sample(self.roles["target"].module, self.config, batch, generator)
        scores = self.score(latents, batch)
        optimality = 0.5 + advantages(scores, s.group, s.limit) / (2 * s.limit)
        return pack(batch) | {"x0": latents, "optimality": optimality.to(latents)}, scores.metrics()

    def improve(self, rollout: dict[str, Tensor], generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """Loss of a rollout at levels drawn anew, one per sample."""
        s, x0, r = self.settings, rollout["x0"], rollout["optimality"]
        batch = unpack(rollout)
        size, length = x0.shape[0], x0.shape[2]
        sigma = self.sigmas[torch.randint(0, len(self.sigmas), (size,), generator=generator)].to(x0.device)
        noise = torch.randn(x0.shape, generator=generator).to(x0)
        x = flow.add_noise(x0, noise, sigma)

        def estimate(role: str) -> Tensor:
            levels = sigma[:, None].expand(size, length)
            return guided(self.roles[role].module, self.config, x, levels, batch["reference"], batch, 1.0)

        with torch.no_grad():
            old, real = estimate("target"), estimate("real")
        new = estimate("student")
        change = s.mix * (new - old)
        drift = (new - real).square().mean((1, 2, 3, 4))
        policy = r * distance(old + change, x0) + (1 - r) * distance(old - change, x0)
        loss = (policy + s.kl * drift).mean()
        metrics = {"nft/drift": float(drift.detach().mean())}
        return loss, metrics | by_level(policy, sigma, "nft")


def distance(estimate: Tensor, x0: Tensor) -> Tensor:
    """Mean squared error per sample (N,), relative to the mean absolute one, which takes out what a level costs."""
    error = estimate - x0
    scale = error.detach().abs().mean((1, 2, 3, 4)).clamp_min(1e-5)
    return error.square().mean((1, 2, 3, 4)) / scale
