"""How long does loading a checkpoint take, and how much memory, against safetensors and load_state_dict?

    python benchmarks/checkpoint_load.py

A synthetic bfloat16 trunk of 2 GB is written to a temporary folder. Each way of loading it runs in its own processes,
in turns, from the file cache. Peaks are of resident memory, mapped pages included, above what the process had before.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import common
import numpy as np
import torch
from safetensors.torch import load_file

from echotorrent_core.config import TrunkConfig
from echotorrent_core.model.dit import Trunk
from echotorrent_core.weights.load import load_module, on_meta, shapes
from echotorrent_core.weights.lora import Lora
from echotorrent_core.weights.quantise import BLOCK_LINEAR
from echotorrent_core.weights.source import open_source

LARGE = TrunkConfig(dim=2048, ffn_dim=8192, num_heads=16, num_layers=16, image_dim=0, in_dim=36, audio=None)  # 2.2 GB
QUICK = TrunkConfig(dim=1024, ffn_dim=4096, num_heads=8, num_layers=3, image_dim=0, in_dim=36, audio=None)  # 0.13 GB
RANK = 32
REFERENCE = "load_file + load_state_dict"


def config(quick: bool) -> TrunkConfig:
    return QUICK if quick else LARGE


def write(path: Path, tensors: Mapping[str, tuple[int, ...]]) -> int:
    """A safetensors file of bfloat16 noise with these shapes, never held in memory as a whole. Returns its size."""
    header: dict[str, Any] = {}
    end = 0
    for key, shape in tensors.items():
        start, end = end, end + 2 * int(np.prod(shape))
        header[key] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    noise = (0.02 * torch.randn(1 << 22)).bfloat16().view(torch.uint8).numpy().tobytes()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for at in range(0, end, len(noise)):
            file.write(noise[: end - at])
    return path.stat().st_size


def write_lora(path: Path, model: Mapping[str, tuple[int, ...]]) -> int:
    """A LoRA for every linear layer of the blocks."""
    tensors: dict[str, tuple[int, ...]] = {}
    for key, shape in model.items():
        if BLOCK_LINEAR.match(key) and key.endswith(".weight") and len(shape) == 2:
            name = f"diffusion_model.{key.removesuffix('.weight')}"
            tensors |= {f"{name}.lora_down.weight": (RANK, shape[1]), f"{name}.lora_up.weight": (shape[0], RANK)}
    return write(path, tensors)


def resident(peak: bool) -> int:
    """Bytes of this process in memory, now or at most so far. A child's `ru_maxrss` would begin at its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        return int(fields["VmHWM" if peak else "VmRSS"].split()[0]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def now() -> np.ndarray:
    """Wall clock and this process's CPU time in seconds (2,). The second counts where others are at work."""
    return np.array([time.perf_counter(), time.process_time()])


def safetensors_load(trunk: Trunk, path: Path) -> None:
    trunk.load_state_dict(load_file(path))


def ours(lora: bool = False, **options: Any) -> Callable[[Trunk, Path], None]:
    def load(trunk: Trunk, path: Path) -> None:
        loras = [Lora.open(path.with_name("lora.safetensors"), 1.0, shapes(trunk))] if lora else []
        load_module(trunk, open_source(path), dtype=torch.bfloat16, loras=loras, **options)

    return load


VARIANTS: dict[str, Callable[[Trunk, Path], None]] = {
    REFERENCE: safetensors_load,
    "load": ours(),
    "load + LoRA": ours(lora=True),
    "load + fp8": ours(quantise="fp8"),
    "load + int8": ours(quantise="int8"),
    "load + LoRA + fp8": ours(lora=True, quantise="fp8"),
}


def run_variant(args: argparse.Namespace) -> None:
    """In a child process: load once; print wall and CPU seconds and the peak as JSON."""
    torch.set_num_threads(args.threads)
    with on_meta():
        trunk = Trunk(config(args.quick))
    if args.variant == REFERENCE:  # needs its memory beforehand; it is resident once it is written to
        trunk = trunk.to(torch.bfloat16).to_empty(device="cpu")
    before, begun = resident(peak=False), now()
    VARIANTS[args.variant](trunk, args.folder / "trunk.safetensors")
    wall, cpu = now() - begun
    print(json.dumps({"seconds": wall, "cpu_seconds": cpu, "peak": resident(peak=True) - before}))


def measure(variant: str, folder: Path, args: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--variant", variant, "--folder", str(folder), "--threads", str(args.threads)]
    done = subprocess.run([*command, *(["--quick"] if args.quick else [])], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--rounds", type=int, help="times each variant runs (default 3, quick 1)")
    parser.add_argument("--variant", choices=list(VARIANTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.variant:
        return run_variant(args)
    facts = common.hardware(args.threads)
    rounds = args.rounds or (1 if args.quick else 3)
    with tempfile.TemporaryDirectory() as name, on_meta():
        folder, model = Path(name), shapes(Trunk(config(args.quick)))
        size = write(folder / "trunk.safetensors", model)
        lora = write_lora(folder / "lora.safetensors", model)
        os.sync()
        runs = [{variant: measure(variant, folder, args) for variant in VARIANTS} for _ in range(rounds)]

    seconds, cpu = (
        {variant: float(np.median([run[variant][clock] for run in runs])) for variant in VARIANTS}
        for clock in ("seconds", "cpu_seconds")
    )
    peaks = {variant: max(run[variant]["peak"] for run in runs) for variant in VARIANTS}
    ratios = {
        "time_ratio": {variant: seconds[variant] / seconds[REFERENCE] for variant in VARIANTS},
        "cpu_ratio": {variant: cpu[variant] / cpu[REFERENCE] for variant in VARIANTS},
        "peak_per_file": {variant: peaks[variant] / size for variant in VARIANTS},
    }
    rows = [
        (
            v,
            seconds[v],
            cpu[v],
            ratios["time_ratio"][v],
            ratios["cpu_ratio"][v],
            peaks[v] / 1e9,
            ratios["peak_per_file"][v],
        )
        for v in VARIANTS
    ]
    title = f"a file of {size / 1e9:.2f} GB, a LoRA of rank {RANK} ({lora / 1e6:.0f} MB); {rounds} rounds"
    common.table(title, ("", "s", "CPU s", "x reference", "CPU x", "peak GB", "x file"), rows)
    figures = {"file_bytes": size, "lora_bytes": lora, "rounds": rounds, "seconds": seconds, "cpu_seconds": cpu}
    figures |= {"peak_bytes": peaks} | ratios
    common.finish(args, "checkpoint_load", facts, figures)


if __name__ == "__main__":
    main()
