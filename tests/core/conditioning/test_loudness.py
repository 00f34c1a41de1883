"""BS.1770 against the standard's recursive filters and gates, written out sample by sample and block by block."""

import math

import pytest
import torch

from echotorrent_core.conditioning.loudness import integrated_loudness, k_weighting, normalise_loudness

RATE = 16000


def speech_like(seconds: float, seed: int = 0) -> torch.Tensor:
    """Noise that swells, pauses and fades."""
    n = int(seconds * RATE)
    t = torch.arange(n) / RATE
    noise = torch.randn(n, generator=torch.Generator().manual_seed(seed))
    return 0.1 * noise * torch.sin(2 * math.pi * 0.7 * t).clamp_min(0) * torch.linspace(1, 0.05, n)


def recursive(samples: list[float], rate: int) -> list[float]:
    for (b0, b1, b2), (a0, a1, a2) in k_weighting(rate):
        x1 = x2 = y1 = y2 = 0.0
        filtered = []
        for x in samples:
            y = (b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2) / a0
            x1, x2, y1, y2 = x, x1, y, y1
            filtered.append(y)
        samples = filtered
    return samples


def gated(samples: list[float], rate: int) -> float:
    block, hop = rate * 4 // 10, rate // 10
    energies = [
        sum(v * v for v in samples[start : start + block]) / block for start in range(0, len(samples) - block + 1, hop)
    ]
    kept = [e for e in energies if e > 0 and -0.691 + 10 * math.log10(e) >= -70]
    threshold = -0.691 + 10 * math.log10(sum(kept) / len(kept)) - 10
    kept = [e for e in kept if -0.691 + 10 * math.log10(e) > threshold]
    return -0.691 + 10 * math.log10(sum(kept) / len(kept))


def test_equals_the_recursion_and_the_gates():
    samples = speech_like(3.2)  # longer than one segment of the fast filter
    expected = gated(recursive(samples.double().tolist(), RATE), RATE)
    assert integrated_loudness(samples) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_full_scale_sine(rate):
    sine = torch.sin(2 * math.pi * 997 / rate * torch.arange(2 * rate, dtype=torch.float64))
    assert integrated_loudness(sine, rate) == pytest.approx(-3.01, abs=0.1)


def test_the_weighting_at_48_khz_is_the_standard_s():
    shelf, low_cut = k_weighting(48000)
    tabulated = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
    for mine, standard in zip(shelf, tabulated, strict=True):
        assert [c / shelf[1][0] for c in mine] == pytest.approx(standard, abs=0.03)
    _, poles = low_cut
    assert [c / poles[0] for c in poles] == pytest.approx([1.0, -1.99004745483398, 0.99007225036621], abs=1e-3)


def test_normalises_to_the_target():
    samples = speech_like(2)
    assert integrated_loudness(normalise_loudness(samples)) == pytest.approx(-23, abs=1e-4)
    assert integrated_loudness(normalise_loudness(samples[None], target=-16)[0]) == pytest.approx(-16, abs=1e-4)


def test_half_the_amplitude_is_six_decibels():
    samples = speech_like(2)
    assert integrated_loudness(samples) - integrated_loudness(samples / 2) == pytest.approx(6.0206, abs=1e-4)


def test_pauses_do_not_count():
    samples = speech_like(2)
    paused = torch.cat([samples, torch.zeros(8 * RATE)])
    assert integrated_loudness(paused) == pytest.approx(integrated_loudness(samples), abs=0.2)


@pytest.mark.parametrize("samples", [torch.zeros(RATE), speech_like(0.3), 1e-6 * speech_like(1), torch.zeros(0)])
def test_what_has_no_loudness_is_left_alone(samples):
    assert integrated_loudness(samples) == -math.inf
    assert torch.equal(normalise_loudness(samples), samples)
