"""The run folder: every committed chunk of a run, sound included, and the state to go on from.

    run.json                what the run is: preset, engine fingerprint, seed, prompt, inputs
    init.mp4                initialisation segment; `cat init.mp4 segments/*.m4s` plays
    segments/00000.m4s ...  one fragment per chunk; closing.m4s: the sound the encoder still held at the end
    state.safetensors       the engine's state and the session's; its atomic replacement is the commit of a chunk
    events.jsonl            append-only, numbered; files are the truth, events only announce

A chunk is written as segment, state, event. After a kill, what lies beyond the state is dropped and made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .errors import InputError
from .files import move

FORMAT = 1


class RunFolder:
    """One run on disk, locked against a second writer. Make it with `create` or `open`."""

    def __init__(self, path: str | Path, write: bool = True) -> None:
        self.path = Path(path)
        self._lock = _Lock(self.path / "lock") if write else None
        try:
            self.info: dict[str, Any] = _read_info(self.path)
            self._next = 1 + (self._mend_events() if write else 0)
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, path: str | Path, info: dict[str, Any]) -> RunFolder:
        """New folder for a run described by `info` (JSON-ready; needs preset, fingerprint, seed). Raises InputError."""
        path = Path(path)
        try:
            (path / "segments").mkdir(parents=True, exist_ok=True)
            if (path / "run.json").exists():
                raise InputError(f"'{path}' already holds a run; resume it or choose another folder")
            text = json.dumps({"format": FORMAT, **info}, indent=1, ensure_ascii=False)
            _write(path / "run.json", text.encode())
        except OSError as error:
            raise InputError(f"cannot make run folder '{path}' ({error.strerror}); choose another place") from None
        return cls(path)

    @classmethod
    def open(cls, path: str | Path, preset: str | None = None, fingerprint: str | None = None) -> RunFolder:
        """Existing folder, to go on with. InputError when it is no run, in use, or of another preset or engine."""
        run = cls(path)
        try:
            run.check(preset, fingerprint)
        except InputError:
            run.close()
            raise
        return run

    def check(self, preset: str | None = None, fingerprint: str | None = None) -> None:
        """InputError unless the run was made with this preset and engine."""
        if preset is not None and self.info["preset"] != preset:
            raise InputError(
                f"run folder '{self.path}' was made with preset '{self.info['preset']}', not '{preset}'; "
                "resume it with that one or start a new run"
            )
        if fingerprint is not None and self.info["fingerprint"] != fingerprint:
            raise InputError(
                f"run folder '{self.path}' was made by another engine ({self.info['fingerprint']}, not {fingerprint}); "
                "restore those weights or start a new run"
            )

    def close(self) -> None:
        if self._lock:
            self._lock.release()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ---- paths

    @property
    def init_path(self) -> Path:
        return self.path / "init.mp4"

    @property
    def state_path(self) -> Path:
        return self.path / "state.safetensors"

    @property
    def events_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def last_event(self) -> int:
        """Number of the last event; 0 before the first."""
        return self._next - 1

    @property
    def closing_path(self) -> Path:
        return self.path / "segments" / "closing.m4s"

    def segment_path(self, chunk: int) -> Path:
        return self.path / "segments" / f"{chunk:05d}.m4s"

    def media(self) -> list[Path]:
        """Everything playable so far, in order: init, committed segments, closing sound."""
        chunks = sum(event["kind"] == "chunk" for event in self.events())
        paths = [self.init_path, *(self.segment_path(i) for i in range(chunks)), self.closing_path]
        return [path for path in paths if path.exists()] if chunks else []

    # ---- writing

    def write_init(self, data: bytes) -> None:
        self._guard(lambda: _write(self.init_path, data))

    def commit(
        self, chunk: int, segment: bytes, event: dict[str, Any], save_state: Callable[[Path], Any] | None
    ) -> dict[str, Any]:
        """Make chunk number `chunk` durable and announce it; returns the numbered event.

        save_state: replaces the file it is given atomically; None leaves the older state in place, so that a resumed
        run goes back to that one.
        """

        def write() -> dict[str, Any]:
            _write(self.segment_path(chunk), segment)
            if save_state is not None:
                save_state(self.state_path)
            return self._append(event)

        return self._guard(write)

    def write_closing(self, data: bytes) -> None:
        self._guard(lambda: _write(self.closing_path, data))

    def announce(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Append an event that is no chunk."""
        return self._guard(lambda: self._append({"kind": kind, **fields}))

    def rewind(self, chunks: int, event: dict[str, Any] | None = None) -> None:
        """Drop what lies beyond `chunks` committed chunks. event: the last one's, appended if it was not announced."""
        self.closing_path.unlink(missing_ok=True)
        for path in (self.path / "segments").iterdir():
            if not path.stem.isdigit() or int(path.stem) >= chunks:
                path.unlink()
        missing = [i for i in range(chunks) if not self.segment_path(i).exists()]
        if missing:
            raise InputError(
                f"run folder '{self.path}' lacks segment {missing[0]}; it cannot be resumed, start a new run"
            )
        announced, keep, position = 0, 0, 0
        self._next = 1
        for line in self._lines():
            position += len(line)
            if (found := json.loads(line))["kind"] == "chunk" and found["chunk"] >= chunks:
                break
            announced += found["kind"] == "chunk"
            keep, self._next = position, found["n"] + 1
        if self.events_path.exists():
            os.truncate(self.events_path, keep)
        if announced < chunks and event is not None:
            self._append(event)

    def _append(self, event: dict[str, Any]) -> dict[str, Any]:
        event = {"n": self._next, **{k: v for k, v in event.items() if k != "n"}}
        with open(self.events_path, "ab") as file:
            file.write(json.dumps(event, ensure_ascii=False).encode() + b"\n")
        self._next += 1
        return event

    def _guard(self, write: Callable[[], Any]) -> Any:
        try:
            return write()
        except OSError as error:
            raise InputError(
                f"cannot write to run folder '{self.path}' ({error.strerror or error}); what was finished is kept: "
                "free space, then resume this run"
            ) from None

    # ---- events

    def events(self) -> Iterator[dict[str, Any]]:
        """All events so far."""
        for line in self._lines():
            yield json.loads(line)

    def _lines(self) -> Iterator[bytes]:
        if self.events_path.exists():
            with open(self.events_path, "rb") as file:
                yield from (line for line in file if line.endswith(b"\n"))

    def _mend_events(self) -> int:
        """Cut off a half-written last line; returns the last event's number."""
        last = good = 0
        if self.events_path.exists():
            with open(self.events_path, "rb") as file:
                for line in file:
                    try:
                        last = json.loads(line)["n"] if line.endswith(b"\n") else last
                    except (ValueError, KeyError, TypeError):
                        break
                    good += len(line) if line.endswith(b"\n") else 0
            os.truncate(self.events_path, good)
        return last


