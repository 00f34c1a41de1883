"""Identity files as lists show them: what their headers say, read without the weights."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import shutil
import struct
from pathlib import Path
from typing import Any

from . import files
from .errors import Conflict

LARGEST_HEADER = 16 << 20  # bytes
LARGEST_PREVIEW = 200_000  # characters of base64
KEPT = "echotorrent_identities"  # below the models folder


def describe(path: Path, job: str | None = None) -> dict[str, Any]:
    """A file as an entry of the list. value: what the loader node takes."""
    stat = path.stat()
    said = dict(metadata(path, stat.st_mtime_ns, stat.st_size))
    preview = said.pop("preview", "")
    step = files.step_of(path.stem)[0]
    if step is None and said.get("steps", "").isdigit():
        step = int(said["steps"][:15])
    return {
        "value": f"job/{job}/{path.name}" if job else path.name,
        "file": path.name,
        "source": "job" if job else "models",
        "job": job,
        "name": said.get("name") or path.stem,
        "step": step,
        "preset": said.get("preset", ""),
        "bytes": stat.st_size,
        "modified": stat.st_mtime,
        "preview": f"data:image/jpeg;base64,{preview}" if _is_picture(preview) else None,
        "metadata": said,
    }


@functools.lru_cache(maxsize=1024)
def metadata(path: Path, changed: int, size: int) -> dict[str, str]:
    """Of a safetensors file, that changed at that time and has that size; empty if it is none."""
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(size, LARGEST_HEADER):
                return {}
            found = json.loads(file.read(length)).get("__metadata__", {})
    except (OSError, ValueError, struct.error, AttributeError, RecursionError):
        return {}
    texts = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in texts if isinstance(value, str)}


def _is_picture(text: str) -> bool:
    try:
        return 0 < len(text) <= LARGEST_PREVIEW and base64.b64decode(text, validate=True)[:2] == b"\xff\xd8"
    except (binascii.Error, ValueError):
        return False


def keep(source: Path, folder: Path, name: str) -> Path:
    """Copy a file to `folder` under `name`. Conflict if there is one of that name."""
    target = folder / f"{name}.safetensors"
    if target.exists():
        raise Conflict(f"there is an identity {files.quoted(name)} already; choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.{files.new_id()}.tmp"
    try:
        shutil.copyfile(source, partial)
        files.move(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return target
