"""Weight files for tests."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from echotorrent_core.weights.source import Source

E4M3, E5M2 = torch.float8_e4m3fn, torch.float8_e5m2


def save(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> Path:
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, path, metadata)
    return path


def equal(source: Source, tensors: dict[str, Tensor]) -> None:
    assert set(source.keys()) == set(tensors)
    for key, value in tensors.items():
        read = source.read(key)
        assert (
            (source.shape(key), source.dtype(key))
            == (tuple(value.shape), value.dtype)
            == (tuple(read.shape), read.dtype)
        )
        assert torch.equal(read, value), key


def write_gguf(path: Path, tensors: dict[str, tuple[np.ndarray, str]], **shapes: list[int]) -> Path:
    """Tensors by name: values, or blocks for a quantised type, and the type; `shapes` of those that were reshaped."""
    writer = gguf.GGUFWriter(path, "wan")
    writer.add_array("tokenizer.ggml.tokens", [f"piece {i}" for i in range(100)])
    writer.add_array("tokenizer.ggml.scores", [0.5] * 100)
    for key, shape in shapes.items():
        writer.add_array(f"comfy.gguf.orig_shape.{key}", shape)
    for key, (values, kind) in tensors.items():
        writer.add_tensor(key, values, raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def narrow(kind: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    stored = (torch.randn(300, 500) * 100).to(kind)
    scale = torch.rand(300, 1) + 0.1
    return stored, scale, stored.float()
