"""What does a training step take, of time and of memory, with each method, and what do its two savings save?

    python benchmarks/train_step.py --preset embedded_small

Each variant trains in processes of its own, all of them in turns, on random weights and data of the preset's shapes,
through the loop as a run does. Steps differ (a critic trains more often than its student, a rollout serves several
updates), so whole cycles of them are measured. `step` is the most that a step takes beyond what weights, optimisers and
data hold between steps, beside what `python -m training --dry-run` expects; `peak` is all that a run takes.

Without a GPU, memory is the process's resident memory, in a process of its own that hands freed blocks back at once:
by default glibc keeps them, a fifth more and sometimes much more than tensors take.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import common
import numpy as np
import torch
from torch import Tensor

from echotorrent_core.metrics.timing import paired_ratio
from training.config import RunConfig, build, engine_config
from training.loop import Batch, Data, Loop
from training.memory import Shapes, estimate
from training.networks import hollow_part, network
from training.registry import Setup, make
from training.run import make_accelerator

WARM_UP = 1  # cycles that are not counted; optimisers make their states in the first
LATENTS = 16

KEPT, AGAIN = "sft", "sft, blocks run again in the backward pass"
GRADED, TWO_PHASE = "acc_dmd, graded passes kept", "acc_dmd"


HAND_BACK = {"MALLOC_MMAP_THRESHOLD_": "262144"}  # blocks of this size on; costs a third of the speed
SIZES = ("peak_bytes", "step_bytes", "expected_step_bytes")
RATIOS = ("step_memory_ratio", "seconds_ratio")


@dataclass(frozen=True)
class Variant:
    """A method with settings of its own. cycle: steps after which all kinds of them have come; batch: windows per
    step; against: the variant that its ratios are to."""

    method: str
    cycle: int = 1
    batch: int = 4
    settings: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, Any] = field(default_factory=dict)
    against: str | None = None


def variants(quick: bool) -> dict[str, Variant]:
    """By name. Groups and cycles are smaller than the methods' defaults: what they cost is proportional."""
    critic = {"critic_only": 0, "critic_steps": 2, "rollout": "chunks"}
    group = {"group": 2 if quick else 4}
    path = {"steps": 4, "noisy": 2, "noisy_within": 3} if quick else {"steps": 8, "noisy": 4, "noisy_within": 6}
    return {
        KEPT: Variant("sft"),
        AGAIN: Variant("sft", roles={"student": {"checkpointing": True}}, against=KEPT),
        "causal_cd": Variant("causal_cd"),
        "ode_init": Variant("ode_init"),
        GRADED: Variant("acc_dmd", 2, settings=critic | {"two_phase": False}),
        TWO_PHASE: Variant("acc_dmd", 2, settings=critic | {"two_phase": True}, against=GRADED),
        "long_tail": Variant("long_tail", 2, settings=critic | {"windows": 3}),
        "grpo": Variant("grpo", path["noisy"], 1, settings={"window": LATENTS} | group | path),
        "nft": Variant("nft", 2, 1, settings={"updates": 2} | group),
        "decoder_refiner": Variant("decoder_refiner", settings={"crop": 16 if quick else 64, "start": 0, "lead": 0}),
    }


def run_of(variant: Variant, args: argparse.Namespace, folder: Path) -> RunConfig:
    batch = args.batch or (1 if args.quick else variant.batch)
    data = {"batch": batch, "short": LATENTS, "long": LATENTS, "first_share": 1.0}
    steps = (WARM_UP + args.cycles) * variant.cycle
    return build(
        {
            "preset": args.preset,
            "method": variant.method,
            "folder": str(folder),
            "precision": args.precision,
            "data": data,
            "loop": {"steps": steps, "warmup": 0, "log_every": steps, "save_every": steps, "seed": args.seed},
            "settings": variant.settings,
            "roles": variant.roles,
        },
        variant.method,
    )


class Filled:
    """Random values in the shapes of `data`."""

    def __init__(self, data: Data, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)

        def fill(value: Tensor) -> Tensor:
            if not value.is_meta:
                return value
            drawn = torch.rand(value.shape, generator=generator)
            return drawn if value.is_floating_point() else drawn.to(value.dtype)

        self.found = {name: fill(value) for name, value in data.batch(0).items()}

    def batch(self, index: int) -> Batch:
        return dict(self.found)


