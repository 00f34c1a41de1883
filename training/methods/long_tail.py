"""Hybrid Long Tail Forcing (paper 3.4, Alg. 1): ACC-DMD on the tails of a long rollout that goes on from step to step.

    every step:  a new take after `windows` windows, else the take goes on by one window
                 at its switch: the batch's words are said from now on, and the history is written anew
                 loss over the whole window, or from window `tail_from` on over its tail alone

The score models see the tail noisy behind clean latents of the take (`context: clean`, as InfiniteTalk was trained), or
the whole window at one level (`renoised`, LongLive).

A take outlasts any clip. Its face is that of the batch it began with; it speaks with the batches as they come, one
after the other, features faded into each other over `fade` frames, so that head and mouth do not jump. The oral mask is
the first clip's, over its whole length and widened, since no video shows where this mouth is.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from echotorrent_core.config import EngineConfig
from echotorrent_core.model.audio_adapters import FRAMES_PER_LATENT

from ..denoiser import Denoiser
from ..loop import Batch
from ..rollout import Rollout, latents_of, part
from .acc_dmd import ACCDMD, ACCDMDConfig, View, draw_exit

WORDS = ("ids", "text")
GIVEN = ("reference", "start", "image", *WORDS)  # what a take keeps of the batch it begins with


@dataclass(frozen=True)
class LongTailConfig(ACCDMDConfig):
    """windows: of a take, then it begins anew; the paper has no number, and of 10 the student, which trains at every
    fifth step, would only ever see two. tail_from: first window judged by its tail alone; tail_latents: of the tail;
    context, context_latents: what the score models see before it; switch: words change within a take; recache: and the
    history is then written anew; fade: frames from one batch's features to the next one's."""

    windows: int = 11
    tail_from: int = 1
    tail_latents: int = 4
    context: Literal["clean", "renoised"] = "clean"
    context_latents: int = 12
    switch: bool = True
    recache: bool = True
    fade: int = 8

    def __post_init__(self) -> None:
        if (common := math.gcd(self.windows, self.critic_steps)) > 1:
            better = next(n for n in itertools.count(self.windows) if math.gcd(n, self.critic_steps) == 1)
            raise ValueError(
                f"windows {self.windows} and critic_steps {self.critic_steps} are both multiples of {common}, so the "
                f"student would only ever train on every {common}th window of a take; make it {better} windows"
            )


class Take:
    """One long rollout: what it has made and will be told, from latent `done - kept` on."""

    def __init__(self, config: EngineConfig, batch: Batch, fade: int, switch: int):
        self.rollout = Rollout(config, batch["reference"])
        self.fade, self.switch, self.done = fade, switch, 0
        self.told: Batch = {k: batch[k] for k in (*GIVEN, "features", "first") if k in batch}
        self.mask = F.max_pool2d(batch["mask"].amax(dim=(1, 2)), 3, 1, 1)[:, None, None]
        self.latents = batch["reference"][:, :, :0]

    @property
    def kept(self) -> int:
        return self.latents.shape[2]

    def window(self, batch: Batch, latents: int) -> Batch:
        """What the next latents are told; the batch's features are put behind what is left where that is too short."""
        margin = self.rollout.margin
        while latents_of(self.told, margin) < self.kept + latents:
            self.told["features"] = faded(self.told["features"], batch["features"], self.fade)
        return part(self.told, self.kept, self.kept + latents, margin)

    def say(self, batch: Batch) -> None:
        """Other words from here on."""
        self.told |= {k: batch[k] for k in WORDS if k in batch}

    def recache(self, student: nn.Module, generator: torch.Generator) -> None:
        """The history anew from the latest latents, under what is said now."""
        self.rollout.recache(student, self.told, self.latents, generator)

    def forget(self, keep: int) -> None:
        """Drop all but the last `keep` latents and what was said before them."""
        gone = self.kept - keep
        if gone > 0:
            frames = FRAMES_PER_LATENT * gone - (FRAMES_PER_LATENT - 1) * bool(self.told["first"])
            self.told |= {"features": self.told["features"][:, frames:], "first": torch.tensor(False)}
            self.latents = self.latents[:, :, gone:]

    def state(self) -> dict[str, Tensor]:
        counts = torch.tensor([self.switch, self.done])
        told = {f"told.{name}": value for name, value in self.told.items()}
        rollout = {f"rollout.{name}": value for name, value in self.rollout.state().items()}
        tensors = {"counts": counts, "mask": self.mask, "latents": self.latents} | told | rollout
        return {name: value.clone() for name, value in tensors.items()}

    @staticmethod
    def restored(config: EngineConfig, state: dict[str, Tensor], fade: int, device: torch.device) -> Take:
        """From what `state` gave."""
        told = _below(state, "told.")
        told = {name: value.to(device) if value.ndim else value for name, value in told.items()}
        switch, done = (int(count) for count in state["counts"])
        take = Take(config, told | {"mask": state["mask"].to(device)}, fade, switch)
        take.mask, take.latents, take.done = state["mask"].to(device), state["latents"].to(device), done
        take.rollout.load_state(_below(state, "rollout."))
        return take


