"""PyTorch's own format (.pth, .pt, .bin), read only on request: pickles can carry code, `weights_only` refuses it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from .tensors import Source, StoredTensor, plain

KEPT = 1 << 26  # bytes that reads may leave mapped before the file is mapped anew
CONTAINERS = ("state_dict", "model", "module", "generator_ema", "generator")  # where training scripts put the weights


class Pickle:
    """The tensors of a mapped file. Mapped pages count as memory once they were read, so the mapping is renewed."""

    def __init__(self, path: Path):
        self.path = path
        self.tensors, self.touched = load(path), 0

    def raw(self, key: str) -> Tensor:
        if self.touched > KEPT:
            self.tensors, self.touched = load(self.path), 0
        tensor = self.tensors[key]
        self.touched += tensor.nbytes
        return tensor.contiguous().view(-1).view(torch.uint8)


def read_pickle(path: Path) -> Source:
    """The tensors of a file that `torch.save` wrote. InputError if it holds more than tensors or is damaged."""
    if path.suffix == ".safetensors":  # torch goes by this name
        raise InputError(f"{path}: is a PyTorch file under the name of another format; rename it to {path.stem}.pth")
    file = Pickle(path)
    tensors: dict[str, StoredTensor] = {}
    for key, tensor in file.tensors.items():
        tensors[key] = plain(path, partial(file.raw, key), tuple(tensor.shape), tensor.dtype)
    return Source(tensors, (path,))


def load(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # a damaged pickle can raise anything
        reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{path}: is not readable as a PyTorch file of tensors ({reason}); use a safetensors version of it"
        ) from error
    found = _tensors(content)
    if not found or any(value.layout != torch.strided or value.is_quantized for value in found.values()):
        raise InputError(f"{path}: holds no dictionary of plain tensors; expected a state dict")
    return found


def _tensors(content: Any) -> dict[str, Tensor]:
    if not isinstance(content, dict):
        return {}
    found = {key: value for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)}
    inner = [content[name] for name in CONTAINERS if isinstance(content.get(name), dict)]
    return found or (_tensors(inner[0]) if inner else {})
