"""Configuration: frozen dataclasses of numbers. A preset is one complete `EngineConfig`.

Nothing here imports torch, so the command line and the ComfyUI side can read a preset at no cost.
"""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass, field
from typing import Any, Literal, get_type_hints

from .guidance import Guidance

InChunk = Literal["full", "frame_causal"]
CacheWrite = Literal["per_step", "last_step", "clean"]
Prediction = Literal["velocity", "reference_residual"]
Precision = Literal["float32", "bfloat16", "float16", "float8_e4m3fn"]


@dataclass(frozen=True)
class LayerPolicy:
    """What one trunk layer may read.

    history: latents of earlier chunks kept in a ring; 0 reads none.
    in_chunk: `full` (bidirectional inside the chunk) or `frame_causal` (latent t reads latents <= t).
    sink: whether it reads the reference sink.
    """

    history: int = 0
    in_chunk: InChunk = "full"
    sink: bool = True


@dataclass(frozen=True)
class AudioAdapterConfig:
    """InfiniteTalk's audio projection and cross-attention (its names and layout).

    window: video frames around each frame; blocks x channels: shape of one frame's features;
    inject: also add the pooled audio of a latent frame to its timestep embedding (not in InfiniteTalk).
    """

    window: int = 5
    blocks: int = 12
    channels: int = 768
    intermediate_dim: int = 512
    output_dim: int = 768
    context_tokens: int = 32
    inject: bool = False


@dataclass(frozen=True)
class TrunkConfig:
    """The Wan-shaped diffusion transformer. in_dim counts latents + mask + condition latents."""

    dim: int = 5120
    ffn_dim: int = 13824
    num_heads: int = 40
    num_layers: int = 40
    in_dim: int = 36
    out_dim: int = 16
    patch: tuple[int, int, int] = (1, 2, 2)
    text_dim: int = 4096
    text_len: int = 512
    image_dim: int = 1280  # CLIP width; 0 = no image tokens
    freq_dim: int = 256
    eps: float = 1e-6
    rope_theta: float = 10000.0
    prediction: Prediction = "velocity"
    audio: AudioAdapterConfig | None = field(default_factory=AudioAdapterConfig)

    @property
    def head_dim(self) -> int:
        return self.dim // self.num_heads


@dataclass(frozen=True)
class VAEConfig:
    """Wan's causal VAE, whose numbers are the defaults, and what the small embedded VAE changes.

    widths: channels per resolution, finest first; decoder_widths: the decoder's own, None = widths; temporal, spatial:
    which of the len(widths)-1 down-samplings halve time, and space; patch: pixel-unshuffle before the first
    convolution; kernel_t: temporal kernel per resolution; attention: in the middle blocks; norm: RMS norms;
    linear_skip: a PCA patch codec runs beside the network, which learns its residual;
    mean, std: per-channel normalisation of latents.
    """

    z_dim: int = 16
    widths: tuple[int, ...] = (96, 192, 384, 384)
    decoder_widths: tuple[int, ...] | None = None
    num_res_blocks: int = 2
    temporal: tuple[bool, ...] = (False, True, True)
    spatial: tuple[bool, ...] = (True, True, True)
    patch: int = 1
    kernel_t: tuple[int, ...] = (3, 3, 3, 3)
    attention: bool = True
    norm: bool = True
    linear_skip: bool = False
    linear_encoder: bool = False
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    @property
    def space_stride(self) -> int:
        return self.patch * 2 ** sum(self.spatial)

    @property
    def time_stride(self) -> int:
        return 2 ** sum(self.temporal)


@dataclass(frozen=True)
class AudioEncoderConfig:
    """Log-mel + convolutions -> features at the video's frame rate, with explicit look-ahead.

    left_mels / right_mels: receptive field in mel hops before / after a frame; right_mels is the look-ahead.
    visemes: regressed mouth parameters (open, wide, teeth, tongue); classes: viseme classes.
    The output per frame is `channels + visemes + classes` wide.
    """

    sample_rate: int = 16000
    fps: int = 25
    mel_bins: int = 64
    hop: int = 160
    n_fft: int = 512
    channels: int = 128
    layers: int = 7
    left_mels: int = 40
    right_mels: int = 8
    visemes: int = 4
    classes: int = 15

    @property
    def samples_per_frame(self) -> int:
        return self.sample_rate // self.fps

    @property
    def out_channels(self) -> int:
        return self.channels + self.visemes + self.classes


@dataclass(frozen=True)
class Wav2Vec2StreamConfig:
    """What one reading of a stream covers.

    window: frames the encoder reads at once (200 = 8 s, as SoulX-FlashTalk);
    look_ahead: frames after the last wanted one in that window: delay bought for context on both sides;
    silence: the window is full length from the start, silence before the first sample (as SoulX-FlashTalk); otherwise
    it starts at the first sample, and frames before that repeat the first one;
    loudness: bring each window to -23 LUFS.
    """

    fps: int = 25
    window: int = 200
    look_ahead: int = 0
    silence: bool = True
    loudness: bool = True
    sample_rate: int = 16000

    @property
    def samples_per_frame(self) -> int:
        return self.sample_rate // self.fps


