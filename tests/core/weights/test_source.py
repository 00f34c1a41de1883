"""Opening weight files: every format and set of files gives the tensors that were written, and reads no others."""

from __future__ import annotations

import json
import shutil
import struct
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from torch import Tensor

from echotorrent_core.errors import InputError
from echotorrent_core.weights.source import check_finite, open_source, renamed
from tests.core.weights.files import E5M2, equal, save, write_gguf


@pytest.fixture
def tensors() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {
        "blocks.0.self_attn.q.weight": torch.randn(40, 64),
        "blocks.0.self_attn.q.bias": torch.randn(40),
        "blocks.0.modulation": torch.randn(1, 6, 32),
        "patch_embedding.weight": torch.randn(32, 4, 1, 2, 2),
        "log_scale": torch.tensor(2.5),
        "half": torch.randn(3, 5).bfloat16(),
        "ids": torch.arange(7),
        "none": torch.empty(0, 4),
    }


# Formats


def test_safetensors(tensors, tmp_path) -> None:
    source = open_source(save(tensors, tmp_path / "model.safetensors", {"made": "here"}))
    equal(source, tensors)
    assert source.metadata == {"made": "here"} and source.nbytes == source.files[0].stat().st_size
    assert torch.equal(source.read("half", torch.float32), tensors["half"].float())
    assert {tensor.stored for tensor in source.tensors.values()} == {"fp32", "bf16", "int64"}


def test_a_read_tensor_is_our_own(tensors, tmp_path) -> None:
    source = open_source(save(tensors, tmp_path / "model.safetensors"))
    source.read("half").zero_()
    equal(source, tensors)


@pytest.mark.parametrize("nested", [(), ("state_dict",), ("generator", "model")])
def test_pickles_are_read_on_request_only(tensors, tmp_path, nested) -> None:
    content: dict = tensors | {"patch_embedding.weight": tensors["patch_embedding.weight"].transpose(0, 1)}
    path = tmp_path / "model.weights"  # the name does not matter
    wrapped = content
    for name in nested:
        wrapped = {name: wrapped, "step": 3}
    torch.save(wrapped, path)
    with pytest.raises(InputError, match=r"model\.weights: is a PyTorch pickle.*allow_pickle=True"):
        open_source(path)
    equal(open_source(path, allow_pickle=True), content)


def test_pickles_that_carry_code_stay_closed(tmp_path) -> None:
    class Code:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    torch.save({"weight": torch.ones(2), "code": Code()}, tmp_path / "model.pth")
    with pytest.raises(InputError, match=r"model\.pth: is not readable as a PyTorch file of tensors"):
        open_source(tmp_path / "model.pth", allow_pickle=True)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q5_0", "Q4_0", "Q4_1"])
def test_gguf(tmp_path, kind) -> None:
    values = np.random.default_rng(0).normal(size=(3000, 64)).astype(np.float32)  # of more than one slice
    blocks = gguf.quants.quantize(values, gguf.GGMLQuantizationType[kind])
    source = open_source(write_gguf(tmp_path / "model.gguf", {"a.weight": (blocks, kind)}))
    oracle = torch.from_numpy(gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType[kind]))
    assert source.shape("a.weight") == (3000, 64)
    assert torch.equal(source.read("a.weight", torch.float32), oracle)
    assert source.read("a.weight", torch.bfloat16).equal(oracle.bfloat16())
    assert source.metadata["general.architecture"] == "wan"


