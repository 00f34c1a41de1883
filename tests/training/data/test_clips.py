"""Clips are cut into windows of one well-lit face, and a reference never comes from inside its window."""

import json

import numpy as np
import pytest

from echotorrent_core.errors import InputError
from tests.training.data.clip_files import Blocks, picture, speech, write_video
from training.data import clips, tracks
from training.data.clips import VideoFolder
from training.data.tracks import Limits
from training.data.video import BadClip

LENGTH = 17  # frames of a window


def folder(path, **changes):
    return VideoFolder(path, (32, 32), 8, LENGTH, Blocks(), **changes)


def clip(tmp_path, frames, sound=None, **changes):
    frames = list(frames)
    write_video(tmp_path / "a.mkv", frames, speech(len(frames) / 25) if sound is None else sound)
    found = folder(tmp_path, **changes).clip("a.mkv")
    return found, list(found.windows)


def shown(frames):
    """Frame numbers of crops, from their background."""
    return [int(frame[0, 0, 1]) for frame in frames]


@pytest.mark.parametrize("seed", range(8))
def test_a_reference_is_beside_its_window_and_never_in_it(tmp_path, seed):
    _, windows = clip(tmp_path, (picture(k) for k in range(60)), seed=seed)
    assert [w.start for w in windows] == [0, 17, 34]
    for window in windows:
        numbers = shown(window.frames)
        inside = range(window.start, window.start + LENGTH)
        assert numbers[:-1] == list(inside)
        assert numbers[-1] not in inside
        assert window.start - LENGTH <= numbers[-1] < window.start + 2 * LENGTH
        assert window.begin == 640 * window.start


def test_references_are_drawn_and_drawn_again_alike(tmp_path):
    def references(seed):
        return [shown(w.frames)[-1] for w in clip(tmp_path, (picture(k) for k in range(60)), seed=seed)[1]]

    drawn = [references(seed) for seed in range(6)]
    assert references(3) == drawn[3] and len({tuple(d) for d in drawn}) > 3


def test_one_frame_beside_the_window_is_the_least(tmp_path):
    _, windows = clip(tmp_path, (picture(k) for k in range(LENGTH + 1)))
    assert len(windows) == 1 and shown(windows[0].frames)[-1] == LENGTH
    with pytest.raises(BadClip, match=r"lasts 0\.68 s, a window and a reference beside it need 0\.72 s"):
        clip(tmp_path, (picture(k) for k in range(LENGTH)))


def test_sound_shorter_than_a_window_is_refused_and_a_shorter_one_counts(tmp_path):
    with pytest.raises(BadClip, match=r"its sound lasts 0\.60 s"):
        clip(tmp_path, (picture(k) for k in range(60)), speech(0.6))
    _, windows = clip(tmp_path, (picture(k) for k in range(60)), speech(1.5))  # 37 frames
    assert [w.start for w in windows] == [0, 17] and max(shown(windows[1].frames)) < 37


@pytest.mark.parametrize(
    ("frames", "sound", "reason"),
    [
        ([picture(k) for k in range(30)], speech(1.2, 0.001), r"is silent \(-.. dB"),
        ([picture(k, faces=()) for k in range(30)], None, "no frame with one face"),
        ([picture(k, faces=[(4, 12, 22, 48), (40, 12, 58, 48)]) for k in range(30)], None, "30 of 30 frames show more"),
        ([picture(0, value=25) for k in range(30)], None, "30 are too dark"),
        ([picture(k, faces=[(30, 30, 34, 36)]) for k in range(30)], None, "in 1 windows the face is too small"),
        ([picture(k, faces=[(20 - 15 * (k % 2), 12, 44 - 15 * (k % 2), 48)]) for k in range(30)], None, "30 stretches"),
    ],
)
def test_unfit_clips_say_why(tmp_path, frames, sound, reason):
    with pytest.raises(BadClip, match=reason):
        clip(tmp_path, frames, sound)


def test_a_long_clip_is_refused(tmp_path):
    with pytest.raises(BadClip, match="lasts 2 s, more than 1; cut it"):
        clip(tmp_path, (picture(k) for k in range(60)), limits=Limits(longest=1))


