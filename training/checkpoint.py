"""Checkpoints: one folder per checkpoint, there whole or not at all.

    RUN/checkpoints/step-00000500/state.pt        step, identity, and unless sharded: roles and optimisers
                                  shards/         roles and optimisers of a sharded run (torch.distributed.checkpoint)
                                  process-0.pt    what each process keeps for itself
    RUN/checkpoint.pt                             state.pt of the newest one (a hard link)

A checkpoint is written under another name and renamed when all processes are done, so a kill or a full disk leaves the
older ones as they were. All processes must see the same file system.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from echotorrent_core.errors import InputError
from echotorrent_core.files import move

LATEST = "checkpoint.pt"
SHARDS = "shards"

State = dict[str, Any]
Agree = Callable[[bool], bool]  # true on all processes as soon as it is true on one


def latest(folder: Path) -> Path | None:
    """The newest checkpoint of a run: its folder, or the single file that earlier versions wrote."""
    found = sorted((folder / "checkpoints").glob("step-*"))
    single = folder / LATEST
    return found[-1] if found else single if single.is_file() else None


def roles_in(state: State) -> list[str]:
    """Names of the roles that a checkpoint holds."""
    return list(state["names"] if "names" in state else state["roles"])


def read(path: Path, process: int | None = None) -> State:
    """`state.pt` of a checkpoint, or what a process kept; empty if that process did not exist."""
    file = path if path.is_file() else path / ("state.pt" if process is None else f"process-{process}.pt")
    if process is not None and (path.is_file() or not file.exists()):
        return {}
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError) as error:
        raise InputError(f"{file}: not a readable checkpoint ({str(error).splitlines()[0]})") from error


def save(
    folder: Path,
    step: int,
    state: State,
    own: State,
    *,
    keep: int,
    process: int,
    agree: Agree,
    shards: Callable[[Path], None] | None = None,
) -> None:
    """Write a checkpoint; all processes call this together.

    state: written by the first process; own: by each; shards: writes more into a folder, by all together.
    InputError on all processes, with the older checkpoints untouched, if one cannot write.
    """
    final = folder / "checkpoints" / f"step-{step:08d}"
    partial = final.with_name(f".{final.name}.partial")
    failure: OSError | RuntimeError | None = None
    if process == 0:
        shutil.rmtree(partial, ignore_errors=True)
    agree(False)  # nobody writes before the old remains are gone
    try:
        partial.mkdir(parents=True, exist_ok=True)
        _write(own, partial / f"process-{process}.pt")
        if process == 0:
            _write(state, partial / "state.pt")
    except (OSError, RuntimeError) as error:
        failure = error
    failed = agree(failure is not None)
    if not failed and shards is not None:
        try:
            shards(partial / SHARDS)
        except Exception as error:  # one process's failure is told to all by torch, wrapped in errors of its own
            failure = OSError(str(error).splitlines()[0] if str(error) else type(error).__name__)
        failed = agree(failure is not None)
    if failed:
        if process == 0:
            shutil.rmtree(partial, ignore_errors=True)
        raise InputError(_sentence(folder, step, failure))
    if process == 0:
        shutil.rmtree(final, ignore_errors=True)
        move(partial, final)
        _link(final / "state.pt", folder / LATEST)
        for old in sorted((folder / "checkpoints").glob("step-*"))[:-keep]:
            shutil.rmtree(old, ignore_errors=True)
    agree(False)


def _write(state: State, path: Path) -> None:
    with open(path, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())


def _link(source: Path, target: Path) -> None:
    """Make `target` another name of `source`, or a copy where the file system has no such names."""
    temporary = target.with_name(f".{target.name}.tmp")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
    move(temporary, target)


def _sentence(folder: Path, step: int, failure: Exception | None) -> str:
    older = latest(folder)
    kept = f"'{older}' is whole" if older else "there is no older one"
    reason = "another process could not" if failure is None else getattr(failure, "strerror", None) or str(failure)
    return (
        f"{folder}: the checkpoint of step {step} could not be written ({reason}), {kept}; "
        "free space there and start again"
    )


# Sharded roles and optimisers: each process writes its own part of every tensor


def save_shards(folder: Path, modules: dict[str, nn.Module], optimizers: dict[str, list[Any]]) -> None:
    dcp.save(_sharded(modules, optimizers), checkpoint_id=folder)


def load_shards(folder: Path, modules: dict[str, nn.Module], optimizers: dict[str, list[Any]]) -> None:
    """Also on another number of processes than wrote them."""
    state = _sharded(modules, optimizers)
    dcp.load(state, checkpoint_id=folder)
    for name, module in modules.items():
        set_model_state_dict(module, state["roles"][name])
        for number, optimizer in enumerate(optimizers.get(name, [])):
            set_optimizer_state_dict(module, optimizer, state["optimizers"][f"{name}.{number}"])


def _sharded(modules: dict[str, nn.Module], optimizers: dict[str, list[Any]]) -> State:
    return {
        "roles": {name: get_model_state_dict(module) for name, module in modules.items()},
        "optimizers": {
            f"{name}.{number}": get_optimizer_state_dict(modules[name], optimizer)
            for name, several in optimizers.items()
            for number, optimizer in enumerate(several)
        },
    }


def read_role(path: Path, role: str) -> dict[str, torch.Tensor]:
    """The whole weights of one role of a checkpoint, in this process alone."""
    state = read(path)
    if role in state.get("roles", {}):
        return state["roles"][role]
    if role not in roles_in(state):
        raise InputError(f"{path}: holds no role '{role}'; it has {', '.join(roles_in(state))}")
    stored = dcp.FileSystemReader(path / SHARDS).read_metadata().state_dict_metadata
    prefix = f"roles.{role}."
    found = {key: about for key, about in stored.items() if key.startswith(prefix)}
    empty = {key: torch.empty(about.size, dtype=about.properties.dtype) for key, about in found.items()}  # type: ignore[union-attr]
    dcp.load(empty, checkpoint_id=path / SHARDS, no_dist=True)
    return {key.removeprefix(prefix): value for key, value in empty.items()}
