"""An engine from published weight files: recognised by their keys, put together, loaded part by part.

    config = presets.get_preset("infinitetalk_14b_lightx2v")
    engine = assemble(config, [Path("models")], LoadOptions(quantise="fp8", loras=((Path("lora.safetensors"), 1.0),)))

A preset gives the policies, the files give the sizes. `choose` tells by headers alone whether they fit each other. What
is used once per stream (text and image encoder) is loaded when it is needed and let go after.
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

    dtype: of the trunk; quantise: its block linears to 8 bits; encoder_device: of the encoders, if it is another one;
    loras: (file, strength), merged before; tokenizer: file or folder of the text encoder's tokenizer, if none is in its
    file or beside it; allow_pickle: read .pth files too; optional: encoders that may be missing, because what they make
    is given to the engine.
    """

    dtype: torch.dtype = torch.bfloat16
    quantise: Quantisation | None = None
    device: str = "cpu"
    encoder_device: str | None = None
    attention: str = "sdpa"
    loras: tuple[tuple[Path, float], ...] = ()
    tokenizer: Path | None = None
    allow_pickle: bool = False
    optional: frozenset[Kind] = frozenset()


class OnDemand:
    """An encoder that is in memory only while it encodes."""

    def __init__(self, load: Callable[[], Any]):
        self.load = load

    def encode(self, given: Any) -> Tensor:
        return self.load().encode(given)


class Absent:
    """Stands for an encoder that was not given. InputError when something is to be encoded."""

    def __init__(self, kind: Kind):
        self.kind = kind

    def encode(self, given: Any) -> Tensor:
        raise InputError(f"there is no {KINDS[self.kind].split(' ', 1)[1]} to encode with; give its file too")

    def features(self, samples: Tensor, frames: int) -> Tensor:
        return self.encode(samples)


class Encoders(NamedTuple):
    """What turns pictures, sound and words into what a trunk reads. Text and image encoders come into memory when they
    are used; image: None where the trunk reads none."""

    vae: CausalVAE
    speech: wav2vec2.Wav2Vec2Encoder | Absent
    text: OnDemand | Absent
    image: OnDemand | Absent | None


@dataclass(frozen=True)
class ChosenEncoders:
    """The encoders of an engine that fit each other. config: the preset with the sizes of the weights; an encoder that
    was not given, or that the model does not use, is None. tokenizer: a file or folder; None: it is in the text
    encoder."""

    config: EngineConfig
    vae: Part
    speech: Part | None
    text: Part | None
    image: Part | None
    tokenizer: Path | None

    @property
    def missing(self) -> frozenset[Kind]:
        """Encoders that the model uses and that were not given."""
        encoders: dict[Kind, Part | None] = {"wav2vec2": self.speech, "umt5": self.text}
        if self.config.trunk.image_dim:
            encoders["clip_vision"] = self.image
        return frozenset(kind for kind, part in encoders.items() if part is None)

    def load(self, options: LoadOptions) -> Encoders:
        """InputError for a tokenizer that does not fit and for values that are not finite."""
        text, image = self.text, self.image
        device = options.encoder_device or options.device
        half = torch.float32 if device == "cpu" else torch.float16
        if text:
            tokens.load_tokenizer(text.source, self.tokenizer)  # a damaged one is told now, not after minutes
        with on_meta():
            vae = CausalVAE(self.config.vae)
        load_module(vae, self.vae.source, dtype=torch.float32, device=options.device)

        def load_text() -> umt5.TextEncoder:
            assert text is not None
            words = tokens.load_tokenizer(text.source, self.tokenizer)
            return umt5.TextEncoder(umt5.load_umt5(text.source, torch.bfloat16, device), words)

        def load_image() -> clip.ImageEncoder:
            assert image is not None
            return clip.ImageEncoder(clip.load_clip(image.source, half, device))

        return Encoders(
            vae,
            wav2vec2.load_wav2vec2(self.speech.source, torch.float32, device) if self.speech else Absent("wav2vec2"),
            OnDemand(load_text) if text else Absent("umt5"),
            OnDemand(load_image) if image else Absent("clip_vision") if self.config.trunk.image_dim else None,
        )


