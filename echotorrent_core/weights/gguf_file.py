"""The GGUF format, versions 2 and 3. The `gguf` package decodes its quantised blocks.

The header is read here: the package's reader makes an array of every token of an embedded tokenizer (umT5: 7 s and
500 MB) and does not end on a damaged array length.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .tensors import Rows, Source, StoredTensor, as_rows, map_bytes, plain, sound

Decoder = Callable[[Any], Any]  # rows of blocks, uint8 (n, bytes) -> float32 (n, elements)

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
LONG_ARRAY = 64  # longer ones, the tokenizer's, are skipped
ORIGINAL_SHAPE = "comfy.gguf.orig_shape."

PLAIN = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
}  # fmt: skip


@dataclass
class Cursor:
    """Reads numbers and strings one after the other. struct.error beyond the end."""

    data: mmap.mmap
    at: int = 0

    def number(self, code: str) -> Any:
        value = struct.unpack_from("<" + code, self.data, self.at)[0]
        self.at += struct.calcsize("<" + code)
        return value

    def skip(self, count: int) -> None:
        if count > len(self.data) - self.at:
            raise ValueError(f"{count} bytes at {self.at} reach beyond the end")
        self.at += count

    def string(self) -> str:
        length, start = self.number("Q"), self.at
        self.skip(length)
        return self.data[start : self.at].decode()

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            return self.array()
        if kind not in SCALARS:
            raise ValueError(f"unknown kind of value {kind}")
        return self.number(SCALARS[kind])

    def array(self) -> list[Any] | None:
        kind, count = self.number("I"), self.number("Q")
        if count <= LONG_ARRAY:
            return [self.value(kind) for _ in range(count)]
        if kind in SCALARS:
            self.skip(count * struct.calcsize("<" + SCALARS[kind]))
        elif kind == STRING:
            for _ in range(count):
                self.skip(self.number("Q"))
        else:
            raise ValueError(f"an array of {count} values of kind {kind}")
        return None


def read_gguf(path: Path) -> Source:
    """The tensors of a file; only its header is read. InputError if it is damaged, or `gguf` is not installed."""
    gguf = _package(path)
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            metadata, tensors = _header(path, Cursor(data), gguf)
    except InputError:
        raise
    except (struct.error, ValueError, KeyError, OverflowError, RecursionError) as error:
        raise InputError(f"{path}: is not a readable GGUF file ({error}); download the file again") from error
    return Source(tensors, (path,), {key: str(value) for key, value in metadata.items() if value is not None})


def _header(path: Path, cursor: Cursor, gguf: ModuleType) -> tuple[dict[str, Any], dict[str, StoredTensor]]:
    cursor.skip(4)  # "GGUF"
    version, count, fields = cursor.number("I"), cursor.number("Q"), cursor.number("Q")
    if version not in (2, 3):
        raise ValueError(f"version {version}, where 2 and 3 are known")
    metadata: dict[str, Any] = {}
    for _ in range(fields):
        key = cursor.string()
        metadata[key] = cursor.value(cursor.number("I"))
    entries = []
    for _ in range(count):
        key, dims = cursor.string(), cursor.number("I")
        if dims > 8:  # before as many sizes are read
            raise ValueError(f"'{key}' has {dims} dimensions")
        shape = tuple(cursor.number("Q") for _ in range(dims))[::-1]
        entries.append((key, shape, cursor.number("I"), cursor.number("Q")))
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 0 < alignment < 2**20:
        raise ValueError(f"alignment {alignment!r}")
    start = -(-cursor.at // alignment) * alignment
    tensors: dict[str, StoredTensor] = {}
    for key, shape, kind, offset in entries:
        original = metadata.get(ORIGINAL_SHAPE + key)
        tensors[key] = _tensor(path, len(cursor.data), gguf, key, shape, kind, start + offset, original)
    return metadata, tensors


def _tensor(
    path: Path, size: int, gguf: ModuleType, key: str, shape: tuple[int, ...], kind: int, offset: int, original: Any
) -> StoredTensor:
    quantisation = gguf.GGMLQuantizationType(kind)
    block, block_bytes = gguf.GGML_QUANT_SIZES[quantisation]
    if not shape or not sound(shape) or shape[-1] % block:
        raise ValueError(f"'{key}' of shape {shape} does not divide into blocks of {block}")
    row_bytes = shape[-1] // block * block_bytes
    nbytes = math.prod(shape[:-1]) * row_bytes
    if offset + nbytes > size:
        raise InputError(
            f"{path}: is cut off: '{key}' ends at byte {offset + nbytes}, found {size} bytes; download the file again"
        )
    named = tuple(original) if isinstance(original, list) else shape
    if not all(isinstance(size, int) and size >= 0 for size in named) or math.prod(named) != math.prod(shape):
        raise ValueError(f"'{key}' of shape {shape} is said to be {original}")
    raw, name = partial(map_bytes, path, offset, nbytes), quantisation.name
    if name in PLAIN:
        return plain(path, raw, named, PLAIN[name], "gguf ")
    decode = _decoder(path, gguf, quantisation)
    rows = (
        partial(_rows, raw, row_bytes, decode) if named == shape else partial(_reshaped, raw, row_bytes, decode, named)
    )
    return StoredTensor(named, torch.float32, "gguf " + name, path, rows)


def _rows(raw: Callable[[], Tensor], row_bytes: int, decode: Decoder) -> Rows:
    blocks = raw().view(-1, row_bytes).numpy()
    return lambda start, stop: torch.from_numpy(decode(blocks[start:stop]))


def _reshaped(raw: Callable[[], Tensor], row_bytes: int, decode: Decoder, shape: tuple[int, ...]) -> Rows:
    """Of a tensor whose rows are not those it was stored with: decoded as a whole."""
    values = as_rows(torch.from_numpy(decode(raw().view(-1, row_bytes).numpy())).view(shape))
    return lambda start, stop: values[start:stop]


def _decoder(path: Path, gguf: ModuleType, quantisation: Any) -> Decoder:
    def decode(blocks: Any) -> Any:
        return gguf.quants.dequantize(blocks, quantisation)

    try:
        decode(np.zeros((1, gguf.GGML_QUANT_SIZES[quantisation][1]), np.uint8))
    except NotImplementedError as error:
        raise InputError(
            f"{path}: stores tensors as {quantisation.name}, which the gguf package does not decode; use Q8_0, Q6_K, "
            "Q5_K, Q4_K or a safetensors version"
        ) from error
    return decode


def _package(path: Path) -> ModuleType:
    try:
        import gguf
        import gguf.quants
    except ImportError as error:
        raise InputError(f"{path}: is a GGUF file, which needs the gguf package: pip install gguf") from error
    return gguf
