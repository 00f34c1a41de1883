"""A dataset as a source of windows: which clips, which part of them, and stills as references."""

import json

import drawn_person as people
import numpy as np
import pytest
from PIL import Image

from echotorrent_core.errors import InputError
from training.data import video
from training.data.clips import BadClip
from training.identity.dataset import Use, moved, person_clips, read_dataset


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two clips, the first with a frame counter in its corner, and a still."""
    folder = tmp_path_factory.mktemp("data")
    counted = people.frames(110)
    for k, frame in enumerate(counted):
        frame[:8, :8] = 2 * k
    people.clip(folder / "clips/a.mp4", pictures=counted)
    people.clip(folder / "clips/b.mp4", 60)
    Image.fromarray(people.face(size=200)).save(folder / "clips/s.png")
    (folder / "clips/notes.txt").write_text("not a clip")
    return folder


def source(clips, **uses):
    return person_clips(people.dataset(clips, **uses), "embedded")


def numbers(frames):
    return np.round(frames[:, 1:6, 1:6].mean((1, 2, 3)) / 2).astype(int).tolist()


def test_all_that_can_be_used_is(clips):
    name, uses = read_dataset(people.dataset(clips, a__mp4={"caption": "hello"}))
    assert name == "Ana" and uses == {"a.mp4": Use(caption="hello"), "b.mp4": Use(), "s.png": Use()}
    assert source(clips, b__mp4={"use": False}).names() == ["a.mp4"]
    with pytest.raises(InputError, match="no video is used"):
        source(clips, a__mp4={"use": False}, b__mp4={"use": False}).names()


def test_trim_cuts_pictures_and_sound_alike(clips):
    trimmed = source(clips, a__mp4={"begin": 1.0, "end": 3.4, "caption": "happy"}, s__png={"use": False})
    shown = numbers(np.stack(list(trimmed.pictures("a.mp4"))))
    assert abs(shown[0] - 25) <= 1 and len(shown) == 60
    whole = video.sound(clips / "clips/a.mp4")
    assert np.array_equal(trimmed.sound("a.mp4", 0.0), whole[16000 : round(3.4 * 16000)])
    window, *copies = trimmed.clip("a.mp4").windows
    assert len(copies) == 2
    assert str(window.labels["prompt"]) == "happy"
    assert np.abs(np.array(numbers(window.frames[:-1])) - np.arange(25, 74)).max() <= 1
    with pytest.raises(BadClip, match="lasts"):
        source(clips, a__mp4={"begin": 1.0, "end": 2.0}).clip("a.mp4")


def test_a_still_is_a_reference_a_second_time(clips):
    windows = list(source(clips).clip("b.mp4").windows)
    assert len(windows) == 6  # with two copies of each
    own, second = windows[0], windows[3]
    assert np.array_equal(own.frames[:-1], second.frames[:-1])
    assert np.abs(second.frames[-1].astype(int) - people.face()).mean() < 4
    for name in ("pose", "mouth_box", "mouth_mask", "blink", "gaze"):
        assert np.array_equal(own.labels[name][:-1], second.labels[name][:-1])
        assert own.labels[name].shape == second.labels[name].shape
    assert not np.array_equal(own.labels["pose"][-1], second.labels["pose"][-1])


def test_copies_move_pictures_and_labels_together(clips):
    window = next(iter(source(clips).clip("b.mp4").windows))
    same = moved(window, 1.0, np.zeros(2))
    assert np.abs(same.frames.astype(int) - window.frames).max() <= 1
    assert np.array_equal(same.labels["mouth_mask"], window.labels["mouth_mask"])
    there = moved(window, 1.0, np.array([8 / 128, 0.0]))  # a latent's width to the right
    assert np.abs(there.frames[:, :, 8:].astype(int) - window.frames[:, :, :-8]).max() <= 1
    np.testing.assert_allclose(there.labels["mouth_box"], window.labels["mouth_box"] + [8, 0, 8, 0], atol=1e-4)
    assert np.array_equal(there.labels["mouth_mask"][:, :, 1:], window.labels["mouth_mask"][:, :, :-1])
    near = moved(window, 1.25, np.zeros(2))
    size = (
        np.diff(window.labels["mouth_box"].reshape(-1, 2, 2), axis=1),
        np.diff(near.labels["mouth_box"].reshape(-1, 2, 2), axis=1),
    )
    np.testing.assert_allclose(size[1], 1.25 * size[0], rtol=1e-4)
    assert near.labels["mouth_mask"].astype(int).sum() > 1.3 * window.labels["mouth_mask"].astype(int).sum()
    assert np.array_equal(near.labels["pose"], window.labels["pose"])


def test_another_trim_is_another_cache(clips):
    before = source(clips).settings()
    assert source(clips).settings() == before == json.loads(json.dumps(before))
    assert source(clips, a__mp4={"begin": 0.5}).settings() != before


@pytest.mark.parametrize("text", ["{", "[]", '{"clips": {"a.mp4": 3}}', '{"clips": {"a.mp4": {"begin": "x"}}}'])
def test_damaged_datasets_are_told(clips, text):
    (clips / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=r"dataset\.json: not readable"):
        read_dataset(clips)
    with pytest.raises(InputError, match="no dataset here"):
        read_dataset(clips / "clips")
    with pytest.raises(InputError, match="empty"):
        Use(2.0, 1.0)


def test_photographs_need_landmarks(clips):
    people.dataset(clips)
    with pytest.raises(InputError, match="MediaPipe"):
        person_clips(clips, "echotorrent_14b")
