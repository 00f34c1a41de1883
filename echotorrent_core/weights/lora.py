"""LoRA files, merged into weights while these are loaded.

A file adds `strength * alpha / rank * up @ down` to weights, or `strength * difference` to any parameter. The spellings
in use differ in prefix, in separators (dots, or underscores for everything), in module names (Wan's own or diffusers')
and in leaves (lora_down/lora_up, lora_A/lora_B with or without an adapter's name). A module is found by its name with
all dots as underscores, so names that hold underscores themselves need no guessing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..errors import InputError
from .families import STRANGE_LORAS, first_match
from .layouts import diffusers_name
from .source import TensorSource, check_finite, open_source

Shape = tuple[int, ...]

PREFIX = re.compile(
    r"(base_model_model_)?(lora_unet__?|lora_transformer_|lycoris_|pipe_dit_|transformer_|(model_)?(diffusion_model_)?)?"
)
LEAF = re.compile(
    r"\.(?:lora_(?P<half>down|up|A|B)(?:\.(?P<adapter>\w+))?\.weight|(?P<alpha>alpha)|(?P<diff>diff(?:_[bm])?))$"
)
PARAMETER = {"diff": "weight", "diff_b": "bias", "diff_m": "modulation"}
HALF = {"A": "down", "B": "up", "down": "down", "up": "up"}
TEXT_ENCODER = re.compile(r"lora_te\d?_|text_encoder\.|(base_model\.model\.)?text_model\.|te\d?\.")
DECODER = re.compile(r"vae\.")  # of an identity file, which changes the picture decoder too
OTHER_METHOD = re.compile(r"\.(dora_scale|lora_magnitude_vector|lora_mid|hada_\w+|lokr_\w+|b?oft_\w+)(\.|$)")


@dataclass(frozen=True)
class Delta:
    """What a file adds to one parameter: scale * difference, or scale * up @ down. `keys` are those of the file."""

    keys: tuple[str, ...]
    scale: float


@dataclass(frozen=True)
class Change:
    """scale * left @ right, or scale * left where there is no right: matrices over outputs and flattened inputs."""

    scale: float
    left: Tensor
    right: Tensor | None = None

    def add_to(self, weight: Tensor, rows: slice = slice(None)) -> None:
        """In place, to some rows of a weight (contiguous, float32). A change for fewer input channels than the weight
        has lies in its first columns."""
        left = self.left[rows].view(len(weight), -1)
        matrix = weight.view(len(weight), -1)
        if self.right is None:
            matrix[:, : left.shape[1]].add_(left, alpha=self.scale)
        else:
            matrix[:, : self.right.shape[1]].addmm_(left, self.right, alpha=self.scale)


@dataclass(frozen=True)
class Lora:
    """One opened file at one strength: its deltas by the model's parameter names. Tensors are read when merged.

    notes: what of the file is not used, or only in part, in sentences for the user.
    """

    source: TensorSource
    strength: float
    deltas: Mapping[str, tuple[Delta, ...]]
    notes: tuple[str, ...] = ()

    @staticmethod
    def open(source: TensorSource | Path, strength: float, model: Mapping[str, Shape]) -> Lora:
        """Match a file against `model`, parameter name -> shape. Parameters that the file leaves out stay as they are.
        InputError for a file of another model, of another method (DoRA, LoHa, LoKr), or an incomplete one."""
        source = open_source(source) if isinstance(source, Path) else source
        found, notes = _match(source, model)
        notes += _check_shapes(source, found, model)
        deltas: dict[str, tuple[Delta, ...]] = {}
        for parameter, delta in found:
            deltas[parameter] = (*deltas.get(parameter, ()), delta)
        return Lora(source, strength, deltas, tuple(notes))

    def changes(self, parameter: str, device: torch.device) -> list[Change]:
        """What is added to a parameter, read now. InputError if it is not finite."""
        return [
            Change(self.strength * delta.scale, *(self._read(key).to(device) for key in delta.keys))
            for delta in self.deltas.get(parameter, ())
        ]

    def merge(self, parameter: str, weight: Tensor) -> None:
        """Add all of it to the parameter's weight, in place: float32, contiguous, on any device."""
        for change in self.changes(parameter, weight.device):
            change.add_to(weight)

    def _read(self, key: str) -> Tensor:
        value = self.source.read(key, torch.float32)
        check_finite(self.source, key, value)
        return value if value.ndim == 1 else value.flatten(1)


