"""Causal initialisation: consistency distillation and regression on stored trajectories, against oracles."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from toy import batch

from echotorrent_core import flow, schedules
from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.errors import InputError
from echotorrent_core.model.dit import Trunk
from echotorrent_core.presets import debug
from training.conditions import guided, silent
from training.denoiser import Denoiser, teacher_config
from training.loop import Loop, LoopConfig
from training.methods.causal_cd import CausalCD, CausalCDConfig
from training.methods.ode_init import ODEInit, ODEInitConfig, PairsConfig, PairsData, make_pairs, trajectory
from training.roles import update_ema


class Stub(nn.Module):
    """A network that answers `spoken` with audio and `mute` without, whatever the noise. Keeps what it was given."""

    def __init__(self, spoken, mute=None):
        super().__init__()
        self.spoken, self.mute, self.calls = spoken, spoken if mute is None else mute, []
        self.offset = nn.Parameter(torch.zeros(()))

    def forward(self, config, noisy, sigma, reference, sink, batch, first, clean=None):
        self.calls.append({"noisy": noisy.detach(), "sigma": sigma, "clean": clean, "sink": sink})
        return self.offset + (self.spoken if batch["features"].any() else self.mute)


class Data:
    def batch(self, index):
        return batch(2, seed=index)


def network(seed=0):
    torch.manual_seed(seed)
    return Denoiser(Trunk(debug().trunk), WordEncoder(debug().text))


def cd(student, real, **settings):
    return CausalCD(debug(), student, real, CausalCDConfig(**settings))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# Guidance


def test_guidance_is_in_the_w_convention_and_1_runs_one_pass():
    data = batch()
    stub = Stub(torch.full_like(data["latents"], 3.0), torch.full_like(data["latents"], 1.0))
    level = torch.full((5, 8), 0.5)
    given = (debug(), data["latents"], level, data["reference"], data)
    assert (guided(stub, *given, 2.5) == 1 + 2.5 * 2).all() and len(stub.calls) == 2
    assert (guided(stub, *given, 1.0) == 3).all() and len(stub.calls) == 3
    assert torch.equal(silent(data)["ids"], data["ids"])


# Consistency distillation


def test_a_perfect_teacher_and_student_have_no_loss():
    """The data is one point per sample: x0 is known at every level, and all points of a path agree on it."""
    data = batch()
    for shift in (1.0, 5.0):
        method = cd(Stub(data["latents"]), Stub(data["latents"]), guidance=3.0, shift=shift, steps=5)
        for seed in range(4):
            assert method.step(data, seed, generator(seed)).losses["student"] < 1e-10
    method.roles["student"].module.offset.data += 0.5
    torch.testing.assert_close(
        method.step(data, 0, generator()).losses["student"].detach(), torch.tensor(0.25), atol=1e-5, rtol=1e-4
    )


def test_one_euler_step_of_the_guided_teacher_by_hand():
    data, g = batch(), generator(1)
    spoken, mute = (torch.randn(data["latents"].shape, generator=g) for _ in range(2))
    student, real = Stub(data["latents"]), Stub(spoken, mute)
    method = cd(student, real, guidance=3.0, steps=48, shift=5.0)
    method.step(data, 0, generator())
    x, sigma = (student.calls[0][key] for key in ("noisy", "sigma"))
    target = method.roles["target"].module.calls[0]
    assert (sigma == sigma[:, :1]).all() and sigma.unique().numel() > 1  # one level per sample, its own
    grid = torch.tensor([schedules.shift(1 - i / 48, 5.0) for i in range(49)])
    for b in range(5):
        s = float(sigma[b, 0])
        i = int((grid - s).abs().argmin())
        s_next = float(grid[i + 1])
        x0 = mute[b] + 3.0 * (spoken[b] - mute[b])
        velocity = (x[b] - x0) / s
        torch.testing.assert_close(target["noisy"][b], x[b] + (s_next - s) * velocity, atol=2e-5, rtol=1e-4)
        assert float(target["sigma"][b, 0]) == pytest.approx(s_next)
        assert torch.equal(real.calls[0]["noisy"][b], x[b])


def test_the_boundary_condition_is_the_identity():
    """At s = 0 the target is the teacher's point itself, whatever the target network says."""
    data = batch()
    truth = torch.randn(data["latents"].shape, generator=generator(2))
    method = cd(Stub(torch.zeros_like(truth)), Stub(truth), guidance=1.0, steps=1)
    method.roles["target"].module.offset.data += 100
    loss = method.step(data, 0, generator()).losses["student"].detach()
    torch.testing.assert_close(loss, truth.square().mean())


