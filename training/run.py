"""One run from its configuration: folder, networks, method, data and callbacks put together around the loop."""

from __future__ import annotations

import json
import os
import platform
import sys
import warnings
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
import yaml
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType

from echotorrent_core import __version__
from echotorrent_core.config import EngineConfig
from echotorrent_core.errors import InputError

from . import checkpoint
from .config import RoleSettings, RunConfig, changed, engine_config, plain
from .data.features import FeatureData
from .denoiser import Denoiser
from .export import export
from .files import replace_text
from .loop import Callback, Loop
from .networks import CONFIG, DONE, ENVIRONMENT, LORA, network, part, resolve
from .registry import Networks, Setup, entry, make
from .report import write_report
from .samples import Samples
from .sharding import not_sharded
from .validation import Validation

PACKAGES = ("torch", "accelerate", "safetensors", "numpy", "peft", "deepspeed", "av")


def start(run: RunConfig, accept_changes: bool = False, watch: tuple[Callback, ...] = ()) -> bool:
    """Train a run to its end, or go on with it, and write its weights; all processes call this. True when it is done,
    False when it stopped before (time limit, SIGTERM, or `loop.stopping` set by one of the callbacks `watch`)."""
    # autocast's bfloat16 beside a norm's float32 weight, as it is meant
    warnings.filterwarnings("ignore", "Mismatch dtype between input and weight")
    accelerator = make_accelerator(run)
    with accelerator.main_process_first():
        check_folder(run, accept_changes)
        if done_steps(run.folder) >= run.loop.steps:
            accelerator.print(f"{run.folder}: done")
            return True
        if accelerator.is_main_process:
            write_folder(run)
            warn_batch(run, accelerator.num_processes)
    engine = engine_config(run)
    setup = Setup(
        run,
        engine,
        networks(run, engine, accelerator),
        lambda name: part(engine, name, run.assets).to(accelerator.device),
        partial(features, run),
        accelerator,
    )
    method = make(setup)
    loop = Loop(
        method,
        setup.data,
        run.folder,
        run.loop,
        accelerator,
        (*callbacks(run, engine, method), *watch),
        identity={"preset": engine.name, "method": run.method},
    )
    if run.tracker != "none":
        accelerator.init_trackers("tensorboard")
    done = loop.run()
    for tracker in accelerator.trackers:  # `end_training` would end the processes' group, which the next stage needs
        tracker.finish()
    finished = done >= run.loop.steps
    if accelerator.is_main_process:
        if finished:
            export(run)
            replace_text(run.folder / DONE, json.dumps({"steps": done}) + "\n")
        write_report(run.folder)
    accelerator.wait_for_everyone()
    accelerator.free_memory()
    return finished


def end() -> None:
    """Part from the other processes, after the last run."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def make_accelerator(run: RunConfig) -> Accelerator:
    """accelerate's own configuration (`accelerate config`, `accelerate launch --...`) with this run's precision."""
    tracked = run.tracker != "none"
    if tracked and not any(_installed(name) for name in ("tensorboard", "tensorboardX")):
        raise InputError(
            "tracker: tensorboard needs its package: pip install 'echotorrent[tensorboard]'; metrics.jsonl is kept "
            "anyway"
        )
    AcceleratorState._reset_state()  # the stage before may have had other plug-ins or another precision
    with not_sharded() if entry(run.method).whole else nullcontext():
        accelerator = Accelerator(
            cpu=not torch.cuda.is_available(),
            mixed_precision=run.precision,
            gradient_accumulation_steps=run.loop.accumulate,
            log_with=run.tracker if tracked else None,
            project_dir=str(run.folder) if tracked else None,
        )
    sharded = accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED)
    if run.sharded and not sharded and not entry(run.method).whole:
        accelerator.print(
            f"warning: {run.folder} is meant to be sharded: accelerate launch --use_fsdp --fsdp_version 2 ..."
        )
    return accelerator


def check_folder(run: RunConfig, accept_changes: bool = False) -> None:
    """InputError if the run's folder holds checkpoints of another configuration, which names what differs."""
    path = run.folder / CONFIG
    if accept_changes or not path.exists() or checkpoint.latest(run.folder) is None:
        return
    if names := changed(yaml.safe_load(path.read_text(encoding="utf-8")), plain(run)):
        raise InputError(
            f"{run.folder}: holds a run with other values of {', '.join(names)}; use another folder, or go on with the "
            "new ones with --accept-changes"
        )


