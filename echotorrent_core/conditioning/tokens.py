"""The tokenizer of T5 models, from a `tokenizer.json`, a `spiece.model`, or the bytes ComfyUI's files carry.

Only the `tokenizers` package is needed (it comes with `transformers`): a SentencePiece unigram model is a short
protobuf message whose three interesting fields are read here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..weights.source import TensorSource
from .published import files

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_TOKENS = 512  # Wan's text length, end of sequence included
_NAMES = ("tokenizer.json", "spiece.model")
_END = "</s>"
_ADVICE = "give the tokenizer folder of google/umt5-xxl, which holds tokenizer.json and spiece.model"
_UNIGRAM, _NORMAL, _UNKNOWN, _BYTE = 1, 1, 2, 6  # enumerations of sentencepiece_model.proto


def load_tokenizer(source: TensorSource, path: Path | None = None, max_tokens: int = MAX_TOKENS) -> Tokenizer:
    """The tokenizer at `path` (a tokenizer.json, a spiece.model, or a folder with one), else the one inside the
    encoder's file. It ends every text with the end-of-sequence token. InputError if there is none or it is damaged."""
    if path is None:
        try:
            data = source.read("spiece_model").numpy().tobytes()
        except KeyError:
            raise InputError(
                f"{files(source)}: the text encoder brings no tokenizer (spiece_model); {_ADVICE}"
            ) from None
        tokenizer = from_sentencepiece(data, f"{files(source)} (spiece_model)")
    else:
        tokenizer = _from_file(path)
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _from_file(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    if path.is_dir():
        path = next((path / name for name in _NAMES if (path / name).is_file()), path)
    if not path.is_file():
        raise InputError(f"{path}: no tokenizer here; {_ADVICE}")
    if path.suffix != ".json":
        return from_sentencepiece(path.read_bytes(), str(path))
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path}: not a readable tokenizer.json ({error}); {_ADVICE}") from error
    tokenizer.no_padding()
    return tokenizer


def from_sentencepiece(data: bytes, name: str = "spiece.model") -> Tokenizer:
    """Tokenizer from the bytes of a SentencePiece unigram model. InputError, with `name`, for anything else."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    try:
        pieces, kinds, charsmap = _parse(data)
        end = [piece for piece, _ in pieces].index(_END)
        model = models.Unigram(pieces, kinds.index(_UNKNOWN), byte_fallback=_BYTE in kinds)
    except (ValueError, LookupError, TypeError, struct.error) as error:
        raise InputError(f"{name}: not the SentencePiece unigram model of a T5 tokenizer; {_ADVICE}") from error
    tokenizer = Tokenizer(model)
    if charsmap:
        tokenizer.normalizer = normalizers.Precompiled(charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {_END}", special_tokens=[(_END, end)])
    return tokenizer


def _parse(data: bytes) -> tuple[list[tuple[str, float]], list[int], bytes]:
    """Pieces with their log probabilities, their kinds, and the normaliser's table. ValueError for BPE models."""
    pieces, kinds, charsmap = [], [], b""
    for field, value in _message(data):
        if field == 1:
            piece = dict(_message(value))
            pieces.append((piece[1].decode(), struct.unpack("<f", piece.get(2, bytes(4)))[0]))
            kinds.append(piece.get(3, _NORMAL))
        elif field == 2 and dict(_message(value)).get(3, _UNIGRAM) != _UNIGRAM:
            raise ValueError("not a unigram model")
        elif field == 3:
            charsmap = dict(_message(value)).get(2, b"")
    return pieces, kinds, charsmap


def _message(data: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, value) of a protobuf message: int for a varint, bytes for everything else."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if tag & 7 == 2:
            size, at = _varint(data, at)
        else:
            size = {1: 8, 5: 4}[tag & 7]
        if at + size > len(data):
            raise ValueError("the message ends too early")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
