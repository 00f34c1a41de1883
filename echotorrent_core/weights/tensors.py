"""Tensors in files, not read yet. Every file format becomes a `Source` of these; views are new dictionaries of them.

A read maps the bytes of one tensor, decodes them slice by slice into the tensor it returns, and unmaps them. Neither
pages of the file nor a float32 copy of a quantised weight stay behind: all that remains in memory is the model.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ..errors import InputError

SLICE = 1 << 17  # elements decoded at a time: they stay in the processor's cache

FP8 = {torch.float8_e4m3fn: "fp8_e4m3", torch.float8_e5m2: "fp8_e5m2"}
NAMES = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16", **FP8}

Rows = Callable[[int, int], Tensor]  # (i, j) -> rows i..j of a tensor seen as (rows, last dimension)


class TensorSource(Protocol):
    """Named tensors somewhere, read one at a time."""

    def keys(self) -> list[str]: ...

    def shape(self, key: str) -> tuple[int, ...]: ...

    def dtype(self, key: str) -> torch.dtype:
        """What `read` gives when no dtype is asked for."""
        ...

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        """A new tensor on the CPU, dequantised if the file stores it quantised."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes on disk."""
        ...

    @property
    def files(self) -> tuple[Path, ...]: ...

    @property
    def metadata(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class StoredTensor:
    """One tensor in a file. dtype: what `read` gives unless asked otherwise; stored: how the file has it ('bf16',
    'fp8_e4m3 scaled', 'gguf Q8_0'); open: maps it and returns a decoder of its rows, which keeps the mapping alive."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    stored: str
    path: Path
    open: Callable[[], Rows]

    def read(self, dtype: torch.dtype | None = None) -> Tensor:
        out = torch.empty(self.shape, dtype=dtype or self.dtype)
        if out.numel() == 0:
            return out
        flat, decode = as_rows(out), self.open()
        step = max(1, SLICE // flat.shape[1])
        for start in range(0, flat.shape[0], step):
            stop = min(start + step, flat.shape[0])
            flat[start:stop].copy_(decode(start, stop))
        return out


@dataclass(frozen=True)
class Source:
    """The `TensorSource` of files. extras: what `read` takes but `keys` leaves out, such as an embedded tokenizer.
    parts: the independent sources it was merged from (a base model and its adapter), each with its own spelling."""

    tensors: Mapping[str, StoredTensor]
    files: tuple[Path, ...]
    metadata: dict[str, str] = field(default_factory=dict)
    extras: Mapping[str, StoredTensor] = field(default_factory=dict)
    parts: tuple[Source, ...] = ()

    def keys(self) -> list[str]:
        return list(self.tensors)

    def shape(self, key: str) -> tuple[int, ...]:
        return self.tensor(key).shape

    def dtype(self, key: str) -> torch.dtype:
        return self.tensor(key).dtype

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        return self.tensor(key).read(dtype)

    @property
    def nbytes(self) -> int:
        return sum(path.stat().st_size for path in self.files)

    def tensor(self, key: str) -> StoredTensor:
        return self.tensors[key] if key in self.tensors else self.extras[key]


def renamed(source: TensorSource, names: Mapping[str, str]) -> Source:
    """A lazy view of `source` under other names, {new: old}. What is not named is left out; extras stay readable."""
    tensors = {new: _tensor(source, old) for new, old in names.items()}
    extras = source.extras if isinstance(source, Source) else {}
    return Source(tensors, source.files, source.metadata, extras)


def merged(parts: Iterable[Source]) -> Source:
    """All tensors of several sources. InputError if two hold the same key."""
    parts = tuple(parts)
    tensors: dict[str, StoredTensor] = {}
    for part in parts:
        for key, tensor in part.tensors.items():
            if key in tensors:
                raise InputError(
                    f"{tensor.path}: holds '{key}', and so does {tensors[key].path}: "
                    "give one base model and, beside it, only files that add to it"
                )
            tensors[key] = tensor
    files = tuple(dict.fromkeys(path for part in parts for path in part.files))
    metadata = {key: value for part in parts for key, value in part.metadata.items()}
    extras = {key: value for part in parts for key, value in part.extras.items()}
    return Source(tensors, files, metadata, extras, parts)


def check_finite(source: TensorSource, key: str, tensor: Tensor) -> None:
    """InputError if `tensor`, read from `source` as `key`, holds NaN or infinity. One pass, no temporary."""
    if not tensor.is_floating_point() or tensor.numel() == 0:
        return
    low, high = torch.aminmax(tensor.half() if tensor.itemsize == 1 else tensor)  # both are NaN if any value is
    if not (torch.isfinite(low) and torch.isfinite(high)):
        bad = int((~torch.isfinite(tensor.float())).sum())
        raise InputError(
            f"{_tensor(source, key).path}: '{key}' holds {bad} NaN or infinite values of {tensor.numel()} as "
            f"{name_of(tensor.dtype)}; expected finite weights: download the file again or use "
            "another precision"
        )


def plain(
    path: Path, raw: Callable[[], Tensor], shape: tuple[int, ...], dtype: torch.dtype, prefix: str = ""
) -> StoredTensor:
    """A tensor whose bytes, as `raw` gives them, are its values. fp8 reads as float32, which loses nothing."""

    def open() -> Rows:
        if dtype in FP8:  # looking up is faster than torch's conversion
            table, codes = fp8_values(dtype), as_rows(raw().view(shape))
            return lambda start, stop: table.index_select(0, codes[start:stop].flatten().int()).view(stop - start, -1)
        values = as_rows(aligned(raw(), dtype).view(dtype).view(shape))
        return lambda start, stop: values[start:stop]

    return StoredTensor(shape, torch.float32 if dtype in FP8 else dtype, prefix + name_of(dtype), path, open)


@cache
def fp8_values(dtype: torch.dtype) -> Tensor:
    """What each of the 256 codes stands for, float32."""
    return torch.arange(256, dtype=torch.uint8).view(dtype).float()


def name_of(dtype: torch.dtype) -> str:
    return NAMES.get(dtype, str(dtype).removeprefix("torch."))


def sound(shape: Iterable[int]) -> bool:
    """Whether a shape read from a file is one that a tensor can have."""
    sizes = [max(1, size) for size in shape]
    return len(sizes) <= 8 and math.prod(sizes) < 1 << 48


def as_rows(tensor: Tensor) -> Tensor:
    """A view as (rows, last dimension); scalars are (1, 1)."""
    return tensor.view(-1, tensor.shape[-1]) if tensor.ndim else tensor.view(1, 1)


def aligned(raw: Tensor, dtype: torch.dtype) -> Tensor:
    """Bytes at an address that `dtype` may be viewed at: old writers do not align their tensors."""
    return raw.clone() if raw.data_ptr() % dtype.itemsize else raw


def map_bytes(path: Path, offset: int, nbytes: int) -> Tensor:
    """Bytes of a file as a mapped uint8 tensor; unmapped when that dies. Writing to it does not reach the file."""
    start = offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
    skip = offset - start
    try:
        with open(path, "rb") as file:
            mapping = mmap.mmap(file.fileno(), skip + nbytes, access=mmap.ACCESS_COPY, offset=start)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: could not be read any more ({error}); it must stay in place while it is used"
        ) from error
    return torch.frombuffer(mapping, dtype=torch.uint8, count=nbytes, offset=skip)


def _tensor(source: TensorSource, key: str) -> StoredTensor:
    if isinstance(source, Source):
        return source.tensor(key)

    def open() -> Rows:
        values = as_rows(source.read(key))
        return lambda start, stop: values[start:stop]

    dtype = source.dtype(key)
    return StoredTensor(source.shape(key), dtype, name_of(dtype), source.files[0], open)
