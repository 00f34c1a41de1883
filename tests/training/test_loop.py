"""The loop: resumed equals uninterrupted, micro-batches add up, averages follow, and a stop keeps a checkpoint."""

import json
import shutil

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn

from echotorrent_core.errors import InputError
from training import checkpoint
from training.loop import PATIENCE, Loop, LoopConfig, StepResult, plain_accelerator, read_metrics
from training.metrics import Meter, rewind_metrics
from training.optim import adamw, muon_adamw, trapezoid
from training.roles import Role, ema_of, update_ema


class Regression:
    """A student of half the input, its average, and something kept beside them; noise from all generators there are."""

    def __init__(self, noise=0.01):
        torch.manual_seed(0)
        role = Role(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)), trainable=True)
        self.roles = {"student": role, "ema": ema_of("student", role, 0.9)}
        self.noise, self.bank = noise, torch.zeros(3)

    def optimizers(self):
        return {"student": muon_adamw(self.roles["student"].module, 1e-2, 1e-2, exclude=("2.",))}

    def updates(self, step):
        return ["student"]

    def state(self):
        return {"bank": self.bank}

    def load_state(self, state):
        self.bank = state["bank"]

    def step(self, batch, step, generator):
        drawn = torch.randn(batch["x"].shape, generator=generator) + torch.randn(batch["x"].shape)
        output = self.roles["student"].module(batch["x"] + self.noise * (drawn + self.bank.mean()))
        self.bank = torch.cat([self.bank[1:], output.detach().mean()[None]])
        loss = (output - batch["y"]).square().mean()
        return StepResult({"student": loss}, {"seldom": 1.0 * step} if step % 5 == 0 else {})


class Data:
    def __init__(self, size=16):
        self.size = size

    def batch(self, index):
        x = torch.randn(self.size, 4, generator=torch.Generator().manual_seed(index))
        return {"x": x, "y": 0.5 * x[:, :1]}


class Pairs(Data):
    """Two of the other's batches as one."""

    def batch(self, index):
        parts = [super(Pairs, self).batch(2 * index + i) for i in range(2)]
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}


def train(folder, steps, method=None, data=None, identity=None, **changes):
    method = method or Regression()
    changes = {"warmup": 3, "cooldown": 10, "log_every": 5, "save_every": 7} | changes
    config = LoopConfig(steps=changes.pop("total", steps), **changes)
    loop = Loop(method, data or Data(), folder, config, identity=identity)
    if changes.get("minutes") is None and steps < config.steps:
        loop.callbacks = (lambda loop, step: setattr(loop, "stopping", step >= steps) or None,)
    return method, loop.run()


def weights(method):
    return [p.detach().clone() for role in method.roles.values() for p in role.module.parameters()]


def numbers(folder):
    return [{k: v for k, v in line.items() if k not in ("time", "seconds_per_step")} for line in read_metrics(folder)]


def test_resumed_equals_uninterrupted(tmp_path):
    """Weights, averages, what the method keeps, and every logged number, from inside a log interval on."""
    whole, _ = train(tmp_path / "a", 40)
    _, done = train(tmp_path / "b", 17, total=40)
    assert done == 17
    resumed, done = train(tmp_path / "b", 40)
    assert done == 40
    for a, b in zip(weights(whole), weights(resumed), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(whole.bank, resumed.bank) and whole.bank.abs().min() > 0
    assert numbers(tmp_path / "a") == numbers(tmp_path / "b")


def test_a_kill_between_checkpoints_leaves_one_line_per_step(tmp_path):
    """Lines after the checkpoint are forgotten, a torn one too, and written again."""
    train(tmp_path / "a", 40)
    train(tmp_path / "b", 14, total=40)
    with open(tmp_path / "b/metrics.jsonl", "a") as file:
        file.write(json.dumps({"step": 15, "time": 0, "loss/student": 99.0}) + '\n{"step": 20, "ti')
    train(tmp_path / "b", 40)
    assert numbers(tmp_path / "a") == numbers(tmp_path / "b")


class Descent(Regression):
    """By plain gradients: Muon works in bfloat16 and would blow up what summing in another order changes."""

    def optimizers(self):
        return {"student": [torch.optim.SGD(self.roles["student"].module.parameters(), lr=0.1)]}


def test_two_micro_batches_are_one_of_twice_the_size(tmp_path):
    split, _ = train(tmp_path / "a", 12, Descent(0), accumulate=2)
    joined, _ = train(tmp_path / "b", 12, Descent(0), Pairs())
    for a, b in zip(weights(split), weights(joined), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)
    losses = [[line["loss/student"] for line in read_metrics(tmp_path / name)] for name in "ab"]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_it_learns_and_the_average_follows(tmp_path):
    method, _ = train(tmp_path, 60)
    losses = [m["loss/student"] for m in read_metrics(tmp_path) if "loss/student" in m]
    assert losses[-1] < 0.5 * losses[0]
    student, ema = (list(method.roles[n].module.parameters()) for n in ("student", "ema"))
    assert not torch.equal(student[0], ema[0])
    torch.testing.assert_close(student[0], ema[0], atol=0.1, rtol=0)


def test_an_average_copies_until_its_start_and_shares_what_is_frozen():
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    role = Role(module, trainable=True)
    module[0].requires_grad_(False)
    ema = ema_of("student", role, 0.99, start=10)
    assert ema.module[0].weight is module[0].weight and ema.module[1].weight is not module[1].weight
    assert module[1].weight.requires_grad and not ema.module[1].weight.requires_grad
    for step, same in ((3, True), (10, False)):
        with torch.no_grad():
            module[1].weight.add_(1)
        update_ema(ema, module, step)
        assert torch.equal(ema.module[1].weight, module[1].weight) == same


def test_time_limit_stops_with_a_checkpoint(tmp_path):
    _, done = train(tmp_path, 50, minutes=0.0)
    assert done == 1 and (tmp_path / "checkpoint.pt").exists()


def test_only_the_last_checkpoints_are_kept(tmp_path):
    train(tmp_path, 30, keep=2)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-00000028", "step-00000030"]
    assert checkpoint.read(tmp_path / "checkpoint.pt")["step"] == 30


def test_goes_on_from_a_single_file_of_earlier_versions(tmp_path):
    train(tmp_path / "new", 7, total=14)
    (tmp_path / "old").mkdir()
    shutil.copy(tmp_path / "new/checkpoint.pt", tmp_path / "old/checkpoint.pt")
    assert train(tmp_path / "old", 14)[1] == 14


def test_a_full_disk_leaves_the_older_checkpoint_whole(tmp_path, monkeypatch):
    """No file may grow beyond a limit, as when the disk is full: the run ends with one sentence, and goes on later."""
    resource = pytest.importorskip("resource")
    train(tmp_path / "whole", 30)
    train(tmp_path / "run", 7, total=30)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(
            InputError, match=r"checkpoint of step 14 could not be written \(.+\), .+00000007' is whole"
        ):
            train(tmp_path / "run", 30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in (tmp_path / "run/checkpoints").iterdir()] == ["step-00000007"]
    train(tmp_path / "run", 30)
    assert numbers(tmp_path / "run") == numbers(tmp_path / "whole")


def test_no_room_for_numbers_ends_in_a_sentence_and_loses_nothing(tmp_path):
    resource = pytest.importorskip("resource")
    train(tmp_path / "whole", 30, save_every=100, log_every=1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(InputError, match=r"metrics\.jsonl: cannot be written \(.+\); make room and start again"):
            train(tmp_path / "run", 30, save_every=100, log_every=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    train(tmp_path / "run", 30, save_every=100, log_every=1)
    assert numbers(tmp_path / "run") == numbers(tmp_path / "whole")


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    train(tmp_path, 7, total=9, identity={"preset": "embedded"})
    with pytest.raises(InputError, match="a checkpoint of preset 'embedded', this run is of preset 'debug'"):
        train(tmp_path, 9, identity={"preset": "debug"})
    other = Regression()
    other.roles["student"] = Role(nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)), trainable=True)
    with pytest.raises(InputError, match=r"does not fit this run's networks \(.*size mismatch"):
        train(tmp_path, 9, other, identity={"preset": "embedded"})
    state = tmp_path / "checkpoints/step-00000007/state.pt"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"state\.pt: not a readable checkpoint"):
        train(tmp_path, 9, identity={"preset": "embedded"})


