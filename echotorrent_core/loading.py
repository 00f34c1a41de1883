"""The engine that command-line options describe: a preset with its own weights, or with published files."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import presets
from .config import EngineConfig
from .errors import InputError

# What a run folder remembers of the options, so that --resume need not repeat them.
REMEMBERED = (
    *("size", "dtype", "kv", "device", "encoder_device", "model_dir", "model", "lora", "tokenizer", "allow_pickle"),
    "whole_recording",
)
_FILES = ("model_dir", "model", "tokenizer")
_QUANTISED = ("fp8", "int8")
_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
_HISTORIES = _DTYPES | {"fp8": "float8_e4m3fn"}


def configure(preset: str, args: argparse.Namespace) -> EngineConfig:
    """The preset with the size and history precision of the options. InputError for what does not exist."""
    try:
        config = presets.get_preset(preset)
    except ValueError as error:
        raise InputError(str(error)) from None
    given = [f"--{name.replace('_', '-')}" for name in REMEMBERED if getattr(args, name, None)]
    if not published(config):
        if given:
            raise InputError(f"{', '.join(given)}: for published models; preset '{preset}' brings its own weights")
        return config
    if args.size:
        config = dataclasses.replace(config, size=_size(args.size, config))
    if args.kv:
        stream = dataclasses.replace(config.stream, history_dtype=_name(args.kv, _HISTORIES, "--kv"))
        config = dataclasses.replace(config, stream=stream)
    return config


def published(config: EngineConfig) -> bool:
    """Whether a preset takes its weights from published files."""
    return config.text.kind == "umt5"


def load_engine(config: EngineConfig, args: argparse.Namespace) -> Any:
    """The engine of a preset. InputError for weights that are missing or do not fit."""
    from safetensors import SafetensorError

    from .stream import Engine

    try:
        if published(config):
            return _load_published(config, args)
        return Engine.from_preset(config.name, args.weights)
    except InputError:
        raise
    except (SafetensorError, ValueError, KeyError, OSError) as error:
        raise InputError(f"weights of preset '{config.name}' cannot be loaded ({error}); install them again") from None


def remember(args: argparse.Namespace) -> dict[str, Any]:
    """The options as JSON, paths made absolute."""
    found = {name: getattr(args, name, None) for name in REMEMBERED}
    return {name: _absolute(value) if name in _FILES else value for name, value in found.items() if value}


def recall(args: argparse.Namespace, options: dict[str, Any]) -> None:
    """Fill options that were not given from those a run remembers."""
    for name, value in options.items():
        if not getattr(args, name, None):
            paths = [Path(v) for v in value] if isinstance(value, list) else Path(value) if name in _FILES else value
            setattr(args, name, paths if name in _FILES else value)


def _load_published(config: EngineConfig, args: argparse.Namespace) -> Any:
    import torch

    if find_spec("transformers") is None:
        raise InputError(
            f"preset '{config.name}' needs transformers for its encoders: pip install 'echotorrent[peers]'"
        )

    from .assemble import LoadOptions, assemble

    paths = [*(args.model or ()), *([args.model_dir] if args.model_dir else ())]
    if not paths:
        raise InputError(
            f"preset '{config.name}' needs published weights; name their folder with --model-dir or files with --model"
        )
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise InputError(f"{missing}: not found; expected weight files or a folder of them")
    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    for option, name in (("--device", device), ("--encoder-device", args.encoder_device or device)):
        try:
            torch.empty(0, device=name)
        except (RuntimeError, AssertionError) as error:
            raise InputError(f"{option} {name}: {str(error).splitlines()[0]}; see 'echotorrent info'") from None
    dtype = args.dtype or "bf16"
    quantised = dtype in _QUANTISED
    return assemble(
        config,
        paths,
        LoadOptions(
            dtype=torch.bfloat16 if quantised else getattr(torch, _name(dtype, _DTYPES, "--dtype", _QUANTISED)),
            quantise=dtype if quantised else None,  # type: ignore[arg-type]
            device=device,
            encoder_device=args.encoder_device,
            loras=tuple(_lora(text) for text in args.lora or ()),
            tokenizer=args.tokenizer,
            allow_pickle=args.allow_pickle,
        ),
    )


def _size(text: str, config: EngineConfig) -> tuple[int, int]:
    from .estimate import tokens_grid

    numbers = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if numbers is None:
        raise InputError(f"--size '{text}': expected WIDTHxHEIGHT in pixels, such as 720x400")
    size = int(numbers[2]), int(numbers[1])
    tokens_grid(config, size)
    return size


def _name(short: str, names: dict[str, str], option: str, others: tuple[str, ...] = ()) -> Any:
    if short not in names:
        raise InputError(f"{option} '{short}': expected one of {', '.join([*names, *others])}")
    return names[short]


def _lora(text: str) -> tuple[Path, float]:
    """FILE or FILE:STRENGTH; a colon may also stand in a path."""
    file, _, strength = text.rpartition(":")
    try:
        path, value = (Path(file), float(strength)) if file else (Path(text), 1.0)
    except ValueError:
        path, value = Path(text), 1.0
    if not path.is_file():
        raise InputError(f"--lora {text}: '{path}' not found; expected FILE or FILE:STRENGTH")
    return path, value


def _absolute(value: Any) -> Any:
    return [os.path.abspath(v) for v in value] if isinstance(value, list) else os.path.abspath(value)
