"""Two speakers in one picture (InfiniteTalk): which voice a token listens to.

Each block compares its queries with the keys of the reference picture, averaged over the masks of speaker 1, speaker 2
and the background. A token takes a position near 2 or 22 where a speaker's mask wins, 12 where the background does;
its audio query is rotated by that position, the speakers' audio keys by 2 and 22, so that it attends to its own voice.

Dimensions: B batch, N tokens, n tokens of one latent, H heads, D head width, S speakers, T latents, A audio tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from .attention import Attention

# Positions each speaker's tokens spread over; the background stands in the middle (InfiniteTalk: range 24, interval 4).
RANGES = ((0.0, 4.0), (20.0, 24.0))
BACKGROUND = 12.0

Box = tuple[int, int, int, int]


def default_boxes(height: int, width: int, border: float = 0.05) -> tuple[Box, Box]:
    """(top, left, bottom, right) of the left and the right half without `border` of each side, in pixels."""
    half = width // 2
    top, bottom = int(height * border), int(height * (1 - border))
    left, right = int(half * border), int(half * (1 - border))
    return (top, left, bottom, right), (top, half + left, bottom, half + right)


def box_masks(boxes: Sequence[Box], height: int, width: int) -> Tensor:
    """Masks (S + 1, height, width) of boxes (top, left, bottom, right), end excluded; the last one is the background.
    ValueError for a box without a pixel in the picture."""
    masks = torch.zeros(len(boxes) + 1, height, width)
    for mask, (top, left, bottom, right) in zip(masks, boxes, strict=False):
        mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 1
        if not mask.any():
            raise ValueError(f"box {(top, left, bottom, right)} holds no pixel of a picture of {height} x {width}")
    masks[-1] = (masks[:-1].sum(0) == 0).float()
    return masks


def token_masks(masks: Tensor, rows: int, columns: int) -> Tensor:
    """Masks (S + 1, h, w) of any resolution, such as the latents' -> 0 or 1 per token of one latent (S + 1, n)."""
    return (F.interpolate(masks[None].float(), (rows, columns), mode="nearest")[0] > 0).float().flatten(1)


def join(tokens: Tensor) -> Tensor:
    """Audio tokens (S, T, A, C), one row per speaker -> one condition (1, T, S * A, C)."""
    return rearrange(tokens, "s t a c -> 1 t (s a) c")


def reference_map(q: Tensor, keys: Tensor, masks: Tensor, attention: Attention) -> Tensor:
    """How much each token attends to each mask of the reference picture, per token of the mask: (B, S + 1, N).

    q (B, N, H, D) and the reference latent's keys (B, n, H, D), both rotated; masks (S + 1, n). The masks go through
    attention in the place of values, so no map of N x n is ever held.
    """
    values = F.pad(masks.T.to(keys.dtype), (0, keys.shape[-1] - masks.shape[0]))
    values = values[None, :, None].expand(keys.shape)
    inside = attention(q, keys, values, None)[..., : masks.shape[0]].float().mean(dim=2)
    return (inside / masks.sum(1).clamp_min(1)).transpose(1, 2)


def positions(reference_map: Tensor) -> Tensor:
    """Position of each token between the speakers (B, N), from the map (B, 3, N): its winner's row, spread over the
    winner's range by the least and the greatest value of all tokens."""
    winner = reference_map.argmax(dim=1)
    place = torch.full_like(reference_map[:, 0], BACKGROUND)
    for speaker, (low, high) in enumerate(RANGES):
        row = reference_map[:, speaker]
        least, greatest = row.amin(1, keepdim=True), row.amax(1, keepdim=True)
        spread = low + (high - low) * (row - least) / (greatest - least).clamp_min(torch.finfo(row.dtype).tiny)
        place = torch.where(winner == speaker, spread, place)
    return place


def key_positions(tokens: int, device: torch.device) -> Tensor:
    """Positions of the joined audio tokens of a latent (A,): each speaker's at the middle of their range."""
    middles = torch.tensor([(low + high) / 2 for low, high in RANGES], device=device)
    return middles.repeat_interleave(tokens // len(RANGES))
