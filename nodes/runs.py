"""The runs that the nodes made: found by id, described, stopped. Folders are the truth, so runs outlive the server.

A run lies in `<name>_<id>` below one of the roots (ComfyUI's output and temp folders); see `run_folder` for its files.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..echotorrent_core.errors import InputError
from ..echotorrent_core.run_folder import EventTail, RunFolder, is_busy
from . import guard

FOLDER = "echotorrent"
LISTED = 200  # runs a list shows at most
STATES = {"end": "finished", "stop": "stopped", "error": "failed"}
RESUME_HINT = "its id in the 'resume' field of the node that made it goes on from here"


class Runs:
    """Runs below `roots()`, and the sessions of those that are being made now.

    roots: folders of this host, asked for at each use because users may move them.
    """

    def __init__(self, roots: Callable[[], list[Path]]) -> None:
        self.roots = roots
        self.live: dict[str, Any] = {}  # id -> session

    def create(self, root: Path, name: str, info: dict[str, Any]) -> RunFolder:
        """A new run folder below `root`; its id is in its info."""
        key = secrets.token_hex(8)
        path = guard.inside(root, f"{guard.file_name(name)}_{key}")
        return RunFolder.create(path, {"id": key, "name": name, "created": time.time(), **info})

    def find(self, key: str) -> Path:
        """The folder of a run. InputError if there is none."""
        guard.run_id(key)
        for folder in self._folders():
            if folder.name.endswith(f"_{key}"):
                return folder
        raise InputError(f"there is no run {key}; it may have been deleted, or ComfyUI may use another output folder")

    def snapshots(self) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        found = []
        for folder in self._folders():
            try:
                found.append((RunFolder(folder, write=False).info.get("created", 0.0), folder))
            except InputError:
                continue  # being made or damaged: neither is a reason to show nothing
        found.sort(key=lambda item: item[0], reverse=True)
        return [self._describe(folder) for _, folder in found[:LISTED]]

    def snapshot(self, key: str) -> dict[str, Any]:
        """What a run is and how far it has come. `n` is the number of the last event it takes into account;
        `total_frames` and `workflow_id` are None where they are not known."""
        return self._describe(self.find(key))

    def events(self, key: str, after: int = 0) -> list[dict[str, Any]]:
        """Events numbered above `after`."""
        return EventTail(self.find(key) / "events.jsonl", after).poll()

    def running(self, folder: Path) -> bool:
        """Whether more may come, from a session of this process or of another one."""
        return folder.name[-16:] in self.live or is_busy(folder)

    def video(self, folder: Path) -> Path | None:
        """The seekable file of a run that is over; None where it lacks what was made since, as after a crash."""
        path = guard.inside(folder.parent, f"{folder.name}.mp4")
        try:
            return path if path.stat().st_mtime_ns >= (folder / "events.jsonl").stat().st_mtime_ns else None
        except FileNotFoundError:
            return None

    def stop(self, key: str) -> bool:
        """Stop a run within one denoising step and wait for that; False if it is not running here."""
        session = self.live.get(guard.run_id(key))
        if session is None:
            self.find(key)
            return False
        session.stop()
        return True

    def _folders(self) -> Iterator[Path]:
        for root in self.roots():
            if root.is_dir():
                for folder in root.iterdir():
                    name, _, key = folder.name.rpartition("_")
                    if name and guard.RUN_ID.fullmatch(key) and folder.is_dir() and not folder.is_symlink():
                        yield folder

    def _describe(self, folder: Path) -> dict[str, Any]:
        info = RunFolder(folder, write=False).info
        events = EventTail(folder / "events.jsonl").poll()
        chunks = [event for event in events if event["kind"] == "chunk"]
        started: dict[str, Any] = next((event for event in reversed(events) if event["kind"] == "start"), {})
        last: dict[str, Any] = events[-1] if events else {"n": 0, "kind": ""}
        # An event that ends a run decides; only without one is it asked who holds the folder.
        state = STATES.get(last["kind"]) or ("running" if self.running(folder) else "interrupted")
        frames = sum(event["frames"] for event in chunks)
        height, width = info.get("size", (0, 0))
        return {
            "id": folder.name[-16:],
            "name": info.get("name", ""),
            "state": state,
            "n": last["n"],
            "chunks": len(chunks),
            "frames": frames,
            "total_frames": info.get("total_frames"),
            "seconds": round(frames / info.get("fps", 25), 3),
            "fps": info.get("fps", 25),
            "width": width,
            "height": height,
            "created": info.get("created", 0.0),
            "prompt_id": started.get("prompt_id", ""),
            "node_id": started.get("node_id", ""),
            "workflow_id": started.get("workflow_id"),
            "message": last.get("message", "") or (RESUME_HINT if state in ("stopped", "interrupted") else ""),
        }
