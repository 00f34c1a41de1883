"""Run by tests in processes of their own: a small run, whole on each process or sharded.

python several.py FOLDER FEATURES METHOD whole|sharded STEPS ACCUMULATE [END]

END: `stop` after one step with a checkpoint; `step:N` or `save:N` by SIGKILL, in the middle of step N, or when the
checkpoint of step N is half written.

python several.py reference     writes tests/training/reference anew, after a change that is meant to change numbers
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import torch
import toy
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

from training import checkpoint
from training import run as running
from training.config import build
from training.loop import Loop
from training.registry import METHODS


def sharded_on_cpus(run: object) -> Accelerator:
    """accelerate shards on GPUs only; torch and gloo do it here as well."""
    accelerator = Accelerator(cpu=True)
    plugin = FullyShardedDataParallelPlugin(
        fsdp_version=2,
        auto_wrap_policy="transformer_based_wrap",
        cpu_ram_efficient_loading=True,
        state_dict_type="SHARDED_STATE_DICT",
    )
    AcceleratorState._shared_state["fsdp_plugin"] = plugin
    for state in (AcceleratorState, PartialState):
        state._shared_state["distributed_type"] = DistributedType.FSDP
    assert accelerator.is_fsdp2
    return accelerator


def die_in_step(number: int) -> None:
    update = Loop._update

    def dying(loop: Loop, name: str, step: int) -> None:
        if step + 1 == number:
            os.kill(os.getpid(), signal.SIGKILL)
        update(loop, name, step)

    Loop._update = dying  # type: ignore[method-assign]


def die_in_save(number: int) -> None:
    write = checkpoint._write

    def dying(state: checkpoint.State, path: Path) -> None:
        write(state, path)
        if f"step-{number:08d}" in path.parent.name:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint._write = dying


def main(folder: str, features: str, method: str, kind: str, steps: str, accumulate: str, end: str = "") -> None:
    torch.set_num_threads(1)
    if kind == "sharded":
        running.make_accelerator = sharded_on_cpus
    loop = {"steps": int(steps), "warmup": 2, "log_every": 1, "save_every": 2, "accumulate": int(accumulate)}
    run = toy.small_run(method, Path(features), Path(folder), loop=loop)
    how, _, number = end.partition(":")
    if how == "stop":
        run["loop"]["minutes"] = 0.0
    if how == "step":
        die_in_step(int(number))
    if how == "save":
        die_in_save(int(number))
    running.start(build(run, "test"))


def write_reference() -> None:
    toy.REFERENCE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data = toy.networks(toy.cache(Path(folder) / "data"))
        for method in METHODS:
            main(f"{folder}/{method}", str(data), method, "whole", "6", "2")
            lines = ",\n".join(json.dumps(line) for line in toy.losses(Path(folder) / method))
            (toy.REFERENCE / f"{method}.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["reference"]:
        write_reference()
        sys.exit()
    main(*sys.argv[1:])
    Path(sys.argv[1], f"end-{PartialState().process_index}").touch()
    running.end()
