"""Estimates against what the engine, the loader and the published models really take."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from echotorrent_core import cli
from echotorrent_core import estimate as module
from echotorrent_core.config import (
    AudioAdapterConfig,
    EngineConfig,
    LayerPolicy,
    StreamConfig,
    TextConfig,
    TrunkConfig,
    VAEConfig,
    Wav2Vec2StreamConfig,
    WindowConfig,
)
from echotorrent_core.errors import InputError
from echotorrent_core.estimate import LiveBytes, cache_bytes, estimate, tokens_grid, trunk_bytes, trunk_weights
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import Geometry, History, RollingContext, Window
from echotorrent_core.presets import get_preset
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.load import load_module, on_meta
from echotorrent_core.weights.source import open_source

LARGE = TrunkConfig()
SMALL = TrunkConfig(dim=1536, ffn_dim=8960, num_heads=12, num_layers=30)


def config(trunk: TrunkConfig, history: int = 12, in_chunk: str = "full", **stream: object) -> EngineConfig:
    layers = (LayerPolicy(history, in_chunk),) * trunk.num_layers  # type: ignore[arg-type]
    parts = (VAEConfig(), Wav2Vec2StreamConfig(), TextConfig(kind="umt5"))
    return EngineConfig("test", (480, 832), trunk, layers, *parts, StreamConfig(**stream))  # type: ignore[arg-type]


def histories(preset: EngineConfig, size: tuple[int, int], stored: int = 2) -> float:
    """Bytes of the histories, in GB."""
    rows, columns = tokens_grid(preset, size)
    caches = cache_bytes(preset, rows * columns, 2, stored)
    return next(size for name, size in caches.items() if name.startswith("histories")) / 1e9


@pytest.mark.parametrize(
    ("trunk", "size", "latent", "window", "per_step"),
    [  # known sizes of such caches, in GB: one latent, 12 of them, with a cache per step
        (SMALL, (512, 512), 0.189, 2.26, 9.1),
        (SMALL, (480, 832), 0.288, 3.45, 13.8),
        (LARGE, (384, 704), 0.865, 10.4, 41.5),
    ],
)
def test_histories_of_known_models(
    trunk: TrunkConfig, size: tuple[int, int], latent: float, window: float, per_step: float
) -> None:
    assert histories(config(trunk, 1, cache_write="clean"), size) == pytest.approx(latent, abs=5e-4)
    assert histories(config(trunk, cache_write="last_step"), size) == pytest.approx(window, rel=4e-3)
    assert histories(config(trunk, cache_write="per_step"), size) == pytest.approx(per_step, rel=6e-3)
    assert histories(config(trunk, cache_write="per_step"), size, stored=1) == pytest.approx(per_step / 2, rel=6e-3)


TINY = TrunkConfig(
    dim=256, ffn_dim=690, num_heads=2, num_layers=2, text_dim=8, text_len=8, image_dim=0, freq_dim=32,
    audio=AudioAdapterConfig(blocks=1, channels=8, intermediate_dim=16, output_dim=32, context_tokens=4),
)  # fmt: skip


def run(preset: EngineConfig, trunk: Trunk, rows: int, columns: int, stored: torch.dtype | None) -> tuple[int, History]:
    """Peak of one pass with all histories full, and the history with what the pass has staged."""
    n, chunk, dtype = rows * columns, preset.stream.chunk_latents, trunk.dtype
    heads, width = TINY.num_heads, TINY.head_dim
    geometry = Geometry(rows, columns, width, 1e4)
    history = History(preset.layers, 1, n, stored)
    while history.written < preset.history_latents:
        for layer in range(len(preset.layers)):
            history.stage(0, layer, *torch.randn(2, 1, chunk * n, heads, width, dtype=dtype))
        history.commit(chunk)
    sink = [(torch.randn(1, n, heads, width, dtype=dtype),) * 2 for _ in preset.layers]
    window = Window.of(preset.stream.sink, preset.history_latents, chunk)
    context = RollingContext(preset.layers, geometry, window, trunk.attention, sink, history, 0, 0)  # type: ignore[arg-type]
    latents, condition = torch.randn(1, 36, chunk, 2 * rows, 2 * columns).split([16, 20], dim=1)
    text, audio = trunk.embed_text(torch.randn(1, 8, 8)), torch.randn(1, chunk, 4, 32, dtype=dtype)

    def forward() -> None:
        history.discard()
        trunk(latents, torch.ones(1), condition, text, audio, context)

    with torch.inference_mode():
        forward()  # makes masks and rotations, which stay
        with LiveBytes() as live:
            forward()
    return live.peak, history


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float8_e4m3fn])
@pytest.mark.parametrize(("history", "ffn"), [(0, 690), (12, 690), (12, 4096)])
def test_a_pass_of_the_trunk(dtype: torch.dtype, stored: torch.dtype, history: int, ffn: int) -> None:
    trunk_config = dataclasses.replace(TINY, ffn_dim=ffn)
    preset = config(trunk_config, history, "frame_causal", cache_write="clean")
    peak, kept = run(preset, Trunk(trunk_config).to(dtype).requires_grad_(False), 6, 10, stored)
    caches = cache_bytes(preset, 60, dtype.itemsize, stored.itemsize)
    estimated = trunk_bytes(preset, 60, dtype.itemsize, stored.itemsize) + caches["staged"]
    assert 0.95 * peak < estimated < 1.2 * peak
    staged = [t for pair in kept._staged.values() for ring in pair for t in ring.tensors().values()]
    assert sum(t.nbytes for t in staged) == caches["staged"]
    assert sum(t.nbytes for t in kept.tensors().values()) == caches[f"histories, 1 x {2 * history} latents"]


def test_caches_of_other_policies() -> None:
    full = cache_bytes(config(TINY, 12, "full"), 240, 2, 2)
    causal = cache_bytes(config(TINY, 12, "frame_causal"), 240, 2, 2)
    chunk, keys = 4 * 240, (1 + 12 + 4) * 240
    assert causal["masks"] == 4 * 4 * chunk * keys  # 0, 4, 8, 12 latents of history
    assert full["masks"] == 3 * 4 * chunk * keys  # none once the history is full
    assert full["sink"] == 2 * 2 * 240 * 256 * 2
    window = cache_bytes(config(TINY, 0, window=WindowConfig()), 240, 2, 2)
    assert not any(window.values())


def test_weights_equal_those_of_a_loaded_model(tmp_path: Path) -> None:
    save_file(Trunk(TINY).state_dict(), tmp_path / "t.safetensors")
    for name, dtype, quantise in (("bfloat16", torch.bfloat16, None), ("fp8", torch.bfloat16, "fp8")):
        with on_meta():
            trunk = Trunk(TINY)
        load_module(trunk, open_source(tmp_path / "t.safetensors"), dtype=dtype, quantise=quantise)  # type: ignore[arg-type]
        assert trunk_weights(config(TINY), name) == sum(p.nbytes for p in trunk.parameters())


@pytest.mark.parametrize("rolling", [True, False])
def test_vae(rolling: bool) -> None:
    """On meta it takes what the real one takes."""
    config_ = VAEConfig(z_dim=4, widths=(8, 16, 16, 16), num_res_blocks=1)
    window = None if rolling else WindowConfig()
    preset = dataclasses.replace(config(TINY, 12, window=window, condition="first"), vae=config_)
    encode, decode, cache = module.vae_bytes(preset, (64, 96))
    vae, latents = CausalVAE(config_).requires_grad_(False), torch.randn(1, 4, 4, 8, 12)
    state = vae.decode(latents[:, :, :1])[1] if rolling else None
    with LiveBytes() as live:
        vae.encode(torch.randn(1, 3, 13, 64, 96))
    assert live.peak == pytest.approx(encode, rel=0.05)
    with LiveBytes() as live:
        vae.decode(latents, state)
    assert live.peak == pytest.approx(decode + cache, rel=0.1)
    assert cache == sum(value.nbytes for value in (state or {}).values())


def test_parameters_of_the_published_encoders() -> None:
    from transformers import (
        CLIPVisionConfig,
        CLIPVisionModelWithProjection,
        UMT5Config,
        UMT5EncoderModel,
        Wav2Vec2Config,
        Wav2Vec2Model,
    )

    umt5 = UMT5Config(vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64)
    clip = CLIPVisionConfig(
        hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=16, patch_size=14,
        projection_dim=1024,
    )  # fmt: skip
    with on_meta():
        models = UMT5EncoderModel(umt5), CLIPVisionModelWithProjection(clip), Wav2Vec2Model(Wav2Vec2Config())
    counts = [sum(p.numel() for p in model.parameters()) for model in models]
    assert counts == [module.UMT5_XXL, module.CLIP_VIT_H, module.WAV2VEC2_BASE]


def test_table_and_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_memory", lambda device: ("a card", 10**9))
    found = estimate(config(LARGE), (400, 720), "fp8", "fp8")
    assert found.weights["trunk"] == pytest.approx(19.2e9, rel=0.01)  # 18.9 G parameters, most of them one byte
    assert found.starting == pytest.approx(sum(found.weights.values()) + 11.36e9, rel=0.01)  # umT5 alone
    assert found.verdict.startswith("does not fit") and not found.fits
    found = dataclasses.replace(found, encoders={"a large one": 20 * 10**9})
    most = max(found.starting, found.streaming)
    assert most == found.streaming < found.changing
    assert dataclasses.replace(found, available=most - 1).verdict.startswith("does not fit")
    assert dataclasses.replace(found, available=most).verdict == "fits, but not a new prompt in mid-stream"
    assert dataclasses.replace(found, available=found.changing).verdict == "fits"
    lines = list(found.lines())
    assert lines[0] == "test at 720x400, weights fp8, histories float8_e4m3fn"
    assert any("trunk" in line and "19.2" in line for line in lines) and "a card" in lines[-1]


def test_the_embedded_model_fits_here() -> None:
    found = estimate(get_preset("embedded"), dtype="fp32", device="cpu")
    assert found.fits and list(found.encoders) == ["vae encode"]
    assert found.weights["trunk"] > 4e6 and found.available > 1e8


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"size": (400, 721)}, "the nearest is 720x400"),
        ({"size": (0, 16)}, "the nearest is 16x16"),
        ({"dtype": "fp9"}, "'fp9'"),
        ({"kv_dtype": "int8"}, "'int8'"),
        ({"device": "cuda:99"}, "'cuda:99'"),
        ({"device": "tpu9"}, "'tpu9'"),
    ],
)
def test_bad_input(arguments: dict, says: str) -> None:
    with pytest.raises(InputError) as error:
        estimate(config(LARGE), **arguments)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_command_line(capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["estimate", "debug", "--size", "64x32", "--dtype", "fp8", "--kv", "fp8", "--device", "cpu"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "debug at 64x32, weights fp8, histories float8_e4m3fn" and out[-1].endswith(": fits")
    for bad in (["debgu"], ["debug", "--size", "64"], ["debug", "--size", "65x32"], ["debug", "--dtype", "4bit"]):
        assert cli.main(["estimate", *bad]) == 2
        error = capsys.readouterr().err
        assert error.startswith("echotorrent: ") and error.count("\n") == 1
