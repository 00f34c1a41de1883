"""One safetensors file per part of the embedded family (trunk, vae, audio, text): fp16 on disk, float32 in use."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import InputError
from ..files import move

PARTS = ("trunk", "vae", "audio", "text")
ASSETS = Path(__file__).resolve().parent.parent / "assets"


def save_part(
    tensors: dict[str, Tensor], path: Path, metadata: dict[str, Any], dtype: torch.dtype = torch.float16
) -> None:
    """Write tensors atomically; floating point ones as `dtype`. Metadata values are stored as JSON."""
    stored = {
        key: (value.detach().to("cpu", dtype) if value.is_floating_point() else value.detach().cpu()).contiguous()
        for key, value in tensors.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    save_file(stored, temporary, {key: json.dumps(value) for key, value in metadata.items()})
    move(temporary, path)


def read_metadata(path: Path) -> dict[str, Any]:
    """The JSON metadata of a part. InputError if the file is missing or not safetensors."""
    with _open(path) as file:
        return {key: _json(value) for key, value in (file.metadata() or {}).items()}


def load_part(module: nn.Module, path: Path) -> None:
    """Fill `module` from a part file, strictly: InputError lists missing, unexpected and mis-shaped keys."""
    with _open(path) as file:
        found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    expected = module.state_dict()
    problems = [f"missing {key}" for key in expected if key not in found]
    problems += [f"unexpected {key}" for key in found if key not in expected]
    problems += [
        f"{key} is {tuple(found[key].shape)} instead of {tuple(expected[key].shape)}"
        for key in expected
        if key in found and found[key].shape != expected[key].shape
    ]
    if problems:
        shown = "; ".join(problems[:6]) + ("; ..." if len(problems) > 6 else "")
        raise InputError(
            f"{path}: the weights do not fit this preset ({len(problems)} differences: {shown}); "
            "use weights made for the preset"
        )
    module.load_state_dict({key: value.to(expected[key].dtype) for key, value in found.items()})


def fingerprint(paths: list[Path]) -> str:
    """Short hash over the contents of part files."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _open(path: Path):  # type: ignore[no-untyped-def]
    if not path.is_file():
        raise InputError(f"{path}: weights not found; expected a safetensors file")
    try:
        return safe_open(path, "pt")
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error}); fetch or train it again") from error


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
