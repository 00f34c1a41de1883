"""The server is killed during a run and started again, on real ComfyUI: the panel recovers, and the run can go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.nodes import comfy_host

from . import comfy

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("policy", [False, True], ids=["open", "policy"])
@pytest.mark.parametrize("version", comfy_host.versions())
def test_killed_and_started_again(browser: Any, tmp_path: Path, version: str, policy: bool, long_speech: Path) -> None:
    comfy.settings(tmp_path)
    with comfy_host.or_skip(version):
        server = comfy_host.Server(version, tmp_path, csp=policy)
    with server:
        window = comfy.Window(browser, server, f"test_killed-{version}-{'policy' if policy else 'open'}")
        window.open()
        window.load(comfy.workflow("killed", LoadAudio=server.client.upload(long_speech)), "killed")
        window.panel()
        window.press("Run")
        window.advances()
        comfy.wait(lambda: window.runs()[0]["chunks"] >= 4, "four chunks")
        server.kill()
        window.see("ComfyUI does not answer")
        window.shot("away")
        with server:
            window.see("The run broke off", timeout=60)
            window.page.locator(window.PANEL).get_by_text("ComfyUI does not answer").wait_for(state="detached")
            broken = window.runs()[0]
            assert broken["state"] == "interrupted" and broken["chunks"] >= 4
            window.play()
            window.advances()
            window.shot("back")
            window.press("Put it into the selected node")
            window.see("goes on with this run")
            window.press("Run")
            comfy.wait(lambda: window.runs()[0]["chunks"] > broken["chunks"], "the run goes on", 120)
            window.see("1 running")
            window.until(f"it.currentTime > {broken['seconds'] + 0.2}", timeout=90)
            window.shot("resumed")
            assert [run["id"] for run in window.runs()] == [broken["id"]]
            window.close()
        assert window.errors == []
