"""Looking elsewhere while a run goes on, on real ComfyUI: other tabs of the sidebar, other workflows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from .comfy import Window, workflow

pytestmark = pytest.mark.slow


def test_another_sidebar_tab_and_back(window: Window, long_speech: Path) -> None:
    """The host hands one container from tab to tab: ours must come back whole, the same video going on."""
    window.load(workflow("tabs", LoadAudio=window.server.client.upload(long_speech)), "tabs")
    window.panel()
    window.press("Run")
    at = window.advances()
    window.page.evaluate("() => { window.before = document.querySelector('.et-panel video') }")
    for other in ("Node Library (n)", "Workflows (w)"):
        window.tab(other)
        window.page.locator(window.PANEL).wait_for(state="detached")
        time.sleep(1)
        window.shot(f"other-{other.split()[0].lower()}")
        window.tab("EchoTorrent")
        now = window.advances()
        assert now > at and window.page.evaluate("() => before === document.querySelector('.et-panel video')")
        at = now
    window.tab("EchoTorrent")  # closes the sidebar
    window.page.locator(window.PANEL).wait_for(state="detached")
    window.tab("EchoTorrent")
    assert window.advances() > at and window.running()


def test_another_workflow_and_back(window: Window, long_speech: Path) -> None:
    """A node shows the runs of its own workflow, though the other one has the same ids; the panel goes on."""
    window.load(workflow("first", LoadAudio=window.server.client.upload(long_speech)), "first")
    window.panel()
    window.press("Run")
    window.advances(window.NODE)
    window.load(workflow("second"), "second")
    window.page.locator(window.NODE).get_by_text("The video appears here").wait_for()
    window.shot("second")
    window.advances()
    assert window.running()
    window.page.get_by_text("first", exact=True).first.click()
    window.advances(window.NODE)
    window.shot("first-again")
    assert window.running()
    window.press("Stop and keep")
    window.see("stopped")
    window.page.get_by_text("second", exact=True).first.click()
    window.page.locator(window.NODE).get_by_text("The video appears here").wait_for()
    window.page.get_by_text("first", exact=True).first.click()
    window.until("it.readyState >= 2", window.NODE)
    window.page.locator(window.NODE).get_by_text("frames, ").wait_for()
