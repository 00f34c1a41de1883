"""A run as a file: strict YAML into frozen dataclasses, overrides `key=value`, and recipes of several stages.

    preset: embedded                      # what is trained (echotorrent_core.presets)
    method: sft                           # how (training/registry.py)
    folder: runs/sft
    settings: {lr: 1e-3}                  # the method's own
    data: {features: features.safetensors, batch: 8}
    loop: {steps: 2000, cooldown: 500}

A recipe has `stages:` instead of a method: by name, each what differs from the keys around it. `without: [NAME, ...]`
leaves some out: what would start from one starts from what that one would have started from. `extends: NAME` begins
with another file of the same folder, of which only what differs is said. Unknown keys, and values
of another kind than expected, are errors that name the key and what was meant.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from echotorrent_core import presets
from echotorrent_core.config import EngineConfig, from_dict, to_dict
from echotorrent_core.errors import InputError

from .loop import LoopConfig
from .lora import LoraSettings
from .registry import METHODS, entry

STAGE = "stage:"  # before the name of a stage whose weights are meant
RECIPES = Path(__file__).parent / "recipes"
FREE = ("folder", "tracker", "samples", "processes", "sharded", "memory_gb")  # may differ when a run goes on
FREE_LOOP = ("minutes", "log_every", "save_every", "keep")


@dataclass(frozen=True)
class RoleSettings:
    """One network. weights: a folder of parts (trunk, text), weight files, `stage:NAME` for what a stage before made,
    or `shipped:PRESET`; none: seeded random ones. loras: files, or `stage:NAME`, merged into them. mode: train all of
    it, or adapters (`lora`). dtype: of frozen weights; checkpointing: keep no activations inside blocks; sink_gradient:
    also through the sink's keys and values, which holds back the gradients of all weights until the end of a backward
    pass (full training only)."""

    weights: tuple[str, ...] = ()
    loras: tuple[str, ...] = ()
    mode: Literal["full", "lora"] = "full"
    lora: LoraSettings = field(default_factory=LoraSettings)
    dtype: Literal["float32", "bfloat16"] = "float32"
    checkpointing: bool = False
    sink_gradient: bool = True


@dataclass(frozen=True)
class RolesSettings:
    """The networks a method may ask for; averages and targets follow them by themselves."""

    student: RoleSettings = field(default_factory=RoleSettings)
    real: RoleSettings = field(default_factory=RoleSettings)
    fake: RoleSettings = field(default_factory=RoleSettings)


@dataclass(frozen=True)
class DataSettings:
    """features: a folder that `python -m training.data` made, or one file; corpus: its clips, where the features hold
    no frames and a method needs some; heldout: other features, for validation every `validate_every` steps.

    batch: windows per process and micro-batch, `short` or `long` latents, the latter in a share `long_share`;
    first_share: of windows that begin at a stream's start (methods that roll the student out want all of them);
    shares: how often clips of each domain are drawn, as {domain: share}."""

    features: Path | None = None
    corpus: Path | None = None
    heldout: Path | None = None
    batch: int = 8
    short: int = 8
    long: int = 16
    long_share: float = 0.3
    first_share: float = 0.25
    shares: dict[str, float] = field(default_factory=dict)
    validate_every: int = 200


@dataclass(frozen=True)
class SampleSettings:
    """Videos of the averaged student, always of the same portraits, sound and seeds: every `every` steps (0: none) one
    of `seconds` per portrait, every `long_every` one of `long_seconds`."""

    every: int = 0
    seconds: float = 4.0
    long_every: int = 0
    long_seconds: float = 60.0
    portraits: tuple[Path, ...] = ()
    sound: Path | None = None
    seed: int = 0


@dataclass(frozen=True)
class RunConfig:
    """One run. engine: fields of the preset to change; assets: what does not train (vae, audio, reader), a folder of
    parts or published files, default the shipped ones; processes, sharded, memory_gb: the machines its numbers are
    meant for, for `--dry-run`."""

    method: str
    folder: Path
    loop: LoopConfig
    preset: str = "embedded"
    engine: dict[str, Any] = field(default_factory=dict)
    assets: tuple[str, ...] = ()
    settings: Any = None
    roles: RolesSettings = field(default_factory=RolesSettings)
    data: DataSettings = field(default_factory=DataSettings)
    samples: SampleSettings = field(default_factory=SampleSettings)
    precision: Literal["no", "bf16"] = "bf16"
    tracker: Literal["none", "tensorboard"] = "none"
    processes: int = 1
    sharded: bool = False
    memory_gb: float | None = None

    @property
    def global_batch(self) -> int:
        return self.processes * self.loop.accumulate * self.data.batch


# Reading


def load(name: str, overrides: Sequence[str] = ()) -> dict[str, RunConfig]:
    """The runs of a file by name, in order: one, called after its method, or a recipe's stages.

    name: a YAML file, or the name of a shipped recipe. overrides: `key=value`, with dots, for all stages, or
    `stages.NAME.key=value` for one. InputError for anything that is not understood."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = RECIPES / f"{name}.yaml"
        if not path.is_file():
            known = sorted(file.stem for file in RECIPES.glob("*.yaml"))
            raise InputError(f"'{name}': no such recipe{_hint(name, known)}; or give a .yaml file")
    data = _extended(path)
    for text in overrides:
        override(data, text)
    stages, without = data.pop("stages", None), data.pop("without", [])
    if not isinstance(without, list) or any(name not in (stages or {}) for name in without):
        raise InputError(f"{path}: without: expected a list of stages that there are, got {without!r}")
    if stages is None:
        return {str(data.get("method", "run")): build(data, str(path))}
    if not isinstance(stages, dict) or not all(isinstance(stage, dict) for stage in stages.values()):
        raise InputError(f"{path}: stages: expected a name with keys below it for each")
    folder = Path(str(data.get("folder", f"runs/{path.stem}")))
    runs = {
        stage: build(merge(data | {"folder": str(folder / stage)}, own), f"{path}, stage {stage}")
        for stage, own in stages.items()
    }
    for stage, run in runs.items():
        named = (name for role in vars(run.roles).values() for name in (*role.weights, *role.loras))
        for name in (*named, *map(str, getattr(run.settings, "experts", {}).values())):
            if name.startswith(STAGE) and name.removeprefix(STAGE) not in runs:
                raise InputError(f"{path}, stage {stage}: weights '{name}': stages are {', '.join(runs)}")
    for stage in without:
        runs = left_out(runs, stage)
    return runs


