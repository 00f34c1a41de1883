"""Model families: what they are called, and the keys that tell them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

SIZES = {(5120, 40): "14b", (1536, 30): "1.3b"}  # (width, layers) of Wan's trunk

TITLES = {
    "wan2.1_t2v": "Wan 2.1 T2V{size}",
    "wan2.1_i2v": "Wan 2.1 I2V{size}",
    "wan2.1": "Wan 2.1{size}",
    "infinitetalk": "InfiniteTalk{size} with its base, or SoulX-FlashTalk{size} (their keys are the same)",
    "infinitetalk_adapter": "audio adapter{size} of InfiniteTalk or MultiTalk",
    "wan2.1_vae": "Wan 2.1 VAE",
    "umt5_xxl": "umT5-xxl text encoder",
    "umt5": "umT5 text encoder of another size than xxl",
    "clip_vit_h": "CLIP ViT-H/14 image encoder",
    "clip_vision": "CLIP image encoder of another size than ViT-H/14",
    "wav2vec2_base": "wav2vec 2.0 base speech encoder",
    "wav2vec2_large": "wav2vec 2.0 large speech encoder",
    "wav2vec2": "wav2vec 2.0 speech encoder",
    "echotorrent": "EchoTorrent trunk",
    # Known, and not run here
    "wan2.2_i2v": "Wan 2.2 I2V{size}",
    "wan2.2_ti2v_5b": "Wan 2.2 TI2V 5B",
    "liveavatar": "Live Avatar (Wan 2.2 S2V 14B)",
    "livetalk": "LiveTalk or OmniAvatar 1.3B (their keys are the same)",
    "omniavatar_14b": "OmniAvatar 14B",
    "avatarforcing": "AvatarForcing",
    "flashhead": "SoulX-FlashHead",
    "echomimicv3": "EchoMimicV3",
    "wan_vace": "Wan VACE",
    "wan_animate": "Wan Animate",
    "wan_fun_control": "Wan Fun Control",
    "wan_relative": "a relative of Wan 2.1",
}

# Trunks of Wan's shape with parts that are theirs alone: (family, pattern of keys, in official names)
RELATIVES = (
    ("liveavatar", r"(casual_audio_encoder|audio_injector|frame_packer)\."),
    ("avatarforcing", r"blocks\.\d+\.self_attn\.q\.base_layer\."),
    ("livetalk", r"audio_cond_projs\."),  # OmniAvatar 14B by its width
    ("flashhead", r"audio_emb\.proj\."),
    ("echomimicv3", r"audio_injection\."),
    ("wan_vace", r"vace_(blocks|patch_embedding)\."),
    ("wan_animate", r"(face_adapter|motion_encoder)\."),
    ("wan_fun_control", r"(control_adapter|ref_conv)\."),
    ("echotorrent", r"audio_inject\."),
)

# Models of other kinds that people have beside Wan's: (title, pattern found in some key)
STRANGERS = (
    ("SDXL checkpoint", r"^conditioner\.embedders\.1\.|(^|\.)label_emb\.0\.0\."),
    ("Stable Diffusion checkpoint", r"^cond_stage_model\.|(^|\.)input_blocks\.\d+\."),
    ("Stable Diffusion or SDXL UNet", r"(^|\.)down_blocks\.\d+\.attentions\.\d+\.transformer_blocks\."),
    ("Stable Diffusion 3 checkpoint", r"(^|\.)joint_blocks\.\d+\."),
    ("HunyuanVideo checkpoint", r"(^|\.)txt_in\.individual_token_refiner\.|(^|\.)context_embedder\.token_refiner\."),
    ("Flux checkpoint", r"(^|\.)double_blocks\.\d+\.img_attn\.|(^|\.)single_transformer_blocks\.\d+\."),
    ("LTX-Video checkpoint", r"(^|\.)patchify_proj\."),
    ("Qwen-Image checkpoint", r"(^|\.)transformer_blocks\.\d+\.img_mod\."),
    ("Wan 2.2 VAE", r"(^|\.)encoder\.downsamples\.0\.downsamples\.0\."),
    ("image VAE of Stable Diffusion or Flux", r"(^|\.)decoder\.(up\.0\.block|up_blocks\.0\.resnets)\.0\.norm1\.weight"),
    ("T5 encoder other than umT5", r"(^|\.)encoder\.block\.\d+\.layer\.0\.SelfAttention\.|^enc\.blk\.\d+\.attn_q\."),
    ("CLIP text encoder", r"(^|\.)text_model\.encoder\.layers\.\d+\."),
    ("Whisper speech encoder", r"(^|\.)encoder\.layers\.\d+\.encoder_attn\.|(^|\.)encoder\.embed_positions\."),
    ("language model", r"(^|\.)layers\.\d+\.(self_attn\.q_proj|mlp\.gate_proj)\.|^blk\.\d+\.attn_q\."),
)  # fmt: skip

# LoRA files for other models: (title, pattern found in some key)
STRANGE_LORAS = (
    ("Stable Diffusion or SDXL", r"lora_unet_(down|up|mid|input|output)_|(^|\.)(down|up|mid)_block|lora_te\d?_"),
    ("Flux", r"single_(transformer_)?blocks[._]\d+[._]"),
    ("HunyuanVideo or Flux", r"double_blocks[._]\d+[._]"),
    ("Qwen-Image, LTX-Video or another transformer", r"transformer_blocks[._]\d+[._]"),
    ("a language model", r"(^|\.)layers\.\d+\.(self_attn|mlp)\."),
)


def size(dim: int, layers: int) -> str:
    return SIZES.get((dim, layers), "custom")


def title(family: str) -> str:
    """What to call a family in a message."""
    if family in TITLES:
        return TITLES[family].replace("{size}", "")
    name, _, size = family.rpartition("_")
    return TITLES.get(name, family).replace("{size}", " of its own size" if size == "custom" else f" {size.upper()}")


def first_match(table: Iterable[tuple[str, str]], keys: Iterable[str]) -> tuple[str, str] | None:
    """(name, key) of the first row of `table` whose pattern is found in a key."""
    keys = list(keys)
    for name, pattern in table:
        for key in keys:
            if re.search(pattern, key):
                return name, key
    return None