@pytest.mark.parametrize("kind", ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS"])
def test_gguf_k_quants(tmp_path, kind) -> None:
    quantisation = gguf.GGMLQuantizationType[kind]
    size = gguf.GGML_QUANT_SIZES[quantisation][1]
    blocks = np.random.default_rng(0).integers(
        0, 60, size=(700, 2 * size), dtype=np.uint8
    )  # finite half-precision scales
    source = open_source(write_gguf(tmp_path / "model.gguf", {"a.weight": (blocks, kind)}))
    oracle = torch.from_numpy(gguf.quants.dequantize(blocks, quantisation))
    assert torch.equal(source.read("a.weight"), oracle) and source.tensor("a.weight").stored == f"gguf {kind}"


def test_gguf_tensors_that_were_reshaped(tmp_path) -> None:
    values = np.random.default_rng(0).normal(size=(6, 32)).astype(np.float32)
    blocks = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
    path = write_gguf(
        tmp_path / "model.gguf",
        {"patch": (values, "F32"), "packed": (blocks, "Q8_0")},
        patch=[8, 3, 2, 4],
        packed=[12, 16],
    )
    source = open_source(path)
    assert torch.equal(source.read("patch"), torch.from_numpy(values).view(8, 3, 2, 4))
    oracle = torch.from_numpy(gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType.Q8_0))
    assert torch.equal(source.read("packed"), oracle.view(12, 16))


def test_gguf_without_its_package(tmp_path, monkeypatch) -> None:
    path = write_gguf(tmp_path / "model.gguf", {"a": (np.ones((2, 32), np.float32), "F32")})
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(
        InputError, match=r"model\.gguf: is a GGUF file, which needs the gguf package: pip install gguf"
    ):
        open_source(path)


# Sets of files


@pytest.fixture
def sharded(tensors, tmp_path) -> Path:
    folder = tmp_path / "sharded"
    folder.mkdir()
    keys, names = list(tensors), [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    halves = dict(zip(names, (keys[:4], keys[4:]), strict=True))
    for name, half in halves.items():
        save({key: tensors[key] for key in half}, folder / name)
    weight_map = {key: name for name, half in halves.items() for key in half}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    (folder / "config.json").write_text("{}")
    return folder


@pytest.mark.parametrize("given", [".", "model.safetensors.index.json", "model-00002-of-00002.safetensors"])
@pytest.mark.parametrize("with_index", [True, False])
def test_shards(tensors, sharded, given, with_index) -> None:
    if not with_index:
        (sharded / "model.safetensors.index.json").unlink()
        given = "." if given.endswith(".json") else given
    source = open_source(sharded / given)
    equal(source, tensors)
    assert len(source.files) == 2 and not source.parts


def test_every_shard_given(tensors, sharded) -> None:
    equal(open_source(*sorted(sharded.glob("*.safetensors"))), tensors)


@pytest.mark.parametrize("with_index", [True, False])
def test_a_missing_shard_is_named(sharded, with_index) -> None:
    (sharded / "model-00001-of-00002.safetensors").unlink()
    if not with_index:
        (sharded / "model.safetensors.index.json").unlink()
    with pytest.raises(InputError, match=r"1 .*missing \(model-00001-of-00002\.safetensors\); download"):
        open_source(sharded)


def test_an_index_of_other_shards(sharded) -> None:
    save({"other": torch.ones(2)}, sharded / "model-00001-of-00002.safetensors")
    with pytest.raises(InputError, match=r"index\.json: says that model-00001-of-00002\.safetensors holds 'blocks"):
        open_source(sharded)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"weight_map": {}}', '{"weight_map": {"a": "../b"}}'])
def test_a_damaged_index(sharded, content) -> None:
    (sharded / "model.safetensors.index.json").write_text(content)
    with pytest.raises(InputError, match=r"index\.json: .*weight_map"):
        open_source(sharded)


def test_folders(tensors, tmp_path) -> None:
    with pytest.raises(InputError, match="holds no weight files"):
        open_source(tmp_path)
    (tmp_path / "transformer").mkdir()
    save(tensors, tmp_path / "transformer" / "diffusion_pytorch_model.safetensors")
    torch.save({"other": torch.ones(2)}, tmp_path / "transformer" / "pytorch_model.bin")  # the safetensors one is taken
    equal(open_source(tmp_path / "transformer"), tensors)
    with pytest.raises(InputError, match="holds no weight files; its folders transformer do: name one of them"):
        open_source(tmp_path)
    save(tensors, tmp_path / "transformer" / "second.safetensors")
    with pytest.raises(
        InputError, match=r"several models \(diffusion_pytorch_model\.safetensors, second\.safetensors\)"
    ):
        open_source(tmp_path / "transformer")


