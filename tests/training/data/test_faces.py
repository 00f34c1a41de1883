"""Masks, poses and the landmarker's results."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from echotorrent_core.errors import InputError
from training.data import faces
from training.data.faces import LIPS, MediaPipe, head_pose, mouth_mask


def square(x0, y0, side):
    return np.array([(x0, y0), (x0 + side, y0), (x0 + side, y0 + side), (x0, y0 + side)], np.float32)


def test_a_mask_is_the_dilated_hull_averaged_over_latents():
    """A square of 16 px, 1.3 times as large, at the middle of 64 px: its area, softened evenly about its edge."""
    mask = mouth_mask(square(24, 24, 16)[None], (64, 64), 8)
    assert mask.shape == (1, 8, 8) and mask.min() == 0 and mask.max() == 1
    assert abs(mask.sum() * 64 - (1.3 * 16) ** 2) < 12
    np.testing.assert_allclose(mask, mask[:, ::-1, ::-1], atol=1e-6)
    assert np.array_equal(mask[0] > 0.99, np.pad(np.ones((2, 2), bool), 3))


def test_a_mask_follows_the_mouth_and_ignores_inner_points():
    outline = square(8, 40, 8)
    moved = mouth_mask(np.stack([outline, outline + (16, 0)]), (64, 64), 8)
    np.testing.assert_allclose(moved[1, :, 2:], moved[0, :, :-2], atol=1e-6)
    inner = np.concatenate([outline, [(12, 44)]])
    np.testing.assert_allclose(mouth_mask(inner[None].astype(np.float32), (64, 64), 8)[0], moved[0], atol=1e-6)


def test_a_mask_of_other_shapes():
    assert mouth_mask(square(30, 30, 10)[None], (48, 80), 8).shape == (1, 6, 10)
    closed = np.array([(20, 30), (30, 30), (40, 30)], np.float32)
    assert not mouth_mask(closed[None], (64, 64), 8).any()  # a line has no inside


def turned(axis, angle):
    c, s = np.cos(angle), np.sin(angle)
    one = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }[axis]
    return np.array(one)


@pytest.mark.parametrize(("axis", "sign", "channel"), [("y", 1, 0), ("x", -1, 1), ("z", -1, 2)])
def test_poses_have_the_signs_of_the_corpus(axis, sign, channel):
    """Right-handed turns in axes right, up, to the viewer: about y to the right edge, about x downwards, about z to
    the left edge."""
    matrix = np.eye(4)
    matrix[:3, :3] = 2.0 * turned(axis, sign * 0.3)
    matrix[:3, 3] = (11.5, -23.0, -40)
    pose = head_pose(matrix)
    expected = np.zeros(3)
    expected[channel] = 0.3
    np.testing.assert_allclose(pose[:3], expected, atol=1e-6)
    np.testing.assert_allclose(pose[3:], [1, -2], atol=1e-6)


def landmarker_result(count):
    points = [SimpleNamespace(x=(k % 20) / 20, y=(k // 20) / 24) for k in range(478)]
    scores = {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.7, "eyeLookOutLeft": 0.6, "eyeLookInRight": 0.2}
    scores |= {"eyeLookDownLeft": 0.4}
    shapes = [SimpleNamespace(category_name=name, score=score) for name, score in scores.items()]
    return SimpleNamespace(
        face_landmarks=[points] * count, facial_transformation_matrixes=[np.eye(4)] * count,
        face_blendshapes=[shapes] * count,
    )  # fmt: skip


@pytest.fixture
def fake_mediapipe(monkeypatch, tmp_path):
    """The parts of the package that are used, in place of it."""
    times = []

    def create(options):
        if options.base_options.model_asset_path.endswith("broken.task"):
            raise RuntimeError("Unable to open zip archive.")
        assert options.num_faces == 2 and options.running_mode == "video"

        def detect(image, time):
            times.append(time)
            return landmarker_result(2 if image.data[0, 0, 0] else 1)

        return SimpleNamespace(detect_for_video=detect)

    vision = SimpleNamespace(
        FaceLandmarkerOptions=SimpleNamespace,
        RunningMode=SimpleNamespace(VIDEO="video"),
        FaceLandmarker=SimpleNamespace(create_from_options=create),
    )
    package = SimpleNamespace(Image=SimpleNamespace, ImageFormat=SimpleNamespace(SRGB=1))
    monkeypatch.setitem(sys.modules, "mediapipe", package)
    monkeypatch.setitem(sys.modules, "mediapipe.tasks", SimpleNamespace())
    monkeypatch.setitem(
        sys.modules, "mediapipe.tasks.python", SimpleNamespace(BaseOptions=SimpleNamespace, vision=vision)
    )
    return times


def test_results_of_the_landmarker_become_faces(fake_mediapipe, tmp_path):
    (tmp_path / "face.task").write_bytes(b"model")
    trackers = MediaPipe(tmp_path / "face.task")
    trackers.check()
    track = trackers()
    frame = np.zeros((48, 40, 3), np.uint8)
    (found,) = track(frame)
    assert found.box.tolist() == [0, 0, 38, 46] and found.mouth.shape == (len(LIPS), 2)
    np.testing.assert_allclose(found.mouth[0], [LIPS[0] % 20 * 2, LIPS[0] // 20 * 2])
    assert abs(found.blink - 0.6) < 1e-6
    np.testing.assert_allclose(found.gaze, [0.4, -0.2], atol=1e-6)
    assert len(track(frame + 1)) == 2 and fake_mediapipe == [0, 40]  # milliseconds of 25 fps
    assert trackers()(frame) and fake_mediapipe[-1] == 0  # every clip starts anew
    assert repr(trackers) == "mediapipe face.task"


def test_a_missing_or_broken_model_is_told(fake_mediapipe, tmp_path):
    with pytest.raises(InputError, match=r"download face_landmarker\.task"):
        MediaPipe(tmp_path / "none.task").check()
    (tmp_path / "broken.task").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a face landmarker model"):
        MediaPipe(tmp_path / "broken.task").check()


def test_the_extra_is_named_when_the_package_is_missing(monkeypatch, tmp_path):
    (tmp_path / "face.task").write_bytes(b"model")
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(InputError, match=r"echotorrent\[faces\]"):
        MediaPipe(tmp_path / "face.task").check()


def test_lips_are_a_ring():
    assert len(set(LIPS)) == len(LIPS) == 20 and max(LIPS) < 468 and faces.HEAD_UNIT > 0
