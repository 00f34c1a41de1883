"""Datasets on disk: clips added, trimmed, removed; names from outside."""

import json
import threading

import pytest

from training.jobs.datasets import CAPTION, MEDIA, MOST, VIDEO, Datasets, clip_name
from training.jobs.errors import Conflict, Refused, TooLarge, Unknown


@pytest.fixture
def datasets(tmp_path):
    return Datasets(tmp_path / "datasets", lambda key: key in busy)


busy: set[str] = set()


def upload(datasets, key, name, data=b"video"):
    scratch = datasets.scratch(key)
    scratch.write_bytes(data)
    return datasets.add(key, scratch, name)


def test_clips_come_and_go(datasets):
    key = datasets.create("Ana")["id"]
    assert [upload(datasets, key, name) for name in ("talk.mp4", "TALK.MP4", "me.PNG")] == [
        "talk.mp4",
        "TALK-2.mp4",
        "me.png",
    ]
    found = datasets.describe(key)
    assert [(clip["file"], clip["kind"], clip["bytes"]) for clip in found["clips"]][2] == ("me.png", "still", 5)
    assert found["bytes"] == 15 and found["usable"] == 3 and found["name"] == "Ana"
    datasets.remove(key, "talk.mp4")
    assert [clip["file"] for clip in datasets.describe(key)["clips"]] == ["TALK-2.mp4", "me.png"]
    with pytest.raises(Unknown, match=r"no clip 'talk\.mp4'"):
        datasets.remove(key, "talk.mp4")
    assert datasets.rename(key, "Ana 2")["name"] == "Ana 2"
    datasets.delete(key)
    assert datasets.all() == [] and list(datasets.root.iterdir()) == []


def test_trimming_forgets_the_verdict(datasets):
    key = datasets.create("Ana")["id"]
    upload(datasets, key, "a.mp4")
    verdict = datasets.root / key / "made" / "a.mp4.json"
    verdict.write_text('{"usable": false, "reason": "too dark"}')
    changed = datasets.change(key, "a.mp4", {"caption": "hello", "use": False})
    assert changed["verdict"]["reason"] == "too dark" and changed["caption"] == "hello" and not changed["use"]
    changed = datasets.change(key, "a.mp4", {"begin": 1, "end": 2.5})
    assert changed["verdict"] is None and (changed["begin"], changed["end"]) == (1, 2.5)
    record = json.loads((datasets.root / key / "dataset.json").read_text())
    assert record["clips"]["a.mp4"] == {"begin": 1, "end": 2.5, "caption": "hello", "use": False}
    for wrong in (
        {"begin": 3}, {"end": 0}, {"begin": -1}, {"end": "x"}, {"use": 1}, {"caption": "x" * (CAPTION + 1)},
        {"begin": True}, {"begin": float("nan")}, {"file": "b.mp4"}, {"begin": 10**400}, {"begin": None},
    ):  # fmt: skip
        with pytest.raises(Refused):
            datasets.change(key, "a.mp4", wrong)


def test_what_a_job_needs_stays(datasets):
    key = datasets.create("Ana")["id"]
    upload(datasets, key, "a.mp4")
    busy.add(key)
    try:
        for forbidden in (lambda: datasets.delete(key), lambda: datasets.remove(key, "a.mp4")):
            with pytest.raises(Conflict, match="is used by a job"):
                forbidden()
        assert datasets.describe(key)["busy"]
    finally:
        busy.clear()


def test_files_are_taken_from_elsewhere(datasets, tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("b.mp4", "a.webm", "notes.txt", ".hidden.mp4"):
        (folder / name).write_bytes(name.encode())
    key = datasets.create("Ana")["id"]
    assert datasets.take(key, folder) == ["a.webm", "b.mp4"]
    assert datasets.take(key, folder / "b.mp4") == ["b-2.mp4"]
    (folder / "b.mp4").unlink()
    assert datasets.clip_path(key, "b.mp4").read_bytes() == b"b.mp4"
    for wrong, error in ((folder / "notes.txt", Refused), (folder / "gone.mp4", Unknown), (tmp_path, Refused)):
        with pytest.raises(error):
            datasets.take(key, wrong)
    assert not list((datasets.root / key / "clips").glob(".*"))


def test_a_file_whose_line_a_kill_prevented_is_there(datasets):
    key = datasets.create("Ana")["id"]
    upload(datasets, key, "a.mp4")
    (datasets.root / key / "clips" / "b.mp4").write_bytes(b"video")
    (datasets.root / key / "clips" / "a.mp4").unlink()
    assert [clip["file"] for clip in datasets.describe(key)["clips"]] == ["b.mp4"]


def test_many_threads_lose_no_clip(datasets):
    key = datasets.create("Ana")["id"]
    threads = [threading.Thread(target=upload, args=(datasets, key, "a.mp4")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {"a.mp4", *(f"a-{i}.mp4" for i in range(2, 13))}
    assert {clip["file"] for clip in datasets.describe(key)["clips"]} == names
    assert set(json.loads((datasets.root / key / "dataset.json").read_text())["clips"]) == names


def test_a_dataset_is_full_some_day(datasets):
    key = datasets.create("Ana")["id"]
    clips = {f"{i}.mp4": {} for i in range(MOST)}
    for name in clips:
        (datasets.root / key / "clips" / name).write_bytes(b"x")
    with pytest.raises(TooLarge, match=f"{MOST} clips at most"):
        upload(datasets, key, "more.mp4")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../etc/passwd.mp4", "passwd.mp4"), ("C:\\videos\\me.MOV", "me.mov"), ("a b(1).mp4", "a_b_1.mp4"),
        ("con.mp4", "clip_con.mp4"), ("...mp4.mp4", "mp4.mp4"), ("é\u202e\0.png", "é.png"), ("\ud800.mp4", "clip.mp4"),
        ("x" * 300 + ".mp4", "x" * 60 + ".mp4"), ("-.webm", "clip.webm"),
    ],
)  # fmt: skip
def test_names_of_files_become_names_of_clips(text, name):
    assert clip_name(text) == name


@pytest.mark.parametrize("text", ["a.exe", "mp4", ".mp4", "a.mp4/", "", "a.svg", "a.html\0.mp4x"])
def test_only_videos_and_stills(text):
    with pytest.raises(Refused, match="neither a video nor a still"):
        clip_name(text)


@pytest.mark.parametrize("key", ["", "..", "0" * 16, "g" * 16, "../datasets", None, 7, "0" * 17])
def test_no_such_dataset(datasets, key):
    datasets.root.mkdir()
    for ask in (datasets.describe, datasets.delete, datasets.scratch, lambda key: datasets.clip_path(key, "a.mp4")):
        with pytest.raises(Unknown, match="there is no dataset"):
            ask(key)


def test_endings_are_those_that_the_trainer_reads():
    from training.data import video

    assert set(VIDEO) == set(video.VIDEO) and {".png", ".jpg"} < set(MEDIA)
