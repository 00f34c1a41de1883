"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from echotorrent_core.errors import InputError
from echotorrent_core.files import move


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name, then rename it. InputError if the disk is full; nothing is left behind."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        move(temporary, path)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path}: cannot be written ({error}); make room and run the same command again to go on"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """The same of a text in UTF-8."""
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def remove_left_behind(folder: Path) -> None:
    """Files that were being written when their process was killed."""
    for temporary in folder.glob(".*.tmp"):
        temporary.unlink()
