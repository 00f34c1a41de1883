"""Runs over HTTP, below /echotorrent/. Files are read from run folders; ids are opaque; foreign pages are refused."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from ..echotorrent_core.errors import InputError
from ..echotorrent_core.run_folder import EventTail
from . import guard
from .runs import Runs

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
POLL = 0.05  # seconds between two looks at a run that is being made


def register(table: web.RouteTableDef, runs: Runs) -> None:
    """Add the routes of `runs` to the host's table, which is read once, after all packs are imported."""

    async def listing(request: web.Request) -> web.StreamResponse:
        return _json({"runs": await asyncio.to_thread(runs.snapshots)})

    async def snapshot(request: web.Request) -> web.StreamResponse:
        return _json(await asyncio.to_thread(runs.snapshot, request.match_info["id"]))

    async def events(request: web.Request) -> web.StreamResponse:
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 16):
            raise InputError(f"after={after[:40]!r}: expected the number of an event")
        found = await asyncio.to_thread(runs.events, request.match_info["id"], int(after))
        return _json({"events": found, "n": found[-1]["n"] if found else int(after)})

    async def init(request: web.Request) -> web.StreamResponse:
        return await _file(runs.find(request.match_info["id"]) / "init.mp4")

    async def segment(request: web.Request) -> web.StreamResponse:
        chunk = int(request.match_info["chunk"])
        return await _file(runs.find(request.match_info["id"]) / "segments" / f"{chunk:05d}.m4s")

    async def closing(request: web.Request) -> web.StreamResponse:
        return await _file(runs.find(request.match_info["id"]) / "segments" / "closing.m4s")

    async def video(request: web.Request) -> web.StreamResponse:
        folder = runs.find(request.match_info["id"])
        response = web.StreamResponse(headers={"Content-Type": "video/mp4", **NO_STORE})
        await response.prepare(request)
        async for path in media(folder, runs):
            await response.write(await asyncio.to_thread(path.read_bytes))
        await response.write_eof()
        return response

    async def stop(request: web.Request) -> web.StreamResponse:
        key = request.match_info["id"]
        stopped = await asyncio.to_thread(runs.stop, key)
        return _json({"stopped": stopped, **await asyncio.to_thread(runs.snapshot, key)})

    run = "/echotorrent/runs/{id}"
    table.get("/echotorrent/runs")(_guarded(listing))
    table.get(run)(_guarded(snapshot))
    table.get(run + "/events")(_guarded(events))
    table.get(run + "/init")(_guarded(init))
    table.get(run + r"/segments/{chunk:\d{1,9}}")(_guarded(segment))
    table.get(run + "/closing")(_guarded(closing))
    table.get(run + "/video")(_guarded(video))
    table.post(run + "/stop")(_guarded(stop))


async def media(folder: Path, runs: Runs) -> AsyncIterator[Path]:
    """The files of a run in playing order, waiting for those that are still to come."""
    tail, begun = EventTail(folder / "events.jsonl"), False
    while True:
        running = await asyncio.to_thread(runs.running, folder)
        for event in await asyncio.to_thread(tail.poll):
            if event["kind"] == "chunk":
                if not begun:
                    yield folder / "init.mp4"
                    begun = True
                yield folder / event["file"]
        if not running:
            break
        await asyncio.sleep(POLL)
    closing = folder / "segments" / "closing.m4s"
    if begun and closing.exists():
        yield closing


def _guarded(handler: Handler) -> Handler:
    @functools.wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        if guard.foreign(request.headers.get("Origin"), request.headers.get("Host", "")):
            return web.json_response({"error": "requests of other sites are refused"}, status=403)
        try:
            return await handler(request)
        except InputError as error:
            return web.json_response({"error": str(error)}, status=404)

    return answer


def _json(value: Any) -> web.Response:
    return web.json_response(value, headers={"Cache-Control": "no-store"})


async def _file(path: Path) -> web.StreamResponse:
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError:
        return web.json_response({"error": "not made yet"}, status=404, headers={"Cache-Control": "no-store"})
    return web.Response(body=data, content_type="video/mp4", headers=NO_STORE)
