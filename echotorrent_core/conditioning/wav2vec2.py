"""wav2vec 2.0 speech features at the video's frame rate: `transformers.Wav2Vec2Model`, fed as InfiniteTalk feeds it.

The convolutional features (50 Hz) are interpolated to the video's frames before the transformer sees them, and the
output of every layer is kept. The first group norm and all attention read the whole recording, so a frame's features
depend on all of it: `features_of` and `Wav2Vec2Recording` encode a recording whole, as InfiniteTalk does;
`Wav2Vec2Stream` encodes the last seconds of a stream, as SoulX-FlashTalk does.

Dimension letters: S samples (16 kHz), F video frames, L transformer layers, C width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Wav2Vec2StreamConfig
from ..weights.source import Source, TensorSource
from .loudness import normalise_loudness
from .published import building, count, fill, named, shape

if TYPE_CHECKING:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

SAMPLE_RATE = 16000
_WHAT = "wav2vec 2.0 encoder"
_STRIDES = (5, 2, 2, 2, 2, 2, 2)  # of all published sizes; weights do not tell
_HEAD_DIM = 64  # likewise
_NORM = "encoder.pos_conv_embed.conv.parametrizations.weight.original"
_OLD_TORCH = {
    r"encoder\.pos_conv_embed\.conv\.weight_g": f"{_NORM}0",
    r"encoder\.pos_conv_embed\.conv\.weight_v": f"{_NORM}1",
}


class Wav2Vec2Encoder(nn.Module):
    """Takes a `Wav2Vec2Model` over: its convolutions run apart, their output is brought to the frame rate."""

    def __init__(self, model: Wav2Vec2Model) -> None:
        super().__init__()
        self.convolutions = model.feature_extractor
        model.feature_extractor = nn.Identity()  # type: ignore[assignment]
        self.transformer = model

    @torch.no_grad()
    def features(self, samples: Tensor, frames: int) -> Tensor:
        """(1, S) in [-1, 1], at least 400 samples, spread over `frames` video frames -> (1, F, L, C).

        The samples are used as they are: the published models expect neither zero mean nor unit variance.
        """
        model = self.transformer
        conv = self.convolutions(samples.to(model.device, model.dtype))
        conv = F.interpolate(conv, size=frames, mode="linear", align_corners=True)
        states = model(conv, output_hidden_states=True).hidden_states
        return torch.stack(states[1:], dim=2)  # the first is the input of the first layer

    def features_of(self, samples: Tensor, fps: float = 25) -> Tensor:
        """A whole recording (1, S) -> (1, F, L, C), F = int(seconds * fps).

        F is computed in floating point, as the reference does: it decides over how many frames a recording is spread,
        and some recordings of a whole number of frames come out one short.
        """
        return self.features(samples, int(samples.shape[-1] / SAMPLE_RATE * fps))


def wav2vec2_base() -> Wav2Vec2Config:
    """chinese-wav2vec2-base and wav2vec2-base: 12 layers, 768 wide, 94 million parameters."""
    return _config(768, 3072, 12, 12, (512,) * 7, (10, 3, 3, 3, 3, 2, 2), False, 128, 16, False)


def wav2vec2_config(source: TensorSource, heads: int | None = None) -> Wav2Vec2Config:
    """Configuration that fits weights in the names of `wav2vec2_names`; heads default to 64 channels each."""
    dim, _ = shape(source, "feature_projection.projection.weight", 2, _WHAT)
    ffn, _ = shape(source, "encoder.layers.0.feed_forward.intermediate_dense.weight", 2, _WHAT)
    _, per_group, positions = shape(source, f"{_NORM}1", 3, _WHAT)
    first = "feature_extractor.conv_layers"
    convolutions = [shape(source, f"{first}.{i}.conv.weight", 3, _WHAT) for i in range(len(_STRIDES))]
    return _config(
        dim,
        ffn,
        heads or max(1, dim // _HEAD_DIM),
        count(source, r"encoder\.layers\.(\d+)\."),
        tuple(conv[0] for conv in convolutions),
        tuple(conv[2] for conv in convolutions),
        f"{first}.0.conv.bias" in source.keys(),  # noqa: SIM118 (not a dict)
        positions,
        dim // per_group,
        f"{first}.1.layer_norm.weight" in source.keys(),  # noqa: SIM118 (not a dict)
    )


def _config(
    dim: int,
    ffn: int,
    heads: int,
    layers: int,
    conv_dim: tuple[int, ...],
    conv_kernel: tuple[int, ...],
    conv_bias: bool,
    positions: int,
    groups: int,
    norm_everywhere: bool,
) -> Wav2Vec2Config:
    """norm_everywhere: layer norms in every convolution, and before the transformer's layers (the large models)."""
    from transformers import Wav2Vec2Config

    return Wav2Vec2Config(
        hidden_size=dim,
        intermediate_size=ffn,
        num_attention_heads=heads,
        num_hidden_layers=layers,
        conv_dim=conv_dim,
        conv_kernel=conv_kernel,
        conv_stride=_STRIDES,
        conv_bias=conv_bias,
        num_conv_pos_embeddings=positions,
        num_conv_pos_embedding_groups=groups,
        feat_extract_norm="layer" if norm_everywhere else "group",
        do_stable_layer_norm=norm_everywhere,
        apply_spec_augment=False,
        mask_time_prob=0.0,
        mask_feature_prob=0.0,
        layerdrop=0.0,
    )


