"""Run by tests in processes of their own: a small run, whole on each process or sharded.

python several.py FOLDER FEATURES METHOD whole|sharded STEPS ACCUMULATE [STOP]
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

from training import run as running
from training.config import build


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


def main(folder: str, features: str, method: str, kind: str, steps: str, accumulate: str, stop: str = "0") -> None:
    torch.set_num_threads(1)
    if kind == "sharded":
        running.make_accelerator = sharded_on_cpus
    small = {
        "sft": {"lr": 1e-3, "muon_lr": 0},
        "acc_dmd": {"critic_only": 1, "critic_steps": 2},
        "long_tail": {"critic_only": 1, "critic_steps": 2, "windows": 3, "context_latents": 4},
    }.get(method, {})
    run = {
        "preset": "debug",
        "method": method,
        "folder": folder,
        "precision": "no",
        "settings": small,
        "data": {"features": features, "batch": 2, "short": 8, "long": 8},
        "loop": {"steps": int(steps), "warmup": 2, "log_every": 1, "save_every": 2, "accumulate": int(accumulate)},
    }
    if int(stop):
        run["loop"] |= {"minutes": 0.0}
    running.start(build(run, "test"))


if __name__ == "__main__":
    main(*sys.argv[1:])
    Path(sys.argv[1], f"end-{PartialState().process_index}").touch()
    running.end()