def done_steps(folder: Path) -> int:
    """Steps of a run that has come to its end; 0 before."""
    return int(json.loads((folder / DONE).read_text(encoding="utf-8"))["steps"]) if (folder / DONE).exists() else 0


def write_folder(run: RunConfig) -> None:
    """Configuration and environment into the run's folder."""
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        replace_text(run.folder / CONFIG, yaml.safe_dump(plain(run), sort_keys=False))
        replace_text(run.folder / ENVIRONMENT, json.dumps(environment(), indent=1))
    except OSError as error:
        raise InputError(f"{run.folder}: cannot be written ({error.strerror}); choose another folder") from error


def environment() -> dict[str, Any]:
    """What a run is made with."""
    facts: dict[str, Any] = {"echotorrent": __version__, "python": platform.python_version(), "command": sys.argv}
    facts |= {name: version(name) for name in PACKAGES if _installed(name)}
    facts |= {"system": platform.platform(), "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    if torch.cuda.is_available():
        facts["gpu"] = f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return facts


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def warn_batch(run: RunConfig, processes: int) -> None:
    """Say when the global batch is not the one the numbers were chosen for."""
    actual = replace(run, processes=processes).global_batch
    if processes != run.processes and actual != run.global_batch:
        better = run.global_batch / (processes * run.data.batch)
        hint = f"; loop.accumulate={better:g} keeps it" if better >= 1 and better.is_integer() else ""
        print(
            f"warning: meant for {run.processes} processes; global batch {actual} instead of {run.global_batch}{hint}"
        )


def networks(run: RunConfig, engine: EngineConfig, accelerator: Accelerator) -> Networks:
    """The networks of a run's roles. In a sharded run one process loads and sends each other one its share."""
    plugin = getattr(accelerator.state, "fsdp_plugin", None)
    sent = plugin is not None and plugin.cpu_ram_efficient_loading and not accelerator.is_main_process
    attention = "sdpa" if accelerator.device.type == "cuda" else "math"

    def of(role: str, over: Path | None = None) -> Denoiser:
        settings: RoleSettings = getattr(run.roles, role)
        weights = settings.weights
        resolved = map(Path, resolve(settings.loras, run.folder))
        loras = tuple(str(path / LORA if path.is_dir() else path) for path in resolved)
        if over is not None:
            over = Path(resolve((str(over),), run.folder)[0])
            weights, loras = ((str(over),), ()) if over.is_dir() else (weights, (*loras, str(over)))
        settings = replace(settings, weights=resolve(weights, run.folder), loras=loras)
        return network(engine, settings, run.loop.seed, attention, filled=not sent)

    return of


def features(run: RunConfig, shares: dict[str, float] | None = None) -> FeatureData:
    """The training data. InputError if there are none, or too few latents for the windows asked for."""
    d = run.data
    if d.features is None:
        raise InputError(
            "data.features: name the folder or file of the training data (python -m training.data makes it)"
        )
    shares = shares or d.shares or None
    data = FeatureData(d.features, d.batch, run.loop.seed, d.short, d.long, d.long_share, shares, d.first_share)
    if not len(data):
        raise InputError(f"{d.features}: holds no clips; make training data with python -m training.data")
    latents = int(data.columns["latents"].shape[2])
    if max(d.short, d.long) >= latents:
        raise InputError(f"{d.features}: clips have {latents} latents; data.short and data.long must be below that")
    return data


def callbacks(run: RunConfig, engine: EngineConfig, method: Any) -> tuple[Callback, ...]:
    found: list[Callback] = []
    trunk = isinstance(method.roles["student"].module, Denoiser)  # a decoder has no estimates to compare
    if run.data.heldout is not None and trunk:
        found.append(Validation(run.data.heldout, run.data.validate_every, engine))
    if run.samples.every or run.samples.long_every:
        found.append(Samples(engine, run.samples, run.folder, run.assets))
    return tuple(found)
