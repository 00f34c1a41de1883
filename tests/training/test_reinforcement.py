"""GRPO and NFT: groups, ratios, and a reward that must rise."""

import dataclasses

import pytest
import torch
import toy

from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.model.dit import Trunk
from echotorrent_core.presets import debug
from training.conditions import repeat, silent
from training.denoiser import Denoiser
from training.experience import Experience, Scores, advantages, pack, unpack
from training.loop import Loop, LoopConfig
from training.methods.grpo import GRPO, GRPOConfig
from training.methods.nft import NFT, NFTConfig, distance
from training.roles import update_ema
from training.rollout import sample


def batch(size=2, latents=4, seed=0):
    return toy.batch(size, latents, seed)


def network(seed=0):
    torch.manual_seed(seed)
    return Denoiser(Trunk(debug().trunk), WordEncoder(debug().text))


def bright(latents, conditions):
    """A reward that can be checked: the mean of the first channel."""
    reward = latents[:, 0].mean((1, 2, 3))
    return Scores({"bright": reward}, {"bright": 1.0}, torch.ones(len(reward), dtype=torch.bool))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


SMALL = {"window": 4, "group": 6, "steps": 5, "noisy": 2, "noisy_within": 3, "shift": 1.0}


def grpo(student=None, score=bright, **settings):
    return GRPO(debug(), student or network(), score, GRPOConfig(**(SMALL | settings)))


def train(method, steps, size=4):
    (optimizer,) = method.optimizers()["student"]
    results = []
    for step in range(steps):
        results.append(method.step(batch(size, seed=step), step, generator(step)))
        results[-1].losses["student"].backward()
        optimizer.step()
        optimizer.zero_grad()
        if "target" in method.roles:
            update_ema(method.roles["target"], method.roles["student"].module, step)
    return results


# Advantages


def scores(passed=None, **rewards):
    values = {name: torch.tensor(reward) for name, reward in rewards.items()}
    count = len(next(iter(values.values())))
    flags = torch.ones(count, dtype=torch.bool) if passed is None else torch.tensor(passed)
    return Scores(values, dict.fromkeys(values, 1.0), flags)


def test_advantages_compare_within_the_group_only():
    found = advantages(scores(a=[1.0, 3.0, 101.0, 103.0]), 2, 5.0)
    torch.testing.assert_close(found, torch.tensor([-1.0, 1.0, -1.0, 1.0]))


def test_each_reward_is_normalised_before_it_is_weighted():
    """A reward in thousands does not rule one in hundredths."""
    loud, quiet = [1000.0, 2000.0, 3000.0], [0.03, 0.02, 0.01]
    torch.testing.assert_close(advantages(scores(a=loud, b=quiet), 3, 5.0), torch.zeros(3), atol=1e-4, rtol=0)
    weighted = dataclasses.replace(scores(a=loud, b=quiet), weights={"a": 1.0, "b": 3.0})
    assert advantages(weighted, 3, 5.0).argmax() == 0


def test_rewards_that_are_all_alike_say_nothing():
    assert not advantages(scores(a=[0.5, 0.5, 0.5 + 1e-6, 0.5]), 4, 5.0).any()


def test_no_reward_pays_for_a_floor():
    """The best of its group in everything, but below a floor: last, and by far."""
    found = advantages(scores([False, True, True, True], a=[9.0, 1.0, 2.0, 3.0], b=[9.0, 1.0, 3.0, 2.0]), 4, 5.0)
    assert found.argmin() == 0 and found[0] < found[1:].min() - 1
    lost = advantages(scores(a=[float("nan"), 1.0, 2.0, 3.0]), 4, 5.0)
    assert lost.argmin() == 0 and lost.isfinite().all()
    assert not advantages(scores([False] * 4, a=[1.0, 2.0, 3.0, 4.0]), 4, 5.0).any()


def test_advantages_are_limited():
    found = advantages(scores(a=[0.0] * 99 + [1.0]), 100, 5.0)
    assert found.max() == 5


# Rollouts that are kept


def test_experience_serves_each_micro_batch_its_own():
    kept, made, cpu = Experience(), [], torch.device("cpu")

    def make():
        made.append(len(made))
        return {"n": torch.tensor(made[-1]), **pack({"first": torch.tensor(True)})}

    taken = [int(kept.take(step, step % 2 == 0, make, cpu)["n"]) for step in (0, 0, 1, 1, 2, 2)]
    assert taken == [0, 1, 0, 1, 2, 3]
    other = Experience()
    other.load_state(kept.state())
    assert int(other.take(3, False, make, cpu)["n"]) == 2 and int(other.take(3, False, make, cpu)["n"]) == 3
    assert unpack(other.kept[0]) == {"first": torch.tensor(True)}


def test_groups_have_the_same_conditions():
    data = repeat(batch(3), 4)
    assert data["first"].ndim == 0 and len(data["ids"]) == 12
    assert torch.equal(data["features"][4], data["features"][7]) and not torch.equal(
        data["features"][3], data["features"][4]
    )


# GRPO


