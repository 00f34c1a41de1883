"""A browser on a real ComfyUI: what a user does there, and what tests ask of the page."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.nodes import comfy_host

SHOTS = comfy_host.ROOT / "out" / "screenshots"
SETTINGS = {
    "Comfy.TutorialCompleted": True,  # else a dialogue covers the page
    "Comfy.InstalledVersion": "9.9.9",
    "Comfy.Workflow.WarnBlueprintOverwrite": False,
}
READY = "() => window.app?.extensionManager?.getSidebarTabs?.().some(({ id }) => id === 'echotorrent')"
QUICK_START = comfy_host.ROOT / "workflows" / "quick_start.json"


def workflow(name: str, **widgets: Any) -> dict[str, Any]:
    """The shipped quick start as a workflow of its own; widgets: first value of the first node of a type."""
    graph = json.loads(QUICK_START.read_text())
    graph["id"] = str(uuid.uuid4())
    for kind, value in {"EchoTorrent_SaveVideo": name, **widgets}.items():
        next(node for node in graph["nodes"] if node["type"] == kind)["widgets_values"][0] = value
    return graph


def settings(base: Path, **values: Any) -> None:
    """The frontend's settings of a server whose folder is `base`, before it starts."""
    folder = base / "user" / "default"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comfy.settings.json").write_text(json.dumps({**SETTINGS, **values}))


class Window:
    """A page of its own on `server`. Errors of the pack's script are collected; those of ComfyUI's own are many."""

    PANEL, NODE = ".et-panel", ".et-node"

    def __init__(self, browser: Any, server: comfy_host.Server, name: str) -> None:
        self.server, self.name = server, name
        self.context = browser.new_context(viewport={"width": 1400, "height": 900})
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.errors: list[str] = []
        self.page.on(
            "pageerror", lambda error: "/extensions/" in (error.stack or "") and self.errors.append(error.stack)
        )
        self.page.on("dialog", lambda dialog: dialog.accept())

    def close(self) -> None:
        self.shot("end")
        self.context.close()

    def open(self) -> None:
        """Load the page, also for the second time."""
        self.page.goto(self.server.url)
        self.page.wait_for_function(READY, timeout=90_000)
        self.page.wait_for_function("() => app.canvas && app.graph && !document.querySelector('#splash-loader')")

    def shot(self, what: str) -> Path:
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{self.name}-{what}.png"
        self.page.screenshot(path=path)
        return path

    # ---- what a user does

    def tab(self, name: str) -> None:
        """Click a tab of the sidebar, whose button may also close it."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def panel(self) -> None:
        """Open our tab, if it is not open."""
        if not self.page.locator(self.PANEL).count():
            self.tab("EchoTorrent")
        self.page.locator(self.PANEL).wait_for()

    def load(self, workflow: dict[str, Any], name: str) -> None:
        """Open a workflow file in a tab of its own."""
        self.page.evaluate("async () => await app.refreshComboInNodes()")  # files that were uploaded since
        self.page.evaluate(
            "async ([graph, name]) => await app.loadGraphData(graph, true, true, name)", [workflow, name]
        )
        self.page.locator(self.NODE).first.wait_for(state="attached")
        self.fit()

    def fit(self) -> None:
        """The whole graph in view."""
        self.page.evaluate("() => app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        time.sleep(1)

    def queue(self) -> None:
        self.page.evaluate("() => app.queuePrompt(0, 1)")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def play(self) -> None:
        """The panel's video from its begin."""
        self.until("it.readyState >= 2 && it.duration > 2")
        self.page.evaluate(
            "() => { const it = document.querySelector('.et-panel video'); it.currentTime = 0; it.play() }"
        )

    # ---- what is there to be seen

    def see(self, text: str, within: str = PANEL, timeout: float = 30) -> None:
        self.page.locator(within).get_by_text(text).first.wait_for(timeout=1000 * timeout)

    def until(self, condition: str, within: str = PANEL, timeout: float = 60) -> Any:
        """Wait until `condition` holds for the video `it`; its value."""
        return self.page.wait_for_function(
            f"() => {{ const it = document.querySelector('{within} video'); return it && ({condition}) }}",
            timeout=1000 * timeout,
        ).json_value()

    def video(self, value: str, within: str = PANEL) -> Any:
        return self.page.evaluate(f"() => (it => {value})(document.querySelector('{within} video'))")

    def advances(self, within: str = PANEL, timeout: float = 60) -> float:
        """Wait until the picture is there and moves on; where it is."""
        at = self.until("it.videoWidth > 0 && it.currentTime > 0 && it.currentTime", within, timeout)
        return self.until(f"it.currentTime > {at + 0.2} && it.currentTime", within, timeout)

    def running(self) -> bool:
        """Whether the server still works on what was queued."""
        return bool(self.server.client.json("/queue")["queue_running"])

    def runs(self) -> list[dict[str, Any]]:
        return self.server.client.json("/echotorrent/runs")["runs"]


def wait(condition: Callable[[], Any], what: str, limit: float = 60) -> Any:
    """The first true value of `condition`."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {limit} s")
