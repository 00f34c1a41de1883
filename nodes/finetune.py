"""EchoTorrent_FineTune: a person's clips into an identity, by a job that goes on without the graph."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from ..echotorrent_core.errors import InputError
from ..training.jobs import views
from ..training.jobs.errors import Refused
from ..training.jobs.files import checked_name
from ..training.jobs.forms import located
from ..training.jobs.store import Job
from . import guard, host, lazy, types
from .host import io

AUTO = "auto"
DEVICES = [AUTO, "cpu", *(f"cuda:{number}" for number in range(8))]
POLL = 0.5  # seconds
PARTS = 1000  # of the progress bar: how many steps there are is known only when the job runs


class FineTune(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EchoTorrent_FineTune",
            display_name="EchoTorrent: Fine-Tune",
            category="EchoTorrent",
            description="Teaches the model a person from clips, in a job that goes on without the graph, the browser "
            "and ComfyUI. Queueing the same again goes on with the same job instead of making another.",
            inputs=[
                types.Model.Input("model", tooltip="From 'Load Model': the job is made for its preset."),
                io.String.Input("name", default="identity", tooltip="Of the job and of the identity; 64 characters."),
                io.String.Input(
                    "clips",
                    default="",
                    multiline=True,
                    tooltip="Videos and stills of the person in ComfyUI's input folder, one per line; a folder there "
                    "stands for all it holds. Leave empty to use a dataset.",
                ),
                io.String.Input(
                    "dataset",
                    default="",
                    optional=True,
                    tooltip="Id of a dataset of the panel, instead of clips: 16 digits.",
                ),
                io.String.Input(
                    "settings",
                    default="",
                    multiline=True,
                    optional=True,
                    tooltip="What shall differ from the preset's defaults, one key=value per line, such as steps=400.",
                ),
                io.Combo.Input(
                    "device",
                    options=DEVICES,
                    default=AUTO,
                    optional=True,
                    tooltip="Which device trains; auto is the one that ComfyUI uses. Each has a queue of its own.",
                ),
                io.Boolean.Input(
                    "wait",
                    default=False,
                    optional=True,
                    tooltip="Wait for the end of the job and show its progress. An interrupt ends the waiting only.",
                ),
            ],
            outputs=[
                io.String.Output(display_name="job", tooltip="Id of the job, as the panel shows it."),
                io.String.Output(
                    display_name="identity",
                    tooltip="For 'Load Identity': what the job made, or without waiting its newest checkpoint.",
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, name: str | None, clips: str | None, dataset: str | None = "") -> bool | str:
        """Before anything runs. What comes over a link is None here, and is checked when it has come."""
        try:
            if name is not None:
                checked_name(name)
            if clips is not None and dataset is not None:
                _sources(clips, dataset)
        except (InputError, Refused) as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, clips: str | None = "", dataset: str | None = "", **inputs: Any) -> Any:
        """Changed clips are others, and a job that was deleted is not done because the node was."""
        try:
            paths = _sources(clips or "", dataset or "")
        except (InputError, Refused):
            return ""
        left = {job.id for job in host.jobs().store.all()} if _handed_out else set()
        return json.dumps([[_stamp(path) for path in paths], len(_handed_out - left)])

    @classmethod
    def execute(
        cls,
        model: lazy.Model,
        name: str,
        clips: str,
        dataset: str = "",
        settings: str = "",
        device: str = AUTO,
        wait: bool = False,
    ) -> io.NodeOutput:
        try:
            job = _job(model.config.name, name, _sources(clips, dataset), dataset.strip(), _settings(settings), device)
            _handed_out.add(job.id)
            if not wait:
                return io.NodeOutput(job.id, f"job/{job.id}/last")
            _wait(job.id)
            newest = views.checkpoints(host.jobs(), job.id)
        except Refused as error:
            raise InputError(str(error)) from None
        if not newest:
            raise InputError(f"job {job.id} is finished and wrote no identity; look at its log")
        return io.NodeOutput(job.id, newest[-1]["value"])


_handed_out: set[str] = set()  # ids of jobs that nodes of this process gave away


def _sources(clips: str, dataset: str) -> list[Path]:
    """The files and folders with the clips; none for a dataset. InputError if both or neither are given."""
    lines = [line.strip() for line in clips.splitlines() if line.strip()]
    if bool(lines) == bool(dataset.strip()):
        raise InputError("give clips, one per line, or the id of a dataset, and not both")
    if dataset.strip():
        host.jobs().datasets.folder(dataset.strip())
    folders = host.clip_folders()
    known = tuple(f"{folder}/" for folder in folders)
    return [guard.seen(folders, line if line.startswith(known) else f"input/{line}") for line in lines]


def _stamp(path: Path) -> list[Any]:
    """Changes with a file, or with those of a folder."""
    inside = sorted(path.iterdir()) if path.is_dir() else [path]
    return [[one.name, one.stat().st_size, one.stat().st_mtime_ns] for one in inside if one.is_file()]


def _settings(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, equals, value = line.partition("=")
        if not equals:
            raise InputError(f"settings: {line[:80]!r} is no key=value, such as steps=400")
        try:
            found[key.strip()] = json.loads(value)
        except ValueError:
            found[key.strip()] = value.strip()
    return found


def _job(preset: str, name: str, paths: list[Path], dataset: str, settings: dict[str, Any], device: str) -> Job:
    """The job of this request: one that is there, going on if it rests, or a new one."""
    service = host.jobs()
    asked = [preset, name, dataset, settings, device, [[str(path), _stamp(path)] for path in paths]]
    request = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    job = service.requested(request)
    if job is None:
        schema = service.forms.known(preset)
        settings = located(settings, schema, lambda text: str(guard.within(host.setting_folders(), text)))
        service.forms.checked(preset, settings)  # before files are copied
        key = dataset or str(service.datasets.create(name)["id"])
        for path in paths:
            service.datasets.take(key, path)
        chosen = host.devices()[0]["id"] if device == AUTO else device
        job = service.create(name, preset, key, settings, chosen, request=request)
    elif job.state in ("stopped", "paused", "failed"):
        job = service.start(job.id)
    service.poll()
    return job


def _wait(key: str) -> None:
    """Until a job is finished. InputError if it fails or is stopped; an interrupt leaves it running."""
    service, bar = host.jobs(), host.Progress(PARTS)
    while True:
        host.check_interrupted()
        job = service.store.find(key)
        if job.state == "finished":
            bar.update(PARTS, f"job {key} is finished")
            return
        if job.state in ("failed", "stopped", "paused"):
            raise InputError(
                f"job {key} {job.state}{': ' if job.reason else ''}{job.reason}; queue again to go on with it"
            )
        loss = job.metrics.get("loss")
        numbers = f", loss {loss:.4g}" if loss is not None else ""
        steps = f"step {job.step} of {job.total}{numbers}" if job.total else job.phase or job.state
        bar.update(PARTS * job.step // job.total if job.total else 0, steps)
        service.poll()
        time.sleep(POLL)
