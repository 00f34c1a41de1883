"""Roles: the networks of a run (student, real, fake, ema, target), each trainable, frozen, or following another."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn

from .lora import is_adapter


@dataclass
class Role:
    """One network of a run. `follows` names the role whose weights this one averages (an EMA or a consistency target),
    from step `start` on; before, it copies them.

    A trainable role whose module carries LoRA adapters trains only these.
    """

    module: nn.Module
    trainable: bool = False
    follows: str | None = None
    decay: float = 0.0
    start: int = 0

    def __post_init__(self) -> None:
        adapters = any(is_adapter(name) for name, _ in self.module.named_parameters())
        for name, parameter in self.module.named_parameters():
            parameter.requires_grad_(self.trainable and (is_adapter(name) or not adapters))


def ema_of(name: str, role: Role, decay: float, start: int = 0) -> Role:
    """An exponential moving average of `role`, starting at its present weights. Weights that do not train are shared
    with it, not copied: of a LoRA only the adapters take memory again."""
    frozen = {id(p): p for p in role.module.parameters() if not p.requires_grad}
    return Role(copy.deepcopy(role.module, dict(frozen)), follows=name, decay=decay, start=start)


@torch.no_grad()
def update_ema(ema: Role, source: nn.Module, step: int) -> None:
    """Move the average towards `source`; the decay ramps up, so that early steps do not linger."""
    age = step - ema.start
    decay = min(ema.decay, (1 + age) / (10 + age)) if age >= 0 else 0.0
    for average, value in zip(ema.module.parameters(), source.parameters(), strict=True):
        if average is not value:
            average.lerp_(value.detach().to(average.dtype), 1 - decay)
    for kept, buffer in zip(ema.module.buffers(), source.buffers(), strict=True):
        kept.copy_(buffer)
