"""One small checkpoint in the layouts a loader meets: every tensor of every file, under its official name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import torch
from safetensors.torch import load_file
from torch import Tensor

from echotorrent_core.weights.recognise import recognise
from echotorrent_core.weights.source import Source, open_source

from ..runner import Fixture, case

INDEX, ADAPTER = "diffusion_pytorch_model.safetensors.index.json", "infinitetalk.safetensors"
SAFETENSORS = {  # file -> the expected tensors in `io` that it holds too, and its precision
    "comfy_prefixed_fp16": (None, "fp16"),
    "scaled_fp8_e4m3fn_comfy_old": ("e4m3fn", "fp8_e4m3 scaled"),
    "scaled_fp8_e5m2_kj": ("e5m2", "fp8_e5m2 scaled"),
    "scaled_fp8_comfy_quant": ("e4m3fn", "fp8_e4m3 scaled"),
    "scaled_fp8_metadata": ("e4m3fn", "fp8_e4m3 scaled"),
    "infinitetalk_quanto_fp8": ("quanto_fp8", "fp8_e4m3 quanto"),
}

Named = Iterator[tuple[Any, ...]]  # (name, mine, golden), or (name, mine) of a tensor in `io`


@case("variants")
def variants(fixture: Fixture) -> Named:
    folder = fixture.folder
    shards = sorted(set(fixture.meta["weight_map"].values()))
    adapter = load_file(folder / ADAPTER)
    base = {key: value for shard in shards for key, value in load_file(folder / shard).items()}
    whole = trunk("fp32", folder / INDEX, folder / ADAPTER)
    yield from compared("official", whole, (base | adapter).__getitem__, base | adapter)
    for name, (group, precision) in SAFETENSORS.items():
        source = trunk(precision, folder / f"{name}.safetensors")
        raw = {
            key.removeprefix("model.diffusion_model."): v
            for key, v in load_file(folder / f"{name}.safetensors").items()
        }
        yield from compared(
            name, source, lambda key, raw=raw: decoded(raw, key), base | (adapter if "quanto" in name else {})
        )
        yield from expected(fixture, group, source)
    yield from of_gguf(fixture, base)


def trunk(precision: str, *paths: Path) -> Source:
    part = recognise(open_source(*paths))
    assert (part.kind, part.precision) == ("trunk", precision), (paths, part.kind, part.precision)
    return part.source


def compared(name: str, source: Source, golden: Callable[[str], Tensor], keys: dict[str, Tensor]) -> Named:
    """Every tensor of a file, which must hold exactly these keys."""
    assert set(source.keys()) == set(keys), f"{name}: {set(source.keys()) ^ set(keys)}"
    for key in keys:
        yield f"{name}/{key}", source.read(key), golden(key)


def expected(fixture: Fixture, group: str | None, source: Source) -> Named:
    prefix = f"out/{group}/"
    return ((name, source.read(name.removeprefix(prefix))) for name in fixture.io if name.startswith(prefix))


def decoded(raw: dict[str, Tensor], key: str) -> Tensor:
    """A tensor of a file as its layout defines it: weight.float() * scale."""
    layer = key.removesuffix(".weight")
    names = (f"{layer}.scale_weight", f"{layer}.weight_scale", f"{key}._scale")
    scales = [raw[name] for name in names if name in raw and key != layer]
    stored = raw[f"{key}._data" if f"{key}._data" in raw else key].float()
    return stored * scales[0] if scales else stored


def of_gguf(fixture: Fixture, base: dict[str, Tensor]) -> Named:
    path, types = fixture.folder / fixture.meta["gguf"]["file"], fixture.meta["gguf"]["types"]
    source = trunk("gguf Q8_0", path)
    short = {"F32": "fp32", "BF16": "bf16"}
    assert {k: t.stored for k, t in source.tensors.items()} == {k: f"gguf {short.get(t, t)}" for k, t in types.items()}
    blocks = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}

    def golden(key: str) -> Tensor:
        if types[key] == "F32":
            return base[key]
        return torch.from_numpy(gguf.quants.dequantize(blocks[key].data, blocks[key].tensor_type))

    yield from compared("gguf", source, golden, base)
    yield from expected(fixture, "gguf", source)
    with tempfile.TemporaryDirectory() as folder:
        source = open_source(k_quants(fixture, Path(folder) / "k_quants.gguf"))
        yield from ((f"out/gguf_dequant/{kind}", source.read(kind)) for kind in source.keys())  # noqa: SIM118


def k_quants(fixture: Fixture, path: Path) -> Path:
    """The fixture's raw blocks as a file, a tensor for each kind."""
    writer, prefix = gguf.GGUFWriter(path, "wan"), "in/gguf_raw/"
    for name in (name for name in fixture.io if name.startswith(prefix)):
        kind = name.removeprefix(prefix)
        writer.add_tensor(kind, fixture.io[name].numpy(), raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
