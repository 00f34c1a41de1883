"""From clips to a video of the person, in a browser on real ComfyUI, with everything killed on the way."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.nodes import comfy_host
from training.corpus.person import write_person

from . import comfy

pytestmark = pytest.mark.slow
PERSON, STEPS, DECODER, SAVE = 900, 24, 6, 4
LOGGED = 5  # steps between two lines of the curve
NOTICED = 10  # seconds until a dead worker is


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three good clips, and a file that is none."""
    folder = tmp_path_factory.mktemp("person")
    write_person(folder, PERSON, 3)
    broken = folder / "broken.mp4"
    broken.write_bytes(b"no video")
    return [*sorted(set(folder.rglob("*.mp4")) - {broken}), broken]


@pytest.fixture(params=comfy_host.versions())
def server(request: pytest.FixtureRequest, tmp_path: Path) -> comfy_host.Server:
    comfy.settings(tmp_path)
    with comfy_host.or_skip(request.param):
        return comfy_host.Server(request.param, tmp_path)


class Trainer:
    """The panel's second view, and what the server knows of its jobs."""

    def __init__(self, window: comfy.Window) -> None:
        self.window, self.page = window, window.page

    def open(self) -> None:
        """The page, for the first time or again."""
        self.window.open()
        self.window.panel()
        self.tab("Identities")

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def fill(self, label: str, value: Any) -> None:
        self.page.get_by_label(label, exact=True).fill(str(value))

    def see(self, text: str, timeout: float = 30) -> None:
        """Passes over what is there but hidden."""
        found = self.page.locator(self.window.PANEL).get_by_text(text).locator("visible=true")
        found.first.wait_for(timeout=1000 * timeout)

    def ask(self, path: str) -> Any:
        return self.window.server.client.json(f"/echotorrent/training{path}")

    def make(self, name: str, steps: int, decoder: int) -> str:
        """Start a fine-tune of the first dataset; its id."""
        self.tab("New")
        self.fill("Name", name)
        self.fill("Steps", steps)
        self.fill("Steps of the picture decoder", decoder)
        self.fill("Save every", SAVE)
        self.fill("Sample every", STEPS // 2)
        if not self.page.get_by_label("Batch", exact=True).is_visible():  # open where something in it was changed
            self.page.get_by_text("Advanced").click()
        self.fill("Batch", 1)
        self.see("free", timeout=120)  # what it needs, beside what there is
        self.page.get_by_role("button", name="Start", exact=True).click()
        self.see(name)
        return next(job["id"] for job in self.ask("/jobs")["jobs"] if job["name"] == name)

    def job(self, key: str) -> dict[str, Any]:
        return self.ask(f"/jobs/{key}")

    def until(self, key: str, state: str, limit: float = 300) -> dict[str, Any]:
        def found() -> Any:
            now = self.job(key)
            assert state == "failed" or now["state"] != "failed", now["reason"]
            return now["state"] == state and now

        return comfy.wait(found, f"{key} is not {state}", limit)

    def steps(self, key: str) -> list[int]:
        return [line["step"] for line in self.ask(f"/jobs/{key}/metrics?after=0")["lines"]]

    def show(self, key: str) -> None:
        self.tab("Fine-tunes")
        listed = self.page.locator(f"[data-job='{key}']")
        listed.wait_for(state="attached")
        if not listed.is_visible():  # another one is open
            self.window.press("All fine-tunes")
        listed.click()
        self.page.locator(".et-curve [data-line]").first.wait_for(state="attached", timeout=60_000)


@pytest.fixture
def trainer(browser: Any, server: comfy_host.Server) -> Iterator[Trainer]:
    window = comfy.Window(browser, server, f"test_identity-{server.version}")
    yield Trainer(window)
    window.close()
    assert window.errors == []


def test_from_clips_to_a_video(trainer: Trainer, server: comfy_host.Server, clips: list[Path]) -> None:
    window, page = trainer.window, trainer.page
    with server:
        trainer.open()
        window.press("Make a dataset")
        trainer.fill("Name of the new dataset", "Ada")
        page.keyboard.press("Enter")
        page.locator(".et-drop input").set_input_files(clips)
        for clip in clips:
            word = "usable" if clip is not clips[-1] else "unreadable"
            page.locator(f"[data-clip='{clip.name}'] .et-badge").get_by_text(word).wait_for(timeout=120_000)
        window.shot("clips")
        first = trainer.make("Ada long", STEPS, DECODER)
        second = trainer.make("Ada short", SAVE, 0)
        trainer.tab("Fine-tunes")
        trainer.see("next")
        comfy.wait(lambda: trainer.job(first)["step"] >= SAVE, "the first steps", 240)
        assert trainer.job(second)["state"] == "queued"

        trainer.open()  # a reload in the middle
        trainer.show(first)
        trainer.see("running")
        window.shot("running")

        before = trainer.job(first)
        server.kill()
        trainer.see("ComfyUI does not answer")
    with server:
        comfy.wait(lambda: trainer.job(first)["step"] > before["step"], "the job goes on", 60)
        assert (trainer.job(first)["pid"], trainer.job(first)["runs"]) == (before["pid"], 1)
        page.get_by_text("ComfyUI does not answer").first.wait_for(state="detached", timeout=60_000)
        trainer.see("running")

        os.kill(before["pid"], signal.SIGKILL)
        trainer.until(first, "failed", NOTICED)
        trainer.see("Its worker died")
        window.shot("killed")
        done = trainer.job(first)["step"]
        window.press("Start")
        trainer.until(second, "finished")
        trainer.until(first, "finished")
        trainer.see("finished")
        assert trainer.job(first)["runs"] == 2 and done < STEPS
        # every step once, over both lives of the worker and from trunk to decoder
        seen = trainer.steps(first)
        assert seen == sorted(set(seen)) and seen[-1] == STEPS + DECODER
        assert max(b - a for a, b in zip([0, *seen], seen, strict=False)) <= LOGGED
        page.locator(f"[data-checkpoint='step-{STEPS + DECODER:08d}.safetensors']").wait_for()
        window.until("it.readyState >= 2", within="[data-sample]")
        window.shot("finished")

        window.load(comfy.workflow("of-ada"), "of-ada")
        window.panel()
        trainer.tab("Identities")
        trainer.show(first)
        page.get_by_label(f"Use step {STEPS + DECODER} in the graph").click()
        trainer.see("Load Identity' is in the workflow")
        window.shot("graph")
        window.queue()
        trainer.tab("Videos")
        waiting = ("running", "queued")
        made = comfy.wait(lambda: [run for run in window.runs() if run["state"] not in waiting], "a video", 240)[0]
        assert made["state"] == "finished", made
        window.play()
        window.advances()
        prompt = next(iter(server.client.json("/history").values()))["prompt"][2]
        (loaded,) = [node for node in prompt.values() if node["class_type"] == "EchoTorrent_LoadIdentity"]
        assert first in str(loaded["inputs"])
        window.shot("video")
