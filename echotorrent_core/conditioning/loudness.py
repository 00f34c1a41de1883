"""Integrated loudness (ITU-R BS.1770-4) and normalisation to a target, mono.

Speech encoders were trained on speech of one loudness. A recording is measured whole; a stream is measured on the
window it is about to encode, so the gain follows what was heard in those last seconds and needs no state of its own.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

TARGET = -23.0  # LUFS, EBU R 128
_BLOCK, _HOP = 0.4, 0.1  # seconds: gating blocks overlap by three quarters
_ABSOLUTE_GATE = -70.0  # LUFS
_RELATIVE_GATE = -10.0  # LU below the mean of what passed the absolute gate
_RESPONSE = 0.2  # seconds after which the filters' response to a click is below float64 precision
_SEGMENT = 1 << 15  # samples per FFT


def normalise_loudness(samples: Tensor, sample_rate: int = 16000, target: float = TARGET) -> Tensor:
    """Scale samples (..., S) as one recording to `target` LUFS. What has no loudness (silence, less than 0.4 s) is
    returned as it is."""
    loudness = integrated_loudness(samples.reshape(-1), sample_rate)
    return samples if abs(loudness) > 100 else samples * 10 ** ((target - loudness) / 20)


def integrated_loudness(samples: Tensor, sample_rate: int = 16000) -> float:
    """LUFS of mono samples (S,), full scale 1. -inf when no 0.4 s block is louder than -70 LUFS."""
    block, hop = round(_BLOCK * sample_rate), round(_HOP * sample_rate)
    if samples.shape[0] < block:
        return -math.inf
    power = _k_weighted(samples.double(), sample_rate).square()
    blocks = round((power.shape[0] - block) / hop) + 1  # rounded: the last block may reach over the end
    power = F.pad(power, (0, max(0, (blocks - 1) * hop + block - power.shape[0])))
    energy = power.unfold(0, block, hop)[:blocks].mean(1)
    energy = energy[_lufs(energy) >= _ABSOLUTE_GATE]
    if not len(energy):
        return -math.inf
    return float(_lufs(energy[_lufs(energy) > _lufs(energy.mean()) + _RELATIVE_GATE].mean()))


def _lufs(energy: Tensor) -> Tensor:
    return -0.691 + 10 * energy.log10()


def _k_weighted(samples: Tensor, sample_rate: int) -> Tensor:
    """Samples (S,) through both filters of `k_weighting`, segment by segment.

    A product of spectra is the recursive filter, but wraps round: each segment starts with the samples before it, for
    as long as the filters respond, and what comes out there is dropped.
    """
    lead = round(_RESPONSE * sample_rate)
    step = _SEGMENT - lead
    segments = F.pad(samples, (lead, -samples.shape[0] % step)).unfold(0, _SEGMENT, step)
    turn = torch.arange(_SEGMENT // 2 + 1, device=samples.device, dtype=torch.float64) * (-2 * math.pi / _SEGMENT)
    z = torch.polar(torch.ones_like(turn), turn)
    response = torch.ones_like(z)
    for numerator, denominator in k_weighting(sample_rate):
        response = response * _polynomial(numerator, z) / _polynomial(denominator, z)
    filtered = torch.fft.irfft(torch.fft.rfft(segments) * response, _SEGMENT)
    return filtered[:, lead:].reshape(-1)[: samples.shape[0]]


def _polynomial(coefficients: tuple[float, float, float], z: Tensor) -> Tensor:
    c0, c1, c2 = coefficients
    return c0 + c1 * z + c2 * z * z


Biquad = tuple[tuple[float, float, float], tuple[float, float, float]]


def k_weighting(sample_rate: int) -> tuple[Biquad, Biquad]:
    """K-weighting as (numerator, denominator) of two biquads: +4 dB high shelf at 1500 Hz (Q 1/sqrt 2), then a 38 Hz
    high pass (Q 1/2), in the audio-EQ-cookbook form. The standard tabulates them for 48 kHz only."""
    a = 10 ** (4 / 40)
    omega = 2 * math.pi * 1500 / sample_rate
    cos, root = math.cos(omega), 2 * math.sqrt(a) * math.sin(omega) * math.sqrt(0.5)
    shelf = (
        (a * (a + 1 + (a - 1) * cos + root), -2 * a * (a - 1 + (a + 1) * cos), a * (a + 1 + (a - 1) * cos - root)),
        (a + 1 - (a - 1) * cos + root, 2 * (a - 1 - (a + 1) * cos), a + 1 - (a - 1) * cos - root),
    )
    omega = 2 * math.pi * 38 / sample_rate
    cos, alpha = math.cos(omega), math.sin(omega)
    low_cut = (((1 + cos) / 2, -(1 + cos), (1 + cos) / 2), (1 + alpha, -2 * cos, 1 - alpha))
    return shelf, low_cut
