"""8-bit weights: how far they are from the true ones, that LoRAs come first, and that they save, load and move."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from echotorrent_core.config import AudioAdapterConfig, TrunkConfig
from echotorrent_core.model.dit import Trunk
from echotorrent_core.weights import load
from echotorrent_core.weights.load import load_module, on_meta, shapes
from echotorrent_core.weights.lora import Lora
from echotorrent_core.weights.quantise import DTYPES, QuantisedLinear, quantise_linears, quantise_weight
from echotorrent_core.weights.source import open_source

AUDIO = AudioAdapterConfig(blocks=2, channels=8, intermediate_dim=16, output_dim=8, context_tokens=2)
CONFIG = TrunkConfig(dim=64, ffn_dim=96, num_heads=2, num_layers=2, text_dim=8, image_dim=8, freq_dim=8, audio=AUDIO)
KINDS = ["fp8", "int8"]


def make(weight: torch.Tensor, kind: str, bias: bool = True) -> tuple[nn.Linear, QuantisedLinear]:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias)
    linear.weight.data.copy_(weight)
    layer = QuantisedLinear(linear, DTYPES[kind])
    layer.weight.data, layer.weight_scale.data = quantise_weight(weight, DTYPES[kind])
    return linear, layer


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_error_of_the_weights(dtype: torch.dtype) -> None:
    weight = (torch.randn(40, 64) * torch.logspace(-4, 4, 40)[:, None]).to(dtype)  # each row has its own range
    for kind in KINDS:
        stored, scale = quantise_weight(weight, DTYPES[kind])
        assert stored.dtype == DTYPES[kind] and scale.shape == (40, 1) and scale.dtype == torch.float32
        assert torch.equal(scale, scale.bfloat16().float())  # products in bfloat16 take the same scale
        error = (stored.float() * scale - weight.float()).abs()
        step = scale * (1 if kind == "int8" else 2.0**-9)  # fp8: the smallest values have a fixed step too
        largest = weight.float().abs().amax(1, keepdim=True)
        allowed = step / 2 + largest * 2**-8 if kind == "int8" else torch.maximum(weight.float().abs() / 15.5, step)
        assert (error <= allowed).all(), kind


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_8_bits_hold_are_kept(kind: str) -> None:
    largest = 448 if kind == "fp8" else 127
    weight = largest * torch.tensor([[0.0, 1, -1], [0, 0, 0], [0.5, -0.5, 0], [2**-10, 0, 0]])
    stored, scale = quantise_weight(weight, DTYPES[kind])
    assert torch.equal(stored.float() * scale, weight)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_products(kind: str, bias: bool, dtype: torch.dtype) -> None:
    linear, layer = make(torch.randn(48, 64) / 8, kind, bias)
    x = torch.randn(2, 5, 64)
    out = layer(x.to(dtype))
    assert out.dtype == dtype and out.shape == (2, 5, 48)
    dequantised = F.linear(x, layer.weight.float() * layer.weight_scale, layer.bias)
    assert (out - dequantised).abs().max() < {torch.float32: 1e-5, torch.bfloat16: 4e-2, torch.float16: 5e-3}[dtype]
    assert (out - linear(x)).norm() / linear(x).norm() < (0.04 if kind == "fp8" else 0.012)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_linears_of_blocks(kind: str) -> None:
    with on_meta():
        trunk = Trunk(CONFIG)
    chosen = quantise_linears(trunk, kind)
    assert len(chosen) == 2 * (4 + 6 + 3 + 2)
    kinds = {name: type(layer) for name, layer in trunk.named_modules()}
    assert all(kinds[name] is QuantisedLinear for name in chosen)
    assert {name.split(".")[0] for name, kind in kinds.items() if issubclass(kind, nn.Linear)} == {
        "text_embedding", "time_embedding", "time_projection", "img_emb", "audio_proj", "head",
    }  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "trunk.safetensors"
    save_file(Trunk(CONFIG).state_dict(), path)
    return path


def trunk_of(path: Path, kind: str, **options: object) -> Trunk:
    with on_meta():
        trunk = Trunk(CONFIG)
    return load_module(trunk, open_source(path), dtype=torch.bfloat16, quantise=kind, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block", [1 << 20, 1000])
def test_loras_come_first(block: int, kind: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "BLOCK", block)
    key = "blocks.1.ffn.0"
    down, up = torch.randn(4, 64), torch.randn(96, 4)
    save_file({f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up}, tmp_path / "lora.safetensors")
    with on_meta():
        lora = Lora.open(tmp_path / "lora.safetensors", 0.5, shapes(Trunk(CONFIG)))
    layer = trunk_of(file, kind, loras=[lora]).blocks[1].ffn[0]
    merged = torch.addmm(open_source(file).read(f"{key}.weight"), up, down, alpha=0.5)
    stored, scale = quantise_weight(merged, DTYPES[kind])
    assert torch.equal(layer.weight_scale, scale) and torch.equal(layer.weight.float(), stored.float())


@pytest.mark.parametrize("kind", KINDS)
def test_memory(kind: str, file: Path) -> None:
    trunk = trunk_of(file, kind)
    for name, layer in trunk.named_modules():
        if isinstance(layer, QuantisedLinear):
            out, inner = layer.weight.shape
            assert sum(p.nbytes for p in layer.parameters()) == out * inner + 4 * out + 2 * out, name


@pytest.mark.parametrize("kind", KINDS)
def test_saved_state_loads_into_a_quantised_model_and_into_a_plain_one(kind: str, file: Path, tmp_path: Path) -> None:
    trunk = trunk_of(file, kind)
    save_file(trunk.state_dict(), tmp_path / "q.safetensors")
    with on_meta():
        again, plain = Trunk(CONFIG), Trunk(CONFIG)
    quantise_linears(again, kind)
    again.load_state_dict({k: v.clone() for k, v in trunk.state_dict().items()}, assign=True)
    load_module(plain, open_source(tmp_path / "q.safetensors"), dtype=torch.float32)
    x = torch.randn(3, 64)
    layers = [module.blocks[0].self_attn.q for module in (trunk, again, plain)]
    assert torch.equal(layers[0](x), layers[1](x))
    assert torch.allclose(layers[0](x), layers[2](x), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_casting_a_module_leaves_the_weights_in_8_bits(kind: str) -> None:
    _, layer = make(torch.randn(8, 8), kind)
    layer.to(torch.bfloat16)
    assert layer.weight.dtype == DTYPES[kind] and layer.weight_scale.dtype == torch.float32
    assert layer.to("meta").weight.is_meta
