"""Processes of the trainer: detached workers, which outlive the one that started them, and short questions."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import Conflict

Child = subprocess.Popen[bytes]
START = Path(__file__).with_name("start.py")  # finds the packages whatever the working folder is


def environment(device: str, given: Mapping[str, str]) -> dict[str, str]:
    """`given` with nothing to be seen of CUDA but `device`."""
    changed = {**given, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    kind, _, number = device.partition(":")
    if kind == "cuda":
        visible = [name for name in given.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
        changed["CUDA_VISIBLE_DEVICES"] = visible[int(number)] if int(number) < len(visible) else number
    elif kind == "cpu":
        changed["CUDA_VISIBLE_DEVICES"] = ""
    return changed


def spawn(module: str, arguments: Sequence[str], log: Path, device: str) -> Child:
    """Start `python -m module` in a session and process group of its own, with `log` for what it says. OSError."""
    command = [sys.executable, str(START), module, *arguments]
    with open(log, "ab") as file:
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": file, "stderr": subprocess.STDOUT}
        options |= {"cwd": log.parent, "env": environment(device, os.environ)}
        if os.name != "nt":
            return subprocess.Popen(command, start_new_session=True, **options)
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW  # type: ignore[attr-defined]
        try:  # out of the job of a terminal or launcher, which would end it with itself
            away = flags | subprocess.CREATE_BREAKAWAY_FROM_JOB  # type: ignore[attr-defined]
            return subprocess.Popen(command, creationflags=away, **options)
        except PermissionError:
            return subprocess.Popen(command, creationflags=flags, **options)


def ask(module: str, question: Mapping[str, Any], device: str = "cpu", patience: float = 120.0) -> Any:
    """What `python -m module` answers to a question; both are JSON. Conflict if it does not."""
    command = [sys.executable, str(START), module]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(question).encode(),
            capture_output=True,
            timeout=patience,
            env=environment(device, os.environ),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        raise Conflict(
            f"the trainer did not answer within {patience:.0f} s; try again when there is less to do"
        ) from None
    except OSError as error:
        raise Conflict(f"the trainer cannot be started ({error.strerror}); check ComfyUI's Python") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise Conflict(f"the trainer failed: {said[-1][:500]}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Conflict(f"the trainer answered what cannot be read: {done.stdout[:200]!r}") from None


def ended(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"ended by {name}" + (", perhaps because memory ran out" if name == "SIGKILL" else "")


def end(pid: int, gone: Callable[[], bool], patience: float = 5.0) -> bool:
    """End a worker and its children: asked first, then without asking. Whether it is `gone` then."""
    for force in (False, True):
        with contextlib.suppress(OSError):  # it has ended by itself
            if os.name == "nt" and not force:  # nobody can be asked there
                subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], capture_output=True, check=False)
            elif os.name == "nt":
                os.kill(pid, signal.SIGTERM)  # ends it, if not its children, where taskkill did not
            else:
                os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)  # it leads a group of its own
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if gone():
                return True
            time.sleep(0.05)
    return False
