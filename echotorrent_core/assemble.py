"""An engine from published weight files: recognised by their keys, put together, loaded part by part.

    config = presets.get_preset("infinitetalk_14b_lightx2v")
    engine = assemble(config, [Path("models")], LoadOptions(quantise="fp8", loras=((Path("lora.safetensors"), 1.0),)))

A preset gives the policies, the files give the sizes. What is used once per stream (text and image encoder) is loaded
when it is needed and let go after.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .conditioning import clip, tokens, umt5, wav2vec2
from .config import EngineConfig, TrunkConfig
from .errors import InputError
from .model.dit import Trunk
from .stream import Engine
from .vae.causal import CausalVAE
from .weights.layouts import Kind
from .weights.load import load_module, on_meta, shapes
from .weights.lora import Lora
from .weights.quantise import Quantisation
from .weights.recognise import KINDS, Part, recognise, trunk_config
from .weights.source import merged, open_source, weight_files

TOKENIZERS = ("tokenizer.json", "spiece.model")
_SAMPLE = 1 << 20  # bytes at each end of a file that tell it from others


@dataclass(frozen=True)
class LoadOptions:
    """How weights are loaded.

    dtype: of the trunk; quantise: its block linears to 8 bits; loras: (file, strength), merged before; tokenizer: file
    or folder of the text encoder's tokenizer, if none is in its file or beside it; allow_pickle: read .pth files too.
    """

    dtype: torch.dtype = torch.bfloat16
    quantise: Quantisation | None = None
    device: str = "cpu"
    attention: str = "sdpa"
    loras: tuple[tuple[Path, float], ...] = ()
    tokenizer: Path | None = None
    allow_pickle: bool = False


class OnDemand:
    """An encoder that is in memory only while it encodes."""

    def __init__(self, load: Callable[[], Any]):
        self.load = load

    def encode(self, given: Any) -> Tensor:
        return self.load().encode(given)


def assemble(config: EngineConfig, paths: Sequence[Path], options: LoadOptions | None = None) -> Engine:
    """The engine of a preset from weight files and folders that are searched for them.

    InputError for a file that is no part of such an engine, for parts that are missing, there twice or of another
    family, and for values that are not finite. Nothing stays loaded then.
    """
    options = options or LoadOptions()
    parts = Parts(collect(paths, options.allow_pickle), config)
    trunk = parts.trunk()
    config = fit(config, trunk_config(trunk), parts.need("vae"))
    loaded = load_encoders(parts, config, options)
    return Engine(
        config,
        _build_trunk(config.trunk, trunk, options),
        loaded.vae,
        loaded.speech,
        loaded.text,
        loaded.image,
        weights=_fingerprint([trunk, *loaded.parts], options),
    )


class LoadedEncoders(NamedTuple):
    """A published preset's encoders and the parts they come from."""

    vae: CausalVAE
    speech: wav2vec2.Wav2Vec2Encoder
    text: OnDemand
    image: OnDemand | None
    parts: list[Part]


def load_encoders(parts: Parts, config: EngineConfig, options: LoadOptions) -> LoadedEncoders:
    """Everything but the trunk; those of text and image come into memory when they are used. InputError as for
    `assemble`."""
    vae = parts.need("vae")
    speech = parts.need("wav2vec2")
    text = parts.need("umt5")
    image = parts.need("clip_vision") if config.trunk.image_dim else None
    tokenizer = options.tokenizer or _tokenizer_beside(text)
    tokens.load_tokenizer(text.source, tokenizer)  # a missing one is told now, not after minutes of loading
    with on_meta():
        codec = CausalVAE(dataclasses.replace(config.vae, **vae.facts))
    load_module(codec, vae.source, dtype=torch.float32, device=options.device)
    half = torch.float32 if options.device == "cpu" else torch.float16

    def load_text() -> umt5.TextEncoder:
        words = tokens.load_tokenizer(text.source, tokenizer)
        return umt5.TextEncoder(umt5.load_umt5(text.source, torch.bfloat16, options.device), words)

    def load_image() -> clip.ImageEncoder:
        assert image is not None
        return clip.ImageEncoder(clip.load_clip(image.source, half, options.device))

    return LoadedEncoders(
        codec,
        wav2vec2.load_wav2vec2(speech.source, torch.float32, options.device),
        OnDemand(load_text),
        OnDemand(load_image) if image else None,
        [vae, speech, text, *([image] if image else [])],
    )


