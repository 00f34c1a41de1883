"""Rotary positions: over (time, height, width) with Wan's split of the head, and over one real axis (InfiniteTalk's two
speakers). Keys are stored unrotated; rotation happens at read with window-relative positions, so a stream has no last
position.

Dimensions: B batch, N tokens, H heads, D head width, P = D / 2 complex pairs.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def split_pairs(head_dim: int) -> tuple[int, int, int]:
    """Complex pairs for (time, height, width): 22, 21, 21 at head_dim 128 (Wan)."""
    space = head_dim // 6
    return head_dim // 2 - 2 * space, space, space


def frequencies(pairs: int, theta: float, device: torch.device | None = None) -> Tensor:
    """Angle per unit of position of each pair of one axis; every axis starts at 1. (pairs,) float64."""
    return torch.pow(theta, -torch.arange(pairs, dtype=torch.float64, device=device) * 2 / (2 * pairs))


# Cached tensors are made outside inference mode, so that training may use what generation asked for first.
@lru_cache(maxsize=4096)
@torch.inference_mode(False)
def axis(pairs: int, position: float, theta: float) -> Tensor:
    """Angles of one position on one axis. (pairs,) float64."""
    return position * frequencies(pairs, theta)


@lru_cache(maxsize=256)
@torch.inference_mode(False)
def rotation(
    times: tuple[float, ...], height: int, width: int, head_dim: int, theta: float, device: torch.device
) -> Tensor:
    """Unit complex rotations for the tokens of latents at `times`: (len(times) * height * width, P) complex64."""
    pt, ph, pw = split_pairs(head_dim)
    t = torch.stack([axis(pt, x, theta) for x in times])
    h = torch.stack([axis(ph, x, theta) for x in range(height)])
    w = torch.stack([axis(pw, x, theta) for x in range(width)])
    shape = (len(times), height, width)
    angles = torch.cat(
        [
            t[:, None, None].expand(*shape, pt),
            h[None, :, None].expand(*shape, ph),
            w[None, None, :].expand(*shape, pw),
        ],
        dim=-1,
    ).reshape(-1, pt + ph + pw)
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64).to(device)


def rotation_1d(positions: Tensor, head_dim: int, theta: float = 10000.0) -> Tensor:
    """Unit complex rotations for tokens at real `positions` (...): (..., P) complex64. The whole head turns."""
    angles = positions.double()[..., None] * frequencies(head_dim // 2, theta, positions.device)
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)


def rotate(x: Tensor, rotations: Tensor) -> Tensor:
    """Rotate adjacent pairs of x (B, N, H, D) by `rotations` (N, P) or (B, N, P); computed in float32."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotations.unsqueeze(-2)).flatten(-2).to(x.dtype)
