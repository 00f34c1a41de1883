"""The loop: resumed equals uninterrupted, averages follow, and a stop keeps a checkpoint."""

import torch
from torch import nn

from training.loop import Loop, LoopConfig, StepResult, read_metrics
from training.optim import muon_adamw, trapezoid
from training.roles import Role, ema_of


class Regression:
    def __init__(self):
        torch.manual_seed(0)
        role = Role(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)), trainable=True)
        self.roles = {"student": role, "ema": ema_of("student", role, 0.9)}

    def optimizers(self):
        return {"student": muon_adamw(self.roles["student"].module, 1e-2, 1e-2, exclude=("2.",))}

    def updates(self, step):
        return ["student"]

    def step(self, batch, step, generator):
        noise = 0.01 * torch.randn(batch["x"].shape, generator=generator)
        output = self.roles["student"].module(batch["x"] + noise)
        return StepResult({"student": (output - batch["y"]).square().mean()})


class Data:
    def batch(self, index):
        x = torch.randn(16, 4, generator=torch.Generator().manual_seed(index))
        return {"x": x, "y": 0.5 * x[:, :1]}


def train(folder, steps, **changes):
    method = Regression()
    config = LoopConfig(steps=changes.pop("total", steps), warmup=3, cooldown=10, log_every=5, save_every=7, **changes)
    loop = Loop(method, Data(), folder, config)
    if changes.get("minutes") is None and steps < config.steps:
        loop.callbacks = (lambda loop, step: setattr(loop, "stopping", step >= steps) or None,)
    return method, loop.run()


def weights(method):
    return [p.detach().clone() for role in method.roles.values() for p in role.module.parameters()]


def test_resumed_equals_uninterrupted(tmp_path):
    whole, _ = train(tmp_path / "a", 40)
    _, done = train(tmp_path / "b", 17, total=40)
    assert done == 17
    resumed, done = train(tmp_path / "b", 40)
    assert done == 40
    for a, b in zip(weights(whole), weights(resumed), strict=True):
        assert torch.equal(a, b)


def test_it_learns_and_the_average_follows(tmp_path):
    method, _ = train(tmp_path, 60)
    losses = [m["loss/student"] for m in read_metrics(tmp_path) if "loss/student" in m]
    assert losses[-1] < 0.5 * losses[0]
    student, ema = (list(method.roles[n].module.parameters()) for n in ("student", "ema"))
    assert not torch.equal(student[0], ema[0])
    torch.testing.assert_close(student[0], ema[0], atol=0.1, rtol=0)


def test_time_limit_stops_with_a_checkpoint(tmp_path):
    _, done = train(tmp_path, 50, minutes=0.0)
    assert done == 1 and (tmp_path / "checkpoint.pt").exists()


def test_trapezoid_rises_stays_and_falls_to_zero():
    rates = [trapezoid(s, 100, 10, 20) for s in range(101)]
    assert rates[0] == 0.1 and rates[50] == 1.0 and rates[100] == 0.0
    assert rates[80:] == sorted(rates[80:], reverse=True)
