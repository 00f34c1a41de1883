from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
        page.set_default_timeout(10_000)
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
