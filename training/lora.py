"""LoRA through peft, inside the modules as they are: names, types and `forward` of the network do not change.

The adapters of a role train while its base stays frozen; they are written as a file that `echotorrent --lora` merges.
peft is needed only where LoRA is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from echotorrent_core.errors import InputError
from echotorrent_core.weights.parts import save_part
from echotorrent_core.weights.source import open_source

ADAPTER = "default"
BLOCK_LINEARS = r".*blocks\.\d+\.(.*attn\.(?!norm)[a-z_]+|ffn\.[02])"  # what the block of a trunk multiplies with


@dataclass(frozen=True)
class LoraSettings:
    """rank and alpha: the change is alpha / rank * up @ down; targets: pattern that matches whole names of linears.

    Numbers: FastGen's InfiniteTalk run (rank 128, alpha 64).
    """

    rank: int = 128
    alpha: float = 64.0
    targets: str = BLOCK_LINEARS


def is_adapter(name: str) -> bool:
    """Whether a parameter's name is that of a LoRA matrix."""
    return ".lora_" in name


def add_lora(module: nn.Module, settings: LoraSettings) -> None:
    """Put adapters, which change nothing yet, into the linears of `module`. InputError without peft or targets."""
    if find_spec("peft") is None:
        raise InputError("a role with mode 'lora' needs peft: pip install 'echotorrent[train]'")
    from peft import LoraConfig, inject_adapter_in_model

    linears = [name for name, layer in module.named_modules() if type(layer) is nn.Linear]
    config = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, target_modules=settings.targets)  # type: ignore[arg-type]
    try:
        inject_adapter_in_model(config, module, ADAPTER)
    except ValueError as error:
        some = ", ".join(linears[:3])
        raise InputError(f"lora.targets '{settings.targets}' matches no linear layer, such as {some}") from error


def adapters(module: nn.Module) -> dict[str, Tensor]:
    """The LoRA matrices of a module by name; none if it carries no adapter."""
    return {name: value for name, value in module.state_dict().items() if is_adapter(name)}


@contextmanager
def without_adapters(module: nn.Module) -> Iterator[None]:
    """The network as it was before its adapters; they are as before afterwards."""
    layers = [layer for layer in module.modules() if ADAPTER in getattr(layer, "scaling", ())]
    kept = [layer.scaling[ADAPTER] for layer in layers]  # type: ignore[index, union-attr]
    try:
        for layer in layers:
            layer.scaling[ADAPTER] = 0.0  # type: ignore[index, operator]
        yield
    finally:
        for layer, scale in zip(layers, kept, strict=True):
            layer.scaling[ADAPTER] = scale  # type: ignore[index, operator]


def merged(state: Mapping[str, Tensor], settings: LoraSettings) -> dict[str, Tensor]:
    """The state of a module with adapters as that of the module without them: base + alpha / rank * up @ down."""
    plain = {name.replace(".base_layer.", "."): value for name, value in state.items() if not is_adapter(name)}
    for name, down in state.items():
        if name.endswith(f".lora_A.{ADAPTER}.weight"):
            layer = name.removesuffix(f".lora_A.{ADAPTER}.weight")
            up = state[f"{layer}.lora_B.{ADAPTER}.weight"]
            weight = plain[f"{layer}.weight"]
            change = up.float() @ down.float() * (settings.alpha / settings.rank)
            plain[f"{layer}.weight"] = (weight.float() + change).to(weight.dtype)
    return plain


def save_lora(state: Mapping[str, Tensor], path: Path, settings: LoraSettings, metadata: dict[str, Any]) -> None:
    """Write the adapters among a role's tensors as one LoRA file in peft's spelling, alpha in its header."""
    found = adapters_in_file(state)
    about = {"lora_adapter_metadata": {"lora_alpha": settings.alpha, "r": settings.rank}}
    save_part(found, path, metadata | about, dtype=torch.float32)


def adapters_in_file(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The adapters among a role's tensors, by their names in a file."""
    return {_in_file(name): value for name, value in state.items() if is_adapter(name)}


def load_lora(module: nn.Module, path: Path) -> None:
    """Fill the adapters of `module` from what `save_lora` wrote. InputError lists what does not fit."""
    source = open_source(path)
    expected = adapters(module)
    names = {_in_file(name): name for name in expected}
    wrong = [f"missing {name}" for name in names if name not in source.keys()]  # noqa: SIM118 (not a dict)
    for name in source.keys():  # noqa: SIM118
        if name not in names:
            wrong.append(f"unexpected {name}")
        elif tuple(source.shape(name)) != tuple(expected[names[name]].shape):
            wrong.append(f"{name} is {tuple(source.shape(name))} instead of {tuple(expected[names[name]].shape)}")
    if wrong:
        raise InputError(
            f"{path}: a LoRA for other adapters ({len(wrong)} differences: {'; '.join(wrong[:3])}); "
            "use the same rank and targets"
        )
    module.load_state_dict({name: source.read(stored) for stored, name in names.items()}, strict=False)


def _in_file(name: str) -> str:
    """A file speaks of the trunk alone, and of one adapter."""
    return name.removeprefix("trunk.").replace(f".{ADAPTER}.", ".")
