"""The mouth reader as a tracker: where the face is in frames of any shape, and how the head moves."""

import drawn_person as people
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from echotorrent_core.errors import InputError
from training.corpus.controls import Controls
from training.corpus.identity import make_identity
from training.corpus.render import Renderer
from training.identity import faces
from training.identity.faces import POSE, PoseReader, ReaderFaces


def test_one_face_or_none():
    track = ReaderFaces()()
    (found,) = track(people.face())
    assert found.box.tolist() == pytest.approx([25.6, 34.56, 102.4, 111.36])
    assert found.mouth.shape == (20, 2) and (found.mouth > 40).all() and (found.mouth < 115).all()
    assert track(np.full((128, 128, 3), 90, np.uint8)) == []
    wide = np.full((128, 200, 3), 90, np.uint8)
    wide[:, 36:164] = people.face()
    (inside,) = track(wide)
    np.testing.assert_allclose(inside.mouth - found.mouth, np.broadcast_to([36, 0], (20, 2)), atol=0.01)


def test_motion_follows_the_head():
    """Differences from the neutral head, of somebody the read-out was not fitted to."""
    renderer, track = Renderer(make_identity(1_000_777), 128), ReaderFaces()()

    def pose(**controls):
        (found,) = track(renderer.render(Controls(**controls)).image)
        return np.r_[found.pose, found.gaze]

    rest = pose()
    for k, (name, amount) in enumerate((("yaw", 0.2), ("pitch", 0.06), ("roll", 0.05))):
        there, back = pose(**{name: amount}) - rest, pose(**{name: -amount}) - rest
        assert there[k] > 0.25 * amount and back[k] < -0.25 * amount, name


def test_read_out_belongs_to_the_shipped_reader(tmp_path, monkeypatch):
    PoseReader()
    save_file(load_file(POSE), tmp_path / "other.safetensors", {"reader": '"0000"'})
    with pytest.raises(InputError, match="fitted to another mouth reader"):
        PoseReader(tmp_path / "other.safetensors")


def test_fit_finds_a_linear_relation():
    rng = np.random.default_rng(0)
    hidden, weights = rng.normal(size=(4000, 160)) * rng.uniform(0.1, 3, 160), rng.normal(size=(160, 6))
    found = faces.fit(hidden, hidden @ weights)
    assert np.abs(found - weights).max() < 0.05 * np.abs(weights).max()


def test_hidden_layer_is_what_the_tracks_are_read_from():
    reader = PoseReader().reader
    frames = torch.rand(3, 3, 128, 128) * 2 - 1
    reading, hidden = faces.with_hidden(reader, frames)
    torch.testing.assert_close(reader.tracks(hidden)[:, 2], reading.yaw)
