"""Videos are read at 25 fps on the sound's clock, and refused with a reason."""

import numpy as np
import pytest

from tests.training.data.clip_files import FACE, SIZE, picture, speech, write_video
from training.data import video
from training.data.video import BadClip


def numbers(path):
    return [int(frame[0, 0, 1]) for frame in video.frames(path)]


@pytest.mark.parametrize("fps", [10, 24, 25, 30, 50, 60])
def test_pictures_come_at_25_per_second_whatever_the_clip_has(tmp_path, fps):
    path = write_video(tmp_path / "a.mkv", (picture(k) for k in range(2 * fps)), speech(2), fps)
    found = numbers(path)
    assert abs(len(found) - 50) <= 1
    since = np.arange(len(found)) / 25 - np.array(found) / fps  # how long the picture has been on
    assert since.min() > -0.011 and since.max() < 1 / fps + 1e-6
    assert fps != 25 or found == list(range(50))


def test_sound_begins_with_the_pictures(tmp_path):
    whole = speech(2)
    for late in (0.0, 0.25):
        path = write_video(tmp_path / f"{late}.mkv", (picture(k) for k in range(50)), whole, sound_late=late)
        samples = video.sound(path, video.probe(path).sound_late)
        shift = round(late * 16000)
        assert len(samples) == len(whole) + shift and not samples[:shift].any()
        np.testing.assert_allclose(samples[shift:], whole, atol=1e-4)
    np.testing.assert_allclose(video.sound(path, -0.5)[:100], whole[8000:8100], atol=1e-4)


def test_a_clip_without_sound_or_pictures_is_refused(tmp_path):
    with pytest.raises(BadClip, match="no sound track"):
        video.probe(write_video(tmp_path / "mute.mkv", [picture(0)] * 3, None))
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(BadClip, match="cannot be opened"):
        video.probe(tmp_path / "text.mp4")


def test_a_clip_that_is_damaged_half_way_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    noise = (rng.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8) for _ in range(50))
    path = write_video(tmp_path / "a.mkv", noise, speech(2))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20000] = bytes(20000)
    path.write_bytes(data)
    with pytest.raises(BadClip, match=r"damaged or missing 0\.\d+ s after the start"):
        list(video.frames(path))


def test_the_usual_block_is_where_the_tests_say():
    frame = picture(7)
    assert frame[FACE[1], FACE[0], 0] == 230 and frame[0, 0, 0] == 7
