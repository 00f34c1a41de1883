"""Damaged files: one sentence that names the file, and no other exception, whatever is done to the bytes."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from echotorrent_core.errors import InputError
from echotorrent_core.weights.recognise import recognise
from echotorrent_core.weights.source import check_finite, open_source
from tests.core.weights.files import E4M3, narrow, save, write_gguf


def bad_files() -> dict[str, tuple[Callable[[Path], object], str]]:
    good = {"blocks.0.weight": torch.ones(300, 40)}

    def cut(path: Path, size: int) -> None:
        data = save(good, path).read_bytes()
        path.write_bytes(data[:size])

    def header(path: Path, text: bytes, data: bytes = b"") -> None:
        path.write_bytes(struct.pack("<Q", len(text)) + text + data)

    def entry(**changes: object) -> bytes:
        return json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}).encode()

    def cut_gguf(path: Path) -> None:
        data = write_gguf(path, {"a": (np.ones((200, 32), np.float32), "F32")}).read_bytes()
        path.write_bytes(data[:-5000])

    return {
        "truncated": (lambda p: cut(p, 30_000), r"is cut off: expected \d+ bytes, found 30000; download"),
        "truncated header": (lambda p: cut(p, 40), r"is cut off inside its header"),
        "too long": (lambda p: save(good, p).open("ab").write(b"more"), r"holds more than its header says"),
        "text": (lambda p: p.write_text("I am not a model,\nhonestly."), r"is a text file that starts with 'I am no"),
        "page": (lambda p: p.write_text("<!DOCTYPE html><html>404</html>"), r"is a web page"),
        "pointer": (lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\noid"), r"is a Git LFS pointer"),
        "empty": (lambda p: p.write_bytes(b""), r"is empty"),
        "short": (lambda p: p.write_bytes(b"\x01\xff"), r"is no weight file"),
        "noise": (lambda p: p.write_bytes(random.Random(0).randbytes(5000)), r"is no weight file"),
        "json": (lambda p: header(p, b"{]"), r"is not a readable safetensors file"),
        "deep json": (lambda p: header(p, b"[" * 100_000), r"is not a readable safetensors file"),
        "dtype": (lambda p: header(p, entry(dtype="F4"), bytes(8)), r"'a' is stored as 'F4', which is not read here"),
        "shape": (lambda p: header(p, entry(shape=[3]), bytes(8)), r"'a' of shape \[3\] takes 8 bytes"),
        "huge shape": (lambda p: header(p, entry(shape=[0, 2**62], data_offsets=[0, 0])), r"'a' has shape"),
        "hole": (lambda p: header(p, entry(data_offsets=[8, 16]), bytes(16)), r"'a' starts at byte 8"),
        "truncated gguf": (cut_gguf, r"is cut off: 'a' ends at byte"),
        "gguf header": (lambda p: p.write_bytes(b"GGUF\x03\0\0\0"), r"is not a readable GGUF file"),
        "gguf version": (lambda p: p.write_bytes(b"GGUF" + struct.pack("<IQQ", 1, 0, 0)), r"version 1, where 2 and 3"),
        "gguf dimensions": (
            lambda p: p.write_bytes(b"GGUF" + struct.pack("<IQQQcI", 3, 1, 0, 1, b"a", 100) + bytes(900)),
            r"'a' has 100 dimensions",
        ),
        "zip": (lambda p: p.write_bytes(b"PK\x03\x04 and no more"), r"is not readable as a PyTorch file"),
        "no tensors": (lambda p: torch.save({"a": 1}, p), r"holds no dictionary of plain tensors"),
        "sparse": (lambda p: torch.save({"a": torch.eye(2).to_sparse()}, p), r"holds no dictionary of plain tensors"),
        "missing": (lambda p: None, r"not found"),
    }  # fmt: skip


@pytest.mark.parametrize("case", bad_files())
def test_bad_files(tmp_path, case) -> None:
    write, expected = bad_files()[case]
    path = tmp_path / "model"
    write(path)
    with pytest.raises(InputError, match=expected) as error:
        open_source(path, allow_pickle=True)
    message = str(error.value)
    assert message.startswith(str(path)) and "\n" not in message and len(message) < 500


def test_nothing_given() -> None:
    with pytest.raises(InputError, match="no weight files"):
        open_source()


# Mutations: whatever happens to a file, it is read or it is an InputError


def mutations(data: bytes, count: int, seed: int) -> Iterable[bytes]:
    """Bytes changed, cut, doubled or replaced by extreme numbers, mostly in the header."""
    draw = random.Random(seed)
    header = min(len(data), 8 + struct.unpack("<Q", data[:8])[0] if data[8:9] == b"{" else 700)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(draw.choice([1, 1, 2, 8])):
            at = draw.randrange(header if draw.random() < 0.9 else len(data))
            kind = draw.randrange(6)
            if kind == 0:
                changed[at : at + 1] = bytes([draw.randrange(256)])
            elif kind == 1:
                changed[at : at + 8] = struct.pack("<Q", draw.choice([0, 1, 2**31, 2**40, 2**62, 2**64 - 1]))
            elif kind == 2:
                del changed[at : at + draw.randrange(1, 40)]
            elif kind == 3:
                changed[at:at] = changed[at : at + draw.randrange(1, 40)]
            elif kind == 4:
                changed[at : at + 1] = draw.choice(
                    [b"9" * 25, b"-1", b"null", b"{", b"[", b"]", b'"', b"\\ud800", b"1e400"]
                )
            else:
                del changed[at:]
        yield bytes(changed)


def mutants(tmp_path: Path) -> dict[str, Path]:
    """An audio adapter in each format, with something to dequantise."""
    query, audio = "blocks.0.audio_cross_attn.q_linear.weight", "blocks.0.audio_cross_attn.kv_linear.weight"
    adapter = {
        "audio_proj.proj1.weight": torch.randn(4, 10),
        "audio_proj.proj1_vf.weight": torch.randn(4, 16),
        "audio_proj.proj3.weight": torch.randn(6, 4),
        "blocks.0.norm_x.weight": torch.ones(64),
        audio: torch.randn(128, 3),
    }
    stored, rows, _ = narrow(E4M3)
    stored, rows = stored[:64, :64], rows[:64]
    scaled = {query: stored, query + "_scale": rows, "l.comfy_quant": torch.zeros(5, dtype=torch.uint8)}
    torch.save(adapter | {query: torch.randn(64, 64)}, tmp_path / "mutant.pth")
    blocks = gguf.quants.quantize(np.ones((64, 64), np.float32), gguf.GGMLQuantizationType.Q8_0)
    plain = {key: (value.numpy(), "F32") for key, value in adapter.items()}
    return {
        "safetensors": save(adapter | scaled, tmp_path / "mutant.safetensors", {"_quantization_metadata": "{}"}),
        "quanto": save(adapter | {query + "._data": stored, query + "._scale": rows}, tmp_path / "quanto.safetensors"),
        "gguf": write_gguf(tmp_path / "mutant.gguf", {**plain, query: (blocks, "Q8_0")}, **{query: [64, 64]}),
        "pickle": tmp_path / "mutant.pth",
    }


@pytest.mark.parametrize("name", ["safetensors", "quanto", "gguf", "pickle"])
def test_mutated_files_are_read_or_refused(tmp_path, name) -> None:
    data = mutants(tmp_path)[name].read_bytes()
    path, read, refused = tmp_path / "mutation", 0, 0
    for changed in mutations(data, 300, seed=1):
        path.write_bytes(changed)
        try:
            source = open_source(path, allow_pickle=True)
            for key in source.keys():  # noqa: SIM118 (not a dict)
                check_finite(source, key, source.read(key, torch.float32))
            recognise(source)
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
        else:
            read += 1
    assert refused > 150 and read > 0, (read, refused)


def test_mutated_indices_are_read_or_refused(tmp_path) -> None:
    index, shard = tmp_path / "model.safetensors.index.json", tmp_path / "model-00001-of-00001.safetensors"
    save({"a": torch.ones(2), "b": torch.ones(3)}, shard)
    text = json.dumps({"metadata": {"total_size": 20}, "weight_map": dict.fromkeys("ab", shard.name)}).encode()
    refused = 0
    for changed in mutations(text, 300, seed=2):
        index.write_bytes(changed)
        try:
            open_source(tmp_path)
        except InputError:
            refused += 1
    assert refused > 150
