"""Attention backends: callables `(q, k, v, mask) -> out` on (B, N, H, D), chosen once when a trunk is built.

mask: None or additive float (Nq, Nk), broadcast over batch and heads. Heavy packages are imported on first use.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

Attention = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


def sdpa(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """torch's scaled_dot_product_attention; the default everywhere."""
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    if mask is not None:
        mask = mask.to(q.dtype)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)


def math(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Two matmuls and a softmax: the reading copy, and the fastest to train with in bfloat16 on a CPU."""
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask.to(scores.dtype)
    return (scores.softmax(-1).to(v.dtype) @ v).transpose(1, 2)


def _xformers() -> Attention:
    from xformers.ops import memory_efficient_attention

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        bias = None if mask is None else mask.to(q.dtype).expand(q.shape[0], q.shape[2], -1, -1).contiguous()
        return memory_efficient_attention(q, k, v, attn_bias=bias)

    return attend


def _flex() -> Attention:
    from torch.nn.attention.flex_attention import flex_attention

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        bias = mask

        def score_mod(score: Tensor, b: Tensor, h: Tensor, q_idx: Tensor, k_idx: Tensor) -> Tensor:
            return score + bias[q_idx, k_idx]  # type: ignore[index]

        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        return flex_attention(q, k, v, score_mod=None if bias is None else score_mod).transpose(1, 2)

    return attend


BACKENDS: dict[str, Callable[[], Attention]] = {
    "sdpa": lambda: sdpa,
    "math": lambda: math,
    "xformers": _xformers,
    "flex": _flex,
}


def get_attention(name: str) -> Attention:
    """The backend called `name`. ValueError for an unknown name, or one whose package is not installed."""
    if name not in BACKENDS:
        close = difflib.get_close_matches(name, BACKENDS, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "known: " + ", ".join(BACKENDS)
        raise ValueError(f"unknown attention backend '{name}'; {hint}")
    try:
        return BACKENDS[name]()
    except ImportError as error:
        raise ValueError(
            f"attention backend '{name}' needs a package that is not installed ({error}); use 'sdpa'"
        ) from error
