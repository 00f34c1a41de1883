"""Runs over HTTP, below /echotorrent/. Files are read from run folders; ids are opaque; foreign pages are refused."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from ..echotorrent_core.errors import InputError
from . import guard
from .progressive import POLL, fragments
from .runs import Runs

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def register(table: web.RouteTableDef, runs: Runs) -> None:
    """Add the routes of `runs` to the host's table, which is read once, after all packs are imported."""

    async def listing(request: web.Request) -> web.StreamResponse:
        return _json({"runs": await asyncio.to_thread(runs.snapshots)})

    async def snapshot(request: web.Request) -> web.StreamResponse:
        return _json(await asyncio.to_thread(runs.snapshot, request.match_info["id"]))

    async def events(request: web.Request) -> web.StreamResponse:
        after = _number(request, "after")
        found = await asyncio.to_thread(runs.events, request.match_info["id"], after)
        return _json({"events": found, "n": found[-1]["n"] if found else after})

    async def init(request: web.Request) -> web.StreamResponse:
        return await _part(runs, request, "init.mp4")

    async def segment(request: web.Request) -> web.StreamResponse:
        return await _part(runs, request, f"segments/{int(request.match_info['chunk']):05d}.m4s")

    async def closing(request: web.Request) -> web.StreamResponse:
        return await _part(runs, request, "segments/closing.m4s")

    async def video(request: web.Request) -> web.StreamResponse:
        key, first = request.match_info["id"], _number(request, "from")
        if (file := await _whole(runs, key)) is not None:
            return web.FileResponse(file, headers={"Cache-Control": "no-cache"})  # in ranges too, for seeking
        if request.method == "HEAD":
            return web.Response(content_type="video/mp4")
        folder, response = runs.find(key), web.StreamResponse(headers={"Content-Type": "video/mp4", **NO_STORE})
        with contextlib.suppress(OSError, InputError):  # the viewer went away, or the run was deleted meanwhile
            await response.prepare(request)
            async for fragment in fragments(folder, runs, first, lambda: _gone(request)):
                await response.write(fragment)
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


async def _whole(runs: Runs, key: str) -> Path | None:
    """The file of a run that is over, or None. One that has ended is waited for while its file is written."""
    while (await asyncio.to_thread(runs.snapshot, key))["state"] != "running":
        folder = runs.find(key)
        if not await asyncio.to_thread(runs.running, folder):
            return await asyncio.to_thread(runs.video, folder)
        await asyncio.sleep(POLL)
    return None


def _number(request: web.Request, name: str) -> int:
    """A whole number that a request may give; 0 if it does not."""
    text = request.query.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InputError(f"{name}={text[:40]!r}: expected a whole number, such as {name}=0")
    return int(text)


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


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


async def _part(runs: Runs, request: web.Request, name: str) -> web.StreamResponse:
    """A file in a run's folder."""
    path = guard.inside(runs.find(request.match_info["id"]), name)
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError:
        return web.json_response({"error": "not made yet"}, status=404, headers={"Cache-Control": "no-store"})
    return web.Response(body=data, content_type="video/mp4", headers=NO_STORE)
