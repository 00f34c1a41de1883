"""Hybrid Long Tail Forcing: one stream over many steps, judged at its tails, gone on with after a resume."""

import dataclasses

import pytest
import torch
from distill_toy import Clips, clip, network

from echotorrent_core.presets import debug
from training.loop import Loop, LoopConfig
from training.methods.acc_dmd import ACCDMD
from training.methods.long_tail import LongTailConfig, TailWindows, Take, faded, long_tail
from training.rollout import Rollout, latents_of, part

SMALL = LongTailConfig(
    lr=1e-3, fake_lr=5e-3, critic_steps=2, critic_only=0, critic_space="x0", windows=3, context_latents=8, fade=3
)


def windows_of(settings=SMALL):
    return TailWindows(debug(), settings)


def views(windows, student, steps, graded=False):
    found = []
    for step in range(steps):
        shared, own = torch.Generator().manual_seed(step), torch.Generator().manual_seed(1000 + step)
        found.append(windows(student, clip(step), step, shared, own, graded))
    return found


@pytest.fixture(scope="module")
def student():
    return network(0)


# One stream


def test_windows_of_a_take_are_one_stream(student):
    """Against a rollout of the whole take at once, from the same draws: `renoised` shows all of every window."""
    settings = dataclasses.replace(SMALL, context="renoised", tail_from=0, switch=False)
    windows = windows_of(settings)
    shown = views(windows, student, 3)
    take = windows.takes[0]
    track = clip(0, 2)["features"]
    for step in (1, 2):
        track = faded(track, clip(step, 2)["features"], 3)
    rollout, expected = Rollout(debug(), clip(0, 2)["reference"]), []
    for step in range(3):
        told = part(clip(0) | {"features": track}, 8 * step, 8 * step + 8, 2)
        generator = torch.Generator().manual_seed(1000 + step)
        expected.append(rollout.window(student, told, generator, shown[step].exit_step))
    for view, rolled in zip(shown, expected, strict=True):
        assert torch.equal(view.x, rolled.x0)
    assert torch.equal(take.latents, torch.cat([r.final for r in expected], 2)[:, :, -windows.keep :])


def test_a_take_ends_after_its_windows(student):
    windows = windows_of()
    for step in range(7):
        shared, own = torch.Generator().manual_seed(step), torch.Generator().manual_seed(step)
        windows(student, clip(step), step, shared, own, False)
        assert windows.takes[0].done == step % 3 + 1
        assert torch.equal(windows.takes[0].told["reference"], clip(step - step % 3)["reference"])


def test_micro_batches_of_a_step_are_takes_of_their_own(student):
    windows = windows_of()
    for step in range(2):
        for micro in range(2):
            shared, own = torch.Generator().manual_seed(step), torch.Generator().manual_seed(micro)
            windows(student, clip(2 * step + micro), step, shared, own, False)
    assert [take.done for take in windows.takes] == [2, 2]
    assert not torch.equal(*(take.told["reference"] for take in windows.takes))


# What is told


def test_sound_goes_on_from_clip_to_clip():
    """Latent for latent: the first clip's sound, then the next one's, faded over three frames, margins included."""
    first, second = clip(0, 2), clip(1, 2)
    take = Take(debug(), first, fade=3, switch=0)
    told = take.window(second, 8)
    assert torch.equal(told["features"], first["features"]) and bool(told["first"])
    take.latents = torch.zeros(2, 4, 8, 4, 4)
    told = take.window(second, 8)
    assert not bool(told["first"]) and latents_of(told, 2) == 8
    track = take.told["features"]
    assert torch.equal(track[:, :33], first["features"]) and torch.equal(track[:, 36:], second["features"][:, 3:])
    for i, weight in enumerate((0.25, 0.5, 0.75)):
        expected = (1 - weight) * first["features"][:, -1] + weight * second["features"][:, i]
        torch.testing.assert_close(track[:, 33 + i], expected)
    assert torch.equal(told["features"], track[:, 29 : 29 + 36])
    # What is forgotten takes nothing from what comes.
    take.latents = torch.zeros(2, 4, 16, 4, 4)
    before = take.window(second, 8)["features"]
    take.forget(4)
    assert take.kept == 4 and torch.equal(take.window(second, 8)["features"], before)