def wav2vec2_names(source: TensorSource) -> Source:
    """With or without prefix and pretraining heads, old or new spelling of the weight norm -> names of the
    `transformers` class."""
    return named(source, _OLD_TORCH, "masked_spec_embed")  # which only pretraining uses


def load_wav2vec2(
    source: TensorSource,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    heads: int | None = None,
) -> Wav2Vec2Encoder:
    """The encoder, its size read from the weights. InputError if they are not a wav2vec 2.0 encoder's."""
    from transformers import Wav2Vec2Model

    weights = wav2vec2_names(source)
    with building(weights, _WHAT):
        model = Wav2Vec2Model(wav2vec2_config(weights, heads))
    return Wav2Vec2Encoder(fill(model, weights, dtype, device))


class Wav2Vec2Stream:
    """The last seconds of the pushed audio and the clock, with the interface of `audio.AudioStream`. Not mutable.

    Features of frames [f, f + n) come from the window that ends `look_ahead` frames after them and from nothing else:
    how the audio was cut into pushes, or how much was pushed beyond, does not change them. They are not those of the
    whole recording: attention sees the window only, without what follows it, and the first group norm takes its
    statistics over the window, so pauses in it (and the silence before the first sample) scale everything else.

    samples: (1, R) float32, newest last, zeros where nothing was pushed yet; clock: samples pushed since the start;
    seconds: length of a new ring, the window and what is pushed before it is read; twice the window by default.
    """

    def __init__(
        self, config: Wav2Vec2StreamConfig, samples: Tensor | None = None, clock: int = 0, seconds: float | None = None
    ) -> None:
        self.config = config
        size = 2 * config.window * config.samples_per_frame if seconds is None else int(seconds * config.sample_rate)
        self.samples = torch.zeros(1, size) if samples is None else samples
        self.clock = clock

    def push(self, samples: Tensor) -> Wav2Vec2Stream:
        """Append mono samples, (n,) or (1, n), float32 in [-1, 1] at the encoder's rate."""
        if samples.ndim == 2 and samples.shape[0] != 1:
            raise ValueError(
                f"pushed audio must be mono (n,) or (1, n), got {tuple(samples.shape)}; average the channels first"
            )
        new = samples.detach().reshape(1, -1).to(self.samples)
        ring = torch.cat([self.samples, new], dim=1)[:, -self.samples.shape[1] :].clone()
        return Wav2Vec2Stream(self.config, ring, self.clock + new.shape[1])

    def needed(self, last_frame: int) -> int:
        """Samples that must have been pushed since the start before frames up to `last_frame` can be computed."""
        return max(0, last_frame + 1 + self.config.look_ahead) * self.config.samples_per_frame

    def features(self, encoder: Wav2Vec2Encoder, first_frame: int, n: int) -> Tensor:
        """(1, n, L * C) of frames [first_frame, first_frame + n). Raises ValueError when they do not fit the window,
        or when the ring no longer, or not yet, holds it."""
        config, step = self.config, self.config.samples_per_frame
        end = first_frame + n + config.look_ahead
        start = end - config.window
        if not config.silence:
            start = max(start, 0)
        oldest = self.clock - self.samples.shape[1]
        if n + config.look_ahead > config.window:
            raise ValueError(f"{n} frames and {config.look_ahead} of look-ahead exceed a window of {config.window}")
        if end * step > self.clock:
            raise ValueError(
                f"frames up to {first_frame + n - 1} need {end * step} samples, {self.clock} were pushed; "
                f"push {end * step - self.clock} more"
            )
        if max(start, 0) * step < oldest:
            raise ValueError(
                f"the ring starts at sample {oldest}, the window of frame {first_frame} at {start * step}; "
                "use a longer ring"
            )
        begin = start * step - oldest
        span = F.pad(self.samples[:, max(begin, 0) : end * step - oldest], (max(-begin, 0), 0))
        if config.loudness:
            span = normalise_loudness(span, config.sample_rate)
        features = encoder.features(span, end - start).flatten(2)
        wanted = torch.arange(first_frame - start, first_frame - start + n, device=features.device)
        return features[:, wanted.clamp_min(0)]

    def tensors(self) -> dict[str, Tensor]:
        """Flat dict for safetensors."""
        return {"samples": self.samples, "clock": torch.tensor(self.clock, dtype=torch.int64)}

    def restored(self, tensors: dict[str, Tensor]) -> Wav2Vec2Stream:
        """The stream of this configuration that `tensors` was taken from."""
        return Wav2Vec2Stream(self.config, tensors["samples"], int(tensors["clock"]))


