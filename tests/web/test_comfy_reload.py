"""Pages that come late to a run on real ComfyUI: the same page loaded again, and another browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .comfy import Window, workflow

pytestmark = pytest.mark.slow


def test_reload_during_a_run(window: Window, long_speech: Path) -> None:
    """The workflow is opened again by ComfyUI, the run is found in it by its workflow, and goes on playing."""
    window.load(workflow("reloaded", LoadAudio=window.server.client.upload(long_speech)), "reloaded")
    window.panel()
    window.press("Run")
    window.advances()
    before = window.runs()[0]
    window.open()
    window.panel()
    window.advances()
    window.advances(window.NODE)
    assert window.running()
    run = window.runs()[0]
    assert run["id"] == before["id"] and run["chunks"] > before["chunks"]
    assert window.page.locator(f"[data-run='{run['id']}']").get_attribute("aria-pressed") == "true"
    window.shot("after")
    window.press("Stop and keep")
    window.see("stopped")
    window.see("To go on where it ended")


def test_another_browser_joins_late(browser: Any, window: Window, long_speech: Path) -> None:
    """It has neither queued anything nor the workflow open: the panel shows the run near its newest chunk."""
    window.load(workflow("shared", LoadAudio=window.server.client.upload(long_speech)), "shared")
    window.panel()
    window.press("Run")
    window.see("of 1", timeout=60)
    window.page.wait_for_function(
        "() => /^6\\d\\d of/.test(document.querySelector('.et-progress')?.textContent ?? '')", timeout=120_000
    )
    late = Window(browser, window.server, f"{window.name}-late")
    try:
        late.open()
        late.panel()
        at = late.advances()
        made = window.runs()[0]["seconds"]
        assert window.running() and made - 8 < at <= made
        late.shot("joined")
    finally:
        late.close()
