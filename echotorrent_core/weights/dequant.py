"""Weights stored with scales, as the tensors they stand for: W = float32(stored) * scale.

Layouts: ComfyUI fp8_scaled (`scale_weight`, `scale_input`, marker `scaled_fp8`), Kijai's (no `scale_input`), ComfyUI's
newer one (`weight_scale`, and `comfy_quant` or `_quantization_metadata`), optimum-quanto (`weight._data`,
`weight._scale`). fp8 without scales only needs a cast, which every read does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import torch

from ..errors import InputError
from .tensors import FP8, Rows, Source, StoredTensor

MARKER, HEADER_ENTRY = "scaled_fp8", "_quantization_metadata"
SCALES, SECOND_SCALE = (".scale_weight", ".weight_scale"), ".weight_scale_2"
NOT_FOR_WEIGHTS = (".scale_input", ".input_scale", ".output_scale", ".comfy_quant")
OTHER_VERSION = "use a bf16, fp8 scaled or GGUF version"


def dequantised(source: Source) -> Source:
    """`source` with every scaled weight decoded under its plain name, and without scales and markers.

    Embedded files (a tokenizer as bytes) become extras. InputError for a weight whose scale is missing or unknown.
    """
    found = _without_quanto(source.tensors)
    scaled_file = HEADER_ENTRY in source.metadata or any(_shows_scaling(key) for key in found)
    tensors, extras = {}, dict(source.extras)
    for key, tensor in found.items():
        layer = key.removesuffix(".weight")
        scales = [found[layer + name] for name in (*SCALES, SECOND_SCALE) if layer + name in found]
        if key != layer and scales:
            tensors[key] = _scaled(tensor, scales, found.get(f"{layer}.comfy_quant"), key)
        elif key != layer and _is_unscaled(tensor, scaled_file):
            raise InputError(
                f"{tensor.path}: '{key}' is stored as {tensor.stored} without its scale in a file of scaled weights; "
                f"expected '{layer}{SCALES[0]}' or '{layer}{SCALES[1]}': download it again or {OTHER_VERSION}"
            )
        elif _is_embedded_file(key, tensor):
            extras[key] = tensor
        elif not _is_helper(key, found):
            tensors[key] = tensor
    return replace(source, tensors=tensors, extras=extras)


def _without_quanto(tensors: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    """optimum-quanto's `X._data` and `X._scale` as X."""
    found = dict(tensors)
    for key in [key for key in tensors if key.endswith("._data")]:
        name, data = key.removesuffix("._data"), found.pop(key)
        scale = found.pop(f"{name}._scale", None)
        if scale is None or not _fits(scale, data) or data.dtype == torch.uint8:
            raise InputError(
                f"{data.path}: '{key}' is quantised by quanto as {data.stored} with "
                f"{'no scale' if scale is None else f'a scale of shape {scale.shape}'}; expected fp8 or int8 with one "
                f"scale per row: {OTHER_VERSION}"
            )
        found[name] = _times(data, scale, f"{data.stored} quanto")
    return found


def _scaled(weight: StoredTensor, scales: list[StoredTensor], described: StoredTensor | None, key: str) -> StoredTensor:
    if weight.dtype == torch.uint8 or not all(_fits(scale, weight) for scale in scales):
        raise InputError(
            f"{weight.path}: '{key}' is stored as {_format(described) or weight.stored} with scales of shape "
            f"{', '.join(str(scale.shape) for scale in scales)}; expected fp8 or int8 with one scale per weight or "
            f"row: {OTHER_VERSION}"
        )
    stored = f"{weight.stored} scaled"
    for scale in scales:
        weight = _times(weight, scale, stored)
    return weight


def _times(weight: StoredTensor, scale: StoredTensor, stored: str) -> StoredTensor:
    def open() -> Rows:
        factor, decode = scale.read(torch.float32).view(-1, 1), weight.open()
        return lambda start, stop: decode(start, stop).float() * (factor if len(factor) == 1 else factor[start:stop])

    return replace(weight, dtype=torch.float32, stored=stored, open=open)


def _fits(scale: StoredTensor, weight: StoredTensor) -> bool:
    """One scale, or one per row of a matrix."""
    rows = [(weight.shape[0],), (weight.shape[0], 1)] if len(weight.shape) == 2 else []
    return scale.shape in [(), (1,), (1, 1), *rows]


def _shows_scaling(key: str) -> bool:
    return key.endswith((*SCALES, ".comfy_quant")) or key.rpartition(".")[2] == MARKER


def _is_unscaled(weight: StoredTensor, scaled_file: bool) -> bool:
    """Matrices that make no sense without a scale: int8 ones anywhere, fp8 ones in a file of scaled weights."""
    narrow = weight.dtype == torch.int8 or (scaled_file and weight.stored in FP8.values())
    return narrow and len(weight.shape) == 2


def _is_embedded_file(key: str, tensor: StoredTensor) -> bool:
    return tensor.dtype == torch.uint8 and len(tensor.shape) == 1 and not key.endswith(".comfy_quant")


def _is_helper(key: str, found: Mapping[str, StoredTensor]) -> bool:
    """Markers, and what belongs to a weight that is there."""
    layer, _, name = key.rpartition(".")
    helpers = (*SCALES, SECOND_SCALE, *NOT_FOR_WEIGHTS)
    return name == MARKER or (f".{name}" in helpers and f"{layer}.weight" in found)


def _format(described: StoredTensor | None) -> str:
    """The format that a `comfy_quant` entry names."""
    if described is None:
        return ""
    try:
        return str(json.loads(bytes(described.read().tolist()))["format"])
    except (ValueError, KeyError, TypeError):
        return ""
