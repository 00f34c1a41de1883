"""Rewards on clips of the corpus' world, encoded and decoded by the shipped VAE, and on what would cheat them."""

import dataclasses

import numpy as np
import pytest
import torch

from echotorrent_core.metrics import lipsync
from echotorrent_core.metrics.reader import Reading, load_reader, read
from echotorrent_core.presets import debug, get_preset
from echotorrent_core.stream import Engine
from echotorrent_core.weights.parts import ASSETS
from training import rewards
from training.corpus.build import MARGIN, Clip, write_script
from training.corpus.identity import make_identity
from training.corpus.render import Renderer
from training.corpus.visemes import CLASS_INDEX
from training.denoiser import Denoiser
from training.experience import advantages
from training.methods.grpo import GRPO, GRPOConfig
from training.rewards import Judge, RewardConfig, View, following

LATENTS, FRAMES = 8, 29
CLIPS = (Clip(100021, "heldout", "general"), Clip(100027, "heldout", "profile"))  # much speech; much speech, in profile


@pytest.fixture(scope="module")
def engine():
    return Engine.from_preset("embedded")


@pytest.fixture(scope="module")
def clips(engine):
    """Two held-out clips of 8 latents as (latents, batch)."""
    columns = {"latents": [], "reference": [], "features": []}
    for clip in CLIPS:
        script, renderer = write_script(clip), Renderer(make_identity(clip.seed), 128)
        pictures = [renderer.render(script.controls[i])[0] for i in (*range(FRAMES), -1)]
        video = torch.from_numpy(np.stack(pictures)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        start, count = engine.audio.window(-2, FRAMES + 4)
        sound = torch.from_numpy(script.audio.astype(np.float32) / 32768)[None, MARGIN + start : MARGIN + start + count]
        with torch.no_grad():
            columns["latents"].append(engine.vae.encode(video[:, :, :FRAMES])[0])
            columns["reference"].append(engine.vae.encode(video[:, :, FRAMES:])[0])
            heard = engine.audio.features(sound)
        columns["features"].append(torch.cat([heard, torch.zeros(1, FRAMES + 4, 8)], dim=-1))
    batch = {name: torch.cat(values) for name, values in columns.items()} | {"first": torch.tensor(True)}
    return batch["latents"], batch


def judge(engine, **settings):
    return Judge(engine.config, engine.vae, load_reader(), RewardConfig(**settings))


@pytest.fixture(scope="module")
def views(engine, clips):
    """What rewards see of true clips, and of versions that are worse in one way."""
    latents, batch = clips
    look = judge(engine).view
    with torch.no_grad():
        true = look(latents, batch)
        still = look(latents[:, :, 4:5].expand(-1, -1, LATENTS, -1, -1), batch)
        noise = look(torch.randn(latents.shape, generator=torch.Generator().manual_seed(0)), batch)
    return {"true": true, "still": still, "noise": noise}


def exchanged(view, **fields):
    """The view with some of its tensors' samples exchanged."""
    return dataclasses.replace(view, **{name: getattr(view, name).flip(0) for name in fields})


def test_true_clips_are_rewarded(views):
    true = views["true"]
    assert rewards.lip_sync(true).min() > 0.85
    assert rewards.rare(true).min() > 0.8
    assert rewards.identity(true).min() > 0.7
    assert rewards.quality(true).min() > 0.8
    assert rewards.profile(true)[1] > 0.7 and rewards.profile(true)[0] == 0  # the other one shows its front
    for reward in rewards.REWARDS.values():
        values = reward(dataclasses.replace(true, energy=true.visemes[..., 0]))
        assert values.shape == (2,) and (values >= 0).all() and (values <= 1).all()


def test_the_sound_of_another_clip_is_no_lip_sync(views):
    other = exchanged(views["true"], visemes=1, classes=1)
    assert (rewards.lip_sync(other) < rewards.lip_sync(views["true"]) - 0.25).all()
    assert (rewards.rare(other) < rewards.rare(views["true"]) - 0.2).all()
    assert rewards.profile(other)[1] < rewards.profile(views["true"])[1] - 0.1


def test_another_persons_portrait_is_no_identity(views):
    true = views["true"]
    strangers = Reading(*(value.flip(0) for value in true.portrait_reading))
    assert rewards.identity(dataclasses.replace(true, portrait_reading=strangers)).max() < 0.5
    changed = true.reading.identity.clone()
    changed[:, 7] = strangers.identity  # in a single frame
    assert rewards.identity(dataclasses.replace(true, reading=true.reading._replace(identity=changed))).max() < 0.5


def test_blur_glare_and_tint_lower_the_quality(views):
    true = views["true"]
    blurred = torch.nn.functional.avg_pool2d(true.frames.flatten(0, 1), 3, 1, 1).unflatten(0, true.frames.shape[:2])
    noisy = true.frames + 0.1 * torch.randn(true.frames.shape, generator=torch.Generator().manual_seed(0))
    tint = true.frames + 0.2 * torch.tensor([1.0, 0, -1])[:, None, None]
    for frames in (blurred, noisy, tint):
        assert (rewards.quality(dataclasses.replace(true, frames=frames)) < rewards.quality(true) - 0.15).all()


def test_singing_follows_the_voices_energy(views):
    true = views["true"]
    loud = dataclasses.replace(true, energy=true.visemes[..., 0])
    assert (rewards.singing(loud) > rewards.singing(exchanged(loud, energy=1)) + 0.1).all()
    with pytest.raises(ValueError, match="'energy'"):
        rewards.singing(true)


def test_a_profile_that_turns_to_the_front_loses_its_reward(views):
    true = views["true"]
    yaw = true.reading.yaw.clone()
    yaw[:, FRAMES // 2 :] = 0
    turned = dataclasses.replace(true, reading=true.reading._replace(yaw=yaw))
    assert rewards.profile(turned)[1] < 0.6 * rewards.profile(true)[1]


def test_floors(engine, views):
    """A still picture and noise fail, whatever the rewards say of them; true clips pass."""
    above = judge(engine).above_floors
    assert above(views["true"]).all()
    assert not above(views["still"]).any() and not above(views["noise"]).any()
    assert judge(engine, motion=0.0).above_floors(views["still"]).all()
    assert judge(engine, motion=1.0, confidence=0.0).above_floors(views["true"]).logical_not().all()


@pytest.mark.parametrize("every", [2, 4])
def test_half_the_frames_tell_nearly_as_much(engine, clips, views, every):
    """At half the reader's work: the same order and floors, and rewards that differ little."""
    latents, batch = clips
    whole, some = judge(engine), judge(engine, every=every)
    asked = []
    some.reader = lambda frames: asked.append(len(frames)) or read(load_reader(), frames)
    few = some.view(latents, batch)
    assert asked == [2 * len(range(0, FRAMES, every)) + 2] and torch.equal(few.frames, views["true"].frames[:, ::every])
    for name in ("lip_sync", "identity", "quality", "profile", "rare"):
        difference = rewards.REWARDS[name](few) - rewards.REWARDS[name](views["true"])
        assert difference.abs().max() < 0.12, name
    still = latents[:, :, 4:5].expand(-1, -1, LATENTS, -1, -1)
    for tried in (latents, still):
        assert some(tried, batch).passed.tolist() == whole(tried, batch).passed.tolist()
    with pytest.raises(ValueError, match="every 3 frames"):
        RewardConfig(every=3)


def test_smaller_pictures_are_enlarged_for_the_reader(engine, clips, views):
    """As 64 px presets need it: the clips at half their size are read nearly as well."""
    latents, batch = clips

    class Halved:
        def decode(self, latents):
            frames, cache = engine.vae.decode(latents)
            return torch.nn.functional.avg_pool3d(frames, (1, 2, 2)), cache

    small = Judge(engine.config, Halved(), load_reader(), RewardConfig())
    with torch.no_grad():
        view = small.view(latents, batch)
    assert view.frames.shape[-2:] == (64, 64)
    assert rewards.lip_sync(view).min() > 0.8 and rewards.identity(view).min() > 0.7
    assert (rewards.lip_sync(view) - rewards.lip_sync(views["true"])).abs().max() < 0.06
    assert small(latents, batch).passed.all()


def test_latents_are_scored_in_groups(engine, clips):
    """The true clip wins its group of four; the still one, whose identity is the best, comes last."""
    latents, batch = clips
    g = torch.Generator().manual_seed(0)
    soft = latents[:1] * 0.7 + batch["reference"][:1] * 0.3
    noisy = latents[:1] + 0.15 * torch.randn(latents[:1].shape, generator=g)
    still = batch["reference"][:1].expand(-1, -1, LATENTS, -1, -1)
    group = torch.cat([latents[:1], soft, noisy, still])
    told = {key: value[:1].expand(4, *value.shape[1:]) if value.ndim else value for key, value in batch.items()}
    scores = judge(engine)(group, told)
    assert scores.passed.tolist() == [True, True, True, False]
    assert scores.rewards["identity"].argmax() == 3
    found = advantages(scores, 4, 5.0)
    assert found.argmax() == 0 and found.argmin() == 3
    assert set(scores.metrics()) == {"reward/lip_sync", "reward/identity", "reward/quality", "reward/passed"}


def test_the_middle_of_a_clip_is_read_with_its_own_sound(engine, clips):
    latents, batch = clips
    middle = batch | {"first": torch.tensor(False), "features": batch["features"][:, 4 * 3 - 3 :]}
    with torch.no_grad():
        view = judge(engine).view(latents[:, :, 3:], middle)
    assert view.frames.shape[1] == 20
    assert rewards.lip_sync(view).min() > 0.8
    with pytest.raises(ValueError, match="frames, but sound for"):
        judge(engine).view(latents[:, :, 3:], batch)


# Their maths


def toy(opening, truth):
    """A view with nothing but mouth tracks (N, F)."""
    found = Reading(opening, *(torch.zeros_like(opening) for _ in Reading._fields[1:]))
    frames = torch.zeros(1, 1, 3, 4, 4)
    return View(frames, found, frames[:, 0], found, truth[..., None], torch.zeros(*truth.shape, 15))


def test_following_is_pearsons_correlation_for_tracks_that_move_enough():
    g = torch.Generator().manual_seed(0)
    truth = torch.rand(4, 60, generator=g)
    found = (truth + torch.randn(4, 60, generator=g) * 0.3) * 2
    expected = [lipsync.correlation(a.numpy(), b.numpy()) for a, b in zip(found, truth, strict=True)]
    torch.testing.assert_close(following(found, truth), torch.tensor(expected, dtype=torch.float32))
    weight = (torch.arange(60) < 20).float().expand(4, -1)  # weights of 0 and 1 leave frames out
    expected = [lipsync.correlation(a[:20].numpy(), b[:20].numpy()) for a, b in zip(found, truth, strict=True)]
    torch.testing.assert_close(following(found, truth, weight), torch.tensor(expected, dtype=torch.float32))


def test_mumbling_is_worth_its_share_of_the_range():
    truth = torch.rand(3, 60, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(following(0.25 * truth, truth), torch.full((3,), 0.25))
    torch.testing.assert_close(following(4 * truth, truth), torch.ones(3))  # the floor of confidence judges grimaces
    assert not following(torch.full_like(truth, 0.5), truth).any()


def test_rare_sounds_are_judged_in_their_frames_only():
    """A mouth that is right near rare sounds and wrong elsewhere keeps this reward, and the other way round."""
    truth = torch.rand(2, 30, generator=torch.Generator().manual_seed(0))
    classes = torch.zeros(2, 30, 15)
    classes[..., CLASS_INDEX["aa"]] = 1
    classes[:, 10:14] = 0
    classes[:, 10:14, CLASS_INDEX["TH"]] = 1
    near = torch.zeros(30, dtype=torch.bool)
    near[8:16] = True
    for where, expected in ((near, 1.0), (~near, 0.0)):
        view = dataclasses.replace(toy(torch.where(where, truth, 1 - truth), truth), classes=classes)
        torch.testing.assert_close(rewards.rare(view), torch.full((2,), expected), atol=1e-5, rtol=0)
    sounds = classes[0, :, CLASS_INDEX["TH"]] > 0
    view = dataclasses.replace(toy(torch.where(sounds, truth, 1 - truth), truth), classes=classes)
    assert rewards.rare(view).max() < 0.9  # the frames beside them count too


def test_in_silence_the_mouth_stays_closed():
    quiet = torch.zeros(1, 30)
    assert rewards.lip_sync(toy(quiet, quiet)) == 1
    assert rewards.lip_sync(toy(quiet + 0.8, quiet)) == pytest.approx(0.2)


def test_domains_have_their_own_rewards():
    for domain, weights in rewards.WEIGHTS.items():
        assert set(weights) <= set(rewards.REWARDS)
        assert Judge(debug(), None, None, RewardConfig(domain=domain)).weights == weights
    assert Judge(debug(), None, None, RewardConfig(weights={"identity": 2.0})).weights == {"identity": 2.0}
    for wrong in ({"weights": {"beauty": 1.0}}, {"domain": "poetry"}):
        with pytest.raises(ValueError, match="unknown reward or domain"):
            RewardConfig(**wrong)


def test_other_presets_need_a_track_of_the_sound():
    config = get_preset("infinitetalk_14b")
    batch = {"features": torch.zeros(1, 33, 12 * 768)}
    with pytest.raises(ValueError, match="'visemes'"):
        Judge(config, None, None, RewardConfig()).sound(batch)
    track = torch.rand(1, 29, 4)
    assert torch.equal(Judge(config, None, None, RewardConfig()).sound(batch | {"visemes": track})[0], track)


def test_the_judge_serves_reinforcement_learning(engine, clips):
    """Scores of the shipped model's own samples carry a gradient to it."""
    _, batch = clips
    told = {key: value for key, value in batch.items() if key in ("reference", "first")} | {
        "latents": batch["latents"][:, :, :4],
        "features": batch["features"][:, : 13 + 4],
        "ids": torch.tensor([[0, 5, 10]] * 2),
    }
    settings = GRPOConfig(window=4, group=2, steps=3, noisy=1, noisy_within=1, rewards=RewardConfig(motion=0.0))
    student = Denoiser(engine.trunk, engine.text)
    method = GRPO(engine.config, student, Judge.load(engine.config, settings.rewards, ASSETS / "embedded"), settings)
    result = method.step(told, 0, torch.Generator().manual_seed(0))
    assert 0 < result.metrics["reward/lip_sync"] < 1 and result.metrics["reward/passed"] == 1
    result.losses["student"].backward()
    assert engine.trunk.head.head.weight.grad.abs().max() > 0
    engine.trunk.requires_grad_(False)
