"""Fine-tunes in the panel: followed, commanded, their curves, samples and checkpoints."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ..fake_training import FakeTraining, TrainingHost
from ..training_things import FakeDataset, FakeJob
from .conftest import View

pytestmark = pytest.mark.slow


def test_a_running_job_is_followed(view: View, training: FakeTraining, job: FakeJob) -> None:
    view.see("step 120 of 400")
    view.open(job)
    line = view.page.locator("[data-line=loss]")
    line.wait_for(state="attached")
    before = line.get_attribute("d")
    view.see("step 120 loss")
    view.see("4 min left")
    training.advance(job, 40)
    view.see("step 160 of 400")
    view.see("step 160 loss")
    view.page.locator("[data-sample='step-00000150.mp4']").wait_for()
    view.panel.until("it.readyState >= 2 && it.videoWidth === 128", of="[data-sample] video")
    view.panel.until("it.readyState >= 1", of=".et-reference video")
    assert line.get_attribute("d") != before
    assert view.page.locator("[data-checkpoint]").count() == 3
    training.advance(job, 240)
    view.page.locator("[data-job-state=finished]").wait_for()
    view.page.locator("[data-checkpoint='step-00000400.safetensors']").wait_for()
    assert view.page.get_by_role("button", name="Stop").count() == 0


def test_the_queue_and_the_actions_of_each_state(
    view: View, host: TrainingHost, training: FakeTraining, job: FakeJob
) -> None:
    second, third = (training.add_job(name, training.find_dataset(job.dataset), "queued") for name in ("two", "three"))
    view.see("next")
    view.see("2nd in the queue")
    view.open(third)
    view.press("Move up")
    view.answered(host, f"PATCH /jobs/{third.id}")
    assert [one.name for one in training._queue("cpu")] == ["three", "two"]
    view.order(host, third, "Pause", "pause")
    view.order(host, third, "Resume", "resume")
    view.press("All fine-tunes")
    view.open(job)
    view.order(host, job, "Save now", "save")
    view.see("Saving")
    training.answer(job)
    view.page.locator("[data-checkpoint='step-00000120.safetensors']").wait_for()
    view.order(host, job, "Sample now", "sample")
    training.answer(job)
    view.page.locator("[data-sample='step-00000120.mp4']").wait_for()
    view.order(host, job, "Stop", "stop")
    view.page.get_by_role("button", name="End at once").wait_for()
    training.answer(job)
    view.see("goes on from step 120")
    view.order(host, job, "Start", "start")
    view.see("in the queue")
    view.press("Stop")
    view.order(host, job, "Duplicate", "duplicate")
    view.see("Ada 1 2")
    assert second.state == "queued"


def test_delete_asks_first(view: View, host: TrainingHost, training: FakeTraining, job: FakeJob) -> None:
    training.advance(job, 400)
    view.open(job)
    view.press("Delete")
    view.press("Keep")
    assert not host.changes
    view.press("Delete")
    view.page.keyboard.press("Escape")
    view.press("Delete")
    view.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    view.see("No fine-tunes yet")
    assert host.changes == [f"DELETE /jobs/{job.id}"]


def test_a_failed_job_says_why_and_goes_on_with_one_curve(view: View, training: FakeTraining, job: FakeJob) -> None:
    view.open(job)
    view.see("step 120 loss")
    job.move("failed", "its worker died (signal 9); its last words: out of memory")
    view.see("Its worker died (signal 9); its last words: out of memory.")
    job.go_back()
    job.move("running")
    training.advance(job, 10)
    view.see("step 110 of 400")
    view.page.locator("[data-read]").get_by_text("step 110").wait_for()


def test_curve_zooms_reads_and_remembers_its_settings(view: View, job: FakeJob) -> None:
    view.open(job)
    chart = view.page.locator(".et-curve")
    line = view.page.locator("[data-line=loss]")
    line.wait_for(state="attached")
    whole = line.get_attribute("d")
    box = chart.bounding_box()
    middle = box["y"] + box["height"] / 2
    view.page.mouse.move(box["x"] + 150, middle)
    view.page.mouse.down()
    view.page.mouse.move(box["x"] + 250, middle, steps=5)
    view.page.mouse.up()
    view.page.get_by_role("button", name="Show all").wait_for()
    assert line.get_attribute("d") != whole
    view.page.mouse.move(box["x"] + 60, middle)
    read = int(view.page.locator("[data-read]").inner_text().split()[1])
    assert 40 < read < 60, "the left end of the zoomed curve"
    view.page.mouse.move(0, 0)
    chart.focus()
    view.page.keyboard.press("Escape")
    assert line.get_attribute("d") == whole
    view.page.keyboard.press("Home")
    view.page.keyboard.press("ArrowRight")
    assert view.page.locator("[data-read]").inner_text() == "step 2"
    assert view.page.locator("[data-metric=loss] .et-number").inner_text() == f"{job.lines[1]['loss']:.4g}"
    view.page.locator("[data-metric=prior_loss]").click()
    view.page.locator("[data-metric=rate]").click()
    view.page.get_by_label("Log axis").check()
    view.page.get_by_label("Smoothing").fill("0")
    view.panel.open()  # the page anew: same view, same job, same curve
    line.wait_for(state="attached")
    assert view.page.locator("[data-line]").evaluate_all("all => all.map(it => it.dataset.line)") == ["loss", "rate"]
    assert view.page.get_by_label("Log axis").is_checked()
    assert view.page.locator(".et-raw").count() == 0


def test_samples_of_earlier_steps(view: View, training: FakeTraining, job: FakeJob) -> None:
    training.advance(job, 90)
    view.open(job)
    slider = view.page.get_by_label("Step of the sample")
    slider.focus()
    view.page.keyboard.press("ArrowLeft")
    view.page.locator("[data-sample='step-00000150.mp4']").wait_for()
    training.advance(job, 50)
    view.page.locator("[data-checkpoint='step-00000250.safetensors']").wait_for()
    assert view.page.locator("[data-sample]").get_attribute("data-sample") == "step-00000150.mp4"  # the choice stays
    slider.focus()
    view.page.keyboard.press("End")
    view.page.locator("[data-sample='step-00000250.mp4']").wait_for()


def test_without_its_dataset_a_still_is_the_reference(
    view: View, training: FakeTraining, dataset: FakeDataset, job: FakeJob
) -> None:
    del training.datasets[dataset.id]
    view.open(job)
    view.panel.until("it.naturalWidth > 0", of=".et-reference img")


def test_two_checkpoints_play_side_by_side(
    view: View, host: TrainingHost, training: FakeTraining, job: FakeJob
) -> None:
    view.open(job)
    for step in (50, 100):
        view.page.get_by_label(f"Compare step {step}").check()
    view.page.get_by_label("Sound").select_option("talk.mp4")
    view.press("Compare 2")
    view.answered(host, f"POST /jobs/{job.id}/compare")
    training.compared(next(one for one in training.jobs.values() if one.kind == "compare"))
    view.panel.until("it.readyState >= 3", of=".et-comparison figure:nth-child(2) video")
    view.page.get_by_role("button", name="Play", exact=True).click()
    both = "[...document.querySelectorAll('.et-comparison video')]"
    view.page.wait_for_function(f"() => {both}.every(it => it.currentTime > 0.6 && !it.paused)")
    apart = view.page.evaluate(f"(([a, b]) => Math.abs(a.currentTime - b.currentTime))({both})")
    assert apart < 0.15
    assert view.page.evaluate(f"{both}.map(it => it.muted)") == [False, True]
    view.press("Hear step 100")
    assert view.page.evaluate(f"{both}.map(it => it.muted)") == [True, False]
    view.page.get_by_role("button", name="Pause", exact=True).last.click()
    assert view.page.evaluate(f"new Set({both}.map(it => it.currentTime)).size") == 1


def test_use_in_graph_and_keep(view: View, host: TrainingHost, job: FakeJob) -> None:
    view.page.evaluate("""() => {
      window.model = fake.addGraphNode("EchoTorrent_LoadModel", true);
      window.stream = fake.addGraphNode("EchoTorrent_Stream");
      model.connect(0, stream, 1);
    }""")
    view.open(job)
    view.page.get_by_label("Use step 100 in the graph").click()
    view.see("'Load Identity' is in the workflow, between 'Load Model' and the node that uses it.")
    found = view.page.evaluate("""() => {
      const { graph } = fake.app;
      const identity = graph.source(stream, "model");
      return [identity.type, identity.widgets[0].value, graph.source(identity, "model") === model];
    }""")
    value = f"job/{job.id}/step-00000100.safetensors"
    assert found == ["EchoTorrent_LoadIdentity", value, True]
    view.page.get_by_label("Use step 50 in the graph").click()
    view.see("loads this identity now")
    assert view.page.evaluate("fake.app.graph.nodes.length") == 3
    view.press("Keep")
    view.press("Keep it")
    view.see("is in models/echotorrent_identities")
    assert host.training.kept[0]["step"] == 100
    view.press("Keep")
    view.press("Keep it")
    view.see("choose another name.")


def test_everything_is_where_it_was_after_a_reload(view: View, job: FakeJob) -> None:
    view.open(job)
    view.page.locator("[data-fold=log] summary").click()
    view.page.locator("[data-line=loss]").wait_for(state="attached")
    view.panel.open()
    view.page.locator("[data-line=loss]").wait_for(state="attached")
    assert not view.page.get_by_role("log").is_visible()
    view.dataset()
    view.see("Drop clips here")
    view.panel.open()
    view.see("Drop clips here")


def test_server_killed_and_started_again(view: View, host: TrainingHost, job: FakeJob, short: Path) -> None:
    view.open(job)
    view.see("step 120 of 400")
    host.kill()
    view.see("ComfyUI does not answer")
    assert view.page.get_by_role("button", name="Pause", exact=True).is_disabled()
    host.training.advance(job, 30)  # the job has gone on
    again = TrainingHost(short / "video.mp4", host.port, training=host.training)
    try:
        view.see("step 150 of 400")
        view.gone("ComfyUI does not answer")
    finally:
        again.kill()


def test_refusals_are_shown_and_the_panel_goes_on(view: View, host: TrainingHost, job: FakeJob) -> None:
    host.refuse = {"/pause": 409}
    view.open(job)
    view.press("Pause")
    view.see("The fake refuses this.")
    host.refuse = {"/training/jobs$": 403}
    view.see("ComfyUI refuses this")
    host.refuse = {}
    view.press("Try again")
    view.gone("ComfyUI refuses this")


def test_a_job_deleted_elsewhere_is_closed(view: View, training: FakeTraining, job: FakeJob) -> None:
    view.open(job)
    view.see("step 120 of 400")
    del training.jobs[job.id]
    view.see("No fine-tunes yet")


def test_asks_nothing_while_it_is_not_seen(view: View, host: TrainingHost, job: FakeJob) -> None:
    view.open(job)
    view.see("step 120 of 400")

    def asked(seconds: float) -> int:
        time.sleep(0.3)  # what is under way
        before = len(host.asked)
        time.sleep(seconds)
        return sum("/training/" in path for path in host.asked[before:])

    assert asked(2.5) >= 2
    view.page.evaluate("fake.show('queue')")
    assert asked(4) == 0
    view.page.evaluate("fake.show('echotorrent')")
    assert asked(2.5) >= 2
    view.tab("Videos")
    assert asked(4) == 0
    view.tab("Identities")
    view.page.evaluate("""() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    assert asked(4) == 0


