"""The decoder refiner pairs the student's latents with the very pixels they stand for, and trains what it should."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from echotorrent_core import flow
from echotorrent_core.errors import InputError
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.parts import save_part
from tests.training.data.clip_files import write_corpus
from training.config import build as build_run
from training.data.clips import Corpus
from training.data.encoders import EncoderFiles
from training.data.features import FeatureData
from training.data.pictures import pictures
from training.data.shards import Plan
from training.data.shards import build as build_data
from training.losses import LocalEnergy, adaptive_weight, hinge_student, pyramid_l1
from training.methods.decoder_refiner import (
    LENGTH,
    PRIME,
    Decode,
    DecoderRefiner,
    DecoderRefinerConfig,
    PairedCrops,
    pictures_of,
    record,
    recorded_by,
    renoised,
    sampler,
)
from training.run import start

PLAIN = DecoderRefinerConfig(targets="rollout", perceptual=0, adversarial=0, lr=1e-3)  # as before there was a GAN


class Clips:
    """Frames whose three channels are time, row of cells and column of cells."""

    def __len__(self):
        return 2

    def frames(self, i):
        frames = np.zeros((66, 128, 128, 3), np.uint8)
        frames[..., 0] = np.arange(66)[:, None, None]
        frames[..., 1] = (np.arange(128) // 8)[None, :, None]
        frames[..., 2] = (np.arange(128) // 8)[None, None]
        return frames

    def labels(self, i):
        return {"mouth_box": np.tile(np.array([40, 80, 88, 104], np.float32), (66, 1))}


def places():
    """Latents that tell their time and place."""
    latents = torch.zeros(2, 3, 17, 16, 16)
    latents[:, 0] = torch.arange(17)[None, :, None, None]
    latents[:, 1] = torch.arange(16)[None, None, :, None]
    latents[:, 2] = torch.arange(16)[None, None, None]
    return latents


def crops(folder, student, settings, true=None):
    save_file({"rows": torch.arange(2), "latents": student.contiguous()}, folder / "r.safetensors")

    class Features:
        columns = {"latents": places() if true is None else true}  # noqa: RUF012

    return PairedCrops(folder / "r.safetensors", Features(), Clips(), {0: 0, 1: 1}, settings, batch=6, seed=0)


# Pairs


@pytest.mark.parametrize("targets", ["rollout", "corrupt"])
@pytest.mark.parametrize("index", range(0, 10, 3))
def test_pixels_and_latents_are_of_the_same_place_and_time(tmp_path, index, targets):
    """Also of corrupted ones: a student without errors corrupts nothing, whichever clip the errors come from."""
    settings = dataclasses.replace(PLAIN, targets=targets, true_share=0.5)
    batch = crops(tmp_path, places()[:, :, :16], settings).batch(index)
    prime = int(batch["prime"])
    assert prime == (0 if index % 5 == 0 else PRIME)
    frames = ((batch["frames"] + 1) * 127.5).round()
    scored = batch["latents"][:, :, prime:]
    assert scored.shape[2] == LENGTH
    last = 4 * scored[:, 0, -1, 0, 0]  # latent t ends with frame 4t
    assert torch.equal(frames[:, 0, -1, 0, 0], last)
    assert frames.shape[2] == (4 * LENGTH if prime else 4 * LENGTH - 3)
    for channel in (1, 2):
        cells = frames[:, channel, 0, ::8, ::8]
        assert torch.equal(cells, scored[:, channel, 0])
    assert batch["mouth"].shape[2] == frames.shape[2]


def test_corruption_is_another_clips_error_on_this_clips_latents(tmp_path):
    true = places() + 100 * torch.arange(2)[:, None, None, None, None]
    error = torch.tensor([0.25, 0.5])[:, None, None, None, None].expand(2, 3, 16, 16, 16)
    settings = dataclasses.replace(PLAIN, targets="corrupt", true_share=0.0)
    data = crops(tmp_path, true[:, :, :16] + error, settings, true)
    rng = np.random.default_rng(0)
    seen = set()
    for i in (0, 1) * 8:
        rest = data.latents(i, rng) - true[i, :, :16]
        assert rest.min() == rest.max()
        seen.add((i, float(rest[0, 0, 0, 0])))
    assert seen == {(0, 0.25), (0, 0.5), (1, 0.25), (1, 0.5)}


class Asked(torch.nn.Module):
    """A student that knows the answer and keeps what it was asked."""

    def __init__(self, error=0.0):
        super().__init__()
        self.asked, self.error = [], error

    def forward(self, config, noisy, sigma, reference, sink, batch, first):
        self.asked.append((noisy, float(sigma[0, 0])))
        return batch["latents"] + self.error


def whole(count=2):
    generator = torch.Generator().manual_seed(5)
    latents, reference = (torch.randn(count, 4, t, 4, 4, generator=generator) for t in (16, 1))
    return {"latents": latents, "reference": reference, "first": torch.tensor(True)}


def test_renoised_latents_stay_where_the_real_ones_are():
    """A perfect student gives the real latents back, from the level of one of its last steps and only from there."""
    config, batch = debug(), whole()
    config = dataclasses.replace(config, stream=dataclasses.replace(config.stream, sigmas=(1.0, 0.75, 0.5, 0.25)))
    begun = set()
    for seed in range(12):
        student = Asked()
        found = renoised(student, config, last_steps=2)(batch, torch.Generator().manual_seed(seed))
        torch.testing.assert_close(found, batch["latents"])
        levels = [sigma for _, sigma in student.asked]
        assert levels in ([0.5, 0.25], [0.25])
        begun.add(levels[0])
        noise = (student.asked[0][0] - (1 - levels[0]) * batch["latents"]) / levels[0]
        assert abs(noise.std() - 1) < 0.1 and abs(noise.mean()) < 0.1
        expected = flow.renoise(batch["latents"], noise, levels[0])
        torch.testing.assert_close(student.asked[0][0], expected)
    assert begun == {0.5, 0.25}
    wrong = renoised(Asked(error=0.3), config, 1)(batch, torch.Generator())
    torch.testing.assert_close(wrong, batch["latents"] + 0.3)  # what the student gets wrong is what is trained on


def test_recordings_are_of_the_rows_they_name(tmp_path):
    columns = {
        "latents": torch.randn(5, 4, 17, 4, 4),
        "reference": torch.randn(5, 4, 1, 4, 4),
        "mask": torch.rand(5, 17, 4, 4),
        "audio": torch.randn(5, 1, 69, 31),
    }

    class Features:
        def __init__(self):
            self.columns = columns

    out, rows = tmp_path / "r.safetensors", torch.tensor([4, 1])
    assert recorded_by(out) is None
    record(Features(), debug(), renoised(Asked(), debug(), 1), rows, out, torch.device("cpu"), made_by="this")
    assert recorded_by(out) == "this" and not list(tmp_path.glob("*.tmp"))
    found = load_file(out)
    torch.testing.assert_close(found["latents"].float(), columns["latents"][rows, :, :16].half().float())


def test_targets_choose_how_the_student_is_asked():
    config = debug()
    for targets, asked in (("renoise", 1), ("rollout", 2), ("corrupt", 2)):
        settings = DecoderRefinerConfig(targets=targets, last_steps=1)
        student = Asked()
        student.forward = lambda *given, recompute=False, s=student: Asked.forward(s, *given)
        sampler(student, config, settings)(whole(), torch.Generator())
        assert len(student.asked) == asked  # debug has two steps


@pytest.mark.parametrize("keep", [False, True])
def test_rows_and_their_pictures(tmp_path, keep):
    corpus = write_corpus(tmp_path / "corpus", 3)
    plan = Plan(Corpus(corpus), EncoderFiles("debug"), 1, mirror=True, keep_frames=keep, per_shard=2)
    build_data(tmp_path / "out", plan, progress=False)
    features = FeatureData(tmp_path / "out", 2, 0)
    clips, rows = pictures(features, corpus)
    assert rows == {row: row for row in range(6 if keep else 3)}  # mirror images have pictures where they were kept
    reader = Corpus(corpus).reader
    for row in (0, 2):
        assert np.array_equal(clips.frames(row), reader.frames(row))
        np.testing.assert_array_equal(clips.labels(row)["mouth_box"], reader.labels(row)["mouth_box"])
    if not keep:
        with pytest.raises(InputError, match="--keep-frames"):
            pictures(features, None)


# The method


def batch_of(prime, frames, seed=1):
    g = torch.Generator().manual_seed(seed)
    return {
        "latents": torch.randn(2, 4, prime + LENGTH, 4, 4, generator=g),
        "frames": torch.rand(2, 3, frames, 32, 32, generator=g) - 0.5,
        "mouth": (torch.rand(2, 1, frames, 32, 32, generator=g) < 0.2).float(),
        "prime": torch.tensor(prime),
    }


def vae():
    torch.manual_seed(0)
    vae = CausalVAE(debug().vae)
    with torch.no_grad():
        vae.decoder.head["2"].weight.normal_(std=0.1)  # which starts at zero, where nothing could be told apart
    return vae


def train(method, steps, batches):
    optimizers, losses = method.optimizers(), []
    for step in range(steps):
        result = method.step(batches[step % len(batches)], step, torch.Generator().manual_seed(step))
        for name in method.updates(step):
            result.losses[name].backward()
            for optimizer in optimizers[name]:
                optimizer.step()
                optimizer.zero_grad()
        losses.append({name: float(loss.detach()) for name, loss in result.losses.items()})
    return losses


@pytest.mark.parametrize("muon_lr", [0.0, 2e-3])
def test_only_the_decoder_learns(muon_lr):
    module = vae()
    method = DecoderRefiner(module, dataclasses.replace(PLAIN, muon_lr=muon_lr))
    before = {name: p.clone() for name, p in module.state_dict().items()}
    losses = train(method, 12, [batch_of(PRIME, 12), batch_of(0, 9)])
    assert losses[-2]["student"] < losses[0]["student"] and set(losses[0]) == {"student"}
    changed = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and not any(name.startswith(("skip", "latent_", "encoder")) for name in changed)


def test_primed_decoding_is_the_tail_of_the_whole():
    module = vae()
    latents = torch.randn(1, 4, 6, 4, 4, requires_grad=True)
    tail = Decode(module)(latents, PRIME)
    torch.testing.assert_close(tail, module.decode(latents)[0][:, :, 5:])
    tail.sum().backward()
    assert not latents.grad[:, :, :PRIME].any() and latents.grad[:, :, PRIME:].any()


def test_without_extras_the_loss_is_the_former_one():
    method, batch = DecoderRefiner(vae(), PLAIN), batch_of(PRIME, 12)
    assert set(method.roles) == {"student", "ema"} and method.updates(10**6) == ["student"]
    output = Decode(vae())(batch["latents"], PRIME)
    pixel, detail = pyramid_l1(pictures_of(output - batch["frames"]), pictures_of(1 + 3 * batch["mouth"]))
    found = method.step(batch, 10**6, torch.Generator())
    torch.testing.assert_close(found.losses["student"], pixel + detail)


FULL = DecoderRefinerConfig(lr=1e-3, start=4, lead=2, critic_width=8, perceptual=0.5, adversarial=0.7)


def test_critic_and_adversarial_loss_set_in_when_they_should():
    method = DecoderRefiner(vae(), FULL)
    assert [method.updates(step) for step in (1, 2, 4)] == [["student"], ["student", "critic"], ["student", "critic"]]
    results = [method.step(batch_of(PRIME, 12), step, torch.Generator()) for step in (1, 2, 4)]
    assert ["critic" in r.losses for r in results] == [False, True, True]
    assert ["adversarial" in r.metrics for r in results] == [False, False, True]
    torch.testing.assert_close(results[0].losses["student"], results[1].losses["student"])


def test_the_whole_loss_is_the_sum_of_its_parts():
    method, batch = DecoderRefiner(vae(), FULL), batch_of(PRIME, 12)
    found = method.step(batch, 4, torch.Generator().manual_seed(3)).losses["student"]
    decoder = method.roles["student"].module
    output, weight = decoder(batch["latents"], PRIME), 1 + 3 * batch["mouth"]
    pixel, detail = pyramid_l1(pictures_of(output - batch["frames"]), pictures_of(weight))
    some = torch.randperm(12, generator=torch.Generator().manual_seed(3))[:4]
    assert isinstance(method.distance, LocalEnergy)
    felt = method.distance(*(pictures_of(x[:, :, some]) for x in (output, batch["frames"], weight)))
    loss = pixel + detail + 0.5 * felt
    adversarial = hinge_student(method.roles["critic"].module(output))
    factor = adaptive_weight(loss, adversarial, decoder.vae.decoder.head["2"].weight)
    torch.testing.assert_close(found, loss + 0.7 * factor * adversarial, rtol=1e-4, atol=1e-5)


def test_each_loss_reaches_its_own_network_only():
    method = DecoderRefiner(vae(), FULL)
    decoder, critic = (method.roles[name].module for name in ("student", "critic"))
    losses = method.step(batch_of(PRIME, 12), 4, torch.Generator()).losses
    losses["student"].backward()
    assert all(p.grad is None for p in critic.parameters())
    assert any(p.grad is not None and p.grad.any() for p in decoder.parameters())
    kept = [None if p.grad is None else p.grad.clone() for p in decoder.parameters()]
    losses["critic"].backward()
    assert all(p.grad is not None and p.grad.any() for p in critic.parameters())
    assert all(k is p.grad or torch.equal(k, p.grad) for k, p in zip(kept, decoder.parameters(), strict=True))


def test_both_networks_learn_together():
    method = DecoderRefiner(vae(), FULL)
    losses = train(method, 20, [batch_of(PRIME, 12), batch_of(0, 9)])
    assert all(np.isfinite(list(one.values())).all() for one in losses)
    assert losses[18]["critic"] < losses[2]["critic"]


# A run


@pytest.fixture
def weights(tmp_path):
    engine = Engine.build(debug())
    for name, part in (("trunk", engine.trunk), ("text", engine.text), ("vae", engine.vae)):
        save_part(part.state_dict(), tmp_path / "parts" / f"{name}.safetensors", {})
    return tmp_path / "parts"


def test_a_run_refines_and_goes_on_where_it_stopped(tmp_path, weights):
    corpus = write_corpus(tmp_path / "corpus", 3)
    build_data(tmp_path / "data", Plan(Corpus(corpus), EncoderFiles("debug"), 1), progress=False)
    told = {
        "method": "decoder_refiner",
        "preset": "debug",
        "assets": [str(weights)],
        "roles": {"student": {"weights": str(weights)}},
        "data": {"features": str(tmp_path / "data"), "corpus": str(corpus), "batch": 2},
        "settings": {"clips": 2, "crop": 16, "start": 2, "lead": 1},
    }

    def run(name, **loop):
        folder = {"folder": str(tmp_path / name)}
        start(build_run(told | folder | {"loop": {"steps": 5} | loop}, name), accept_changes=True)

    before = (weights / "vae.safetensors").read_bytes()
    run("unbroken")
    run("broken", minutes=0.0)  # ends after one step, with a checkpoint
    recording = (tmp_path / "broken" / "student.safetensors").stat().st_mtime_ns
    run("broken")
    assert (tmp_path / "broken" / "student.safetensors").stat().st_mtime_ns == recording
    unbroken, resumed = (load_file(tmp_path / name / "weights/vae.safetensors") for name in ("unbroken", "broken"))
    assert all(torch.equal(resumed[name], unbroken[name]) for name in unbroken)
    first = {name: value.half() for name, value in load_file(weights / "vae.safetensors").items()}
    changed = {name for name in first if not torch.equal(first[name], unbroken[name].half())}
    assert changed and all(name.startswith(("decoder.", "conv2.")) for name in changed)
    assert (weights / "vae.safetensors").read_bytes() == before
