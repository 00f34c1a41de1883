"""Files of jobs and datasets: written whole or not at all, listed by the steps in their names."""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from .errors import Refused

T = TypeVar("T")

ID = re.compile(r"[0-9a-f]{16}")
REMOVED = ".removed-"  # begins the names of folders that are being deleted
LONGEST_NAME = 64  # characters
BAR = re.compile(r"\d%\|")  # of a progress bar
_STEP = re.compile(r"step-(\d{1,12})(?:-(.*))?")


def new_id() -> str:
    return secrets.token_hex(8)


def checked_name(text: Any) -> str:
    """`text` as the name of a job or dataset, which is shown and nothing else."""
    if not isinstance(text, str) or not text.isprintable() or not 1 <= len(text.strip()) <= LONGEST_NAME:
        raise Refused(f"{quoted(text)} is no name; give 1 to {LONGEST_NAME} characters that can be printed")
    return text.strip()


def quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:76] + "..." + text[-1]


def move(source: Path, target: Path) -> None:
    """`os.replace`, which Windows refuses as long as somebody has `target` open. OSError."""
    patiently(lambda: os.replace(source, target))


def patiently(action: Callable[[], T], seconds: float = 2.0) -> T:
    """What `action` returns. On Windows it is tried again for a while when another has a file open, or replaces it.

    As in echotorrent_core/files.py, which is not where this package runs inside ComfyUI."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return action()
        except PermissionError:
            if os.name != "nt" or time.monotonic() >= deadline:
                raise
        time.sleep(0.01)


def write_json(path: Path, value: Any) -> None:
    """Replace a file; readers see the old one or the whole new one."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, ensure_ascii=False, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        move(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None if there is none that can be read."""
    try:
        found = json.loads(patiently(lambda: path.read_text(encoding="utf-8")), parse_constant=lambda name: None)
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def folders(parent: Path) -> Iterator[Path]:
    """Those named by an id."""
    if parent.is_dir():
        yield from (path for path in sorted(parent.iterdir()) if ID.fullmatch(path.name) and path.is_dir())


def set_aside(folder: Path) -> Path:
    """Make a folder that shall be deleted disappear at once; returns where its remains are."""
    target = folder.with_name(REMOVED + folder.name + secrets.token_hex(2))
    move(folder, target)
    return target


def remove_remains(parent: Path) -> None:
    """What `set_aside` left, also that of processes that were killed."""
    for path in parent.glob(f"{REMOVED}*") if parent.is_dir() else ():
        shutil.rmtree(path, ignore_errors=True)


def step_of(name: str) -> tuple[int | None, str]:
    """Step and label in a file's name: step-00000500-ana -> (500, "ana"); without a step (None, name)."""
    found = _STEP.fullmatch(name)
    return (int(found[1]), found[2] or "") if found else (None, name)


def last_step(folder: Path) -> int | None:
    """Step of the newest training checkpoint in `folder`/checkpoints."""
    try:
        names = [path.name for path in (folder / "checkpoints").iterdir()]
    except OSError:
        return None
    steps = [step for name in names if (step := step_of(name.partition(".")[0])[0]) is not None]
    return max(steps, default=None)


def tail(path: Path, lines: int = 5, most: int = 1 << 16) -> list[str]:
    """The last lines of a text that say something: neither empty nor progress bars."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - most))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    found = [part.strip() for part in re.split(r"[\r\n]+", text)]
    return [part for part in found if part and not BAR.search(part)][-lines:]


def finite(numbers: dict[str, Any]) -> dict[str, float | None]:
    """Numbers by name as JSON takes them; what is not finite becomes None, what is no number is left out."""
    kept = {name: value for name, value in numbers.items() if isinstance(value, (int, float))}
    return {
        str(name): value if isinstance(value, int) or math.isfinite(value) else None for name, value in kept.items()
    }