@pytest.mark.parametrize("recache", [True, False])
def test_words_change_at_the_switch_and_the_history_with_them(student, recache):
    windows, said = windows_of(dataclasses.replace(SMALL, recache=recache)), []
    handle = student.register_forward_pre_hook(lambda _, args: said[-1].append(int(args[5]["ids"][0, 0])))
    for step in range(3):
        said.append([])
        windows(student, clip(step), step, torch.Generator().manual_seed(5), torch.Generator(), False)
    handle.remove()
    switch = windows.takes[0].switch
    assert 0 < switch < 3
    for step, words in enumerate(said):
        assert set(words) == {switch if step >= switch else 0}
        past = min(12, 8 * step) // 4  # chunks in the history
        assert len(words) == 2 * (2 + past * (recache and step == switch))  # two steps, and slots, per chunk


# What is judged


def test_the_tail_is_judged_behind_what_the_stream_showed(student):
    """The second window's last chunk, latents 12 .. 16 of the take, behind latents 4 .. 12 and what they were told."""
    settings = dataclasses.replace(SMALL, switch=False)
    whole = views(windows_of(dataclasses.replace(settings, context="renoised", tail_from=0)), student, 2)
    windows = windows_of(settings)
    first, second = views(windows, student, 2, graded=True)
    assert first.context is None and first.region is None and torch.equal(first.x, whole[0].x)
    assert torch.equal(second.x, whole[1].x[:, :, 4:]) and second.x.requires_grad
    take = windows.takes[0]
    assert take.kept == 12  # latents 4 .. 16
    assert torch.equal(second.context, take.latents[:, :, :8]) and not second.context.requires_grad
    told = part(take.told, 0, 12, 2)
    assert torch.equal(second.batch["features"], told["features"]) and not bool(second.batch["first"])


def test_renoised_windows_are_whole_and_judged_at_their_tails(student):
    first, second = views(windows_of(dataclasses.replace(SMALL, context="renoised")), student, 2, graded=True)
    assert first.region is None and second.x.shape[2] == 8 and second.context is None
    assert second.region.flatten().tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_only_the_tails_chunk_is_under_gradients(student):
    windows, graded = windows_of(), []
    handle = student.register_forward_pre_hook(lambda *_: graded.append(torch.is_grad_enabled()))
    views(windows, student, 2, graded=True)
    handle.remove()
    assert graded.count(True) == 3  # both chunks of the first window, one of the second


def test_settings_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="make it 11 windows"):
        LongTailConfig(windows=10)
    with pytest.raises(ValueError, match="whole chunks of 4"):
        windows_of(dataclasses.replace(SMALL, tail_latents=3))
    with pytest.raises(ValueError, match="'chunks'"):
        windows_of(dataclasses.replace(SMALL, rollout="side_by_side"))


# In the loop


@pytest.mark.parametrize("accumulate", [1, 2])
def test_resumed_equals_uninterrupted(tmp_path, accumulate):
    """Stopped in the middle of a take, with its history, words and sound."""

    def run(folder, until):
        nets = [network(seed) for seed in range(3)]
        method = long_tail(debug(), *nets, SMALL)
        config = LoopConfig(steps=4, warmup=1, log_every=1, save_every=100, accumulate=accumulate)
        loop = Loop(method, Clips(), folder, config)
        loop.callbacks = (lambda loop, step: setattr(loop, "stopping", step >= until) or None,)
        loop.run()
        return method

    whole = run(tmp_path / "a", 4)
    run(tmp_path / "b", 2)
    resumed = run(tmp_path / "b", 4)
    assert isinstance(whole, ACCDMD)
    for name in ("student", "fake", "ema"):
        a, b = (list(m.roles[name].module.parameters()) for m in (whole, resumed))
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    a, b = whole.state(), resumed.state()
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
    assert len(whole.windows.takes) == accumulate