class EventTail:
    """Reads a growing events.jsonl: `poll` returns the complete events appended since the last call."""

    def __init__(self, path: Path, after: int = 0) -> None:
        self._path, self._after, self._position = path, after, 0

    def poll(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        with open(self._path, "rb") as file:
            file.seek(self._position)
            data = file.read()
        data = data[: data.rfind(b"\n") + 1]
        self._position += len(data)
        events = [json.loads(line) for line in data.splitlines()]
        return [event for event in events if event["n"] > self._after]


def _read_info(path: Path) -> dict[str, Any]:
    try:
        info = json.loads((path / "run.json").read_bytes())
        if info["format"] == FORMAT and {"preset", "fingerprint", "seed"} <= info.keys():
            return info
    except FileNotFoundError:
        raise InputError(f"'{path}' is not a run folder (no run.json); give one that a run was made in") from None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise InputError(f"'{path}/run.json' is damaged or of another version; start a new run")


def _write(path: Path, data: bytes) -> None:
    """Write beside `path`, flush to disk, rename: readers see the old file or the whole new one."""
    partial = path.with_name(path.name + ".partial")
    try:
        with open(partial, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        move(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def is_busy(path: Path) -> bool:
    """Whether a process is making this run at the moment."""
    try:
        with open(path / "lock", "r+b") as file:
            _lock(file)
        return False
    except FileNotFoundError:
        return False
    except OSError:
        return True


class _Lock:
    """Exclusive lock of a file. The system drops it with the process, so a dead owner leaves nothing to clean up."""

    def __init__(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise InputError(f"run folder '{path.parent}' not found; check the path")
        try:
            self._file: Any = open(path, "a+b")  # noqa: SIM115 (held open as long as the run)
        except OSError as error:
            raise InputError(f"run folder '{path.parent}' cannot be written ({error.strerror})") from None
        try:
            _lock(self._file)
        except OSError:
            self._file.seek(0)
            owner = self._file.read(32).decode(errors="replace").strip()
            self._file.close()
            raise InputError(
                f"run folder '{path.parent}' is in use by process {owner}; wait for it or stop it"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()).encode())
        self._file.flush()

    def release(self) -> None:
        self._file.close()


if os.name == "nt":
    import msvcrt

    def _lock(file: Any) -> None:
        file.seek(1 << 20)  # a byte beyond the text, which others may then read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        file.seek(0)
else:
    import fcntl

    def _lock(file: Any) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