def test_base_and_adapter(tensors, sharded, tmp_path) -> None:
    adapter = {"audio_proj.proj1.weight": torch.ones(2, 3)}
    path = save(adapter, tmp_path / "adapter.safetensors")
    source = open_source(sharded, path)
    equal(source, tensors | adapter)
    assert len(source.files) == 3 and source.nbytes == sum(file.stat().st_size for file in source.files)
    twice = shutil.copy(path, tmp_path / "copy.safetensors")
    with pytest.raises(
        InputError, match=r"copy\.safetensors: holds 'audio_proj\.proj1\.weight', and so does .*adapter"
    ):
        open_source(path, twice)


def test_renamed_is_a_view(tensors, tmp_path) -> None:
    source = open_source(save(tensors, tmp_path / "model.safetensors"))
    equal(renamed(source, {"a": "half", "b": "ids"}), {"a": tensors["half"], "b": tensors["ids"]})


# Laziness


def test_opening_and_reading_touch_only_what_is_asked_for(tmp_path) -> None:
    path = tmp_path / "huge.safetensors"  # a sparse file of 60 GB
    spans = {"big": (0, 60_000_000_000), "small": (60_000_000_000, 60_000_000_008)}
    header = {
        key: {"dtype": "F32", "shape": [(last - first) // 4], "data_offsets": [first, last]}
        for key, (first, last) in spans.items()
    }
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.seek(60_000_000_000, 1)
        file.write(struct.pack("<ff", 1.5, -2.0))
    source = open_source(path)
    assert source.shape("big") == (15_000_000_000,)
    assert source.read("small").tolist() == [1.5, -2.0]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's account of resident pages")
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_pages_of_the_file_do_not_stay_resident(tmp_path, suffix) -> None:
    def resident() -> int:
        return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssFile")) // 1024

    path = tmp_path / f"model{suffix}"
    tensors = {str(i): torch.ones(1 << 22) for i in range(8)}  # 16 MB each
    save(tensors, path) if suffix == ".safetensors" else torch.save(tensors, path)
    del tensors
    source = open_source(path, allow_pickle=True)
    before = resident()
    for key in source.keys():  # noqa: SIM118 (not a dict)
        assert source.read(key, torch.bfloat16).sum() == 1 << 22
    assert resident() - before < 100, "MB of a file of 128"


def test_a_file_that_goes_away(tensors, tmp_path) -> None:
    source = open_source(save(tensors, tmp_path / "model.safetensors"))
    (tmp_path / "model.safetensors").write_bytes(b"shorter")
    with pytest.raises(InputError, match=r"model\.safetensors: could not be read any more"):
        source.read("patch_embedding.weight")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, E5M2])
def test_values_that_are_not_finite(tmp_path, bad, dtype) -> None:
    values = torch.randn(20, 30)
    check_finite(open_source(save({"w": values}, tmp_path / "a.safetensors")), "w", values.to(dtype))
    values[3, 4] = bad
    source = open_source(save({"w": values}, tmp_path / "model.safetensors"))
    with pytest.raises(InputError, match=r"model\.safetensors: 'w' holds 1 NaN or infinite values of 600"):
        check_finite(source, "w", source.read("w").to(dtype))


def test_values_too_large_for_the_precision(tmp_path) -> None:
    source = open_source(save({"w": torch.full((3,), 1e6)}, tmp_path / "model.safetensors"))
    check_finite(source, "w", source.read("w", torch.bfloat16))
    check_finite(source, "w", torch.empty(0))
    check_finite(source, "w", torch.arange(3))
    with pytest.raises(InputError, match=r"holds 3 NaN or infinite values of 3 as fp16.*another precision"):
        check_finite(source, "w", source.read("w", torch.float16))