def left_out(runs: Mapping[str, RunConfig], stage: str) -> dict[str, RunConfig]:
    """The other stages; what named this one's weights now names those it would have started from."""
    start = runs[stage].roles.student.weights
    kept: dict[str, RunConfig] = {}
    for name, run in runs.items():
        data = plain(run)
        if name == stage:
            continue
        if stage in references(data):
            if len(start) != 1:
                raise InputError(f"stage {stage} cannot be left out: {name} needs it, and it starts from nothing")
            data = _walk(data, lambda text: start[0] if text == STAGE + stage else text)
        kept[name] = build(data, f"stage {name}")
    return kept


def references(data: Any) -> list[str]:
    """Names of the stages whose weights plain data name."""
    found: list[str] = []

    def note(text: str) -> str:
        if text.startswith(STAGE):
            found.append(text.removeprefix(STAGE))
        return text

    _walk(data, note)
    return list(dict.fromkeys(found))


def renamed(data: Any, names: Mapping[str, str]) -> Any:
    """The data with other words for `stage:NAME`."""
    return _walk(data, lambda text: names[text.removeprefix(STAGE)] if text.startswith(STAGE) else text)


def _walk(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {key: _walk(one, change) for key, one in value.items()}
    if isinstance(value, list):
        return [_walk(one, change) for one in value]
    return change(value) if isinstance(value, str) else value


def _extended(path: Path) -> dict[str, Any]:
    """What a file says, over what the file that it `extends` says."""
    data = _read(path)
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected keys with values at its top")
    base = data.pop("extends", None)
    return data if base is None else merge(_extended(path.parent / f"{base}.yaml"), data)


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected a YAML file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error


def override(data: dict[str, Any], text: str) -> None:
    """Put `a.b=value` into nested dicts; the value is read as YAML. Dicts on the way are copied, since YAML's anchors
    are shared by all who name them."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InputError(f"'{text}': expected key=value, such as loop.steps=1000")
    *parents, last = key.split(".")
    for parent in parents:
        below = data.get(parent, {})
        if not isinstance(below, dict):
            raise InputError(f"'{text}': '{parent}' has a value, no keys below it")
        data[parent] = dict(below)
        data = data[parent]
    try:
        data[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise InputError(f"'{text}': the value is not readable as YAML") from error


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Nested dicts: `over` wins, dicts are merged."""
    both = {
        k: merge(base[k], v) if isinstance(v, dict) and isinstance(base.get(k), dict) else v for k, v in over.items()
    }
    return base | both


def build(data: dict[str, Any], where: str) -> RunConfig:
    """A checked run of plain data."""
    if "method" not in data:
        raise InputError(f"{where}: names no method; give method: {' or '.join(METHODS)}")
    settings = entry(str(data["method"])).settings_type()
    try:
        data = data | {"settings": convert(settings, data.get("settings") or {}, "settings")}
        run: RunConfig = convert(RunConfig, {"folder": f"runs/{data['method']}"} | data)
        run = dataclasses.replace(run, settings=seeded(run.settings, run.loop.seed))
        engine_config(run)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if run.loop.accumulate < 1 or run.loop.steps < 1 or run.data.batch < 1:
        raise InputError(f"{where}: loop.steps, loop.accumulate and data.batch must be at least 1")
    return run


def seeded(settings: Any, seed: int, where: str = "settings") -> Any:
    """A method's settings with the run's seed wherever they have one of their own, so that there is one to set.
    InputError if one was set that is another."""
    changes: dict[str, Any] = {}
    for f in dataclasses.fields(settings):
        value = getattr(settings, f.name)
        if dataclasses.is_dataclass(value):
            changes[f.name] = seeded(value, seed, f"{where}.{f.name}")
        elif f.name == "seed":
            if value not in (f.default, seed):
                raise InputError(f"{where}.seed: a run has one seed; set loop.seed={value}")
            changes["seed"] = seed
    return dataclasses.replace(settings, **changes) if changes else settings


def engine_config(run: RunConfig) -> EngineConfig:
    """The preset of a run with its `engine` changes."""
    return preset_with(run.preset, run.engine)


def preset_with(name: str, changes: dict[str, Any]) -> EngineConfig:
    """A preset with changed fields. Layer policies repeat over the trunk's depth. InputError if it is not valid."""
    try:
        config = presets.get_preset(name)
    except ValueError as error:
        raise InputError(str(error)) from error
    if not changes:
        return config
    data = merge(_lists(to_dict(config)), changes)
    policies, depth = data["layers"], data["trunk"]["num_layers"]
    data["layers"] = [policies[i % len(policies)] for i in range(depth)]
    try:
        return convert(EngineConfig, data, "engine")
    except ValueError as error:
        raise InputError(str(error)) from error


def _lists(value: Any) -> Any:
    """Tuples as the lists that YAML would give."""
    if isinstance(value, dict):
        return {key: _lists(one) for key, one in value.items()}
    return [_lists(one) for one in value] if isinstance(value, (tuple, list)) else value


# Checking


def convert(hint: Any, value: Any, where: str = "") -> Any:
    """`value` as the type `hint` says, dataclasses from dicts. InputError says at which key, and what was expected."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _one_of(args, value, where)
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, value, where)
    if origin is Literal:
        if value is False and "no" in args:  # YAML reads no as false
            return "no"
        if value in args:
            return value
        raise InputError(f"{where}: expected one of {', '.join(map(str, args))}, got '{value}'")
    if origin is tuple:
        inner = args[0]
        items = value if isinstance(value, (list, tuple)) else [value]
        if args[-1] is not Ellipsis and len(items) != len(args):
            raise InputError(f"{where}: expected {len(args)} values, got {len(items)}")
        return tuple(convert(inner, one, where) for one in items)
    if origin is dict:
        if not isinstance(value, dict):
            raise InputError(f"{where}: expected keys with values, got '{value}'")
        return {str(key): convert(args[1], one, f"{where}.{key}") for key, one in value.items()}
    return _plain(hint, value, where)


def _dataclass(hint: Any, value: Any, where: str) -> Any:
    if isinstance(value, hint):
        return value
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected keys with values, got '{value}'")
    hints = get_type_hints(hint)
    prefix = f"{where}." if where else ""
    known = {key: convert(hints[key], one, f"{prefix}{key}") for key, one in value.items() if key in hints}
    try:
        return _from_dict(hint, value | known)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}: {error}" if where else str(error)) from error


def _from_dict(hint: Any, data: dict[str, Any]) -> Any:
    """`from_dict`, for its refusal of unknown keys; values are converted already."""
    names = {f.name for f in dataclasses.fields(hint)}
    if strange := {key: value for key, value in data.items() if key not in names}:
        from_dict(hint, strange)
    return hint(**data)


def _one_of(options: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in options:
        return None
    kinds = [option for option in options if option is not type(None)]
    if isinstance(value, dict):  # of several dataclasses that which knows most of the keys
        kinds.sort(key=lambda kind: -len({f.name for f in dataclasses.fields(kind)} & value.keys()))
    return convert(kinds[0], value, where)


def _plain(kind: type, value: Any, where: str) -> Any:
    if kind is Path and isinstance(value, (str, Path)):
        return Path(value).expanduser()
    if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)  # YAML reads 1e-5, without a point, as text
        except ValueError:
            pass
    elif kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    elif isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    expected = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
    raise InputError(f"{where}: expected {expected.get(kind, kind.__name__)}, got '{value}'")


def _hint(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f" (known: {', '.join(known)})"


# Writing and comparing


def plain(run: RunConfig) -> dict[str, Any]:
    """All of a run as plain data, ready for YAML."""

    def simple(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: simple(one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [simple(one) for one in value]
        return str(value) if isinstance(value, Path) else value

    return simple(to_dict(run))


def changed(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> list[str]:
    """Names of the keys that differ, but for those that may (FREE)."""
    names = []
    for key in dict.fromkeys((*before, *now)):
        if (not prefix and key in FREE) or (prefix == "loop." and key in FREE_LOOP):
            continue
        a, b = before.get(key), now.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            names += changed(a, b, f"{prefix}{key}.")
        elif a != b:
            names.append(f"{prefix}{key}")
    return names
