"""Run ComfyUI's own encoders on tiny weights, inside a ComfyUI's folder: python comfy_encoders.py FOLDER.

Reads `umt5`, `clip`, `speech` and `inputs` (.safetensors), `umt5.json` and `clip.json` from FOLDER and writes
`outputs.safetensors`: what the nodes CLIP Text Encode, CLIP Vision Encode and Audio Encoder Encode would hand on.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, os.getcwd())

from comfy.cli_args import args

args.cpu = True

import comfy.ops  # noqa: E402
import torch  # noqa: E402
from comfy.audio_encoders.wav2vec2 import Wav2Vec2Model  # noqa: E402
from comfy.clip_vision import ClipVisionModel  # noqa: E402
from comfy.text_encoders.wan import WanT5Model, WanT5Tokenizer  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402


def train_tokenizer(folder: Path) -> torch.Tensor:
    """A SentencePiece model of a few words, written beside the weights."""
    import sentencepiece

    words = ["a smile", "looks left and is very sad", "an old man talks about birds and the sea"]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(words), model_prefix=str(folder / "spiece"), vocab_size=32, hard_vocab_limit=False,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2,
    )  # fmt: skip
    return torch.frombuffer(bytearray((folder / "spiece.model").read_bytes()), dtype=torch.uint8)


def main(folder: Path) -> None:
    inputs, config = load_file(folder / "inputs.safetensors"), json.loads((folder / "umt5.json").read_text())
    outputs = {}

    tokens = WanT5Tokenizer(tokenizer_data={"spiece_model": train_tokenizer(folder)}).tokenize_with_weights(
        config.pop("prompt")
    )
    options = {"umt5xxl_model_config": config}
    text = WanT5Model(dtype=torch.float32, model_options=options)
    text.umt5xxl.transformer.load_state_dict(load_file(folder / "umt5.safetensors"), strict=False)
    outputs["conditioning"], pooled = text.encode_token_weights(tokens)[:2]
    assert pooled is None

    vision = ClipVisionModel(str(folder / "clip.json"))
    missing, unexpected = vision.load_sd(load_file(folder / "clip.safetensors"))
    assert not missing and not unexpected, (missing, unexpected)
    for name in ("square", "wide"):
        for crop in (True, False):
            found = vision.encode_image(inputs[name], crop=crop)
            outputs[f"clip_{name}_{'center' if crop else 'none'}"] = found["penultimate_hidden_states"]

    speech = Wav2Vec2Model(
        embed_dim=64, num_heads=1, num_layers=2, conv_norm=False, conv_bias=False, do_normalize=False,
        do_stable_layer_norm=False, dtype=torch.float32, device="cpu", operations=comfy.ops.manual_cast,
    ).eval()  # fmt: skip
    missing, unexpected = speech.load_state_dict(load_file(folder / "speech.safetensors"), strict=False)
    assert not missing and not unexpected, (missing, unexpected)
    with torch.no_grad():
        _, layers = speech(inputs["audio"])
    outputs |= {f"layer{i}": layer for i, layer in enumerate(layers)}
    save_file({name: value.detach().contiguous() for name, value in outputs.items()}, folder / "outputs.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
