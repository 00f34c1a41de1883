"""Identity tuning: a LoRA learns how one person looks from a few clips; all else stays as the model without it has it.

Two kinds of samples share a batch. Those of the person are pulled to the clip's true latents, under the clip's sound
and motion. The others, other faces with other speech, are what would be forgotten: they are pulled to what the frozen
base itself makes of the very same input (prior preservation; cf. DreamBooth, arXiv 2208.12242), so that lips and motion
keep following for everyone.

A student of few steps is only ever asked at its own levels, so these are the ones it is trained at, and in the states
it brings itself into: its own samples up to that step (`states: rolled`). Where sound and motion do not fix what is to
be seen (published presets have no motion channels), its samples are of another performance than the clip, and the
clip's latents are noised to the level instead (`states: noised`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from echotorrent_core import flow
from echotorrent_core.config import EngineConfig
from echotorrent_core.errors import InputError
from echotorrent_core.sampler import denoise, new_step

from ..conditions import draw_sink
from ..data.features import Column, FeatureData, read_columns, window
from ..denoiser import Denoiser
from ..loop import Batch, StepResult, shared_generator
from ..lora import without_adapters
from ..optim import muon_adamw
from ..roles import Role, ema_of
from ..weighting import channel_weights, error_weights


@dataclass(frozen=True)
class IdentityConfig:
    """lr: of the adapters by AdamW, or muon_lr by Muon if that is not 0; ema: decay of their average, which is what is
    kept; kept: samples of other people per batch, and their weight `prior` in the loss; mouth: extra loss weight inside
    the mouth mask; first_as_sink: share of the person's samples whose sink is the clip's first latent; states: see
    above; two_phase: keep no activations, but run every pass again in the backward pass; others: file of rows of other
    people (training/identity/prior.py)."""

    lr: float = 4e-3
    muon_lr: float = 0.0
    ema: float = 0.98
    kept: int = 2
    prior: float = 1.0
    mouth: float = 4.0
    first_as_sink: float = 0.5
    states: Literal["rolled", "noised"] = "rolled"
    two_phase: bool = False
    others: Path | None = None
    seed: int = 0


class PersonAndOthers:
    """Batches by number: `batch` windows of the person of `length` latents, behind them `settings.kept` ones of other
    people, whose latents are not known and stand as zeros; `first_share` of the batches begin at the stream's start."""

    def __init__(
        self, person: FeatureData, settings: IdentityConfig, batch: int, length: int, seed: int, first_share: float
    ):
        self.sources = [(person.columns, batch)]
        if settings.kept:
            if settings.others is None:
                raise InputError("settings.others: name the file of other people's rows (python -m training.identity)")
            others = read_columns(settings.others)[0]
            if missing := person.columns.keys() - others.keys() - {"frames"}:
                raise InputError(f"{settings.others}: has no column '{min(missing)}'; make it anew for this preset")
            self.sources.append((others, settings.kept))
        self.length, self.seed, self.first_share = length, seed, first_share
        self.latents, self.channel_scale = int(person.columns["latents"].shape[2]), person.channel_scale

    def batch(self, index: int) -> Batch:
        rng = np.random.default_rng([self.seed, index])
        late = rng.random() >= self.first_share and self.latents > self.length
        start = int(rng.integers(1, self.latents - self.length + 1)) if late else 0
        parts = [self._windows(columns, count, start, rng) for columns, count in self.sources]
        joined = {key: torch.cat([part[key] for part in parts]) for key in parts[0] if parts[0][key].ndim}
        return joined | {"first": parts[0]["first"]}

    def _windows(self, columns: Mapping[str, Column], count: int, start: int, rng: np.random.Generator) -> Batch:
        rows = int(columns["latents"].shape[0])
        chosen = torch.from_numpy(rng.choice(rows, count, replace=rows < count))
        variant = torch.from_numpy(rng.integers(columns["audio"].shape[1], size=count))
        return window(columns, chosen, variant, start, self.length)


def reach(
    student: nn.Module, config: EngineConfig, batch: Batch, sink: Tensor, noise: Tensor, step: int, rng: torch.Generator
) -> Tensor:
    """What the student is given at denoising step `step` by its own steps before (B, C, T, h, w), without gradients.
    All chunks are done side by side, as `training.rollout.sample` does them."""
    stream, given = config.stream, noise

    @torch.no_grad()
    def estimate(x: Tensor, sigma: float, i: int) -> Tensor:
        nonlocal given
        given = x
        if i == step:
            return x
        level = torch.full((len(x), x.shape[2]), sigma, device=x.device)
        return student(config, x, level, batch["reference"], sink, batch, bool(batch["first"])).float()

    denoise(estimate, noise, stream.sigmas[: step + 1], new_step(stream.sampler), rng)
    return given


def rows_of(batch: Batch, rows: slice) -> Batch:
    return {key: value[rows] if value.ndim else value for key, value in batch.items()}


class IdentityTuning:
    """The method: roles `student`, with adapters, and their average `ema`."""

    def __init__(
        self, config: EngineConfig, student: Denoiser, settings: IdentityConfig, channel_scale: Tensor | None = None
    ):
        if config.stream.cache_write != "per_step" or config.stream.window is not None:
            raise ValueError(f"preset {config.name}: identities are tuned of streams with a `per_step` history")
        self.config, self.settings = config, settings
        role = Role(student, trainable=True)
        self.roles = {"student": role, "ema": ema_of("student", role, settings.ema)}
        self.channels = channel_weights(config.vae.z_dim, channel_scale)

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        return {"student": muon_adamw(self.roles["student"].module, self.settings.lr, self.settings.muon_lr)}

    def updates(self, step: int) -> list[str]:
        return ["student"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        """One of the student's denoising steps, the same for the whole batch and in all processes."""
        s, config, student = self.settings, self.config, self.roles["student"].module
        latents, first, count = batch["latents"], bool(batch["first"]), len(batch["latents"]) - s.kept
        person, kept = slice(0, count), slice(count, None)
        sink = torch.cat([draw_sink(rows_of(batch, person), s.first_as_sink, generator), batch["reference"][kept]])
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        which = int(torch.randint(len(config.stream.sigmas), (1,), generator=shared_generator(s.seed, step)))
        sigma = config.stream.sigmas[which]
        own = slice(count, None) if s.states == "noised" else slice(None)  # samples that bring themselves there
        x = flow.renoise(latents, noise, sigma)
        if len(noise[own]):
            x[own] = reach(student, config, rows_of(batch, own), sink[own], noise[own], which, generator)

        def ask(rows: slice) -> Tensor:
            level, told = torch.full(x[rows].shape[:3:2], sigma, device=x.device), rows_of(batch, rows)
            reference, again = told["reference"], s.two_phase
            return student(config, x[rows], level, reference, sink[rows], told, first, recompute=again).float()

        estimate = ask(slice(None))
        error = (estimate[person] - latents[person].float()).square()
        loss = (error_weights(batch["mask"][person], s.mouth, self.channels) * error).mean()
        metrics = {"person": float(error.detach().mean()), f"person/step{which}": float(error.detach().mean())}
        if s.kept:
            with torch.no_grad(), without_adapters(student):
                base = ask(kept)
            moved = (self.channels.to(base) * (estimate[kept] - base).square()).mean()
            loss = loss + s.prior * moved
            metrics["others"] = float(moved.detach())
        return StepResult({"student": loss}, metrics)
