"""Speech -> features at the video's frame rate, with a finite receptive field and an explicit look-ahead.

Dimension letters: B batch, S samples (16 kHz), M mel hops (100 Hz), F video frames (25 Hz), C channels.

Frame f covers samples [640 f, 640 (f + 1)) and mel hops [4 f, 4 f + 4). Its features depend on the mel hops
[4 f - left_mels, 4 f + 4 + right_mels) and nothing else. No layer pads: a window of the audio gives exactly the
slice of what the whole audio gives, so a stream needs no state besides a ring of samples.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import AudioEncoderConfig

_FLOOR = 1e-6  # mel power below this is silence: about -60 dB under full-scale speech
_STEM_FIELD = 8  # mel hops the two strided convolutions of the stem read for one frame


def look_ahead(config: AudioEncoderConfig) -> int:
    """Samples after the end of a frame that its features depend on."""
    return config.right_mels * config.hop + (config.n_fft - config.hop) // 2


def look_back(config: AudioEncoderConfig) -> int:
    """Samples before the start of a frame that its features depend on."""
    return config.left_mels * config.hop + (config.n_fft - config.hop) // 2


def window(config: AudioEncoderConfig, first_frame: int, n: int) -> tuple[int, int]:
    """(start sample, number of samples) behind the features of frames [first_frame, first_frame + n).

    The start may be negative: the caller supplies zeros (silence) before sample 0 and after the end.
    """
    step = config.samples_per_frame
    return first_frame * step - look_back(config), n * step + look_back(config) + look_ahead(config)


def mel_filterbank(config: AudioEncoderConfig) -> Tensor:
    """Triangular filters (mel_bins, n_fft // 2 + 1), equally spaced in mel = 2595 log10(1 + Hz / 700), sums of 1.

    A triangle is at least one FFT bin wide on each side, so that the narrow low filters are not empty.
    """
    top = 2595.0 * torch.log10(torch.tensor(1.0 + config.sample_rate / 2 / 700.0, dtype=torch.float64))
    mels = torch.linspace(50.0, float(top), config.mel_bins + 2, dtype=torch.float64)
    hertz = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    bins = torch.linspace(0.0, config.sample_rate / 2, config.n_fft // 2 + 1, dtype=torch.float64)
    step = config.sample_rate / config.n_fft
    rise = (hertz[1:-1] - hertz[:-2]).clamp(min=step)[:, None]
    fall = (hertz[2:] - hertz[1:-1]).clamp(min=step)[:, None]
    distance = bins[None] - hertz[1:-1, None]
    weights = torch.minimum(1.0 + distance / rise, 1.0 - distance / fall).clamp(min=0.0)
    return (weights / weights.sum(1, keepdim=True)).float()


class LogMel(nn.Module):
    """Log-mel spectrogram without padding. A hop's FFT window is centred on the hop's 160 samples."""

    def __init__(self, config: AudioEncoderConfig) -> None:
        super().__init__()
        self.hop, self.n_fft = config.hop, config.n_fft
        self.window: Tensor
        self.filters: Tensor
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("filters", mel_filterbank(config), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """(B, S) -> (B, mel_bins, M), about zero mean and unit variance on speech."""
        blocks = samples.to(self.window.device).unfold(-1, self.n_fft, self.hop) * self.window
        power = torch.fft.rfft(blocks).abs().square() * (4.0 / self.n_fft)
        mels = F.linear(power, self.filters).clamp(min=_FLOOR).log10()
        return (mels.transpose(1, 2) + 3.0) / 1.5


class Block(nn.Module):
    """Residual convolution over time without padding: `kernel - 1` frames shorter, `left` of them at the start."""

    def __init__(self, channels: int, kernel: int, left: int) -> None:
        super().__init__()
        self.left = left
        self.conv = nn.Conv1d(channels, 2 * channels, kernel)
        self.out = nn.Conv1d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.out(F.gelu(self.conv(_rms(x))))
        return x[..., self.left : self.left + h.shape[-1]] + h


def _rms(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6)


class AudioEncoder(nn.Module):
    """Log-mel, two strided convolutions down to the frame rate, residual convolutions, two heads.

    Output per frame: `channels` trunk features (unit RMS), `visemes` mouth parameters in [0, 1] and the
    probabilities of `classes` viseme classes.
    """

    def __init__(self, config: AudioEncoderConfig) -> None:
        super().__init__()
        mels_per_frame = config.samples_per_frame // config.hop
        if mels_per_frame != 4 or config.samples_per_frame % config.hop:
            raise ValueError(f"audio encoder needs 4 mel hops per frame, got hop {config.hop} at {config.fps} fps")
        if (config.left_mels + config.right_mels) % 4:
            raise ValueError(
                f"left_mels + right_mels must be a multiple of 4, got {config.left_mels} + {config.right_mels}"
            )
        self.config = config
        self.mel = LogMel(config)
        c = config.channels
        self.stem1 = nn.Conv1d(config.mel_bins, 2 * c, 4, stride=2)
        self.stem2 = nn.Conv1d(2 * c, c, 3, stride=2)
        taps = (config.left_mels + config.right_mels + 4 - _STEM_FIELD) // 4  # frames the blocks take away
        sizes = [taps // config.layers + (i < taps % config.layers) for i in range(config.layers)]
        # Shortcuts stay on the frame. The look-ahead is short: most of what the blocks take away lies before it.
        ahead = taps - (config.left_mels - 2) // 4
        lefts = [size - (i < ahead) for i, size in enumerate(sizes)]
        self.blocks = nn.ModuleList(Block(c, size + 1, left) for size, left in zip(sizes, lefts, strict=True))
        self.to_visemes = nn.Conv1d(c, config.visemes, 1)
        self.to_classes = nn.Conv1d(c, config.classes, 1)

    def window(self, first_frame: int, n: int) -> tuple[int, int]:
        """(start sample, number of samples) that `features` needs for frames [first_frame, first_frame + n)."""
        return window(self.config, first_frame, n)

    def trunk(self, mels: Tensor) -> Tensor:
        """(B, mel_bins, M) -> (B, C, F) with unit RMS over C."""
        x = self.stem2(F.gelu(self.stem1(mels)))
        for block in self.blocks:
            x = block(x)
        return _rms(x)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Trunk (B, C, F) -> mouth parameters (B, 4, F) in [0, 1] and class logits (B, 15, F)."""
        return self.to_visemes(x).sigmoid(), self.to_classes(x)

    def features(self, samples: Tensor) -> Tensor:
        """(B, S) float32 in [-1, 1], S as `window` says -> (B, F, out_channels)."""
        if samples.ndim != 2 or samples.shape[1] < self.window(0, 1)[1]:
            raise ValueError(
                f"audio must be (batch, at least {self.window(0, 1)[1]} samples), got {tuple(samples.shape)}"
            )
        x = self.trunk(self.mel(samples))
        visemes, logits = self.heads(x)
        return torch.cat([x, visemes, logits.softmax(1)], dim=1).transpose(1, 2)

    def features_of(self, samples: Tensor) -> Tensor:
        """Whole recordings (B, S) -> (B, ceil(S / 640), out_channels), silence before and after."""
        frames = -(-samples.shape[1] // self.config.samples_per_frame)
        start, count = self.window(0, frames)
        return self.features(F.pad(samples, (-start, count + start - samples.shape[1])))

    forward = features


class AudioStream:
    """The last seconds of the pushed audio and the clock. Not mutable: `push` returns a new stream.

    samples: (1, R) float32, newest last, zeros where nothing was pushed yet; clock: samples pushed since the start;
    seconds: length of a new ring. R bounds both memory and how much may be pushed before it is read.
    """

    def __init__(
        self, config: AudioEncoderConfig, samples: Tensor | None = None, clock: int = 0, seconds: float = 8.0
    ) -> None:
        self.config = config
        self.samples = torch.zeros(1, int(seconds * config.sample_rate)) if samples is None else samples
        self.clock = clock

    def push(self, samples: Tensor) -> AudioStream:
        """Append mono samples, (n,) or (1, n), float32 in [-1, 1] at the encoder's rate."""
        new = samples.detach().reshape(1, -1).to(self.samples)
        if samples.ndim == 2 and samples.shape[0] != 1:
            raise ValueError(
                f"pushed audio must be mono (n,) or (1, n), got {tuple(samples.shape)}; average the channels first"
            )
        size = self.samples.shape[1]
        ring = torch.cat([self.samples, new], dim=1)[:, -size:].clone()
        return AudioStream(self.config, ring, self.clock + new.shape[1])

    def needed(self, last_frame: int) -> int:
        """Samples that must have been pushed since the start before frames up to `last_frame` can be computed."""
        start, count = window(self.config, last_frame, 1)
        return start + count

    def features(self, encoder: AudioEncoder, first_frame: int, n: int) -> Tensor:
        """(1, n, out_channels) of frames [first_frame, first_frame + n). Raises ValueError when the ring no longer,
        or not yet, holds their samples."""
        start, count = window(self.config, first_frame, n)
        if start + count > self.clock:
            raise ValueError(
                f"frames up to {first_frame + n - 1} need {start + count} samples, {self.clock} were pushed; "
                f"push {start + count - self.clock} more"
            )
        oldest = self.clock - self.samples.shape[1]
        if max(start, 0) < oldest:
            raise ValueError(
                f"the ring starts at sample {oldest}, frame {first_frame} needs {start}; use a longer ring"
            )
        begin = start - oldest
        silence = max(0, -begin)
        span = self.samples[:, begin + silence : begin + count]
        return encoder.features(F.pad(span, (silence, 0)))

    def tensors(self) -> dict[str, Tensor]:
        """Flat dict for safetensors."""
        return {"samples": self.samples, "clock": torch.tensor(self.clock, dtype=torch.int64)}

    def restored(self, tensors: dict[str, Tensor]) -> AudioStream:
        """The stream of this configuration that `tensors` was taken from."""
        return AudioStream(self.config, tensors["samples"], int(tensors["clock"]))