@pytest.mark.parametrize("guidance", [1.0, 2.0])
@pytest.mark.parametrize("bf16", [False, True])
def test_the_first_ratio_is_one(guidance, bf16):
    method = grpo(guidance=guidance)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        result = method.step(batch(), 0, generator())
    assert result.metrics["grpo/ratio_off"] < 1e-5
    assert result.metrics["grpo/kl"] < 1e-10  # the policy is still the teacher
    if bf16:
        return
    rollout = method.experience.kept[0]
    for which in range(2):
        assert method.improve(rollout, which)[1]["grpo/ratio_off"] < 1e-5
    x, data = rollout["x"][0], unpack(rollout)
    spoken = grpo(method.roles["student"].module).estimate("student", x, 0.6, data)
    mute = grpo(method.roles["student"].module).estimate("student", x, 0.6, silent(data))
    found = method.estimate("student", x, 0.6, data)
    torch.testing.assert_close(found, mute + guidance * (spoken - mute))


def test_the_gradient_at_the_first_update_is_that_of_the_log_probability():
    """With r = 1, d loss = -mean A d log p: the policy gradient."""
    method = grpo(kl=0.0)
    result = method.step(batch(), 0, generator())
    result.losses["student"].backward()
    found = method.roles["student"].module.trunk.head.head.weight.grad.clone()
    method.roles["student"].module.zero_grad()
    rollout = method.experience.kept[0]
    i, x = int(rollout["index"][0]), rollout["x"][0]
    s, s_next, g = method.sigmas[i], method.sigmas[i + 1], method.noise_scale(i)
    x0 = method.estimate("student", x, s, unpack(rollout))
    velocity, d = (x - x0) / s, s_next - s
    mean = x + velocity * d + g**2 / (2 * s) * (x + (1 - s) * velocity) * d
    log_prob = torch.distributions.Normal(mean, g * (-d) ** 0.5).log_prob(rollout["x_next"][0]).mean((1, 2, 3, 4))
    (-(rollout["advantage"] * log_prob).mean()).backward()
    expected = method.roles["student"].module.trunk.head.head.weight.grad
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-3)


def test_the_ratio_is_clipped_on_the_side_that_gains():
    method = grpo(kl=0.0, clip=1e-3)
    rollout, _ = method.collect(batch(), 0, generator())
    for sign, gains in ((1.0, True), (-1.0, False)):
        likelier = rollout | {"log_prob": rollout["log_prob"] - 0.1, "advantage": torch.full((12,), sign)}
        loss, metrics = method.improve(likelier, 0)
        assert metrics["grpo/clipped"] == 1
        (gradient,) = torch.autograd.grad(loss, method.roles["student"].module.trunk.head.head.weight)
        assert bool(gradient.abs().max() == 0) == gains


def test_the_divergence_pulls_back_to_the_teacher():
    method = grpo(kl=1.0, strength=0.7)
    with torch.no_grad():
        method.roles["student"].module.trunk.head.head.bias.add_(0.3)
    rollout, _ = method.collect(batch(), 0, generator())
    rollout["advantage"] = torch.zeros(12)
    loss, metrics = method.improve(rollout, 0)
    assert metrics["grpo/kl"] > 1e-3 and float(loss.detach()) == pytest.approx(metrics["grpo/kl"])
    (gradient,) = torch.autograd.grad(loss, method.roles["student"].module.trunk.head.head.bias)
    assert gradient.sum() > 0  # a step against it lowers the bias


def test_noise_is_on_some_steps_and_shared_where_asked():
    method = grpo(same_noise=True, noisy=1, noisy_within=4)
    indices = set()
    for step in range(12):
        rollout, _ = method.collect(batch(), step, generator(step))
        indices.add(int(rollout["index"]))
        x = rollout["x"][0].unflatten(0, (2, 6))
        torch.testing.assert_close(x, x[:, :1].expand_as(x))  # equal until the first noise
        assert rollout["x_next"][0].unflatten(0, (2, 6)).std(1).min() > 0
    assert indices == {0, 1, 2, 3}
    one, other = ([int(method.collect(batch(), step, generator(k))[0]["index"]) for step in range(8)] for k in (1, 2))
    assert one == other  # the same on every process
    with pytest.raises(ValueError, match="last step has no noise"):
        GRPOConfig(steps=4, noisy=2, noisy_within=4)
    with pytest.raises(ValueError, match="whole chunks"):
        method.step(batch(latents=6), 0, generator())


def rewarded(method, draws=4):
    """Mean reward of the student's samples, noise and all, under conditions that it was not trained on."""
    return (
        sum(method.collect(batch(8, seed=900 + i), i, generator(i))[1]["reward/bright"] for i in range(draws)) / draws
    )


def signed(sign):
    """The reward, or its opposite."""
    return lambda latents, conditions: dataclasses.replace(bright(latents, conditions), weights={"bright": sign})


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_grpo_raises_a_reward(sign):
    method = grpo(score=signed(sign), lr=2e-3, clip=0.05, kl=0.0)
    before = rewarded(method, 2)
    train(method, 20)
    assert sign * (rewarded(method, 2) - before) > 0.2


