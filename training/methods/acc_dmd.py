"""ACC-DMD (paper 3.3): the student's own rollouts against a frozen teacher (`real`) and a critic of them (`fake`).

    view   = a window of the student's rollout, its exit step under gradients          training/rollout.py
    x_s    = (1 - s) x + s e
    g      = -direction(r_c, r_0, f_c, f_0) / n                                        training/dmd.py
    student: 1/2 mean (x - sg(x - g))^2                  every `critic_steps` steps
    fake:    flow matching on the same x, detached        every step

All means over values weigh channels by their worth in pixels where that is known, as supervised losses do: latents that
are whitened by PCA have most of their channels in texture, which a student would else be sharpened in first.

Which windows are judged is a policy: `FreshWindows` here, a persistent rollout in `long_tail`. Teacher and critic are
bidirectional in the window they are shown (`teacher_config`), so the teacher must have been tuned on windows of that
length. Everything that decides which passes run comes from a generator that all processes share.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from echotorrent_core import flow
from echotorrent_core.config import EngineConfig, LayerPolicy

from .. import dmd
from ..conditions import silent
from ..denoiser import Denoiser, teacher_config
from ..dmd import DMDConfig, Score
from ..loop import Batch, StepResult, shared_generator
from ..optim import adamw
from ..roles import Role, ema_of
from ..rollout import Rollout, sample
from ..weighting import by_level, channel_weights


@dataclass(frozen=True)
class ACCDMDConfig:
    """Defaults: Self-Forcing's numbers, which are the paper's where it has any, for all weights of a large model.

    dmd: direction and levels; lr, fake_lr: of student and critic; critic_steps: critic updates per student update;
    critic_only: first steps without the student, since the critic does not know it yet; critic_dropout: share of
    samples the critic hears nothing of, or its null branch drifts; critic_space: where its error is measured, `x0` for
    networks that predict it; rollout: chunk by chunk through the history, or `side_by_side` (per_step only, the sink
    stays the reference); two_phase: graded passes are run again in the backward pass instead of kept.
    """

    dmd: DMDConfig = field(default_factory=dmd.paper)
    lr: float = 2e-6
    fake_lr: float = 4e-7
    betas: tuple[float, float] = (0.0, 0.999)
    weight_decay: float = 0.01
    ema: float = 0.99
    ema_start: int = 200
    critic_steps: int = 5
    critic_only: int = 100
    critic_dropout: float = 0.1
    critic_space: Literal["velocity", "x0"] = "velocity"
    rollout: Literal["chunks", "side_by_side"] = "chunks"
    two_phase: bool = True
    seed: int = 0


@dataclass(frozen=True)
class View:
    """What the score models are shown of a rollout.

    x: the student's latents (B, C, T, h, w), under gradients if it trains; exit_step: that gave them; batch: what was
    said with `context` and x; mask: the mouth in x (B, 1, T or 1, h, w); context: clean latents (B, C, n, h, w) before
    x; region: where losses count, None everywhere.
    """

    x: Tensor
    exit_step: int
    batch: Batch
    mask: Tensor
    context: Tensor | None = None
    region: Tensor | None = None


class Windows(Protocol):
    """Which windows of the student's rollouts are judged."""

    def __call__(
        self,
        student: nn.Module,
        batch: Batch,
        step: int,
        shared: torch.Generator,
        generator: torch.Generator,
        graded: bool,
    ) -> View: ...

    def state(self) -> dict[str, Tensor]: ...

    def load_state(self, state: dict[str, Tensor]) -> None: ...


