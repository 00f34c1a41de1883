import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from safetensors.torch import save_file

from echotorrent_core.weights.source import Source, open_source
from echotorrent_core.weights.tensors import StoredTensor


@pytest.fixture
def opened(tmp_path) -> Callable[[Mapping[str, torch.Tensor]], Source]:
    """Tensors -> the source of a file that holds them."""

    def open(tensors: Mapping[str, torch.Tensor]) -> Source:
        path = tmp_path / "weights.safetensors"
        save_file({key: value.clone().contiguous() for key, value in tensors.items()}, path)
        return open_source(path)

    return open


@pytest.fixture
def randomised() -> Callable[[torch.nn.Module], torch.nn.Module]:
    """A module with every parameter drawn anew, so that none is a neutral one or zero; frozen."""

    def draw(module: torch.nn.Module) -> torch.nn.Module:
        generator = torch.Generator().manual_seed(0)
        for parameter in module.parameters():
            value = torch.randn(parameter.shape, generator=generator)
            parameter.data = 1 + 0.3 * value if parameter.ndim == 1 else value / parameter.shape[-1] ** 0.5
        return module.eval().requires_grad_(False)

    return draw


@pytest.fixture
def listed() -> Callable[[Path], Source]:
    """A list of keys, shapes and dtypes -> a source without values. Skips where the list is not beside the checkout."""

    def open(path: Path) -> Source:
        if not path.is_file():
            pytest.skip("key lists are not beside this checkout (ECHOTORRENT_SHARED names their folder)")

        def unreadable() -> NoReturn:
            raise AssertionError("only keys and shapes are known")

        tensors = {
            key: StoredTensor(tuple(shape), getattr(torch, dtype), dtype, path, unreadable)
            for key, (shape, dtype) in json.loads(path.read_text()).items()
        }
        return Source(tensors, (path,))

    return open
