"""Identity files: what a tuning to one person changed, in one safetensors file.

    blocks.0.self_attn.q.lora_A.weight, ...    a LoRA of the trunk, as any other (weights/lora.py)
    vae.decoder..., vae.conv2...               what the decoder's weights changed by, if it was tuned too

The header says which model the change belongs to, since it means nothing on another one, and what it was made of.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import InputError
from ..files import move
from ..media.read import file_digest
from .load import shapes
from .lora import DECODER, Lora
from .source import Source, open_source

if TYPE_CHECKING:
    from ..stream import Engine

FORMAT = 1
PREFIX = "vae."


@dataclass(frozen=True)
class Identity:
    """What the header says. preset, base: the model it belongs to; dataset: summary of the clips; steps: of tuning;
    strength: what it was made for; preview: a small JPEG, may be empty."""

    name: str
    preset: str
    base: str
    steps: int
    dataset: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    strength: float = 1.0
    preview: bytes = b""


def of_tensors(state: Mapping[str, Tensor]) -> str:
    """The base of a model with weights of its own: a digest of their values, as float32."""
    digest = hashlib.sha256()
    for name, value in sorted(state.items()):
        digest.update(name.encode() + value.detach().to("cpu", torch.float32).contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def of_trunk(path: Path) -> str:
    """The same of a trunk's file."""
    source = open_source(path)
    return of_tensors({name: source.read(name, torch.float32) for name in source.keys()})  # noqa: SIM118


def of_files(paths: Iterable[Path]) -> str:
    """The base of a published model: a digest of its trunk's files and of the LoRAs merged into it."""
    return hashlib.sha256("".join(sorted(file_digest(path) for path in paths)).encode()).hexdigest()[:16]


def write_identity(
    path: Path, adapters: Mapping[str, Tensor], alpha: float, rank: int, about: Identity, decoder: Mapping[str, Tensor]
) -> None:
    """adapters: the LoRA's matrices by the trunk's names; decoder: changes by the VAE's names (none: not tuned)."""
    tensors = dict(adapters) | {f"{PREFIX}{name}": value for name, value in decoder.items()}
    stored = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in tensors.items()}
    header = {"lora_adapter_metadata": json.dumps({"lora_alpha": alpha, "r": rank}), "format": str(FORMAT)}
    header |= {"name": about.name, "preset": about.preset, "base": about.base, "steps": str(about.steps)}
    header |= {"strength": str(about.strength), "preview": base64.b64encode(about.preview).decode()}
    header |= {"dataset": json.dumps(about.dataset), "settings": json.dumps(about.settings)}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        save_file(stored, temporary, header)
        move(temporary, path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be written ({error}); make room and start again") from error
    finally:
        temporary.unlink(missing_ok=True)


def read_identity(path: Path) -> Identity:
    """The header alone. InputError for a file that is no identity, or of a later format."""
    said = open_source(path).metadata
    if missing := [name for name in ("format", "name", "preset", "base", "steps") if name not in said]:
        raise InputError(f"{path}: not an identity file (its header has no {missing[0]}); expected one of a fine-tune")
    try:
        if (made_by := int(said["format"])) > FORMAT:
            raise InputError(f"{path}: an identity of format {made_by}, {FORMAT} is known here; update EchoTorrent")
        return Identity(
            said["name"],
            said["preset"],
            said["base"],
            int(said["steps"]),
            json.loads(said.get("dataset", "{}")),
            json.loads(said.get("settings", "{}")),
            float(said.get("strength", 1.0)),
            base64.b64decode(said.get("preview", "")),
        )
    except ValueError as error:
        raise InputError(f"{path}: its header is damaged ({error}); fetch the file again") from error


def check(path: Path, preset: str, base: str) -> Identity:
    """The header of an identity for this model. InputError if it was made for another."""
    found = read_identity(path)
    if found.preset != preset:
        raise InputError(
            f"{path}: the identity '{found.name}' was made for preset '{found.preset}' and cannot be used with "
            f"'{preset}'; load that preset, or tune this one to the person"
        )
    if found.base != base:
        raise InputError(
            f"{path}: the identity '{found.name}' was made on other weights of preset '{preset}' ({found.base}, here "
            f"{base}); load the weights that it was made on, or tune these to the person"
        )
    return found


def apply(engine: Engine, path: Path, strength: float) -> Engine:
    """An engine with weights of its own, changed in place to draw the person. InputError for another base, before
    anything changes."""
    from ..stream import Engine

    check(path, engine.config.name, of_tensors(engine.trunk.state_dict()))
    lora = Lora.open(open_source(path), strength, shapes(engine.trunk))
    decoder_changes(open_source(path), engine.vae)
    with torch.no_grad():
        parameters = dict(engine.trunk.named_parameters())
        for name in lora.deltas:
            lora.merge(name, parameters[name])
    tune_decoder(engine.vae, path, strength)
    known = f"{engine.fingerprint} {file_digest(path)} {strength}"
    return Engine(engine.config, engine.trunk, engine.vae, engine.audio, engine.text, engine.clip, weights=known)


def tune_decoder(vae: nn.Module, path: Path, strength: float) -> None:
    """Add what the file changes of the decoder, if it does, in place. InputError if it does not fit."""
    with torch.no_grad():
        for name, change in decoder_changes(open_source(path), vae).items():
            weight = vae.get_parameter(name)
            weight.add_(change.to(weight), alpha=strength)


def decoder_changes(source: Source, vae: nn.Module) -> dict[str, Tensor]:
    """What is added to the decoder, by its names. InputError for what it does not have."""
    expected = shapes(vae)
    found = {name: DECODER.sub("", name, count=1) for name in source.keys() if DECODER.match(name)}  # noqa: SIM118
    wrong = [key for key, name in found.items() if expected.get(name) != tuple(source.shape(key))]
    if wrong:
        raise InputError(f"{source.files[0]}: {_some(wrong)} do not fit the decoder; use the preset it was made for")
    return {name: source.read(key, torch.float32) for key, name in found.items()}


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