def measure(variant: Variant, args: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Of one variant, in this process: median seconds of a step, over cycles, and bytes."""
    torch.set_num_threads(args.threads)
    run = run_of(variant, args, folder)
    engine = engine_config(run)
    expected = estimate(run, "cuda" if torch.cuda.is_available() else "cpu")
    accelerator = make_accelerator(run)
    attention = "sdpa" if accelerator.device.type == "cuda" else "math"
    setup = Setup(
        run,
        engine,
        lambda role, over=None: network(engine, getattr(run.roles, role), args.seed, attention),
        lambda name: hollow_part(engine, name).eval().requires_grad_(False).to(accelerator.device),
        lambda shares=None: Shapes(run, engine),
        None,
    )
    before = memory()[0]
    method = make(setup)
    times: list[float] = []
    between: list[int] = []
    peaks: list[int] = []

    def watch(loop: Loop, step: int) -> None:
        if accelerator.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter())
        if step >= WARM_UP * variant.cycle:
            peaks.append(memory()[1])
        if step == WARM_UP * variant.cycle:
            between.append(reset_peak())
            peaks.clear()
            times[-1] = time.perf_counter()

    Loop(method, Filled(setup.data, args.seed), folder, run.loop, accelerator, (watch,)).run()
    cycles = np.diff(times[WARM_UP * variant.cycle - 1 :: variant.cycle]) / variant.cycle
    return {
        "step_s": float(np.median(cycles)),
        "peak_bytes": max(peaks) - before,
        "step_bytes": max(peaks) - between[0],
        "expected_step_bytes": expected.step + expected.gathered + sum(r.gradients for r in expected.roles.values()),
    }


# This process's memory


def memory() -> tuple[int, int]:
    """(bytes now, most bytes since `reset_peak`): a GPU's tensors, else the process's resident memory."""
    if torch.cuda.is_available():
        return torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated()
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    now, most = (1024 * int(re.search(rf"{name}:\s*(\d+)", text)[1]) for name in ("VmRSS", "VmHWM"))  # type: ignore[index]
    return now, most


def reset_peak() -> int:
    """Begin to look for the most anew; bytes now, with all that is free given back."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    else:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return memory()[0]


# Output


def child(command: Sequence[str], extra: dict[str, str]) -> dict[str, float]:
    """Figures of a variant, measured in a process with more in its environment."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | extra)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(found: dict[str, list[dict[str, float]]], chosen: dict[str, Variant], preset: str) -> dict[str, Any]:
    """Tables, and the figures of every variant: medians over rounds."""
    figures: dict[str, Any] = {}
    for name, rounds in found.items():
        figures[name] = {key: float(np.median([one[key] for one in rounds])) for key in rounds[0]}
        against = chosen[name].against
        if against in found:
            costs = {v: np.array([[one["step_s"], one["step_bytes"]] for one in found[v]]) for v in (name, against)}
            seconds, size = paired_ratio(costs[name], costs[against])
            figures[name] |= {"against": against, "seconds_ratio": seconds, "step_memory_ratio": size}
    rows = [(name, 1 / f["step_s"], f["step_s"], *(f[key] / 1e6 for key in SIZES)) for name, f in figures.items()]
    header = ("", "steps/s", "s/step", "peak, MB", "step, MB", "(expected)")
    common.table(f"training steps of {preset}, windows of {LATENTS} latents", header, rows)
    ratios = [
        (name, f["against"], *("{:.3f} [{:.3f}, {:.3f}]".format(*f[key]) for key in RATIOS))
        for name, f in figures.items()
        if "against" in f
    ]
    common.table("what it saves", ("", "against", "memory of a step", "time"), ratios)
    return figures


def main(argv: Sequence[str] | None = None) -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--rounds", type=int, help="times each variant runs (default 3, quick 1)")
    parser.add_argument("--cycles", type=int, help="cycles of steps that are measured (default 3, quick 1)")
    parser.add_argument("--batch", type=int, help="windows of a step (default 4, quick 1; of groups 1)")
    parser.add_argument("--precision", default="bf16", choices=["no", "bf16"])
    parser.add_argument("--only", nargs="*", help="these variants")
    parser.add_argument("--variant", help="run one of them here and print its figures")
    args = parser.parse_args(argv)
    args.rounds, args.cycles = args.rounds or (1 if args.quick else 3), args.cycles or (1 if args.quick else 3)
    chosen = {name: v for name, v in variants(args.quick).items() if not args.only or name in args.only}
    if args.variant:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(chosen[args.variant], args, Path(folder))))
        return
    facts = common.hardware(args.threads) | {"precision": args.precision}
    command = [sys.executable, __file__, "--preset", args.preset, "--threads", str(args.threads)]
    command += ["--cycles", str(args.cycles), "--precision", args.precision, "--seed", str(args.seed)]
    command += (["--quick"] if args.quick else []) + (["--batch", str(args.batch)] if args.batch else [])
    found: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    for _ in range(args.rounds):
        for name in chosen:
            timed, weighed = (child([*command, "--variant", name], extra) for extra in ({}, HAND_BACK))
            found[name].append(weighed | {"step_s": timed["step_s"]})
    figures = show(found, chosen, args.preset)
    common.finish(args, "train_step", facts, {"rounds": args.rounds, "latents": LATENTS, "variants": figures})


if __name__ == "__main__":
    main()
