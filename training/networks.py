"""The networks of a run's roles, built and filled: from a seed, a run's own parts, or published files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from echotorrent_core.assemble import Parts, collect
from echotorrent_core.conditioning.audio import AudioEncoder
from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.config import AudioEncoderConfig, EngineConfig
from echotorrent_core.errors import InputError
from echotorrent_core.loading import published
from echotorrent_core.metrics.reader import MouthReader
from echotorrent_core.model.dit import Trunk
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.load import load_module, on_meta, shapes
from echotorrent_core.weights.lora import Lora
from echotorrent_core.weights.parts import ASSETS, load_part
from echotorrent_core.weights.source import open_source

from .config import RoleSettings
from .denoiser import Denoiser
from .lora import add_lora

WEIGHTS, DONE, CONFIG, ENVIRONMENT = "weights", "done.json", "run.yaml", "environment.json"  # of a run's folder
TRUNK, TEXT, LORA = "trunk.safetensors", "text.safetensors", "lora.safetensors"


def fresh(config: EngineConfig, seed: int, attention: str = "sdpa") -> Denoiser:
    """A network to train from scratch."""
    torch.manual_seed(seed)
    trunk = Trunk(config.trunk, attention)
    trunk.init_weights()
    return Denoiser(trunk, words(config))


def hollow(config: EngineConfig, attention: str = "sdpa") -> Denoiser:
    """A network whose weights take no memory."""
    with on_meta():
        return Denoiser(Trunk(config.trunk, attention), words(config))


def words(config: EngineConfig) -> nn.Module:
    """The table that learns beside the trunk, or nothing where umT5 has read the prompts already."""
    return nn.Identity() if published(config) else WordEncoder(config.text)


def load(config: EngineConfig, weights: Sequence[Path], loras: Sequence[Path], attention: str = "sdpa") -> Denoiser:
    """A network from a folder of parts, or from published files with LoRAs merged in. InputError if they do not fit."""
    missing = next((path for path in (*weights, *loras) if not path.exists()), None)
    if missing is not None:
        raise InputError(f"{missing}: not found; expected weights of preset '{config.name}'")
    own = len(weights) == 1 and (weights[0] / TRUNK).is_file()
    if own and not loras and not published(config):
        student = fresh(config, 0, attention)
        load_part(student.trunk, weights[0] / TRUNK)
        load_part(student.text, weights[0] / TEXT)
        return student
    student = hollow(config, attention)
    source = open_source(weights[0] / TRUNK) if own else Parts(collect(weights), config).trunk().source
    changes = [Lora.open(open_source(path), 1.0, shapes(student.trunk)) for path in loras]
    load_module(student.trunk, source, dtype=torch.float32, loras=changes)
    if not published(config):
        student.text.to_empty(device="cpu")
        load_part(student.text, weights[0] / TEXT)
    return student


def network(
    config: EngineConfig, settings: RoleSettings, seed: int, attention: str = "sdpa", filled: bool = True
) -> Denoiser:
    """The network of a role as its settings say. filled=False: with room for weights, but without them, in a process
    that is sent its share of another one's."""
    if not filled:
        student = hollow(config, attention).to_empty(device="cpu")
    elif settings.weights:
        student = load(config, [Path(p) for p in settings.weights], [Path(p) for p in settings.loras], attention)
    else:
        student = fresh(config, seed, attention)
    torch.manual_seed(seed)  # the adapters' first weights
    return finish(student, settings)


def finish(student: Denoiser, settings: RoleSettings) -> Denoiser:
    """Precision, adapters and activation checkpointing of a role."""
    student.to(getattr(torch, settings.dtype))
    student.sink_gradient = settings.sink_gradient
    if settings.mode == "lora":
        add_lora(student, settings.lora)
    if settings.checkpointing:
        checkpoint_blocks(student)
    return student


def checkpoint_blocks(module: nn.Module) -> None:
    """Keep only what goes into each block of a trunk for the backward pass, and run the block again there."""
    for block in module.trunk.blocks:  # type: ignore[union-attr, operator]
        block.forward = partial(checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False)


def part(config: EngineConfig, name: str, assets: Sequence[str]) -> nn.Module:
    """A part that does not train: `vae`, `audio` or `reader`, from a folder of parts, published files, or the shipped
    ones. The debug preset, of which none is shipped, has random ones."""
    paths = [Path(path) for path in assets]
    if name == "vae" and published(config):
        found = Parts(collect(paths), config).need("vae")
        with on_meta():
            codec = CausalVAE(replace(config.vae, **found.facts))
        return load_module(codec, found.source, dtype=torch.float32)
    torch.manual_seed(0)
    module = hollow_part(config, name)
    shipped = ASSETS / ("embedded" if name == "reader" else config.name)
    folders = [path for path in paths if name != "reader" or (path / f"{name}.safetensors").exists()]
    folder = folders[0] if folders else shipped
    if folder.exists() or config.name != "debug":
        load_part(module, folder / f"{name}.safetensors")
    return module.eval().requires_grad_(False)


def hollow_part(config: EngineConfig, name: str) -> nn.Module:
    """The module of a part as it is built."""
    if name == "vae":
        return CausalVAE(config.vae)
    if name == "audio" and isinstance(config.audio, AudioEncoderConfig):
        return AudioEncoder(config.audio)
    if name == "reader":
        return MouthReader()
    raise InputError(f"preset '{config.name}' has no part '{name}' for training")


def resolve(weights: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Paths of weights; `stage:NAME` is what that stage of the recipe has written, beside this run's `folder`, and
    `shipped:PRESET` what comes with the package. InputError if a stage is not done."""
    paths = []
    for name in weights:
        if name.startswith("shipped:"):
            paths.append(str(ASSETS / name.removeprefix("shipped:")))
            continue
        stage = name.removeprefix("stage:")
        other = folder.parent / stage
        if stage != name and not (other / DONE).exists():
            raise InputError(f"weights '{name}': stage {stage} is not done ('{other}'); run it first")
        paths.append(name if stage == name else str(other / WEIGHTS))
    return tuple(paths)
