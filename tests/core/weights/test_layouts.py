"""Spellings: prefixes, aliases and diffusers names come to the names of our modules, which then compute the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from echotorrent_core import flow
from echotorrent_core.config import AudioAdapterConfig, TrunkConfig, VAEConfig
from echotorrent_core.errors import InputError
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import FullContext, Geometry
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.layouts import diffusers_name, official, official_name
from echotorrent_core.weights.recognise import recognise, trunk_config
from echotorrent_core.weights.source import Source, open_source
from tests.core.weights.files import equal, save
from tests.parity.runner import SHARED

MANIFESTS = SHARED / "manifests"
MAPS = MANIFESTS / "wan_infinitetalk_keymaps.json"

needs_maps = pytest.mark.skipif(not MAPS.is_file(), reason="manifests are not beside this checkout")

AUDIO = AudioAdapterConfig(blocks=2, channels=6, intermediate_dim=8, output_dim=12, context_tokens=3)
TINY = TrunkConfig(dim=32, ffn_dim=48, num_heads=2, num_layers=2, text_dim=24, image_dim=16, freq_dim=32, audio=AUDIO)


def manifest(name: str) -> dict[str, list]:
    return json.loads((MANIFESTS / f"{name}.json").read_text())


def trunk() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {key: torch.randn(value.shape) for key, value in Trunk(TINY).state_dict().items()}


def adapter_of(tensors: dict[str, Tensor]) -> set[str]:
    return {key for key in tensors if "audio" in key or "norm_x" in key}


# Key maps


@needs_maps
def test_trunk_names_follow_the_published_map() -> None:
    pairs = json.loads(MAPS.read_text())["dit_official_to_diffusers"]
    assert {diffusers_name(mine): mine for mine in pairs} == {theirs: mine for mine, theirs in pairs.items()}
    assert {official_name(theirs): theirs for theirs in pairs.values()} == pairs


@needs_maps
@pytest.mark.parametrize("name", ["wan2.1_i2v_14b_480p", "wan2.1_vae"])
def test_diffusers_manifests_come_to_official_names(name) -> None:
    theirs, mine = manifest(f"{name}_diffusers"), manifest(name)
    with torch.device("meta"):
        source = official(source_of({key: torch.empty(shape) for key, (shape, _) in theirs.items()}))
    assert {key: list(source.shape(key)) for key in source.keys()} == {key: shape for key, (shape, _) in mine.items()}  # noqa: SIM118


@needs_maps
def test_vae_names_follow_the_published_map() -> None:
    pairs = json.loads(MAPS.read_text())["vae_official_to_diffusers"]
    source = official(source_of({theirs: torch.empty(i) for i, theirs in enumerate(pairs.values())}))
    assert {key: source.shape(key) for key in source.keys()} == {mine: (i,) for i, mine in enumerate(pairs)}  # noqa: SIM118


class _Tensors:
    """A source of tensors in memory."""

    files, metadata, nbytes = (Path("memory"),), {}, 0

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors

    def keys(self) -> list[str]:
        return list(self.tensors)

    def shape(self, key: str) -> tuple[int, ...]:
        return tuple(self.tensors[key].shape)

    def dtype(self, key: str) -> torch.dtype:
        return self.tensors[key].dtype

    def read(self, key: str, dtype: torch.dtype | None = None) -> Tensor:
        return self.tensors[key].to(dtype or self.dtype(key), copy=True)


def source_of(tensors: dict[str, Tensor]) -> _Tensors:
    return _Tensors(tensors)


# Prefixes and aliases


@pytest.mark.parametrize(
    "prefix", ["", "model.", "diffusion_model.", "model.diffusion_model.", "pipe.dit.", "any.other."]
)
@pytest.mark.parametrize("spelling", ["official", "diffusers", "alias"])
def test_trunks(tmp_path, prefix, spelling) -> None:
    tensors = trunk()
    spell = {
        "official": str,
        "diffusers": diffusers_name,
        "alias": lambda key: key.replace("audio_proj.", "multitalk_audio_proj."),
    }[spelling]
    path = save({prefix + spell(key): value for key, value in tensors.items()}, tmp_path / "model.safetensors")
    equal(official(open_source(path)), tensors)


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
@pytest.mark.parametrize("alias", ["audio_proj.", "multitalk_audio_proj."])
@pytest.mark.parametrize("base", [str, diffusers_name])
def test_base_and_adapter_in_spellings_of_their_own(tmp_path, prefix, alias, base) -> None:
    tensors = trunk()
    audio = adapter_of(tensors)
    adapter = {prefix + key.replace("audio_proj.", alias): tensors[key] for key in audio}
    paths = [
        save({base(key): value for key, value in tensors.items() if key not in audio}, tmp_path / "base.safetensors"),
        save(adapter, tmp_path / "adapter.safetensors"),
    ]
    equal(official(open_source(*paths)), tensors)
    equal(official(open_source(paths[1])), {key: tensors[key] for key in audio})


def test_encoders_lose_their_prefix_and_what_is_beside_them(tmp_path) -> None:
    clip = {"visual.cls_embedding": 1, "visual.transformer.0.attn.to_qkv.weight": 2, "textual.a": 3, "log_scale": 4}
    speech = {
        "wav2vec2.feature_extractor.conv_layers.0.conv.weight": 1,
        "wav2vec2.encoder.layers.0.attention.q_proj.weight": 2,
        "wav2vec2.masked_spec_embed": 3,
        "quantizer.codevectors": 4,
    }
    for keys, kept in ((clip, 2), (speech, 3)):
        path = save(
            {key: torch.full((2,), float(value)) for key, value in keys.items()}, tmp_path / "encoder.safetensors"
        )
        expected = {
            re.sub("^(visual|wav2vec2).", "", key): torch.full((2,), float(value)) for key, value in keys.items()
        }
        equal(official(open_source(path)), dict(list(expected.items())[:kept]))


def test_unknown_keys_stay_for_the_loader_to_refuse(tmp_path) -> None:
    tensors = trunk()
    path = save(
        {**{f"model.{key}": value for key, value in tensors.items()}, "vae.x": torch.ones(1)},
        tmp_path / "m.safetensors",
    )
    equal(official(open_source(path)), tensors | {"vae.x": torch.ones(1)})


def test_two_spellings_of_one_tensor(tmp_path) -> None:
    extra = {"multitalk_audio_proj.proj1.weight": torch.ones(2, 2)}
    path = save(trunk() | extra, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"model\.safetensors: holds 'audio_proj\.proj1\.weight' twice, as"):
        official(open_source(path))


def test_a_tokenizer_stays_readable_under_a_prefix(tmp_path) -> None:
    bias = "te.encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"
    spiece = torch.arange(5, dtype=torch.uint8)
    tensors = {"te.encoder.block.0.layer.0.SelfAttention.q.weight": torch.ones(2), bias: torch.ones(3)}
    source = official(open_source(save({**tensors, "te.spiece_model": spiece}, tmp_path / "t5.safetensors")))
    assert torch.equal(source.read("spiece_model"), spiece) and "spiece_model" not in source.keys()  # noqa: SIM118


# diffusers' own classes, saved by themselves, as our modules


def load(module: nn.Module, source: Source) -> nn.Module:
    module.load_state_dict({key: source.read(key) for key in source.keys()})  # noqa: SIM118 (not a dict)
    return module.eval().requires_grad_(False)


def randomise(module: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for name, value in module.named_parameters():
        spread = 0.2 if value.dim() == 1 or "table" in name else 0.7 * value[0].numel() ** -0.5
        value.data.add_(torch.randn(value.shape), alpha=spread)
    return module.eval().requires_grad_(False)


@pytest.mark.parametrize("kind", ["t2v", "i2v"])
def test_diffusers_transformer_folder(tmp_path, kind) -> None:
    from diffusers import WanTransformer3DModel

    image_dim, in_dim = (28, 36) if kind == "i2v" else (None, 16)
    oracle = WanTransformer3DModel(
        num_attention_heads=2, attention_head_dim=20, in_channels=in_dim, out_channels=16, text_dim=24, freq_dim=32,
        ffn_dim=72, num_layers=2, image_dim=image_dim, added_kv_proj_dim=40 if image_dim else None,
    )  # fmt: skip
    randomise(oracle).save_pretrained(tmp_path, max_shard_size="100KB")
    part = recognise(open_source(tmp_path))
    assert len(part.source.files) > 1 and (part.kind, part.family) == ("trunk", f"wan2.1_{kind}_custom")
    model = load(Trunk(trunk_config(part, num_heads=2)), part.source)
    latents, text, sigma = torch.randn(1, 16, 3, 6, 8), torch.randn(1, 512, 24), torch.tensor([0.9])
    condition, clip = (torch.randn(1, 20, 3, 6, 8), torch.randn(1, 257, 28)) if image_dim else (None, None)
    expected = oracle(
        hidden_states=latents if condition is None else torch.cat([latents, condition], 1),
        timestep=flow.timestep(sigma),
        encoder_hidden_states=text,
        encoder_hidden_states_image=clip,
    ).sample
    geometry = Geometry(*model.grid(6, 8), model.config.head_dim, model.config.rope_theta)
    context = FullContext(geometry, model.attention)
    image = None if clip is None else model.embed_image(clip)
    mine = model(latents, sigma, condition, model.embed_text(text), None, context, image)
    assert expected.std() > 0.3
    torch.testing.assert_close(mine, expected, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("blocks", [1, 2])
def test_diffusers_vae_folder(tmp_path, blocks) -> None:
    from diffusers import AutoencoderKLWan

    oracle = randomise(AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=blocks))
    oracle.save_pretrained(tmp_path)
    part = recognise(open_source(tmp_path))
    assert part.facts == {
        "z_dim": 16, "widths": (4, 8, 16, 16), "num_res_blocks": blocks, "temporal": (False, True, True)
    }  # fmt: skip
    model = load(CausalVAE(VAEConfig(**part.facts, mean=None, std=None)), part.source)
    frames = torch.rand(1, 3, 5, 16, 24) * 2 - 1
    latents = oracle.encode(frames).latent_dist.mode()
    torch.testing.assert_close(model.encode(frames)[0], latents, atol=2e-5, rtol=2e-5)
    torch.testing.assert_close(
        model.decode(latents)[0].clamp(-1, 1), oracle.decode(latents).sample, atol=2e-5, rtol=2e-5
    )