class FreshWindows:
    """A rollout of its own for every batch, over its whole length."""

    def __init__(self, config: EngineConfig, settings: ACCDMDConfig):
        self.config, self.settings = config, settings

    def __call__(
        self,
        student: nn.Module,
        batch: Batch,
        step: int,
        shared: torch.Generator,
        generator: torch.Generator,
        graded: bool,
    ) -> View:
        leave, again = draw_exit(self.config, shared), self.settings.two_phase
        if self.settings.rollout == "side_by_side":
            x = sample(student, self.config, batch, generator, leave, graded, again)
        else:
            chunks = range(batch["latents"].shape[2] // self.config.stream.chunk_latents) if graded else ()
            rollout = Rollout(self.config, batch["reference"])
            x = rollout.window(student, batch, generator, leave, chunks, ends=True, two_phase=again).x0
        return View(x, leave, batch, batch["mask"])

    def state(self) -> dict[str, Tensor]:
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        pass


class ACCDMD:
    """The method. `fake` starts as a copy of the teacher's weights, or of its own size's."""

    def __init__(
        self,
        config: EngineConfig,
        student: Denoiser,
        real: Denoiser,
        fake: Denoiser,
        settings: ACCDMDConfig,
        windows: Windows | None = None,
        channel_scale: Tensor | None = None,
    ):
        self.config, self.settings = config, settings
        self.channels = channel_weights(config.vae.z_dim, channel_scale)
        role = Role(student, trainable=True)
        self.roles = {
            "student": role,
            "real": Role(real),
            "fake": Role(fake, trainable=True),
            "ema": ema_of("student", role, settings.ema, settings.ema_start),
        }
        self.scorers = {"real": scorer_config(config, real), "fake": scorer_config(config, fake)}
        self.windows: Windows = windows or FreshWindows(config, settings)

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        s = self.settings
        rates = {"student": s.lr, "fake": s.fake_lr}
        return {name: adamw(self.roles[name].module, lr, s.betas, s.weight_decay) for name, lr in rates.items()}

    def updates(self, step: int) -> list[str]:
        trains = step >= self.settings.critic_only and step % self.settings.critic_steps == 0
        return ["student", "fake"] if trains else ["fake"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        return self.losses(batch, step, generator, "student" in self.updates(step))

    def losses(self, batch: Batch, step: int, generator: torch.Generator, trains: bool) -> StepResult:
        """Of one rollout, which student and critic share: the critic's x is the student's of this very step."""
        shared = shared_generator(self.settings.seed, step)
        view = self.windows(self.roles["student"].module, batch, step, shared, generator, trains)
        losses, metrics = {}, look(view)
        if trains:
            losses["student"], numbers = self.distil(view, shared, generator)
            metrics |= numbers
        losses["fake"], numbers = self.criticise(view, generator)
        return StepResult(losses, metrics | numbers)

    def distil(
        self, view: View, shared: torch.Generator, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """The student's loss."""
        config, x, where = self.settings.dmd, view.x.detach(), self._where(view)
        low, sigma = dmd.branch_levels(config, len(x), self._span(view), shared, generator)
        with torch.no_grad():
            found = self._scores(config.side(low).scores, view, x, sigma, generator)
            r_c, r_0, f_c, f_0 = (found.get(name) for name in ("r_c", "r_0", "f_c", "f_0"))
            assert r_c is not None
            sigma = sigma.to(x.device)
            d = dmd.direction(r_c, r_0, f_c, f_0, sigma, view.mask, config)
            r = dmd.used(r_c, r_0, sigma, config)
            if config.contrast != 1:  # Decoupled-DMD: guidance at cleaner levels than the student's input
                top = self.config.stream.sigmas[view.exit_step]
                cleaner = dmd.levels(config, len(x), (0.0, dmd.unshift(top, config.shift)), generator)
                found = self._scores(("r_c", "r_0"), view, x, cleaner, generator)
                extra = (config.contrast - 1) * (found["r_c"] - found["r_0"])
                d, r = d + extra, r + extra
            n = dmd.normaliser(x, r, where)
            g = dmd.gradient(d, n)
        side = "low" if low else "high"
        sizes = {f"dmd/grad_{side}": dmd.region_mean(g.abs(), where).mean(), f"dmd/norm_{side}": n.mean()}
        return dmd.surrogate(view.x, g, where), {name: float(size) for name, size in sizes.items()}

    def criticise(self, view: View, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """The critic's loss, over the same region at levels of the same distribution."""
        x = view.x.detach()
        sigma = dmd.levels(self.settings.dmd, len(x), self._span(view), generator)
        heard = torch.rand(len(x), 1, 1, generator=generator) >= self.settings.critic_dropout
        told = view.batch | {"features": view.batch["features"] * heard.to(x)}
        noise = torch.randn(x.shape, generator=generator).to(x)
        estimate = self._estimate("fake", view, flow.add_noise(x, noise, sigma.to(x.device)), sigma, told)
        errors = dmd.critic_errors(estimate, x, sigma.to(x.device), self._where(view), self.settings.critic_space)
        return errors.mean(), by_level(errors.cpu(), sigma, "critic")

    def _where(self, view: View) -> Tensor:
        """How much each value of x counts, broadcast over (B, C, T, h, w)."""
        channels = self.channels.to(view.x)
        return channels if view.region is None else channels * view.region

    def _span(self, view: View) -> tuple[float, float]:
        sigmas = (*self.config.stream.sigmas, 0.0)
        return dmd.span(self.settings.dmd, (sigmas[view.exit_step + 1], sigmas[view.exit_step]))

    def _scores(
        self, names: tuple[Score, ...], view: View, x: Tensor, sigma: Tensor, generator: torch.Generator
    ) -> dict[Score, Tensor]:
        """Clean estimates of the named passes, all of one noisy x."""
        noise = torch.randn(x.shape, generator=generator).to(x)
        noisy = flow.add_noise(x, noise, sigma.to(x.device))
        told = {"c": view.batch, "0": silent(view.batch)}
        roles = {"r": "real", "f": "fake"}
        return {name: self._estimate(roles[name[0]], view, noisy, sigma, told[name[2]]) for name in names}

    def _estimate(self, role: str, view: View, noisy: Tensor, sigma: Tensor, told: Batch) -> Tensor:
        """What a score model makes of noisy (B, C, T, h, w) at levels sigma (B,), after the view's clean context."""
        latents, given = noisy.shape[2], 0 if view.context is None else view.context.shape[2]
        level = sigma.to(noisy)[:, None].expand(-1, latents)
        if view.context is not None:
            noisy = torch.cat([view.context, noisy], dim=2)
            level = torch.cat([level.new_zeros(len(level), given), level], dim=1)
        config = teacher_config(self.scorers[role], given + latents)
        reference = told["reference"]
        x0 = self.roles[role].module(config, noisy, level, reference, reference, told, bool(told["first"]))
        return x0[:, :, given:].float()

    # What the windows carry from step to step

    def state(self) -> dict[str, Tensor]:
        return self.windows.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.windows.load_state(state)


def draw_exit(config: EngineConfig, shared: torch.Generator) -> int:
    """The step whose estimate is judged, the same for all chunks and processes."""
    return int(torch.randint(len(config.stream.sigmas), (1,), generator=shared))


def scorer_config(config: EngineConfig, network: Denoiser) -> EngineConfig:
    """The config of a score model, which may be of another size than the student."""
    trunk = network.trunk.config
    return dataclasses.replace(config, trunk=trunk, layers=(LayerPolicy(),) * trunk.num_layers)


def look(view: View) -> dict[str, float]:
    """How the samples are: `motion`, energy of the change from latent to latent; `colour`, distance of their mean from
    the reference's over channels, and `colour_spread`, their deviation over the reference's. What dies when a student
    is trained too long."""
    x, reference = view.x.detach(), view.batch["reference"]
    away = x.mean((2, 3, 4)) - reference.mean((2, 3, 4))
    return {
        "motion": float(x.diff(dim=2).square().mean()) if x.shape[2] > 1 else 0.0,
        "colour": float(away.square().mean().sqrt()),
        "colour_spread": float(x.std((2, 3, 4)).mean() / reference.std((2, 3, 4)).mean()),
    }
