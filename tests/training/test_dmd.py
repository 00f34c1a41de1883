"""The direction of ACC-DMD against its settings' meaning, its signs, and the gradient it becomes."""

import dataclasses

import pytest
import torch

from echotorrent_core.schedules import shift
from training import dmd
from training.dmd import DMDConfig, Side

SHAPE = (3, 2, 4, 2, 2)
LOW, HIGH = torch.full((3,), 0.9), torch.full((3,), 0.5)  # on either side of the split, .833


def scores(seed=0):
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(SHAPE, generator=g) for _ in range(4)]


def oral(value=1.0):
    mask = torch.zeros(3, 1, 4, 2, 2)
    mask[..., 0, 0] = value
    return mask


def test_without_guidance_every_preset_is_plain_dmd():
    r_c, _, f_c, _ = scores()
    for config in (dmd.paper(1.0), dmd.prose(1.0, oral_weight=1.0), dmd.plain(1.0), dmd.decoupled(1.0)):
        for sigma in (LOW, HIGH):
            assert torch.equal(dmd.direction(r_c, None, f_c, None, sigma, oral(), config), r_c - f_c)
            assert dmd.used(r_c, None, sigma, config) is r_c


def test_low_snr_is_dmd_with_a_guided_teacher():
    r_c, r_0, f_c, _ = scores()
    guided = r_0 + 1.8 * (r_c - r_0)
    for config in (dmd.paper(1.8), dmd.prose(1.8, oral_weight=1.0), dmd.plain(1.8)):
        d = dmd.direction(r_c, r_0, f_c, None, LOW, oral(), config)
        torch.testing.assert_close(d, guided - f_c)
        torch.testing.assert_close(dmd.used(r_c, r_0, LOW, config), guided)
    torch.testing.assert_close(dmd.direction(r_c, r_0, f_c, None, HIGH, None, dmd.plain(1.8)), guided - f_c)


def test_high_snr_moves_against_the_critics_own_guidance():
    """Eq. 3 by hand: DM = 0 and CA_F = 1, so with alpha 1.8 the mouth is moved by -0.8 and nothing else."""
    r_c, f_c, f_0 = torch.ones(SHAPE), torch.ones(SHAPE), torch.zeros(SHAPE)
    d = dmd.direction(r_c, None, f_c, f_0, HIGH, oral(), dmd.paper(1.8))
    torch.testing.assert_close(d, -0.8 * oral().expand(SHAPE))
    # The student's estimate x descends along g = -d / n, so x moves by d: against CA_F.
    g = dmd.gradient(d, torch.ones(3, 1, 1, 1, 1))
    assert ((-g * (f_c - f_0))[..., 0, 0] < 0).all()


def test_high_snr_is_eq_3_in_every_region():
    r_c, _, f_c, f_0 = scores()
    f_cfg, m = f_0 + 1.8 * (f_c - f_0), oral(0.25)
    d = dmd.direction(r_c, None, f_c, f_0, HIGH, oral(), dmd.paper(1.8))
    torch.testing.assert_close(d, torch.where(oral().bool(), r_c - f_cfg, r_c - f_c))
    regions = {"oral": m, "non_oral": 1 - m, "all": torch.ones_like(m)}
    for name, region in regions.items():
        side = Side(fake_alpha=1.8, fake_cfg_region=name, oral_weight=0.5)
        d = dmd.direction(r_c, None, f_c, f_0, HIGH, m, DMDConfig(high=side))
        expected = (r_c - f_c - 0.8 * region * (f_c - f_0)) * (1 - m + 0.5 * m)
        torch.testing.assert_close(d, expected)
    none = DMDConfig(high=Side(fake_alpha=1.8, fake_cfg_region="none"))
    torch.testing.assert_close(dmd.direction(r_c, None, f_c, None, HIGH, m, none), r_c - f_c)
    prose = dmd.direction(r_c, None, f_c, f_0, HIGH, oral(), dmd.prose(1.8))
    torch.testing.assert_close(prose, (r_c - f_cfg) * (1 - oral()))


def test_samples_on_both_sides_are_told_apart():
    r_c, r_0, f_c, f_0 = scores()
    config, mixed = dmd.paper(1.8), torch.tensor([0.9, 0.5, 0.9])
    both = dmd.direction(r_c, r_0, f_c, f_0, mixed, oral(), config)
    low = dmd.direction(r_c, r_0, f_c, None, LOW, oral(), config)
    high = dmd.direction(r_c, None, f_c, f_0, HIGH, oral(), config)
    torch.testing.assert_close(both, torch.stack([low[0], high[1], low[2]]))


