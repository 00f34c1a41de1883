"""Runs jobs as processes of their own, some at a time, each when what it needs is there.

Beside what a job makes, its folder holds `log.txt`, and `job.json` with its key and what it took. A job whose file is
there under its key is not run again; a run that was stopped goes on from its checkpoint.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echotorrent_core.errors import InputError

from ..files import replace_text
from ..report import duration
from .plan import Job

if sys.platform != "win32":
    import fcntl

ABOUT, LOG = "job.json", "log.txt"
POLL = 0.05  # seconds


@dataclass
class Failure:
    job: Job
    reason: str


def about(job: Job) -> dict[str, Any]:
    """What is known of a job, by its name in the folder; empty before it was begun."""
    path = job.folder / ABOUT
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")).get(job.done.name, {}) if path.exists() else {}
    return known


def note(job: Job, **facts: Any) -> None:
    path = job.folder / ABOUT
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known[job.done.name] = facts
    replace_text(path, json.dumps(known, indent=1) + "\n")


def is_done(job: Job) -> bool:
    return job.kept or (job.done.exists() and about(job).get("key") == job.key)


def work(jobs: Sequence[Job], workers: int, say: Callable[[str], None] = print) -> list[Failure]:
    """Run the jobs, `workers` at a time. The failures, and what could not be run for them; others go on meanwhile.

    On an interruption the processes are asked to stop, which leaves a checkpoint, and waited for."""
    done = {job.key for job in jobs if is_done(job)}
    waiting = [job for job in jobs if job.key not in done]
    paces = Paces(jobs)
    failures: list[Failure] = []
    running: list[Running] = []
    say(f"{len(jobs)} jobs, {len(done)} done before; {workers} at a time")
    try:
        while waiting or running:
            failed = {failure.job.key for failure in failures}
            for job in [job for job in waiting if failed & set(job.needs)]:
                waiting.remove(job)
                failures.append(Failure(job, "needs a job that failed"))
                failed.add(job.key)
            for job in ready(waiting, done, workers - len(running)):
                waiting.remove(job)
                try:
                    running.append(begin(job))
                except InputError as error:
                    failures.append(Failure(job, str(error)))
                    say(f"failed: {job.name} ({error})")
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                if one.process.returncode or not one.job.done.exists():
                    failures.append(Failure(one.job, one.last_words()))
                    say(f"failed: {one.job.name} ({one.last_words()})")
                    continue
                done.add(one.job.key)
                took = one.finish()
                paces.add(one.job, took)
                left = paces.left(waiting, [(r.job, time.monotonic() - r.began) for r in running], workers)
                say(f"[{len(done)}/{len(jobs)}] {one.job.name} took {duration(took)}{left}")
            time.sleep(POLL)
    finally:
        for one in running:
            one.process.terminate()
        for one in running:
            one.process.wait()
            note(one.job, key=one.job.key, seconds=round(one.seconds(), 1))
    return failures


def ready(waiting: Sequence[Job], done: set[str], free: int) -> list[Job]:
    return [job for job in waiting if set(job.needs) <= done][: max(0, free)]


@dataclass
class Running:
    job: Job
    process: subprocess.Popen[bytes]
    began: float

    def seconds(self) -> float:
        """What the job took up to now, earlier attempts included."""
        return float(time.monotonic() - self.began + about(self.job).get("seconds", 0.0))

    def finish(self) -> float:
        """Seconds it took in all. Checkpoints go: weights stay, and nothing goes on from a finished run."""
        took = self.seconds()
        note(self.job, key=self.job.key, seconds=round(took, 1))
        shutil.rmtree(self.job.folder / "checkpoints", ignore_errors=True)
        (self.job.folder / "checkpoint.pt").unlink(missing_ok=True)
        return took

    def last_words(self) -> str:
        spoken = [line for line in (self.job.folder / LOG).read_text(errors="replace").splitlines() if line.strip()]
        return f"status {self.process.returncode}: {spoken[-1] if spoken else 'said nothing'}"


def begin(job: Job) -> Running:
    """Start a job's process, on one thread. InputError if its folder holds another one's work, or is at work."""
    if about(job).get("key", job.key) != job.key:
        raise InputError(f"{job.folder}: holds a run of another configuration; use another --out or delete that folder")
    job.folder.mkdir(parents=True, exist_ok=True)
    with open(job.folder / LOG, "ab") as log:
        try:
            if sys.platform != "win32":  # there, a job may be begun twice after its driver was killed
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held by the process that inherits it, until it ends
        except OSError as error:
            raise InputError(f"{job.folder}: is at work already, begun by another process; wait for it") from error
        for name, text in job.files.items():
            (job.folder / name).write_text(text, encoding="utf-8")
        note(job, **(about(job) | {"key": job.key}))
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        process = subprocess.Popen(job.command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    return Running(job, process, time.monotonic())


class Paces:
    """How long jobs of a stage take, from those that are done."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.seconds: dict[str, list[float]] = {}
        for job in jobs:
            if is_done(job) and "seconds" in about(job):
                self.add(job, about(job)["seconds"])

    def add(self, job: Job, seconds: float) -> None:
        self.seconds.setdefault(job.stage, []).append(seconds)

    def left(self, waiting: Sequence[Job], running: Sequence[tuple[Job, float]], workers: int) -> str:
        """The time that is left, as text; stages that were never seen are taken for the mean of the others."""
        if not waiting and not running:
            return ""
        means = {stage: sum(found) / len(found) for stage, found in self.seconds.items()}
        other = sum(means.values()) / len(means)
        costs = [means.get(job.stage, other) for job in waiting]
        costs += [max(0.0, means.get(job.stage, other) - spent) for job, spent in running]
        return f"; about {duration(sum(costs) / workers)} left"


def spent(jobs: Sequence[Job]) -> float:
    """Seconds that jobs took."""
    return float(sum(about(job).get("seconds", 0.0) for job in jobs))


def logs(failures: Sequence[Failure]) -> Iterator[str]:
    """The failures as lines."""
    for failure in failures:
        yield f"{failure.job.name}: {failure.reason}"
        if (path := Path(failure.job.folder / LOG)).exists():
            yield f"  {path}"
