"""The process that does the work of one job, then starts what waits next, so that a queue goes on without a server.

python start.py training.jobs.worker ROOT JOB CLAIM KINDS
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import sqlite3
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import files
from .errors import Refused
from .lock import FolderLock
from .report import NOTHING, Stopped
from .service import BEGUN, Service
from .store import Job

EVERY = 0.5  # seconds between two notes of progress
LOCK_PATIENCE = 10.0  # seconds: the worker before, of the same job, may still be on its way out
AFTER = {"stop": "stopped", "pause": "paused", "requeue": "queued"}  # in order of precedence


class StoreReport:
    """What the work tells and asks, through the list of jobs."""

    def __init__(self, service: Service, job: Job) -> None:
        self.store, self.job, self.lost = service.store, job, False
        self._noted, self._begun = 0.0, (0.0, -1)

    def phase(self, name: str) -> None:
        print(f"{name} ...", flush=True)
        self._note(phase=name)

    def progress(self, step: int, total: int, metrics: Mapping[str, float] = NOTHING) -> None:
        now = time.monotonic()
        if self._begun[1] < 0:
            self._begun = (now, step)
        if now - self._noted < EVERY and step < total:
            return
        self._noted = now
        done = step - self._begun[1]
        left = (now - self._begun[0]) / done * (total - step) if done > 0 else None
        self._note(step=step, total=total, metrics=files.finite(dict(metrics)), seconds_left=left)

    def wanted(self) -> frozenset[str]:
        found = self.orders()
        return frozenset({"pause" if command == "requeue" else command for command in found})

    def orders(self) -> list[str]:
        """As the user gave them. A job that somebody else took over, or that is gone, is to stop."""
        if self.lost:
            return ["stop"]
        try:
            return self.store.commands(self.job.id)
        except (sqlite3.Error, Refused, OSError):
            return []  # asked again at the next step

    def done(self, command: str) -> None:
        self.store.answered(self.job.id, command)

    def _note(self, **values: Any) -> None:
        try:
            self.lost = not self.store.note(self.job.id, self.job.claim, **values)
        except (sqlite3.Error, Refused, OSError) as error:
            print(f"progress could not be noted: {error}", file=sys.stderr)


def main(arguments: list[str]) -> int:
    faulthandler.enable()
    root, key, claim, kinds = arguments
    service = Service(Path(root), kinds=kinds)
    with contextlib.suppress(FileNotFoundError), FolderLock(service.folder(key)) as lock:
        if not lock.take(LOCK_PATIENCE):
            print("another worker has this job", file=sys.stderr)
        elif (job := service.begin(key, claim)) is None:
            print("this start was given up in the meantime", file=sys.stderr)
        else:
            print(f"{BEGUN}{job.name}, run {job.runs}, {time.strftime('%Y-%m-%d %H:%M:%S')}", flush=True)
            state, values = work(service, job)
            print(f"{BEGUN}{state}{': ' if values.get('reason') else ''}{values.get('reason', '')}", flush=True)
            service.leave(key, claim, state, **values)
    service.poll()
    return 0


def work(service: Service, job: Job) -> tuple[str, dict[str, Any]]:
    """Do it. Returns the state that the job is in then, and what else is to be noted."""
    report = StoreReport(service, job)
    try:
        kinds = importlib.import_module(service.kinds).KINDS
        result = kinds[job.kind](job.spec, service.folder(job.id), report)
        return "finished", {"result": result or {}}
    except Stopped as stopped:
        ordered = report.orders()
        return next((state for command, state in AFTER.items() if command in ordered), AFTER[stopped.command]), {}
    except Exception as error:
        return "failed", {"reason": told(error)}


def told(error: Exception) -> str:
    """Why, in a sentence; the log has all of it."""
    if "out of memory" in str(error).lower() or isinstance(error, MemoryError):
        traceback.print_exc()
        return "memory ran out; choose a smaller size or batch, or close what else uses the device"
    if type(error).__name__ == "InputError":  # of the core, which this package does not import
        return str(error)
    traceback.print_exc()
    return f"{type(error).__name__}: {str(error).strip() or 'no reason given'}"[:1000]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
