"""ACC-DMD on the debug preset: what runs, what learns, and that the student comes nearer to its teacher."""

import dataclasses

import pytest
import torch
from distill_toy import LATENTS, Clips, Oracle, clip, network, truth

from echotorrent_core.presets import debug
from training import dmd
from training.denoiser import Denoiser, teacher_config
from training.loop import Loop, LoopConfig, shared_generator
from training.methods.acc_dmd import ACCDMD, ACCDMDConfig, FreshWindows, View, draw_exit
from training.rollout import Rollout

SMALL = ACCDMDConfig(lr=1e-3, fake_lr=5e-3, critic_steps=2, critic_only=0, critic_space="x0", ema_start=0)


def method_of(settings=SMALL):
    return ACCDMD(debug(), network(0), network(1), network(2), settings)


def train(method, steps, size=8):
    optimizers = method.optimizers()
    for step in range(steps):
        result = method.step(clip(step, size), step, torch.Generator().manual_seed(step))
        for name in method.updates(step):
            result.losses[name].backward()
            torch.nn.utils.clip_grad_norm_(method.roles[name].module.parameters(), 1.0)
            for optimizer in optimizers[name]:
                optimizer.step()
                optimizer.zero_grad()


def distance(student):
    """Of the student's samples from what the teacher makes of the same words and sound."""
    batch = clip(-1, 16)
    x = Rollout(debug(), batch["reference"]).window(student, batch, torch.Generator().manual_seed(0)).final
    return float((x - truth(batch)).square().mean())


@pytest.mark.parametrize(
    "settings",
    [
        dataclasses.replace(SMALL, rollout="chunks", dmd=dmd.paper(1.2)),
        dataclasses.replace(SMALL, rollout="side_by_side", dmd=dmd.decoupled(1.2)),
    ],
    ids=["paper", "decoupled"],
)
def test_a_few_dozen_steps_move_the_student_towards_its_teacher(settings):
    student = network(2, blank=True)
    oracle = Oracle(network(1).trunk, network(1).text)
    method = ACCDMD(debug(), student, oracle, network(3, blank=True), settings)
    before = distance(student)
    train(method, 40)  # 20 of them the student's
    assert distance(student) < 0.4 * before


class Kept(FreshWindows):
    """Keeps the view whose samples are judged."""

    def __call__(self, *args):
        self.view = super().__call__(*args)
        self.view.x.retain_grad()
        return self.view


def test_channels_count_by_their_worth(monkeypatch):
    """Whitened latents: one channel is all of the picture, the others are noise that must not steer."""
    scale = torch.zeros(debug().vae.z_dim)
    scale[2] = 3.0
    settings = dataclasses.replace(SMALL, critic_steps=1, critic_dropout=0.0)
    made = ACCDMD(debug(), network(0), network(1), network(2), settings, Kept(debug(), settings), scale)
    told, normaliser = [], dmd.normaliser
    monkeypatch.setattr(dmd, "normaliser", lambda x, r, region: told.append((x, r, region)) or normaliser(x, r, region))
    result = made.step(clip(0, 2), 0, torch.Generator().manual_seed(0))
    (x, r, region), distance = told[0], (told[0][0] - told[0][1])[:, 2].abs().flatten(1).mean(1)
    assert torch.allclose(normaliser(x, r, region).flatten(), distance)
    result.losses["student"].backward(retain_graph=True)
    steered = made.windows.view.x.grad.abs().amax((0, 2, 3, 4)) > 0
    assert steered.tolist() == (scale > 0).tolist()
    fake = made.roles["fake"].module
    result.losses["fake"].backward()
    assert fake.trunk.head.head.weight.grad.abs().sum() > 0
    plain = ACCDMD(debug(), network(0), network(1), network(2), settings)
    equal = ACCDMD(debug(), network(0), network(1), network(2), settings, channel_scale=torch.full_like(scale, 7.0))
    one, two = (m.step(clip(0, 2), 0, torch.Generator().manual_seed(0)).losses for m in (plain, equal))
    assert all(torch.allclose(one[name], two[name], rtol=1e-5) for name in one)
    assert not torch.allclose(one["fake"], result.losses["fake"], rtol=1e-2)


# What runs


def passes(method, step, size=2):
    """Forward passes of teacher and critic in one step: r or f, c if they heard something, the critic's own `train`."""
    seen = []

    def note(name, args):
        heard = "c" if bool(args[5]["features"].any()) else "0"
        seen.append("train" if torch.is_grad_enabled() else f"{name[0]}_{heard}")

    roles = {"r": "real", "f": "fake"}
    handles = [
        method.roles[role].module.register_forward_pre_hook(lambda _, args, name=name: note(name, args))
        for name, role in roles.items()
    ]
    result = method.step(clip(step, size), step, torch.Generator().manual_seed(step))
    for handle in handles:
        handle.remove()
    return seen, result


def branch(settings, step):
    """What the processes' shared generator draws: (exit step, low SNR?)."""
    shared = shared_generator(settings.seed, step)
    leave = draw_exit(debug(), shared)
    return leave, bool(torch.rand((), generator=shared, dtype=torch.float64) >= settings.dmd.split_u)


def test_each_branch_runs_its_own_three_passes():
    settings = dataclasses.replace(SMALL, critic_steps=1)
    method = method_of(settings)
    expected = {
        True: ["r_c", "r_0", "f_c", "train"],
        False: ["r_c", "f_c", "f_0", "train"],
    }
    sides = set()
    for step in range(6):
        low = branch(settings, step)[1]
        seen, result = passes(method, step)
        assert seen == expected[low]
        side = "low" if low else "high"
        assert {f"dmd/grad_{side}", f"dmd/norm_{side}", "motion", "colour"} <= result.metrics.keys()
        sides.add(side)
    assert sides == {"low", "high"}


