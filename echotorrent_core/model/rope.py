"""Rotary positions over (time, height, width), Wan's split of the head. Keys are stored unrotated; rotation happens
at read with window-relative positions, so a stream has no last position.

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


# Cached tensors are made outside inference mode, so that training may use what generation asked for first.
@lru_cache(maxsize=4096)
@torch.inference_mode(False)
def _axis(pairs: int, position: float, theta: float) -> Tensor:
    """Angles of one position on one axis; each axis restarts at frequency 1. (pairs,) float64."""
    freqs = torch.pow(theta, -torch.arange(pairs, dtype=torch.float64) * 2 / (2 * pairs))
    return position * freqs


@lru_cache(maxsize=256)
@torch.inference_mode(False)
def rotation(
    times: tuple[float, ...], height: int, width: int, head_dim: int, theta: float, device: torch.device
) -> Tensor:
    """Unit complex rotations for the tokens of latents at `times`: (len(times) * height * width, P) complex64."""
    pt, ph, pw = split_pairs(head_dim)
    t = torch.stack([_axis(pt, x, theta) for x in times])
    h = torch.stack([_axis(ph, x, theta) for x in range(height)])
    w = torch.stack([_axis(pw, x, theta) for x in range(width)])
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


def rotate(x: Tensor, rotations: Tensor) -> Tensor:
    """Rotate adjacent pairs of x (B, N, H, D) by `rotations` (N, P); computed in float32."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotations[:, None]).flatten(-2).to(x.dtype)
