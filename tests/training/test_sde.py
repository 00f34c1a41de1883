"""The SDE form of a flow step: same marginals as the ODE, densities as torch has them."""

import math
from itertools import pairwise

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from echotorrent_core import flow
from training import sde


def test_without_noise_it_is_the_euler_step():
    g = torch.Generator().manual_seed(0)
    x, x0 = torch.randn(2, 3, 4, 5, 5, generator=g), torch.randn(2, 3, 4, 5, 5, generator=g)
    mean, std = sde.step(x, x0, 0.8, 0.5, 0.0)
    assert std == 0
    assert torch.equal(mean, flow.euler(x, x0, 0.8, 0.5))


@pytest.mark.parametrize("kind", ["flow", "constant"])
def test_the_marginals_are_those_of_the_flow(kind):
    """Data N(m, t^2), whose clean estimate is known: x_s must be N((1 - s) m, (1 - s)^2 t^2 + s^2) all along."""
    m, t, strength = 0.7, 0.5, {"flow": 0.7, "constant": 0.8}[kind]
    g = torch.Generator().manual_seed(0)
    x = torch.randn(40_000, 1, 1, 1, 1, generator=g)
    sigmas = [1 - i / 300 for i in range(296)]
    for i, (s, s_next) in enumerate(pairwise(sigmas)):
        spread = (1 - s) ** 2 * t**2 + s**2
        x0 = m + (1 - s) * t**2 / spread * (x - (1 - s) * m)
        mean, std = sde.step(x, x0, s, s_next, sde.noise_scale(s, s_next, kind, strength))
        x = sde.sample(mean, std, g)
        if i % 60 == 50:
            assert float(x.mean()) == pytest.approx((1 - s_next) * m, abs=0.02)
            assert float(x.std()) == pytest.approx(math.sqrt((1 - s_next) ** 2 * t**2 + s_next**2), rel=0.03)


def test_densities_are_those_of_the_normal_distribution():
    g = torch.Generator().manual_seed(1)
    x, mean, other = (torch.randn(3, 2, 2, 4, 4, generator=g) for _ in range(3))
    expected = Normal(mean, 0.3).log_prob(x).mean((1, 2, 3, 4))
    torch.testing.assert_close(sde.log_prob(x, mean, 0.3), expected)
    expected = kl_divergence(Normal(mean, 0.3), Normal(other, 0.3)).mean((1, 2, 3, 4))
    torch.testing.assert_close(sde.divergence(mean, other, 0.3), expected)


def test_half_precision_goes_in_and_float_comes_out():
    x = torch.randn(1, 1, 1, 2, 2, dtype=torch.bfloat16)
    mean, _ = sde.step(x, x, 0.5, 0.4, 0.1)
    assert mean.dtype == torch.float32 and sde.log_prob(x, mean, 0.1).dtype == torch.float32


def test_noise_scales():
    assert sde.noise_scale(0.8, 0.6, "flow", 0.7) == pytest.approx(0.7 * 2)
    assert sde.noise_scale(1.0, 0.9, "flow", 0.7) == pytest.approx(0.7 * math.sqrt(1 / 0.1))
    assert sde.noise_scale(1.0, 0.9, "constant", 0.3) == 0.3
