"""Datasets: the clips of one person, uploaded or taken from folders that the server can see.

datasets/<id>/dataset.json     name, created, clips: {file: {begin, end, caption, use}}
              clips/           the videos and stills
              made/            of each that was looked at: FILE.jpg, a picture, and FILE.json, the verdict
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import files
from .errors import Conflict, Refused, TooLarge, Unknown
from .lock import FolderLock

RECORD = "dataset.json"
VIDEO = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg"),
    *(".mpeg", ".ts", ".mts", ".flv", ".wmv", ".ogv", ".3gp"),
)
STILL = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MEDIA = (*VIDEO, *STILL)
MOST = 200  # clips in a dataset
CAPTION = 1000  # characters
DAY = 86400.0  # seconds, beyond which no clip is trimmed
PATIENCE = 10.0  # seconds to wait for another change of the same dataset
FRESH: dict[str, Any] = {"begin": 0.0, "end": None, "caption": "", "use": True}
_STRANGE = re.compile(r"[^\w.-]+")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)  # Windows opens these in any folder


class Datasets:
    """Those below `root`. busy: whether a job needs one, so that nothing of it may go."""

    def __init__(self, root: Path, busy: Callable[[str], bool]) -> None:
        self.root, self.busy = root, busy

    def create(self, name: Any) -> dict[str, Any]:
        name, key = files.checked_name(name), files.new_id()
        for part in ("clips", "made"):
            (self.root / key / part).mkdir(parents=True)
        files.write_json(self.root / key / RECORD, {"name": name, "created": time.time(), "clips": {}})
        return self.describe(key)

    def all(self) -> list[dict[str, Any]]:
        """Newest first."""
        found = []
        for folder in files.folders(self.root):
            with contextlib.suppress(Refused):  # damaged, being made or just deleted
                found.append(self.describe(folder.name))
        return sorted(found, key=lambda one: -one["created"])

    def describe(self, key: Any) -> dict[str, Any]:
        """A dataset with its clips and what is known of them."""
        record = self._read(self.folder(key))
        clips = [self._clip(key, name, facts) for name, facts in record["clips"].items()]
        good = [clip for clip in clips if clip["use"] and (clip["verdict"] or {}).get("usable", True)]
        return {
            **{"id": key, "name": record["name"], "created": record["created"], "clips": clips},
            **{"bytes": sum(clip["bytes"] for clip in clips), "usable": len(good), "busy": self.busy(key)},
        }

    def folder(self, key: Any) -> Path:
        """Where a dataset lies. Unknown if it does not."""
        if not isinstance(key, str) or not files.ID.fullmatch(key) or not (self.root / key / RECORD).is_file():
            raise Unknown(f"there is no dataset {files.quoted(key)}; it may have been deleted")
        return self.root / key

    def rename(self, key: Any, name: Any) -> dict[str, Any]:
        name = files.checked_name(name)
        with self._changing(key) as record:
            record["name"] = name
        return self.describe(key)

    def delete(self, key: Any) -> None:
        folder = self.folder(key)
        self._check_free(key)
        files.set_aside(folder)
        files.remove_remains(self.root)

    # ---- clips

    def clip_path(self, key: Any, name: Any) -> Path:
        """The file of a clip. Unknown if the dataset has none of that name: paths are made of known names only."""
        folder = self.folder(key)
        if not isinstance(name, str) or name not in self._read(folder)["clips"]:
            raise Unknown(f"dataset {key} has no clip {files.quoted(name)}")
        return folder / "clips" / name

    def thumbnail(self, key: Any, name: Any) -> Path:
        """A picture of a clip. Unknown before it was looked at."""
        path = made(self.clip_path(key, name), ".jpg")
        if not path.is_file():
            raise Unknown(f"clip {files.quoted(name)} was not looked at yet; check the dataset first")
        return path

    def scratch(self, key: Any) -> Path:
        """A file of a dataset to be written and then given to `add`."""
        return self.folder(key) / "clips" / f".{secrets.token_hex(8)}.tmp"

    def room(self, key: Any, coming: int = 1) -> None:
        """TooLarge if a dataset cannot take so many clips more."""
        if len(self._read(self.folder(key))["clips"]) + coming > MOST:
            raise TooLarge(f"a dataset holds {MOST} clips at most; make another one")

    def add(self, key: Any, scratch: Path, name: str) -> str:
        """Make a file of `scratch` a clip; returns the name it got. Refused for what is neither video nor still."""
        wanted = clip_name(name)
        if not scratch.stat().st_size:
            raise Refused(f"{files.quoted(name)} is empty; choose a video or a picture")
        with self._changing(key) as record:
            self.room(key)
            wanted = _free(wanted, record["clips"])
            files.move(scratch, self.root / key / "clips" / wanted)
            record["clips"][wanted] = dict(FRESH)
        return wanted

    def take(self, key: Any, path: Path) -> list[str]:
        """Add a file, or all videos and stills directly in a folder. Linked where the disk allows it, else copied."""
        found = sorted(one for one in path.iterdir() if is_media(one)) if path.is_dir() else [path]
        if not found:
            raise Refused(f"folder {files.quoted(path.name)} holds no videos or stills")
        self.room(key, len(found))
        names = []
        for one in found:
            scratch = self.scratch(key)
            try:
                clip_name(one.name)
                _link(one, scratch)
                names.append(self.add(key, scratch, one.name))
            except FileNotFoundError:
                raise Unknown(f"{files.quoted(one.name)} is not there any more") from None
            finally:
                scratch.unlink(missing_ok=True)
        return names

    def change(self, key: Any, name: Any, changes: dict[str, Any]) -> dict[str, Any]:
        """Trim, caption, use or not."""
        self.clip_path(key, name)
        with self._changing(key) as record:
            facts = {**FRESH, **record["clips"][name], **_checked(changes)}
            if facts["end"] is not None and facts["end"] <= facts["begin"]:
                raise Refused(f"a clip cannot end at {facts['end']:g} s and begin at {facts['begin']:g} s")
            trimmed = any(facts[part] != record["clips"][name].get(part) for part in ("begin", "end"))
            record["clips"][name] = facts
        if trimmed:  # what was found may not be true of the part that is left
            made(self.root / key / "clips" / name, ".json").unlink(missing_ok=True)
        return self._clip(key, name, facts)

    def remove(self, key: Any, name: Any) -> None:
        path = self.clip_path(key, name)
        self._check_free(key)
        with self._changing(key) as record:
            record["clips"].pop(name, None)
        for one in (path, made(path, ".jpg"), made(path, ".json")):
            one.unlink(missing_ok=True)

    def _clip(self, key: str, name: str, facts: dict[str, Any]) -> dict[str, Any]:
        path = self.root / key / "clips" / name
        kind = "still" if path.suffix.lower() in STILL else "video"
        try:
            size = path.stat().st_size
        except OSError:
            size = 0
        verdict = files.read_json(made(path, ".json"))
        return {
            **{"file": name, "kind": kind, "bytes": size, **FRESH, **facts},
            **{"thumbnail": made(path, ".jpg").is_file(), "verdict": verdict},
        }

    def _check_free(self, key: str) -> None:
        if self.busy(key):
            raise Conflict(f"dataset {key} is used by a job that waits or runs; stop that first")

    def _read(self, folder: Path) -> dict[str, Any]:
        """The record, with the clips that are there: a kill may come between the file of one and its line."""
        record = files.read_json(folder / RECORD)
        if record is None or not isinstance(record.get("clips"), dict):
            raise Unknown(f"dataset {folder.name} is damaged ({RECORD}); delete its folder and make it anew")
        there = {path.name for path in (folder / "clips").iterdir() if is_media(path)}
        clips = {name: facts for name, facts in record["clips"].items() if name in there}
        clips |= {name: dict(FRESH) for name in sorted(there - set(clips))}
        return {"name": folder.name, "created": 0.0, **record, "clips": clips}

    @contextlib.contextmanager
    def _changing(self, key: Any) -> Iterator[dict[str, Any]]:
        """The record, written afterwards; no other process or thread changes it meanwhile."""
        folder = self.folder(key)
        with FolderLock(folder) as lock:
            if not lock.take(PATIENCE):
                raise Conflict(f"dataset {key} is being changed by somebody else; try again")
            record = self._read(folder)
            yield record
            files.write_json(folder / RECORD, record)


def made(clip: Path, ending: str) -> Path:
    """What was made of a clip's file."""
    return clip.parent.parent / "made" / f"{clip.name}{ending}"


