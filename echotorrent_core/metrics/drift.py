"""Drift of long videos: per-frame measures, then their means over fifths of the video.

frames: (T, H, W, 3) uint8; portrait: (H, W, 3) uint8. Measures are per frame, so a long video can be measured
chunk by chunk.
"""

from __future__ import annotations

import numpy as np

CORNER = 1 / 8  # side of the background corners, as a share of the picture
PARTS = 5


def mean_colour(frames: np.ndarray) -> np.ndarray:
    """Mean red, green and blue (T, 3), 0..255."""
    return frames.mean(axis=(1, 2), dtype=np.float64)


def corner_change(frames: np.ndarray, portrait: np.ndarray) -> np.ndarray:
    """Mean absolute difference (T,) to the portrait, 0..255, in the two upper corners, which are background."""
    height, width = (max(1, round(n * CORNER)) for n in portrait.shape[:2])
    left, right = np.s_[..., :height, :width, :], np.s_[..., :height, -width:, :]
    difference = [np.abs(frames[part].astype(np.float64) - portrait[part]) for part in (left, right)]
    return np.mean([d.mean(axis=(1, 2, 3)) for d in difference], axis=0)


def sharpness(frames: np.ndarray) -> np.ndarray:
    """Standard deviation (T,) of the Laplacian of the luminance, which is in [0, 1]."""
    luminance = frames @ (np.array([0.299, 0.587, 0.114]) / 255)
    centre = luminance[:, 1:-1, 1:-1]
    around = luminance[:, :-2, 1:-1] + luminance[:, 2:, 1:-1] + luminance[:, 1:-1, :-2] + luminance[:, 1:-1, 2:]
    return (around - 4 * centre).std(axis=(1, 2))


def psnr(frames: np.ndarray, portrait: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio (T,) in dB to the portrait; 99 where they are equal."""
    square = ((frames.astype(np.float64) - portrait) ** 2).mean(axis=(1, 2, 3))
    return np.where(square > 0, 10 * np.log10(255**2 / np.maximum(square, 1e-9)), 99.0)


def fifths(values: np.ndarray) -> np.ndarray:
    """Means of a per-frame measure (T, ...) over the fifths of the video (5, ...)."""
    if len(values) < PARTS:
        raise ValueError(f"a video of {len(values)} frames has no fifths; it needs at least {PARTS}")
    return np.stack([part.mean(axis=0) for part in np.array_split(np.asarray(values, np.float64), PARTS)])


def largest_change(parts: np.ndarray) -> float:
    """Largest distance of a later fifth to the first one, over all channels."""
    return float(np.abs(parts[1:] - parts[0]).max())
