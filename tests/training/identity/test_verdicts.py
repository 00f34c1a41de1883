"""Verdicts: what is wrong with a clip, told as training would find it."""

import json

import drawn_person as people
import numpy as np
import pytest
from PIL import Image

from training.data.shards import BadClip
from training.identity.clips import examine, write_verdict
from training.identity.dataset import person_clips


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    clips = folder / "clips"
    people.clip(clips / "good.mp4")
    people.clip(clips / "dark.mp4", pictures=(people.frames(60) * 0.12).astype(np.uint8))
    people.clip(clips / "mute.mp4", voice=np.zeros(60 * 640, np.float32))
    people.clip(clips / "short.mp4", 30)
    people.clip(clips / "wall.mp4", pictures=np.full((60, 128, 128, 3), 90, np.uint8))
    (clips / "broken.mp4").write_bytes(b"no video at all")
    Image.fromarray(people.face()).save(clips / "still.png")
    Image.fromarray(np.full((128, 128, 3), 90, np.uint8)).save(clips / "empty.png")
    (clips / "damaged.png").write_bytes(b"no picture")
    return people.dataset(folder, good__mp4={"begin": 0.0, "end": None})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("good.mp4", ""),
        ("dark.mp4", {"too dark", "no face"}),  # a face that cannot be made out is none
        ("mute.mp4", "silent"),
        ("short.mp4", "too short"),
        ("wall.mp4", "no face"),
        ("broken.mp4", "unreadable"),
        ("still.png", ""),
        ("empty.png", "no face"),
        ("damaged.png", "unreadable"),
    ],
)
def test_every_clip_has_its_verdict(folder, name, reason):
    source = person_clips(folder, "embedded")
    found = examine(source, name)
    assert found.usable == (not found.reason) and found.reason in (reason if isinstance(reason, set) else {reason})
    assert bool(found.sentence) == bool(found.reason)
    if name == "good.mp4":
        assert (found.width, found.height, found.faces) == (128, 128, 1.0)
        assert abs(found.seconds - 2.4) < 0.1 and 0.2 < found.brightness < 0.8 and -30 < found.loudness < 0
    if name.endswith(".mp4") and name != "broken.mp4":  # training says the same
        try:
            used = bool(list(source.clip(name).windows))
        except BadClip:
            used = False
        assert used == found.usable


def test_verdict_and_thumbnail_are_kept(folder):
    source = person_clips(folder, "embedded")
    for name in ("good.mp4", "broken.mp4", "still.png"):
        write_verdict(folder, source, name)
        said = json.loads((folder / "made" / f"{name}.json").read_text())
        assert {"usable", "reason", "seconds", "faces", "brightness", "loudness", "width", "height"} <= said.keys()
    with Image.open(folder / "made/good.mp4.jpg") as picture:
        assert picture.size == (128, 128) and np.asarray(picture).std() > 20
    assert not (folder / "made/broken.mp4.jpg").exists()
