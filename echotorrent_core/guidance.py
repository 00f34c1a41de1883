"""Classifier-free guidance over text and audio, in the w convention: a scale of 1 runs no pass of its own.

Works on the network's outputs. Plain guidance would be the same on clean estimates; the adaptive projection would not.
No torch at import, so that presets may hold a `Guidance`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

# What the network is given: text and audio; the negative prompt; zero audio features of one speaker; both.
Pass = Literal["cond", "drop_text", "drop_audio", "uncond"]


@dataclass(frozen=True)
class APG:
    """Adaptive projected guidance (Sadat et al., 2024), with InfiniteTalk's numbers.

    momentum: weight of the running difference, negative to dampen repeated ones; threshold: greatest L2 norm of a
    difference; eta: how much of its part along the conditional output stays.
    """

    momentum: float = -0.75
    threshold: float = 55.0
    eta: float = 0.0


@dataclass(frozen=True)
class Guidance:
    """Scales of text and audio, and how their differences are tamed."""

    text_scale: float = 1.0
    audio_scale: float = 1.0
    apg: APG | None = None

    @property
    def differences(self) -> tuple[tuple[float, Pass, Pass], ...]:
        """(scale, with, without): each difference of two passes that is added to `cond`, scale - 1 times."""
        if self.text_scale == 1:
            return () if self.audio_scale == 1 else ((self.audio_scale, "cond", "drop_audio"),)
        text: tuple[float, Pass, Pass] = (self.text_scale, "cond", "drop_text")
        return (text,) if self.audio_scale == 1 else (text, (self.audio_scale, "drop_text", "uncond"))

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The network passes of a step, in order; `cond` is the first."""
        return ("cond", *(without for _, _, without in self.differences))


Momentum = tuple["Tensor", ...]  # running differences of one stream, () before its first step


def combine(guidance: Guidance, outputs: Mapping[Pass, Tensor], momentum: Momentum = ()) -> tuple[Tensor, Momentum]:
    """The guided output of a step from those of its passes (B, C, T, H, W), and the momentum for the next one.

    cond + (text - 1)(cond - drop_text) + (audio - 1)(drop_text - uncond), which is InfiniteTalk's
    uncond + text (cond - drop_text) + audio (drop_text - uncond).
    """
    cond = outputs["cond"]
    guided, running = cond, []
    for index, (scale, more, less) in enumerate(guidance.differences):
        difference = outputs[more] - outputs[less]
        if guidance.apg is not None:
            difference, average = project(difference, cond, momentum[index] if momentum else None, guidance.apg)
            running.append(average)
        guided = guided + (scale - 1) * difference
    return guided, tuple(running)


def project(difference: Tensor, cond: Tensor, running: Tensor | None, config: APG) -> tuple[Tensor, Tensor]:
    """A difference (B, ...) with momentum, limited in norm, its part along `cond` scaled by eta; and the momentum."""
    running = difference if running is None else difference + config.momentum * running
    dims = tuple(range(1, cond.dim()))
    norm = running.square().sum(dims, keepdim=True).sqrt()
    limited = (running * (config.threshold / norm.clamp_min(1e-12)).clamp_max(1)).double()
    along = cond.double()
    share = (limited * along).sum(dims, keepdim=True) / along.square().sum(dims, keepdim=True).clamp_min(1e-24)
    return (limited + (config.eta - 1) * share * along).to(difference.dtype), running
