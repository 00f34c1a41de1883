"""The player in the node with ComfyUI's two renderers, changed while the page is open, in dark and in light."""

from __future__ import annotations

import pytest

from .comfy import Window, workflow

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("palette", ["dark", "light"])
def test_classic_and_nodes_2(window: Window, palette: str) -> None:
    page = window.page
    page.evaluate("palette => app.extensionManager.setting.set('Comfy.ColorPalette', palette)", palette)
    window.load(workflow("a name that is much longer than a sidebar is wide"), "renderers")
    window.panel()
    window.press("Run")
    try:
        for renderer, modern in (("classic", False), ("nodes-2", True), ("classic-again", False)):
            page.evaluate("on => app.extensionManager.setting.set('Comfy.VueNodes.Enabled', on)", modern)
            window.until("it.videoWidth > 0", window.NODE)
            page.wait_for_function("() => document.querySelector('.et-node').getBoundingClientRect().height > 60")
            assert page.locator(window.NODE).count() == 1
            inside = page.evaluate(
                """() => {
                  const node = document.querySelector('.et-node').getBoundingClientRect();
                  const video = document.querySelector('.et-node video').getBoundingClientRect();
                  return video.width > 80 && video.left >= node.left - 1 && video.right <= node.right + 1
                    && video.top >= node.top - 1 && video.bottom <= node.bottom + 1;
                }"""
            )
            window.shot(f"{palette}-{renderer}")
            assert inside, renderer
            others = page.evaluate(
                "() => [...document.querySelectorAll('video')].filter((it) => !it.closest('.et-root')).length"
            )
            assert others == 0  # no second preview below ours
    finally:
        page.evaluate("() => app.extensionManager.setting.set('Comfy.VueNodes.Enabled', false)")
        page.evaluate("() => app.extensionManager.setting.set('Comfy.ColorPalette', 'dark')")
