"""The panel's view of fine-tunes in a browser, against a stand-in for the routes of nodes/openapi.json."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..comfy import wait
from ..conftest import Panel
from ..fake_training import FakeTraining, TrainingHost
from ..training_things import FakeDataset, FakeJob

CLIPS = ("talk.mp4", "too dark.mp4", "silent.mp4", "too short.mp4", "no face.png")


@pytest.fixture
def host(short: Path) -> Iterator[TrainingHost]:
    server = TrainingHost(short / "video.mp4")
    yield server
    if not server.closed:
        server.kill()
    assert server.faults == []


@pytest.fixture
def training(host: TrainingHost) -> FakeTraining:
    return host.training


@pytest.fixture
def dataset(training: FakeTraining) -> FakeDataset:
    """Clips that were looked at; one is usable."""
    made = training.add_dataset("Ada", *CLIPS)
    training.look(made)
    return made


@pytest.fixture
def job(training: FakeTraining, dataset: FakeDataset) -> FakeJob:
    """It runs, and is at step 120 of 400."""
    return training.add_job("Ada 1", dataset, steps=120)


@pytest.fixture
def view(panel: Panel) -> View:
    made = View(panel)
    panel.open()
    made.tab("Identities")
    return made


class View:
    """What a user does there."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.page = panel, panel.page
        self.press = panel.press

    def see(self, text: str) -> None:
        """Unlike the panel's own, it passes over what is there but hidden, as the list is beside an open job."""
        self.page.get_by_text(text).locator("visible=true").first.wait_for()

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def open(self, job: FakeJob) -> None:
        self.page.locator(f"[data-job='{job.id}']").click()

    def wide(self, pixels: int) -> None:
        self.page.evaluate(f"document.getElementById('sidebar').style.cssText = 'flex: none; width: {pixels}px'")

    def gone(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for(state="detached")

    def dataset(self) -> None:
        self.tab("Datasets")
        self.page.locator("[data-dataset]").first.click()

    def answered(self, server: TrainingHost, change: str) -> None:
        """Wait until the server was asked for a change."""
        wait(lambda: change in server.changes, change, 10)

    def order(self, server: TrainingHost, job: FakeJob, button: str, route: str) -> None:
        self.press(button)
        self.answered(server, f"POST /jobs/{job.id}/{route}")
