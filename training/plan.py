"""What a run is going to do, said before it is done: `--dry-run`. Nothing is loaded or written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from echotorrent_core.estimate import free_memory

from .config import RunConfig, engine_config, plain
from .memory import Memory, available, estimate


def show(runs: dict[str, RunConfig], compare: bool = False) -> bool:
    """Print the plan of every run. False if one does not fit where it is meant to run."""
    fits, steps = True, 0
    known: dict[str, Memory] = {}  # a recipe's experts differ in what they learn, not in what that takes
    for name, run in runs.items():
        device = "cuda" if run.memory_gb or torch.cuda.is_available() else "cpu"
        alike = repr(without(plain(run), ("folder", "weights", "loras", "shares", "rewards")))
        memory = known[alike] = known.get(alike) or estimate(run, device, compare)
        for line in plan(name, run, memory):
            print(line, flush=True)
        fits, steps = fits and verdict(run, memory)[0], steps + run.loop.steps
    print(f"{len(runs)} runs, {steps:,} steps in all")
    return fits


def without(data: Any, keys: Sequence[str]) -> Any:
    """Nested dicts without some keys, wherever they are."""
    if not isinstance(data, dict):
        return data
    return {key: without(value, keys) for key, value in data.items() if key not in keys}


def plan(name: str, run: RunConfig, memory: Memory) -> Iterator[str]:
    engine, loop, data = engine_config(run), run.loop, run.data
    height, width = engine.size
    yield f"{name}: {run.method} of {engine.name} at {width}x{height}, in '{run.folder}'"
    yield f"  {loop.steps:,} steps, then it ends" + (f", or after {loop.minutes:g} minutes" if loop.minutes else "")
    yield (
        f"  global batch {run.global_batch} = {run.processes} processes x {loop.accumulate} micro-batches x "
        f"{data.batch}, windows of {data.short} or {data.long} latents; {loop.steps * run.global_batch:,} in all"
    )
    shared = "sharded over all processes (FSDP2)" if run.sharded else "whole on each process"
    yield f"  weights {shared}, {'bfloat16' if run.precision == 'bf16' else 'float32'}; checkpoints kept: {loop.keep}"
    yield from memory.lines()
    yield f"  {verdict(run, memory)[1]}"


def verdict(run: RunConfig, memory: Memory) -> tuple[bool, str]:
    """(fits, a sentence) for the device a run is meant for, else for this machine's."""
    room = available(run)
    name, room = free_memory() if room is None else (f"a device of {run.memory_gb:g} GB", room)
    missing = memory.total - room
    if missing <= 0:
        return True, f"fits on {name}"
    return False, (
        f"does not fit on {name}, {missing / 1e9:.2f} GB are missing; try roles.student.checkpointing=true, a smaller "
        "data.batch with more loop.accumulate, mode: lora, or more processes with sharded: true"
    )
