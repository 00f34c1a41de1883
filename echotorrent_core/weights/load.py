"""Fill a module built without memory from a source of tensors: read, check, merge LoRAs, cast, quantise, one by one.

with on_meta():
    trunk = Trunk(config)
source = official(open_source(path))
loras = [Lora.open(Path("distilled.safetensors"), 1.0, shapes(trunk))]
load_module(trunk, source, dtype=torch.bfloat16, device="cuda", loras=loras, quantise="fp8")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import InputError
from .lora import Change, Lora, Shape
from .quantise import DTYPES, Quantisation, quantise_linears, quantise_weight
from .source import TensorSource, check_finite

BLOCK = 1 << 20  # elements worked on at a time

Module = TypeVar("Module", bound=nn.Module)


@contextmanager
def on_meta() -> Iterator[None]:
    """Modules built inside take no memory for their parameters. Unlike under `torch.device("meta")`, buffers that are
    computed and not stored in checkpoints (position ids and the like) are real and stay right."""
    with _EmptyOnMeta():
        yield


class _EmptyOnMeta(TorchFunctionMode):
    """Parameters begin as `torch.empty` in torch.nn. Filling them is left out: for some fills torch would import its
    compiler, only to do nothing on meta."""

    FILLS = ("uniform_", "normal_", "kaiming_uniform_", "constant_", "zero_", "fill_", "eye")

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty and kwargs.get("device") is None:
            return func(*args, **kwargs | {"device": "meta"})
        if func.__name__ in self.FILLS:
            filled = kwargs.get("out", args[0] if args else kwargs.get("tensor"))
            if isinstance(filled, Tensor) and filled.is_meta:
                return filled
        return func(*args, **kwargs)


def shapes(module: nn.Module) -> dict[str, Shape]:
    """Name -> shape of everything a checkpoint of `module` holds."""
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


def check(source: TensorSource, expected: Mapping[str, Shape]) -> None:
    """InputError lists missing, unexpected and mis-shaped keys. Reads no tensor."""
    found = {key: tuple(source.shape(key)) for key in source.keys()}  # noqa: SIM118 (not a dict)
    problems = [f"missing {key}" for key in expected if key not in found]
    problems += [f"unexpected {key}" for key in found if key not in expected]
    both = [key for key in expected if key in found]
    problems += [f"{key} is {found[key]} instead of {expected[key]}" for key in both if found[key] != expected[key]]
    if problems:
        shown = "; ".join(problems[:6]) + ("; ..." if len(problems) > 6 else "")
        raise InputError(f"{_files(source)}: does not fit the model, {len(problems)} differences: {shown}")


def load_module(
    module: Module,
    source: TensorSource,
    *,
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
    loras: Sequence[Lora] = (),
    quantise: Quantisation | None = None,
) -> Module:
    """Give `module` (built under `on_meta`) the tensors of `source`, floating point ones as `dtype`, and return it.

    loras are merged in float32, before quantise turns the block linears into 8-bit ones (quantise.py). Host memory
    beyond the result is that of one tensor at a time. InputError, before anything is read, if the keys or shapes are
    not exactly the module's, later for values that are not finite in `dtype`. After an error the module holds nothing.
    """
    check(source, shapes(module))
    device = torch.device(device)
    layers = quantise_linears(module, quantise) if quantise else set()
    places = module.state_dict()
    state: dict[str, Tensor] = {}
    try:
        for key in source.keys():  # noqa: SIM118 (not a dict)
            layer, _, leaf = key.rpartition(".")
            changes = [change for lora in loras for change in lora.changes(key, device)]
            if quantise and leaf == "weight" and layer in layers:
                state[key], state[f"{layer}.weight_scale"] = _quantised(source, key, device, changes, DTYPES[quantise])
            else:
                value = _merged(source, key, device, changes, dtype)
                state[key] = _in_memory_order(value, places[key].stride())
        module.load_state_dict(state, assign=True)
    except BaseException:
        state.clear()  # the traceback would keep the tensors alive
        raise
    left = [name for name, tensor in (*module.named_parameters(), *module.named_buffers()) if tensor.is_meta]
    if left:
        raise RuntimeError(f"still on meta: {', '.join(left[:5])}; build the module under `on_meta()`")
    return module


def _merged(
    source: TensorSource, key: str, device: torch.device, changes: Sequence[Change], dtype: torch.dtype
) -> Tensor:
    """A tensor as `dtype` (integers as they are), with changes added before it is rounded."""
    if not changes:
        value = source.read(key, dtype if source.dtype(key).is_floating_point else None).to(device)
    else:
        stored = source.read(key).to(device)
        value = stored if stored.dtype == dtype else torch.empty_like(stored, dtype=dtype)
        for rows, block in _blocks(stored, changes):
            value[rows] = block
    check_finite(source, key, value)
    return value


def _quantised(
    source: TensorSource, key: str, device: torch.device, changes: Sequence[Change], dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """A weight in 8 bits with changes added before, and its scale."""
    stored = source.read(key).to(device)
    check_finite(source, key, stored)
    value, scale = torch.empty_like(stored, dtype=dtype), stored.new_empty(len(stored), 1, dtype=torch.float32)
    for rows, block in _blocks(stored, changes):
        value[rows], scale[rows] = quantise_weight(block, dtype)
    return value, scale


def _blocks(stored: Tensor, changes: Sequence[Change]) -> Iterator[tuple[slice, Tensor]]:
    """Rows of a tensor in float32 with changes added. A few at a time: large temporaries between the tensors that stay
    would leave holes in the heap, half as large as the model."""
    step = max(1, BLOCK // max(1, stored[0].numel()))
    for start in range(0, len(stored), step):
        rows = slice(start, start + step)
        block = stored[rows].to(torch.float32, copy=True)
        for change in changes:
            change.add_to(block, rows)
        yield rows, block


def _in_memory_order(value: Tensor, stride: tuple[int, ...]) -> Tensor:
    """`value` with the strides its module was built with; layers choose them for speed."""
    if value.stride() == stride:
        return value
    return torch.empty_strided(value.shape, stride, dtype=value.dtype, device=value.device).copy_(value)


def _files(source: TensorSource) -> str:
    more = len(source.files) - 1
    return f"{source.files[0]}" + (f" and {more} more" if more else "")