@dataclass(frozen=True)
class TextConfig:
    """Small word-table text conditioning; `kind="umt5"` families bring their own encoder.

    negative: the prompt that text guidance leads away from.
    """

    kind: Literal["words", "umt5"] = "words"
    dim: int = 32
    length: int = 8
    negative: str = ""


@dataclass(frozen=True)
class MotionConfig:
    """Seeded head motion, blinks and gaze beside the small model's audio features (conditioning/motion.py).

    Standard deviations relative to the reference: radians for yaw, pitch, roll; head heights (about 0.4 of the
    picture) for shift. turn: yaw of a prompted head turn in radians; blink_seconds: mean time between blinks.
    """

    yaw: float = 0.05
    pitch: float = 0.03
    roll: float = 0.02
    shift: float = 0.01
    turn: float = 0.2
    blink_seconds: float = 3.5


@dataclass(frozen=True)
class SinkConfig:
    """The reference sink. source: keep the `reference`, or replace it by the first generated latent
    after chunk 1 (`first_generated`, paper Alg. 2 line 15). offset: latents between the sink and the
    oldest history position; offset_random > 0 draws 0..offset_random extra from the stream's generator.
    """

    source: Literal["reference", "first_generated"] = "reference"
    latents: int = 1
    offset: int = 1
    offset_random: int = 0


@dataclass(frozen=True)
class WindowConfig:
    """Window mode: a chunk is made afresh and begins with the last frames of the one before as clean latents.

    overlap: those frames, 1 + 4 n; colour: strength of the transfer of the reference's colours to every frame.
    """

    overlap: int = 9
    colour: float = 1.0


@dataclass(frozen=True)
class StreamConfig:
    """Policies of the stream (DESIGN section 2).

    sigmas: noise levels of a chunk's steps, descending, without the final 0.
    condition: the reference stands beside every latent (`repeat`), or beside the stream's first one and mid grey
    beside the others (`first`, Wan I2V).
    window: window mode; None goes on from histories.
    history_dtype: precision in which histories are kept; None keeps them as computed.
    """

    chunk_latents: int = 4
    sigmas: tuple[float, ...] = (1.0, 0.9375, 0.8333, 0.625)
    sampler: Literal["renoise", "euler", "unipc"] = "renoise"
    cache_write: CacheWrite = "per_step"
    history_dtype: Precision | None = None
    sink: SinkConfig = field(default_factory=SinkConfig)
    condition: Literal["repeat", "first"] = "repeat"
    guidance: Guidance = field(default_factory=Guidance)
    window: WindowConfig | None = None
    fps: int = 25


@dataclass(frozen=True)
class EngineConfig:
    """Everything that defines an engine. `size` is the native (height, width) in pixels."""

    name: str
    size: tuple[int, int]
    trunk: TrunkConfig
    layers: tuple[LayerPolicy, ...]
    vae: VAEConfig
    audio: AudioEncoderConfig | Wav2Vec2StreamConfig
    text: TextConfig
    stream: StreamConfig
    motion: MotionConfig | None = None

    def __post_init__(self) -> None:
        if len(self.layers) != self.trunk.num_layers:
            raise ValueError(
                f"preset {self.name}: {len(self.layers)} layer policies for {self.trunk.num_layers} layers"
            )
        if self.trunk.dim % self.trunk.num_heads:
            raise ValueError(
                f"preset {self.name}: dim {self.trunk.dim} is not divisible by {self.trunk.num_heads} heads"
            )
        if not self.stream.sigmas or list(self.stream.sigmas) != sorted(self.stream.sigmas, reverse=True):
            raise ValueError(f"preset {self.name}: sigmas must be a descending list, got {self.stream.sigmas}")

    @property
    def speakers(self) -> int:
        """How many speakers the model tells apart."""
        return 1 if self.trunk.audio is None or self.trunk.audio.inject else 2

    @property
    def history_latents(self) -> int:
        """Longest history any layer keeps."""
        return max(layer.history for layer in self.layers)


def to_dict(config: Any) -> dict[str, Any]:
    """Plain nested dict of a config dataclass (JSON-ready once tuples become lists)."""
    return dataclasses.asdict(config)


def from_dict(cls: type, data: dict[str, Any]) -> Any:
    """Build config dataclass `cls` from nested dicts. Unknown keys raise ValueError with a suggestion."""
    hints = get_type_hints(cls)
    names = [f.name for f in dataclasses.fields(cls)]
    for key in data:
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else f"; known keys: {', '.join(names)}"
            raise ValueError(f"unknown key '{key}' in {cls.__name__}{hint}")
    return cls(**{key: _coerce(hints[key], value) for key, value in data.items()})


def _coerce(hint: Any, value: Any) -> Any:
    args = getattr(hint, "__args__", ())
    if isinstance(value, dict):  # a dataclass, an optional one, or one of several: that which knows most of the keys
        known = [a for a in (hint, *args) if dataclasses.is_dataclass(a)]
        return from_dict(max(known, key=lambda a: len({f.name for f in dataclasses.fields(a)} & value.keys())), value)  # type: ignore[arg-type, type-var]
    if isinstance(value, list):
        inner = next((a for a in args if dataclasses.is_dataclass(a)), None)
        return tuple(from_dict(inner, v) if inner and isinstance(v, dict) else v for v in value)  # type: ignore[arg-type]
    return value