def test_passes_are_those_the_direction_needs():
    paper, prose = dmd.paper(1.8), dmd.prose(1.8)
    assert paper.low.scores == ("r_c", "r_0", "f_c") and paper.high.scores == ("r_c", "f_c", "f_0")
    assert prose.high.scores == ("r_c", "f_c", "f_0")
    assert dmd.plain(1.0).low.scores == ("r_c", "f_c") and dmd.plain(1.8).high.scores == ("r_c", "r_0", "f_c")
    assert Side(dm=0.0, alpha=2.0).scores == ("r_c", "r_0")
    assert Side(fake_alpha=2.0).scores == ("r_c", "f_c")  # nowhere
    r_c, r_0, f_c, f_0 = scores()
    with pytest.raises(ValueError, match="needs r_0"):
        dmd.direction(r_c, None, f_c, f_0, LOW, oral(), paper)
    with pytest.raises(ValueError, match="needs f_0"):
        dmd.direction(r_c, r_0, f_c, None, HIGH, oral(), paper)
    with pytest.raises(ValueError, match="oral mask"):
        dmd.direction(r_c, r_0, f_c, f_0, HIGH, None, paper)


def test_the_gradient_of_the_surrogate_is_g():
    x, r = (torch.randn(SHAPE, generator=torch.Generator().manual_seed(i)) for i in (5, 6))
    x.requires_grad_()
    g = dmd.gradient(scores()[0], dmd.normaliser(x.detach(), r))
    dmd.surrogate(x, g).backward()
    torch.testing.assert_close(x.grad * x.numel(), g)
    x.grad = None
    tail = torch.zeros(1, 1, 4, 1, 1)
    tail[:, :, -1] = 1
    dmd.surrogate(x, g, tail).backward()
    torch.testing.assert_close(x.grad * x.numel() / 4, g * tail)


def test_the_normaliser_sees_only_the_region():
    x, r = torch.zeros(SHAPE), torch.ones(SHAPE)
    r[:, :, :3] = 100.0
    r[1] *= 2
    tail = torch.zeros(1, 1, 4, 1, 1)
    tail[:, :, 3] = 1
    assert dmd.normaliser(x, r, tail).flatten().tolist() == [1.0, 2.0, 1.0]
    assert dmd.normaliser(x, r).flatten().tolist() == [75.25, 150.5, 75.25]
    assert dmd.normaliser(x, x).flatten()[0] > 0  # no division by zero
    assert torch.equal(dmd.gradient(torch.full(SHAPE, torch.nan), torch.ones(3, 1, 1, 1, 1)), torch.zeros(SHAPE))


def test_levels_lie_on_the_side_that_all_processes_drew():
    config, seen = dmd.paper(), []
    for step in range(200):
        drawn = []
        for rank in (1, 2):
            shared, own = torch.Generator().manual_seed(step), torch.Generator().manual_seed(10_000 * rank + step)
            low, sigma = dmd.branch_levels(config, 64, dmd.span(config, (0.5, 1.0)), shared, own)
            assert bool((sigma >= config.split).all()) == low and bool((sigma < config.split).all()) == (not low)
            assert sigma.min() >= 0.02 and sigma.max() <= 0.98
            drawn.append((low, sigma))
        assert drawn[0][0] == drawn[1][0] and not torch.equal(drawn[0][1], drawn[1][1])
        seen.append(drawn[0])
    share = sum(low for low, _ in seen) / len(seen)
    assert 0.4 < share < 0.6  # split_u = .5
    levels = torch.cat([sigma for _, sigma in seen])
    expected = sum(shift(u / 1000, 5.0) for u in range(1000)) / 1000
    assert abs(float(levels.mean()) - expected) < 0.03


def test_levels_of_the_exit_interval():
    config = dataclasses.replace(dmd.paper(), range="exit_interval")
    u = dmd.span(config, (0.75, 0.9375))
    assert u == pytest.approx((0.375, 0.75)) and shift(u[1], 5.0) == pytest.approx(0.9375)
    sigma = dmd.levels(config, 500, u, torch.Generator().manual_seed(0))
    assert 0.75 <= sigma.min() < 0.76 and 0.93 < sigma.max() <= 0.9376
    below = dmd.span(config, (0.2, 0.6))  # all of it at high SNR
    low, sigma = dmd.branch_levels(config, 9, below, torch.Generator(), torch.Generator())
    assert not low and sigma.min() >= 0.2 and sigma.max() <= 0.6001
    assert dmd.span(dmd.paper(), (0.75, 0.9)) == (0.0, 1.0)


def test_the_critics_error_is_that_of_the_velocity():
    x, noise, estimate = scores()[:3]
    sigma = torch.tensor([0.1, 0.5, 0.9])
    s = sigma.reshape(-1, 1, 1, 1, 1)
    noisy = (1 - s) * x + s * noise
    velocity = (noisy - estimate) / s
    errors = dmd.critic_errors(estimate, x, sigma, None, "velocity")
    torch.testing.assert_close(errors, (velocity - (noise - x)).square().flatten(1).mean(1), rtol=1e-4, atol=1e-5)
    assert torch.equal(dmd.critic_errors(estimate, x, sigma, None, "x0"), (estimate - x).square().flatten(1).mean(1))
