import pytest
import torch

from echotorrent_core import flow
from echotorrent_core.sampler import SAMPLERS, denoise


def sample(shape=(2, 3, 4, 2, 2)):
    g = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=g), torch.randn(shape, generator=g)


@pytest.mark.parametrize("sigma", [1.0, 0.73, 0.01])
def test_oracle_velocity_returns_x0_from_any_level(sigma):
    x0, noise = sample()
    level = torch.full((2,), sigma)
    x = flow.add_noise(x0, noise, level)
    torch.testing.assert_close(flow.to_x0(flow.velocity(x0, noise), x, level, "velocity", x0), x0, atol=1e-5, rtol=0)


def test_velocity_and_x0_are_inverse_per_latent():
    x0, noise = sample()
    level = torch.tensor([[1.0, 0.5, 0.2, 0.9]] * 2)
    x = flow.add_noise(x0, noise, level)
    torch.testing.assert_close(flow.to_velocity(x0, x, level), flow.velocity(x0, noise), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["renoise", "euler"])
def test_an_oracle_estimate_ends_at_x0(name):
    x0, noise = sample()
    out = denoise(lambda x, s, i: x0, noise, (1.0, 0.6, 0.2), SAMPLERS[name], torch.Generator().manual_seed(1))
    torch.testing.assert_close(out, x0, atol=1e-6, rtol=0)


def test_euler_stays_on_the_line():
    x0, noise = sample()
    x = flow.add_noise(x0, noise, torch.full((2,), 0.8))
    expected = flow.add_noise(x0, noise, torch.full((2,), 0.3))
    torch.testing.assert_close(flow.euler(x, x0, 0.8, 0.3), expected, atol=1e-6, rtol=1e-5)


def test_shift_matches_the_published_four_steps():
    steps = [1000 * flow.shift(u, 5.0) for u in (1.0, 0.75, 0.5, 0.25)]
    assert [round(s, 1) for s in steps] == [1000.0, 937.5, 833.3, 625.0]


def test_guidance_of_one_is_the_conditional():
    c, u = sample()
    torch.testing.assert_close(flow.guide(c, u, 1.0), c)
    torch.testing.assert_close(flow.guide(c, u, 2.0), 2 * c - u)
