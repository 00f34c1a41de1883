"""How the work of a job and the job's worker talk: phases and progress one way, the user's commands the other."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Protocol

NOTHING: Mapping[str, float] = {}


class Report(Protocol):
    """Given to the work. All of it is cheap and may be called every step."""

    def phase(self, name: str) -> None:
        """What is done now, such as "preparing data", "training", "writing"."""
        ...

    def progress(self, step: int, total: int, metrics: Mapping[str, float] = NOTHING) -> None:
        """Steps done, of how many, and the last numbers. It is also the sign of life."""
        ...

    def wanted(self) -> frozenset[str]:
        """Of {"stop", "pause", "save", "sample"}. After "stop" or "pause" the work writes a checkpoint and raises
        `Stopped`; "save" and "sample" stay until they are answered with `done`."""
        ...

    def done(self, command: str) -> None:
        """A "save" or "sample" was carried out."""
        ...


class Console:
    """For work without a worker: phases are printed, and nothing is wanted."""

    def phase(self, name: str) -> None:
        print(name, file=sys.stderr, flush=True)

    def progress(self, step: int, total: int, metrics: Mapping[str, float] = NOTHING) -> None:
        pass

    def wanted(self) -> frozenset[str]:
        return frozenset()

    def done(self, command: str) -> None:
        pass


class Stopped(Exception):
    """Raised by the work, after it has saved, because "stop" or "pause" was wanted."""

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command
