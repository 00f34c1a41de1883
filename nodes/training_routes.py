"""Datasets and fine-tune jobs over HTTP, below /echotorrent/training; openapi.json says all of it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from ..training.jobs import identities, views
from ..training.jobs.datasets import MEDIA, MOST
from ..training.jobs.errors import Refused
from ..training.jobs.files import ID, LONGEST_NAME, quoted
from ..training.jobs.forms import located
from ..training.jobs.service import KINDS, LONGEST, Service, checked_device
from ..training.jobs.store import MOVES, Job
from . import guard
from .training_requests import (
    LARGEST_UPLOAD,
    answer,
    body,
    choice,
    file_answer,
    flag,
    guarded,
    needed,
    number,
    uploaded,
)

BASE = "/echotorrent/training"
POLL = 2.0  # seconds between two looks at the jobs

Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Site:
    """What of a host the routes need. folders: that clips may be taken from, by the first part of their paths; files:
    those that settings may name files in; kept: where identities are put to keep; devices: as GET /options lists
    them."""

    service: Service
    folders: Callable[[], dict[str, Path]]
    files: Callable[[], dict[str, Path]]
    kept: Callable[[], Path]
    devices: Callable[[], list[dict[str, Any]]]


def register(table: web.RouteTableDef, site: Site) -> None:
    """Add the routes to the host's table, which is read once."""
    for add in (_options, _datasets, _clips, _jobs, _commands, _made, _identities):
        for method, path, handler in add(site):
            table.route(method, BASE + path)(guarded(handler))


def keep_going(service: Service) -> threading.Event:
    """Look after the jobs for as long as the host lives, or the event returned is not set."""
    over = threading.Event()

    def loop() -> None:
        said = ""
        while not over.wait(POLL):
            try:
                service.poll()
                said = ""
            except Exception as error:  # a full disk today must not leave dead jobs unnoticed tomorrow
                if said != (said := f"EchoTorrent: the jobs could not be looked after ({error})"):
                    print(said)

    threading.Thread(target=loop, name="echotorrent jobs", daemon=True).start()
    return over


Routes = list[tuple[str, str, Route]]


def _options(site: Site) -> Routes:
    async def options(request: web.Request) -> web.StreamResponse:
        presets, problem = [], None
        try:
            schemas = await asyncio.to_thread(site.service.forms.schemas)
            presets = [{"name": name, "schema": schema} for name, schema in schemas.items()]
        except Refused as error:
            problem = str(error)
        limits = {"upload_bytes": LARGEST_UPLOAD, "clips": MOST, "name_length": LONGEST_NAME, "seconds": LONGEST}
        devices = await asyncio.to_thread(site.devices)
        more = {"limits": limits, "media": MEDIA, "folders": list(site.folders()), "problem": problem}
        return answer({"presets": presets, "devices": devices, **more})

    async def estimate(request: web.Request) -> web.StreamResponse:
        found = await body(request, "preset", "settings", "device", "dataset")
        return answer(await asyncio.to_thread(_estimate, site, found))

    return [("GET", "/options", options), ("POST", "/estimate", estimate)]


def _estimate(site: Site, found: dict[str, Any]) -> dict[str, Any]:
    service, preset, devices = site.service, needed(found, "preset"), site.devices()
    device = _device(devices, found.get("device", devices[0]["id"]))
    spec = {
        "preset": preset,
        "settings": service.forms.checked(preset, _located(site, preset, found.get("settings", {}))),
    }
    if "dataset" in found:
        spec["dataset"] = str(service.datasets.folder(found["dataset"]))
    needs = service.forms.estimate(spec, device["id"])
    return {
        **{"device": device["id"], "fits": needs["bytes"] <= device["free_bytes"], "needed_bytes": needs["bytes"]},
        **{"free_bytes": device["free_bytes"], "total_bytes": device["total_bytes"]},
        **{"parts": needs.get("parts", {}), "seconds": needs.get("seconds")},
    }


def _device(devices: list[dict[str, Any]], wanted: Any) -> dict[str, Any]:
    """One that this host has."""
    checked_device(wanted)
    for device in devices:
        if device["id"] == wanted:
            return device
    known = ", ".join(device["id"] for device in devices)
    raise Refused(f"there is no device {quoted(wanted)} here; choose of {known}")


def _located(site: Site, preset: Any, settings: Any) -> Any:
    """Settings with the files in them found in the folders where they may lie. InputError for all others."""
    schema = site.service.forms.known(preset)
    return located(settings, schema, lambda text: str(guard.within(site.files(), text)))


