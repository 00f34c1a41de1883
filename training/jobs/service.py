"""All that can be done with jobs, for the server, the shell and the workers themselves."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import files, process
from .datasets import Datasets
from .errors import Conflict, Refused
from .forms import Forms
from .lock import owner
from .store import ACTIVE, Changes, Job, Store

WORK = "training.identity.job"  # has KINDS: by kind, what does the work of a job
SHORT = "check"  # the queue of short work, which never waits behind training
DEVICE = re.compile(r"cpu|mps|cuda:\d{1,2}")
BEGUN = "--- "  # begins the line in the log with which a run begins or ends
PATIENCE = 30.0  # seconds within which a worker must have taken its job
TRIES = 3  # starts that may come to nothing before a job fails
KINDS = ("identity", "check", "compare")
MOST_COMPARED = 8
LONGEST = 60.0  # seconds of a comparison


class Service:
    """The jobs and datasets below `root`. kinds: the module with the work."""

    def __init__(self, root: Path, kinds: str = WORK, forms: Forms | None = None, patience: float = PATIENCE) -> None:
        self.root, self.kinds, self.patience = root.resolve(), kinds, patience
        self.store = Store(self.root)
        self.forms = forms or Forms()
        self.datasets = Datasets(self.root / "datasets", self.uses)
        self._children: dict[str, process.Child] = {}  # by claim: only their parent learns how they ended
        self._polling = threading.Lock()

    def folder(self, key: str) -> Path:
        return self.store.jobs / key

    # ---- making and deleting

    def create(
        self,
        name: Any,
        preset: Any,
        dataset: Any,
        settings: Any = None,
        device: Any = "cpu",
        start: bool = True,
        request: str = "",
    ) -> Job:
        """A fine-tune of `preset` on a dataset. request: by which `requested` finds it again."""
        settings = self.forms.checked(preset, {} if settings is None else settings)
        spec = {"preset": preset, "dataset": str(self.datasets.folder(dataset)), "settings": settings}
        spec |= {"request": request} if request else {}
        return self._add("identity", files.checked_name(name), checked_device(device), spec, dataset, start=start)

    def requested(self, request: str) -> Job | None:
        """The newest job that was made for a request, if any is left."""
        return next((job for job in self.store.all() if job.spec.get("request") == request), None)

    def check(self, dataset: Any, preset: Any = "embedded") -> Job:
        """Look at the clips of a dataset. A job of the kind that waits or runs already is taken instead."""
        self.forms.known(preset)
        folder = self.datasets.folder(dataset)
        alike = [job for job in self.store.all() if (job.kind, job.dataset) == ("check", dataset)]
        waiting = [job for job in alike if job.state in ("queued", *ACTIVE)]
        for job in alike:  # of those that are over, only what they found counts, and it lies with the clips
            if job.state not in ("queued", *ACTIVE):
                with contextlib.suppress(Refused):
                    self.delete(job.id)
        return waiting[0] if waiting else self._add("check", "check", SHORT, _check(preset, folder), dataset)

    def compare(self, key: str, checkpoints: Any, clip: Any = None, seconds: Any = 4.0) -> Job:
        """Videos of some of a job's checkpoints."""
        job = self.store.find(key)
        known = {path.name for path in self.identity_files(key)}
        if not isinstance(checkpoints, list) or not 1 <= len(checkpoints) <= MOST_COMPARED:
            raise Refused(f"checkpoints: expected a list of 1 to {MOST_COMPARED} names of this job's checkpoints")
        for name in checkpoints:
            if not isinstance(name, str) or name not in known:
                raise Refused(f"{files.quoted(name)} is no checkpoint of job {key}; choose of its list")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= LONGEST:
            raise Refused(f"seconds: expected a number above 0 and up to {LONGEST:g}, got {files.quoted(seconds)}")
        dataset = job.dataset or ""
        sound = None if clip is None else str(self.datasets.clip_path(dataset, clip))
        spec = {
            **{"job": str(self.folder(key)), "checkpoints": list(dict.fromkeys(checkpoints)), "sound": sound},
            **{"seconds": float(seconds), "preset": job.spec.get("preset"), "device": job.device},
        }
        return self._add("compare", job.name, SHORT, spec, dataset, parent=key)

    def duplicate(
        self, key: str, name: Any = None, settings: Any = None, device: Any = None, start: bool = False
    ) -> Job:
        """A new job with the settings of another one, changed by those given."""
        job = self.store.find(key)
        if job.kind != "identity":
            raise Conflict(f"job {key} is no fine-tune; only those can be duplicated")
        taken = {other.name for other in self.store.all()}
        numbered = (f"{job.name[:58]} {i}" for i in range(2, 10_000))
        name = next(text for text in numbered if text not in taken) if name is None else name
        if settings is not None and not isinstance(settings, dict):
            raise Refused("settings: expected keys with values")
        merged = {**job.spec["settings"], **(settings or {})}
        return self.create(name, job.spec["preset"], job.dataset, merged, device or job.device, start)

    def delete(self, key: str) -> None:
        """With all it made. Conflict while it runs."""
        with self.store.change() as changes:
            job = changes.find(key)
            if job.state in ACTIVE or owner(self.folder(key)) is not None:
                raise Conflict(f"job {key} is {job.state}; stop it first")
            with contextlib.suppress(FileNotFoundError):
                files.set_aside(self.folder(key))
            changes.drop(key)
        files.remove_remains(self.store.jobs)

    def _add(
        self, kind: str, name: str, device: str, spec: dict[str, Any], dataset: str, *, parent: str | None = None,
        start: bool = True,
    ) -> Job:  # fmt: skip
        now = time.time()
        spec = {**spec, "name": name, "device": spec.get("device", "cpu" if device == SHORT else device)}
        job = Job(files.new_id(), kind, name, device, spec, now, dataset=dataset, parent=parent, updated=now)
        with self.store.change() as changes:
            self.folder(job.id).mkdir(parents=True)
            changes.add(replace(job, state="queued" if start else "stopped", place=changes.end_of_queue()))
        return self.store.find(job.id)

    # ---- commands

    def start(self, key: str, first: bool = False) -> Job:
        """Queue a job that rests, at the end of its queue or as the next one."""
        with self.store.change() as changes:
            job = changes.find(key)
            if job.state not in ("stopped", "paused", "failed"):
                hint = "duplicate it to train once more" if job.state == "finished" else "there is nothing to start"
                raise Conflict(f"job {key} is {job.state}; {hint}")
            _queue(changes, job, first)
        return self.store.find(key)

    def stop(self, key: str, force: bool = False) -> Job:
        """With a checkpoint after the present step; by force at once, without one."""
        if force:
            return self._end(key)
        return self._rest(key, "stop", "stopped")

    def pause(self, key: str) -> Job:
        return self._rest(key, "pause", "paused")

    def requeue(self, key: str) -> Job:
        """To the end of its queue; one that runs makes room for the next after a checkpoint."""
        with self.store.change() as changes:
            job = changes.find(key)
            if job.state in ACTIVE:
                changes.command(key, "requeue")
            elif job.state == "queued":
                changes.set(key, place=changes.end_of_queue())
            elif job.state == "finished":
                raise Conflict(f"job {key} is finished; duplicate it to train once more")
            else:
                _queue(changes, job, first=False)
        return self.store.find(key)

    def order(self, key: str, command: str) -> Job:
        """ "save" or "sample", now."""
        with self.store.change() as changes:
            job = changes.find(key)
            if job.state not in ACTIVE:
                raise Conflict(f"job {key} is {job.state}; it must run to {command}")
            changes.command(key, command)
        return self.store.find(key)

    def change(self, key: str, name: Any = None, position: Any = None) -> Job:
        """Rename a job; move one that waits to another place in its queue, 0 is next."""
        if position is not None and (isinstance(position, bool) or not isinstance(position, int) or position < 0):
            raise Refused(f"position: expected a whole number from 0 up, got {files.quoted(position)}")
        with self.store.change() as changes:
            job = changes.find(key)
            if name is not None:
                changes.rename(key, files.checked_name(name))
            if position is not None:
                _place(changes, job, position)
        return self.store.find(key)

    def uses(self, dataset: str) -> bool:
        """Whether a job that waits or runs needs a dataset."""
        return any(job.dataset == dataset and job.state in ("queued", *ACTIVE) for job in self.store.all())

    def _rest(self, key: str, command: str, state: str) -> Job:
        with self.store.change() as changes:
            job = changes.find(key)
            if job.state == "queued":
                changes.move(key, state)
            elif job.state in ACTIVE:
                changes.command(key, command)
            else:
                raise Conflict(f"job {key} is {job.state}; there is nothing to {command}")
        return self.store.find(key)

    def _end(self, key: str) -> Job:
        job = self.store.find(key)
        if job.state not in ACTIVE:
            return self._rest(key, "stop", "stopped")
        pid = owner(self.folder(key))
        if pid and not process.end(pid, lambda: owner(self.folder(key)) is None):
            raise Conflict(f"the worker of job {key} (process {pid}) does not end; end it by hand")
        with self.store.change() as changes:
            if changes.find(key).state in ACTIVE:
                changes.move(key, "stopped", reason="ended by force; it goes on from its last checkpoint")
        return self.store.find(key)

    # ---- what keeps it going

    def poll(self) -> None:
        """Notice workers that died and start what waits. Any number of servers may do this at any time."""
        if not self.store.exists():
            return
        with self._polling:
            with self.store.change() as changes:
                for job in changes.where(*ACTIVE):
                    self._look_after(changes, job)
                for job in changes.where("queued", "stopped", "paused", "failed", "finished"):
                    if not self.folder(job.id).is_dir():  # its deletion was cut off
                        changes.drop(job.id)
                claimed = self._claim(changes)
            for job in claimed:
                self._spawn(job)
            for claim in [claim for claim, child in self._children.items() if child.poll() is not None]:
                del self._children[claim]

    def begin(self, key: str, claim: str) -> Job | None:
        """A worker that has locked a job's folder takes the job; None if this start was given up."""
        with self.store.change() as changes:
            job = changes.known(key)
            if job is None or job.state != "starting" or job.claim != claim:
                return None
            pid = owner(self.folder(key))
            changes.move(key, "running", pid=pid, tries=0, runs=job.runs + 1, reason="", started=time.time())
        return self.store.find(key)

    def leave(self, key: str, claim: str, state: str, **values: Any) -> None:
        """The work of a job is over. Nothing happens if it is not in the run `claim` any more."""
        with self.store.change() as changes:
            job = changes.known(key)
            if job is not None and job.state == "running" and job.claim == claim:
                if state == "queued":
                    values["place"] = changes.end_of_queue()
                changes.move(key, state, **values)

    def _look_after(self, changes: Changes, job: Job) -> None:
        folder = self.folder(job.id)
        if owner(folder) is not None:
            return
        child = self._children.get(job.claim)
        code = None if child is None else child.poll()
        if job.state == "starting":
            if code is None and time.time() - job.updated < self.patience:
                return
            ordered = {row["command"] for row in changes.db.execute("SELECT * FROM commands WHERE job = ?", (job.id,))}
            if resting := [state for command, state in RESTING.items() if command in ordered]:
                changes.move(job.id, resting[0])
            elif job.tries < TRIES:
                changes.move(job.id, "queued")
            else:
                changes.move(job.id, "failed", reason=self._why(job.id, code, "its worker could not be started"))
        else:
            changes.move(job.id, "failed", reason=self._why(job.id, code, "its worker died"))

    def _why(self, key: str, code: int | None, what: str) -> str:
        how = f" ({process.ended(code)})" if code is not None else ""
        said = files.tail(self.folder(key) / "log.txt")
        begun = max((number for number, line in enumerate(said) if line.startswith(BEGUN)), default=-1)
        said = said[begun + 1 :]  # of this run only
        return f"{what}{how}; its last words: {' / '.join(said)[-600:]}" if said else f"{what}{how} without a word"

    def _claim(self, changes: Changes) -> list[Job]:
        """The first of every queue whose device is free."""
        busy = {job.device for job in changes.where(*ACTIVE)}
        claimed = []
        for job in changes.where("queued"):
            if job.device not in busy:
                busy.add(job.device)
                changes.move(job.id, "starting", claim=secrets.token_hex(8), tries=job.tries + 1)
                claimed.append(changes.find(job.id))
        return claimed

    def _spawn(self, job: Job) -> None:
        words = [str(self.root), job.id, job.claim, self.kinds]
        try:
            log = self.folder(job.id) / "log.txt"
            device = str(job.spec.get("device", "cpu"))
            self._children[job.claim] = process.spawn("training.jobs.worker", words, log, device)
        except OSError as error:
            with self.store.change() as changes:
                now = changes.known(job.id)
                if now is not None and (now.state, now.claim) == ("starting", job.claim):
                    changes.move(job.id, "failed", reason=f"its worker could not be started ({error.strerror})")

    # ---- files of a job

    def identity_files(self, key: str) -> list[Path]:
        """Of a job, by step."""
        self.store.find(key)
        return sorted((self.folder(key) / "run" / "identities").glob("step-*.safetensors"))

    def room(self) -> int:
        """Bytes that are free on the disk."""
        return shutil.disk_usage(self.root if self.root.exists() else self.root.parent).free


RESTING = {"stop": "stopped", "pause": "paused"}


def _place(changes: Changes, job: Job, position: int) -> None:
    if job.state != "queued":
        raise Conflict(f"job {job.id} is {job.state}; only those that wait have a place in the queue")
    others = [other for other in changes.where("queued") if other.device == job.device and other.id != job.id]
    others.insert(min(position, len(others)), job)
    last = changes.end_of_queue()
    for number, other in enumerate(others):
        changes.set(other.id, place=last + number)


def checked_device(device: Any) -> str:
    if not isinstance(device, str) or not DEVICE.fullmatch(device):
        raise Refused(f"device {files.quoted(device)}: expected cpu, or cuda:0 and so on")
    return device


def _check(preset: str, folder: Path) -> dict[str, Any]:
    return {"preset": preset, "dataset": str(folder)}


def _queue(changes: Changes, job: Job, first: bool) -> None:
    waiting = [other.place for other in changes.where("queued") if other.device == job.device]
    place = min(waiting) - 1 if first and waiting else changes.end_of_queue()
    changes.move(job.id, "queued", place=place, tries=0, reason="")
