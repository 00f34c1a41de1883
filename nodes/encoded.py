"""What ComfyUI's own encoders made, checked: CONDITIONING, CLIP_VISION_OUTPUT and AUDIO_ENCODER_OUTPUT as tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from torch import Tensor

from ..echotorrent_core.errors import InputError

CLIP_TOKENS = 257  # of CLIP ViT-H: 16 x 16 patches and the picture as a whole
SPEECH_RATE = 16000  # samples a second that speech encoders hear,
FIELD, HOP = 400, 320  # of which one of their 50 features a second covers so many, so far apart


def text_rows(conditioning: Any) -> Tensor:
    """CONDITIONING -> rows (1, L, dim) of one prompt, without the empty rows at the end that ComfyUI pads with."""
    entries = list(conditioning)
    if len(entries) != 1:
        raise InputError(
            f"conditioning has {len(entries)} parts and a video follows one; connect one 'CLIP Text Encode'"
        )
    rows, extras = entries[0]
    if strange := sorted(name for name, value in extras.items() if value is not None and name != "pooled_output"):
        raise InputError(
            f"conditioning also says {', '.join(strange)}, which a talking video cannot follow; connect 'CLIP Text "
            "Encode' itself"
        )
    rows = _finite(rows, 3, "conditioning")
    used = rows[0].any(dim=-1).nonzero()
    return rows[:, : int(used.max()) + 1 if len(used) else 1].contiguous()


def image_tokens(output: Any) -> Tensor:
    """CLIP_VISION_OUTPUT -> tokens (1, 257, dim) before the last layer."""
    try:
        tokens = output["penultimate_hidden_states"]
    except (KeyError, AttributeError):
        raise InputError("clip_vision_output holds no tokens; connect 'CLIP Vision Encode'") from None
    tokens = _finite(tokens, 3, "clip_vision_output")
    if tokens.shape[1] != CLIP_TOKENS:
        raise InputError(
            f"clip_vision_output has {tokens.shape[1]} tokens, CLIP ViT-H makes {CLIP_TOKENS}; load clip_vision_h"
        )
    return tokens


def speech_layers(output: Any, seconds: float, what: str) -> tuple[Tensor, ...]:
    """AUDIO_ENCODER_OUTPUT of a sound of so many seconds -> the output (1, T, dim) of each layer, 50 a second."""
    layers = output.get("encoded_audio_all_layers") if isinstance(output, dict) else None
    if not layers or len(layers) < 2:
        raise InputError(f"{what} holds no layers of a speech encoder; connect 'Audio Encoder Encode'")
    found = tuple(_finite(layer, 3, what) for layer in layers[1:])  # the first is what goes into the first layer
    length, expected = found[0].shape[1], 1 + max(0, round(seconds * SPEECH_RATE) - FIELD) // HOP
    if any(layer.shape != found[0].shape for layer in found) or abs(length - expected) > 2:
        raise InputError(
            f"{what} is of {length * HOP / SPEECH_RATE:.1f} s and the audio has {seconds:.1f} s; encode the same sound"
        )
    return found


def digest(tensors: Iterable[Tensor]) -> str | None:
    """Tells contents apart; None where there are none."""
    found = None
    for tensor in tensors:
        found = found or hashlib.sha256()
        found.update(f"{tuple(tensor.shape)}".encode() + tensor.contiguous().numpy().tobytes())
    return None if found is None else found.hexdigest()


def _finite(tensor: Any, dimensions: int, what: str) -> Tensor:
    """In main memory, float32, of one thing. InputError for anything else."""
    if not isinstance(tensor, Tensor) or tensor.ndim != dimensions or 0 in tensor.shape:
        raise InputError(f"{what} is not what ComfyUI's encoders make; connect one of them")
    if tensor.shape[0] != 1:
        raise InputError(f"{what} is of a batch of {tensor.shape[0]}; encode one")
    tensor = tensor.detach().cpu().float()
    if not bool(tensor.isfinite().all()):
        raise InputError(f"{what} holds values that are not numbers; encode it again")
    return tensor
