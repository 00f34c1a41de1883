"""CLIP ViT-H/14, the image encoder of Wan I2V: `transformers.CLIPVisionModel` up to its last block but one.

The 257 tokens (class token first) are the hidden states before the last block, without the final norm. Text tower,
projection head and logit scale of the published file have no use here and are not read.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ..weights.source import Source, TensorSource
from ..weights.tensors import Rows, StoredTensor
from .published import building, count, fill, named, shape

if TYPE_CHECKING:
    from transformers import CLIPVisionConfig, CLIPVisionModel

_WHAT = "CLIP vision tower"
_MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP's training pictures
_STD = (0.26862954, 0.26130258, 0.27577711)
_HEAD_DIM = 80  # ViT-H; weights do not tell

_OFFICIAL = {  # Wan's own names, as in models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth; `qkv` is split after
    "cls_embedding": "embeddings.class_embedding",
    "pos_embedding": "embeddings.position_embedding.weight",
    r"patch_embedding\.weight": "embeddings.patch_embedding.weight",
    r"pre_norm\.(.+)": r"pre_layrnorm.\1",
    r"post_norm\.(.+)": r"post_layernorm.\1",
    r"transformer\.(\d+)\.norm([12])\.(.+)": r"encoder.layers.\1.layer_norm\2.\3",
    r"transformer\.(\d+)\.attn\.to_qkv\.(.+)": r"encoder.layers.\1.self_attn.qkv.\2",
    r"transformer\.(\d+)\.attn\.proj\.(.+)": r"encoder.layers.\1.self_attn.out_proj.\2",
    r"transformer\.(\d+)\.mlp\.0\.(.+)": r"encoder.layers.\1.mlp.fc1.\2",
    r"transformer\.(\d+)\.mlp\.2\.(.+)": r"encoder.layers.\1.mlp.fc2.\2",
}
_TRANSFORMERS = {r"vision_model\.(.+)": r"\1"}
_DIMENSIONS = {"embeddings.class_embedding": 1, "embeddings.position_embedding.weight": 2}  # official ones have more
_UNUSED = r"head|visual_projection\.weight|.*\.position_ids"


def clip_vit_h() -> CLIPVisionConfig:
    """ViT-H/14 at 224 pixels, 632 million parameters."""
    return _config(dim=1280, ffn=5120, heads=16, layers=32, image=224, patch=14)


def clip_config(source: TensorSource, heads: int | None = None) -> CLIPVisionConfig:
    """Configuration that fits weights in the names of `clip_names`; heads default to ViT-H's 80 channels each."""
    dim, _, patch, _ = shape(source, "embeddings.patch_embedding.weight", 4, _WHAT)
    positions, _ = shape(source, "embeddings.position_embedding.weight", 2, _WHAT)
    ffn, _ = shape(source, "encoder.layers.0.mlp.fc1.weight", 2, _WHAT)
    layers = count(source, r"encoder\.layers\.(\d+)\.")
    return _config(dim, ffn, heads or max(1, dim // _HEAD_DIM), layers, patch * math.isqrt(positions - 1), patch)


def _config(dim: int, ffn: int, heads: int, layers: int, image: int, patch: int) -> CLIPVisionConfig:
    from transformers import CLIPVisionConfig

    return CLIPVisionConfig(
        hidden_size=dim,
        intermediate_size=ffn,
        num_attention_heads=heads,
        num_hidden_layers=layers,
        image_size=image,
        patch_size=patch,
        hidden_act="gelu",
        layer_norm_eps=1e-5,
    )


def load_clip(
    source: TensorSource,
    dtype: torch.dtype = torch.float16,
    device: torch.device | str = "cpu",
    heads: int | None = None,
) -> CLIPVisionModel:
    """The vision tower, its size read from the weights. InputError if they are not a CLIP vision tower's."""
    from transformers import CLIPVisionModel

    weights = clip_names(source)
    with building(weights, _WHAT):
        model = CLIPVisionModel(clip_config(weights, heads))
    # transformers 4 keeps the tower one level down, transformers 5 has it at the top.
    fill(getattr(model, "vision_model", model), weights, dtype, device)
    return model.eval()


class ImageEncoder:
    """Picture -> tokens for the trunk's image cross-attention."""

    def __init__(self, model: CLIPVisionModel) -> None:
        self.model = model

    def encode(self, picture: Tensor) -> Tensor:
        """(1, 3, H, W) in [-1, 1], any size -> (1, 257, 1280)."""
        return encode_image(self.model, picture)


@torch.no_grad()
def encode_image(model: CLIPVisionModel, picture: Tensor) -> Tensor:
    """(1, 3, H, W) in [-1, 1], any size -> hidden states before the last block, class token first."""
    size: int = model.config.image_size  # type: ignore[assignment]
    pixels = preprocess(picture, size).to(model.device, model.dtype)
    return model(pixels, output_hidden_states=True).hidden_states[-2]


def preprocess(image: Tensor, size: int = 224) -> Tensor:
    """(1, 3, H, W) in [-1, 1] -> (1, 3, size, size) with CLIP's mean and spread, float32.

    Straight to a square by bicubic interpolation without antialiasing or cropping, as Wan does; ComfyUI's own CLIP
    vision node prepares pictures in another way and gives other tokens.
    """
    square = F.interpolate(image.float(), (size, size), mode="bicubic", align_corners=False)
    return ((square + 1) / 2 - _channels(_MEAN, square)) / _channels(_STD, square)


def _channels(values: tuple[float, ...], like: Tensor) -> Tensor:
    return like.new_tensor(values)[:, None, None]


# Names


def clip_names(source: TensorSource) -> Source:
    """Official (`visual.` or no prefix) or `transformers` names -> those of the `transformers` tower."""
    view = named(source, _OFFICIAL | _TRANSFORMERS, _UNUSED)
    tensors: dict[str, StoredTensor] = {}
    for name, tensor in view.tensors.items():
        if ".qkv." in name:
            for i, projection in enumerate(("q_proj", "k_proj", "v_proj")):
                tensors[name.replace("qkv", projection)] = _third(tensor, i)
        else:
            tensors[name] = replace(tensor, shape=tensor.shape[-_DIMENSIONS.get(name, len(tensor.shape)) :])
    return replace(view, tensors=tensors)


def _third(tensor: StoredTensor, i: int) -> StoredTensor:
    """Part i of three along the first dimension of a weight or bias."""
    size = tensor.shape[0] // 3

    def open() -> Rows:
        decode = tensor.open()
        if len(tensor.shape) == 1:  # one row
            return lambda start, stop: decode(start, stop)[:, i * size : (i + 1) * size]
        return lambda start, stop: decode(i * size + start, i * size + stop)

    return replace(tensor, shape=(size, *tensor.shape[1:]), open=open)
