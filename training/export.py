"""A run's weights as files that the engine loads as they are.

RUN/weights/trunk.safetensors, text.safetensors     the parts of a preset
RUN/weights/vae.safetensors, audio.safetensors      of an embedded preset also those that the run did not train
RUN/weights/lora.safetensors                        of a role with mode lora also its adapters alone
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from torch import Tensor

from echotorrent_core.errors import InputError
from echotorrent_core.loading import published
from echotorrent_core.weights.parts import ASSETS, save_part

from . import checkpoint
from .config import RoleSettings, RunConfig, build, engine_config
from .files import replace_file
from .lora import is_adapter, merged, save_lora
from .metrics import FILE, read_metrics
from .networks import WEIGHTS, network, resolve
from .registry import entry

PARTS = ("trunk", "text", "vae")


def write_parts(weights: dict[str, Tensor], out: Path, metadata: dict[str, Any], dtype: torch.dtype) -> list[str]:
    """One file per part among a role's tensors; the names of these parts."""
    made = []
    for part in PARTS:
        prefix = f"{part}."
        if tensors := {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}:
            save_part(tensors, out / f"{part}.safetensors", metadata, dtype)
            made.append(part)
    return made


def latest_scores(folder: Path) -> dict[str, float]:
    """The last held-out figures that were logged."""
    if not (folder / FILE).exists():
        return {}
    found = [{k: v for k, v in line.items() if k.startswith("heldout/")} for line in read_metrics(folder)]
    return next(({k: round(v, 4) for k, v in line.items()} for line in reversed(found) if line), {})


def export(run: RunConfig, out: Path | None = None, role: str = "") -> Path:
    """Write the weights of a run's newest checkpoint, by default into its folder; role: default the average of the
    student where there is one.

    InputError if there is no checkpoint, or none of this role."""
    path, out = checkpoint.latest(run.folder), out or run.folder / WEIGHTS
    if path is None:
        raise InputError(f"{run.folder}: holds no checkpoint; train first")
    state = checkpoint.read(path)
    role = role or ("ema" if "ema" in checkpoint.roles_in(state) else "student")
    weights = checkpoint.read_role(path, role)
    config = engine_config(run)
    metadata = {"preset": config.name, "method": run.method, "steps": state["step"], "role": role}
    metadata["scores"] = latest_scores(run.folder)
    settings: RoleSettings = run.roles.fake if role == "fake" else run.roles.student
    base = replace(settings, weights=resolve(settings.weights, run.folder))
    try:
        if any(is_adapter(name) for name in weights):
            save_lora(weights, out / "lora.safetensors", settings.lora, metadata)
            if not entry(run.method).merge:
                return out
            weights = merged(network(config, base, run.loop.seed).state_dict() | weights, settings.lora)
        made = write_parts(weights, out, metadata, torch.bfloat16 if published(config) else torch.float16)
        if not published(config):
            complete(out, made, [Path(path) for path in base.weights], [*map(Path, run.assets), ASSETS / config.name])
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{out}: the weights cannot be written ({error}); '{path}' is whole, make room and start again"
        ) from error
    return out


def complete(out: Path, made: Sequence[str], student: Sequence[Path], assets: Sequence[Path]) -> None:
    """Put the parts beside those `made` that they work with: the student's own, and what does not train."""
    for names, folders in ((("trunk", "text"), student), (("vae", "audio"), assets)):
        for name in names:
            source = next((file for folder in folders if (file := folder / f"{name}.safetensors").is_file()), None)
            if name not in made and source is not None:
                replace_file(out / source.name, partial(shutil.copyfile, source))


def read_run(folder: Path) -> RunConfig:
    """The configuration that a run's folder holds. InputError if there is none."""
    path = folder / "run.yaml"
    if not path.exists():
        raise InputError(f"{folder}: holds no run (no {path.name})")
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return build(data | {"folder": str(folder)}, str(path))