def test_the_clean_past_is_read_or_the_noisy_one():
    data = batch()
    for context in ("clean", "noisy"):
        student, real = Stub(data["latents"]), Stub(data["latents"])
        method = cd(student, real, context=context)
        method.step(data, 0, generator())
        for module in (student, real, method.roles["target"].module):
            clean = module.calls[0]["clean"]
            assert clean is None if context == "noisy" else torch.equal(clean, data["latents"])
            assert torch.equal(module.calls[0]["sink"], student.calls[0]["sink"])


def test_the_target_is_an_average_that_no_gradient_reaches():
    method = cd(network(0), network(1), steps=6)
    assert method.roles["target"].follows == "student"  # which puts it in the checkpoint
    method.step(batch(), 0, generator()).losses["student"].backward()
    grads = {name: any(p.grad is not None for p in role.module.parameters()) for name, role in method.roles.items()}
    assert grads == {"student": True, "real": False, "target": False}
    before = method.roles["target"].module.trunk.head.head.weight.clone()
    with torch.no_grad():
        method.roles["student"].module.trunk.head.head.weight.add_(1)
    update_ema(method.roles["target"], method.roles["student"].module, step=100_000)
    moved = method.roles["target"].module.trunk.head.head.weight - before
    torch.testing.assert_close(moved, torch.full_like(moved, 0.01), atol=1e-5, rtol=1e-3)


def test_a_resume_keeps_the_target(tmp_path):
    """Taken up again from initial weights, the target would snap back to them."""

    def run(folder, stop=None):
        method = cd(network(0), network(1), steps=6, lr=1e-2)
        loop = Loop(method, Data(), folder, LoopConfig(steps=5, warmup=0, log_every=1))
        if stop is not None:
            loop.callbacks = (lambda loop, step: setattr(loop, "stopping", step >= stop) or None,)
        loop.run()
        return method

    whole = run(tmp_path / "whole")
    run(tmp_path / "parts", stop=3)
    resumed = run(tmp_path / "parts")
    for role in ("student", "target"):
        pairs = zip(whole.roles[role].module.parameters(), resumed.roles[role].module.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


def errors_of_one_step(student, teacher, config):
    """Mean squared distance between the student's estimate at pure noise and the end of the teacher's path."""
    data, g = batch(8, seed=77), generator(3)
    noise = torch.randn(data["latents"].shape, generator=g)
    path = trajectory(teacher, config, data, data["reference"], noise, PairsConfig(steps=6, shift=1.0, guidance=1.0))
    with torch.no_grad():
        found = guided(student, config, noise, torch.ones(8, 8), data["reference"], data, 1.0)
    return float((found - path[:, -1]).square().mean())


def train(method, data, steps):
    (optimizer,) = method.optimizers()["student"]
    g = generator(5)
    for step in range(steps):
        method.step(data(step), step, g).losses["student"].backward()
        optimizer.step()
        optimizer.zero_grad()
        if "target" in method.roles:
            update_ema(method.roles["target"], method.roles["student"].module, step)


def test_distillation_brings_one_step_nearer_to_the_teachers_path():
    """From the teacher's own weights, whose one-step estimate is not yet its sample."""
    config = debug()
    teacher, student = network(4), network(4)
    before = errors_of_one_step(student, teacher, config)
    method = cd(student, teacher, context="noisy", guidance=1.0, steps=6, shift=1.0, lr=4e-3, target=0.9)
    train(method, lambda step: batch(4, seed=step), 45)
    assert errors_of_one_step(student, teacher, config) < 0.6 * before


# Stored trajectories


def test_a_perfect_teachers_path_is_a_straight_line():
    data = batch()
    settings = PairsConfig(steps=8, shift=3.0, guidance=2.0, keep=(0, 3, 7))
    noise = torch.randn(data["latents"].shape, generator=generator())
    path = trajectory(Stub(data["latents"]), debug(), data, data["reference"], noise, settings)
    assert path.shape == (5, 4, *data["latents"].shape[1:])
    for k, sigma in enumerate((*settings.levels, 0.0)):
        expected = (1 - sigma) * data["latents"] + sigma * noise
        torch.testing.assert_close(path[:, k], expected, atol=1e-5, rtol=1e-4)
    assert PairsConfig().levels == schedules.warped((1.0, 0.75, 0.5, 0.25), 8.0)


def test_stored_pairs_are_the_teachers_trajectory(tmp_path):
    """Step by step with the teacher's own velocity, from the stored noise and conditions alone."""
    teacher, config = network(), teacher_config(debug(), 8)
    settings = PairsConfig(steps=6, shift=2.0, guidance=1.5, keep=(0, 2, 5))
    make_pairs(teacher, config, Data(), range(2), tmp_path, settings, "w")
    stored = PairsData(tmp_path).batch(1)
    assert torch.equal(stored["ids"], Data().batch(1)["ids"])
    x, sigmas = stored["trajectory"][:, 0], schedules.wan(6, 2.0)
    with torch.no_grad():
        for i, (s, s_next) in enumerate(zip(sigmas, (*sigmas[1:], 0.0), strict=True)):
            if i in settings.keep:
                found = stored["trajectory"][:, settings.keep.index(i)]
                torch.testing.assert_close(found, x, atol=1e-4, rtol=1e-4)
            level = torch.full((2, 8), s)
            given = (stored["reference"], stored["sink"])
            spoken = teacher(config, x, level, *given, stored, False)
            mute = teacher(config, x, level, *given, stored | {"features": 0 * stored["features"]}, False)
            velocity = flow.to_velocity(mute + 1.5 * (spoken - mute), x, level)
            x = x + (s_next - s) * velocity
    torch.testing.assert_close(stored["trajectory"][:, -1], x, atol=1e-4, rtol=1e-4)


def test_making_pairs_goes_on_where_it_stopped(tmp_path):
    teacher, config = network(), teacher_config(debug(), 8)
    settings = PairsConfig(steps=4, keep=(0, 2))
    make_pairs(teacher, config, Data(), range(3), tmp_path / "whole", settings, "w")
    make_pairs(teacher, config, Data(), range(1), tmp_path / "part", settings, "w")
    first = (tmp_path / "part" / "pairs-000000.safetensors").stat().st_mtime_ns
    make_pairs(teacher, config, Data(), range(3), tmp_path / "part", settings, "w")
    assert (tmp_path / "part" / "pairs-000000.safetensors").stat().st_mtime_ns == first
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "part").iterdir()) and len(names) == 3
    for name in names:
        one, other = (load_file(tmp_path / folder / name) for folder in ("whole", "part"))
        assert all(torch.equal(one[key], other[key]) for key in one) and "trajectory" in one
    for changed, weights in ((dataclasses.replace(settings, guidance=2.0), "w"), (settings, "others")):
        with pytest.raises(InputError, match="choose another folder"):
            make_pairs(teacher, config, Data(), range(3), tmp_path / "part", changed, weights)
    with pytest.raises(InputError, match="holds no trajectories"):
        PairsData(tmp_path / "empty")