@dataclass(frozen=True)
class Wav2Vec2Recording:
    """A recording that is known beforehand and was encoded whole, read as a stream is (number for number InfiniteTalk).

    whole: (1, F, L * C) in main memory, 1 MB a second for the base model; frames before and after it repeat its ends;
    pushed samples only move the clock, which is all that a saved state holds: the features are given again.
    """

    config: Wav2Vec2StreamConfig
    whole: Tensor
    clock: int = 0

    @classmethod
    def of(cls, config: Wav2Vec2StreamConfig, encoder: Wav2Vec2Encoder, samples: Tensor) -> Wav2Vec2Recording:
        """Encode mono samples (n,) or (1, n), float32 in [-1, 1], brought to -23 LUFS if `config` says so."""
        if config.loudness:
            samples = normalise_loudness(samples, config.sample_rate)
        short = max(0, config.samples_per_frame - samples.numel())
        return cls(config, encoder.features_of(F.pad(samples.reshape(1, -1), (0, short)), config.fps).flatten(2).cpu())

    @classmethod
    def of_layers(
        cls, config: Wav2Vec2StreamConfig, layers: Sequence[Tensor], samples: int, total: int = 0
    ) -> Wav2Vec2Recording:
        """From the output of each transformer layer (1, T, C) at the encoder's own 50 Hz, of a recording of so many
        samples, as programs give it that run the encoder unchanged.

        Interpolating here, behind the transformer, gives other numbers than `of`, which does it before. Features of
        frames from the recording's end up to `total` are zeros: nothing is heard.
        """
        frames = max(1, int(samples / config.sample_rate * config.fps))
        stacked = torch.stack([layer.detach()[0].cpu().float() for layer in layers], dim=1)  # T, L, C
        whole = F.interpolate(stacked.flatten(1).T[None], size=frames, mode="linear", align_corners=True)
        return cls(config, F.pad(whole, (0, max(0, total - frames))).transpose(1, 2).contiguous())

    def push(self, samples: Tensor) -> Wav2Vec2Recording:
        return replace(self, clock=self.clock + samples.shape[-1])

    def needed(self, last_frame: int) -> int:
        """Samples up to the end of `last_frame`: nothing has to be heard, but sound and video go on together."""
        return max(0, last_frame + 1) * self.config.samples_per_frame

    def features(self, encoder: Wav2Vec2Encoder, first_frame: int, n: int) -> Tensor:
        """(1, n, L * C) of frames [first_frame, first_frame + n)."""
        wanted = torch.arange(first_frame, first_frame + n, device=self.whole.device)
        return self.whole[:, wanted.clamp(0, self.whole.shape[1] - 1)]

    def tensors(self) -> dict[str, Tensor]:
        """Flat dict for safetensors."""
        return {"clock": torch.tensor(self.clock, dtype=torch.int64)}

    def restored(self, tensors: dict[str, Tensor]) -> Wav2Vec2Recording:
        """The recording as far as it was heard when `tensors` was taken."""
        return replace(self, clock=int(tensors["clock"]))
