"""Muon for convolutions: weights of any rank as (out, in * taps) matrices, equal shapes orthogonalised together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


class ConvMuon(torch.optim.Optimizer):
    """Momentum whose update is the nearest orthogonal matrix, scaled to AdamW's usual size (0.2 RMS).

    K. Jordan et al., Muon (2024); scale: Liu et al., Muon is Scalable for LLM Training, eq. 4.
    `torch.optim.Muon` takes 2-D weights only.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.01):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(buffer, group["momentum"]).flatten(1)  # Nesterov
                by_shape[update.shape].append((p, update))
            for shape, members in by_shape.items():
                scale = 0.2 * max(shape) ** 0.5
                updates = orthogonal(torch.stack([u for _, u in members]))
                for (p, _), update in zip(members, updates, strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(update.view(p.shape).to(p.dtype), alpha=-group["lr"] * scale)


def orthogonal(x: Tensor, steps: int = 5) -> Tensor:
    """Roughly U V^T of x = U S V^T for a batch of matrices (B, M, N), by Jordan's quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = x.shape[1] > x.shape[2]
    y = (x.mT if tall else x).bfloat16()
    y = y / (y.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = y @ y.mT
        y = a * y + (b * gram + c * gram @ gram) @ y
    return y.mT if tall else y
