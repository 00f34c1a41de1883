"""Spellings of weights, and the way back to the names of our modules, which are Wan's and InfiniteTalk's own.

A spelling shows in a few keys (`Layout.shown_by`); whatever stands in front of them is the file's prefix, so no list of
prefixes is needed. The text, image and speech encoders keep the names they come with: conditioning/ brings them to the
names of the `transformers` classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ..errors import InputError
from .tensors import Source, TensorSource, merged, renamed

Kind = Literal["trunk", "audio_adapter", "vae", "umt5", "clip_vision", "wav2vec2", "lora", "other"]

# official -> diffusers, modules and parameters outside blocks, and those of a block
TRUNK = {
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "img_emb.proj.0": "condition_embedder.image_embedder.norm1",
    "img_emb.proj.1": "condition_embedder.image_embedder.ff.net.0.proj",
    "img_emb.proj.3": "condition_embedder.image_embedder.ff.net.2",
    "img_emb.proj.4": "condition_embedder.image_embedder.norm2",
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
}
BLOCK = {
    "modulation": "scale_shift_table",
    "norm3": "norm2",  # diffusers' norm3 is Wan's norm2 and has no parameters
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "cross_attn.k_img": "attn2.add_k_proj",
    "cross_attn.v_img": "attn2.add_v_proj",
    "cross_attn.norm_k_img": "attn2.norm_added_k",
}
ATTENTION = {"q": "to_q", "k": "to_k", "v": "to_v", "o": "to_out.0", "norm_q": "norm_q", "norm_k": "norm_k"}
BLOCK |= {f"self_attn.{mine}": f"attn1.{theirs}" for mine, theirs in ATTENTION.items()}
BLOCK |= {f"cross_attn.{mine}": f"attn2.{theirs}" for mine, theirs in ATTENTION.items()}
TRUNK_BACK, BLOCK_BACK = ({theirs: mine for mine, theirs in names.items()} for names in (TRUNK, BLOCK))

# diffusers -> official, one rule after the other
VAE = (
    (r"^quant_conv\.", "conv1."),
    (r"^post_quant_conv\.", "conv2."),
    (r"^(en|de)coder\.conv_in\.", r"\1coder.conv1."),
    (r"^(en|de)coder\.norm_out\.", r"\1coder.head.0."),
    (r"^(en|de)coder\.conv_out\.", r"\1coder.head.2."),
    (r"(down_blocks\.\d+|resnets\.\d+)\.norm1\.", r"\1.residual.0."),
    (r"(down_blocks\.\d+|resnets\.\d+)\.conv1\.", r"\1.residual.2."),
    (r"(down_blocks\.\d+|resnets\.\d+)\.norm2\.", r"\1.residual.3."),
    (r"(down_blocks\.\d+|resnets\.\d+)\.conv2\.", r"\1.residual.6."),
    (r"\.conv_shortcut\.", ".shortcut."),
    (r"\.mid_block\.resnets\.0\.", ".middle.0."),
    (r"\.mid_block\.attentions\.0\.", ".middle.1."),
    (r"\.mid_block\.resnets\.1\.", ".middle.2."),
    (r"\.down_blocks\.", ".downsamples."),
)
UP_BLOCK = re.compile(r"^decoder\.up_blocks\.(\d+)\.(resnets|upsamplers)\.(\d+)\.")


@dataclass(frozen=True)
class Layout:
    """How a part is spelled. shown_by: keys that every such file has, after its prefix; words: parts of keys that are
    common in it; translate: keys without prefix -> official names; aside: keys beside it that are of other models."""

    kind: Kind
    spelling: str
    shown_by: tuple[str, ...]
    words: str
    translate: Callable[[Iterable[str]], dict[str, str]] | None = None
    aside: str = "$^"


def official_name(name: str) -> str:
    """diffusers name of a trunk's parameter -> official name; other names stay."""
    return _translated(name, TRUNK_BACK, BLOCK_BACK)


def diffusers_name(name: str) -> str:
    """Official name of a trunk's parameter -> diffusers name; other names stay."""
    return _translated(name, TRUNK, BLOCK)


def _translated(name: str, outside: dict[str, str], inside: dict[str, str]) -> str:
    block, module, leaf = re.fullmatch(r"(blocks\.\d+\.)?(.*?)(\.weight|\.bias)?", name, re.DOTALL).groups("")  # type: ignore[union-attr]
    return block + (inside if block else outside).get(module, module) + leaf


def _vae_names(keys: Iterable[str]) -> dict[str, str]:
    """diffusers nests the decoder's up blocks: its residual blocks and upsampler, which Wan numbers through."""
    keys = list(keys)
    found = [match for match in map(UP_BLOCK.match, keys) if match]
    per_block = 1 + max((int(match[3]) for match in found if match[2] == "resnets"), default=0) + 1

    def name(key: str) -> str:
        for pattern, replacement in VAE:
            key = re.sub(pattern, replacement, key)
        return UP_BLOCK.sub(lambda match: f"decoder.upsamples.{flat(match)}.", key)

    def flat(match: re.Match[str]) -> int:
        return int(match[1]) * per_block + (int(match[3]) if match[2] == "resnets" else per_block - 1)

    return {key: name(key) for key in keys}


