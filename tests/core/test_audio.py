"""The audio encoder: finite receptive field, windows, streams."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from echotorrent_core.conditioning.audio import AudioEncoder, AudioStream, look_ahead, look_back, mel_filterbank
from echotorrent_core.config import AudioEncoderConfig

CONFIG = dataclasses.replace(AudioEncoderConfig(), channels=12, layers=3)


@pytest.fixture(scope="module")
def encoder() -> AudioEncoder:
    torch.manual_seed(0)
    return AudioEncoder(CONFIG).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def samples() -> torch.Tensor:
    return 0.1 * torch.randn(1, 4 * 16000, generator=torch.Generator().manual_seed(1))


def test_shapes_and_ranges(encoder: AudioEncoder, samples: torch.Tensor) -> None:
    features = encoder.features_of(samples)
    trunk, visemes, classes = features.split((CONFIG.channels, CONFIG.visemes, CONFIG.classes), -1)
    assert features.shape == (1, 100, CONFIG.out_channels)
    assert torch.allclose(trunk.square().mean(-1), torch.ones(1, 100), atol=1e-3)
    assert visemes.min() >= 0 and visemes.max() <= 1 and torch.allclose(classes.sum(-1), torch.ones(1, 100), atol=1e-5)


@pytest.mark.parametrize(("first", "n"), [(0, 13), (30, 16), (50, 1), (84, 16)])
def test_window_is_a_slice_of_the_whole(encoder: AudioEncoder, samples: torch.Tensor, first: int, n: int) -> None:
    whole = encoder.features_of(samples)
    start, count = encoder.window(first, n)
    before, after = max(0, -start), max(0, start + count - samples.shape[1])
    span = torch.nn.functional.pad(samples, (before, after))[:, start + before : start + before + count]
    assert torch.allclose(encoder.features(span), whole[:, first : first + n], atol=2e-5)


def test_window_is_tight(encoder: AudioEncoder, samples: torch.Tensor) -> None:
    start, count = encoder.window(30, 2)
    assert encoder.features(samples[:, start : start + count]).shape[1] == 2
    assert encoder.features(samples[:, start : start + count - 1]).shape[1] == 1


def test_receptive_field_is_exactly_the_window(encoder: AudioEncoder, samples: torch.Tensor) -> None:
    x = samples.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(encoder.features_of(x)[0, 40:42].square().sum(), x)
    used = gradient[0].nonzero().flatten()
    start, count = encoder.window(40, 2)
    assert start <= used[0] < start + 8 and start + count - 8 <= used[-1] < start + count  # the FFT window fades in
    assert start == 40 * 640 - look_back(CONFIG) and start + count == 42 * 640 + look_ahead(CONFIG)


@pytest.mark.parametrize("layers", [2, 3, 7])
def test_shortcuts_hear_the_frame_itself(layers: int) -> None:
    encoder = AudioEncoder(dataclasses.replace(CONFIG, layers=layers)).eval().requires_grad_(False)
    for block in encoder.blocks:
        block.out.weight.zero_()  # leaves the shortcuts alone
    mels = torch.randn(1, CONFIG.mel_bins, 52 + 4 * 9).requires_grad_(True)  # ten frames; the sixth is number 5
    (gradient,) = torch.autograd.grad(encoder.trunk(mels)[0, :, 5].sum(), mels)
    used = gradient[0].abs().sum(0).nonzero().flatten() - CONFIG.left_mels
    assert (used[0], used[-1]) == (4 * 5 - 4, 4 * 5 + 3)


def test_later_samples_change_nothing(encoder: AudioEncoder, samples: torch.Tensor) -> None:
    needed = AudioStream(CONFIG).needed(20)
    changed = samples.clone()
    changed[:, needed:] = 0.9
    before, after = encoder.features_of(samples)[:, :21], encoder.features_of(changed)[:, :21]
    assert torch.equal(before, after)
    changed[:, needed - 100 :] = 0.9
    assert not torch.equal(before, encoder.features_of(changed)[:, :21])


@pytest.mark.parametrize("piece", [97, 160, 777, 16000])
def test_stream_does_not_depend_on_how_audio_was_pushed(
    encoder: AudioEncoder, samples: torch.Tensor, piece: int
) -> None:
    once = AudioStream(CONFIG).push(samples[:, :20000])
    often = AudioStream(CONFIG)
    for part in samples[0, :20000].split(piece):
        often = often.push(part)
    assert often.clock == once.clock == 20000
    for first, n in ((-2, 13), (0, 16), (9, 16)):
        assert torch.equal(once.features(encoder, first, n), often.features(encoder, first, n))


def test_stream_equals_the_whole(encoder: AudioEncoder, samples: torch.Tensor) -> None:
    stream, whole = AudioStream(CONFIG, seconds=1.5), encoder.features_of(samples)
    first, pushed = 0, 0
    while first + 16 <= 90:
        needed = stream.needed(first + 15)
        stream = stream.push(samples[:, pushed:needed])
        pushed = needed
        assert torch.allclose(stream.features(encoder, first, 16), whole[:, first : first + 16], atol=2e-5)
        first += 16


def test_push_does_not_change_the_old_stream(encoder: AudioEncoder, samples: torch.Tensor) -> None:
    old = AudioStream(CONFIG).push(samples[:, :20000])
    before = old.samples.clone()
    new = old.push(samples[:, 20000:]).push(torch.zeros(100))
    assert torch.equal(old.samples, before) and old.clock == 20000 and new.clock == 64100
    assert new.samples.shape == old.samples.shape and torch.equal(new.samples[:, -100:], torch.zeros(1, 100))


def test_needed_is_exact(encoder: AudioEncoder, samples: torch.Tensor) -> None:
    needed = AudioStream(CONFIG).needed(12)
    assert needed == 13 * 640 + look_ahead(CONFIG)
    AudioStream(CONFIG).push(samples[:, :needed]).features(encoder, 0, 13)
    with pytest.raises(ValueError, match="push 1 more"):
        AudioStream(CONFIG).push(samples[:, : needed - 1]).features(encoder, 0, 13)


def test_ring_too_short_is_said(encoder: AudioEncoder, samples: torch.Tensor) -> None:
    stream = AudioStream(CONFIG, seconds=1.0).push(samples)
    with pytest.raises(ValueError, match="longer ring"):
        stream.features(encoder, 10, 4)


def test_saved_stream_goes_on(encoder: AudioEncoder, samples: torch.Tensor) -> None:
    stream = AudioStream(CONFIG).push(samples[:, :30000])
    restored = AudioStream(CONFIG).restored({k: v.clone() for k, v in stream.tensors().items()})
    a, b = (s.push(samples[:, 30000:]).features(encoder, 60, 16) for s in (stream, restored))
    assert torch.equal(a, b) and restored.clock == 30000


def test_silence_is_constant(encoder: AudioEncoder) -> None:
    features = encoder.features_of(torch.zeros(1, 32000))
    assert torch.allclose(features, features[:, :1].expand_as(features), atol=1e-5) and features.isfinite().all()


def test_tone_lands_in_its_band(encoder: AudioEncoder) -> None:
    filters = mel_filterbank(CONFIG)
    assert torch.allclose(filters.sum(1), torch.ones(CONFIG.mel_bins)) and (filters >= 0).all()
    time = torch.arange(16000) / 16000
    for hertz in (100.0, 440.0, 3000.0):
        band = encoder.mel(0.3 * torch.sin(2 * torch.pi * hertz * time)[None]).mean(-1).argmax()
        centre = (filters[band] * torch.linspace(0, 8000, 257)).sum()
        assert abs(centre - hertz) < max(40.0, 0.06 * hertz)


def test_bad_audio_is_refused(encoder: AudioEncoder) -> None:
    with pytest.raises(ValueError, match="at least"):
        encoder.features(torch.zeros(1, 1000))
    with pytest.raises(ValueError, match="mono"):
        AudioStream(CONFIG).push(torch.zeros(2, 100))
    with pytest.raises(ValueError, match="multiple of 4"):
        AudioEncoder(dataclasses.replace(CONFIG, right_mels=7))


def test_sound_follows_the_encoder_to_its_device() -> None:
    """A stream's ring stays in main memory, wherever a host moves the weights."""
    stream = AudioStream(CONFIG).push(torch.zeros(16000))
    features = stream.features(AudioEncoder(CONFIG).to("meta"), 0, 4)
    assert stream.samples.device.type == "cpu" and features.device.type == "meta" and features.shape[1] == 4
