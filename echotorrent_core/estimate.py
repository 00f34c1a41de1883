"""How much memory a preset takes at a size and precision, and whether the present device has it. Loads no weights.

Weights are counted on modules without memory, caches follow from the policies, and the VAE's decode runs on such a
module too. What one pass of the trunk works with is a formula, `trunk_bytes`.

Letters: n tokens of one latent, N of a chunk, K keys that its queries read, D model width, F feed-forward width.
"""

from __future__ import annotations

import os
import re
import sys
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from . import presets
from .conditioning.audio import AudioEncoder
from .conditioning.text import WordEncoder
from .config import AudioEncoderConfig, EngineConfig
from .errors import InputError
from .model.dit import Trunk
from .model.history import WritePolicy
from .vae.causal import CausalVAE
from .weights.load import on_meta
from .weights.quantise import DTYPES, quantise_linears

COMPUTE = {"float32": 4, "bfloat16": 2, "float16": 2} | dict.fromkeys(DTYPES, 2)  # quantised: bfloat16 elsewhere
STORED = {"float32": 4, "bfloat16": 2, "float16": 2, "float8_e4m3fn": 1}
SHORT = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}

UMT5_XXL, CLIP_VIT_H, WAV2VEC2_BASE = 5_680_910_336, 632_076_800, 94_371_712  # parameters of the published encoders
MAIN_MEMORY = "main memory"

RESERVE = 0.05  # of a GPU: its runtime, and what fragmentation makes useless


@dataclass(frozen=True)
class Estimate:
    """Bytes, by name. encoders: what is there one after the other, while a prompt or picture is encoded."""

    title: str
    weights: dict[str, int]
    encoders: dict[str, int]
    caches: dict[str, int]
    working: dict[str, int]
    device: str
    available: int

    @property
    def starting(self) -> int:
        """Needed while prompt and picture are encoded before a stream."""
        return sum(self.weights.values()) + max(self.encoders.values(), default=0)

    @property
    def streaming(self) -> int:
        """Needed while a stream runs; trunk and decoder work in turns."""
        return sum(self.weights.values()) + sum(self.caches.values()) + max(self.working.values())

    @property
    def changing(self) -> int:
        """Needed while a prompt or picture is encoded in mid-stream."""
        return self.starting + sum(self.caches.values())

    @property
    def fits(self) -> bool:
        return max(self.starting, self.streaming) <= self.available

    @property
    def verdict(self) -> str:
        missing = max(self.starting, self.streaming) - self.available
        if missing > 0:
            return f"does not fit, {_gb(missing).strip()} are missing; try --dtype fp8, --kv fp8 or a smaller --size"
        return "fits" if self.changing <= self.available else "fits, but not a new prompt in mid-stream"

    def lines(self) -> Iterator[str]:
        """The table the command line prints, in GB of 10^9 bytes."""
        yield self.title
        groups = {"weights": self.weights, "encoders, in turns": self.encoders, "caches": self.caches}
        for group, parts in (groups | {"working memory, in turns": self.working}).items():
            for i, (name, size) in enumerate((name, size) for name, size in parts.items() if size):
                yield f"  {group if i == 0 else '':25} {name:38} {_gb(size)}"
        yield f"  {'needed while a stream runs':64} {_gb(self.streaming)}"
        yield f"  {'needed while prompt and picture are encoded before it':64} {_gb(self.starting)}"
        yield f"{self.device}, {_gb(self.available).strip()} free for it: {self.verdict}"


def estimate(
    config: EngineConfig,
    size: tuple[int, int] | None = None,
    dtype: str = "bfloat16",
    kv_dtype: str | None = None,
    device: str | None = None,
) -> Estimate:
    """Memory of preset `config` at `size` (height, width; default the preset's).

    dtype: float32, bfloat16, float16 (or fp32, bf16, fp16), fp8 or int8 for weights; kv_dtype: of the histories, fp8
    or one of the first three, default the preset's; device: as torch names it, default the first GPU, else the CPU.
    InputError for names that are unknown and sizes that the model cannot make.
    """
    dtype, kv_dtype = _precisions(config, dtype, kv_dtype)
    size = size or config.size
    height, width = tokens_grid(config, size)
    name, available = free_memory(device)
    weights = {"trunk": trunk_weights(config, dtype), "vae (float32)": _count(CausalVAE, config.vae)}
    encoders = {}
    if isinstance(config.audio, AudioEncoderConfig):
        weights["audio encoder"] = _count(AudioEncoder, config.audio)
    else:
        weights["audio encoder wav2vec2 (float32)"] = 4 * WAV2VEC2_BASE
    if config.text.kind == "umt5":
        encoders["umT5-xxl (bfloat16)"] = 2 * UMT5_XXL
    else:
        weights["text encoder"] = _count(WordEncoder, config.text)
    if config.trunk.image_dim:  # float16 is slow on CPUs
        encoders["CLIP ViT-H"] = (4 if name == MAIN_MEMORY else 2) * CLIP_VIT_H
    encode, decode, cache = vae_bytes(config, size)
    encoders["vae encode"] = encode
    compute, stored = COMPUTE[dtype], STORED[kv_dtype]
    trunk = trunk_bytes(config, height * width, compute, stored)
    trunk += config.trunk.dim * config.trunk.ffn_dim * compute if dtype in DTYPES else 0  # a weight, unpacked
    return Estimate(
        title=f"{config.name} at {size[1]}x{size[0]}, weights {dtype}, histories {kv_dtype}",
        weights=weights,
        encoders=encoders,
        caches=cache_bytes(config, height * width, compute, stored) | {"vae decode": cache},
        working={"a pass of the trunk": trunk, "vae decode": decode},
        device=name,
        available=available,
    )


