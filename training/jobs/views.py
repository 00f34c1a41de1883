"""Jobs as lists and pages show them: plain values, ready for JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import files, identities
from .errors import Unknown
from .service import Service
from .store import ACTIVE, Job

LINES = 5000  # of metrics in one answer
TEXT = 1 << 18  # bytes of log in one answer
PLAYED = (".mp4", ".webm", ".png", ".jpg", ".jpeg", ".webp")


def jobs(service: Service, **only: str | None) -> list[dict[str, Any]]:
    """All, or those with these values, newest first."""
    every, pending = service.store.all(), service.store.all_commands()
    places = positions(every)
    kept = [job for job in every if all(value in (None, getattr(job, name)) for name, value in only.items())]
    return [_job(service, job, places.get(job.id), pending.get(job.id, [])) for job in kept]


def job(service: Service, found: Job) -> dict[str, Any]:
    return _job(service, found, positions(service.store.all()).get(found.id), service.store.commands(found.id))


def positions(every: list[Job]) -> dict[str, int]:
    """Of those that wait, in the queues of their devices; 0 is next."""
    seen: dict[str, int] = {}
    places = {}
    for job in sorted(
        (job for job in every if job.state == "queued"), key=lambda job: (job.place, job.created, job.id)
    ):
        places[job.id] = seen.get(job.device, 0)
        seen[job.device] = places[job.id] + 1
    return places


def _job(service: Service, found: Job, position: int | None, pending: list[str]) -> dict[str, Any]:
    names = ("id", "kind", "name", "state", "device", "dataset", "parent", "created", "started", "ended", "updated")
    more = ("phase", "step", "total", "metrics", "seconds_left", "reason", "runs", "pid", "result")
    return {
        **{name: getattr(found, name) for name in (*names, *more)},
        "position": position,
        "preset": found.spec.get("preset"),
        "settings": found.spec.get("settings", {}),
        "resume_step": _resume_step(service.folder(found.id) / "run"),
        "pending": pending,
        "pid": found.pid if found.state in ACTIVE else None,
    }


def metrics(service: Service, key: str, after: int = 0) -> dict[str, Any]:
    """Lines of the curve beyond the first `after`."""
    runs = service.store.find(key).runs
    lines: list[dict[str, Any]] = []
    number, more = 0, False
    for line in _curve(service.folder(key) / "run"):
        if number >= after and len(lines) == LINES:
            more = True
            break
        number += 1
        if number > after:
            lines.append(line)
    return {"runs": runs, "n": number, "more": more, "lines": lines}


def stages(run: Path) -> list[tuple[Path, int]]:
    """The folders of a job's runs, and the steps before each: after the trunk comes the decoder, if it is trained."""
    before = (files.read_json(run / "done.json") or {}).get("steps")
    return [(run, 0), (run / "decoder", before)] if isinstance(before, int) else [(run, 0)]


def _resume_step(run: Path) -> int | None:
    for folder, before in reversed(stages(run)):
        if (step := files.last_step(folder)) is not None:
            return before + step
    return None


def _curve(run: Path) -> Iterator[dict[str, Any]]:
    for folder, before in stages(run):
        for line in _lines(folder / "metrics.jsonl"):
            yield {**line, "step": before + line["step"]}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines only: the last one may be being written."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for text in file:
                if text.endswith("\n") and (found := _line(text)) is not None:
                    yield found
    except OSError:
        return


def _line(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    good = isinstance(found, dict) and isinstance(found.get("step"), int)
    return files.finite(found) if good else None


def log(service: Service, key: str, after: int = 0) -> dict[str, Any]:
    """The log beyond the first `after` bytes; negative: so many before its end."""
    service.store.find(key)
    try:
        with open(service.folder(key) / "log.txt", "rb") as file:
            size = file.seek(0, 2)
            begin = min(after, size) if after >= 0 else max(0, size + after)
            file.seek(begin)
            data = file.read(TEXT)
    except OSError:
        return {"text": "", "next": 0, "size": 0}
    whole = len(data) if begin + len(data) == size else data.rfind(b"\n") + 1 or len(data)
    text = data[:whole].decode(errors="replace")
    return {"text": text, "next": begin + whole, "size": size}


def samples(service: Service, key: str) -> list[dict[str, Any]]:
    """Videos and pictures that a job made, by step."""
    found = []
    for path in _files(service, key, "samples"):
        step, label = files.step_of(path.stem)
        stat = path.stat()
        facts = {"file": path.name, "step": step, "label": label}
        found.append({**facts, "bytes": stat.st_size, "modified": stat.st_mtime})
    return sorted(found, key=lambda one: (one["step"] is None, one["step"], one["file"]))


def sample_path(service: Service, key: str, name: str) -> Path:
    return _named(_files(service, key, "samples"), key, name)


def checkpoints(service: Service, key: str) -> list[dict[str, Any]]:
    return [identities.describe(path, key) for path in service.identity_files(key)]


def checkpoint_path(service: Service, key: str, name: str) -> Path:
    return _named(service.identity_files(key), key, name)


def all_identities(service: Service, kept: Path) -> list[dict[str, Any]]:
    """Those of jobs and those in the folder `kept`, newest first."""
    found = [entry for job in service.store.all() if job.kind == "identity" for entry in checkpoints(service, job.id)]
    paths = sorted(kept.rglob("*.safetensors")) if kept.is_dir() else []
    for path in paths:
        found.append({**identities.describe(path), "value": path.relative_to(kept).as_posix()})
    return sorted(found, key=lambda one: -one["modified"])


def identity_path(service: Service, kept: Path, value: str) -> Path:
    """The file that a `value` of the lists names; job/ID/last is the newest of a job. Unknown if there is none."""
    first, _, name = value.removeprefix("job/").partition("/")
    if value.startswith("job/") and files.ID.fullmatch(first):
        paths = service.identity_files(first)
        if name == "last" and not paths:
            raise Unknown(f"job {first} has not written an identity yet; wait for its first checkpoint")
        return paths[-1] if name == "last" else _named(paths, first, name)
    for path in kept.rglob("*.safetensors") if kept.is_dir() else ():
        if path.relative_to(kept).as_posix() == value:
            return path
    raise Unknown(f"there is no identity {files.quoted(value)}; choose one of the list")


def _files(service: Service, key: str, name: str) -> list[Path]:
    service.store.find(key)
    folder = service.folder(key) / "run" / name
    if not folder.is_dir():
        return []
    paths = (path for path in sorted(folder.iterdir()) if path.suffix in PLAYED and not path.name.startswith("."))
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def _named(paths: list[Path], key: str, name: str) -> Path:
    """The one of that name: what users say is compared with names, and never becomes a path."""
    for path in paths:
        if path.name == name:
            return path
    raise Unknown(f"job {key} has no file {files.quoted(name)}")