def is_media(path: Path) -> bool:
    return path.suffix.lower() in MEDIA and not path.name.startswith(".") and path.is_file()


def clip_name(text: str) -> str:
    """A file's name as the name of a clip. Refused for what is neither video nor still."""
    stem, ending = os.path.splitext(re.split(r"[/\\]", text)[-1])
    if ending.lower() not in MEDIA:
        raise Refused(f"{files.quoted(text)} is neither a video nor a still; its name must end in {' '.join(MEDIA)}")
    stem = _STRANGE.sub("_", stem).strip("._-")[:60] or "clip"
    stem = stem.encode(errors="ignore").decode()[:60].rstrip("._-") or "clip"
    return f"{'clip_' if _DEVICES.fullmatch(stem) else ''}{stem}{ending.lower()}"


def _free(name: str, taken: dict[str, Any]) -> str:
    """`name`, or with a number; also where capitals make no difference."""
    stem, ending = os.path.splitext(name)
    known = {one.lower() for one in taken}
    number = 1
    while name.lower() in known:
        number += 1
        name = f"{stem}-{number}{ending}"
    return name


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or one that has no links
        shutil.copyfile(source, target)


def _checked(changes: dict[str, Any]) -> dict[str, Any]:
    for name, value in changes.items():
        if name == "use":
            fits = isinstance(value, bool)
        elif name == "caption":
            fits = isinstance(value, str) and len(value) <= CAPTION
        elif name in ("begin", "end"):
            fits = (value is None and name == "end") or _is_time(value)
        else:
            raise Refused(f"a clip has no {files.quoted(name)}; known are {', '.join(FRESH)}")
        if not fits:
            raise Refused(f"{name}: {files.quoted(value)} does not fit a clip")
    return changes


def _is_time(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 <= value <= DAY and math.isfinite(value)