def _datasets(site: Site) -> Routes:
    service, datasets = site.service, site.service.datasets

    async def listing(request: web.Request) -> web.StreamResponse:
        return answer({"datasets": await asyncio.to_thread(datasets.all)})

    async def create(request: web.Request) -> web.StreamResponse:
        found = await body(request, "name")
        return answer(await asyncio.to_thread(datasets.create, needed(found, "name")), 201)

    async def show(request: web.Request) -> web.StreamResponse:
        return answer(await asyncio.to_thread(datasets.describe, request.match_info["dataset"]))

    async def rename(request: web.Request) -> web.StreamResponse:
        key, found = request.match_info["dataset"], await body(request, "name")
        return answer(await asyncio.to_thread(datasets.rename, key, needed(found, "name")))

    async def delete(request: web.Request) -> web.StreamResponse:
        key = request.match_info["dataset"]
        await asyncio.to_thread(datasets.delete, key)
        return answer({"deleted": key})

    async def check(request: web.Request) -> web.StreamResponse:
        key, found = request.match_info["dataset"], await body(request, "preset")
        return await _changed(service, 201, service.check, key, found.get("preset", "embedded"))

    one = "/datasets/{dataset}"
    return [
        *[("GET", "/datasets", listing), ("POST", "/datasets", create), ("GET", one, show), ("PATCH", one, rename)],
        *[("DELETE", one, delete), ("POST", one + "/check", check)],
    ]


def _clips(site: Site) -> Routes:
    service, datasets = site.service, site.service.datasets

    async def add(request: web.Request) -> web.StreamResponse:
        key = request.match_info["dataset"]
        datasets.folder(key)
        if request.content_type.startswith("multipart/"):
            names = await uploaded(request, service, key)
        else:
            path = guard.seen(site.folders(), needed(await body(request, "path"), "path"))
            names = await asyncio.to_thread(datasets.take, key, path)
        return answer({"dataset": await asyncio.to_thread(datasets.describe, key), "added": names}, 201)

    async def change(request: web.Request) -> web.StreamResponse:
        key, name = request.match_info["dataset"], request.match_info["clip"]
        found = await body(request, "begin", "end", "caption", "use")
        if not found:
            raise Refused("the body: give begin, end, caption or use")
        return answer(await asyncio.to_thread(datasets.change, key, name, found))

    async def remove(request: web.Request) -> web.StreamResponse:
        key = request.match_info["dataset"]
        await asyncio.to_thread(datasets.remove, key, request.match_info["clip"])
        return answer(await asyncio.to_thread(datasets.describe, key))

    async def thumbnail(request: web.Request) -> web.StreamResponse:
        key, name = request.match_info["dataset"], request.match_info["clip"]
        return file_answer(await asyncio.to_thread(datasets.thumbnail, key, name))

    async def video(request: web.Request) -> web.StreamResponse:
        key, name = request.match_info["dataset"], request.match_info["clip"]
        return file_answer(await asyncio.to_thread(datasets.clip_path, key, name))

    all_of, one = "/datasets/{dataset}/clips", "/datasets/{dataset}/clips/{clip}"
    return [
        *[("POST", all_of, add), ("PATCH", one, change), ("DELETE", one, remove)],
        *[("GET", one + "/thumbnail", thumbnail), ("GET", one + "/video", video)],
    ]


def _jobs(site: Site) -> Routes:
    service = site.service

    async def listing(request: web.Request) -> web.StreamResponse:
        only = {"kind": choice(request, "kind", *KINDS), "state": choice(request, "state", *MOVES)}
        dataset = request.query.get("dataset")
        if dataset is not None and not ID.fullmatch(dataset):
            raise Refused(f"dataset={quoted(dataset)}: expected the id of a dataset")
        return answer({"jobs": await asyncio.to_thread(lambda: views.jobs(service, dataset=dataset, **only))})

    async def create(request: web.Request) -> web.StreamResponse:
        found = await body(request, "name", "preset", "dataset", "settings", "device", "start")
        given = [needed(found, name) for name in ("name", "preset", "dataset")]
        devices = await asyncio.to_thread(site.devices)
        device = _device(devices, found.get("device", devices[0]["id"]))["id"]
        start = flag(found, "start", True)
        settings = await asyncio.to_thread(_located, site, found["preset"], found.get("settings", {}))
        return await _changed(service, 201, service.create, *given, settings, device, start)

    async def show(request: web.Request) -> web.StreamResponse:
        return await _shown(service, request.match_info["job"])

    async def change(request: web.Request) -> web.StreamResponse:
        found = await body(request, "name", "position")
        if not found or None in found.values():
            raise Refused("the body: give name or position")
        return await _changed(
            service, 200, service.change, request.match_info["job"], *map(found.get, ("name", "position"))
        )

    async def delete(request: web.Request) -> web.StreamResponse:
        key = request.match_info["job"]
        await asyncio.to_thread(service.delete, key)
        return answer({"deleted": key})

    one = "/jobs/{job}"
    return [
        *[("GET", "/jobs", listing), ("POST", "/jobs", create), ("GET", one, show)],
        *[("PATCH", one, change), ("DELETE", one, delete)],
    ]


