"""The published checkpoints, by their manifests of keys and shapes: our modules have the same keys and shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from echotorrent_core.config import TrunkConfig, VAEConfig
from echotorrent_core.errors import InputError
from echotorrent_core.model.dit import Trunk
from echotorrent_core.presets import get_preset
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.layouts import official
from echotorrent_core.weights.load import check, load_module, on_meta, shapes
from echotorrent_core.weights.source import Source, merged
from echotorrent_core.weights.tensors import StoredTensor
from tests.parity.runner import SHARED

MANIFESTS = SHARED / "manifests"

I2V = TrunkConfig(audio=None)
T2V = TrunkConfig(in_dim=16, image_dim=0, audio=None)
T2V_SMALL = TrunkConfig(dim=1536, ffn_dim=8960, num_heads=12, num_layers=30, in_dim=16, image_dim=0, audio=None)
INFINITETALK = get_preset("infinitetalk_14b").trunk

PUBLISHED: dict[str, tuple[Callable[[Any], nn.Module], Any, tuple[str, ...]]] = {
    "Wan 2.1 I2V-14B": (Trunk, I2V, ("wan2.1_i2v_14b_480p",)),
    "Wan 2.1 I2V-14B, diffusers": (Trunk, I2V, ("wan2.1_i2v_14b_480p_diffusers",)),
    "Wan 2.1 T2V-14B": (Trunk, T2V, ("wan2.1_t2v_14b",)),
    "Wan 2.1 T2V-1.3B": (Trunk, T2V_SMALL, ("wan2.1_t2v_1.3b",)),
    "InfiniteTalk": (Trunk, INFINITETALK, ("wan2.1_i2v_14b_480p", "infinitetalk_adapter")),
    "InfiniteTalk, diffusers base": (Trunk, INFINITETALK, ("wan2.1_i2v_14b_480p_diffusers", "infinitetalk_adapter")),
    "InfiniteTalk, LightX2V": (
        Trunk,
        get_preset("infinitetalk_14b_lightx2v").trunk,
        ("wan2.1_i2v_14b_480p", "infinitetalk_adapter"),
    ),
    "EchoTorrent": (Trunk, get_preset("echotorrent_14b").trunk, ("wan2.1_i2v_14b_480p", "infinitetalk_adapter")),
    "SoulX-FlashTalk": (Trunk, get_preset("flashtalk_14b").trunk, ("soulx_flashtalk",)),
    "Wan 2.1 VAE": (CausalVAE, get_preset("infinitetalk_14b").vae, ("wan2.1_vae",)),
    "Wan 2.1 VAE, diffusers": (CausalVAE, VAEConfig(), ("wan2.1_vae_diffusers",)),
}


def manifest(name: str, prefix: str = "") -> Source:
    """A checkpoint that knows its keys and shapes, and fails when a tensor is read."""
    path = MANIFESTS / f"{name}.json"
    if not path.is_file():
        pytest.skip("manifests are not beside this checkout (ECHOTORRENT_SHARED names their folder)")
    content = json.loads(path.read_text())
    model = content.get("model")
    entries = model["tensors"] if model else {key: shape for key, (shape, _) in content.items()}
    tensors = {
        prefix + key: StoredTensor(tuple(shape), torch.bfloat16, "bfloat16", path, lambda: pytest.fail("was read"))
        for key, shape in entries.items()
    }
    return Source(tensors, (path,))


def build(make: Callable[[Any], nn.Module], config: Any) -> nn.Module:
    with on_meta():
        return make(config)


@pytest.mark.parametrize("name", PUBLISHED)
def test_same_keys_and_shapes(name: str) -> None:
    make, config, files = PUBLISHED[name]
    parts = [manifest(file) for file in files]
    source = official(merged(parts) if len(parts) > 1 else parts[0])
    expected = shapes(build(make, config))
    assert {key: tuple(source.shape(key)) for key in source.keys()} == expected  # noqa: SIM118 (not a dict)
    check(source, expected)


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", "diffusion_model.", "model.", "pipe.dit."])
def test_prefixes(prefix: str) -> None:
    check(official(manifest("wan2.1_t2v_1.3b", prefix)), shapes(build(Trunk, T2V_SMALL)))


def test_the_wrong_family_is_refused_unread() -> None:
    with pytest.raises(InputError, match=r"missing blocks\.0\.cross_attn\.k_img\.weight"):
        load_module(build(Trunk, I2V), official(manifest("wan2.1_t2v_14b")), dtype=torch.bfloat16)


def test_parameters_of_the_published_models() -> None:
    counts = {"wan2.1_i2v_14b_480p": I2V, "wan2.1_t2v_14b": T2V, "wan2.1_t2v_1.3b": T2V_SMALL}
    published = [16_394_878_784, 14_288_491_584, 1_418_996_800]  # as counted in the checkpoints
    found = [sum(p.numel() for p in build(Trunk, config).parameters()) for config in counts.values()]
    assert found == published
