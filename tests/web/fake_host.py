"""A small server that answers as ComfyUI with the pack does: the page, the scripts, the pack's routes and a socket.

Runs are real run folders; how much of one is shown, and in which state, is what a test sets. Serve a folder by hand:
`python -m tests.web.fake_host RUN_FOLDER` makes it grow by a chunk a second.
"""

from __future__ import annotations

import json
import queue
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from echotorrent_core.run_folder import RunFolder
from tests.nodes.fake_comfy import part

progressive = part("nodes.progressive")
FAKE = Path(__file__).parent / "fake"
DIST = Path(__file__).parents[2] / "web" / "dist"
STATIC = {
    "/": (FAKE / "index.html", "text/html; charset=utf-8"),
    "/scripts/app.js": (FAKE / "app.js", "text/javascript"),
    "/scripts/graph.js": (FAKE / "graph.js", "text/javascript"),
    "/scripts/api.js": (FAKE / "api.js", "text/javascript"),
    "/extensions/pack/echotorrent.js": (DIST / "echotorrent.js", "text/javascript"),
    "/extensions/copy/echotorrent.js": (DIST / "echotorrent.js", "text/javascript"),
}
# What ComfyUI sends with --disable-api-nodes: no word on media, so blob: addresses are refused there.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self' data:; frame-src 'self'; object-src 'self';"
)


@dataclass
class FakeRun:
    """The first `shown` events of a run folder, in a state that the test chooses."""

    id: str
    folder: Path
    shown: int = 0
    state: str = "running"
    name: str = "avatar"
    node_id: str = "9"
    message: str = ""
    created: float = field(default_factory=time.time)
    stopped: bool = False
    total: bool = True
    workflow_id: str | None = None
    extra: list[dict[str, Any]] = field(default_factory=list)  # events after the shown ones

    def all_events(self) -> list[dict[str, Any]]:
        return list(RunFolder(self.folder, write=False).events())

    def events(self) -> list[dict[str, Any]]:
        return [{**event, "n": n} for n, event in enumerate([*self.all_events()[: self.shown], *self.extra], 1)]

    def snapshot(self) -> dict[str, Any]:
        info, events = RunFolder(self.folder, write=False).info, self.events()
        chunks = [event for event in events if event["kind"] == "chunk"]
        frames, fps = sum(event["frames"] for event in chunks), info.get("fps", 25)
        height, width = info.get("size", (0, 0))
        every = sum(event["frames"] for event in self.all_events() if event["kind"] == "chunk")
        return {
            **{"id": self.id, "name": self.name, "state": self.state, "n": len(events), "chunks": len(chunks)},
            **{"frames": frames, "seconds": round(frames / fps, 3), "fps": fps, "width": width, "height": height},
            **{"created": self.created, "prompt_id": "p", "node_id": self.node_id, "message": self.message},
            **{"total_frames": every if self.total else None, "workflow_id": self.workflow_id},
        }


class FakeHost(ThreadingHTTPServer):
    """Serves `runs` at `address`. policy: with the content-security policy that refuses blob media."""

    daemon_threads = True

    def __init__(self, port: int = 0, policy: bool = False) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.port, self.policy, self.closed = self.server_address[1], policy, False
        self.address = f"http://127.0.0.1:{self.port}/"
        self.runs: dict[str, FakeRun] = {}
        self.asked: list[str] = []  # every path, in order
        self.refuse: dict[str, int] = {}  # pattern -> status
        self.sockets: list[queue.Queue] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def add(self, run: FakeRun) -> FakeRun:
        self.runs[run.id] = run
        return run

    def advance(self, run: FakeRun, events: int = 1, announce: bool = True, **change: Any) -> None:
        """Show more of a run and tell the page."""
        run.shown += events
        for name, value in change.items():
            setattr(run, name, value)
        if announce:
            self.announce(run.id, len(run.events()))

    def announce(self, key: str, n: int) -> None:
        for socket in list(self.sockets):
            socket.put({"run": key, "n": n, "kind": "chunk"})

    def kill(self) -> None:
        """As a killed server: nothing answers any more, open responses break off."""
        self.closed = True
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # browsers drop requests all the time


