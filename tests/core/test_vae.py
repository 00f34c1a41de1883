"""The causal VAE: reference numbers, streaming equals whole, functional cache, PCA skip."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from echotorrent_core.config import VAEConfig
from echotorrent_core.presets import get_preset
from echotorrent_core.vae import causal
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.vae.layers import conv_of_doubled

SHARED = Path(os.environ.get("ECHOTORRENT_SHARED", Path(__file__).parents[3] / "shared"))
WAN_TINY = VAEConfig(z_dim=16, widths=(4, 8, 16, 16))
SMALL = dataclasses.replace(get_preset("debug").vae, linear_encoder=False)


def wan() -> CausalVAE:
    torch.manual_seed(0)
    return randomise(CausalVAE(WAN_TINY))


def small() -> CausalVAE:
    """The embedded layout, tiny and with every weight random (it starts as an exact PCA codec)."""
    torch.manual_seed(0)
    return randomise(CausalVAE(SMALL))


def linear_encoder() -> CausalVAE:
    """The same without an encoder network, and with the other options: no norms, a stage that scales time alone."""
    torch.manual_seed(0)
    config = dataclasses.replace(SMALL, linear_encoder=True, norm=False, spatial=(False, True), patch=4)
    return randomise(CausalVAE(config))


def randomise(vae: CausalVAE) -> CausalVAE:
    for name, value in vae.named_parameters():
        if name.endswith("gamma"):
            torch.nn.init.uniform_(value, 0.5, 1.5)
        elif value.ndim > 1:
            torch.nn.init.normal_(value, std=0.7 / value[0].numel() ** 0.5)
        else:
            torch.nn.init.normal_(value, std=0.1)
    for name, value in vae.named_buffers():
        torch.nn.init.normal_(value, std=0.1) if "mean" in name or "basis" in name else torch.nn.init.uniform_(
            value, 0.5, 2
        )
    return vae.requires_grad_(False).eval()


MODELS = pytest.mark.parametrize("make", [wan, small, linear_encoder])


def split(total: int, cuts: tuple[int, ...]) -> list[slice]:
    edges = [0, *cuts, total]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def run_split(step, x: Tensor, cuts: tuple[int, ...]) -> Tensor:
    cache, parts = None, []
    for part in split(x.shape[2], cuts):
        out, cache = step(x[:, :, part], cache)
        parts.append(out)
    return torch.cat(parts, dim=2)


# Reference numbers


def test_reference_names_and_shapes() -> None:
    path = SHARED / "manifests/wan2.1_vae.json"
    if not path.is_file():
        pytest.skip(f"no manifest at {path}: set ECHOTORRENT_SHARED")
    with torch.device("meta"):
        vae = CausalVAE(VAEConfig())
    assert {k: [list(v.shape), "float32"] for k, v in vae.state_dict().items()} == json.loads(path.read_text())
    assert (vae.config.time_stride, vae.config.space_stride) == (4, 8)


def test_equals_diffusers_with_random_weights() -> None:
    import diffusers

    vae = wan()
    theirs = diffusers.AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 2, 4, 4])
    # Both register their parameters in the same order apart from the blocks of the decoder, so pair them by call order.
    pairs = list(zip(ordered(vae, "encoder"), ordered(theirs, "encoder"), strict=True))
    pairs += zip(ordered(vae, "decoder"), ordered(theirs, "decoder"), strict=True)
    for mine, other in [*pairs, *zip(leaves(vae.conv1), leaves(theirs.quant_conv), strict=True)]:
        other.data.copy_(mine.reshape(other.shape))
    for mine, other in zip(leaves(vae.conv2), leaves(theirs.post_quant_conv), strict=True):
        other.data.copy_(mine)
    frames = torch.randn(1, 3, 9, 16, 24)
    with torch.no_grad():
        latents = theirs.encode(frames).latent_dist.mode()
        torch.testing.assert_close(vae.encode(frames)[0], latents, atol=1e-5, rtol=1e-4)
        decoded = theirs.decode(latents).sample
    torch.testing.assert_close(vae.decode(latents)[0].clamp(-1, 1), decoded, atol=1e-5, rtol=1e-4)


def leaves(module: torch.nn.Module) -> list[Tensor]:
    return [p for _, p in sorted(module.named_parameters(recurse=False), reverse=True)]


def ordered(vae: torch.nn.Module, side: str) -> list[Tensor]:
    """Parameters of one side in the order of its layers; shortcuts and time convolutions last in their block."""
    part = getattr(vae, side)
    stem, stages = getattr(part, "conv1", None) or part.conv_in, []
    if hasattr(part, "middle"):
        blocks = [*part.downsamples, *part.middle] if side == "encoder" else [*part.middle, *part.upsamples]
        tail = list(part.head.values())
    else:
        mid = [part.mid_block.resnets[0], part.mid_block.attentions[0], part.mid_block.resnets[1]]
        for block in part.down_blocks if side == "encoder" else part.up_blocks:
            stages += [block] if not hasattr(block, "resnets") else [*block.resnets, *(block.upsamplers or [])]
        blocks = stages + mid if side == "encoder" else mid + stages
        tail = [part.norm_out, part.conv_out]
    found: list[Tensor] = []
    for module in [stem, *blocks, *tail]:
        late = [m for n, m in module.named_children() if n in ("shortcut", "conv_shortcut", "time_conv")]
        skipped = {id(x) for m in late for x in m.modules()}
        for leaf in [m for m in module.modules() if id(m) not in skipped] + [x for m in late for x in m.modules()]:
            found += leaves(leaf)
    return found


# Streaming


@MODELS
@pytest.mark.parametrize("cuts", [(1,), (1, 2, 3, 4), (2,), (1, 4), (3,)])
def test_decode_in_parts_is_the_same(make, cuts) -> None:
    vae = make()
    latents = torch.randn(2, vae.config.z_dim, 5, 3, 2)
    whole, _ = vae.decode(latents)
    assert whole.shape == (2, 3, 17, 24, 16)
    torch.testing.assert_close(run_split(vae.decode, latents, cuts), whole, atol=1e-5, rtol=1e-5)


@MODELS
@pytest.mark.parametrize("cuts", [(1,), (1, 5, 9), (5,), (2, 3, 4, 10), (1, 3, 16)])
def test_encode_in_parts_is_the_same(make, cuts) -> None:
    vae = make()
    frames = torch.randn(2, 3, 17, 16, 24)
    whole, _ = vae.encode(frames)
    assert whole.shape == (2, vae.config.z_dim, 5, 2, 3)
    torch.testing.assert_close(run_split(vae.encode, frames, cuts), whole, atol=1e-5, rtol=1e-5)


@MODELS
def test_samples_of_a_batch_do_not_mix(make) -> None:
    vae = make()
    latents = torch.randn(2, vae.config.z_dim, 3, 2, 2)
    both, _ = vae.decode(latents)
    torch.testing.assert_close(vae.decode(latents[1:])[0], both[1:], atol=1e-5, rtol=1e-5)
    frames = torch.randn(2, 3, 9, 16, 16)
    torch.testing.assert_close(vae.encode(frames[1:])[0], vae.encode(frames)[0][1:], atol=1e-5, rtol=1e-5)


@MODELS
def test_is_causal(make) -> None:
    vae = make()
    latents = torch.randn(1, vae.config.z_dim, 4, 2, 2)
    changed = latents.clone()
    changed[:, :, 3] += 1
    a, b = vae.decode(latents)[0], vae.decode(changed)[0]
    torch.testing.assert_close(a[:, :, :9], b[:, :, :9])
    assert (a[:, :, 9:] - b[:, :, 9:]).abs().amax() > 1e-3


@MODELS
def test_the_given_cache_stays_as_it_was(make, tmp_path) -> None:
    vae = make()
    latents, frames = torch.randn(1, vae.config.z_dim, 3, 2, 2), torch.randn(1, 3, 11, 16, 16)
    for step, x, cut in ((vae.decode, latents, 1), (vae.encode, frames, 7)):
        _, cache = step(x[:, :, :cut], None)
        before = {k: v.clone() for k, v in cache.items()}
        first, after = step(x[:, :, cut:], cache)
        again, _ = step(x[:, :, cut:], cache)
        assert torch.equal(first, again) and cache.keys() == before.keys()
        assert all(torch.equal(cache[k], before[k]) for k in before)
        assert all(v.untyped_storage().nbytes() == v.nbytes for v in after.values()), "a slot pins a larger tensor"
        save_file(after, tmp_path / "cache.safetensors")
        assert load_file(tmp_path / "cache.safetensors").keys() == after.keys()


def test_kernel_1_has_no_slot() -> None:
    vae = small()
    _, cache = vae.decode(torch.randn(1, vae.config.z_dim, 2, 2, 2))
    kernels = {name: m.kernel_size[0] for name, m in vae.named_modules() if hasattr(m, "slot")}
    assert set(cache) == {name for name, kt in kernels.items() if kt > 1 and name.startswith("decoder")}


# The linear skip


def patches(frames: np.ndarray) -> np.ndarray:
    """(4, 8h, 8w, 3) -> (h*w, 4*8*8*3), in plain loops."""
    _, height, width, _ = frames.shape
    return np.stack([frames[:, y : y + 8, x : x + 8].ravel() for y in range(0, height, 8) for x in range(0, width, 8)])


def test_zero_network_is_the_pca_codec() -> None:
    torch.manual_seed(0)
    vae = CausalVAE(SMALL).requires_grad_(False)
    assert vae.skip is not None
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(768, 4)))[0].T.astype(np.float32)
    vae.skip.basis.copy_(torch.from_numpy(basis))
    vae.skip.mean.normal_()
    vae.skip.scale.uniform_(0.5, 2)
    vae.latent_mean.normal_()
    vae.latent_std.uniform_(0.5, 2)
    frames = torch.randn(1, 3, 9, 16, 24)
    decoded = vae.decode(vae.encode(frames)[0])[0]
    pixels = frames[0].permute(1, 2, 3, 0).numpy()
    mean = vae.skip.mean.numpy()
    groups = [np.repeat(pixels[:1], 4, axis=0), pixels[1:5], pixels[5:9]]
    wanted = [(patches(g) - mean) @ basis.T @ basis + mean for g in groups]
    got = decoded[0].permute(1, 2, 3, 0).numpy()
    np.testing.assert_allclose(patches(got[1:5]), wanted[1], atol=1e-4)
    np.testing.assert_allclose(patches(got[5:9]), wanted[2], atol=1e-4)
    first = wanted[0].reshape(-1, 4, 192)[:, 3]  # of its four frames the last
    np.testing.assert_allclose(patches(np.repeat(got[:1], 4, axis=0)).reshape(-1, 4, 192)[:, 0], first, atol=1e-4)


def test_statistics_travel_with_a_linear_skip_only() -> None:
    assert {"latent_mean", "latent_std", "skip.basis"} <= small().state_dict().keys()
    assert not any("latent" in k or "skip" in k for k in wan().state_dict())


# Layers and input


def test_conv_of_doubled_is_upsample_then_conv() -> None:
    x, weight, bias = torch.randn(2, 5, 4, 6), torch.randn(3, 5, 3, 3), torch.randn(3)
    wanted = F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest-exact"), weight, bias, padding=1)
    torch.testing.assert_close(conv_of_doubled(x, weight, bias), wanted, atol=1e-5, rtol=1e-5)


def test_gradients_flow_through_the_history() -> None:
    vae = small()
    latents = torch.randn(1, vae.config.z_dim, 3, 2, 2, requires_grad=True)
    vae.decode(latents)[0][:, :, -1].sum().backward()
    assert latents.grad is not None and latents.grad[:, :, 0].abs().sum() > 0


@MODELS
def test_bf16(make) -> None:
    vae = make()
    latents = torch.randn(1, vae.config.z_dim, 2, 2, 2)
    exact, _ = vae.decode(latents)
    rough, cache = vae.bfloat16().decode(latents.bfloat16())
    assert rough.dtype == torch.bfloat16 and all(v.dtype == torch.bfloat16 for v in cache.values())
    assert (rough.float() - exact).abs().mean() < 0.05 * exact.abs().mean()


def test_embedded_size_budget() -> None:
    vae = CausalVAE(get_preset("embedded").vae)
    assert sum(p.numel() for p in vae.parameters()) <= 4.5e6  # 9 MB as fp16
    assert (vae.config.time_stride, vae.config.space_stride, vae.config.z_dim) == (4, 8, 48)


def test_bad_input_says_what_was_expected() -> None:
    vae = small()
    with pytest.raises(ValueError, match="divisible by 8"):
        vae.encode(torch.zeros(1, 3, 1, 12, 16))
    with pytest.raises(ValueError, match=r"\(batch, 4,"):
        vae.decode(torch.zeros(1, 5, 1, 2, 2))
    _, cache = vae.decode(torch.zeros(1, 4, 1, 2, 2))
    with pytest.raises(ValueError, match="batch and picture size must stay the same"):
        vae.decode(torch.zeros(1, 4, 1, 2, 3), cache)
    with pytest.raises(ValueError, match="cache that the previous call"):
        vae.encode(torch.zeros(1, 3, 4, 16, 16), cache)
    with pytest.raises(ValueError, match="kernel_t"):
        CausalVAE(VAEConfig(kernel_t=(3,)))


def test_large_pictures_go_through_in_passes(monkeypatch) -> None:
    """How many latents the network sees at once bounds its memory and changes nothing else."""
    vae, frames = wan(), torch.randn(1, 3, 13, 16, 24)
    latents, seen = vae.encode(frames)[0], []
    whole = vae.decode(latents)[0]
    monkeypatch.setattr(causal, "_PASS", 2 * latents[0, 0, 0].numel())
    monkeypatch.setattr(vae, "_decode", lambda z, cache, real=vae._decode: seen.append(z.shape[2]) or real(z, cache))
    torch.testing.assert_close(vae.encode(frames)[0], latents, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(vae.decode(latents)[0], whole, atol=1e-5, rtol=1e-4)
    assert seen == [1, 2, 1]
