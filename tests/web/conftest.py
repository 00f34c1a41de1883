from __future__ import annotations

import re
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.nodes import comfy_host

from . import comfy
from .fake_host import FakeHost, FakeRun
from .video import make_run

RUN, OTHER = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium found: apt-get install chromium")
    with api.sync_playwright() as play:
        # As on a user's machine: sound needs a click first.
        chromium = play.chromium.launch(
            executable_path=path, args=["--autoplay-policy=document-user-activation-required"]
        )
        yield chromium
        chromium.close()


SERVERS = [
    pytest.param((version, policy), id=f"{version}-{'policy' if policy else 'open'}")
    for version in comfy_host.versions()
    for policy in (False, True)
]


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[comfy_host.Server]:
    """A real ComfyUI, with the content-security policy that refuses blob media and without."""
    version, policy = request.param
    base = tmp_path_factory.mktemp("comfy")
    comfy.settings(base)
    with comfy_host.or_skip(version):
        made = comfy_host.Server(version, base, csp=policy)
    with made:
        yield made


@pytest.fixture
def window(browser: Any, server: comfy_host.Server, request: pytest.FixtureRequest) -> Iterator[comfy.Window]:
    """A page on it, loaded. What it queued is ended with it."""
    made = comfy.Window(browser, server, re.sub(r"\W+", "-", request.node.name).strip("-"))
    made.open()
    yield made
    made.close()
    server.client.json("/queue", {"clear": True})
    server.client.json("/interrupt", {})
    comfy.wait(lambda: not made.running(), "the server still runs what was interrupted")
    assert made.errors == []


@pytest.fixture(scope="session")
def long_speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shipped speech six times over: 70 s, a run that no test waits for the end of."""
    speech = comfy_host.ROOT / "echotorrent_core" / "assets" / "speech" / "introduction.flac"
    path = tmp_path_factory.mktemp("speech") / "long.wav"
    with av.open(str(speech)) as container, wave.open(str(path), "wb") as file:
        samples = b"".join(frame.to_ndarray()[0].tobytes() for frame in container.decode(audio=0))
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(6 * samples)
    return path


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 chunks, 7.7 s."""
    return make_run(tmp_path_factory.mktemp("short") / "run")


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 chunks, 38 s."""
    return make_run(tmp_path_factory.mktemp("long") / "run", 60)


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Iterator[FakeHost]:
    server = FakeHost(policy=getattr(request, "param", False))
    yield server
    if not server.closed:
        server.kill()


@pytest.fixture
def run(host: FakeHost, short: Path) -> FakeRun:
    """A run that has just begun."""
    return host.add(FakeRun(RUN, short))


@pytest.fixture
def panel(browser: Any, host: FakeHost) -> Iterator[Panel]:
    page = browser.new_page(viewport={"width": 900, "height": 900})
    made = Panel(page, host)
    yield made
    page.close()
    assert made.errors == []


class Panel:
    """The page with the sidebar tab open, and what tests ask of it."""

    def __init__(self, page: Any, host: FakeHost) -> None:
        self.page, self.host = page, host
        self.errors: list[str] = []
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self) -> None:
        self.page.goto(self.host.address)
        self.page.wait_for_function("window.fake?.ready")

    def until(self, condition: str, of: str = ".et-panel video") -> None:
        """Wait for a condition on the element `it`."""
        self.page.wait_for_function(
            f"() => {{ const it = document.querySelector({of!r}); return it && ({condition}) }}"
        )

    def video(self, value: str) -> Any:
        return self.page.evaluate(f"(it => {value})(document.querySelector('.et-panel video'))")

    def see(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()