def of_preset(name: str, size: str | None, dtype: str, kv_dtype: str | None, device: str | None) -> Estimate:
    """`estimate` for a preset by name and a size as text, WIDTHxHEIGHT. InputError for one that is unknown."""
    try:
        config = presets.get_preset(name)
    except ValueError as error:
        raise InputError(str(error)) from error
    if size is None:
        return estimate(config, None, dtype, kv_dtype, device)
    numbers = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if numbers is None:
        raise InputError(f"size '{size}': expected WIDTHxHEIGHT in pixels, such as 720x400")
    return estimate(config, (int(numbers[2]), int(numbers[1])), dtype, kv_dtype, device)


def tokens_grid(config: EngineConfig, size: tuple[int, int]) -> tuple[int, int]:
    """Tokens per latent (rows, columns). InputError with the nearest possible size if there is no such grid."""
    steps = [config.vae.space_stride * patch for patch in config.trunk.patch[1:]]
    if any(pixels <= 0 or pixels % step for pixels, step in zip(size, steps, strict=True)):
        near = [max(1, round(pixels / step)) * step for pixels, step in zip(size, steps, strict=True)]
        raise InputError(
            f"size {size[1]}x{size[0]}: {config.name} makes widths and heights divisible by {steps[1]}; "
            f"the nearest is {near[1]}x{near[0]}"
        )
    return size[0] // steps[0], size[1] // steps[1]


def trunk_weights(config: EngineConfig, dtype: str) -> int:
    with on_meta():
        trunk = Trunk(config.trunk)
    for quantisation in DTYPES:
        if dtype == quantisation:
            quantise_linears(trunk, quantisation)
    layers = {name.rpartition(".")[0] for name, p in trunk.named_parameters() if p.dtype in DTYPES.values()}
    as_stored = {f"{layer}.{leaf}" for layer in layers for leaf in ("weight", "weight_scale")}
    return sum(p.nbytes if name in as_stored else p.numel() * COMPUTE[dtype] for name, p in trunk.named_parameters())


def cache_bytes(config: EngineConfig, tokens: int, compute: int, stored: int) -> dict[str, int]:
    """What a stream keeps from chunk to chunk, with values of `compute` bytes, in histories of `stored`.

    staged: new keys and values until a chunk is done, in the histories' precision; masks: float32, of layers that may
    not read everything, one for every amount of history since the stream began.
    """
    stream, latent = config.stream, 2 * tokens * config.trunk.dim  # values of one latent and layer
    histories = [layer.history for layer in config.layers]
    slots = WritePolicy(stream.cache_write, len(stream.sigmas)).slots
    scales = 2 * config.trunk.num_heads * 4 if stored == 1 else 0
    masks = set()
    for layer in config.layers if stream.window is None else ():
        filled = {min(layer.history, chunk * stream.chunk_latents) for chunk in range(layer.history + 1)}
        masks |= {(layer, past) for past in filled if layer.in_chunk != "full" or past < layer.history}
    chunk = stream.chunk_latents * tokens
    return {
        f"histories, {slots} x {sum(histories)} latents": slots * sum(histories) * (latent * stored + scales),
        "staged": slots * sum(history > 0 for history in histories) * stream.chunk_latents * (latent * stored + scales),
        "sink": _sink(config) * len(histories) * latent * compute,
        "masks": sum(4 * chunk * (chunk + (_sink(config) + layer.history) * tokens) for layer, _ in masks),
    }


def trunk_bytes(config: EngineConfig, tokens: int, compute: int, stored: int) -> int:
    """Peak of one pass of the trunk with values of b = `compute` bytes, the largest of

    turning keys    6 N D b + K D (2 b + 8)            x, its modulated copy, q, k, v, turned q; keys through float32
    attention       7 N D b + 2 K D b + N K b          and its output; joined keys and values, the mask
    feed-forward    4 N D b + 2 N F b                  hidden values before and after GELU
    head            N D (2 b + 8)                      in float32

    the first two with 2 H D b more where histories (H keys) are stored in another precision. Attention is taken as
    fused: it keeps no N x K scores. In float32 nothing is cast, and 2 b is gone from the first line.
    """
    b, dim, chunk = compute, config.trunk.dim, config.stream.chunk_latents * tokens
    past = max(layer.history for layer in config.layers) * tokens
    keys = _sink(config) * tokens + past + chunk
    masked = any(layer.in_chunk == "frame_causal" for layer in config.layers)
    turning = 6 * chunk * dim * b + keys * dim * (8 if b == 4 else 2 * b + 8)
    attention = 7 * chunk * dim * b + 2 * keys * dim * b + (chunk * keys * b if masked and b < 4 else 0)
    copies = 2 * past * dim * b if stored != b else 0
    feed_forward = 4 * chunk * dim * b + 2 * chunk * config.trunk.ffn_dim * b
    return max(turning + copies, attention + copies, feed_forward, chunk * dim * (2 * b + 8))