def _commands(site: Site) -> Routes:
    service = site.service

    def simple(deed: Callable[[str], Job]) -> Route:
        async def handler(request: web.Request) -> web.StreamResponse:
            return await _changed(service, 200, deed, request.match_info["job"])

        return handler

    async def stop(request: web.Request) -> web.StreamResponse:
        force = flag(await body(request, "force"), "force", False)
        return await _changed(service, 200, service.stop, request.match_info["job"], force)

    async def duplicate(request: web.Request) -> web.StreamResponse:
        found = await body(request, "name", "settings", "device", "start")
        if "device" in found:
            _device(await asyncio.to_thread(site.devices), found["device"])
        key, settings = request.match_info["job"], found.get("settings")
        if settings is not None:
            preset = (await asyncio.to_thread(service.store.find, key)).spec.get("preset")
            settings = await asyncio.to_thread(_located, site, preset, settings)
        given = [found.get("name"), settings, found.get("device"), flag(found, "start", False)]
        return await _changed(service, 201, service.duplicate, key, *given)

    async def compare(request: web.Request) -> web.StreamResponse:
        found = await body(request, "checkpoints", "clip", "seconds")
        given = [needed(found, "checkpoints"), found.get("clip"), found.get("seconds", 4.0)]
        return await _changed(service, 201, service.compare, request.match_info["job"], *given)

    deeds: dict[str, Route] = {
        "start": simple(service.start),
        "stop": stop,
        "pause": simple(service.pause),
        "resume": simple(lambda key: service.start(key, first=True)),
        "requeue": simple(service.requeue),
        "save": simple(lambda key: service.order(key, "save")),
        "sample": simple(lambda key: service.order(key, "sample")),
        "duplicate": duplicate,
        "compare": compare,
    }
    return [("POST", f"/jobs/{{job}}/{name}", handler) for name, handler in deeds.items()]


def _made(site: Site) -> Routes:
    service = site.service

    async def metrics(request: web.Request) -> web.StreamResponse:
        after = number(request, "after")
        return answer(await asyncio.to_thread(views.metrics, service, request.match_info["job"], after))

    async def log(request: web.Request) -> web.StreamResponse:
        after = number(request, "after", negative=True)
        return answer(await asyncio.to_thread(views.log, service, request.match_info["job"], after))

    async def samples(request: web.Request) -> web.StreamResponse:
        return answer({"samples": await asyncio.to_thread(views.samples, service, request.match_info["job"])})

    async def checkpoints(request: web.Request) -> web.StreamResponse:
        return answer({"checkpoints": await asyncio.to_thread(views.checkpoints, service, request.match_info["job"])})

    def file(find: Callable[[Service, str, str], Path]) -> Route:
        async def handler(request: web.Request) -> web.StreamResponse:
            key, name = request.match_info["job"], request.match_info["file"]
            return file_answer(await asyncio.to_thread(find, service, key, name))

        return handler

    one = "/jobs/{job}"
    return [
        *[("GET", one + "/metrics", metrics), ("GET", one + "/log", log), ("GET", one + "/samples", samples)],
        *[("GET", one + "/checkpoints", checkpoints), ("GET", one + "/samples/{file}", file(views.sample_path))],
        ("GET", one + "/checkpoints/{file}", file(views.checkpoint_path)),
    ]


def _identities(site: Site) -> Routes:
    service = site.service

    async def listing(request: web.Request) -> web.StreamResponse:
        return answer({"identities": await asyncio.to_thread(views.all_identities, service, site.kept())})

    async def keep(request: web.Request) -> web.StreamResponse:
        found = await body(request, "job", "file", "name")
        key, file, name = (needed(found, part) for part in ("job", "file", "name"))
        if not isinstance(key, str) or not isinstance(file, str) or not isinstance(name, str):
            raise Refused("the body: job, file and name are text")
        source = await asyncio.to_thread(views.checkpoint_path, service, key, file)
        kept = await asyncio.to_thread(identities.keep, source, site.kept(), guard.file_name(name))
        return answer(identities.describe(kept), 201)

    return [("GET", "/identities", listing), ("POST", "/identities", keep)]


async def _changed(service: Service, status: int, deed: Callable[..., Job], *given: Any) -> web.StreamResponse:
    """Do something with a job, then start at once what may start; answers with the job."""
    job = await asyncio.to_thread(deed, *given)
    with contextlib.suppress(OSError, sqlite3.Error, Refused):  # what was asked for is done; the next poll will come
        await asyncio.to_thread(service.poll)
    return await _shown(service, job.id, status)


async def _shown(service: Service, key: str, status: int = 200) -> web.StreamResponse:
    def view() -> dict[str, Any]:
        return views.job(service, service.store.find(key))

    return answer(await asyncio.to_thread(view), status)
