"""The Lab transfer against published Lab values and against what it promises: the reference's mean and spread."""

import pytest
import torch

from echotorrent_core.conditioning.colour import lab_to_rgb, match_colour, rgb_to_lab

# sRGB -> CIE Lab (D65, 2 degrees), from colour tables
TABLE = {
    (1.0, 1.0, 1.0): (100.0, 0.0, 0.0),
    (0.0, 0.0, 0.0): (0.0, 0.0, 0.0),
    (1.0, 0.0, 0.0): (53.24, 80.09, 67.20),
    (0.0, 1.0, 0.0): (87.73, -86.18, 83.18),
    (0.0, 0.0, 1.0): (32.30, 79.19, -107.86),
    (0.5, 0.5, 0.5): (53.39, 0.0, 0.0),
}


def video(frames: int, seed: int, low: float = -0.4, high: float = 0.4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, frames, 12, 20, generator=generator) * (high - low) + low


def statistics(frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    lab = rgb_to_lab((frames + 1) / 2)
    return lab.mean((-2, -1)), lab.std((-2, -1), correction=0)


@pytest.mark.parametrize(("rgb", "lab"), TABLE.items())
def test_lab_values(rgb, lab):
    found = rgb_to_lab(torch.tensor(rgb)[None, :, None])[0, :, 0]
    torch.testing.assert_close(found, torch.tensor(lab), atol=0.03, rtol=0)


def test_lab_there_and_back():
    rgb = torch.rand(2, 3, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=1e-4, rtol=0)


def test_takes_mean_and_spread_of_the_reference():
    frames, reference = video(3, 0), video(1, 1, -0.2, 0.3)
    mean, spread = statistics(match_colour(frames, reference))
    wanted_mean, wanted_spread = statistics(reference)
    torch.testing.assert_close(mean, wanted_mean.expand(-1, -1, 3), atol=0.05, rtol=0)
    torch.testing.assert_close(spread, wanted_spread.expand(-1, -1, 3), atol=0.05, rtol=0)


def test_spread_is_that_of_the_population():
    """A reference of few pixels: the sample's standard deviation would be 3 % larger."""
    reference = video(1, 8)[..., :4, :4]
    _, spread = statistics(match_colour(video(1, 0), reference))
    torch.testing.assert_close(spread, statistics(reference)[1], atol=0.05, rtol=0)


def test_each_frame_alone():
    frames, reference = torch.cat([video(1, 0), video(1, 1, -0.9, 0.1)], 2), video(1, 2)
    alone = [match_colour(frames[:, :, i : i + 1], reference) for i in range(2)]
    torch.testing.assert_close(match_colour(frames, reference), torch.cat(alone, 2), atol=0, rtol=0)


def test_a_flat_frame_becomes_the_mean_colour():
    flat, reference = torch.full((1, 3, 1, 8, 8), 0.25), video(1, 3)
    mean, spread = statistics(match_colour(flat, reference))
    torch.testing.assert_close(mean, statistics(reference)[0], atol=0.01, rtol=0)
    assert spread.max() < 1e-3


def test_strength_blends():
    frames, reference = video(2, 4), video(1, 5)
    full, half = match_colour(frames, reference), match_colour(frames, reference, 0.5)
    assert match_colour(frames, reference, 0) is frames
    torch.testing.assert_close(half, (frames + full) / 2, atol=1e-6, rtol=0)


def test_stays_displayable():
    matched = match_colour(video(1, 6, -0.1, 0.1), video(1, 7, -1, 1))
    assert matched.min() == -1
    assert matched.max() <= 1


def test_refuses_other_strengths():
    with pytest.raises(ValueError, match="strength"):
        match_colour(video(1, 0), video(1, 1), 1.5)
