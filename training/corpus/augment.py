"""Audio augmentation that keeps time: every function maps samples (n,) float32 to as many, aligned samples.

Filters are zero-phase or start with their direct path, so mouth labels stay valid. Functions draw all randomness
from the given generator.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import fft
from scipy.signal import fftconvolve, istft, stft

SAMPLE_RATE = 16000


def gain(samples: np.ndarray, rng: np.random.Generator, low: float = -20.0, high: float = 6.0) -> np.ndarray:
    """Scale by low..high dB; what leaves [-1, 1] is clipped, as a recorder would."""
    return np.clip(samples * _linear(rng.uniform(low, high)), -1.0, 1.0)


def equalise(samples: np.ndarray, rng: np.random.Generator, strength: float = 5.0) -> np.ndarray:
    """A random smooth frequency response (standard deviation `strength` dB) with a random tilt, zero phase."""
    octaves = np.linspace(0.0, 7.0, 9)  # 62.5 Hz .. 8 kHz
    curve = rng.normal(0.0, strength, 9) + rng.uniform(-3.0, 3.0) * (octaves - 4.0)
    return _filtered(samples, lambda f: _linear(np.interp(np.log2(np.maximum(f, 1.0) / 62.5), octaves, curve)))


def band_limit(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Telephone or small-speaker band: 60..350 Hz to 3..7 kHz, zero phase, smooth edges."""
    low, high = rng.uniform(60.0, 350.0), rng.uniform(3000.0, 7000.0)
    return _filtered(
        samples, lambda f: 1.0 / np.sqrt((1.0 + (low / np.maximum(f, 1.0)) ** 6) * (1.0 + (f / high) ** 12))
    )


def add_noise(
    samples: np.ndarray,
    rng: np.random.Generator,
    others: Sequence[np.ndarray] = (),
    low: float = 5.0,
    high: float = 40.0,
) -> np.ndarray:
    """Coloured noise (white to brown), or babble mixed from `others` when given, at low..high dB below the speech."""
    n = len(samples)
    if others and rng.random() < 0.4:
        noise = np.zeros(n, dtype=np.float32)
        for _ in range(rng.integers(1, 5)):
            other = others[int(rng.integers(len(others)))]
            noise += np.roll(np.resize(other, n), rng.integers(n))
    else:
        slope = rng.uniform(0.0, 1.0)  # amplitude ~ f^-slope: 0 white, 0.5 pink, 1 brown
        noise = _filtered(rng.standard_normal(n).astype(np.float32), lambda f: np.maximum(f, 50.0) ** -slope)
    level = speech_level(samples) / max(float(np.sqrt(np.mean(noise**2))), 1e-9)
    return samples + noise * np.float32(level * _linear(-rng.uniform(low, high)))


def reverb(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A small room: exponentially decaying noise (60 dB in 0.1..0.6 s) behind a direct path at time 0."""
    decay = rng.uniform(0.1, 0.6)
    time = np.arange(int(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * 10.0 ** (-3.0 * time / decay)
    tail[: int(rng.uniform(0.001, 0.01) * SAMPLE_RATE)] = 0.0
    tail *= _linear(rng.uniform(-20.0, -3.0)) / max(float(np.sqrt(np.sum(tail**2))), 1e-9)
    tail[0] = 1.0
    return fftconvolve(samples, tail.astype(np.float32))[: len(samples)]


def formant_shift(samples: np.ndarray, rng: np.random.Generator, low: float = 0.82, high: float = 1.22) -> np.ndarray:
    """Another vocal tract: the spectral envelope is stretched by a factor, pitch and phases stay.

    It is a filter that changes with time (32 ms windows), not a resampling: nothing moves in time.
    """
    factor = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    n_fft, hop = 512, 128
    spectrum = stft(samples, nperseg=n_fft, noverlap=n_fft - hop, boundary="zeros", padded=True)[2].astype(np.complex64)
    logs = np.log(np.abs(spectrum) + 1e-7)
    cepstrum = fft.irfft(logs, axis=0)
    lifter = 40  # quefrency bins kept: finer detail is the voice's harmonics
    cepstrum[lifter:-lifter] = 0.0
    envelope = fft.rfft(cepstrum, axis=0).real
    at = np.minimum(np.arange(len(envelope)) / factor, len(envelope) - 1.001)
    index, part = at.astype(int), (at % 1.0)[:, None]
    warped = envelope[index] * (1.0 - part) + envelope[index + 1] * part
    change = np.exp(np.clip(warped - envelope, -4.0, 4.0))
    result = istft(spectrum * change, nperseg=n_fft, noverlap=n_fft - hop, boundary=True)[1]
    return result[: len(samples)].astype(np.float32)


def distort(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Overdriven input: hard or soft clipping at a quarter to all of the peak; the level stays."""
    peak = max(float(np.abs(samples).max()), 1e-6)
    limit = peak * rng.uniform(0.25, 1.0)
    if rng.random() < 0.5:
        return np.clip(samples, -limit, limit)
    return limit * np.tanh(samples / limit)


def augment(samples: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray] = ()) -> np.ndarray:
    """A random chain of the above in the order voice, room, noise, device; one clip in eight only changes its level."""
    out = samples.astype(np.float32)
    if rng.random() < 0.875:
        for share, step in ((0.5, formant_shift), (0.7, equalise), (0.3, reverb)):
            if rng.random() < share:
                out = step(out, rng)
        if rng.random() < 0.7:
            out = add_noise(out, rng, others)
        for share, step in ((0.25, band_limit), (0.15, distort)):
            if rng.random() < share:
                out = step(out, rng)
    peak = float(np.abs(out).max())
    return gain(out / peak * min(peak, 0.7) if peak > 0 else out, rng).astype(np.float32)


def speech_level(samples: np.ndarray) -> float:
    """Root mean square of the loudest third of 20 ms pieces (so that pauses do not count), at least 1e-3."""
    pieces = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    power = np.sort(np.mean(pieces.astype(np.float64) ** 2, axis=1)) if len(pieces) else np.zeros(1)
    return max(float(np.sqrt(np.mean(power[-max(1, len(power) // 3) :]))), 1e-3)


def _linear(decibel):  # type: ignore[no-untyped-def]
    return 10.0 ** (decibel / 20.0)


def _filtered(samples: np.ndarray, response) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Zero-phase filter; `response` maps Hz to amplitude. Zero-padded, so that the end does not wrap to the start."""
    size = fft.next_fast_len(len(samples) + 1600, real=True)
    spectrum = fft.rfft(samples, size)
    frequency = fft.rfftfreq(size, 1.0 / SAMPLE_RATE)
    return fft.irfft(spectrum * response(frequency).astype(np.float32), size)[: len(samples)].astype(np.float32)
