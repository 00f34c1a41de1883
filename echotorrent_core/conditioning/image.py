"""Does a picture look like a portrait? A cheap guess for a warning, never a reason to refuse.

A face seen from the front has fine detail at two eyes and a mouth, smooth skin between them, and two like halves. So
the map of local contrast (which knows neither skin colour nor light) is compared with a drawn pattern of two spots
above a wider one and with its own mirror image, over all places and a range of sizes. It is no face detector: anything
mirrored with three such spots passes, and profiles, covered mouths and small or off-centre faces fail.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 64  # working size in pixels
THRESHOLD = 0.85
_EYE_DISTANCES = (9, 11, 13, 16, 19)  # pixels at the working size: heads from a third of the picture to all of it
_FLOOR = 0.02  # contrast below this is flat


def looks_like_face(image: Tensor) -> bool:
    """Guess whether (3, H, W) in [-1, 1] shows one face from the front, filling a good part of the picture."""
    return face_score(image) >= THRESHOLD


def face_score(image: Tensor) -> float:
    """Best match with eyes, mouth and mirror symmetry at one place, about -1 to 1.8; 0 for a plain picture."""
    grey = (image * image.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0)[None, None].float()
    grey = F.interpolate(grey, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    if grey.std() < _FLOOR:
        return 0.0
    detail = grey - _blur(grey, 2.0)
    contrast = torch.log(_blur(detail**2, 1.5).clamp_min(0).sqrt() + _FLOOR)
    soft = _blur(grey, 1.0)
    scores = []
    for distance in _EYE_DISTANCES:
        pattern = _pattern(distance)
        height, width = pattern.shape
        match = _correlate(contrast, pattern)
        match -= 2 * (0.5 - match).clamp_min(0)  # symmetry alone is no face
        match += 0.3 * _symmetry(contrast, height, width, rows=False) + 0.3 * _symmetry(soft, height, width, rows=True)
        y = torch.arange(match.shape[0])[:, None] + 0.35 * height - SIDE / 2
        x = torch.arange(match.shape[1])[None] + (width - 1) / 2 - SIDE / 2
        scores.append(match + 0.2 * torch.exp(-0.5 * ((x / 10) ** 2 + (y / 12) ** 2)))  # portraits are framed
    return max(float(score.max()) for score in scores)


def _blur(x: Tensor, sigma: float) -> Tensor:
    reach = math.ceil(3 * sigma)
    t = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-0.5 * (t / sigma) ** 2)
    kernel = (kernel / kernel.sum())[None, None, None]
    x = F.conv2d(F.pad(x, (reach, reach, 0, 0), mode="replicate"), kernel)
    return F.conv2d(F.pad(x, (0, 0, reach, reach), mode="replicate"), kernel.mT)


def _pattern(distance: int) -> Tensor:
    """Eyes `distance` apart, mouth 1.1 distances below; the window ends at brows, cheeks and chin."""
    d = float(distance)
    y = torch.arange(-0.45 * d, 1.5 * d)[:, None]
    x = torch.arange(-0.9 * d, 0.9 * d + 1)[None]

    def spot(cx: float, cy: float, wide: float, high: float, weight: float) -> Tensor:
        return weight * torch.exp(-0.5 * (((x - cx) / wide) ** 2 + ((y - cy) / high) ** 2))

    eyes = spot(-d / 2, 0, 0.22 * d, 0.16 * d, 1.0) + spot(d / 2, 0, 0.22 * d, 0.16 * d, 1.0)
    return eyes + spot(0, 1.1 * d, 0.38 * d, 0.16 * d, 1.0) + spot(0, 0.6 * d, 0.15 * d, 0.12 * d, 0.3)


def _correlate(x: Tensor, pattern: Tensor) -> Tensor:
    """Normalised cross-correlation of `pattern` (h, w) at every place of x (1, 1, H, W)."""
    pattern = pattern - pattern.mean()
    windows = _windows(x, *pattern.shape)
    windows = windows - windows.mean((-1, -2), keepdim=True)
    energy = (windows**2).sum((-1, -2)).clamp_min(1e-3 * pattern.numel())
    return (windows * pattern).sum((-1, -2)) / (energy * (pattern**2).sum()).sqrt()


def _symmetry(x: Tensor, height: int, width: int, rows: bool) -> Tensor:
    """Correlation of every window with its mirror image; `rows`: each row without its mean, so that sky is no face."""
    windows = _windows(x, height, width)
    windows = windows - windows.mean(-1 if rows else (-1, -2), keepdim=True)
    energy = (windows**2).sum((-1, -2)).clamp_min(1e-3 * height * width)
    return (windows * windows.flip(-1)).sum((-1, -2)) / energy


def _windows(x: Tensor, height: int, width: int) -> Tensor:
    return x.unfold(2, height, 1).unfold(3, width, 1)[0, 0]
