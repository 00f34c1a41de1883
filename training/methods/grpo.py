"""Experts by reinforcement learning: Flow-GRPO on the bidirectional teacher (paper 3.2).

Every batch becomes groups of samples under the same conditions. Some steps of the sampling path are those of an SDE
(training/sde.py), whose densities tell how likely the policy was to go where it went; the others are Euler steps, as in
MixGRPO. The samples are scored against their group, and each kept SDE step is made likelier or less so:

    loss = -min(r A, clip(r, 1 - c, 1 + c) A) + kl KL(policy | real),   r = p(x' | x) / p_old(x' | x)

An expert is a LoRA on the teacher: give the student role `mode: lora`, and `real` shares its base.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from echotorrent_core import flow, schedules
from echotorrent_core.config import EngineConfig

from .. import sde
from ..conditions import chunks_of, guided, repeat
from ..denoiser import Denoiser, teacher_config
from ..experience import Experience, Scorer, advantages, pack, unpack
from ..loop import Batch, StepResult, shared_generator
from ..optim import adamw
from ..rewards import RewardConfig
from ..roles import Role, ema_of


@dataclass(frozen=True)
class GRPOConfig:
    """window: the teacher's latents (L_AR); group: samples under the same conditions; same_noise: they start from the
    same noise (DanceGRPO), or each from its own (Flow-GRPO).

    steps, shift: the sampling path; noisy: SDE steps, drawn for each rollout among the first `noisy_within`;
    noise, strength: their scale; guidance: audio scale (w convention) in sampling and training alike.
    epochs: how often every SDE step of a rollout is trained on, one per update.
    clip: of the ratio, small because log-probabilities are means; limit: of advantages; kl: weight. Flow-GRPO's .01
    to .04 are for a divergence without the step's length: multiply them by it, about 1 / steps.
    rewards: what the judge of a run looks at (training/rewards.py).
    """

    lr: float = 1e-4
    window: int = 16
    group: int = 12
    same_noise: bool = False
    steps: int = 10
    shift: float = 5.0
    noisy: int = 4
    noisy_within: int = 8
    noise: sde.Scale = "flow"
    strength: float = 0.7
    guidance: float = 1.0
    epochs: int = 1
    clip: float = 1e-4
    limit: float = 5.0
    kl: float = 0.004
    seed: int = 0
    rewards: RewardConfig = field(default_factory=RewardConfig)

    def __post_init__(self) -> None:
        if not 0 < self.noisy <= self.noisy_within < self.steps:
            raise ValueError(
                f"expected 0 < noisy <= noisy_within < steps (the last step has no noise), got {self.noisy}, "
                f"{self.noisy_within}, {self.steps}"
            )

    @property
    def updates(self) -> int:
        """Updates per rollout."""
        return self.epochs * self.noisy


class GRPO:
    """The method. score: the rewards of finished latents. Each rollout is made from one batch and serves
    `settings.updates` updates; the batches of the others are not looked at."""

    def __init__(self, config: EngineConfig, student: Denoiser, score: Scorer, settings: GRPOConfig):
        self.config, self.settings, self.score = teacher_config(config, settings.window), settings, score
        role = Role(student, trainable=True)
        self.roles = {"student": role, "real": Role(ema_of("student", role, 1.0).module)}
        self.sigmas = (*schedules.wan(settings.steps, settings.shift), 0.0)
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
        s, metrics = self.settings, {}
        turn = step % s.updates

        def make() -> dict[str, Tensor]:
            rollout, about = self.collect(batch, step - turn, generator)
            metrics.update(about)
            return rollout

        rollout = self.experience.take(step, turn == 0, make, batch["latents"].device)
        loss, about = self.improve(rollout, turn % s.noisy)
        return StepResult({"student": loss}, metrics | about)

    def estimate(self, role: str, x: Tensor, sigma: float, batch: Batch) -> Tensor:
        levels = torch.full((x.shape[0], x.shape[2]), sigma, device=x.device)
        network = self.roles[role].module
        return guided(network, self.config, x, levels, batch["reference"], batch, self.settings.guidance)

    @torch.no_grad()
    def collect(
        self, batch: Batch, step: int, generator: torch.Generator
    ) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Samples of the policy, scored: conditions, advantages (N,), and of each SDE step (leading dimension) its
        index, where it went from and to, how likely that was, and the mean of `real`."""
        s = self.settings
        chunks_of(batch["latents"].shape[2], self.config)
        batch = repeat(batch, s.group)
        drawn = torch.randperm(s.noisy_within, generator=shared_generator(s.seed, step))[: s.noisy].sort().values
        shape = batch["latents"].shape
        x = torch.randn(shape[0] // s.group if s.same_noise else shape[0], *shape[1:], generator=generator)
        x = (x.repeat_interleave(s.group, 0) if s.same_noise else x).to(batch["latents"])
        kept: dict[str, list[Tensor]] = {"x": [], "x_next": [], "log_prob": [], "real": []}
        for i, (sigma, sigma_next) in enumerate(pairwise(self.sigmas)):
            x0 = self.estimate("student", x, sigma, batch)
            if i not in drawn:
                x = flow.euler(x, x0, sigma, sigma_next)
                continue
            mean, std = sde.step(x, x0, sigma, sigma_next, self.noise_scale(i))
            x_next = sde.sample(mean, std, generator)
            real, _ = sde.step(x, self.estimate("real", x, sigma, batch), sigma, sigma_next, self.noise_scale(i))
            log_prob = sde.log_prob(x_next, mean, std)
            for name, value in zip(kept, (x, x_next, log_prob, real), strict=True):
                kept[name].append(value)
            x = x_next
        scores = self.score(x, batch)
        rollout = {name: torch.stack(values) for name, values in kept.items()} | {
            "index": drawn,
            "advantage": advantages(scores, s.group, s.limit).to(x),
        }
        return rollout | pack(batch), scores.metrics()

    def improve(self, rollout: dict[str, Tensor], which: int) -> tuple[Tensor, dict[str, float]]:
        """Loss of one SDE step of a rollout."""
        s, i = self.settings, int(rollout["index"][which])
        batch = unpack(rollout)
        x, x_next, advantage = rollout["x"][which], rollout["x_next"][which], rollout["advantage"]
        sigma, sigma_next = self.sigmas[i], self.sigmas[i + 1]
        mean, std = sde.step(x, self.estimate("student", x, sigma, batch), sigma, sigma_next, self.noise_scale(i))
        ratio = (sde.log_prob(x_next, mean, std) - rollout["log_prob"][which]).exp()
        kl = sde.divergence(mean, rollout["real"][which], std).mean()
        loss = -torch.minimum(ratio * advantage, ratio.clamp(1 - s.clip, 1 + s.clip) * advantage).mean()
        off = (ratio.detach() - 1).abs()
        metrics = {"grpo/kl": float(kl.detach()), "grpo/ratio_off": float(off.max())}
        return loss + s.kl * kl, metrics | {"grpo/clipped": float((off > s.clip).float().mean())}

    def noise_scale(self, index: int) -> float:
        s = self.settings
        return sde.noise_scale(self.sigmas[index], self.sigmas[index + 1], s.noise, s.strength)