def test_windows_keep_clear_of_cuts_and_of_other_people(tmp_path):
    """Frames 0-24, a cut, 25-49, five frames of two faces, 55-89: windows and their references on one side of each."""
    right, left = (30, 12, 54, 48), (8, 12, 32, 48)
    both = [left, (40, 12, 60, 48)]
    frames = [picture(k, both if 50 <= k < 55 else [right if k < 25 else left]) for k in range(90)]
    _, windows = clip(tmp_path, frames)
    assert [w.start for w in windows] == [0, 25, 55, 72]
    for window, (first, last) in zip(windows, ((0, 25), (25, 50), (55, 90), (55, 90)), strict=True):
        assert all(first <= number < last for number in shown(window.frames))


def test_short_gaps_are_bridged(tmp_path):
    blind = [picture(k, () if k in (6, 7, 8) else [(16 + k, 12, 40 + k, 48)]) for k in range(20)]
    _, windows = clip(tmp_path, blind)
    box = windows[0].labels["mouth_box"]
    step = box[1, 0] - box[0, 0]
    np.testing.assert_allclose(np.diff(box[:LENGTH, 0]), step, rtol=1e-4)  # as if it had been seen all the time
    with pytest.raises(BadClip):
        clip(tmp_path, (picture(k, () if 6 <= k < 12 else ((20, 12, 44, 48),)) for k in range(24)))


def test_the_crop_frames_the_face_as_the_corpus_does(tmp_path):
    """A face 36 high in a crop of 60; the mouth box and mask lie where the block's lowest quarter is drawn."""
    limits = Limits()
    _, windows = clip(tmp_path, (picture(k) for k in range(20)))
    frame, labels = windows[0].frames[3], windows[0].labels
    red = np.argwhere((frame[..., 0].astype(int) - frame[..., 1]) > 110)
    (top, left), (bottom, right) = red.min(0), red.max(0) + 1
    assert abs((bottom - top) / 32 - limits.face) < 0.05
    x0, y0, x1, y1 = labels["mouth_box"][3]
    assert abs(y1 - bottom) <= 1 and abs(y1 - y0 - (bottom - top) / 4) <= 1
    assert abs((x0 + x1) / 2 - (left + right) / 2) <= 1 and abs(x1 - x0 - (right - left) / 2) <= 1
    mask = labels["mouth_mask"][3]
    assert mask.shape == (4, 4) and mask.argmax() in (9, 10) and mask[:2].max() == 0
    assert labels["pose"].shape == (LENGTH + 1, 5) and labels["mouth_mask"].shape[0] == LENGTH + 1


def test_the_sound_belongs_to_the_window(tmp_path):
    sound = speech(60 / 25)
    found, windows = clip(tmp_path, (picture(k) for k in range(60)), sound)
    np.testing.assert_allclose(found.sound[windows[1].begin :][:640], sound[17 * 640 : 18 * 640], atol=1e-4)


def test_domain_and_prompt_come_from_sidecar_or_folder(tmp_path):
    for name in ("plain.mkv", "singing/a.mkv", "singing/deep/b.mkv", "c.mkv"):
        write_video(tmp_path / name, (picture(k) for k in range(20)), speech(0.8))
    (tmp_path / "c.json").write_text(json.dumps({"domain": "profile", "prompt": "she smiles"}))
    (tmp_path / "singing" / "deep" / "b.json").write_text(json.dumps({"domain": "rare"}))
    source = folder(tmp_path)
    assert source.names() == ["c.mkv", "plain.mkv", "singing/a.mkv", "singing/deep/b.mkv"]
    said = [next(iter(source.clip(name).windows)).labels for name in source.names()]
    assert [str(s["domain"]) for s in said] == ["profile", "general", "singing", "rare"]
    assert [str(s["prompt"]) for s in said] == ["she smiles", clips.PROMPT, clips.PROMPT, clips.PROMPT]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not JSON"),
        ("[1]", "must look like"),
        ('{"promt": "x"}', "says 'promt'"),
        ('{"domain": "opera"}', "known are general"),
    ],
)
def test_bad_sidecars_are_told(tmp_path, text, reason):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BadClip, match=reason):
        clip(tmp_path, (picture(k) for k in range(20)))


def test_a_folder_must_hold_videos(tmp_path):
    with pytest.raises(InputError, match="holds no videos"):
        folder(tmp_path).names()
    with pytest.raises(InputError, match="no such folder"):
        folder(tmp_path / "nowhere").names()


def test_runs_end_at_cuts():
    good = np.array([1, 1, 0, 1, 1, 1, 1], bool)
    cut = np.array([0, 0, 0, 0, 0, 1, 0], bool)
    assert tracks.runs(good, cut) == [(0, 2), (3, 5), (5, 7)]
