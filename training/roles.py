"""Roles: the networks of a run (student, real, fake, ema, ...), each trainable or frozen."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Role:
    """One network of a run. `follows` names the role whose weights this one averages (an EMA)."""

    module: nn.Module
    trainable: bool = False
    follows: str | None = None
    decay: float = 0.0

    def __post_init__(self) -> None:
        self.module.requires_grad_(self.trainable)


def ema_of(name: str, role: Role, decay: float) -> Role:
    """An exponential moving average of `role`, starting at its present weights."""
    return Role(copy.deepcopy(role.module), trainable=False, follows=name, decay=decay)


@torch.no_grad()
def update_ema(ema: Role, source: nn.Module, step: int) -> None:
    """Move the average towards `source`; the decay ramps up, so that early steps do not linger."""
    decay = min(ema.decay, (1 + step) / (10 + step))
    for average, value in zip(ema.module.parameters(), source.parameters(), strict=True):
        average.lerp_(value.detach().to(average.dtype), 1 - decay)
    for kept, buffer in zip(ema.module.buffers(), source.buffers(), strict=True):
        kept.copy_(buffer)
