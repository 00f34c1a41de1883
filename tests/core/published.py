"""A folder of weights as people download them, with tiny random models: base and adapter, VAE, encoders, tokenizer."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import CLIPVisionConfig, CLIPVisionModel, UMT5Config, UMT5EncoderModel, Wav2Vec2Config, Wav2Vec2Model

from echotorrent_core import presets
from echotorrent_core.assemble import LoadOptions
from echotorrent_core.config import AudioAdapterConfig, EngineConfig, TrunkConfig, VAEConfig
from echotorrent_core.model.dit import Trunk
from echotorrent_core.vae.causal import CausalVAE

SPEECH, LAYERS, IMAGE, TEXT = 64, 2, 80, 32
TRUNK = TrunkConfig(
    dim=128, ffn_dim=64, num_heads=1, num_layers=2, text_dim=TEXT, image_dim=IMAGE, freq_dim=32,
    audio=AudioAdapterConfig(blocks=1, channels=SPEECH * LAYERS, intermediate_dim=16, output_dim=24, context_tokens=2),
)  # fmt: skip


OPTIONS = LoadOptions(dtype=torch.float32)


def small(name: str) -> EngineConfig:
    """A preset's policies on a picture of 32 x 32 and in windows of 13 frames."""
    config = presets.get_preset(name)
    stream = dataclasses.replace(config.stream, sigmas=(1.0, 0.5), chunk_latents=4)
    if stream.window:
        stream = dataclasses.replace(stream, window=dataclasses.replace(stream.window, overlap=5))
    return dataclasses.replace(config, size=(32, 32), stream=stream)


def save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()}, path)


def trunk() -> Trunk:
    torch.manual_seed(0)
    return Trunk(TRUNK)


def write(folder: Path) -> Path:
    """All files below `folder`, under names that say nothing."""
    torch.manual_seed(1)
    weights = trunk().state_dict()
    ours = [key for key in weights if key.startswith("audio_proj.") or ".audio_cross_attn." in key or ".norm_x." in key]
    save({key: weights[key] for key in weights if key not in ours}, folder / "a.safetensors")
    save({key: weights[key] for key in ours}, folder / "deeper" / "b.safetensors")
    save(CausalVAE(VAEConfig(widths=(4, 8, 16, 16))).state_dict(), folder / "c.safetensors")
    text = UMT5EncoderModel(
        UMT5Config(
            vocab_size=40, d_model=TEXT, d_kv=8, d_ff=32, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu"
        )
    )
    save({k: v for k, v in text.state_dict().items() if k != "encoder.embed_tokens.weight"}, folder / "d.safetensors")
    clip = CLIPVisionConfig(
        hidden_size=IMAGE, intermediate_size=32, num_hidden_layers=2, num_attention_heads=1, image_size=32, patch_size=2
    )
    state = {key.removeprefix("vision_model."): value for key, value in CLIPVisionModel(clip).state_dict().items()}
    save({f"vision_model.{k}": v for k, v in state.items() if "position_ids" not in k}, folder / "e.safetensors")
    speech = Wav2Vec2Config(
        hidden_size=SPEECH, intermediate_size=32, num_hidden_layers=LAYERS, num_attention_heads=1, conv_dim=(8,) * 7,
        num_conv_pos_embeddings=32, num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    save(Wav2Vec2Model(speech).state_dict(), folder / "f.safetensors")
    words = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        *((letter, -2.0) for letter in "▁abcdefghijklmnopqrstuvwxyz"),
    ]
    tokenizer = Tokenizer(models.Unigram(words, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
