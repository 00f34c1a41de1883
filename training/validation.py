"""Held-out errors of clean estimates, always on the same clips and noise."""

from __future__ import annotations

from pathlib import Path

import torch
from accelerate.utils import DistributedType

from echotorrent_core import flow
from echotorrent_core.config import EngineConfig

from .data.features import FeatureData, window
from .loop import Loop
from .sharding import autocast


class Validation:
    """The callback: errors of the averaged student (or the student) at pure noise, every `every` steps: over the whole
    picture, and inside the mouth against that of another clip's audio."""

    def __init__(self, path: Path, every: int, config: EngineConfig, clips: int = 24):
        data = FeatureData(path, clips, seed=0)
        self.every, self.config = every, config
        count = min(clips, len(data))
        rows = torch.arange(count)
        length = 2 * config.stream.chunk_latents
        self.batch = window(data.columns, rows, torch.zeros(count, dtype=torch.long), start=1, length=length)

    @torch.no_grad()
    def __call__(self, loop: Loop, step: int) -> dict[str, float] | None:
        sharded = loop.accelerator.distributed_type == DistributedType.FSDP  # then all processes must take part
        if step % self.every or not (sharded or loop.accelerator.is_main_process):
            return None
        role = loop.method.roles.get("ema") or loop.method.roles["student"]
        network = role.module if sharded else loop.accelerator.unwrap_model(role.module)
        batch = {key: value.to(loop.accelerator.device) for key, value in self.batch.items()}
        noise = torch.randn(batch["latents"].shape, generator=torch.Generator().manual_seed(0)).to(batch["latents"])
        sigma = torch.ones(noise.shape[0], noise.shape[2], device=noise.device)
        x = flow.add_noise(batch["latents"], noise, sigma)
        errors = {}
        for name, features in (("", batch["features"]), ("_shuffled", batch["features"].roll(1, 0))):
            told = batch | {"features": features}
            with autocast(loop.accelerator):
                estimate = network(self.config, x, sigma, batch["reference"], batch["reference"], told, False)
            error = (estimate.float() - batch["latents"]) ** 2
            errors[f"heldout/x0{name}"] = float(error.mean())
            errors[f"heldout/mouth{name}"] = float((batch["mask"] * error).sum() / batch["mask"].expand_as(error).sum())
        return errors
