"""The panel in a browser, against a small stand-in for ComfyUI: what a user sees while a video is made."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import OTHER, RUN, Panel
from .fake_host import FakeHost, FakeRun

pytestmark = pytest.mark.slow


def test_plays_while_the_run_is_made(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    panel.open()
    panel.see("Waiting for the first chunk")
    assert panel.page.evaluate("fake.tabs.echotorrent.iconBadge()") == "1"
    host.advance(run)
    begun = time.monotonic()
    panel.until("it.videoWidth === 128 && it.currentTime > 0")
    assert time.monotonic() - begun < 2
    host.advance(run, 5)
    panel.until("it.currentTime > 1.5")
    assert panel.video("it.src").startswith("blob:")
    panel.see("96 of 192 frames, 3.8 s")
    panel.see("1.28x real time")
    host.advance(run, 7, state="finished")
    panel.until("it.ended && it.currentTime > 7.6")
    panel.see("Finished after 192 frames")
    assert panel.page.evaluate("fake.tabs.echotorrent.iconBadge()") is None
    fetched = [path for path in host.asked if "/segments/" in path or path.endswith(("/init", "/closing"))]
    assert len(fetched) == len(set(fetched)) == 14


def test_starts_muted_and_speaks_after_a_click(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    host.advance(run, 12)
    panel.page.goto(host.address)
    time.sleep(3)  # looking into the page would count as the click
    panel.until("it.currentTime > 0.2 && it.muted")
    panel.press("Turn sound on")
    panel.until("!it.muted && !it.paused && it.webkitAudioDecodedByteCount > 0")
    panel.page.get_by_role("button", name="Turn sound on").wait_for(state="detached")


def test_waits_for_play_where_the_user_wants_that(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    panel.open()
    panel.page.evaluate("fake.settings.set('EchoTorrent.AutoPlay', false)")
    host.advance(run, 3)
    panel.until("it.readyState >= 2")
    time.sleep(0.5)
    assert panel.video("it.paused && it.currentTime === 0")


def test_catches_up_when_every_announcement_is_lost(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    panel.open()
    host.advance(run)
    panel.until("it.currentTime > 0")
    panel.page.evaluate("fakeApi.muted = true")
    host.advance(run, 4)
    panel.see("Chunk 5:")
    host.advance(run, 8, state="finished")
    panel.see("Finished after 192 frames")


def test_late_joiner_starts_near_the_live_edge_and_can_go_back(panel: Panel, host: FakeHost, long: Path) -> None:
    host.add(FakeRun(RUN, long, shown=50))
    panel.open()
    panel.until("it.currentTime > 28.5 && it.readyState >= 3")
    assert not any(path.endswith("/segments/3") for path in host.asked)
    panel.page.evaluate("document.querySelector('.et-panel video').currentTime = 2")
    panel.until("it.currentTime > 2.3 && it.currentTime < 10")
    panel.press("Live")
    panel.until("it.currentTime > 31")


@pytest.mark.parametrize("host", [True], indirect=True, ids=["policy"])
def test_late_joiner_of_one_growing_file_starts_near_its_end(panel: Panel, host: FakeHost, long: Path) -> None:
    """It cannot be sought in, so it is asked for from there; once the run is over it can."""
    run = host.add(FakeRun(RUN, long, shown=50))
    panel.open()
    panel.until("it.currentTime > 28.5 && it.readyState >= 2 && it.src.includes('/video?from=4')")
    host.advance(run, 11, state="finished")
    panel.until("it.currentTime > 28.5 && it.duration > 38 && it.seekable.length")
    panel.page.evaluate("document.querySelector('.et-panel video').currentTime = 2")
    panel.until("it.currentTime > 2.2 && it.currentTime < 10")


@pytest.mark.parametrize("host", [True], indirect=True, ids=["policy"])
def test_the_first_chunk_of_a_growing_file_shows_at_once(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    """Although it has fewer frames than the browser wants to see, and the next comes late."""
    panel.open()
    host.advance(run)
    panel.until("it.videoWidth === 128 && it.currentTime > 0.3")
    host.advance(run, 10)  # a browser that has run dry waits until it has some seconds again
    panel.until("it.currentTime > 2 && !it.error")


def test_reload_during_a_run(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    panel.open()
    host.advance(run, 4)
    panel.until("it.currentTime > 0.5")
    panel.open()
    panel.until("it.currentTime > 0.5")
    host.advance(run, 1)
    panel.see("Chunk 5:")


def test_other_tab_and_back(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    panel.open()
    host.advance(run, 10)
    panel.until("it.currentTime > 0.3")
    panel.page.evaluate("window.before = document.querySelector('.et-panel video')")
    panel.page.evaluate("fake.show('queue')")
    time.sleep(0.5)
    assert panel.page.evaluate("document.querySelector('.et-panel') === null && before.paused")
    host.advance(run, 1)
    at = panel.page.evaluate("before.currentTime")
    panel.page.evaluate("fake.show('echotorrent')")
    panel.until(f"it === window.before && it.currentTime > {at + 0.3}")
    panel.see("Chunk 11:")


def test_player_in_the_node(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    host.add(FakeRun(OTHER, run.folder, shown=13, state="finished", node_id="9", created=run.created - 60))
    panel.open()
    panel.page.evaluate("fake.addNode(9); fake.addNode(5)")
    host.advance(run, 6)
    panel.until("it.currentTime > 0.3 && it.videoWidth", of=".fake-node:nth-child(1) video")
    panel.until("it.textContent.includes('appears here')", of=".fake-node:nth-child(2)")
    host.advance(run, 7, state="finished")
    remembered = panel.page.evaluate("fake.app.graph.nodes[0].properties")
    assert remembered == {"echotorrent_run": RUN}
    # Another workflow and back: the node is made anew and finds its run by what its workflow remembers.
    panel.page.evaluate("fake.clear()")
    assert panel.page.locator(".fake-node").count() == 0
    panel.page.evaluate("properties => fake.addNode(9, properties)", remembered)
    panel.until("it.readyState >= 2", of=".fake-node video")
    # A node of another workflow with the same id, and no run of its own, shows none.
    panel.page.evaluate("fake.clear(); fake.addNode(9)")
    panel.until("it.textContent.includes('appears here')", of=".fake-node")
    # The node's own result names its run.
    panel.page.evaluate(f"fake.app.graph.nodes[0].onExecuted({{ echotorrent_run: ['{OTHER}'] }})")
    panel.until("it.readyState >= 2", of=".fake-node video")


def test_a_node_shows_runs_of_its_workflow_only(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    """Node ids repeat between workflows, and the host tells of results whichever workflow is open by then."""
    other = host.add(FakeRun(OTHER, run.folder, shown=13, state="finished", node_id="9", created=run.created - 60))
    run.workflow_id, other.workflow_id = "workflow-2", "workflow-1"
    panel.open()
    panel.page.evaluate("fake.addNode(9)")
    host.advance(run, 4)
    panel.until("it.currentTime > 0")
    panel.until("it.readyState >= 2 && it.duration > 7", of=".fake-node video")
    panel.page.evaluate(f"fake.app.graph.nodes[0].onExecuted({{ echotorrent_run: ['{RUN}'] }})")
    panel.page.evaluate("fake.clear(); fake.app.graph.id = 'workflow-3'; fake.addNode(9)")
    panel.until("it.textContent.includes('appears here')", of=".fake-node")
    panel.page.evaluate(f"fake.app.graph.nodes[0].onExecuted({{ echotorrent_run: ['{RUN}'] }})")
    time.sleep(0.3)
    panel.until("it.textContent.includes('appears here')", of=".fake-node")
    assert panel.page.evaluate("fake.app.graph.nodes[0].properties") == {}
    panel.page.evaluate("fake.clear(); fake.app.graph.id = 'workflow-2'; fake.addNode(9)")
    panel.until("it.readyState >= 2 && it.duration < 7", of=".fake-node video")


def test_only_one_player_speaks(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    panel.open()
    panel.page.evaluate("fake.addNode(9)")
    host.advance(run, 12)
    panel.until("it.currentTime > 0.1", of=".fake-node video")
    for speaking, silent in (".et-panel", ".fake-node"), (".fake-node", ".et-panel"):
        panel.page.evaluate(f"document.querySelector('{speaking} video').muted = false")
        panel.until("it.muted", of=f"{silent} video")
        panel.until("!it.muted", of=f"{speaking} video")


def test_stop_and_keep_then_resume(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    panel.open()
    panel.page.evaluate("window.node = fake.addNode(9)")
    host.advance(run, 3)
    panel.until("it.currentTime > 0.1")
    panel.press("Stop and keep")
    panel.see("Stopped after 48 frames")
    assert run.stopped
    panel.until("it.ended && it.duration < 2")
    panel.press("Put it into the selected node")
    panel.see("goes on with this run")
    assert panel.page.evaluate("node.widgets.find(({ name }) => name === 'resume').value") == RUN
    # Resumed: the closing sound is dropped, chunks go on.
    run.extra = [{"kind": "start"}]
    run.state = "running"
    host.announce(RUN, 4)
    panel.see("Resumed")
    run.extra = []
    host.advance(run, 10, state="finished")
    panel.until("it.duration > 7.6")
    panel.see("Finished after 192 frames")


def test_stop_that_is_refused_says_so(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    host.refuse = {"/stop": 500}
    panel.open()
    host.advance(run, 2)
    panel.press("Stop and keep")
    panel.see("The run was not stopped")
    host.advance(run, 1)
    panel.see("Chunk 3:")  # news of the run do not take the card away
    host.refuse = {}
    panel.press("Try again")
    panel.see("Stopped after 48 frames")


@pytest.mark.parametrize("host", [True], indirect=True)
def test_plays_under_a_policy_that_forbids_blob_media(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    panel.open()
    host.advance(run, 3)
    panel.until("it.videoWidth === 128 && it.currentTime > 0.3")
    assert panel.video("new URL(it.src).pathname") == f"/api/echotorrent/runs/{RUN}/video"
    host.advance(run, 5)
    panel.until("it.currentTime > 2")
    assert panel.page.get_by_role("button", name="Live", exact=True).count() == 0  # no seeking before the end
    host.advance(run, 5, state="finished")
    panel.until("it.currentTime > 4 && it.duration > 7.6")
    panel.page.evaluate("document.querySelector('.et-panel video').currentTime = 1")
    panel.until("it.currentTime > 1.2 && it.currentTime < 4")
    panel.page.evaluate("document.querySelector('.et-panel video').currentTime = 7")
    panel.until("it.ended && it.currentTime > 7.5")


@pytest.mark.parametrize("host", [False, True], indirect=True, ids=["blobs", "policy"])
def test_server_killed_and_started_again(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    panel.open()
    host.advance(run, 4)
    panel.until("it.currentTime > 0.3")
    host.kill()
    panel.see("ComfyUI does not answer")
    again = FakeHost(host.port, host.policy)
    try:
        broken = again.add(FakeRun(RUN, run.folder, shown=5, state="interrupted"))
        panel.see("The run broke off")
        assert panel.page.get_by_text("ComfyUI does not answer").count() == 0
        panel.see("Chunk 5:")
        broken.state = "running"
        again.advance(broken, 7)
        panel.see("Chunk 12:")
        panel.until("it.currentTime > 3.5")
    finally:
        again.kill()


def test_failures_are_shown_with_what_to_do(panel: Panel, host: FakeHost, run: FakeRun) -> None:
    host.refuse = {"/init": 500}
    panel.open()
    host.advance(run, 3)
    panel.see("The video cannot be played here")
    host.refuse = {}
    panel.press("Try again")
    panel.until("it.readyState >= 2")
    run.extra.append({"kind": "error", "message": "no space left on the disk"})
    host.advance(run, 0, state="failed", message="no space left on the disk.")
    panel.see("The run failed")
    panel.see("No space left on the disk. What was made is kept and plays below.")
    host.refuse = {"/runs$": 500}
    panel.open()
    panel.see("The runs cannot be listed")


def test_list_shows_every_run_and_plays_the_chosen(panel: Panel, host: FakeHost, run: FakeRun, long: Path) -> None:
    host.add(FakeRun(OTHER, long, shown=61, state="finished", name="long talk", created=run.created - 60))
    panel.open()
    host.advance(run, 2)
    panel.until("it.currentTime > 0")
    panel.page.locator(f"[data-run='{OTHER}']").click()
    panel.until("it.readyState >= 2 && it.duration > 38 && it.paused")
    panel.page.evaluate("document.querySelector('.et-panel video').currentTime = 30")
    panel.until("it.readyState >= 2 && it.currentTime === 30")
    assert panel.page.locator("[data-state]").count() == 2
    del host.runs[OTHER]
    host.announce("aaaaaaaaaaaaaaaa", 1)
    panel.until("it.currentTime < 3")  # back to the one that is left
    assert panel.page.locator("[data-state]").count() == 1


def test_no_runs_yet(panel: Panel) -> None:
    panel.open()
    panel.see("No runs yet")
    panel.page.evaluate("fake.command('EchoTorrent.StopAndKeep')")
    assert panel.page.evaluate("fake.toasts.at(-1).detail") == "No video is being made."


def test_installed_twice(panel: Panel, host: FakeHost) -> None:
    panel.open()
    panel.page.evaluate("import('/extensions/copy/echotorrent.js').then(() => fake.extensions.at(-1).setup())")
    panel.page.wait_for_function("fake.toasts.length === 1")
    detail: Any = panel.page.evaluate("fake.toasts[0].detail")
    assert "/extensions/pack/" in detail and "/extensions/copy/" in detail
