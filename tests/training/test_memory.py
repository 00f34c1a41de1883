"""The memory that a run is said to need: against what its steps really hold, and the plans of the shipped recipes."""

from __future__ import annotations

import dataclasses
import gc

import pytest
import torch
import toy
import yaml

from echotorrent_core.errors import InputError
from echotorrent_core.estimate import LiveBytes
from training.__main__ import main
from training.config import build, engine_config, load
from training.memory import Memory, RoleMemory, Shapes, available, estimate, recompute, step_bytes, watched
from training.networks import hollow_part, network
from training.plan import verdict
from training.registry import METHODS, Setup, make


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return toy.networks(toy.cache(tmp_path_factory.mktemp("data")))


def run_of(world, method="sft", **changes):
    return build(toy.small_run(method, world, world / "run", **changes), "test")


def filled(batch):
    g = torch.Generator().manual_seed(0)
    values = {key: torch.rand(value.shape, generator=g) for key, value in batch.items()}
    return {key: values[key].to(value.dtype) if value.is_meta else value for key, value in batch.items()}


def really(run):
    """`step_bytes` with numbers: the method's steps on random data, watched."""
    engine = engine_config(run)
    setup = Setup(
        run,
        engine,
        lambda role, over=None: network(engine, dataclasses.replace(getattr(run.roles, role), weights=()), 0, "math"),
        lambda name: hollow_part(engine, name).eval().requires_grad_(False),
        lambda shares=None: Shapes(run, engine),
        None,
    )
    method = make(setup)
    for role in method.roles.values():
        for parameter in role.module.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(lambda p: setattr(p, "grad", None))
    kept = most = 0
    steps = {tuple(method.updates(step)): step for step in reversed(range(run.loop.steps))}
    with LiveBytes() as live:
        for step in sorted(steps.values(), key=lambda step: -len(method.updates(step))):
            live.peak = live.now
            result = method.step(filled(setup.data.batch(step)), step, torch.Generator().manual_seed(step))
            for name in method.updates(step):
                result.losses[name].backward()
            del result
            gc.collect()
            most, kept = max(most, live.peak), max(kept, live.now)
    return kept, most - kept


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_step_on_paper_holds_what_a_real_one_holds(method, world):
    """What is alive at once, but for small tensors that stay where they are drawn."""
    run = run_of(world, method)
    kept, step = step_bytes(run, engine_config(run), "math")
    really_kept, really_step = really(run)
    total = really_kept + really_step
    near = 0.1 if method == "decoder_refiner" else 0.05  # convolutions have workspaces
    assert kept + step == pytest.approx(total, rel=near)
    assert kept == pytest.approx(really_kept, abs=0.05 * total)


def test_roles_are_counted_as_they_are_kept(world):
    """Weights, gradients and AdamW's two states in float32; what is frozen as asked; adapters alone of a LoRA."""
    small = {"weights": ()}
    run = run_of(world, "causal_cd", roles={"student": small, "real": small | {"dtype": "bfloat16"}})
    found, n = estimate(run).roles, 0
    n = found["student"].parameters
    assert n == sum(p.numel() for p in network(engine_config(run), run.roles.student, 0).parameters())
    assert found["student"] == RoleMemory(n, n, 4 * n, 4 * n, 8 * n)
    assert found["real"] == RoleMemory(n, 0, 2 * n, 0, 0)
    assert found["target"] == RoleMemory(n, 0, 4 * n, 0, 0)
    cut = estimate(dataclasses.replace(run, sharded=True, processes=4)).roles
    assert cut["student"] == RoleMemory(n, n, n, n, 2 * n)
    muon = estimate(run_of(world, settings={"muon_lr": 1e-3})).roles["student"]
    assert muon.weights == 4 * n and 4 * n < muon.optimiser < 8 * n


def test_a_lora_trains_little(world):
    pytest.importorskip("peft")
    lora = {"student": {"weights": (), "mode": "lora", "dtype": "bfloat16", "lora": {"rank": 2}}}
    found = estimate(run_of(world, "grpo", roles=lora)).roles
    student, real = found["student"], found["real"]
    assert 0 < student.trained < 0.2 * student.parameters and student.optimiser == 8 * student.trained
    assert student.weights == 2 * (student.parameters - student.trained) + 4 * student.trained
    assert real.weights < 0.5 * student.weights  # the base is shared


def test_what_saves_memory_does_on_paper(world):
    def step(run):
        return step_bytes(run, engine_config(run), "math")[1]

    run = run_of(world, data={"batch": 4})
    assert step(recompute(run, True)) < 0.6 * step(run)
    assert 1.8 < step(run) / step(run_of(world, data={"batch": 2})) < 2.2
    again, kept = (run_of(world, "acc_dmd", settings={"two_phase": two, "critic_only": 0}) for two in (True, False))
    assert step(again) < 0.9 * step(kept)  # the critic's pass is kept in both


def test_deep_trunks_are_two_shallow_ones_and_a_straight_line(world):
    """Seven layers by the line through two and four, against seven watched."""
    run = run_of(world, engine={"trunk": {"num_layers": 7}})
    line, seen = (sum(found(run, engine_config(run), "math")) for found in (step_bytes, watched))
    assert line == pytest.approx(seen, rel=0.05)


def test_the_verdict_names_what_is_missing(world):
    run = dataclasses.replace(run_of(world), memory_gb=1.0)
    assert available(run) == 950_000_000
    memory = Memory({}, 0, 900_000_000, 0)
    assert verdict(run, memory) == (True, "fits on a device of 1 GB")
    fits, says = verdict(run, dataclasses.replace(memory, step=1_450_000_000))
    assert not fits and says.startswith("does not fit on a device of 1 GB, 0.50 GB are missing; try ")


def test_a_dry_run_says_all_and_does_nothing(world, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(toy.small_run("sft", world, "out") | {"roles": {}}))
    assert main([str(path), "--dry-run", "--compare", "loop.minutes=5"]) == 0
    text = capsys.readouterr().out
    assert "sft: sft of debug at 32x32, in 'out'" in text and "6 steps, then it ends, or after 5 minutes" in text
    assert "global batch 2 = 1 processes x 1 micro-batches x 2" in text and "instead with activation ch" in text
    assert "1 runs, 6 steps in all" in text and list(tmp_path.iterdir()) == [path]
    assert main([str(path), "--dry-run", "memory_gb=0.0001"]) == 1
    assert "does not fit" in capsys.readouterr().out


def test_windows_that_are_not_whole_are_refused_before_anything_is_done(world):
    for method, changes, says in (
        ("sft", {"data": {"short": 6}}, "data.short is 6 latents; method sft needs multiples of 4"),
        ("grpo", {"settings": {"window": 16}}, "data.short is 8 latents; method grpo needs multiples of 16"),
        ("expert_transfer", {"settings": {"phases": []}}, "phases name no phase; expected experts among singing"),
    ):
        with pytest.raises(InputError, match=says):
            estimate(run_of(world, method, **changes))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stages"), [("echotorrent_14b", 10), ("echotorrent_1_3b", 10)])
def test_the_recipes_fit_where_they_are_meant_to_run(name, stages, capsys):
    """At true shapes on meta: each stage's memory on each process."""
    assert len(load(name)) == stages
    assert main([name, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("  fits on a device of") for line in lines) == stages
