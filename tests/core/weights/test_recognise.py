"""Recognition by keys and shapes alone: every family and its sizes, LoRAs, and what other files are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from echotorrent_core.config import TrunkConfig, VAEConfig
from echotorrent_core.errors import InputError
from echotorrent_core.model.dit import Trunk
from echotorrent_core.presets import get_preset
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.layouts import diffusers_name
from echotorrent_core.weights.load import on_meta, shapes
from echotorrent_core.weights.recognise import recognise, require, trunk_config
from echotorrent_core.weights.source import Source, merged, open_source
from echotorrent_core.weights.tensors import StoredTensor
from tests.core.weights.files import save
from tests.parity.runner import FIXTURES, SHARED

Shapes = dict[str, tuple[int, ...]]

MANIFESTS = SHARED / "manifests"
FILE = Path("file.safetensors")

I2V = TrunkConfig(audio=None)
T2V = TrunkConfig(in_dim=16, image_dim=0, audio=None)
SMALL = TrunkConfig(dim=1536, ffn_dim=8960, num_heads=12, num_layers=30, in_dim=16, image_dim=0, audio=None)
INFINITETALK = TrunkConfig()


def unread(entries: Shapes, stored: str = "bf16") -> Source:
    """A source that knows keys and shapes, and fails when a tensor is read."""
    tensors = {
        key: StoredTensor(tuple(shape), torch.bfloat16, stored, FILE, lambda: pytest.fail("was read"))
        for key, shape in entries.items()
    }
    return Source(tensors, (FILE,))


def of(make: type[nn.Module], *config: object) -> Shapes:
    with on_meta():
        return shapes(make(*config))


@pytest.fixture(scope="module")
def infinitetalk() -> Shapes:
    return of(Trunk, INFINITETALK)


def base_and_adapter(both: Shapes) -> tuple[Shapes, Shapes]:
    adapter = {key: shape for key, shape in both.items() if "audio" in key or "norm_x" in key}
    return {key: shape for key, shape in both.items() if key not in adapter}, adapter


# Our own modules, at the sizes of the published models


@pytest.mark.parametrize(
    ("config", "family"), [(I2V, "wan2.1_i2v_14b"), (T2V, "wan2.1_t2v_14b"), (SMALL, "wan2.1_t2v_1.3b")]
)
def test_trunks(config, family) -> None:
    for spell in (str, diffusers_name):
        part = recognise(unread({"model." + spell(key): shape for key, shape in of(Trunk, config).items()}))
        assert (part.kind, part.family) == ("trunk", family)
        assert trunk_config(part) == config


def test_infinitetalk_merged_apart_and_alone(infinitetalk) -> None:
    base, adapter = base_and_adapter(infinitetalk)
    for source in (unread(infinitetalk), merged([unread(base), unread(adapter)])):
        part = recognise(source)
        assert (part.kind, part.family) == ("trunk", "infinitetalk_14b") and trunk_config(part) == INFINITETALK
        assert "FlashTalk 14B" in part.title
    alone = recognise(unread(adapter))
    assert (alone.kind, alone.family) == ("audio_adapter", "infinitetalk_adapter_14b")
    assert alone.facts["audio"] == recognise(unread(infinitetalk)).facts["audio"]


def test_vae() -> None:
    part = recognise(unread(of(CausalVAE, VAEConfig())))
    assert (part.kind, part.family) == ("vae", "wan2.1_vae")
    assert VAEConfig(**part.facts) == VAEConfig()


def test_our_own_small_trunk() -> None:
    part = recognise(unread(of(Trunk, get_preset("embedded").trunk)))
    assert (part.kind, part.family) == ("trunk", "echotorrent")


def test_encoders_of_transformers() -> None:
    from transformers import (
        CLIPVisionConfig,
        CLIPVisionModel,
        UMT5Config,
        UMT5EncoderModel,
        Wav2Vec2Config,
        Wav2Vec2Model,
    )

    with torch.device("meta"):
        umt5 = UMT5EncoderModel(UMT5Config(vocab_size=256384, d_model=4096, d_ff=10240, num_layers=24, num_heads=64))
        clip = CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=16, patch_size=14
            )
        )
        speech = Wav2Vec2Model(Wav2Vec2Config())
    found = {}
    for prefix, model in (("", umt5), ("", clip), ("wav2vec2.", speech)):
        entries = {prefix + key: tuple(value.shape) for key, value in model.state_dict().items()}
        if model is clip:  # transformers 5 leaves the prefix of published files out
            entries = {"vision_model." + key.removeprefix("vision_model."): shape for key, shape in entries.items()}
        part = recognise(unread(entries))
        found[part.kind] = part.family, part.facts
    assert found == {
        "umt5": ("umt5_xxl", {"vocab": 256384, "dim": 4096, "layers": 24}),
        "clip_vision": ("clip_vit_h", {"tokens": 257, "dim": 1280, "layers": 32}),
        "wav2vec2": ("wav2vec2_base", {"dim": 768, "layers": 12}),
    }


def test_llama_cpp_names_of_umt5() -> None:
    entries = {f"enc.blk.{i}.attn_{name}.weight": (32, 64) for i in range(24) for name in ("rel_b", "q", "k")}
    assert recognise(unread(entries | {"token_embd.weight": (256384, 4096)})).family == "umt5_xxl"


def test_precision_is_that_of_most_weights(tmp_path) -> None:
    tensors = {"enc.blk.0.attn_q.weight": torch.ones(9, 9).half(), "enc.blk.1.attn_rel_b.weight": torch.ones(3, 3)}
    part = recognise(open_source(save(tensors | {"token_embd.weight": torch.ones(3, 3)}, tmp_path / "t5.safetensors")))
    assert part.precision == "fp16"
    assert recognise(unread(of(CausalVAE, VAEConfig()), stored="gguf Q8_0")).precision == "gguf Q8_0"


# Published files, by their manifests

FAMILIES = {
    "avatarforcing": {"model": ("other", "avatarforcing")},
    "chinese_wav2vec2_base": {"": ("wav2vec2", "wav2vec2_base")},
    "clip_vision_h_hf": {"": ("clip_vision", "clip_vit_h")},
    "clip_xlm_roberta_vit_h_14": {"": ("clip_vision", "clip_vit_h")},
    "echomimicv3_flash": {"model": ("other", "echomimicv3")},
    "infinitetalk_adapter": {"": ("audio_adapter", "infinitetalk_adapter_14b")},
    "liveavatar": {"base": ("other", "liveavatar"), "lora": ("lora", "liveavatar")},
    "livetalk": {"model": ("other", "livetalk")},
    "omniavatar_14b": {"model": ("other", "omniavatar_14b")},
    "soulx_flashhead": {"pro": ("other", "flashhead"), "lite": ("other", "flashhead")},
    "soulx_flashtalk": {"model": ("trunk", "infinitetalk_14b")},
    "umt5_xxl_encoder": {"": ("umt5", "umt5_xxl")},
    "umt5_xxl_encoder_hf": {"": ("umt5", "umt5_xxl")},
    "wan2.1_i2v_14b_480p": {"": ("trunk", "wan2.1_i2v_14b")},
    "wan2.1_i2v_14b_480p_diffusers": {"": ("trunk", "wan2.1_i2v_14b")},
    "wan2.1_t2v_1.3b": {"": ("trunk", "wan2.1_t2v_1.3b")},
    "wan2.1_t2v_14b": {"": ("trunk", "wan2.1_t2v_14b")},
    "wan2.1_vae": {"": ("vae", "wan2.1_vae")},
    "wan2.1_vae_diffusers": {"": ("vae", "wan2.1_vae")},
}


@pytest.mark.skipif(not MANIFESTS.is_dir(), reason="manifests are not beside this checkout")
@pytest.mark.parametrize("name", FAMILIES)
def test_published_manifests(name) -> None:
    content = json.loads((MANIFESTS / f"{name}.json").read_text())
    for group, expected in FAMILIES[name].items():
        entries = content[group]["tensors"] if group else {key: shape for key, (shape, _) in content.items()}
        part = recognise(unread(entries))
        assert (part.kind, part.family) == expected


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="golden fixtures are not beside this checkout")
def test_every_fixture_with_weights_is_recognised() -> None:
    kinds = {"umt5": "umt5", "clip_vision": "clip_vision", "wav2vec2": "wav2vec2", "vae": "vae", "lora": "lora"}
    for path in sorted(FIXTURES.glob("*/*.safetensors")):
        if path.name != "io.safetensors":
            expected = (
                "audio_adapter" if path.name == "infinitetalk.safetensors" else kinds.get(path.parent.name, "trunk")
            )
            assert recognise(open_source(path)).kind == expected, path


# Families that are known and not run here

RELATIVES = {
    "liveavatar": "audio_injector.injector.0.q.weight",
    "livetalk": "audio_cond_projs.0.weight",
    "avatarforcing": "blocks.0.self_attn.q.base_layer.weight",
    "flashhead": "audio_emb.proj.0.weight",
    "echomimicv3": "audio_injection.proj1.weight",
    "wan_vace": "vace_blocks.0.self_attn.q.weight",
}


@pytest.mark.parametrize("family", RELATIVES)
def test_relatives_are_named_and_refused(family) -> None:
    part = recognise(unread(of(Trunk, SMALL) | {RELATIVES[family]: (4, 4)}))
    assert (part.kind, part.family) == ("other", family)
    with pytest.raises(InputError, match=r"^file\.safetensors: is .*, which is not supported; expected a Wan 2\.1"):
        require(part, "trunk")


@pytest.mark.parametrize(
    ("changes", "family"),
    [
        ({"in_dim": 36}, "wan2.2_i2v_14b"),
        ({"in_dim": 52}, "wan_relative"),
        ({"in_dim": 48, "out_dim": 48}, "wan2.2_ti2v_5b"),
    ],
)
def test_other_inputs_make_another_family(changes, family) -> None:
    part = recognise(unread(of(Trunk, TrunkConfig(**{"image_dim": 0, "audio": None} | changes))))
    assert (part.kind, part.family) == ("other", family)


# LoRAs

SPELLINGS = {
    "lightx2v": ("diffusion_model.blocks.3.self_attn.q", "lora_down", "lora_up", ".weight"),
    "comfy": ("diffusion_model.blocks.3.cross_attn.o", "lora_A", "lora_B", ".weight"),
    "peft": ("base_model.model.blocks.3.ffn.0", "lora_A", "lora_B", ".default.weight"),
    "diffusers": ("transformer.blocks.3.attn1.to_out.0", "lora_A", "lora_B", ".weight"),
    "kohya": ("lora_unet_blocks_3_self_attn_v", "lora_down", "lora_up", ".weight"),
    "wan-fun": ("lora_unet__blocks_3_ffn_0", "lora_down", "lora_up", ".weight"),
    "lycoris": ("lycoris_blocks_3_attn2_to_q", "lora_down", "lora_up", ".weight"),
}


def lora(module: str, down: str, up: str, leaf: str, dim: int, out: int) -> Shapes:
    return {f"{module}.{down}{leaf}": (16, dim), f"{module}.{up}{leaf}": (out, 16), f"{module}.alpha": ()}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(("dim", "family"), [(5120, "wan2.1_14b"), (1536, "wan2.1_1.3b"), (64, "wan2.1_custom")])
def test_loras(spelling, dim, family) -> None:
    part = recognise(unread(lora(*SPELLINGS[spelling], dim, 4 * dim)))
    assert (part.kind, part.family) == ("lora", family)
    assert part.facts == {"dim": dim, "rank": 16, "layers": 4, "image": False}
    with pytest.raises(
        InputError, match=r"is a LoRA .*; expected a Wan 2\.1.* model; give it as a LoRA, beside a model"
    ):
        require(part, "trunk")
    assert require(part, "lora", "trunk") is part


@pytest.mark.parametrize(
    ("module", "named"),
    [
        ("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q", "Stable Diffusion or SDXL"),
        ("lora_unet_single_blocks_0_linear1", "Flux"),
        ("transformer.single_transformer_blocks.0.attn.to_q", "Flux"),
        ("model.layers.0.self_attn.q_proj", "a language model"),
        ("something.else", "an unknown model"),
    ],
)
def test_loras_for_other_models(module, named) -> None:
    with pytest.raises(
        InputError, match=rf"^file\.safetensors: is a LoRA for {named}, by keys .*; expected one for Wan 2\.1"
    ):
        recognise(unread(lora(module, "lora_down", "lora_up", ".weight", 640, 640)))


# Everything else

STRANGERS = {
    "SDXL": ["model.diffusion_model.input_blocks.0.0.weight", "conditioner.embedders.1.model.ln_final.weight"],
    "Stable Diffusion": ["model.diffusion_model.input_blocks.0.0.weight", "cond_stage_model.transformer.a"],
    "Flux": ["double_blocks.0.img_attn.qkv.weight", "single_blocks.0.linear1.weight"],
    "HunyuanVideo": ["txt_in.individual_token_refiner.blocks.0.a", "double_blocks.0.img_attn_qkv.weight"],
    "Wan 2.2 VAE": ["encoder.conv1.weight", "encoder.downsamples.0.downsamples.0.residual.0.gamma"],
    "VAE of Stable Diffusion": ["encoder.conv_in.weight", "decoder.up.0.block.0.norm1.weight"],
    "T5 encoder other than umT5": ["shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight"],
    "CLIP text encoder": ["text_model.encoder.layers.0.self_attn.q_proj.weight"],
    "language model": ["model.layers.0.self_attn.q_proj.weight"],
}


@pytest.mark.parametrize("named", STRANGERS)
def test_other_models_are_named(named) -> None:
    with pytest.raises(
        InputError, match=rf"^file\.safetensors: holds another model \(.*{named}.*, by keys such as .*; expected"
    ):
        recognise(unread(dict.fromkeys(STRANGERS[named], (4, 4))))


def test_the_nearest_part_is_named() -> None:
    entries = of(Trunk, SMALL)
    del entries["patch_embedding.weight"]
    with pytest.raises(
        InputError, match=r"nearest to a Wan 2\.1.* in official names, but lacks 'patch_embedding\.weight'"
    ):
        recognise(unread(entries))
    with pytest.raises(InputError, match=r"holds 1 tensors that fit no known model, such as 'weight'"):
        recognise(unread({"weight": (3,)}))
    with pytest.raises(InputError, match="holds no tensors"):
        recognise(unread({}))


@pytest.mark.parametrize(
    ("key", "shape"),
    [("head.head.weight", None), ("text_embedding.0.weight", (5,)), ("patch_embedding.weight", (0, 1, 1, 2, 2))],
)
def test_incomplete_trunks(key, shape) -> None:
    entries = of(Trunk, SMALL)
    del entries[key]
    if shape:
        entries[key] = shape
    with pytest.raises(
        InputError, match=rf"^file\.safetensors: '{key}' is (missing|of shape .*); the file is incomplete"
    ):
        recognise(unread(entries))


def test_an_audio_projection_of_another_kind(infinitetalk) -> None:
    _, adapter = base_and_adapter(infinitetalk)
    with pytest.raises(InputError, match="audio projection reads 46080 and 46081 values"):
        recognise(unread(adapter | {"audio_proj.proj1_vf.weight": (512, 46081)}))


def test_parts_of_the_wrong_kind() -> None:
    part = recognise(unread(of(CausalVAE, VAEConfig())))
    with pytest.raises(
        InputError, match=r"is a Wan 2\.1 VAE \(Wan 2\.1 VAE\); expected an InfiniteTalk audio adapter or a LoRA"
    ):
        require(part, "audio_adapter", "lora")
    with pytest.raises(InputError, match="expected a Wan 2\\.1, InfiniteTalk or FlashTalk model"):
        trunk_config(part)
