"""What tests of the trainer share: random training data of the debug preset, and runs in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from training.data.features import FRAMES, LATENTS, MARGIN

ROOT = Path(__file__).resolve().parents[2]


def features(path: Path, clips: int = 12, seed: int = 0) -> Path:
    """Random latents, sound and so on in the layout of `training.data.features`, sizes of the debug preset."""
    g = torch.Generator().manual_seed(seed)
    save_file(
        {
            "latents": torch.randn(clips, 4, LATENTS, 4, 4, generator=g),
            "reference": torch.randn(clips, 4, 1, 4, 4, generator=g),
            "audio": torch.randn(clips, 2, FRAMES + 2 * MARGIN, 31, generator=g),
            "motion": torch.randn(clips, FRAMES + 2 * MARGIN, 8, generator=g),
            "ids": torch.tensor([[0, 5, 10]] * clips),
            "mask": torch.rand(clips, LATENTS, 4, 4, generator=g),
        },
        path,
    )
    return path


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}", "OMP_NUM_THREADS": "1"}


def launch(*arguments: object, processes: int = 1, timeout: float = 300) -> subprocess.CompletedProcess[str]:
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