def collect(paths: Iterable[Path], allow_pickle: bool = False) -> list[Part]:
    """The parts in files, and those among the files of folders, which may hold other things too."""
    parts = []
    for path in paths:
        if not path.is_dir():
            parts.append(recognise(open_source(path, allow_pickle=allow_pickle)))
            continue
        for file in weight_files(path):
            try:
                parts.append(recognise(open_source(file, allow_pickle=allow_pickle)))
            except InputError:
                continue
    return parts


class Parts:
    """What was found, by kind; picks what a preset needs."""

    def __init__(self, found: Sequence[Part], config: EngineConfig):
        self.found, self.config = found, config

    def need(self, kind: Kind) -> Part:
        """The one part of a kind. InputError if there is none, or more than one."""
        parts = [part for part in self.found if part.kind == kind]
        if not parts:
            others = sorted({part.title for part in self.found}) or ["nothing"]
            raise InputError(
                f"preset '{self.config.name}' needs {KINDS[kind]}, which is missing (found: {'; '.join(others)}); "
                "give its file too, 'echotorrent inspect' says where people get it (.pth files need --allow-pickle)"
            )
        return self._only(parts)

    def trunk(self) -> Part:
        """The trunk with its audio adapter: one model, or a base and the adapter that goes on top."""
        merged_models = [part for part in self.found if part.kind == "trunk" and "audio" in part.facts]
        if merged_models:
            return self._only(merged_models)
        base, adapter = self.need("trunk"), self.need("audio_adapter")
        if base.facts["dim"] != adapter.facts["dim"] or base.facts["num_layers"] != adapter.facts["num_layers"]:
            raise InputError(
                f"{adapter.source.files[0]}: is {adapter.title}, which does not fit {base.title} in "
                f"{base.source.files[0]}; give the base model it was made for (Wan 2.1 I2V 14B)"
            )
        part = recognise(merged([base.source, adapter.source]))
        if part.kind != "trunk":
            raise InputError(
                f"{base.source.files[0]}: {base.title} cannot carry an audio adapter; give Wan 2.1 I2V 14B"
            )
        return part

    def _only(self, parts: Sequence[Part]) -> Part:
        if len(parts) > 1:
            names = ", ".join(str(part.source.files[0]) for part in parts)
            raise InputError(f"preset '{self.config.name}' takes one of {names}; name the files instead of the folder")
        return parts[0]


def fit(config: EngineConfig, trunk: TrunkConfig, vae: Part) -> EngineConfig:
    """The preset with the sizes of the weights; policies of layers repeat in pairs over any depth."""
    known = config.layers[:2]
    return dataclasses.replace(
        config,
        trunk=dataclasses.replace(trunk, text_len=config.trunk.text_len),
        layers=tuple(known[i % len(known)] for i in range(trunk.num_layers)),
        vae=dataclasses.replace(config.vae, **vae.facts),
    )


def _build_trunk(config: TrunkConfig, part: Part, options: LoadOptions) -> Trunk:
    with on_meta():
        trunk = Trunk(config, options.attention)
    sources = [(open_source(path, allow_pickle=options.allow_pickle), strength) for path, strength in options.loras]
    loras = [Lora.open(source, strength, shapes(trunk)) for source, strength in sources]
    return load_module(
        trunk, part.source, dtype=options.dtype, device=options.device, loras=loras, quantise=options.quantise
    )


def _tokenizer_beside(text: Part) -> Path | None:
    """A tokenizer in the text encoder's folder or one below it."""
    folder = text.source.files[0].parent
    places = (folder / name for name in TOKENIZERS)
    below = (path for name in TOKENIZERS for path in sorted(folder.glob(f"*/**/{name}")))
    return next((path for path in (*places, *below) if path.is_file()), None)


def _fingerprint(parts: Sequence[Part], options: LoadOptions) -> str:
    """Tells sets of weights apart without reading them whole: sizes and both ends of the files, and the options."""
    digest = hashlib.sha256(repr((options.dtype, options.quantise, [s for _, s in options.loras])).encode())
    for path in [*(path for part in parts for path in part.source.files), *(path for path, _ in options.loras)]:
        with open(path, "rb") as file:
            length = os.fstat(file.fileno()).st_size
            digest.update(length.to_bytes(8, "little") + file.read(_SAMPLE))
            file.seek(max(0, length - _SAMPLE))
            digest.update(file.read())
    return digest.hexdigest()[:16]