def pairs(tmp_path, teacher, **settings):
    make_pairs(teacher, debug(), Data(), range(2), tmp_path, PairsConfig(**settings), "w")
    return PairsData(tmp_path)


def test_each_chunk_is_regressed_at_a_level_of_its_own(tmp_path):
    data = pairs(tmp_path, network(), steps=4, shift=2.0, guidance=1.0, keep=(0, 1, 3))
    stored = data.batch(0)
    student = Stub(stored["trajectory"][:, -1])
    method = ODEInit(debug(), student, ODEInitConfig(), data.levels)
    different = False
    for seed in range(6):
        assert method.step(stored, 0, generator(seed)).losses["student"] < 1e-12
        call = student.calls[-1]
        assert call["clean"] is None and torch.equal(call["sink"], stored["sink"])
        for b in range(2):
            for t in range(8):
                k = data.levels.index(pytest.approx(float(call["sigma"][b, t])))
                assert torch.equal(call["noisy"][b, :, t], stored["trajectory"][b, k, :, t])
            assert (call["sigma"][b, :4] == call["sigma"][b, 0]).all()
            different |= bool(call["sigma"][b, 0] != call["sigma"][b, 4])
    assert different
    student.offset.data += 0.5
    loss = method.step(stored, 0, generator()).losses["student"].detach()
    torch.testing.assert_close(loss, torch.tensor(0.25), atol=1e-5, rtol=1e-4)


def test_regression_may_read_the_clean_past(tmp_path):
    data = pairs(tmp_path, network(), steps=2, keep=(0, 1))
    student = Stub(torch.zeros(2, 4, 8, 4, 4))
    ODEInit(debug(), student, ODEInitConfig(context="clean"), data.levels).step(data.batch(0), 0, generator())
    assert torch.equal(student.calls[0]["clean"], data.batch(0)["trajectory"][:, -1])


def test_regression_brings_one_step_nearer_to_the_teachers_path(tmp_path):
    teacher, student = network(4), network(4)
    settings = PairsConfig(steps=6, shift=1.0, guidance=1.0, keep=(0, 2, 4), first_as_sink=0.0)

    class Many:
        def batch(self, index):
            return batch(4, seed=index)

    make_pairs(teacher, debug(), Many(), range(8), tmp_path, settings, "w")
    before = errors_of_one_step(student, teacher, debug())
    data = PairsData(tmp_path)
    train(ODEInit(debug(), student, ODEInitConfig(lr=4e-3), data.levels), data.batch, 45)
    assert errors_of_one_step(student, teacher, debug()) < 0.6 * before