def _each(function: Callable[[str], str]) -> Callable[[Iterable[str]], dict[str, str]]:
    return lambda keys: {key: function(key) for key in keys}


def _audio(name: str) -> str:
    """Kijai's spelling of the audio projection."""
    return re.sub(r"^multitalk_audio_proj\.", "audio_proj.", name)


LAYOUTS = (
    Layout(
        "trunk", "official", ("patch_embedding.weight", "blocks.0.self_attn.norm_q.weight"),
        "patch_embedding text_embedding time_embedding time_projection blocks modulation self_attn cross_attn head",
        _each(_audio),
    ),
    Layout(
        "trunk", "diffusers", ("patch_embedding.weight", "blocks.0.attn1.norm_q.weight"),
        "patch_embedding condition_embedder blocks attn1 attn2 scale_shift_table proj_out to_q to_out net",
        _each(official_name),
    ),
    Layout(
        "audio_adapter", "official", ("blocks.0.audio_cross_attn.q_linear.weight", "blocks.0.norm_x.weight"),
        "audio_proj proj1_vf blocks audio_cross_attn q_linear kv_linear norm_x", _each(_audio),
    ),
    Layout(
        "vae", "official", ("encoder.conv1.weight", "decoder.upsamples.0.residual.0.gamma", "conv2.weight"),
        "encoder decoder downsamples upsamples residual resample time_conv middle gamma to_qkv",
    ),
    Layout(
        "vae", "diffusers",
        ("encoder.conv_in.weight", "decoder.up_blocks.0.resnets.0.norm1.gamma", "post_quant_conv.weight"),
        "encoder decoder down_blocks up_blocks mid_block resnets resample time_conv gamma to_qkv", _vae_names,
    ),
    Layout(
        "umt5", "official", ("token_embedding.weight", "blocks.0.pos_embedding.embedding.weight"),
        "token_embedding blocks attn ffn gate fc1 fc2 pos_embedding norm1 norm2",
    ),
    Layout(
        "umt5", "transformers",
        ("encoder.block.0.layer.0.SelfAttention.q.weight",
         "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"),
        "encoder block layer SelfAttention DenseReluDense relative_attention_bias wi_0 wi_1 wo shared",
        aside=r"decoder\..*|lm_head\..*",
    ),
    Layout(
        "umt5", "llama.cpp", ("token_embd.weight", "enc.blk.1.attn_rel_b.weight"),
        "token_embd enc blk attn_q attn_rel_b ffn_gate ffn_up ffn_down output_norm",
    ),
    Layout(
        "clip_vision", "official", ("cls_embedding", "transformer.0.attn.to_qkv.weight"),
        "cls_embedding pos_embedding patch_embedding pre_norm post_norm transformer to_qkv mlp",
        aside=r"textual\..*|log_scale",
    ),
    Layout(
        "clip_vision", "transformers", ("vision_model.embeddings.class_embedding",),
        "vision_model embeddings class_embedding position_embedding pre_layrnorm layer_norm1 self_attn mlp fc1",
        aside=r"text_model\..*|text_projection\..*|logit_scale",
    ),
    Layout(
        "wav2vec2", "transformers",
        ("feature_extractor.conv_layers.0.conv.weight", "encoder.layers.0.attention.q_proj.weight"),
        "feature_extractor conv_layers feature_projection encoder layers attention pos_conv_embed intermediate_dense",
        aside=r"quantizer\..*|project_(hid|q)\..*|lm_head\..*",
    ),
)  # fmt: skip


def find_layout(source: TensorSource) -> tuple[Layout, str] | None:
    """The layout of a source and the prefix of its keys; None if it is none of these."""
    keys = set(source.keys())
    for layout in LAYOUTS:
        for key in sorted(keys, key=len):
            prefix = key.removesuffix(layout.shown_by[0])
            if prefix == key or (prefix and not prefix.endswith(".")):
                continue
            if all(prefix + shown in keys for shown in layout.shown_by):
                return layout, prefix
    return None


def official(source: TensorSource) -> Source:
    """View of `source` without prefix and, for trunk, audio adapter and VAE, under official names.

    Sources merged from several files are translated one by one: each may have its own spelling. What is in no known
    layout keeps its names. InputError if two keys come to the same name.
    """
    if isinstance(source, Source) and source.parts:
        return merged(official(part) for part in source.parts)
    found = find_layout(source)
    if found is None:
        return renamed(source, {key: key for key in source.keys()})  # noqa: SIM118 (not a dict)
    layout, prefix = found
    short = {
        key: key.removeprefix(prefix)
        for key in source.keys()  # noqa: SIM118 (not a dict)
        if not re.fullmatch(layout.aside, key.removeprefix(prefix))
    }
    names = layout.translate(short.values()) if layout.translate else {name: name for name in short.values()}
    result: dict[str, str] = {}
    for key, name in short.items():
        other = result.setdefault(names[name], key)
        if other != key:
            raise InputError(
                f"{source.files[0]}: holds '{names[name]}' twice, as '{other}' and '{key}'; expected one model"
            )
    view = renamed(source, result)
    return replace(view, extras={key.removeprefix(prefix): value for key, value in view.extras.items()})
