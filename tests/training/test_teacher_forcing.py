"""One pass over [clean | noisy] is the stream under the `clean` cache policy."""

import dataclasses

import pytest
import torch

from echotorrent_core import flow
from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.config import LayerPolicy
from echotorrent_core.model.audio_adapters import windows
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import Geometry, History, RollingContext, SequenceContext, Window, WritePolicy
from echotorrent_core.model.sink import condition_channels, sink_kv
from echotorrent_core.presets import debug, staggered
from training import denoiser as denoiser_module
from training.denoiser import Denoiser
from training.teacher_forcing import MaskedTeacherForcing, TeacherForcing, readable

LATENTS = 16
POLICIES = {
    "staggered": staggered(4, 12),
    "short windows": staggered(4, 4),
    "every layer its own": (
        LayerPolicy(3, "full"),
        LayerPolicy(0, "frame_causal"),
        LayerPolicy(6, "frame_causal"),
        LayerPolicy(12, "full"),
    ),
    "no history": (LayerPolicy(0, "full"),) * 4,
}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Denoiser(Trunk(debug().trunk), WordEncoder(debug().text)).eval()


def inputs(seed=0):
    g = torch.Generator().manual_seed(seed)
    latents = torch.randn(2, 4, LATENTS, 4, 4, generator=g)
    reference = torch.randn(2, 4, 1, 4, 4, generator=g)
    batch = {
        "features": torch.randn(2, 4 * LATENTS - 3 + 4, 39, generator=g),
        "ids": torch.tensor([[0, 5, 10], [1, 6, 11]]),
    }
    sigma = torch.rand(2, LATENTS // 4, generator=g).repeat_interleave(4, dim=1)
    noisy = flow.add_noise(latents, torch.randn(latents.shape, generator=g), sigma)
    return latents, noisy, sigma, reference, batch


def sequential(network, config, clean, noisy, sigma, reference, batch):
    """Chunk by chunk: the noisy chunk reads the history, then the clean one is passed at sigma 0 and committed."""
    trunk = network.trunk
    geometry = Geometry(2, 2, config.trunk.head_dim, config.trunk.rope_theta)
    place = Window.of(config.stream.sink, config.history_latents, 4)
    writes = WritePolicy("clean", 2)
    history = History(config.layers, writes.slots, geometry.tokens)
    text = trunk.embed_text(network.text(batch["ids"]))
    tokens = trunk.audio_proj(windows(batch["features"].unflatten(-1, (1, -1)), 5))
    constants = sink_kv(trunk, geometry, reference, reference, text)

    def run(x, level, part, slot):
        context = RollingContext(config.layers, geometry, place, trunk.attention, constants, history, 0, slot)
        condition = condition_channels(reference, 4, first=part.start == 0)
        return trunk(x, level, condition, text, tokens[:, part], context)

    outputs = []
    for c in range(LATENTS // 4):
        part = slice(4 * c, 4 * c + 4)
        x, level = noisy[:, :, part], sigma[:, part]
        outputs.append(flow.to_x0(run(x, level, part, None), x, level, config.trunk.prediction, reference))
        run(clean[:, :, part], torch.zeros_like(level), part, 0)
        history.commit(4)
    return torch.cat(outputs, dim=2)


@pytest.mark.parametrize("name", POLICIES)
@torch.no_grad()
def test_one_pass_equals_the_sequential_clean_cache(network, name):
    config = dataclasses.replace(debug(), layers=POLICIES[name])
    clean, noisy, sigma, reference, batch = inputs()
    expected = sequential(network, config, clean, noisy, sigma, reference, batch)
    found = network(config, noisy, sigma, reference, reference, batch, True, clean=clean)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)
    # The history is clean, not the noisy one that a `per_step` cache would show.
    differs = (network(config, noisy, sigma, reference, reference, batch, True) - found).abs().amax((1, 3, 4))
    assert (differs[:, :4] < 2e-5).all() and (name == "no history") == (differs[:, 4:].max() < 2e-5)


@pytest.mark.parametrize("name", POLICIES)
@torch.no_grad()
def test_the_efficient_form_equals_the_dense_mask(network, name, monkeypatch):
    config = dataclasses.replace(debug(), layers=POLICIES[name])
    clean, noisy, sigma, reference, batch = inputs(1)
    found = network(config, noisy, sigma, reference, reference, batch, True, clean=clean)
    monkeypatch.setattr(denoiser_module, "TeacherForcing", MaskedTeacherForcing)
    expected = network(config, noisy, sigma, reference, reference, batch, True, clean=clean)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


def test_it_multiplies_only_what_may_be_read():
    """Products are those of the mask's true entries, apart from the lower triangle inside frame-causal chunks."""
    geometry, products = Geometry(1, 1, 12, 1e4), 0

    def counted(q, k, v, mask):
        nonlocal products
        products += q.shape[1] * k.shape[1]
        assert mask is None
        return torch.zeros_like(q)

    q = torch.zeros(1, 2 * LATENTS, 1, 12)
    window, policy = Window(1, 7, 4), LayerPolicy(6, "full")
    TeacherForcing((policy,), geometry, window, counted, [(q[:, :1], q[:, :1])]).attend(0, q, q, q)
    assert products == readable(policy, window, LATENTS).sum()


def test_gradients_reach_the_clean_copy_and_no_later_chunk(network):
    config = debug()
    clean, noisy, sigma, reference, batch = inputs(2)
    clean = clean.requires_grad_()
    output = network(config, noisy, sigma, reference, reference, batch, True, clean=clean)
    (gradient,) = torch.autograd.grad(output[:, :, 4:8].sum(), clean)
    assert gradient[:, :, :4].abs().max() > 0
    assert gradient[:, :, 4:].abs().max() == 0


def test_without_a_clean_copy_nothing_changed(network):
    """`SequenceContext` still is the stream of a `per_step` cache: noisy chunks read noisy ones."""
    geometry, g = Geometry(2, 2, 12, 1e4), torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, 8 * 4, 2, 12, generator=g) for _ in range(3))
    sink = [(torch.randn(1, 4, 2, 12, generator=g), torch.randn(1, 4, 2, 12, generator=g))]
    window, attention = Window(1, 7, 4), network.trunk.attention
    whole = SequenceContext((LayerPolicy(4),), geometry, window, attention, sink).attend(0, q, k, v)
    twice = TeacherForcing((LayerPolicy(4),), geometry, window, attention, sink)
    both = twice.attend(0, *(torch.cat([x, x], 1) for x in (q, k, v)))
    torch.testing.assert_close(both, torch.cat([whole, whole], 1))