@dataclass(frozen=True)
class Chosen(ChosenEncoders):
    """The parts of an engine that fit each other."""

    trunk: Part

    def lora(self, path: Path, strength: float, allow_pickle: bool = False) -> Lora:
        """A LoRA for the trunk, not read. InputError for a file that is none or that belongs to another model."""
        with on_meta():
            trunk = Trunk(self.config.trunk)
        return Lora.open(open_source(path, allow_pickle=allow_pickle), strength, shapes(trunk))


def choose(config: EngineConfig, paths: Sequence[Path], options: LoadOptions | None = None) -> Chosen:
    """What an engine of a preset is put together from; nothing but headers is read.

    paths: weight files, and folders that are searched for them. InputError for a file that is no part of such an
    engine, and for parts that are missing, there twice, or do not fit each other.
    """
    options = options or LoadOptions()
    parts = Parts(collect(paths, options.allow_pickle), config)
    trunk = parts.trunk()
    encoders = _encoders(parts, fit(config, trunk_config(trunk), parts.need("vae")), options)
    return Chosen(**vars(encoders), trunk=trunk)


def choose_encoders(config: EngineConfig, paths: Sequence[Path], options: LoadOptions | None = None) -> ChosenEncoders:
    """As `choose`, for what works without a trunk: one of the preset's sizes is reckoned with."""
    options = options or LoadOptions()
    parts = Parts(collect(paths, options.allow_pickle), config)
    return _encoders(parts, fit(config, config.trunk, parts.need("vae")), options)


def _encoders(parts: Parts, config: EngineConfig, options: LoadOptions) -> ChosenEncoders:
    sizes = config.trunk
    speech = parts.encoder("wav2vec2", options.optional)
    text = parts.encoder("umt5", options.optional)
    image = parts.encoder("clip_vision", options.optional) if sizes.image_dim else None
    assert sizes.audio is not None  # every preset hears, and `Parts.trunk` finds no model that does not
    if speech:
        _require_width(speech, speech.facts["dim"] * speech.facts["layers"], sizes.audio.blocks * sizes.audio.channels)
    if text:
        _require_width(text, text.facts["dim"], sizes.text_dim)
    if image:
        _require_width(image, image.facts["dim"], sizes.image_dim)
    tokenizer = options.tokenizer or (_tokenizer_beside(text) if text else None)
    if text and tokenizer is None and "spiece_model" not in text.source.extras:
        tokens.load_tokenizer(text.source)  # which tells that there is none
    return ChosenEncoders(config, parts.need("vae"), speech, text, image, tokenizer)


def assemble(config: EngineConfig, paths: Sequence[Path], options: LoadOptions | None = None) -> Engine:
    """The engine of a preset from weight files and folders that are searched for them.

    InputError for what `choose` refuses, for LoRAs and a tokenizer that do not fit, and for values that are not finite.
    Nothing stays loaded then.
    """
    options = options or LoadOptions()
    chosen = choose(config, paths, options)
    loras = [chosen.lora(path, strength, options.allow_pickle) for path, strength in options.loras]
    encoders = chosen.load(options)
    with on_meta():
        trunk = Trunk(chosen.config.trunk, options.attention)
    load_module(
        trunk, chosen.trunk.source, dtype=options.dtype, device=options.device, loras=loras, quantise=options.quantise
    )
    given = [part for part in (chosen.trunk, chosen.vae, chosen.speech, chosen.text, chosen.image) if part]
    return Engine(
        chosen.config,
        trunk,
        encoders.vae,
        encoders.speech,
        encoders.text,
        encoders.image,
        weights=_fingerprint(given, options),
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
                f"preset '{self.config.name}' needs {KINDS[kind]}, which is missing (found: {'; '.join(others)}); give "
                "its file too, as safetensors or GGUF (on a command line, 'echotorrent inspect' says where to get it)"
            )
        return self._only(parts)

    def encoder(self, kind: Kind, optional: Iterable[Kind]) -> Part | None:
        """As `need`, but an optional one may be missing."""
        return None if kind in optional and all(part.kind != kind for part in self.found) else self.need(kind)

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


def _require_width(part: Part, found: int, expected: int) -> None:
    if found != expected:
        raise InputError(
            f"{part.source.files[0]}: is {part.title}, whose features are {found} wide where the model expects "
            f"{expected}; give the encoder that the model was made for"
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
