"""Watching a run while it is made: as fragmented MP4 into a pipe, or on a local page.

Everything is read from the run folder, so a run that another process makes plays just as well.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from . import jobs, presets
from .errors import InputError
from .media import video_codecs
from .run_folder import EventTail, RunFolder, is_busy

PAGE = Path(__file__).parent / "assets" / "play.html"
LAST = ("end", "stop", "error")
LONG_POLL = 15.0


def play(args: argparse.Namespace) -> int:
    """The `play` command."""
    if args.folder:
        if args.image or args.audio:
            raise InputError("give either a run folder to watch, or --image and --audio to make one, not both")
        RunFolder(args.folder, write=False)
        return _show(args, args.folder, None)
    with tempfile.TemporaryDirectory(prefix="echotorrent-") as scratch, jobs.interruptible():
        job = jobs.Job(args, args.run_dir or Path(scratch) / "run")
        try:
            return _show(args, job.run.path, job)
        finally:
            job.close()
            job.remarks()
            if args.run_dir:
                print(f"the run is kept in '{job.run.path}'", file=sys.stderr)


def _show(args: argparse.Namespace, folder: Path, job: jobs.Job | None) -> int:
    watcher: threading.Thread | None = None
    failure: list[BaseException] = []
    if job:
        job.start()
        watcher = threading.Thread(target=_watch, args=(job, args.quiet, failure), daemon=True)
        watcher.start()
    if args.output:
        target = sys.stdout.buffer if args.output == "-" else _open_output(args.output)
        for data in follow(folder):
            _write_all(target, data)
    else:
        serve(folder, args.port, args.open)
    if watcher:
        watcher.join(5)
    if failure:
        raise failure[0]
    return 0


def _watch(job: jobs.Job, quiet: bool, failure: list[BaseException]) -> None:
    try:
        for _ in job.progress(quiet):
            pass
    except Exception as error:
        failure.append(error)


def _open_output(path: str) -> IO[bytes]:
    try:
        return open(path, "wb")
    except OSError as error:
        raise InputError(f"cannot write '{path}' ({error.strerror}); choose another --output") from None


def _write_all(target: IO[bytes], data: bytes) -> None:
    try:
        target.write(data)
        target.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"cannot write the stream ({error.strerror}); free space or choose another --output") from None


def follow(folder: Path, poll: float = 0.03) -> Iterator[bytes]:
    """The run as one stream of fragmented MP4, from its beginning, waiting for what is still being made."""
    tail, begun, quiet_since = EventTail(folder / "events.jsonl"), False, time.monotonic()
    while True:
        events = tail.poll()
        for event in events:
            if event["kind"] == "chunk":
                if not begun:
                    yield (folder / "init.mp4").read_bytes()
                    begun = True
                yield (folder / event["file"]).read_bytes()
        if events:
            quiet_since = time.monotonic()
            if events[-1]["kind"] in LAST:
                break
        elif time.monotonic() - quiet_since > 2:  # its maker may have been killed
            if not is_busy(folder):
                break
            quiet_since = time.monotonic()
        time.sleep(poll)
    closing = folder / "segments" / "closing.m4s"
    if begun and closing.exists():
        yield closing.read_bytes()


def serve(folder: Path, port: int = 8420, browser: bool = False) -> None:
    """Serve the player page of a run on this machine only, until Ctrl-C."""
    server = make_server(folder, port)
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    print(f"playing on {address} (Ctrl-C ends)", file=sys.stderr, flush=True)
    if browser:
        import webbrowser

        webbrowser.open(address)
    with server:
        server.serve_forever(poll_interval=0.2)


def make_server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """The page's server, not yet serving. InputError when the port is taken."""
    handler = type("Handler", (_Handler,), {"folder": Path(folder)})
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"port {port} cannot be used ({reason}); choose another with --port") from None
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    folder: Path

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        try:
            if host not in ("127.0.0.1", "localhost"):  # a foreign name that resolves to this machine
                self.send_error(403)
            elif url.path == "/":
                self._send(PAGE.read_bytes(), "text/html; charset=utf-8")
            elif url.path == "/run":
                self._send_json(self._run())
            elif url.path == "/events":
                self._send_json(self._events(parse_qs(url.query)))
            elif url.path == "/live.mp4":
                self._live()
            elif re.fullmatch(r"/(init\.mp4|segments/(\d{5,}|closing)\.m4s)", url.path):
                self._send((self.folder / url.path[1:]).read_bytes(), "video/mp4")
            else:
                self.send_error(404)
        except FileNotFoundError:
            self.send_error(404)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _run(self) -> dict[str, Any]:
        info = RunFolder(self.folder, write=False).info
        init = self.folder / "init.mp4"
        fps = presets.get_preset(info["preset"]).stream.fps
        codecs = video_codecs(init.read_bytes()) if init.exists() else None
        return {"mime": codecs and f'video/mp4; codecs="{codecs}"', "fps": fps}

    def _events(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Events numbered above `after`; waits a while for the first."""
        after = query.get("after", ["0"])[0]
        tail = EventTail(self.folder / "events.jsonl", int(after) if after.isdigit() else 0)
        limit = time.monotonic() + LONG_POLL
        while not (events := tail.poll()) and time.monotonic() < limit:
            time.sleep(0.03)
        return events

    def _live(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        for data in follow(self.folder):
            self.wfile.write(data)

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def _send_json(self, value: Any) -> None:
        self._send(json.dumps(value).encode(), "application/json")

    def log_message(self, format: str, *args: Any) -> None:
        pass