def _match(source: TensorSource, model: Mapping[str, Shape]) -> tuple[list[tuple[str, Delta]], list[str]]:
    """(parameter, delta) for everything in the file, and notes. InputError for keys without a place in the model."""
    file, modules, config = source.files[0], _modules(model), _AdapterConfig.of(source)
    found: list[tuple[str, Delta]] = []
    pairs: dict[tuple[str, str, str], dict[str, str]] = {}  # (name, module, adapter) -> half -> key
    alphas: dict[str, float] = {}
    strange: list[str] = []
    others = {"a text encoder": 0, "the picture decoder": 0}
    for key in source.keys():  # noqa: SIM118 (not a dict)
        if TEXT_ENCODER.match(key):
            others["a text encoder"] += 1
            continue
        if DECODER.match(key):
            others["the picture decoder"] += 1
            continue
        if method := OTHER_METHOD.search(key):
            raise InputError(f"{file}: '{key}' is not plain LoRA ({method[1]}) and cannot be merged; convert the file")
        leaf = LEAF.search(key)
        name = key[: leaf.start()] if leaf else key
        module = _module(name, modules)
        if leaf is None or module is None:
            strange.append(key)
        elif leaf["alpha"]:
            alphas[name] = _number(source, key)
        elif leaf["half"]:
            pairs.setdefault((name, f"{module}.weight", leaf["adapter"] or ""), {})[HALF[leaf["half"]]] = key
        else:
            parameter = module if module in model else f"{module}.{PARAMETER[leaf['diff']]}"
            found.append((parameter, Delta((key,), 1.0)))
    if lonely := [key for pair in pairs.values() if len(pair) < 2 for key in pair.values()]:
        raise InputError(f"{file}: {len(lonely)} keys lack their other half ({_some(lonely)}); fetch the file again")
    for (name, parameter, _), pair in pairs.items():
        rank = max((1, *source.shape(pair["down"])[:1]))
        scale = alphas[name] / rank if name in alphas else config.scale(name, rank)
        found.append((parameter, Delta((pair["up"], pair["down"]), scale)))
    strange += [key for parameter, delta in found if parameter not in model for key in delta.keys]
    if strange:
        other = first_match(STRANGE_LORAS, strange)
        raise InputError(
            f"{file}: {len(strange)} of {len(source.keys())} keys fit nothing in this model ({_some(strange)}); "
            + (f"they are those of a LoRA for {other[0]}, " if other else "")
            + "expected a LoRA made for this model"
        )
    if not found:
        raise InputError(f"{file}: no LoRA in this file; expected keys that end in lora_down, lora_A, diff or the like")
    return found, [f"{file}: {count} keys for {what} are not used" for what, count in others.items() if count]


def _check_shapes(source: TensorSource, found: Iterable[tuple[str, Delta]], model: Mapping[str, Shape]) -> list[str]:
    """InputError lists what does not fit. Notes on deltas for fewer input channels, those of a T2V LoRA: the latents,
    which they are for, come first in an I2V model too."""
    wrong, notes = [], []
    for parameter, delta in found:
        up, *down = (source.shape(key) for key in delta.keys)
        shape, expected = (*up[:1], *(down[0] if down else up)[1:]), model[parameter]
        partly = len(shape) == 5 and (*shape[:1], *expected[1:2], *shape[2:]) == expected and shape[1] < expected[1]
        if down and (len(up) < 2 or (math.prod(up[1:]),) != down[0][:1]):
            wrong.append(f"{parameter} is the product of {up} and {down[0]}")
        elif partly:
            notes.append(f"{source.files[0]}: {parameter} changes in the first {shape[1]} of {expected[1]} channels")
        elif shape != expected:
            wrong.append(f"{parameter} is {shape}, the model's {expected}")
    if wrong:
        raise InputError(f"{source.files[0]}: a LoRA for another model ({_some(wrong)}); expected one for this model")
    return notes


def _modules(model: Mapping[str, Shape]) -> dict[str, str]:
    """Flat name -> the model's own name of every module, and of parameters that are no module's weight or bias."""
    modules = {}
    for parameter in model:
        module, _, leaf = parameter.rpartition(".")
        names = {parameter: parameter, module: module}
        if leaf in ("weight", "bias"):
            names = {module: module, diffusers_name(parameter).rpartition(".")[0]: module}
        modules.update({_flat(spelling): name for spelling, name in names.items()})
    return modules


def _module(name: str, modules: Mapping[str, str]) -> str | None:
    """The model's name of a module that a file calls `name`."""
    flat = _flat(name)
    prefix = PREFIX.match(flat)
    return modules.get(flat) or modules.get(flat[prefix.end() if prefix else 0 :])


def _number(source: TensorSource, key: str) -> float:
    if math.prod(source.shape(key)) == 1 and math.isfinite(value := float(source.read(key))):
        return value
    raise InputError(f"{source.files[0]}: '{key}' is not one finite number; fetch the file again")


def _flat(name: str) -> str:
    return name.replace(".", "_")


def _some(items: list[str]) -> str:
    return "; ".join(items[:5]) + ("; ..." if len(items) > 5 else "")


@dataclass(frozen=True)
class _AdapterConfig:
    """PEFT keeps alpha outside of the tensors: in `adapter_config.json` beside the file, or in the file's header.

    patterns: alpha of modules whose name ends like the pattern; by_root: scale by alpha / sqrt(rank) instead of / rank.
    """

    alpha: float | None
    patterns: tuple[tuple[re.Pattern[str], float], ...]
    by_root: bool

    @staticmethod
    def of(source: TensorSource) -> _AdapterConfig:
        beside = source.files[0].with_name("adapter_config.json")
        try:
            text = (
                beside.read_text(encoding="utf-8")
                if beside.is_file()
                else source.metadata.get("lora_adapter_metadata", "{}")
            )
            found = {key.removeprefix("transformer."): value for key, value in json.loads(text).items()}
            alpha = None if found.get("lora_alpha") is None else float(found["lora_alpha"])
            patterns = (found.get("alpha_pattern") or {}).items()
            compiled = tuple((re.compile(rf"(^|\.)({name})$"), float(value)) for name, value in patterns)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError, re.error) as error:
            where = beside if beside.is_file() else source.files[0]
            raise InputError(f"{where}: the settings of its LoRA (lora_alpha, ..) are not readable: {error}") from error
        return _AdapterConfig(alpha, compiled, bool(found.get("use_rslora")))

    def scale(self, module: str, rank: int) -> float:
        """alpha / rank, or 1 where nothing says otherwise."""
        alpha = next((value for pattern, value in self.patterns if pattern.search(module)), self.alpha)
        if alpha is None:
            return 1.0
        return alpha / (math.sqrt(rank) if self.by_root else rank)
