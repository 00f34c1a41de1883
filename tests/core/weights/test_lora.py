"""LoRA files of every spelling, merged as the sum they stand for; what does not fit is refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from echotorrent_core.config import TrunkConfig
from echotorrent_core.errors import InputError
from echotorrent_core.model.dit import Trunk
from echotorrent_core.weights.load import on_meta, shapes
from echotorrent_core.weights.lora import Lora

CONFIG = TrunkConfig(
    dim=24, ffn_dim=40, num_heads=2, num_layers=2, in_dim=36, text_dim=8, image_dim=8, freq_dim=8, audio=None
)
RANK, ALPHA = 4, 2.0
MODULES = {  # Wan's name -> diffusers' name
    "blocks.0.self_attn.q": "blocks.0.attn1.to_q",
    "blocks.1.self_attn.o": "blocks.1.attn1.to_out.0",
    "blocks.0.cross_attn.k": "blocks.0.attn2.to_k",
    "blocks.1.cross_attn.k_img": "blocks.1.attn2.add_k_proj",
    "blocks.0.ffn.0": "blocks.0.ffn.net.0.proj",
    "blocks.1.ffn.2": "blocks.1.ffn.net.2",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "img_emb.proj.3": "condition_embedder.image_embedder.ff.net.2",
    "head.head": "proj_out",
}


def flat(name: str) -> str:
    return name.replace(".", "_")


SPELLINGS: dict[str, tuple[Callable[[str], str], tuple[str, str], bool]] = {  # name -> module, leaves, alpha
    "lightx2v": (lambda m: f"diffusion_model.{m}", ("lora_down", "lora_up"), False),
    "lightx2v alpha": (lambda m: f"diffusion_model.{m}", ("lora_down", "lora_up"), True),
    "comfy": (lambda m: f"diffusion_model.{m}", ("lora_A", "lora_B"), False),
    "peft": (lambda m: f"base_model.model.{m}", ("lora_A", "lora_B"), False),
    "peft adapter": (lambda m: f"base_model.model.{m}", ("lora_A.default", "lora_B.default"), False),
    "diffsynth": (lambda m: m, ("lora_A.default", "lora_B.default"), False),
    "diffsynth pipe": (lambda m: f"pipe.dit.{m}", ("lora_A.default", "lora_B.default"), False),
    "diffusers": (lambda m: f"transformer.{MODULES[m]}", ("lora_A", "lora_B"), False),
    "kohya": (lambda m: f"lora_unet_{flat(m)}", ("lora_down", "lora_up"), True),
    "wan-fun": (lambda m: f"lora_unet__{flat(m)}", ("lora_down", "lora_up"), True),
    "lycoris": (lambda m: f"lycoris_{flat(MODULES[m])}", ("lora_down", "lora_up"), True),
}


@pytest.fixture(scope="module")
def model() -> dict[str, tuple[int, ...]]:
    with on_meta():
        return shapes(Trunk(CONFIG))


def halves(model: dict, seed: int = 0) -> dict[str, tuple[Tensor, Tensor]]:
    """Module -> down, up."""
    generator = torch.Generator().manual_seed(seed)

    def half(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    weights = {module: model[f"{module}.weight"] for module in MODULES}
    return {m: (half(RANK, *shape[1:]), half(shape[0], RANK)) for m, shape in weights.items()}


def write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> Path:
    save_file(tensors, path, metadata)
    return path


def spelled(spelling: str, pairs: dict[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    name, (down, up), alpha = SPELLINGS[spelling]
    tensors = {f"{name(m)}.{down}.weight": pair[0] for m, pair in pairs.items()}
    tensors |= {f"{name(m)}.{up}.weight": pair[1] for m, pair in pairs.items()}
    return tensors | ({f"{name(m)}.alpha": torch.tensor(ALPHA) for m in pairs} if alpha else {})


def change(lora: Lora, model: dict, parameter: str) -> Tensor:
    """What merging adds to a parameter."""
    weight = torch.zeros(model[parameter])
    lora.merge(parameter, weight)
    return weight


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spelling(spelling: str, model: dict, tmp_path: Path) -> None:
    pairs = halves(model)
    lora = Lora.open(write(tmp_path / "lora.safetensors", spelled(spelling, pairs)), 0.7, model)
    scale = ALPHA / RANK if SPELLINGS[spelling][2] else 1.0
    assert lora.deltas.keys() == {f"{module}.weight" for module in pairs}
    for module, (down, up) in pairs.items():
        assert torch.allclose(change(lora, model, f"{module}.weight"), 0.7 * scale * up @ down, atol=1e-5)
    assert not lora.notes


def test_merging_adds_to_the_weight_and_several_add_up(model: dict, tmp_path: Path) -> None:
    paths = []
    for seed, spelling in enumerate(("comfy", "kohya")):
        pairs = spelled(spelling, halves(model, seed))
        paths.append(write(tmp_path / f"{seed}.safetensors", pairs))
    key = "blocks.0.ffn.0.weight"
    weight = base = torch.randn(model[key])
    weight = weight.clone()
    for path, strength in zip(paths, (0.5, -1.0), strict=True):
        Lora.open(path, strength, model).merge(key, weight)
    (down0, up0), (down1, up1) = (halves(model, seed)["blocks.0.ffn.0"] for seed in (0, 1))
    assert torch.allclose(weight, base + 0.5 * up0 @ down0 - ALPHA / RANK * up1 @ down1, atol=1e-5)


def test_differences_of_weights_biases_and_modulation(model: dict, tmp_path: Path) -> None:
    diffs = {
        "blocks.0.norm3.weight": "diffusion_model.blocks.0.norm3.diff",
        "blocks.1.self_attn.norm_q.weight": "diffusion_model.blocks.1.self_attn.norm_q.diff",
        "blocks.0.self_attn.q.bias": "diffusion_model.blocks.0.self_attn.q.diff_b",
        "blocks.1.modulation": "diffusion_model.blocks.1.diff_m",
        "blocks.0.modulation": "diffusion_model.blocks.0.modulation.diff",
        "head.modulation": "diffusion_model.head.diff_m",
        "patch_embedding.weight": "diffusion_model.patch_embedding.diff",
        "img_emb.proj.0.bias": "diffusion_model.img_emb.proj.0.diff_b",
    }
    tensors = {key: torch.randn(model[parameter]) for parameter, key in diffs.items()}
    lora = Lora.open(write(tmp_path / "lora.safetensors", tensors), 0.25, model)
    assert lora.deltas.keys() == diffs.keys()
    for parameter, key in diffs.items():
        assert torch.allclose(change(lora, model, parameter), 0.25 * tensors[key]), parameter


def test_low_rank_and_difference_of_one_weight(model: dict, tmp_path: Path) -> None:
    pairs = {"head.head": halves(model)["head.head"]}
    extra = torch.randn(model["head.head.weight"])
    path = write(tmp_path / "lora.safetensors", spelled("comfy", pairs) | {"diffusion_model.head.head.diff": extra})
    down, up = pairs["head.head"]
    added = change(Lora.open(path, 2.0, model), model, "head.head.weight")
    assert torch.allclose(added, 2 * (up @ down + extra), atol=1e-5)


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({"r": RANK, "lora_alpha": 6}, 6 / RANK),
        ({"r": RANK, "lora_alpha": 6, "use_rslora": True}, 6 / RANK**0.5),
        ({"r": RANK, "lora_alpha": 6, "alpha_pattern": {"self_attn.q": 12}}, 12 / RANK),
        ({"r": RANK, "lora_alpha": 6, "alpha_pattern": {"ffn.0": 12}}, 6 / RANK),
        ({}, 1.0),
    ],
)
@pytest.mark.parametrize("where", ["beside", "header", "header of a pipeline"])
def test_alpha_of_peft(config: dict, scale: float, where: str, model: dict, tmp_path: Path) -> None:
    pairs = {"blocks.0.self_attn.q": halves(model)["blocks.0.self_attn.q"]}
    if where == "beside":
        (tmp_path / "adapter_config.json").write_text(json.dumps(config))
        metadata = None
    else:
        prefix = "transformer." if where == "header of a pipeline" else ""
        metadata = {"lora_adapter_metadata": json.dumps({prefix + key: value for key, value in config.items()})}
    path = write(tmp_path / "adapter_model.safetensors", spelled("peft", pairs), metadata)
    down, up = pairs["blocks.0.self_attn.q"]
    added = change(Lora.open(path, 1.0, model), model, "blocks.0.self_attn.q.weight")
    assert torch.allclose(added, scale * up @ down, atol=1e-5)


def test_alpha_in_the_file_comes_before_a_configuration(model: dict, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"lora_alpha": 64}')
    path = write(tmp_path / "lora.safetensors", spelled("lightx2v alpha", halves(model)))
    assert {delta.scale for deltas in Lora.open(path, 1.0, model).deltas.values() for delta in deltas} == {ALPHA / RANK}


def test_t2v_difference_lies_in_the_first_channels_of_an_i2v_model(model: dict, tmp_path: Path) -> None:
    difference = torch.randn(CONFIG.dim, 16, 1, 2, 2)
    path = write(tmp_path / "lora.safetensors", {"diffusion_model.patch_embedding.diff": difference})
    lora = Lora.open(path, 1.0, model)
    added = change(lora, model, "patch_embedding.weight")
    assert torch.equal(added[:, :16], difference) and not added[:, 16:].any()
    assert "the first 16 of 36 channels" in lora.notes[0]


@pytest.mark.parametrize("channels", [36, 16])
def test_low_rank_pair_of_a_convolution(channels: int, model: dict, tmp_path: Path) -> None:
    down, up = torch.randn(RANK, channels, 1, 2, 2), torch.randn(CONFIG.dim, RANK, 1, 1, 1)
    name = "diffusion_model.patch_embedding"
    path = write(tmp_path / "lora.safetensors", {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up})
    added = change(Lora.open(path, 1.0, model), model, "patch_embedding.weight")
    expected = torch.einsum("or,rithw->oithw", up[:, :, 0, 0, 0], down)
    assert torch.allclose(added[:, :channels], expected, atol=1e-5) and not added[:, channels:].any()


def test_keys_of_a_text_encoder_are_named_and_left_out(model: dict, tmp_path: Path) -> None:
    text = {"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": torch.zeros(RANK, 8)}
    lora = Lora.open(write(tmp_path / "lora.safetensors", spelled("kohya", halves(model)) | text), 1.0, model)
    assert len(lora.deltas) == len(MODULES) and "1 keys for a text encoder" in lora.notes[0]


def sdxl() -> dict[str, Tensor]:
    name = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
    return {f"{name}.lora_down.weight": torch.zeros(4, 640), f"{name}.lora_up.weight": torch.zeros(640, 4)}


BAD: dict[str, tuple[Callable[[dict], dict[str, Tensor]], str]] = {
    "another family": (lambda pairs: sdxl(), "those of a LoRA for Stable Diffusion or SDXL"),
    "another family among good ones": (lambda pairs: spelled("kohya", pairs) | sdxl(), "2 of 29 keys fit nothing"),
    "another width": (
        lambda pairs: spelled("comfy", {"blocks.0.self_attn.q": (torch.zeros(4, 16), torch.zeros(16, 4))}),
        "is (16, 16), the model's (24, 24)",
    ),
    "ranks that differ": (
        lambda pairs: spelled("comfy", {"blocks.0.self_attn.q": (torch.zeros(4, 24), torch.zeros(24, 8))}),
        "is the product of (24, 8) and (4, 24)",
    ),
    "half a pair": (
        lambda pairs: {k: v for k, v in spelled("comfy", pairs).items() if "ffn.0.lora_B" not in k},
        "blocks.0.ffn.0.lora_A.weight",
    ),
    "a bias that is none": (lambda pairs: {"blocks.0.self_attn.norm_q.diff_b": torch.zeros(24)}, "fit nothing"),
    "DoRA": (lambda pairs: {"diffusion_model.blocks.0.self_attn.q.dora_scale": torch.zeros(24, 1)}, "dora_scale"),
    "LoKr": (lambda pairs: {"lycoris_blocks_0_attn1_to_q.lokr_w1": torch.zeros(4, 4)}, "lokr_w1"),
    "a checkpoint": (lambda pairs: {"blocks.0.self_attn.q.weight": torch.zeros(24, 24)}, "fit nothing"),
    "empty": (lambda pairs: {}, "no LoRA"),
    "only text encoder": (lambda pairs: {"lora_te_x.lora_down.weight": torch.zeros(4, 4)}, "no LoRA"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(case: str, model: dict, tmp_path: Path) -> None:
    make, says = BAD[case]
    path = write(tmp_path / "bad.safetensors", make(halves(model)))
    with pytest.raises(InputError) as error:
        Lora.open(path, 1.0, model)
    message = str(error.value)
    assert message.startswith(str(path)) and says in message and "\n" not in message


@pytest.mark.parametrize(
    "text", ["[1]", "{", '{"lora_alpha": "much"}', '{"alpha_pattern": {"(": 1}}', '{"alpha_pattern": 1}']
)
def test_damaged_configuration(text: str, model: dict, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(text)
    path = write(tmp_path / "lora.safetensors", spelled("peft", halves(model)))
    with pytest.raises(InputError, match=r"adapter_config\.json"):
        Lora.open(path, 1.0, model)


SHAPES = [
    (),
    (0,),
    (1,),
    (4,),
    (24,),
    (4, 24),
    (24, 4),
    (0, 24),
    (24, 36, 1, 2, 2),
    (24, 16, 1, 2, 2),
    (24, 40, 1, 2, 2),
]


@pytest.mark.parametrize("leaf", ["lora_down.weight", "lora_up.weight", "alpha", "diff", "diff_b", "diff_m"])
@pytest.mark.parametrize("module", ["blocks.0.self_attn.q", "patch_embedding", "blocks.0"])
def test_odd_shapes_are_merged_or_refused(leaf: str, module: str, model: dict, tmp_path: Path) -> None:
    for shape in SHAPES:
        tensors = {f"{module}.lora_down.weight": torch.zeros(4, 24), f"{module}.lora_up.weight": torch.zeros(24, 4)}
        path = write(tmp_path / "odd.safetensors", tensors | {f"{module}.{leaf}": torch.zeros(shape)})
        try:
            lora = Lora.open(path, 1.0, model)
        except InputError as error:
            assert str(error).startswith(str(path))
        else:
            assert all(not change(lora, model, parameter).any() for parameter in lora.deltas)


def test_not_finite(model: dict, tmp_path: Path) -> None:
    pairs = halves(model)
    pairs["head.head"][1][0, 0] = float("nan")
    lora = Lora.open(write(tmp_path / "lora.safetensors", spelled("comfy", pairs)), 1.0, model)
    with pytest.raises(InputError, match=r"head\.head\.lora_B\.weight"):
        change(lora, model, "head.head.weight")
