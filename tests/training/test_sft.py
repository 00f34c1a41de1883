"""Training on sequences is training for the stream."""

import dataclasses

import pytest
import torch

from echotorrent_core import flow
from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.model.audio_adapters import windows
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import Geometry, History, RollingContext, Window, WritePolicy
from echotorrent_core.model.sink import condition_channels, sink_kv
from echotorrent_core.presets import debug
from training.data.features import FRAMES, LATENTS, MARGIN, window
from training.denoiser import Denoiser
from training.methods.sft import SFT, SFTConfig
from training.rollout import sample


@pytest.fixture(scope="module")
def student():
    torch.manual_seed(0)
    config = debug()
    trunk = Trunk(config.trunk)  # default initialisation: a zero head would hide mistakes
    return Denoiser(trunk, WordEncoder(config.text)).eval()


def columns(clips=3, seed=0):
    g = torch.Generator().manual_seed(seed)
    return {
        "latents": torch.randn(clips, 4, LATENTS, 4, 4, generator=g),
        "reference": torch.randn(clips, 4, 1, 4, 4, generator=g),
        "audio": torch.randn(clips, 2, FRAMES + 2 * MARGIN, 31, generator=g),
        "motion": torch.randn(clips, FRAMES + 2 * MARGIN, 8, generator=g),
        "ids": torch.tensor([[0, 5, 10]] * clips),
        "mask": torch.rand(clips, LATENTS, 4, 4, generator=g),
    }


def batch(start=0, length=16):
    rows = torch.arange(3)
    return window(columns(), rows, torch.zeros(3, dtype=torch.long), start, length)


def test_sampling_side_by_side_equals_the_stream(student):
    """`rollout.sample` on 16 latents = 4 chunks through the per-step cache, from the same noise."""
    config = debug()
    policies = dataclasses.replace(config.stream, sampler="euler", sigmas=(1.0, 0.6, 0.3))
    config = dataclasses.replace(config, stream=policies)
    one = {k: v[:1] if v.ndim else v for k, v in batch().items()}
    whole = sample(student, config, one, torch.Generator().manual_seed(7))

    noise = torch.randn(one["latents"].shape, generator=torch.Generator().manual_seed(7))
    trunk, reference, parts = student.trunk, one["reference"], []
    geometry = Geometry(2, 2, config.trunk.head_dim, config.trunk.rope_theta)
    place = Window.of(config.stream.sink, config.history_latents, 4)
    writes = WritePolicy("per_step", 3)
    history = History(config.layers, writes.slots, geometry.tokens)
    with torch.no_grad():
        text = trunk.embed_text(student.text(one["ids"]))
        tokens = trunk.audio_proj(windows(one["features"].unflatten(-1, (1, -1)), 5))
        constants = sink_kv(trunk, geometry, reference, reference, text)
        for c in range(4):
            x = noise[:, :, 4 * c : 4 * c + 4]
            for i, (sigma, sigma_next) in enumerate(zip(config.stream.sigmas, (0.6, 0.3, 0.0), strict=True)):
                context = RollingContext(
                    config.layers, geometry, place, trunk.attention, constants, history, writes.read(i), writes.write(i)
                )
                level = torch.full((1,), sigma)
                condition = condition_channels(reference, 4, first=c == 0)
                output = trunk(x, level, condition, text, tokens[:, 4 * c : 4 * c + 4], context)
                x = flow.euler(x, flow.to_x0(output, x, level, config.trunk.prediction, reference), sigma, sigma_next)
            history.commit(4)
            parts.append(x)
    torch.testing.assert_close(whole, torch.cat(parts, 2), atol=3e-5, rtol=1e-4)


def test_window_keeps_latents_features_and_masks_together():
    """Latent t >= 1 shows frames 4t-3 .. 4t; its features begin MARGIN frames earlier."""
    data = columns()
    data["audio"][..., 0] = torch.arange(-MARGIN, FRAMES + MARGIN)
    data["latents"][:] = torch.arange(LATENTS)[None, None, :, None, None]
    for start, length, frames in ((0, 16, 61), (1, 16, 64), (5, 8, 32)):
        part = window(data, torch.arange(3), torch.zeros(3, dtype=torch.long), start, length)
        assert part["features"].shape[1] == frames + 2 * MARGIN
        first = 0 if start == 0 else 4 * start - 3
        assert part["features"][0, MARGIN, 0] == first
        assert part["latents"][0, 0, 0, 0, 0] == start and part["latents"].shape[2] == length
        assert bool(part["first"]) == (start == 0)


def test_levels_are_shared_by_a_sample_or_drawn_per_chunk():
    method = SFT(debug(), Denoiser(Trunk(debug().trunk), WordEncoder(debug().text)), SFTConfig(per_chunk=0.0))
    sigma = method.levels(200, 8, torch.Generator().manual_seed(0))
    assert (sigma == sigma[:, :1]).all() and 0.3 < (sigma[:, 0] == 1).float().mean() < 0.5
    method = SFT(debug(), Denoiser(Trunk(debug().trunk), WordEncoder(debug().text)), SFTConfig(per_chunk=1.0))
    sigma = method.levels(200, 8, torch.Generator().manual_seed(0))
    assert not torch.equal(sigma[:, 0], sigma[:, 4]) and torch.equal(sigma[:, 0], sigma[:, 3])


def test_a_few_steps_learn_a_fixed_batch():
    torch.manual_seed(0)
    config = debug()
    trunk = Trunk(config.trunk)
    trunk.init_weights()
    method = SFT(config, Denoiser(trunk, WordEncoder(config.text)), SFTConfig(lr=3e-3, muon_lr=1e-2, drop_audio=0.0))
    optimizers = method.optimizers()["student"]
    losses = []
    for step in range(30):
        result = method.step(batch(1, 8), step, torch.Generator().manual_seed(0))
        result.losses["student"].backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(float(result.losses["student"].detach()))
    assert losses[-1] < 0.8 * losses[0]
