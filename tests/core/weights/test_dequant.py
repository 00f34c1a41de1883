"""Weights stored with scales: every layout gives float32(stored) * scale; a missing or unknown scale is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from echotorrent_core.errors import InputError
from echotorrent_core.weights.source import open_source, renamed
from tests.core.weights.files import E4M3, E5M2, equal, narrow, save


def scaled_layouts() -> dict[str, tuple[dict[str, Tensor], dict[str, str], Tensor, str]]:
    stored, rows, values = narrow(E4M3)
    wide, _, wide_values = narrow(E5M2)
    int8 = (torch.randn(300, 500) * 40).to(torch.int8)
    one, entry = torch.tensor(0.37), torch.frombuffer(bytearray(b'{"format": "float8_e4m3fn"}'), dtype=torch.uint8)
    fp8, header = "fp8_e4m3 scaled", {"_quantization_metadata": '{"layers": {"l": {}}}'}
    weight, marker = {"l.weight": stored}, {"scaled_fp8": torch.empty(0, dtype=E4M3)}
    activations = {"l.input_scale": one, "l.output_scale": one}
    return {
        "comfy old": (weight | {"l.scale_weight": one, "l.scale_input": one} | marker, {}, values * one, fp8),
        "prefixed": (
            {"m.l.weight": stored, "m.l.scale_weight": one, "m.scaled_fp8": torch.empty(0).to(E4M3)}, {},
            values * one, fp8,
        ),
        "kijai": (
            {"l.weight": wide, "l.scale_weight": one[None], "scaled_fp8": torch.zeros(2).to(E5M2)}, {},
            wide_values * one, "fp8_e5m2 scaled",
        ),
        "comfy new": (weight | {"l.weight_scale": one, "l.comfy_quant": entry}, {}, values * one, fp8),
        "header": (weight | {"l.weight_scale": rows} | activations, header, values * rows, fp8),
        "two scales": (weight | {"l.weight_scale": one, "l.weight_scale_2": one}, {}, values * one * one, fp8),
        "int8": ({"l.weight": int8, "l.weight_scale": rows[:, 0]}, {}, int8.float() * rows, "int8 scaled"),
        "quanto": (
            {"l.weight._data": stored, "l.weight._scale": rows} | activations, {}, values * rows, "fp8_e4m3 quanto",
        ),
        "quanto int8": ({"l.weight._data": int8, "l.weight._scale": rows}, {}, int8.float() * rows, "int8 quanto"),
        "plain": (weight, {}, values, "fp8_e4m3"),
    }  # fmt: skip


@pytest.mark.parametrize("layout", scaled_layouts())
def test_scaled_weights(tmp_path, layout) -> None:
    tensors, metadata, oracle, name = scaled_layouts()[layout]
    bias = torch.randn(300).half()
    source = open_source(save(tensors | {"l.bias": bias}, tmp_path / "model.safetensors", metadata))
    key = next(key for key in source.keys() if key.endswith("l.weight"))  # noqa: SIM118 (not a dict)
    equal(source, {key: oracle, "l.bias": bias})
    assert source.tensor(key).stored == name
    assert source.read(key, torch.bfloat16).equal(oracle.bfloat16())


def test_every_fp8_code_is_what_torch_says(tmp_path) -> None:
    for kind in (E4M3, E5M2):
        codes = torch.arange(256, dtype=torch.uint8).view(kind)[None]
        source = open_source(save({"codes": codes}, tmp_path / "codes.safetensors"))
        assert torch.allclose(source.read("codes"), codes.float(), rtol=0, atol=0, equal_nan=True)


def test_an_embedded_tokenizer_is_kept_aside(tmp_path) -> None:
    stored, _, values = narrow(E4M3)
    spiece = torch.arange(9, dtype=torch.uint8)
    path = save(
        {"l.weight": stored, "l.scale_weight": torch.tensor(1.0), "spiece_model": spiece}, tmp_path / "t5.safetensors"
    )
    source = open_source(path)
    equal(source, {"l.weight": values})
    assert torch.equal(source.read("spiece_model"), spiece)
    assert torch.equal(renamed(source, {"a": "l.weight"}).read("spiece_model"), spiece)


def unscaled() -> dict[str, tuple[dict[str, Tensor], dict[str, str]]]:
    stored, rows, _ = narrow(E4M3)
    one = torch.tensor(1.0)
    packed = torch.zeros(300, 250, dtype=torch.uint8)
    nvfp4 = torch.frombuffer(bytearray(b'{"format": "nvfp4"}'), dtype=torch.uint8)
    return {
        "marker": ({"l.weight": stored, "scaled_fp8": torch.empty(0, dtype=E4M3)}, {}),
        "header": ({"l.weight": stored}, {"_quantization_metadata": "{}"}),
        "neighbour": ({"l.weight": stored, "m.weight": stored, "m.scale_weight": one}, {}),
        "int8": ({"l.weight": torch.zeros(3, 4, dtype=torch.int8)}, {}),
        "quanto": ({"l.weight._data": stored}, {}),
        "quanto int4": ({"l.weight._data": packed, "l.weight._scale": rows}, {}),
        "blocks": ({"l.weight": stored, "l.weight_scale": torch.ones(300, 4)}, {}),
        "nvfp4": ({"l.weight": packed, "l.weight_scale": torch.ones(300, 32).to(E4M3), "l.comfy_quant": nvfp4}, {}),
    }


@pytest.mark.parametrize("case", unscaled())
def test_weights_without_a_usable_scale(tmp_path, case) -> None:
    tensors, metadata = unscaled()[case]
    path = save(tensors, tmp_path / "model.safetensors", metadata)
    with pytest.raises(
        InputError, match=r"model\.safetensors: 'l\.weight.*scale.*expected.*use a bf16, fp8 scaled or GGUF"
    ) as e:
        open_source(path)
    assert case != "nvfp4" or "nvfp4" in str(e.value)
