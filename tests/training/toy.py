"""What tests of the trainer share: random training data of the debug preset, and runs in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from distill_toy import network
from safetensors.torch import save_file

from training.config import merge
from training.corpus.build import DOMAINS
from training.data.features import FRAMES, INDEX, LATENTS, MARGIN, VERSION
from training.export import write_parts
from training.metrics import read_metrics

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "tests/training/reference"  # losses and gradient norms of every method's first steps


def features(path: Path, clips: int = 12, seed: int = 0) -> Path:
    """Random latents, sound and so on in the layout of `training.data.features`, sizes of the debug preset."""
    g = torch.Generator().manual_seed(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            "latents": torch.randn(clips, 4, LATENTS, 4, 4, generator=g),
            "reference": torch.randn(clips, 4, 1, 4, 4, generator=g),
            "audio": torch.randn(clips, 2, FRAMES + 2 * MARGIN, 31, generator=g),
            "motion": torch.randn(clips, FRAMES + 2 * MARGIN, 8, generator=g),
            "ids": torch.tensor([[0, 5, 10]] * clips),
            "mask": torch.rand(clips, LATENTS, 4, 4, generator=g),
            "energy": torch.rand(clips, FRAMES, generator=g),
            "frames": torch.randint(256, (clips, FRAMES + 1, 32, 32, 3), generator=g, dtype=torch.uint8),
            "mouth_box": torch.tensor([12.0, 18, 20, 24]).expand(clips, FRAMES + 1, 4).contiguous(),
        },
        path,
    )
    return path


def cache(folder: Path, clips: int = 12, seed: int = 0) -> Path:
    """The same as a folder with an index, of all domains in turn."""
    features(folder / "0000.safetensors", clips, seed)
    rows = [{"clip": str(i), "start": 0, "mirrored": False, "domain": DOMAINS[i % len(DOMAINS)]} for i in range(clips)]
    shard = {"file": "0000.safetensors", "rows": clips, "clips": [(row["clip"], False) for row in rows]}
    index = {"settings": {"version": VERSION}, "complete": True, "shards": [shard], "rows": rows}
    (folder / INDEX).write_text(json.dumps(index))
    return folder


def batch(size: int = 5, latents: int = 8, seed: int = 0) -> dict[str, torch.Tensor]:
    """What a method is given at each step: random values of the debug preset's shapes."""
    g = torch.Generator().manual_seed(seed)
    return {
        "latents": torch.randn(size, 4, latents, 4, 4, generator=g),
        "first_latent": torch.randn(size, 4, 1, 4, 4, generator=g),
        "reference": torch.randn(size, 4, 1, 4, 4, generator=g),
        "features": torch.randn(size, 4 * latents + 4, 39, generator=g),
        "ids": torch.tensor([[1, 6, 11]] * size),
        "mask": torch.rand(size, 1, latents, 4, 4, generator=g),
        "first": torch.tensor(False),
    }


EXPERTS = ("singing", "profile")


def networks(folder: Path) -> Path:
    """Random weights of networks that differ and see something, as folders of parts: of all roles and experts."""
    for seed, name in enumerate(("student", "real", "fake", *EXPERTS)):
        write_parts(network(seed).state_dict(), folder / name, {}, torch.float32)
    return folder


JUDGED = {"rewards": {"confidence": 0.0, "motion": 0.0}}  # noise has no face, and would fail
# What makes a method small, by method: `settings` of its own, and `data`.
SMALL: dict[str, dict[str, Any]] = {
    "sft": {"settings": {"lr": 1e-3, "muon_lr": 0}},
    "ode_init": {"settings": {"batches": 2, "pairs": {"steps": 8, "keep": [0, 2, 4, 6]}}},
    "acc_dmd": {"settings": {"critic_only": 1, "critic_steps": 2}},
    "long_tail": {"settings": {"critic_only": 1, "critic_steps": 2, "windows": 3, "context_latents": 4}},
    "expert_transfer": {"settings": {"critic_steps": 2, "rewarm": 1}},
    "grpo": {
        "settings": {"window": 8, "group": 2, "steps": 4, "noisy": 3, "noisy_within": 3} | JUDGED,
        "data": {"batch": 1},
    },
    "nft": {"settings": {"group": 2, "updates": 3} | JUDGED, "data": {"batch": 1}},
    "identity": {
        "settings": {"kept": 1},
        "roles": {"student": {"mode": "lora", "lora": {"rank": 2, "alpha": 2}}},
        "data": {"long_share": 0.0},
    },
    "decoder_refiner": {"settings": {"clips": 4, "crop": 16, "start": 2, "lead": 1}},
}


def small_run(method: str, source: Path, folder: Path, /, **changes: Any) -> dict[str, Any]:
    """A run of the debug preset as a configuration file has it, on the data and networks in `source`; changes: of its
    sections."""
    run: dict[str, Any] = {
        "preset": "debug",
        "method": method,
        "folder": str(folder),
        "precision": "no",
        "data": {"features": str(source), "batch": 2, "short": 8, "long": 8},
        "loop": {"steps": 6, "warmup": 2, "log_every": 1, "save_every": 2},
        "settings": {},
        "roles": {role: {"weights": str(source / role)} for role in ("student", "real", "fake")},
    }
    small = dict(SMALL.get(method, {}))
    if method == "expert_transfer":
        phases = [{"expert": name, "domain": name, "steps": 3} for name in EXPERTS]
        experts = {name: str(source / name) for name in EXPERTS}
        small["settings"] = small["settings"] | {"experts": experts, "phases": phases}
    if method == "identity":
        small["settings"] = small["settings"] | {"others": str(source / "0000.safetensors")}
    return merge(merge(run, small), changes)


def numbers(folder: Path) -> list[dict[str, float]]:
    """What a run logged, without the clock's."""
    return [{k: v for k, v in line.items() if k not in ("time", "seconds_per_step")} for line in read_metrics(folder)]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}", "OMP_NUM_THREADS": "1"}


def launch(*arguments: object, processes: int = 1, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS`, by torch.distributed.run where there are several processes."""
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env=environment(),
        text=True,
        capture_output=True,
        timeout=timeout,
    )


def losses(folder: Path) -> list[dict[str, float]]:
    """Of these, the losses and gradient norms."""
    return [{k: v for k, v in line.items() if k.startswith(("loss/", "grad/"))} for line in numbers(folder)]
