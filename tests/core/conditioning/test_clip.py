"""Both spellings of CLIP weights fill the `transformers` class; pictures are prepared as Wan prepares them."""

import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel

from echotorrent_core.conditioning import clip
from echotorrent_core.errors import InputError
from echotorrent_core.weights.load import on_meta, shapes
from tests.parity.runner import SHARED

TINY = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 2}


@pytest.fixture
def model(randomised):
    return randomised(CLIPVisionModel(CLIPVisionConfig(**TINY, image_size=8, patch_size=4, hidden_act="gelu")))


def bare(model) -> dict[str, torch.Tensor]:
    return {key.removeprefix("vision_model."): value for key, value in model.state_dict().items()}


def transformers_file(model) -> dict[str, torch.Tensor]:
    """As clip_vision_h.safetensors; older files also hold the position numbers."""
    extra = {"visual_projection.weight": torch.zeros(5, 24), "vision_model.embeddings.position_ids": torch.zeros(1, 5)}
    return {f"vision_model.{key}": value for key, value in bare(model).items()} | extra


def official_file(model) -> dict[str, torch.Tensor]:
    """As the published .pth: fused qkv, embeddings with leading ones, the text tower beside it."""
    state = bare(model)
    layers = [f"encoder.layers.{i}.self_attn" for i in range(3)]
    for layer in layers:
        for leaf in ("weight", "bias"):
            state[f"{layer}.to_qkv.{leaf}"] = torch.cat([state.pop(f"{layer}.{p}_proj.{leaf}") for p in "qkv"])
    names = {
        "embeddings.class_embedding": "cls_embedding",
        "embeddings.position_embedding.weight": "pos_embedding",
        "embeddings.patch_embedding": "patch_embedding",
        "pre_layrnorm": "pre_norm",
        "post_layernorm": "post_norm",
        "encoder.layers": "transformer",
        "self_attn.out_proj": "attn.proj",
        "self_attn": "attn",
        "layer_norm": "norm",
        "mlp.fc1": "mlp.0",
        "mlp.fc2": "mlp.2",
    }
    for old, new in names.items():
        state = {key.replace(old, new): value for key, value in state.items()}
    state["cls_embedding"] = state["cls_embedding"].view(1, 1, -1)
    state["pos_embedding"] = state["pos_embedding"][None]
    beside = {
        "textual.token_embedding.weight": torch.zeros(9, 3),
        "log_scale": torch.zeros(()),
        "visual.head": torch.ones(2),
    }
    return {f"visual.{key}": value for key, value in state.items()} | beside


@pytest.mark.parametrize("spelled", [official_file, transformers_file, bare])
def test_every_spelling(model, opened, spelled):
    picture = torch.rand(1, 3, 13, 9, generator=torch.Generator().manual_seed(1)) * 2 - 1
    loaded = clip.load_clip(opened(spelled(model)), torch.float32, heads=2)
    pixels = clip.preprocess(picture, 8)
    assert torch.equal(loaded(pixels).last_hidden_state, model(pixels).last_hidden_state)
    expected = model(pixels, output_hidden_states=True).hidden_states[2]
    assert torch.equal(clip.encode_image(loaded, picture), expected)


def test_tokens_are_those_before_the_last_block(model):
    picture = torch.zeros(1, 3, 8, 8)
    before = clip.encode_image(model, picture)
    for name, parameter in model.named_parameters():
        if "layers.2" in name or "post_layernorm" in name:
            parameter.zero_()
    assert torch.equal(clip.encode_image(model, picture), before)
    assert before.shape == (1, 5, 24)


def test_half_precision(model, opened):
    picture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    loaded = clip.load_clip(opened(official_file(model)), torch.float16, heads=2)
    tokens = clip.ImageEncoder(loaded).encode(picture)
    assert tokens.dtype == torch.float16
    torch.testing.assert_close(tokens.float(), clip.encode_image(model, picture), atol=0.05, rtol=0.05)


def test_the_published_size():
    with on_meta():
        expected = shapes(CLIPVisionModel(clip.clip_vit_h()))
    assert sum(torch.Size(shape).numel() for shape in expected.values()) == 632_076_800 - 1024 * 1280  # the projection


@pytest.mark.parametrize("name", ["clip_xlm_roberta_vit_h_14", "clip_vision_h_hf"])
def test_the_published_keys(name, listed):
    weights = clip.clip_names(listed(SHARED / "manifests" / f"{name}.json"))
    assert clip.clip_config(weights).to_dict() == clip.clip_vit_h().to_dict()
    with on_meta():
        model = CLIPVisionModel(clip.clip_vit_h())
    assert {key: weights.shape(key) for key in weights.keys()} == shapes(getattr(model, "vision_model", model))  # noqa: SIM118


def test_unfit_weights_are_refused(model, opened):
    state = official_file(model)
    with pytest.raises(InputError, match=r"weights\.safetensors.*unexpected transformer\.0\.extra"):
        clip.load_clip(opened(state | {"visual.transformer.0.extra": torch.zeros(1)}), torch.float32, heads=2)
    with pytest.raises(InputError, match=r"weights\.safetensors.*cannot have the sizes"):
        clip.load_clip(opened(state), torch.float32, heads=7)
    del state["visual.patch_embedding.weight"]
    with pytest.raises(InputError, match=r"patch_embedding\.weight' of a CLIP vision tower is missing"):
        clip.load_clip(opened(state), torch.float32, heads=2)


def test_colours_are_normalised():
    grey = clip.preprocess(torch.zeros(1, 3, 50, 70), 4)
    mean, spread = torch.tensor([0.48145466, 0.4578275, 0.40821073]), torch.tensor([0.26862954, 0.26130258, 0.27577711])
    torch.testing.assert_close(grey, ((0.5 - mean) / spread)[:, None, None].expand(1, 3, 4, 4), atol=1e-6, rtol=0)


def test_pictures_are_squeezed_to_a_square_without_antialiasing():
    """A quarter of the height: each row is the cubic (a = -0.75) half way between the middle two of its four rows."""
    rows = torch.randn(16, generator=torch.Generator().manual_seed(0))
    picture = rows[:, None].expand(1, 3, 16, 4)
    taps = torch.tensor([-0.09375, 0.59375, 0.59375, -0.09375])
    expected = (((rows.view(4, 4) * taps).sum(1) + 1) / 2 - 0.48145466) / 0.26862954
    torch.testing.assert_close(clip.preprocess(picture, 4)[0, 0], expected[:, None].expand(4, 4), atol=1e-5, rtol=0)
