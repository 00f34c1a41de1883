"""Text, image and audio encoders, loudness, colour transfer."""

from collections.abc import Iterator
from typing import Any

import torch
from safetensors.torch import load_file

from echotorrent_core.conditioning import clip, umt5, wav2vec2
from echotorrent_core.conditioning.colour import match_colour
from echotorrent_core.conditioning.loudness import integrated_loudness, normalise_loudness
from echotorrent_core.weights.source import open_source

from ..runner import Fixture, case


@case("umt5")
def text(fixture: Fixture) -> Iterator[tuple[Any, ...]]:
    io = fixture.io
    model = umt5.load_umt5(open_source(fixture.folder / "weights.safetensors"), torch.float32)
    ids, mask, golden = io["in/ids"], io["in/mask"], io["out/hidden"]
    outputs = model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    yield "out/hidden", outputs.last_hidden_state
    yield "mid/blocks.0", outputs.hidden_states[1]
    yield "mid/blocks.1", outputs.hidden_states[2]
    for row, length in enumerate(mask.sum(1).tolist()):  # what the trunk is given: unpadded rows
        yield f"row {row} unpadded", umt5.encode_ids(model, ids[row, :length].tolist()), golden[row : row + 1, :length]

    path = fixture.folder / "weights_comfy_fp8_scaled.safetensors"
    scaled = umt5.umt5_names(open_source(path))
    prefix = "out/comfy_dequantised/encoder."
    for name in io:
        if name.startswith(prefix):
            yield name, scaled.read(name.removeprefix(prefix), torch.float32)
    stored = load_file(path)
    by_hand = {key: value.float() for key, value in stored.items() if key.endswith(".weight")}
    for key in by_hand:
        by_hand[key] *= stored.get(key.removesuffix("weight") + "scale_weight", torch.ones(()))
    by_hand["encoder.embed_tokens.weight"] = by_hand["shared.weight"]
    model.load_state_dict(by_hand)
    tokens = ids[0, :12].tolist()
    loaded = umt5.load_umt5(open_source(path), torch.float32)
    yield "comfy fp8 file", umt5.encode_ids(loaded, tokens), umt5.encode_ids(model, tokens)


@case("clip_vision")
def image(fixture: Fixture) -> Iterator[tuple[Any, ...]]:
    io, heads = fixture.io, fixture.meta["config"]["num_heads"]
    picture = io["in/image_minus1_1"][:, :, 0]
    official, comfy = fixture.folder / "weights.safetensors", fixture.folder / "weights_comfy_fp16.safetensors"
    model = clip.load_clip(open_source(official), torch.float32, heads=heads)
    yield "mid/pixel_values", clip.preprocess(picture, model.config.image_size)
    yield "out/tokens_penultimate", clip.encode_image(model, picture)
    yield "out/tokens_all_blocks", model(io["mid/pixel_values"]).last_hidden_state
    half = clip.load_clip(open_source(comfy), torch.float32, heads=heads)
    rounded = clip.load_clip(open_source(official), torch.float16, heads=heads).float()
    yield "comfy fp16 file", clip.encode_image(half, picture), clip.encode_image(rounded, picture)


@case("wav2vec2")
def audio(fixture: Fixture) -> Iterator[tuple[Any, ...]]:
    waveform = fixture.io["in/waveform"][None]
    source = open_source(fixture.folder / "weights.safetensors")
    encoder = wav2vec2.load_wav2vec2(source, heads=fixture.meta["config"]["num_attention_heads"])
    yield "mid/conv_features_50hz", encoder.convolutions(waveform).transpose(1, 2)
    yield "out/embedding", encoder.features_of(waveform)[0]


@case("loudness")
def loudness(fixture: Fixture) -> Iterator[tuple[Any, ...]]:
    waveform = fixture.io["in/waveform"]
    yield "measured_lufs", integrated_loudness(waveform), fixture.meta["measured_lufs"]
    yield "out/waveform", normalise_loudness(waveform)


@case("color_match")
def colour(fixture: Fixture) -> Iterator[tuple[Any, ...]]:
    source, reference = fixture.io["in/source"], fixture.io["in/reference"]
    for strength in ("0", "0.5", "1"):
        yield f"out/strength_{strength}", match_colour(source, reference, float(strength))
