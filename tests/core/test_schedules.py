"""Schedules against published numbers, UniPC against diffusers' scheduler."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from echotorrent_core import flow, schedules
from echotorrent_core.sampler import SAMPLERS, UniPC, denoise, new_step


def scheduler(steps, k):
    from diffusers import UniPCMultistepScheduler

    oracle = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=k)
    oracle.set_timesteps(sigmas=np.linspace(0.999, 0, steps + 1)[:-1])  # Wan's; diffusers would begin at 1 - 1e-6
    return oracle


def test_published_lists():
    timesteps = [round(1000 * s, 1) for s in schedules.warped((1.0, 0.75, 0.5, 0.25), 5.0)]
    assert timesteps == [1000.0, 937.5, 833.3, 625.0]  # LightX2V, 4 steps
    timesteps = [round(1000 * s, 2) for s in schedules.infinitetalk(4, 7.0)]
    assert timesteps == [1000.0, 933.43, 778.3, 6.96]  # InfiniteTalk: the last step is next to nothing
    assert schedules.infinitetalk(1, 7.0) == (1.0,)
    assert schedules.wan(4, 3.0) == pytest.approx((1.0, 0.9, 0.75, 0.5))


@pytest.mark.parametrize("schedule", [schedules.infinitetalk, schedules.wan, schedules.unipc])
@pytest.mark.parametrize("steps", [1, 2, 8, 50])
def test_sigmas_descend_from_the_top_and_leave_out_zero(schedule, steps):
    sigmas = schedule(steps, 5.0)
    assert len(sigmas) == steps and sigmas[0] > 0.999 and sigmas[-1] > 0
    assert all(a > b for a, b in pairwise(sigmas))


@pytest.mark.parametrize(("steps", "k"), [(4, 5.0), (20, 3.0), (50, 11.0)])
def test_unipc_levels_are_diffusers(steps, k):
    oracle, sigmas = scheduler(steps, k), schedules.unipc(steps, k)
    torch.testing.assert_close(torch.tensor([*sigmas, 0.0]), oracle.sigmas, atol=1e-6, rtol=0)
    assert [round(1000 * level) for level in schedules.on_grid(sigmas)] == oracle.timesteps.tolist()


@pytest.mark.parametrize("steps", [1, 2, 3, 12])
def test_unipc_equals_diffusers(steps):
    g, sigmas = torch.Generator().manual_seed(0), schedules.unipc(steps, 5.0)
    noise, constant = (torch.randn(1, 4, 2, 3, 3, generator=g, dtype=torch.float64) for _ in range(2))

    def velocity(x, sigma):
        return (x + 0.3 * constant).sin() + sigma * constant

    oracle, x = scheduler(steps, 5.0), noise
    for sigma, t in zip(oracle.sigmas[:-1].tolist(), oracle.timesteps, strict=True):
        x = oracle.step(velocity(x, sigma), t, x).prev_sample

    def estimate(x, sigma, i):
        return x - sigma * velocity(x, sigma)

    mine = denoise(estimate, noise, sigmas, new_step("unipc"), torch.Generator())
    torch.testing.assert_close(mine, x, atol=1e-5, rtol=1e-5)


def test_unipc_may_begin_at_pure_noise():
    noise = torch.randn(1, 2, 1, 3, 3)
    out = denoise(lambda x, s, i: 0.1 * x, noise, (1.0, 0.9, 0.7, 0.3), new_step("unipc"), torch.Generator())
    assert torch.isfinite(out).all()


def test_a_chain_does_not_remember_the_last_one():
    noise = torch.randn(1, 2, 1, 3, 3)
    runs = [
        denoise(lambda x, s, i: x.cos(), noise, (0.99, 0.6, 0.2), new_step("unipc"), torch.Generator()) for _ in "ab"
    ]
    assert torch.equal(*runs)
    assert isinstance(new_step("unipc"), UniPC) and new_step("unipc") is not new_step("unipc")
    assert new_step("euler") is SAMPLERS["euler"]


def test_a_straight_path_needs_one_step():
    x0, noise = torch.randn(1, 2, 1, 3, 3), torch.randn(1, 2, 1, 3, 3)
    for name in ("euler", "unipc"):
        x = flow.add_noise(x0, noise, torch.tensor([0.9]))
        out = denoise(lambda x, s, i: x0, x, (0.9, 0.4), new_step(name), torch.Generator())
        torch.testing.assert_close(out, x0)
