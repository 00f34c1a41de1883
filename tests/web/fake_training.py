"""The routes of nodes/openapi.json on the small server that stands in for ComfyUI, without a trainer.

Nothing happens by itself: a test says how far a job is, whether it dies and what is seen in clips. Every question and
answer is held against the OpenAPI file; `faults` has what differs. By hand, with jobs that go on:
`python -m tests.web.fake_training VIDEO.mp4`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from .fake_host import FakeHost, _Handler
from .openapi import OpenApi
from .training_things import CHECKPOINT_EVERY, OPTIONS, FakeClip, FakeDataset, FakeJob, key_of

ROOT = "/echotorrent/training"
API = OpenApi(Path(__file__).parents[2] / "nodes" / "openapi.json")
RESTING = ("stopped", "paused", "failed")


class Problem(Exception):
    """An answer that refuses."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class FakeTraining:
    """Jobs and datasets in memory. video: what all samples and uploaded clips show."""

    def __init__(self, video: Path) -> None:
        self.video = video.read_bytes()
        self.jobs: dict[str, FakeJob] = {}
        self.datasets: dict[str, FakeDataset] = {}
        self.options: dict[str, Any] = json.loads(json.dumps(OPTIONS))
        self.kept: list[dict[str, Any]] = []
        self.free = 8 << 30
        self.made = 0  # numbers the ids

    # ---- what a test says

    def add_dataset(self, name: str, *files: str) -> FakeDataset:
        dataset = FakeDataset(self._key("d"), name, created=1_700_000_000.0 + self.made)
        dataset.clips = {file: FakeClip(file, self.video) for file in files}
        self.datasets[dataset.id] = dataset
        return dataset

    def add_job(self, name: str, dataset: FakeDataset, state: str = "running", steps: int = 0, **facts: Any) -> FakeJob:
        job = FakeJob(self._key("a"), name=name, dataset=dataset.id, created=time.time() + self.made, **facts)
        self.jobs[job.id] = job
        if state != "queued":
            job.move("running")
            self.advance(job, steps)
        if job.state != state:
            job.move(state)
        return job

    def advance(self, job: FakeJob, steps: int) -> None:
        """So many steps more, with samples and checkpoints; at the last it is finished."""
        for _ in range(min(steps, job.total - job.step)):
            job.train()
            if job.step % CHECKPOINT_EVERY == 0:
                job.save()
                job.sample()
        if job.step == job.total and job.kind == "identity":
            job.move("finished")

    def answer(self, job: FakeJob) -> None:
        """As the worker after its present step: does what it was told."""
        for command in list(job.pending):
            job.pending.remove(command)
            if command == "sample":
                job.sample()
            else:
                job.save()
            if command in ("stop", "pause"):
                job.move({"stop": "stopped", "pause": "paused"}[command])
            elif command == "requeue":
                job.move("queued")

    def look(self, dataset: FakeDataset) -> None:
        """The end of the job that looks at the clips: each verdict is that which its name says."""
        for clip in dataset.clips.values():
            clip.look()
        for job in self.jobs.values():
            if job.kind == "check" and job.dataset == dataset.id and job.state != "finished":
                job.move("finished")

    def compared(self, job: FakeJob) -> None:
        """The end of a comparison: one video per checkpoint."""
        job.samples = {Path(file).stem: time.time() for file in job.compared}
        job.move("finished")

    # ---- what the routes do

    def handle(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status and answer: JSON or, of a file, its bytes."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        find: dict[tuple[str, int], Callable[..., tuple[int, Any]]] = {
            ("options", 1): self._options, ("estimate", 1): self._estimate, ("identities", 1): self._identities,
            ("jobs", 1): self._jobs, ("jobs", 2): self._job, ("jobs", 3): self._job_part, ("jobs", 4): self._job_file,
            ("datasets", 1): self._datasets, ("datasets", 2): self._dataset, ("datasets", 3): self._dataset_part,
            ("datasets", 4): self._clip, ("datasets", 5): self._clip_file,
        }  # fmt: skip
        return find[parts[0], len(parts)](method, *parts[1:], query=query, body=body)

    def _options(self, method: str, **_: Any) -> tuple[int, Any]:
        return 200, self.options

    def _estimate(self, method: str, body: Any, **_: Any) -> tuple[int, Any]:
        rank = body.get("settings", {}).get("rank", 16)
        needed = {"weights": 1 << 30, "gradients": rank * (64 << 20), "activations": 700 << 20}
        return 200, {
            **{"device": body.get("device", "cpu"), "fits": sum(needed.values()) <= self.free, "parts": needed},
            **{"needed_bytes": sum(needed.values()), "free_bytes": self.free, "total_bytes": 16 << 30},
            "seconds": body.get("settings", {}).get("steps", 400) * 0.9,
        }

    def _identities(self, method: str, body: Any, **_: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"identities": self.kept}
        if any(one["name"] == body["name"] for one in self.kept):
            raise Problem(409, f"there is an identity '{body['name']}' already; choose another name")
        found = next(one for one in self.find(body["job"]).checkpoints() if one["file"] == body["file"])
        file = f"{body['name']}.safetensors"
        self.kept.append({**found, "file": file, "value": file, "source": "models", "job": None, "name": body["name"]})
        return 201, self.kept[-1]

    def _jobs(self, method: str, body: Any, **_: Any) -> tuple[int, Any]:
        if method == "GET":
            newest = sorted(self.jobs.values(), key=lambda job: -job.created)
            return 200, {"jobs": [self._said(job) for job in newest]}
        if not body["name"].isprintable():
            raise Problem(400, "that is no name; use characters that can be seen")
        if not self.datasets[body["dataset"]].usable():
            raise Problem(409, "the dataset has no usable clip")
        job = self._new(body["name"], body["dataset"], body.get("settings", {}), body.get("device", "cpu"))
        if not body.get("start", True):
            job.move("stopped")
        return 201, self._said(job)

    def _job(self, method: str, key: str, body: Any, **_: Any) -> tuple[int, Any]:
        job = self.find(key)
        if method == "DELETE":
            if job.state in ("starting", "running"):
                raise Problem(409, f"job {key} is {job.state}; stop it first")
            del self.jobs[key]
            return 200, {"deleted": key}
        if method == "PATCH":
            job.name = body.get("name", job.name)
            if "position" in body:
                others = [other for other in self._queue(job.device) if other is not job]
                others.insert(body["position"], job)
                for place, other in enumerate(others):
                    other.place = float(place)
        return 200, self._said(job)

    def _job_part(self, method: str, key: str, part: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        job, after = self.find(key), int(query.get("after", 0))
        if method == "GET":
            return 200, {
                "metrics": lambda: job.metrics_after(after),
                "log": lambda: job.log_after(after),
                "samples": lambda: {"samples": job.samples_said()},
                "checkpoints": lambda: {"checkpoints": job.checkpoints()},
            }[part]()
        if part == "duplicate":
            copy = self._new(f"{job.name} 2", job.dataset, job.settings, job.device)
            copy.move("stopped")
            return 201, self._said(copy)
        if part == "compare":
            made = FakeJob(self._key("c"), "compare", job.name, dataset=job.dataset, parent=key, device="check")
            made.compared, made.total, made.created = body["checkpoints"], 8, time.time()
            made.move("running")
            self.jobs[made.id] = made
            return 201, self._said(made)
        self._order(job, part, (body or {}).get("force", False))
        return 200, self._said(job)

    def _order(self, job: FakeJob, order: str, force: bool) -> None:
        if order in ("start", "resume") or (order == "requeue" and job.state in RESTING):
            if job.state not in RESTING:
                raise Problem(409, f"job {job.id} is {job.state}; there is nothing to start")
            first = min((other.place for other in self._queue(job.device)), default=0) - 1
            job.move("queued", place=first if order == "resume" else None)
        elif job.state == "queued" and order in ("stop", "pause"):
            job.move({"stop": "stopped", "pause": "paused"}[order])
        elif job.state not in ("starting", "running"):
            raise Problem(409, f"job {job.id} is {job.state}; it must run to {order}")
        elif force:
            job.pending.clear()
            job.move("stopped")
        elif order not in job.pending:
            job.pending.append(order)

    def _job_file(self, method: str, key: str, part: str, file: str, **_: Any) -> tuple[int, Any]:
        job = self.find(key)
        known = {one["file"] for one in (job.samples_said() if part == "samples" else job.checkpoints())}
        if file not in known:
            raise Problem(404, f"there is no '{file}'")
        return 200, self.video if part == "samples" else b"weights"

    def _datasets(self, method: str, body: Any, **_: Any) -> tuple[int, Any]:
        if method == "GET":
            newest = sorted(self.datasets.values(), key=lambda one: -one.created)
            return 200, {"datasets": [self._dataset_said(one) for one in newest]}
        if not body["name"]:
            raise Problem(400, "'' is no name; begin with a letter or digit")
        return 201, self._dataset_said(self.add_dataset(body["name"]))

    def _dataset(self, method: str, key: str, body: Any, **_: Any) -> tuple[int, Any]:
        dataset = self.find_dataset(key)
        if method == "DELETE":
            if self.busy(key):
                raise Problem(409, f"dataset {key} is used by a job; stop it first")
            del self.datasets[key]
            return 200, {"deleted": key}
        if method == "PATCH":
            dataset.name = body["name"]
        return 200, self._dataset_said(dataset)

    def _dataset_part(self, method: str, key: str, part: str, body: Any, **_: Any) -> tuple[int, Any]:
        dataset = self.find_dataset(key)
        if part == "check":
            job = FakeJob(self._key("c"), "check", "check", dataset=key, device="check", total=len(dataset.clips))
            job.move("running")
            self.jobs[job.id] = job
            return 201, self._said(job)
        for file, data in body.items():
            dataset.clips[file] = FakeClip(file, data)
        return 201, {"dataset": self._dataset_said(dataset), "added": list(body)}

    def _clip(self, method: str, key: str, _part: str, file: str, body: Any, **_: Any) -> tuple[int, Any]:
        dataset = self.find_dataset(key)
        if file not in dataset.clips:
            raise Problem(404, f"there is no clip '{file}'")
        if method == "DELETE":
            if self.busy(key):
                raise Problem(409, f"dataset {key} is used by a job; stop it first")
            del dataset.clips[file]
            return 200, self._dataset_said(dataset)
        return 200, dataset.clips[file].change(body)

    def _clip_file(self, method: str, key: str, _part: str, file: str, what: str, **_: Any) -> tuple[int, Any]:
        clip = self.find_dataset(key).clips.get(file)
        if clip is None or (what == "thumbnail" and clip.verdict is None):
            raise Problem(404, f"there is no picture of '{file}'")
        return 200, clip.thumbnail() if what == "thumbnail" or clip.still else clip.data

    # ---- smaller things

    def find(self, key: str) -> FakeJob:
        if key not in self.jobs:
            raise Problem(404, f"there is no job '{key}'; it may have been deleted")
        return self.jobs[key]

    def find_dataset(self, key: str) -> FakeDataset:
        if key not in self.datasets:
            raise Problem(404, f"there is no dataset '{key}'; it may have been deleted")
        return self.datasets[key]

    def busy(self, dataset: str) -> bool:
        active = ("queued", "starting", "running")
        return any(job.dataset == dataset and job.state in active for job in self.jobs.values())

    def _new(self, name: str, dataset: str, settings: dict[str, Any], device: str) -> FakeJob:
        job = FakeJob(self._key("a"), name=name, dataset=dataset, settings=settings, device=device, created=time.time())
        job.total = settings.get("steps", job.total)
        self.jobs[job.id] = job
        return job

    def _queue(self, device: str) -> list[FakeJob]:
        waiting = [job for job in self.jobs.values() if job.state == "queued" and job.device == device]
        return sorted(waiting, key=lambda job: job.place)

    def _said(self, job: FakeJob) -> dict[str, Any]:
        queue = self._queue(job.device)
        return job.said(queue.index(job) if job in queue else None)

    def _dataset_said(self, dataset: FakeDataset) -> dict[str, Any]:
        return dataset.said(self.busy(dataset.id))

    def _key(self, kind: str) -> str:
        self.made += 1
        return key_of(kind, self.made)


class TrainingHost(FakeHost):
    """The stand-in for ComfyUI with the routes of training."""

    def __init__(self, video: Path, port: int = 0, policy: bool = False, training: FakeTraining | None = None) -> None:
        self.training = training or FakeTraining(video)
        self.faults: list[str] = []  # what is not as the OpenAPI file says
        self.changes: list[str] = []  # every request that is no GET
        super().__init__(port, policy)
        self.RequestHandlerClass = _TrainingHandler


class _TrainingHandler(_Handler):
    server: TrainingHost

    def do_GET(self) -> None:
        self._train() or super().do_GET()

    def do_POST(self) -> None:
        self._train() or super().do_POST()

    def do_PATCH(self) -> None:
        self._train()

    def do_DELETE(self) -> None:
        self._train()

    def _train(self) -> bool:
        """Whether the request was one of training, and has been answered."""
        path, _, query = self.path.removeprefix("/api").partition("?")
        if not path.startswith(ROOT):
            return False
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._refused(path):
            return True
        path, body, method = path.removeprefix(ROOT), self._body(data), self.command
        if method != "GET":
            self.server.changes.append(f"{method} {path}")
        files = isinstance(body, dict) and any(isinstance(one, bytes) for one in body.values())
        faults = [] if files else API.request_faults(method, path, body)
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        try:
            status, value = self.server.training.handle(method, path, asked, body)
        except Problem as problem:
            status, value = problem.status, {"error": str(problem)}
        if isinstance(value, bytes):
            self._file(path, value)
        else:
            faults += API.answer_faults(method, path, status, value)
            self._json(value, status)
        self.server.faults += faults
        return True

    def _file(self, path: str, value: bytes) -> None:
        if value[:2] == b"\xff\xd8":
            self._send(value, "image/jpeg")
        elif path.endswith(".safetensors"):
            self._send(value, "application/octet-stream")
        else:
            self._range(value)

    def _body(self, data: bytes) -> Any:
        """JSON, or of a form its files by name."""
        kind = self.headers.get("Content-Type", "")
        if not data:
            return None
        if not kind.startswith("multipart/form-data"):
            return json.loads(data)
        form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + data)
        return {part.get_filename(): part.get_payload(decode=True) for part in form.get_payload()}  # type: ignore


def main() -> None:
    """Serves some jobs and datasets, of which one goes on by a step every half second."""
    host = TrainingHost(Path(sys.argv[1]), 8422)
    training = host.training
    dataset = training.add_dataset("Ada", "talk.mp4", "too dark.mp4", "silent.mp4", "too short.mp4", "no face.png")
    training.look(dataset)
    job = training.add_job("Ada 1", dataset, steps=120)
    training.add_job("Ada 2", dataset, "queued")
    print(host.address)
    for _ in range(100_000):
        time.sleep(0.5)
        if job.state == "running":
            training.advance(job, 1)
            training.answer(job)
        for other in list(training.jobs.values()):
            if other.kind == "check" and other.state == "running":
                training.look(training.datasets[other.dataset])
            elif other.kind == "compare" and other.state == "running":
                training.compared(other)
            elif other.state == "queued" and job.state != "running":
                job = other
                job.move("running")
    threading.Event().wait()


if __name__ == "__main__":
    main()
