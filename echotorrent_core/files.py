"""Files that are replaced while others read them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 2.0  # seconds


def move(source: str | Path, target: str | Path) -> None:
    """`os.replace`, which Windows refuses as long as somebody has `target` open. OSError."""
    patiently(lambda: os.replace(source, target))


def patiently(action: Callable[[], T], seconds: float = PATIENCE) -> T:
    """What `action` returns. On Windows it is tried again for a while when another has a file open, or replaces it."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return action()
        except PermissionError:
            if os.name != "nt" or time.monotonic() >= deadline:
                raise
        time.sleep(0.01)
