"""Where two speakers are in the reference picture: masks painted over it, or its halves.

Masks follow the picture: it is scaled to cover the model's size and its centre is kept, and so are they.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..config import EngineConfig
from ..errors import InputError
from ..media import read_image
from ..model.speakers import box_masks, default_boxes, token_masks


def read_mask(path: str | Path) -> Tensor:
    """A picture as a mask (h, w): 1 where it is lighter than mid grey, which transparent pixels come as."""
    return (read_image(path).mean(0) > 0.01).float()


def place_speakers(config: EngineConfig, picture: tuple[int, int], masks: Sequence[Tensor] = ()) -> Tensor:
    """Masks (3, height, width) of two speakers and the background at `config.size`, for `Engine.condition`.

    picture: (height, width) of the reference as it was given; masks: (h, w) of each speaker over it, at any resolution
    of its proportions, above 0.5 where the speaker is; without any, its left and its right half. InputError for masks
    that cannot lie over the picture or that leave a speaker without a place in what is seen of it.
    """
    for i, mask in enumerate(masks):
        if abs(mask.shape[0] * picture[1] - mask.shape[1] * picture[0]) > sum(picture):  # more than rounding makes
            raise InputError(
                f"the mask of speaker {i + 1} has {mask.shape[1]} x {mask.shape[0]} pixels, the picture "
                f"{picture[1]} x {picture[0]}; paint it over the picture"
            )
    if masks:
        places = torch.stack([cover((mask > 0.5).float(), *config.size) for mask in masks])
    else:
        places = torch.stack([cover(half, *config.size) for half in box_masks(default_boxes(*picture), *picture)[:2]])
    patch = config.trunk.patch
    rows, columns = (n // config.vae.space_stride // p for n, p in zip(config.size, patch[1:], strict=True))
    for i, tokens in enumerate(token_masks(places, rows, columns)):
        if not tokens.any() and masks:
            raise InputError(
                f"the mask of speaker {i + 1} is empty, or so small or far outside that nothing of it is seen; paint "
                "all of the speaker, near the picture's centre"
            )
        if not tokens.any():
            raise InputError(
                f"speaker {i + 1} is not seen in a picture of {picture[1]} x {picture[0]} pixels; give one of other "
                "proportions"
            )
    return torch.cat([places, (places.sum(0, keepdim=True) == 0).float()])


def cover(mask: Tensor, height: int, width: int) -> Tensor:
    """Mask (h, w) over a picture -> (height, width) of what `media.read_image` shows of the picture at that size."""
    scale = min(mask.shape[0] / height, mask.shape[1] / width)
    rows, columns = (
        ((torch.arange(seen) + 0.5) * scale + (full - seen * scale) / 2).long().clamp(0, full - 1)
        for seen, full in ((height, mask.shape[0]), (width, mask.shape[1]))
    )
    return mask[rows[:, None], columns]