def test_narrow_and_wide(view: View, job: FakeJob) -> None:
    view.open(job)
    view.page.locator("[data-line=loss]").wait_for(state="attached")
    listed = view.page.locator(f"[data-job='{job.id}']")
    assert not listed.is_visible()
    for width in (320, 800):
        view.wide(width)
        time.sleep(0.3)
        assert listed.is_visible() == (width == 800)
        beyond = "it => it.scrollWidth - it.clientWidth"
        assert view.page.locator(".et-panel").evaluate(beyond) == 0


def test_with_the_keyboard_alone(view: View, job: FakeJob) -> None:
    view.page.get_by_role("tab", name="Identities").focus()
    view.page.keyboard.press("ArrowLeft")
    view.see("No runs yet")
    view.page.keyboard.press("ArrowRight")
    view.see("step 120 of 400")
    for _ in range(2):
        view.page.keyboard.press("Tab")
    view.page.keyboard.press("Enter")
    view.page.locator(".et-curve").wait_for()
    view.page.keyboard.press("Enter")  # the way back has the focus
    assert view.page.evaluate("document.activeElement.dataset.job") == job.id
    view.page.keyboard.press("Enter")
    view.page.locator(".et-curve").wait_for()
    unnamed = view.page.evaluate("""() => [...document.querySelectorAll('.et-panel :is(button, input, select, a)')]
      .filter(it => !(it.textContent.trim() || it.ariaLabel || it.labels?.length || it.hidden))
      .map(it => it.outerHTML)""")
    assert unnamed == []
