"""Transfer from experts: who teaches when, on what, and that students follow."""

import dataclasses

import pytest
import torch
from distill_toy import COLOUR, Clips, Oracle, clip, network

from echotorrent_core.presets import debug
from training.loop import Loop, LoopConfig
from training.methods.acc_dmd import ACCDMD
from training.methods.expert_transfer import ExpertTransfer, ExpertTransferConfig, Phase, PhasedData
from training.rollout import Rollout

SETTINGS = ExpertTransferConfig(
    lr=1e-3,
    fake_lr=5e-3,
    critic_steps=2,
    critic_space="x0",
    rollout="side_by_side",
    phases=(Phase("singing", "singing", 6), Phase("profile", "profile", 6)),
    rewarm=3,
)


def method_of(settings=SETTINGS, **experts):
    inner = ACCDMD(debug(), network(0), network(1), network(2), settings)
    made = {"singing": lambda: network(11), "profile": lambda: network(12)} | experts
    return ExpertTransfer(inner, made, settings)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


def test_the_teacher_is_the_phases_expert():
    method, seen = method_of(), []
    for step in range(12):
        method.step(clip(step), step, torch.Generator().manual_seed(step))
        real = method.roles["real"].module
        seen.append(11 if same(real, network(11)) else 12 if same(real, network(12)) else None)
        assert not any(p.requires_grad for p in real.parameters())
    assert seen == [11] * 6 + [12] * 6  # the last phase stays


def test_the_critic_goes_first_in_every_phase():
    method = method_of()
    assert [step for step in range(12) if "student" in method.updates(step)] == [4, 10]
    result = method.step(clip(7), 7, torch.Generator().manual_seed(0))
    assert set(result.losses) == {"fake"}


def test_a_phase_that_teaches_nobody_is_told():
    short = dataclasses.replace(SETTINGS, phases=(Phase("singing", "singing", 6), Phase("profile", "profile", 3)))
    assert short.idle() == [short.phases[1]]
    with pytest.warns(UserWarning, match="'profile' of 3 steps never trains the student"):
        method_of(short)


def test_an_expert_is_put_in_again_after_a_resume():
    method = method_of()
    method.step(clip(8), 8, torch.Generator().manual_seed(0))
    assert same(method.roles["real"].module, network(12))


def test_batches_are_of_the_phases_domain_with_general_ones_mixed_in():
    asked = []
    starts = {"singing": 100, "profile": 200}

    def source(shares):
        asked.append(shares)
        return Clips(start=starts[next(iter(shares))])

    data = PhasedData(dataclasses.replace(SETTINGS, general=0.3), source, per_step=2)
    assert asked == [{"singing": 0.7, "general": 0.3}, {"profile": 0.7, "general": 0.3}]
    for index in (0, 11):
        assert torch.equal(data.batch(index)["features"], clip(100 + index)["features"])
    assert torch.equal(data.batch(12)["features"], clip(212)["features"])


def test_phases_need_their_experts():
    with pytest.raises(ValueError, match="name rare; expected experts among singing, profile"):
        method_of(dataclasses.replace(SETTINGS, phases=(Phase("rare", "rare", 5),)))
    with pytest.raises(ValueError, match="no phase"):
        method_of(dataclasses.replace(SETTINGS, phases=()))


def test_students_follow_one_expert_after_the_other(tmp_path):
    """Two experts of opposite colours: the student ends nearer to the last one, having gone towards the first."""

    class Painter(Oracle):
        def forward(self, config, noisy, sigma, reference, *rest, **options):
            return (reference + self.text.table.weight[0, 0] * COLOUR).expand_as(noisy)

    def painter(strength):
        expert = Painter(network(1).trunk, network(1).text)
        torch.nn.init.constant_(expert.text.table.weight, strength)
        return expert

    settings = dataclasses.replace(
        SETTINGS, phases=(Phase("singing", "s", 24), Phase("profile", "p", 40)), rewarm=4, critic_steps=2
    )
    student = network(2, blank=True)
    inner = ACCDMD(debug(), student, painter(0.0), network(3, blank=True), settings)
    method = ExpertTransfer(inner, {"singing": lambda: painter(0.5), "profile": lambda: painter(-0.5)}, settings)
    colours = []

    def look(loop, step):
        if step in (24, 64):
            batch = clip(-1)
            rollout = Rollout(debug(), batch["reference"])
            x = rollout.window(student, batch, torch.Generator().manual_seed(0)).final
            away = (x - batch["reference"]).mean((0, 2, 3, 4))
            colours.append(float((away * COLOUR.flatten()).sum() / COLOUR.square().sum()))

    Loop(method, Clips(), tmp_path, LoopConfig(steps=64, warmup=1), callbacks=(look,)).run()
    assert colours[0] > 0.1 and colours[1] < -0.1
