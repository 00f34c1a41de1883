"""The training routes in a real aiohttp server on a port of this machine, with work that counts steps."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import uuid
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.nodes.fake_comfy import part
from tests.training.jobs import fake_kinds

routes = part("nodes.training_routes")
jobs = part("training.jobs.service")
forms = part("training.jobs.forms")
DEVICES = [
    {"id": "cpu", "name": "CPU", "free_bytes": 15_000, "total_bytes": 20_000},
    {"id": "cuda:0", "name": "GPU", "free_bytes": 0, "total_bytes": 20_000},
]


class FakeForms(forms.Forms):
    """Asks no process."""

    def schemas(self) -> dict[str, Any]:
        return {preset: fake_kinds.schema(preset) for preset in fake_kinds.PRESETS}


class Site:
    """The server; folders input, output and models below `base`, jobs and datasets in `base`/user."""

    def __init__(self, base: Path) -> None:
        self.base = base
        for name in ("input", "output", "models"):
            (base / name).mkdir(exist_ok=True)
        made = FakeForms("tests.training.jobs.fake_kinds")
        self.service = jobs.Service(base / "user", kinds="tests.training.jobs.fake_kinds", forms=made)
        folders = {name: base / name for name in ("input", "output")}
        files = {"models": base / "models", **folders}
        site = routes.Site(self.service, lambda: folders, lambda: files, lambda: base / "models", lambda: DEVICES)
        table = web.RouteTableDef()
        routes.register(table, site)
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(table, ready), daemon=True)
        self._thread.start()
        assert ready.wait(20)

    def _run(self, table: web.RouteTableDef, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=100 << 20)
        app.add_routes(table)
        runner = web.AppRunner(app, access_log=None)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port = site._server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{routes.BASE}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        if self.service.store.exists():
            for job in self.service.store.all():
                if job.state in ("starting", "running"):
                    self.service.stop(job.id, force=True)
        self.service.store.close()

    def raw(self, method: str, path: str, data: Any = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """As it is: path and data are not looked at."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, routes.BASE + path, data, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def __call__(self, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, Any]:
        """(status, what the JSON says)"""
        data = None if value is None else json.dumps(value)
        status, said, _ = self.raw(method, path, data, **{"Content-Type": "application/json", **headers})
        return status, json.loads(said)

    def upload(self, dataset: str, files: dict[str, bytes], field: str = "file") -> tuple[int, Any]:
        mark = uuid.uuid4().hex
        data = b"".join(
            f'--{mark}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
            + content
            + b"\r\n"
            for name, content in files.items()
        )
        kind = f"multipart/form-data; boundary={mark}"
        path = f"/datasets/{dataset}/clips"
        status, said, _ = self.raw("POST", path, data + f"--{mark}--\r\n".encode(), **{"Content-Type": kind})
        return status, json.loads(said)
