"""Every spelling of umT5 weights fills the `transformers` class; rows and prompts as Wan has them."""

import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import UMT5Config, UMT5EncoderModel

from echotorrent_core.conditioning import umt5
from echotorrent_core.errors import InputError
from echotorrent_core.weights.load import on_meta, shapes
from tests.parity.runner import SHARED

TINY = {"vocab_size": 40, "d_model": 24, "d_kv": 6, "d_ff": 32, "num_layers": 2, "num_heads": 3}

OFFICIAL = {
    "shared.weight": "token_embedding.weight",
    "encoder.final_layer_norm": "norm",
    "encoder.block.": "blocks.",
    "layer.0.layer_norm": "norm1",
    "layer.0.SelfAttention.relative_attention_bias": "pos_embedding.embedding",
    "layer.0.SelfAttention": "attn",
    "layer.1.layer_norm": "norm2",
    "layer.1.DenseReluDense.wi_0": "ffn.gate.0",
    "layer.1.DenseReluDense.wi_1": "ffn.fc1",
    "layer.1.DenseReluDense.wo": "ffn.fc2",
}
LLAMA_CPP = {
    "shared.weight": "token_embd.weight",
    "encoder.final_layer_norm": "enc.output_norm",
    "encoder.block.": "enc.blk.",
    "layer.0.layer_norm": "attn_norm",
    "layer.0.SelfAttention.relative_attention_bias": "attn_rel_b",
    "layer.0.SelfAttention.": "attn_",
    "layer.1.layer_norm": "ffn_norm",
    "layer.1.DenseReluDense.wi_0": "ffn_gate",
    "layer.1.DenseReluDense.wi_1": "ffn_up",
    "layer.1.DenseReluDense.wo": "ffn_down",
}


def spelled(state: dict[str, torch.Tensor], names: dict[str, str]) -> dict[str, torch.Tensor]:
    state = {key: value for key, value in state.items() if key != "encoder.embed_tokens.weight"}
    for old, new in names.items():
        state = {key.replace(old, new): value for key, value in state.items()}
    return state


@pytest.fixture
def model(randomised):
    model = randomised(UMT5EncoderModel(UMT5Config(**TINY, feed_forward_proj="gated-gelu")))
    model.encoder.embed_tokens.weight = model.shared.weight
    return model


@pytest.mark.parametrize("names", [OFFICIAL, LLAMA_CPP, {}], ids=["official", "llama.cpp", "transformers"])
def test_every_spelling(model, opened, names):
    ids = [5, 17, 39, 2, 1]
    loaded = umt5.load_umt5(opened(spelled(model.state_dict(), names)), torch.float32)
    assert torch.equal(umt5.encode_ids(loaded, ids), umt5.encode_ids(model, ids))


def test_the_table_may_be_stored_twice(model, opened):
    loaded = umt5.load_umt5(opened(model.state_dict()), torch.float32)
    assert torch.equal(umt5.encode_ids(loaded, [3, 1]), umt5.encode_ids(model, [3, 1]))
    only = {key: value for key, value in model.state_dict().items() if key != "shared.weight"}
    loaded = umt5.load_umt5(opened(only), torch.float32)
    assert torch.equal(umt5.encode_ids(loaded, [3, 1]), umt5.encode_ids(model, [3, 1]))


def test_unpadded_rows_equal_padded_and_masked_ones(model):
    ids = [7, 30, 12, 1]
    padded = model(
        input_ids=torch.tensor([ids + [0] * 12]), attention_mask=torch.tensor([[1] * 4 + [0] * 12])
    ).last_hidden_state
    torch.testing.assert_close(umt5.encode_ids(model, ids), padded[:, :4], atol=1e-5, rtol=0)


def test_dtype_is_the_one_asked_for(model, opened):
    loaded = umt5.load_umt5(opened(model.state_dict()), torch.bfloat16)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.bfloat16}
    rows = umt5.encode_ids(loaded, [7, 30, 12, 1]).float()
    torch.testing.assert_close(rows, umt5.encode_ids(model, [7, 30, 12, 1]), atol=0.1, rtol=0.1)


def test_the_published_size():
    with on_meta():
        expected = shapes(UMT5EncoderModel(umt5.umt5_xxl()).encoder)
    assert sum(torch.Size(shape).numel() for shape in expected.values()) == 5_680_910_336


@pytest.mark.parametrize("name", ["umt5_xxl_encoder", "umt5_xxl_encoder_hf"])
def test_the_published_keys(name, listed):
    weights = umt5.umt5_names(listed(SHARED / "manifests" / f"{name}.json"))
    assert umt5.umt5_config(weights).to_dict() == umt5.umt5_xxl().to_dict()
    with on_meta():
        assert shapes(UMT5EncoderModel(umt5.umt5_xxl()).encoder) == shapes_of(weights)


def shapes_of(source):
    return {key: source.shape(key) for key in source.keys()}  # noqa: SIM118 (not a dict)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda state: state.pop("shared.weight"), "'embed_tokens.weight' of a umT5 encoder is missing"),
        (lambda state: state.update({"encoder.x": torch.zeros(1)}), "unexpected x"),
        (lambda state: state.update({"encoder.final_layer_norm.weight": torch.ones(3)}), "final_layer_norm.weight is"),
        (lambda state: state.update({"shared.weight": torch.ones(3)}), "has shape (3,), expected the 2 dimensions"),
    ],
)
def test_unfit_weights_are_refused(model, opened, change, expected):
    state = {key: value for key, value in model.state_dict().items() if key != "encoder.embed_tokens.weight"}
    change(state)
    with pytest.raises(InputError, match=r"weights\.safetensors") as refusal:
        umt5.load_umt5(opened(state), torch.float32)
    assert expected in str(refusal.value)


def test_text_encoder(model):
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "</s>": 1, "hello": 9}, unk_token="<unk>"))
    rows = umt5.TextEncoder(model, tokenizer).encode("  hello ")
    assert torch.equal(rows, umt5.encode_ids(model, [9]))


def test_a_larger_vocabulary_than_the_table_is_refused(model):
    vocabulary = {f"w{i}": i for i in range(41)} | {"<unk>": 41}
    with pytest.raises(InputError, match="42 tokens, the text encoder only 40"):
        umt5.TextEncoder(model, Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>")))


@pytest.mark.parametrize(
    ("prompt", "cleaned"),
    [
        ("  a\tman \n speaks ", "a man speaks"),
        ("bread &amp;amp; butter", "bread & butter"),
        ("don’t “stop”", 'don\'t "stop"'),
        ("cafe\u0301", "café"),
        ("一个人　在说话", "一个人 在说话"),
        ("", ""),
    ],
)
def test_clean(prompt, cleaned):
    assert umt5.clean(prompt) == cleaned
