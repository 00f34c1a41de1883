"""A tokenizer read from the bytes of a SentencePiece model equals the one that was written into them."""

import json
import struct

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from echotorrent_core.conditioning.tokens import from_sentencepiece, load_tokenizer
from echotorrent_core.errors import InputError

TEXT = [
    "a person is talking in front of a camera",
    "only the foreground characters are moving, the background remains static",
    "一个人在说话，背景是静止的",
    "she smiles and talks to the camera",
]


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(piece: str, score: float, kind: int) -> bytes:
    return field(1, field(1, piece.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score) + field(3, kind))


def serialised(vocabulary: list[tuple[str, float]], algorithm: int = 1) -> bytes:
    """A sentencepiece ModelProto: pieces, training settings, normaliser; kinds as in T5 (pad, end, unknown first)."""
    kinds = {"<pad>": 3, "</s>": 3, "<unk>": 2}
    pieces = b"".join(entry(piece, score, kinds.get(piece, 1)) for piece, score in vocabulary)
    return pieces + field(2, field(3, algorithm) + field(4, 300)) + field(3, field(1, b"identity"))


@pytest.fixture(scope="module")
def trained() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(TEXT * 5, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer


@pytest.fixture
def data(trained) -> bytes:
    return serialised([tuple(entry) for entry in json.loads(trained.to_str())["model"]["vocab"]])


@pytest.mark.parametrize("text", [*TEXT, "the camera talks", "zebra € quiz", ""])
def test_same_tokens_as_written(trained, data, text):
    assert from_sentencepiece(data).encode(text).ids == trained.encode(text).ids


def test_the_most_probable_pieces_win():
    scores = {"<pad>": 0, "</s>": 0, "<unk>": 0, "▁": -4, "▁ab": -2, "c": -2, "▁a": -1.5, "bc": -1.5, "b": -9, "a": -9}
    tokenizer = from_sentencepiece(serialised(list(scores.items())))
    names = list(scores)
    assert [names[i] for i in tokenizer.encode(" abc   ab").ids] == ["▁a", "bc", "▁ab", "</s>"]
    assert [names[i] for i in tokenizer.encode("az").ids] == ["▁a", "<unk>", "</s>"]


def test_byte_fallback():
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0)]
    single = b"".join(entry(f"<0x{i:02X}>", 0, 6) for i in range(256))
    assert from_sentencepiece(serialised(vocabulary) + single).encode("é").ids == [3, 4 + 0xC3, 4 + 0xA9, 1]


def test_inside_the_encoder_s_file(data, opened):
    source = opened({"spiece_model": torch.frombuffer(bytearray(data), dtype=torch.uint8)})
    assert load_tokenizer(source).encode(TEXT[0]).ids == from_sentencepiece(data).encode(TEXT[0]).ids


@pytest.mark.parametrize("name", ["spiece.model", "tokenizer.json", "both", "folder"])
def test_from_files(trained, data, opened, tmp_path, name):
    (tmp_path / "spiece.model").write_bytes(data)
    trained.save(str(tmp_path / "tokenizer.json"))
    if name == "folder":
        (tmp_path / "tokenizer.json").unlink()
    path = tmp_path / name if name in ("spiece.model", "tokenizer.json") else tmp_path
    tokenizer = load_tokenizer(opened({"x": torch.zeros(1)}), path)
    assert tokenizer.encode(TEXT[1]).ids == trained.encode(TEXT[1]).ids


def test_long_prompts_keep_their_end(data, opened, tmp_path):
    (tmp_path / "spiece.model").write_bytes(data)
    ids = load_tokenizer(opened({"x": torch.zeros(1)}), tmp_path, max_tokens=7).encode(TEXT[0] * 9).ids
    assert len(ids) == 7
    assert ids[-1] == 1


def test_none_given(opened):
    with pytest.raises(InputError, match=r"weights\.safetensors: the text encoder brings no tokenizer"):
        load_tokenizer(opened({"x": torch.zeros(1)}))


@pytest.mark.parametrize("name", ["absent", "", "spiece.model", "tokenizer.json"])
def test_unreadable_files_are_refused(opened, tmp_path, name):
    if name:
        (tmp_path / name).write_text("no tokenizer") if name != "absent" else None
    with pytest.raises(InputError, match=r"google/umt5-xxl"):
        load_tokenizer(opened({"x": torch.zeros(1)}), tmp_path / name)


def test_damaged_models_are_refused(data):
    byte_pairs = data.replace(field(3, 1) + field(4, 300), field(3, 2) + field(4, 300))
    without_end = serialised([("<unk>", 0.0), ("a", 0.0)])
    assert byte_pairs != data
    cut = [b"", data[: len(data) // 2] + b"\xff", data[:-3]]
    for damaged in [*cut, bytes(64), b"text", byte_pairs, without_end]:
        with pytest.raises(InputError, match="not the SentencePiece unigram model"):
            from_sentencepiece(damaged)