def _sink(config: EngineConfig) -> int:
    return config.stream.sink.latents if config.stream.window is None else 0


def vae_bytes(config: EngineConfig, size: tuple[int, int]) -> tuple[int, int, int]:
    """Of the VAE in float32, used as the engine does: peaks of encoding the reference and of decoding a later chunk,
    and the cache kept from chunk to chunk."""
    with on_meta():
        vae = CausalVAE(config.vae).requires_grad_(False).to("meta")
    chunk, rolling = config.stream.chunk_latents, config.stream.window is None
    height, width = (pixels // config.vae.space_stride for pixels in size)
    frames = 1 + config.vae.time_stride * (chunk - 1) if config.stream.condition == "first" else 1
    picture = torch.empty(1, 3, frames, *size, device="meta")
    latents = torch.empty(1, config.vae.z_dim, chunk, height, width, device="meta")
    with _FusedAttention():
        with LiveBytes() as encoding:
            vae.encode(picture)
        cache = vae.decode(latents[:, :, :1])[1] if rolling else None
        kept = sum(value.nbytes for value in (cache or {}).values())
        with LiveBytes() as decoding:
            vae.decode(latents, cache)
    return encoding.peak, decoding.peak - kept, kept


class LiveBytes(TorchDispatchMode):
    """`peak`: most bytes of tensors made inside that were alive at once, on any device, meta too."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # or the first operation would import all of torch.compile, which takes seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        given = {t.untyped_storage()._cdata for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor) and tensor.untyped_storage()._cdata not in given:
                storage = tensor.untyped_storage()
                self.now += storage.nbytes()
                weakref.finalize(storage, self._free, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return out

    def _free(self, size: int) -> None:
        self.now -= size


class _FusedAttention(TorchFunctionMode):
    """On meta, attention would be taken apart into scores that no fused kernel keeps."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.nn.functional.scaled_dot_product_attention:
            return torch.empty_like(args[0])
        return func(*args, **(kwargs or {}))


def free_memory(device: str | None = None) -> tuple[str, int]:
    """(name, bytes that a stream may take) of a device, default the first GPU, else this machine's memory."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        kind = torch.device(device).type
        if kind == "cuda":
            free, total = torch.cuda.mem_get_info(device)
            return torch.cuda.get_device_name(device), int(free - RESERVE * total)
        if kind == "mps":
            return "Apple GPU", int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device '{device}' is not usable here ({str(error).splitlines()[0]}); try cpu") from error
    if kind != "cpu":
        raise InputError(f"device '{device}': expected cuda, mps or cpu")
    return MAIN_MEMORY, _host_memory()


def _host_memory() -> int:
    """Bytes of main memory that programs may still take, within a container's limit."""
    if sys.platform == "win32":
        import ctypes

        status = (ctypes.c_uint64 * 8)(ctypes.sizeof(ctypes.c_uint64 * 8))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return status[2]
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if (info := Path("/proc/meminfo")).exists():
        lines = dict(line.split(":", 1) for line in info.read_text(encoding="utf-8").splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and (text := limit.read_text(encoding="utf-8").strip()) != "max":
        free = min(free, int(text) - int(used.read_text(encoding="utf-8")))
    return free


def _precisions(config: EngineConfig, dtype: str, kv_dtype: str | None) -> tuple[str, str]:
    dtype = SHORT.get(dtype, dtype)
    if dtype not in COMPUTE:
        raise InputError(f"weights as '{dtype}': expected one of fp32, bf16, fp16, {', '.join(DTYPES)}")
    computed = "bfloat16" if dtype in DTYPES else dtype
    kv_dtype = kv_dtype or config.stream.history_dtype or computed
    kv_dtype = {"fp8": "float8_e4m3fn"}.get(kv_dtype, SHORT.get(kv_dtype, kv_dtype))
    if kv_dtype not in STORED:
        raise InputError(f"histories as '{kv_dtype}': expected one of fp32, bf16, fp16, fp8")
    return dtype, kv_dtype


def _count(make: Any, config: Any) -> int:
    """Bytes of a module in float32."""
    with on_meta():
        module: nn.Module = make(config)
    return sum(4 * p.numel() for p in (*module.parameters(), *module.buffers()))


def _gb(size: int) -> str:
    return f"{size / 1e9:8.2f} GB"