class _Handler(BaseHTTPRequestHandler):
    server: FakeHost

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path in STATIC:
            file, kind = STATIC[path]
            self._send(file.read_bytes(), kind)
        elif path == "/fake/socket":
            self._socket()
        else:
            self._route(path.removeprefix("/api"), query)

    def do_POST(self) -> None:
        path = self.path.removeprefix("/api")
        if self._refused(path):
            return
        run = self.server.runs[path.split("/")[3]]
        run.stopped, run.state = True, "stopped"
        run.extra.append({"kind": "stop", "frames": run.snapshot()["frames"]})
        self._json({"stopped": True})
        self.server.announce(run.id, len(run.events()))

    def _route(self, path: str, query: str) -> None:
        if self._refused(path):
            return
        found = re.fullmatch(r"/echotorrent/runs(?:/([0-9a-f]+)(?:/([a-z]+)(?:/(\d+))?)?)?", path)
        if not found:
            return self._json({"error": "no such page"}, 404)
        key, part, chunk = found.groups()
        if key is None:
            runs = sorted(self.server.runs.values(), key=lambda run: -run.created)
            return self._json({"runs": [run.snapshot() for run in runs]})
        if key not in self.server.runs:
            return self._json({"error": f"there is no run {key}"}, 404)
        run = self.server.runs[key]
        if part is None:
            self._json(run.snapshot())
        elif part == "events":
            events = [event for event in run.events() if event["n"] > int(query.partition("=")[2] or 0)]
            self._json({"events": events, "n": len(run.events())})
        elif part == "video":
            self._video(run, int(query.partition("&")[0].removeprefix("from=") or 0))
        else:
            if part == "closing" and run.shown < len(run.all_events()):
                return self._json({"error": "not made yet"}, 404)
            files = {"init": "init.mp4", "closing": "segments/closing.m4s"}
            self._send((run.folder / files.get(part, f"segments/{int(chunk or 0):05d}.m4s")).read_bytes(), "video/mp4")

    def _refused(self, path: str) -> bool:
        self.server.asked.append(path)
        status = next((code for pattern, code in self.server.refuse.items() if re.search(pattern, path)), None)
        if status:
            self._json({"error": "the fake refuses this"}, status)
        return status is not None

    def _video(self, run: FakeRun, first: int) -> None:
        if run.state != "running":
            return self._range((run.folder / "video.mp4").read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.end_headers()
        self.wfile.write(progressive.padded((run.folder / "init.mp4").read_bytes()))
        sent = first
        while not self.server.closed:
            running = run.state == "running"
            chunks = [event for event in run.events() if event["kind"] == "chunk"]
            for event in chunks[sent:]:
                data = (run.folder / event["file"]).read_bytes()
                if event["chunk"] == first and event["frames"] < progressive.PROBED:
                    data += progressive.stills(run.folder, event["first_frame"], event["frames"])
                self.wfile.write(progressive.padded(data))
            sent = max(first, len(chunks))
            if not running:
                return
            time.sleep(0.02)

    def _range(self, data: bytes) -> None:
        """A finished file, in parts if asked: without them a browser cannot seek."""
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(found[1]), int(found[2] or len(data) - 1)) if found else (0, len(data) - 1)
        self.send_response(206 if found else 200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if found:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[first : last + 1])

    def _socket(self) -> None:
        inbox: queue.Queue = queue.Queue()
        self.server.sockets.append(inbox)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"retry: 200\n\n")
        try:
            while not self.server.closed:
                try:
                    self.wfile.write(b"data: " + json.dumps(inbox.get(timeout=0.1)).encode() + b"\n\n")
                except queue.Empty:
                    self.wfile.write(b": here\n\n")
        finally:
            self.server.sockets.remove(inbox)

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), "application/json", status)

    def _send(self, data: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if self.server.policy:
            self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def main() -> None:
    host = FakeHost(8421, policy="--policy" in sys.argv)
    run = host.add(FakeRun("0123456789abcdef", Path(sys.argv[1])))
    print(host.address)
    for event in run.all_events():
        time.sleep(1)
        host.advance(run, state="finished" if event["kind"] == "end" else "running")
    threading.Event().wait()


if __name__ == "__main__":
    main()
