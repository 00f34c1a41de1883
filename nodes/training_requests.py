"""What training routes share: bodies read and checked, uploads to disk, refusals as answers, none of them a 500."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import math
import mimetypes
import sqlite3
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, http_exceptions, web

from ..echotorrent_core.errors import InputError
from ..training.jobs.datasets import clip_name
from ..training.jobs.errors import Conflict, Refused, TooLarge, Unknown
from ..training.jobs.files import quoted
from ..training.jobs.service import Service
from . import guard
from .routes import NO_STORE, Handler

LARGEST_BODY = 1 << 20  # bytes
LARGEST_UPLOAD = 4 << 30  # bytes of one file
DEEPEST = 16  # levels of JSON
PIECE = 1 << 20  # bytes of an upload that are in memory
SPARE = 256 << 20  # bytes that an upload leaves free on the disk
STATUS = {Unknown: 404, Conflict: 409, TooLarge: 413}
TYPES = {".ts": "video/mp2t", ".mts": "video/mp2t", ".mkv": "video/x-matroska", ".flv": "video/x-flv"}
# What aiohttp raises for bodies that are broken, and moreover for multipart that is none.
CUT = (web.RequestPayloadError, http_exceptions.HttpProcessingError)
BROKEN = (*CUT, ValueError, AssertionError, RuntimeError, EOFError)


def answer(value: Any, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, headers=NO_STORE)


def guarded(handler: Handler) -> Handler:
    """Refusals become answers in one sentence; pages of other sites get nothing."""

    @functools.wraps(handler)
    async def checked(request: web.Request) -> web.StreamResponse:
        if guard.foreign(request.headers.get("Origin"), request.headers.get("Host", "")):
            return answer({"error": "requests of other sites are refused"}, 403)
        try:
            return await handler(request)
        except (Refused, InputError) as error:
            status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
            return answer({"error": str(error)}, status)
        except CUT as error:
            return answer({"error": f"the request cannot be read ({str(error)[:200]}); send it again"}, 400)
        except (OSError, sqlite3.Error) as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            return answer({"error": f"the server's disk does not take part ({said}); make room and try again"}, 409)

    return checked


async def body(request: web.Request, *known: str) -> dict[str, Any]:
    """The JSON object of a request, with no other keys than `known`; empty if there is no body."""
    data = bytearray()
    async for piece in request.content.iter_chunked(1 << 16):
        data += piece
        if len(data) > LARGEST_BODY:
            raise TooLarge(f"the request is larger than {LARGEST_BODY >> 20} MB")
    if not data.strip():
        return {}
    try:
        found = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise Refused("the body is not readable as JSON") from None
    if not isinstance(found, dict):
        raise Refused("the body: expected an object")
    _check_plain(found)
    for key in found:
        if key not in known:
            raise Refused(f"the body: there is no {quoted(key)}; known are {', '.join(known) or 'none'}")
    return found


def _check_plain(value: Any, depth: int = 0) -> None:
    """Refused for what JSON lets through and nothing else takes: endless numbers, half characters, deep nests."""
    if depth > DEEPEST:
        raise Refused(f"the body is nested deeper than {DEEPEST} levels")
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("the body holds a number that is not finite")
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refused("the body holds text that is no Unicode") from None
    inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    for one in inner:
        _check_plain(one, depth + 1)


def needed(found: dict[str, Any], name: str) -> Any:
    if name not in found:
        raise Refused(f"the body: {name} is missing")
    return found[name]


def flag(found: dict[str, Any], name: str, default: bool) -> bool:
    value = found.get(name, default)
    if not isinstance(value, bool):
        raise Refused(f"{name}: expected true or false, got {quoted(value)}")
    return value


def number(request: web.Request, name: str, negative: bool = False) -> int:
    """A whole number of the query; 0 without one."""
    text = request.query.get(name, "0")
    digits = text[1:] if negative and text.startswith("-") else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise Refused(f"{name}={quoted(text)}: expected a whole number, such as {name}=0")
    return int(text)


def choice(request: web.Request, name: str, *options: str) -> str | None:
    """A word of the query; None without one."""
    text = request.query.get(name)
    if text is not None and text not in options:
        raise Refused(f"{name}={quoted(text)}: expected one of {', '.join(options)}")
    return text


async def uploaded(request: web.Request, service: Service, dataset: str) -> list[str]:
    """Write the files of a multipart request to disk as they come; all become clips, or none. Returns their names."""
    written: list[tuple[Path, str]] = []
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                service.datasets.room(dataset, len(written) + 1)
                if not part.filename:
                    raise Refused("the upload holds a file without a name")
                clip_name(part.filename)
                written.append((service.datasets.scratch(dataset), part.filename))
                await _write(part, *written[-1], service)
        if not written:
            raise Refused("the upload holds no file; send one or more named 'file'")
        return [await asyncio.to_thread(service.datasets.add, dataset, *one) for one in written]
    except Refused:
        raise
    except (web.HTTPException, *BROKEN) as error:
        raise Refused(f"the upload cannot be read ({str(error)[:200] or 'it broke off'}); send it again") from None
    finally:
        for scratch, _ in written:
            with contextlib.suppress(OSError):
                scratch.unlink(missing_ok=True)


async def _write(part: BodyPartReader, scratch: Path, name: str, service: Service) -> None:
    size = 0
    with open(scratch, "wb") as file:
        while data := await part.read_chunk(PIECE):
            size += len(data)
            if size > LARGEST_UPLOAD:
                raise TooLarge(f"{quoted(name)} is larger than {LARGEST_UPLOAD >> 30} GB; cut it into clips")
            if size % (64 * PIECE) < PIECE and service.room() < SPARE:
                raise Conflict("the disk is nearly full; make room and send the file again")
            await asyncio.to_thread(file.write, data)
    if not size:
        raise Refused(f"{quoted(name)} is empty; choose a video or a picture")


def file_answer(path: Path) -> web.FileResponse:
    """In ranges too. A browser takes it for what its name says, whatever is inside."""
    kind = TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or ""
    kind = kind if kind.startswith(("video/", "image/")) else "application/octet-stream"
    headers = {"Content-Type": kind, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return web.FileResponse(path, headers=headers)
