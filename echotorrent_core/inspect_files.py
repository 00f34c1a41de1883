"""What weight files are, what is missing beside them to make a talking video, and where people get that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError
from .weights.recognise import Part, recognise
from .weights.source import open_source, weight_files

WAN = "Wan-AI/Wan2.1-I2V-14B-480P"
COMFY = "Comfy-Org/Wan_2.1_ComfyUI_repackaged"


@dataclass(frozen=True)
class Need:
    """A part of the 14B families. families: what serves as it, as `recognise` calls them; where: repository and file
    names on Hugging Face."""

    title: str
    families: tuple[str, ...]
    where: tuple[str, ...]


NEEDS = (
    Need(
        "Wan 2.1 I2V-14B",
        ("wan2.1_i2v_14b", "infinitetalk_14b"),
        (f"{WAN}: diffusion_pytorch_model-00001-of-00007.safetensors to -00007-, and their .index.json",),
    ),
    Need(
        "InfiniteTalk audio adapter",
        ("infinitetalk_adapter_14b", "infinitetalk_14b"),
        ("MeiGen-AI/InfiniteTalk: single/infinitetalk.safetensors (multi/infinitetalk.safetensors for two speakers)",),
    ),
    Need(
        "Wan 2.1 VAE",
        ("wan2.1_vae",),
        (f"{WAN}: Wan2.1_VAE.pth", f"{COMFY}: wan_2.1_vae.safetensors"),
    ),
    Need(
        "umT5-xxl text encoder",
        ("umt5_xxl",),
        (
            f"{WAN}: models_t5_umt5-xxl-enc-bf16.pth, with the folder google/umt5-xxl",
            f"{COMFY}: umt5_xxl_fp16.safetensors or umt5_xxl_fp8_e4m3fn_scaled.safetensors",
        ),
    ),
    Need(
        "CLIP ViT-H image encoder",
        ("clip_vit_h",),
        (
            f"{WAN}: models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth",
            f"{COMFY}: clip_vision_h.safetensors",
        ),
    ),
    Need(
        "wav2vec 2.0 speech encoder",
        ("wav2vec2_base",),
        ("TencentGameMate/chinese-wav2vec2-base: the whole folder",),
    ),
)
MERGED = "Both in one: Soul-AILab/SoulX-FlashTalk-14B: the whole folder"
TOKENIZER = Need("tokenizer of umT5-xxl", (), (f"{WAN}: google/umt5-xxl/tokenizer.json or spiece.model",))


@dataclass(frozen=True)
class Report:
    """lines: for the user; problems: one sentence for every file that could not be recognised."""

    lines: list[str]
    problems: list[str]


def inspect(paths: Sequence[Path], allow_pickle: bool = False) -> Report:
    """Recognise files, and those in and below folders, by their contents; shards of one model count once. Only headers
    are read."""
    parts: dict[tuple[Path, ...], Part] = {}
    problems = []
    for path in _files(paths):
        try:
            source = open_source(path, allow_pickle=allow_pickle)
            if source.files not in parts:
                parts[source.files] = recognise(source)
        except InputError as error:
            problems.append(str(error))
    lines = [line for part in parts.values() for line in describe(part)]
    return Report(lines + missing(parts.values()) if parts else lines, problems)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from (path.is_dir() and weight_files(path)) or [path]


def describe(part: Part) -> list[str]:
    """Title, storage and sizes of a part."""
    files = part.source.files
    name = str(files[0]) if len(files) == 1 else f"{files[0].parent} ({len(files)} files)"
    count = sum(math.prod(part.source.shape(key)) for key in part.source.keys())  # noqa: SIM118 (not a dict)
    stored = f"stored as {part.precision}, {_short(part.source.nbytes)}B, {_short(count)} parameters"
    hidden = ("num_heads", "temporal")  # the weights do not tell the first
    sizes = [f"{_words(key)} {_plain(value)}" for key, value in part.facts.items() if value and key not in hidden]
    return [f"{name}: {part.title}", f"  {stored}", f"  {', '.join(sizes)}"]


def missing(parts: Iterable[Part]) -> list[str]:
    """What a talking video needs besides `parts`, with repository and file names."""
    parts = list(parts)
    found = {part.family for part in parts}
    if found == {"echotorrent"}:
        return ["runs with the vae, audio and text parts of its own folder"]
    notes = [f"not run here: {part.title}" for part in parts if part.kind == "other"]
    notes += [f"no preset runs it alone: {part.title}" for part in parts if part.family.startswith("wan2.1_t2v")]
    needs = [need for need in NEEDS if not found.intersection(need.families)]
    if any(part.kind == "umt5" and "spiece_model" not in part.source.extras for part in parts):
        needs.append(TOKENIZER)
    if not needs:
        return [*notes, "nothing is missing to run infinitetalk_14b"]
    lines = [*notes, "missing to run infinitetalk_14b (names on Hugging Face):"]
    for need in needs:
        lines += [f"  {need.title}", *(f"    {where}" for where in need.where)]
    if not found.intersection(NEEDS[0].families + NEEDS[1].families):
        lines.append(f"  {MERGED}")
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{_words(key)} {_plain(v)}" for key, v in value.items() if v) + ")"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return "yes" if value is True else str(value)


def _words(key: str) -> str:
    return key.removeprefix("num_").replace("_", " ")


def _short(number: int) -> str:
    """123456789 -> '123 M'."""
    for unit, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= unit:
            return f"{number / unit:.3g}{letter}"
    return f"{number} "
