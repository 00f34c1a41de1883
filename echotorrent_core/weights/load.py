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
from .lora import Lora, Shape
from .quantise import DTYPES, Quantisation, quantise_linears, quantise_weight
from .source import TensorSource, check_finite

Module = TypeVar("Module", bound=nn.Module)


@contextmanager
def on_meta() -> Iterator[None]:
    """Modules built inside take no memory for their parameters. Unlike under `torch.device("meta")`, buffers that are
    computed and not stored in checkpoints (position ids and the like) are real and stay right."""
    with _EmptyOnMeta():
        yield


class _EmptyOnMeta(TorchFunctionMode):
    """Parameters begin as `torch.empty` in torch.nn and are initialised in place, which costs nothing on meta."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty and kwargs.get("device") is None:
            kwargs = kwargs | {"device": "meta"}
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
    layers = quantise_linears(module, quantise) if quantise else set()
    places = module.state_dict()
    state: dict[str, Tensor] = {}
    try:
        for key in source.keys():  # noqa: SIM118 (not a dict)
            layer, _, leaf = key.rpartition(".")
            quantised = leaf == "weight" and layer in layers
            value = _read(source, key, dtype, torch.device(device), loras, quantised)
            if quantise and quantised:
                state[key], state[f"{layer}.weight_scale"] = quantise_weight(value, DTYPES[quantise])
            else:
                value = value.to(dtype) if value.is_floating_point() else value
                state[key] = _in_memory_order(value, places[key].stride())
        module.load_state_dict(state, assign=True)
    except BaseException:
        state.clear()  # the traceback would keep the tensors alive
        raise
    left = [name for name, tensor in (*module.named_parameters(), *module.named_buffers()) if tensor.is_meta]
    if left:
        raise RuntimeError(f"still on meta: {', '.join(left[:5])}; build the module under `on_meta()`")
    return module


def _read(
    source: TensorSource, key: str, dtype: torch.dtype, device: torch.device, loras: Sequence[Lora], quantised: bool
) -> Tensor:
    """A tensor with its LoRAs merged: read as `dtype`, or as precisely as it is stored if it is quantised next."""
    merging = [lora for lora in loras if key in lora.deltas]
    as_stored = quantised or not source.dtype(key).is_floating_point
    value = source.read(key, torch.float32 if merging else None if as_stored else dtype).to(device)
    check_finite(source, key, value)
    for lora in merging:
        lora.merge(key, value)
    return value


def _in_memory_order(value: Tensor, stride: tuple[int, ...]) -> Tensor:
    """`value` with the strides its module was built with; layers choose them for speed."""
    if value.stride() == stride:
        return value
    return torch.empty_strided(value.shape, stride, dtype=value.dtype, device=value.device).copy_(value)


def _files(source: TensorSource) -> str:
    more = len(source.files) - 1
    return f"{source.files[0]}" + (f" and {more} more" if more else "")
