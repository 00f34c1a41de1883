"""The run list: made of folders alone, so that it is right after a restart."""

import json
import os

import pytest

from tests.nodes.conftest import INFO
from tests.nodes.fake_comfy import part

runs_module = part("nodes.runs")
InputError = part("echotorrent_core.errors").InputError


def make(runs, name="talk", chunks=0, last=None, **fields):
    """A run as it is left on disk: its id."""
    with runs.create(runs.roots()[0], name, INFO) as run:
        run.announce("start", prompt_id="p", node_id="8")
        for i in range(chunks):
            event = {"kind": "chunk", "chunk": i, "first_frame": 10 * i, "frames": 10, "file": f"segments/{i:05d}.m4s"}
            run.commit(i, b"x", event, None)
        if last:
            run.announce(last, **fields)
        return run.path.name[-16:]


@pytest.mark.parametrize(
    ("last", "fields", "state"),
    [
        ("end", {}, "finished"),
        ("stop", {}, "stopped"),
        ("error", {"message": "broken"}, "failed"),
        (None, {}, "interrupted"),
    ],
)
def test_states_survive_a_restart(runs, last, fields, state):
    key = make(runs, chunks=2, last=last, **fields)
    found = runs_module.Runs(runs.roots).snapshot(key)
    assert (found["id"], found["state"], found["chunks"], found["frames"]) == (key, state, 2, 20)
    assert (found["seconds"], found["fps"], found["width"], found["height"]) == (0.8, 25, 48, 32)
    assert (found["prompt_id"], found["node_id"], found["n"]) == ("p", "8", 3 + (last is not None))
    assert found["total_frames"] is None and found["workflow_id"] is None
    assert found["message"] == fields.get("message", runs_module.RESUME_HINT if state != "finished" else "")


def test_a_run_being_made_is_running(runs):
    with runs.create(runs.roots()[0], "talk", INFO) as run:
        key = run.path.name[-16:]
        assert runs.snapshot(key)["state"] == "running"
    assert runs.snapshot(key)["state"] == "interrupted"


def test_the_last_event_decides(runs):
    """Who hears of the end and asks at once is not told that the run goes on, although its folder is still held."""
    with runs.create(runs.roots()[0], "talk", INFO) as run:
        run.announce("end")
        assert runs.snapshot(run.path.name[-16:])["state"] == "finished"
        run.announce("start", prompt_id="p2", node_id="9")
        assert runs.snapshot(run.path.name[-16:])["state"] == "running"


def test_what_is_known_of_the_whole_run(runs):
    """Its length from its beginning on; the workflow that it was queued by last."""
    with runs.create(runs.roots()[0], "talk", {**INFO, "total_frames": 70}) as run:
        for workflow in ("w1", "w2"):
            run.announce("start", prompt_id="p", node_id="8", workflow_id=workflow)
            found = runs.snapshot(run.path.name[-16:])
            assert (found["total_frames"], found["workflow_id"]) == (70, workflow)


def test_the_file_of_a_run(runs, tmp_path):
    """It is served while it is newer than what was made: not after a resumed run crashed."""
    folder = runs.find(make(runs, chunks=2, last="stop"))
    assert runs.video(folder) is None
    file = folder.with_name(f"{folder.name}.mp4")
    file.write_bytes(b"x")
    assert runs.video(folder) == file
    made = file.stat().st_mtime
    os.utime(folder / "events.jsonl", (made + 5, made + 5))
    assert runs.video(folder) is None
    file.unlink()
    (tmp_path / "secret").write_bytes(b"x")
    file.symlink_to(tmp_path / "secret")
    with pytest.raises(InputError):
        runs.video(folder)


def test_newest_first_and_only_runs(runs):
    keys = [make(runs, f"talk {i}") for i in range(3)]
    root = runs.roots()[0]
    (root / "other").mkdir()
    (root / "fake_0123456789abcdef").mkdir()
    (root / "talk_0123456789abcdeg").mkdir()
    damaged = root / "bad_0123456789abcde0"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    (root / "link_0123456789abcde1").symlink_to(runs.find(keys[0]))
    assert [run["id"] for run in runs.snapshots()] == keys[::-1]


def test_events_after_a_number(runs):
    key = make(runs, chunks=3, last="end")
    assert [event["n"] for event in runs.events(key)] == [1, 2, 3, 4, 5]
    assert [event["n"] for event in runs.events(key, 3)] == [4, 5]
    assert runs.events(key, 99) == []


@pytest.mark.parametrize("key", ["0123456789abcdef", "../output", "", "0123456789ABCDEF"])
def test_unknown_ids(runs, key):
    for ask in (runs.find, runs.snapshot, runs.events, runs.stop):
        with pytest.raises(InputError):
            ask(key)


def test_info_is_plain_json(runs):
    info = json.loads((runs.find(make(runs)) / "run.json").read_text())
    assert info["name"] == "talk" and len(info["id"]) == 16