class TailWindows:
    """The policy: persistent takes, one for each micro-batch of a step."""

    def __init__(self, config: EngineConfig, settings: LongTailConfig):
        size = config.stream.chunk_latents
        if settings.tail_latents % size or settings.context_latents % size:
            raise ValueError(f"tail_latents and context_latents must be whole chunks of {size} latents")
        if settings.rollout != "chunks":
            raise ValueError(f"rollout '{settings.rollout}' keeps no state, a long tail needs one; make it 'chunks'")
        self.config, self.settings = config, settings
        self.keep = -(-max(settings.context_latents, config.history_latents) // size) * size
        self.takes: list[Take] = []
        self.stored: dict[str, Tensor] = {}
        self.last = (-1, -1)  # (step, micro-batch)

    def __call__(
        self,
        student: nn.Module,
        batch: Batch,
        step: int,
        shared: torch.Generator,
        generator: torch.Generator,
        graded: bool,
    ) -> View:
        s, size = self.settings, self.config.stream.chunk_latents
        micro = self.last[1] + 1 if self.last[0] == step else 0
        self.last = (step, micro)
        leave = draw_exit(self.config, shared)
        switch = int(torch.randint(1, max(2, s.windows), (1,), generator=shared))
        take = self._take(micro, batch, switch)
        if s.switch and take.done == take.switch:
            take.say(batch)
            if s.recache:
                take.recache(student, generator)

        latents = latents_of(batch, take.rollout.margin)
        told = take.window(batch, latents)
        tail = min(s.tail_latents, latents) if take.done >= s.tail_from else latents
        chunks = range((latents - tail) // size, latents // size) if graded else ()
        rolled = take.rollout.window(student, told, generator, leave, chunks, two_phase=s.two_phase)
        before, take.latents = take.kept, torch.cat([take.latents, rolled.final], dim=2)
        take.done += 1

        if tail < latents and s.context == "clean":
            start = before + latents - tail
            given = min(start, s.context_latents)
            seen = part(take.told, start - given, start + tail, take.rollout.margin)
            view = View(rolled.x0[:, :, -tail:], leave, seen, take.mask, take.latents[:, :, start - given : start])
        else:
            region = (torch.arange(latents) >= latents - tail).reshape(1, 1, -1, 1, 1).to(rolled.x0)
            view = View(rolled.x0, leave, told, take.mask, region=region if tail < latents else None)
        take.forget(self.keep)
        return view

    def _take(self, micro: int, batch: Batch, switch: int) -> Take:
        """The take of a micro-batch: as it was stored, as it is, or a new one that begins with this batch."""
        if self.stored:
            device = batch["reference"].device
            count = 1 + max(int(name.split(".")[0]) for name in self.stored)
            states = [_below(self.stored, f"{i}.") for i in range(count)]
            self.takes = [Take.restored(self.config, state, self.settings.fade, device) for state in states]
            self.stored = {}
        if micro == len(self.takes):
            self.takes.append(Take(self.config, batch, self.settings.fade, switch))
        elif self.takes[micro].done >= self.settings.windows:
            self.takes[micro] = Take(self.config, batch, self.settings.fade, switch)
        return self.takes[micro]

    def state(self) -> dict[str, Tensor]:
        if self.stored:
            return self.stored
        return {f"{i}.{name}": value for i, take in enumerate(self.takes) for name, value in take.state().items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.stored = dict(state)


def faded(features: Tensor, more: Tensor, frames: int) -> Tensor:
    """More features (B, F, channels) behind the first ones, their beginning faded in from the last frame before."""
    frames = min(frames, more.shape[1])
    weight = torch.linspace(0, 1, frames + 2, device=more.device)[1:-1, None]
    begin = torch.lerp(features[:, -1:].expand(-1, frames, -1), more[:, :frames], weight)
    return torch.cat([features, begin, more[:, frames:]], dim=1)


def long_tail(
    config: EngineConfig,
    student: Denoiser,
    real: Denoiser,
    fake: Denoiser,
    settings: LongTailConfig,
    channel_scale: Tensor | None = None,
) -> ACCDMD:
    """The method: ACC-DMD on such windows."""
    return ACCDMD(config, student, real, fake, settings, TailWindows(config, settings), channel_scale)


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