# NFT


def nft(student=None, score=bright, **settings):
    config = debug()
    return NFT(config, student or network(), score, NFTConfig(**({"group": 6, "updates": 2, "kl": 0.0} | settings)))


def test_nft_weighs_the_two_sides_by_optimality():
    """By hand: r |x+ - x0|^2 + (1 - r) |x- - x0|^2, each relative to its mean absolute error."""
    method = nft(mix=0.5)
    with torch.no_grad():
        method.roles["student"].module.trunk.head.head.bias.add_(0.3)
    rollout, _ = method.collect(batch(), generator())
    assert rollout["optimality"].min() >= 0 and rollout["optimality"].max() <= 1
    loss, _ = method.improve(rollout, generator(1))
    x0, r = rollout["x0"], rollout["optimality"]
    g = generator(1)
    sigma = method.sigmas[torch.randint(0, 2, (12,), generator=g)]
    s = sigma.reshape(-1, 1, 1, 1, 1)
    x = (1 - s) * x0 + s * torch.randn(x0.shape, generator=g)
    data, levels = unpack(rollout), sigma[:, None].expand(12, 4)

    def ask(role):
        given = (levels, data["reference"], data["reference"], data, False)
        return method.roles[role].module(method.config, x, *given)

    new, old = ask("student"), ask("target")
    total = 0.0
    for n in range(12):
        better, worse = 0.5 * old[n] + 0.5 * new[n], 1.5 * old[n] - 0.5 * new[n]
        for weight, estimate in ((r[n], better), (1 - r[n], worse)):
            error = estimate - x0[n]
            total += weight * error.square().mean() / error.abs().mean()
    torch.testing.assert_close(loss, total / 12, atol=1e-5, rtol=1e-4)


def test_nft_does_nothing_where_all_samples_are_alike():
    """r = 1/2 everywhere and the student at the target: the two sides pull apart with equal strength."""
    method = nft(score=lambda latents, conditions: Scores({}, {}, torch.ones(len(latents), dtype=torch.bool)))
    method.step(batch(), 0, generator()).losses["student"].backward()
    gradients = [p.grad.abs().max() for p in method.roles["student"].module.parameters() if p.grad is not None]
    assert max(gradients) < 1e-6


def test_nft_stays_near_the_first_student():
    method = nft(score=lambda latents, conditions: Scores({}, {}, torch.ones(len(latents), dtype=torch.bool)), kl=10.0)
    for role in ("student", "target"):
        with torch.no_grad():
            method.roles[role].module.trunk.head.head.bias.add_(0.3)
    result = method.step(batch(), 0, generator())
    assert result.metrics["nft/drift"] > 0.01
    result.losses["student"].backward()
    assert method.roles["student"].module.trunk.head.head.bias.grad.sum() > 0


def test_distance_is_relative():
    x = torch.randn(3, 1, 2, 4, 4)
    torch.testing.assert_close(distance(x, torch.zeros_like(x)) * 10, distance(10 * x, torch.zeros_like(x)))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_nft_raises_a_reward(sign):
    method = nft(score=signed(sign), lr=4e-3, limit=2.0)

    def mean_reward():
        data = batch(32, seed=900)
        with torch.no_grad():
            student = method.roles["student"].module
            return float(bright(sample(student, debug(), data, generator()), data).rewards["bright"].mean())

    before = mean_reward()
    train(method, 40)
    assert sign * (mean_reward() - before) > 0.2


# In the loop


def test_a_rollout_serves_several_updates():
    """GRPO visits every SDE step of it `epochs` times, NFT has a number of its own."""
    visited, policy = [], grpo(epochs=2)
    improve = policy.improve
    policy.improve = lambda rollout, which: visited.append(which) or improve(rollout, which)
    for method, every in ((policy, 4), (nft(updates=3), 3)):
        made = [index for index, result in enumerate(train(method, 9, size=1)) if "reward/bright" in result.metrics]
        assert made == list(range(0, 9, every))
    assert visited == [0, 1, 0, 1, 0, 1, 0, 1, 0]


class Data:
    def batch(self, index):
        return batch(2, seed=index)


@pytest.mark.parametrize("name", ["grpo", "nft"])
def test_a_resume_in_the_middle_of_a_rollout_changes_nothing(tmp_path, name):
    def run(folder, stop=None):
        method = grpo(lr=1e-3) if name == "grpo" else nft(lr=1e-3, updates=3)
        loop = Loop(method, Data(), folder, LoopConfig(steps=5, warmup=0, log_every=1))
        if stop is not None:
            loop.callbacks = (lambda loop, step: setattr(loop, "stopping", step >= stop) or None,)
        loop.run()
        return method

    whole = run(tmp_path / "whole")
    run(tmp_path / "parts", stop=4 if name == "nft" else 3)  # the next update goes on with a kept rollout
    resumed = run(tmp_path / "parts")
    for role in whole.roles:
        for a, b in zip(whole.roles[role].module.parameters(), resumed.roles[role].module.parameters(), strict=True):
            assert torch.equal(a, b), role
