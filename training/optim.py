"""Optimisers: AdamW for tuning what exists, Muon with AdamW for training from scratch; trapezoidal learning rate."""

from __future__ import annotations

import torch
from torch import nn


def trainable(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that learn: of a module with LoRA adapters, the adapters."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def adamw(
    module: nn.Module, lr: float, betas: tuple[float, float] = (0.9, 0.999), weight_decay: float = 0.01
) -> list[torch.optim.Optimizer]:
    """The optimiser of a role that is tuned, full or LoRA. Fused: no temporary copies of all weights at each step."""
    return [torch.optim.AdamW(trainable(module), lr=lr, betas=betas, weight_decay=weight_decay, fused=True)]


def parameter_groups(module: nn.Module, exclude: tuple[str, ...]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(matrices, rest): 2-D weights of hidden layers, and embeddings, output layers (`exclude` by prefix), vectors."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            hidden = parameter.ndim == 2 and not name.startswith(exclude)
            (matrices if hidden else rest).append(parameter)
    return matrices, rest


def muon_adamw(
    module: nn.Module, lr: float, muon_lr: float, exclude: tuple[str, ...] = ()
) -> list[torch.optim.Optimizer]:
    """The pair of optimisers of one role; with `muon_lr` 0, AdamW for all of it."""
    if muon_lr == 0:
        return adamw(module, lr)
    matrices, rest = parameter_groups(module, exclude)
    optimizers: list[torch.optim.Optimizer] = []
    if rest:  # of adapters there are matrices alone
        optimizers.append(torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.99), weight_decay=0.0))
    if matrices:
        optimizers.append(torch.optim.Muon(matrices, lr=muon_lr, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"))
    return optimizers


def trapezoid(step: int, steps: int, warmup: int, cooldown: int) -> float:
    """Learning-rate factor: linear warm-up, flat, then square-root-shaped cool-down over the last `cooldown` steps."""
    if step < warmup:
        return (step + 1) / warmup
    left = (steps - step) / max(1, cooldown)
    return 1.0 if left >= 1 else max(0.0, 1 - (1 - left) ** 0.5)
