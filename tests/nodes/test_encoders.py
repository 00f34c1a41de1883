"""What real ComfyUI's encoders make of tiny weights, against what the pack's own make of the same."""

import json
import subprocess

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPVisionConfig, CLIPVisionModel, UMT5Config, UMT5EncoderModel, Wav2Vec2Config, Wav2Vec2Model

from echotorrent_core.conditioning import clip, tokens, umt5, wav2vec2
from echotorrent_core.config import Wav2Vec2StreamConfig
from echotorrent_core.weights.source import open_source
from tests.nodes import comfy_host
from tests.nodes.fake_comfy import part

pytestmark = pytest.mark.slow
encoded = part("nodes.encoded")
PROMPT = "an old man talks about the sea"
TEXT = {"vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 3, "num_heads": 4}
CLIP = {"hidden_size": 80, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 1} | {
    "image_size": 32,
    "patch_size": 2,
}
SECONDS = 2.0


def randomised(model):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=generator) * (0.3 if value.ndim > 1 else 1))
    return {key: value.contiguous() for key, value in model.state_dict().items()}


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A folder with tiny weights and inputs, for both."""
    folder = tmp_path_factory.mktemp("encoders")
    text = randomised(UMT5EncoderModel(UMT5Config(**TEXT, feed_forward_proj="gated-gelu")))
    text = {key: value for key, value in text.items() if key != "encoder.embed_tokens.weight"}
    save_file(text, folder / "umt5.safetensors")
    (folder / "umt5.json").write_text(json.dumps({**TEXT, "prompt": PROMPT}))

    state = randomised(CLIPVisionModel(CLIPVisionConfig(**CLIP, hidden_act="gelu", layer_norm_eps=1e-5)))
    state = {key.removeprefix("vision_model."): value for key, value in state.items() if "position_ids" not in key}
    save_file({f"vision_model.{key}": value for key, value in state.items()}, folder / "clip.safetensors")
    more = {"num_channels": 3, "hidden_act": "gelu", "model_type": "clip_vision_model"}
    (folder / "clip.json").write_text(json.dumps({**CLIP, **more}))

    config = Wav2Vec2Config(
        hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=1, conv_dim=(512,) * 7,
        num_conv_pos_embeddings=128, num_conv_pos_embedding_groups=16,
    )  # fmt: skip
    torch.manual_seed(0)
    save_file(Wav2Vec2Model(config).state_dict(), folder / "speech.safetensors")

    generator = torch.Generator().manual_seed(1)
    steps = torch.arange(round(SECONDS * 16000)) / 16000
    voice = 0.2 * torch.sin(900 * steps + 5 * torch.sin(12 * steps)) * torch.sin(8 * steps)
    pictures = {
        name: torch.randint(0, 256, (1, *shape, 3), generator=generator).float() / 255
        for name, shape in (("square", (32, 32)), ("wide", (64, 96)))
    }
    pictures["wide"] = torch.nn.functional.avg_pool2d(pictures["wide"].movedim(-1, 1), 9, 1, 4).movedim(1, -1)
    save_file(
        {"audio": voice[None, None], **{k: v.contiguous() for k, v in pictures.items()}}, folder / "inputs.safetensors"
    )
    return folder


@pytest.fixture(scope="module", params=comfy_host.versions())
def outputs(request, given):
    """What that ComfyUI makes."""
    with comfy_host.or_skip(request.param):
        command = [str(comfy_host.python()), str(comfy_host.HERE / "comfy_encoders.py"), str(given)]
        folder = comfy_host.checkout(request.param)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=comfy_host.environment())
    assert done.returncode == 0, done.stderr[-4000:]
    return load_file(given / "outputs.safetensors")


def test_text_is_the_same_row_for_row(given, outputs):
    """ComfyUI pads to 512 tokens and masks; here nothing is padded."""
    source = open_source(given / "umt5.safetensors")
    words = tokens.load_tokenizer(source, given / "spiece.model")
    ours = umt5.TextEncoder(umt5.load_umt5(source, torch.float32), words).encode(PROMPT)
    theirs = outputs["conditioning"]
    assert theirs.shape == (1, 512, TEXT["d_model"]) and 5 < ours.shape[1] < 60
    rows = encoded.text_rows([[theirs, {"pooled_output": None}]])
    assert rows.shape == ours.shape and ours.std() > 0.1
    torch.testing.assert_close(rows, ours, atol=2e-4, rtol=1e-3)


def relative(a, b):
    return float((a - b).square().mean().sqrt() / b.std())


def test_image_tokens_are_those_before_the_last_layer(given, outputs):
    model = clip.load_clip(open_source(given / "clip.safetensors"), torch.float32, heads=1)
    pictures = load_file(given / "inputs.safetensors")

    def ours(name):
        return clip.encode_image(model, pictures[name].movedim(-1, 1) * 2 - 1)

    pixels = clip.preprocess(pictures["square"].movedim(-1, 1) * 2 - 1, CLIP["image_size"])
    layers = model(pixels, output_hidden_states=True).hidden_states
    for crop in ("center", "none"):
        tokens = encoded.image_tokens({"penultimate_hidden_states": outputs[f"clip_square_{crop}"]})
        assert relative(tokens, ours("square")) < 0.01  # it keeps the weights in half precision
        assert relative(tokens, layers[-1]) > 0.1 and relative(tokens, layers[-3]) > 0.1
    squeezed, cut = (relative(outputs[f"clip_wide_{crop}"], ours("wide")) for crop in ("none", "center"))
    print(f"tokens of a wide picture differ by {squeezed:.2f} squeezed, {cut:.2f} cut")
    assert squeezed < cut  # as the help page says


def test_speech_layers_are_those_of_the_library_s_model(given, outputs):
    """At 50 a second, the first being the input; they spread over the audio's own frames."""
    source = open_source(given / "speech.safetensors")
    encoder = wav2vec2.load_wav2vec2(source, torch.float32)
    samples = load_file(given / "inputs.safetensors")["audio"][0]
    theirs = [outputs[f"layer{i}"] for i in range(3)]
    length = theirs[0].shape[1]
    assert length == 1 + (samples.shape[1] - 400) // 320
    unchanged = encoder.features(samples, length)
    torch.testing.assert_close(torch.stack(theirs[1:], 2), unchanged, atol=1e-4, rtol=1e-3)
    layers = encoded.speech_layers({"encoded_audio_all_layers": tuple(theirs)}, SECONDS, "audio_encoder_output")
    config = Wav2Vec2StreamConfig(loudness=False)
    found = wav2vec2.Wav2Vec2Recording.of_layers(config, layers, samples.shape[1])
    own = wav2vec2.Wav2Vec2Recording.of(config, encoder, samples)
    assert found.whole.shape == own.whole.shape == (1, round(SECONDS * 25), 128)
    print(f"features differ by {relative(found.whole, own.whole):.2f} from those interpolated before the transformer")
    assert 0 < relative(found.whole, own.whole) < 1