def test_without_guidance_two_passes_are_enough():
    seen, _ = passes(method_of(dataclasses.replace(SMALL, dmd=dmd.paper(1.0))), 0)
    assert seen == ["r_c", "f_c", "train"]


def test_processes_run_the_same_passes_on_other_samples():
    method, calls = method_of(), []
    for name in ("student", "real", "fake"):
        method.roles[name].module.register_forward_pre_hook(lambda *_, name=name: calls.append(name))
    runs = []
    for rank in range(2):
        calls.clear()
        result = method.step(clip(rank, 2), 4, torch.Generator().manual_seed(rank))
        runs.append((list(calls), float(result.losses["student"].detach())))
    assert runs[0][0] == runs[1][0] and runs[0][1] != runs[1][1]


def test_the_critic_goes_first_and_then_more_often():
    method = method_of(ACCDMDConfig(critic_only=7))
    student = [step for step in range(31) if "student" in method.updates(step)]
    assert student == [10, 15, 20, 25, 30]
    assert all("fake" in method.updates(step) for step in range(31))
    result = method.step(clip(0, 2), 0, torch.Generator().manual_seed(0))
    assert set(result.losses) == {"fake"} and not any(k.startswith("dmd/") for k in result.metrics)


def test_losses_reach_only_their_own_role():
    method = method_of()
    result = method.step(clip(0, 2), 0, torch.Generator().manual_seed(0))
    for name, others in (("student", ("fake", "real", "ema")), ("fake", ("student", "real", "ema"))):
        for role in method.roles.values():
            role.module.zero_grad()
        result.losses[name].backward()
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in method.roles[name].module.parameters())
        for other in others:
            assert all(p.grad is None for p in method.roles[other].module.parameters())


# What is shown


class Spy(Denoiser):
    def forward(self, config, noisy, sigma, reference, sink, batch, first, **options):
        self.seen = (config, noisy.detach().clone(), sigma.clone(), batch, first)
        return super().forward(config, noisy, sigma, reference, sink, batch, first, **options)


def spied(settings=SMALL):
    method = method_of(settings)
    real = method.roles["real"]
    real.module = Spy(real.module.trunk, real.module.text)
    fake = method.roles["fake"]
    fake.module = Spy(fake.module.trunk, fake.module.text)
    return method


def test_score_models_see_the_window_in_both_directions():
    method = spied()
    method.step(clip(0, 2), 0, torch.Generator().manual_seed(0))
    config, noisy, sigma, _, first = method.roles["real"].module.seen
    assert config == teacher_config(debug(), LATENTS) and first
    assert {layer.history for layer in config.layers} == {0} and {layer.in_chunk for layer in config.layers} == {"full"}
    assert noisy.shape == (2, 4, LATENTS, 4, 4) and bool((sigma == sigma[:, :1]).all())


def test_a_clean_context_stays_clean_and_is_not_judged():
    method, batch = spied(), clip(0, 2)
    context, x = torch.randn(2, 4, 4, 4, 4), torch.randn(2, 4, 4, 4, 4, requires_grad=True)
    view = View(x, 0, batch, batch["mask"][:, :, 4:], context)
    shared, generator = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    loss, _ = method.distil(view, shared, generator)
    for role in ("real", "fake"):
        config, noisy, sigma, _, _ = method.roles[role].module.seen
        assert config.stream.chunk_latents == 8
        assert torch.equal(noisy[:, :, :4], context) and bool((sigma[:, :4] == 0).all())
        assert bool((sigma[:, 4:] > 0).all()) and not torch.allclose(noisy[:, :, 4:], x)
    assert loss.ndim == 0
    loss, _ = method.criticise(view, generator)
    assert torch.equal(method.roles["fake"].module.seen[1][:, :, :4], context) and loss.requires_grad


def test_only_the_region_counts():
    method, batch = method_of(), clip(0, 2)
    tail = (torch.arange(8) >= 4).float().reshape(1, 1, -1, 1, 1)
    x = torch.randn(2, 4, 8, 4, 4, requires_grad=True)
    shared, generator = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    loss, _ = method.distil(View(x, 0, batch, batch["mask"], region=tail), shared, generator)
    loss.backward()
    assert x.grad[:, :, :4].abs().max() == 0 and x.grad[:, :, 4:].abs().min() > 0


def test_the_critic_sometimes_hears_nothing():
    batch, generator = clip(0, 8), torch.Generator().manual_seed(0)
    heard = {}
    for share in (0.0, 0.5, 1.0):
        method = spied(dataclasses.replace(SMALL, critic_dropout=share))
        view = View(torch.zeros(8, 4, LATENTS, 4, 4), 0, batch, batch["mask"])
        method.criticise(view, generator)
        features = method.roles["fake"].module.seen[3]["features"]
        heard[share] = int((features.abs().amax(dim=(1, 2)) > 0).sum())
    assert heard[0.0] == 8 and heard[1.0] == 0 and 0 < heard[0.5] < 8


# In the loop


def test_resumed_equals_uninterrupted(tmp_path):
    def run(folder, until):
        method = method_of()
        config = LoopConfig(steps=6, warmup=1, log_every=1, save_every=100)
        loop = Loop(method, Clips(), folder, config)
        loop.callbacks = (lambda loop, step: setattr(loop, "stopping", step >= until) or None,)
        loop.run()
        return method

    whole = run(tmp_path / "a", 6)
    run(tmp_path / "b", 3)
    resumed = run(tmp_path / "b", 6)
    for name in ("student", "fake", "ema"):
        a, b = (list(m.roles[name].module.parameters()) for m in (whole, resumed))
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
