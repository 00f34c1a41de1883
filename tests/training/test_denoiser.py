"""The network as a bidirectional teacher, and its passes with and without gradients under mixed precision."""

import torch
from distill_toy import LATENTS, clip, network

from echotorrent_core.presets import debug
from training.denoiser import teacher_config


def estimate(net, config, x, batch, **options):
    reference, sigma = batch["reference"], torch.full((x.shape[0], x.shape[2]), 0.7)
    return net(config, x, sigma, reference, reference, batch, bool(batch["first"]), **options)


def influence(net, config, batch):
    """(to, from): whether a change of one latent's noise changes another one's estimate."""
    with torch.no_grad():
        x = torch.randn(2, 4, LATENTS, 4, 4, generator=torch.Generator().manual_seed(0))
        before, changed = estimate(net, config, x, batch), []
        for t in range(LATENTS):
            other = x.clone()
            other[:, :, t] += 1
            changed.append((estimate(net, config, other, batch) - before).abs().amax(dim=(0, 1, 3, 4)) > 1e-6)
    return torch.stack(changed, dim=1)


def test_a_teacher_reads_its_window_in_both_directions():
    net, batch = network(0), clip(0)
    config = teacher_config(debug(), LATENTS)
    assert influence(net, config, batch).all()
    chunks = influence(net, debug(), batch)  # the stream's own policies: nothing comes from later chunks
    assert chunks[4:, :4].all() and chunks[:4, :4].all() and not chunks[:4, 4:].any()
    assert config.stream.sigmas == debug().stream.sigmas and len(config.layers) == len(debug().layers)


def test_gradients_after_passes_without_them_under_autocast():
    """As in a rollout: weights that were cast for a pass without gradients must not be reused in one with them."""
    net, batch, config = network(0), clip(0), debug()
    x = torch.randn(2, 4, LATENTS, 4, 4)
    norms = []
    for before in (False, True):
        with torch.autocast("cpu", torch.bfloat16):
            if before:
                with torch.no_grad():
                    estimate(net, config, x, batch)
            loss = estimate(net, config, x, batch).square().mean()
        net.zero_grad()
        loss.backward()
        norms.append({k: float(p.grad.norm()) for k, p in net.named_parameters() if p.grad is not None})
    assert norms[0] == norms[1] and len(norms[0]) == len(list(net.named_parameters()))
