"""Datasets and their clips in the panel, and the form of a new fine-tune."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..comfy import wait
from ..fake_training import TrainingHost
from ..training_things import FakeDataset
from .conftest import View

pytestmark = pytest.mark.slow


def test_nothing_there_yet_and_a_dataset_is_made(view: View, host: TrainingHost) -> None:
    view.see("No fine-tunes yet")
    view.press("Make a dataset")
    view.see("No datasets yet")
    view.page.get_by_label("Name of the new dataset").fill("Ada")
    view.page.keyboard.press("Enter")
    view.see("Drop clips here")
    assert [one.name for one in host.training.datasets.values()] == ["Ada"]
    assert view.page.get_by_role("button", name="Fine-tune", exact=True).is_disabled()


def test_a_new_fine_tune(view: View, host: TrainingHost, dataset: FakeDataset) -> None:
    view.tab("New")
    view.see("Needs 2.9 GB of 8.6 GB free")
    start = view.page.get_by_role("button", name="Start", exact=True)
    assert start.is_disabled()
    view.page.get_by_label("Name", exact=True).fill("Ada quick")
    view.page.get_by_label("Steps", exact=True).fill("5")
    view.see("Give a whole number from 10 to 20000.")
    assert start.is_disabled()
    view.page.get_by_label("Steps", exact=True).fill("50")
    view.page.get_by_label("Refine the face").uncheck()
    view.see("Advanced")
    assert not view.page.get_by_label("Rank", exact=True).is_visible()
    view.page.get_by_text("Advanced").click()
    host.training.free = 3 << 30
    view.page.get_by_label("Rank", exact=True).select_option("64")
    view.see("It does not fit now")
    view.panel.open()  # what was filled in is still there
    view.press("Start anyway")
    view.see("Ada quick")
    (made,) = host.training.jobs.values()
    assert made.settings == {"steps": 50, "face": False, "rank": 64}
    assert (made.name, made.dataset, made.device) == ("Ada quick", dataset.id, "cpu")


def test_a_refused_fine_tune_says_why_and_keeps_the_form(view: View, host: TrainingHost, dataset: FakeDataset) -> None:
    view.tab("New")
    view.page.get_by_label("Name", exact=True).fill("A\u200bda")
    view.press("Start")
    view.see("That is no name; use characters that can be seen.")
    assert view.page.get_by_label("Name", exact=True).input_value() == "A\u200bda"
    assert not host.training.jobs


def test_clips_are_uploaded_and_looked_at(view: View, host: TrainingHost, short: Path, tmp_path: Path) -> None:
    made = host.training.add_dataset("Ada")
    clip = (short / "video.mp4").read_bytes()
    files = [tmp_path / name for name in ("talk.mp4", "too dark.mp4", "notes.txt")]
    for file in files:
        file.write_bytes(clip)
    view.dataset()
    view.page.locator(".et-drop input").set_input_files(files)
    view.see("'notes.txt' is no clip")
    view.page.get_by_label("Use too dark.mp4").wait_for()
    view.answered(host, f"POST /datasets/{made.id}/check")
    view.see("Looking at the clips")
    host.training.look(made)
    view.page.locator("[data-clip='talk.mp4'] .et-badge").get_by_text("usable").wait_for()
    view.page.locator("[data-clip='too dark.mp4'] .et-badge").get_by_text("too dark").wait_for()
    view.see("Its face has a brightness of 0.04; 0.15 are needed.")
    view.panel.until("it.naturalWidth === 144", of="[data-clip] img")
    assert made.clips["talk.mp4"].data == clip
    view.press("Dismiss notes.txt")
    view.gone("'notes.txt' is no clip")


def test_clips_are_dropped(view: View, host: TrainingHost) -> None:
    made = host.training.add_dataset("Ada")
    view.dataset()
    view.page.locator(".et-drop").wait_for()
    view.page.evaluate("""() => {
      const files = new DataTransfer();
      files.items.add(new File(["bytes"], "talk.mp4"));
      const box = document.querySelector(".et-drop");
      let reached = false;
      document.body.addEventListener("drop", () => (reached = true));
      box.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
      if (reached) throw new Error("the host has got it too");
    }""")
    view.page.get_by_label("Use talk.mp4").wait_for()
    assert made.clips["talk.mp4"].data == b"bytes"


def test_a_clip_is_trimmed_captioned_left_out_and_removed(view: View, host: TrainingHost, dataset: FakeDataset) -> None:
    talk = dataset.clips["talk.mp4"]
    view.dataset()
    view.press("Edit talk.mp4")
    view.panel.until("it.duration > 7", of=".et-clip-edit video")
    view.page.get_by_label("Begin").focus()
    for _ in range(25):
        view.page.keyboard.press("ArrowRight")
    view.answered(host, f"PATCH /datasets/{dataset.id}/clips/talk.mp4")
    view.see("1.0 s to 7.7 s")
    view.page.get_by_label("End", exact=True).focus()
    view.page.keyboard.press("PageDown")
    view.see("One clip was not looked at yet.")
    view.page.wait_for_function("() => document.querySelector('.et-clip-edit video').currentTime > 5")
    wait(lambda: talk.end is not None, "the end was not saved")
    assert (talk.begin, 6 < (talk.end or 0) < 7.5) == (1, True)
    assert host.changes.count(f"PATCH /datasets/{dataset.id}/clips/talk.mp4") == 2  # not one for every key
    view.page.get_by_label("Caption").fill("A woman talks")
    view.page.keyboard.press("Tab")
    view.page.get_by_label("Use talk.mp4").uncheck()
    view.page.locator("[data-clip='talk.mp4'][data-used=false]").wait_for()
    assert (talk.caption, talk.use) == ("A woman talks", False)
    view.press("Remove")
    view.page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    view.page.locator("[data-clip='talk.mp4']").wait_for(state="detached")
    assert "talk.mp4" not in dataset.clips
