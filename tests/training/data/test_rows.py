"""Parts of a row: masks, motion, mirror images."""

import numpy as np
import pytest
import torch

from echotorrent_core.conditioning.text import parse_prompt
from training.data.features import FRAMES, LATENTS, MARGIN, Rows, window
from training.data.rows import fit_mask, latent_mask, mirror_box, mirror_text, motion_features, voice_energy


def test_motion_is_relative_to_the_reference():
    pose = np.zeros((66, 5), np.float32)
    pose[:, 0] = 0.8  # a profile portrait that keeps still
    pose[10, 0] = 0.9
    labels = {"pose": pose, "gaze": np.zeros((66, 2), np.float32), "blink": np.zeros(66, np.float32)}
    track = motion_features(labels)
    assert track.shape == (FRAMES + 2 * MARGIN, 8)
    torch.testing.assert_close(track[10 + MARGIN, 0], torch.tensor(1.0))
    assert track[0, 0] == 0


def test_latent_mask_is_the_largest_of_its_frames():
    mask = torch.zeros(65, 2, 2)
    mask[0], mask[7, 0, 0] = 0.3, 1.0
    latents = latent_mask(mask)
    assert latents.shape == (LATENTS, 2, 2)
    assert latents[0, 1, 1] == 0.3 and latents[2, 0, 0] == 1 and latents[1].max() == 0


def test_a_mask_finer_than_latents_is_averaged():
    mask = torch.rand(3, 16, 16)
    assert fit_mask(mask, torch.Size((16, 16))) is mask
    expected = mask.unflatten(-1, (8, 2)).unflatten(1, (8, 2)).mean((2, 4))
    torch.testing.assert_close(fit_mask(mask, torch.Size((8, 8))), expected)


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("looking left, head turned right", "looking right, head turned left"),
        ("Left of the lefthand wall", "right of the lefthand wall"),
        ("happy", "happy"),
    ],
)
def test_a_mirrored_text_says_the_other_side(text, mirrored):
    assert mirror_text(text) == mirrored
    a, b = parse_prompt(text), parse_prompt(mirrored)
    assert {a.gaze, b.gaze} in ({"left", "right"}, {"camera"}) and a.expression == b.expression


def test_a_box_mirrored_twice_is_the_box():
    box = torch.tensor([[3.0, 1.0, 10.0, 5.0]])
    assert mirror_box(box, 32).tolist() == [[22.0, 1.0, 29.0, 5.0]]
    assert torch.equal(mirror_box(mirror_box(box, 32), 32), box)


def test_energy_is_that_of_the_voice_frame_by_frame():
    """Quiet, loud and silent frames; past the end of the sound there is silence, and a silent sound has none."""
    level = np.repeat(np.array([0.1, 0.4, 0.0, 0.2], np.float32), 5)
    sound = np.repeat(level, 640)
    expected = level[3:] / 0.4
    np.testing.assert_allclose(voice_energy(sound, 3 * 640, 20), np.pad(expected, (0, 3)), atol=1e-6)
    np.testing.assert_allclose(voice_energy(0.01 * sound, 3 * 640, 17), expected, atol=1e-6)  # loudness does not count
    assert not voice_energy(np.zeros(6400, np.float32), 0, 5).any()


@pytest.mark.parametrize("start", [0, 3])
def test_a_window_has_its_own_frames_energy(start):
    columns = {
        "latents": torch.zeros(2, 4, 17, 2, 2),
        "reference": torch.zeros(2, 4, 1, 2, 2),
        "mask": torch.zeros(2, 17, 2, 2),
        "audio": torch.arange(FRAMES + 2 * MARGIN).float().expand(2, 1, -1)[..., None],
        "energy": torch.arange(FRAMES).float().expand(2, -1),
    }
    batch = window(columns, torch.tensor([1, 0]), torch.zeros(2, dtype=torch.long), start, 4)
    torch.testing.assert_close(batch["energy"] + MARGIN, batch["features"][:, MARGIN:-MARGIN, 0])
    assert batch["energy"].shape[1] == (13 if start == 0 else 16)


def test_rows_of_shards_are_indexed_as_one_tensor():
    whole = torch.randn(7, 3, 5)
    rows = Rows([whole[:2], whole[2:3], whole[3:]])
    picked, variant = torch.tensor([6, 0, 2, 2]), torch.tensor([0, 2, 1, 2])
    assert rows.shape == whole.shape
    for index in (picked, (picked, variant), (picked, slice(1, 3)), 3, (4, slice(0, 2)), (picked, slice(0, 2), 4)):
        assert torch.equal(rows[index], whole[index]), index
