"""The safetensors format: 8 bytes of header length, a JSON header, then the data without holes.

Read here rather than through the package: the pages it maps stay resident beside the model they are copied into.
"""

from __future__ import annotations

import json
import math
import struct
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError
from .tensors import Source, StoredTensor, map_bytes, plain, sound

MAX_HEADER = 100_000_000  # bytes, the format's own limit

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "U64": torch.uint64, "U32": torch.uint32, "U16": torch.uint16, "BOOL": torch.bool,
}  # fmt: skip


def read_safetensors(path: Path) -> Source:
    """The tensors of a file; only its header is read. InputError if it is damaged or no safetensors file."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 2 <= length <= MAX_HEADER:
            raise InputError(
                f"{path}: {_looks_like(path)}; expected safetensors or GGUF weights: download the file again"
            )
        text = file.read(length)
    start = 8 + length
    if len(text) < length:
        if not text.startswith(b"{"):
            raise InputError(
                f"{path}: {_looks_like(path)}; expected safetensors or GGUF weights: download the file again"
            )
        raise InputError(f"{path}: is cut off inside its header ({size} bytes); download the file again")
    try:
        header = json.loads(text)
        if not isinstance(header, dict):
            raise ValueError("the header is no JSON object")
        metadata = header.pop("__metadata__", None) or {}
        if not isinstance(metadata, dict):
            raise ValueError("its metadata is no JSON object")
        spans = sorted(((key, *_span(key, entry)) for key, entry in header.items()), key=lambda span: span[3:])
        end = _end(spans)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not a readable safetensors file ({error}); download the file again") from error
    if start + end != size:
        problem = "is cut off" if start + end > size else "holds more than its header says"
        raise InputError(f"{path}: {problem}: expected {start + end} bytes, found {size}; download the file again")
    tensors: dict[str, StoredTensor] = {}
    for key, dtype, shape, first, last in spans:
        tensors[key] = plain(path, partial(map_bytes, path, start + first, last - first), shape, dtype)
    return Source(tensors, (path,), {str(key): str(value) for key, value in metadata.items()})


def _span(key: str, entry: Any) -> tuple[torch.dtype, tuple[int, ...], int, int]:
    """(dtype, shape, first byte, last byte + 1) of a header entry. ValueError if it makes no sense."""
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= entry.keys():
        raise ValueError(f"the entry of '{key}' is incomplete")
    name, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(name, str) or name not in DTYPES:
        raise ValueError(f"'{key}' is stored as {name!r}, which is not read here")
    if not _sizes(shape) or not sound(shape) or not _sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"'{key}' has shape {shape!r} at {offsets!r}")
    dtype = DTYPES[name]
    first, last = offsets
    if last - first != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"'{key}' of shape {shape} takes {last - first} bytes")
    return dtype, tuple(shape), first, last


def _sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def _end(spans: list[tuple[str, torch.dtype, tuple[int, ...], int, int]]) -> int:
    """Bytes of data. ValueError if tensors overlap or leave holes."""
    end = 0
    for key, _, _, first, last in spans:
        if first != end:
            raise ValueError(f"'{key}' starts at byte {first} of the data instead of {end}")
        end = last
    return end


def _looks_like(path: Path) -> str:
    """What a file that is no safetensors seems to be, in words."""
    with open(path, "rb") as file:
        start = file.read(64)
    if not start:
        return "is empty"
    if start.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the weights themselves"
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "is a web page that was saved instead of the weights"
    text = start.decode("utf-8", errors="replace")
    if all(letter.isprintable() or letter.isspace() for letter in text):
        return f"is a text file that starts with '{' '.join(text.split())[:30]}'"
    return f"is no weight file (it starts with the bytes {start[:8].hex(' ')})"
