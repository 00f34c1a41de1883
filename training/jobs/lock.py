"""A lock on a folder that the system releases when its owner dies: a job is alive while its folder is locked.

It belongs to the process alone: children do not inherit it, as they would `flock`, so what a worker has started does
not keep a dead job alive.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Any

NAME = "lock"
PAUSE = 0.05  # seconds between two tries

# POSIX drops all of a process's locks on a file as soon as it closes any handle of that file, so a file that is locked
# here is never opened a second time.
_own: set[str] = set()
_guard = threading.Lock()


class FolderLock:
    """The lock of `folder`, which must exist. Usable once; a context manager for what has been taken."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self.path = folder / name
        self._key = str(self.path.resolve())
        self._file: Any = None

    def take(self, patience: float = 0.0) -> bool:
        """Whether the lock was taken, within `patience` seconds. The owner's process id is written into the file."""
        deadline = time.monotonic() + patience
        while not self._try():
            if time.monotonic() >= deadline:
                return False
            time.sleep(PAUSE)
        return True

    def release(self) -> None:
        with _guard:
            if self._file is not None:
                self._file.close()
                self._file = None
                _own.discard(self._key)

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()

    def _try(self) -> bool:
        with _guard:
            if self._key in _own:
                return False
            file = open(self.path, "a+b", buffering=0)  # noqa: SIM115 (held open as long as the lock)
            try:
                _lock(file)
                file.truncate(0)
                file.write(str(os.getpid()).encode())
            except OSError:
                file.close()
                return False
            self._file = file
            _own.add(self._key)
            return True


def owner(folder: Path, name: str = NAME) -> int | None:
    """Process id of the one that holds a folder's lock, 0 if it cannot be read; None if nobody does."""
    path = folder / name
    with _guard:
        if str(path.resolve()) in _own:
            return os.getpid()
        try:
            with open(path, "r+b", buffering=0) as file:
                with contextlib.suppress(OSError):
                    _probe(file)
                    return None
                file.seek(0)
                text = file.read(20)
        except FileNotFoundError:
            return None
        except OSError:  # Windows refuses to open what another process is deleting
            return 0
    return int(text) if text.isdigit() else 0


if os.name == "nt":
    import msvcrt

    BEYOND = 1 << 20  # a byte behind the text, which others may then read

    def _lock(file: Any) -> None:
        file.seek(BEYOND)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        file.seek(0)

    def _probe(file: Any) -> None:
        _lock(file)
        file.seek(BEYOND)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]
        file.seek(0)
else:
    import fcntl

    def _lock(file: Any) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _probe(file: Any) -> None:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # two who ask do not take each other for an owner