class Broken(Regression):
    """Its loss is not a number at some steps."""

    def __init__(self, steps):
        super().__init__()
        self.broken = steps

    def step(self, batch, step, generator):
        result = super().step(batch, step, generator)
        if step in self.broken:
            result.losses["student"] = result.losses["student"] * float("nan")
        return result


def test_an_update_that_is_not_finite_is_left_out(tmp_path):
    method, done = train(tmp_path, 20, Broken({4, 11}), log_every=1)
    assert done == 20 and all(bool(torch.isfinite(p).all()) for p in weights(method))
    lines = list(read_metrics(tmp_path))
    assert [line["step"] for line in lines if "loss/student/not_finite" in line] == [5, 12]
    with pytest.raises(InputError, match=f"not been finite for {PATIENCE} updates up to step {PATIENCE + 2}"):
        train(tmp_path / "b", 40, Broken(range(2, 40)))


def test_numbers_are_means_over_the_steps_that_have_them(tmp_path):
    train(tmp_path, 20, log_every=10)
    assert [line["seldom"] for line in read_metrics(tmp_path)] == [2.5, 12.5]
    meter = Meter()
    for value in (1.0, 3.0, float("inf")):
        meter.add({"a": value})
    assert meter.take(lambda sums: [*sums, {"a": [10.0, 2.0]}]) == {"a": 3.5, "a/not_finite": 1.0}
    assert meter.take() == {}


def test_rewinding_keeps_what_came_before(tmp_path):
    train(tmp_path, 20)
    before = list(read_metrics(tmp_path))
    rewind_metrics(tmp_path, 12)
    assert list(read_metrics(tmp_path)) == [line for line in before if line["step"] <= 10]


def test_trapezoid_rises_stays_and_falls_to_zero():
    rates = [trapezoid(s, 100, 10, 20) for s in range(101)]
    assert rates[0] == 0.1 and rates[50] == 1.0 and rates[100] == 0.0
    assert rates[80:] == sorted(rates[80:], reverse=True)


def test_adamw_takes_what_trains():
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    module[0].requires_grad_(False)
    (optimizer,) = adamw(module, 1e-3, (0.0, 0.999), 0.1)
    group = optimizer.param_groups[0]
    assert len(group["params"]) == 2 and group["betas"] == (0.0, 0.999) and group["weight_decay"] == 0.1
    (only,) = muon_adamw(module, 1e-3, 0.0)
    assert isinstance(only, torch.optim.AdamW)


def test_a_loop_is_of_full_precision_after_a_run_that_was_not(tmp_path):
    AcceleratorState._reset_state()
    Accelerator(cpu=True, mixed_precision="bf16")
    method, done = train(tmp_path, 2)
    assert done == 2 and weights(method)[0].dtype == torch.float32
    assert plain_accelerator("bf16").mixed_precision == "bf16" and plain_accelerator().mixed_precision == "no"
