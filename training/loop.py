"""The loop: accelerate around a method. It knows roles, optimisers, checkpoints and metrics, and nothing of losses."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor
from tqdm import tqdm

from .optim import trapezoid
from .roles import Role, update_ema

Batch = dict[str, Tensor]


@dataclass
class StepResult:
    """What a method's step returns: a loss per trainable role, and numbers to log."""

    losses: dict[str, Tensor]
    metrics: dict[str, float] = field(default_factory=dict)


class Method(Protocol):
    """One training method: roles it needs, which of them step now, and the losses of a batch."""

    roles: dict[str, Role]

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]: ...

    def updates(self, step: int) -> list[str]: ...

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult: ...


class Data(Protocol):
    """Batches by number (step x processes + process), so that a resumed run sees the same ones."""

    def batch(self, index: int) -> Batch: ...


@dataclass(frozen=True)
class LoopConfig:
    """All counts in steps; warmup and cooldown are the learning rate's; clip: gradient norm."""

    steps: int
    warmup: int = 50
    cooldown: int = 0
    clip: float = 1.0
    log_every: int = 20
    save_every: int = 500
    seed: int = 0
    minutes: float | None = None  # stop (after a checkpoint) once this much wall time is spent


Callback = Callable[["Loop", int], dict[str, float] | None]


def shared_generator(seed: int, step: int) -> torch.Generator:
    """For draws that must be the same in every process and after a resume, such as which branch a step takes."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


class Loop:
    """Train `method` on `data` in `folder`: `metrics.jsonl`, `checkpoint/` (replaced whole), true resume."""

    def __init__(
        self,
        method: Method,
        data: Data,
        folder: Path,
        config: LoopConfig,
        accelerator: Accelerator | None = None,
        callbacks: tuple[Callback, ...] = (),
    ):
        self.method, self.data, self.folder, self.config = method, data, folder, config
        self.callbacks = callbacks
        self.accelerator = accelerator or Accelerator(cpu=not torch.cuda.is_available())
        self.rank, self.ranks = self.accelerator.process_index, self.accelerator.num_processes
        self.generator = torch.Generator().manual_seed(config.seed + self.rank)
        self.optimizers = method.optimizers()
        self.base_lr = {id(o): [g["lr"] for g in o.param_groups] for os_ in self.optimizers.values() for o in os_}
        for role in method.roles.values():
            role.module.to(self.accelerator.device)
            if role.trainable:
                role.module = self.accelerator.prepare(role.module)
        for name, optimizers in self.optimizers.items():
            prepared = [self.accelerator.prepare(o) for o in optimizers]
            for old, new in zip(optimizers, prepared, strict=True):
                self.base_lr[id(new)] = self.base_lr[id(old)]
            self.optimizers[name] = prepared
        self.start = self._resume()
        self.stopping = False
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", True))

    def run(self) -> int:
        """Train to the end, the time limit or SIGTERM, with a checkpoint; the number of steps done so far."""
        self.folder.mkdir(parents=True, exist_ok=True)
        began, since, step = time.monotonic(), time.monotonic(), self.start
        bar = tqdm(range(self.start, self.config.steps), disable=not self.accelerator.is_main_process, mininterval=5)
        for step in bar:
            result = self._step(step)
            done = step + 1
            metrics: dict[str, float] = {}
            if done % self.config.log_every == 0:
                now = time.monotonic()
                metrics = {f"loss/{k}": float(v.detach()) for k, v in result.losses.items()} | result.metrics
                metrics["seconds_per_step"] = (now - since) / self.config.log_every
                since = now
                bar.set_postfix({k: f"{v:.4g}" for k, v in list(metrics.items())[:3]})
            for callback in self.callbacks:
                metrics |= callback(self, done) or {}
            if metrics:
                self._log(done, metrics)
            late = self.config.minutes is not None and time.monotonic() - began > 60 * self.config.minutes
            out_of_time = self._agree(late or self.stopping)
            if done % self.config.save_every == 0 or done == self.config.steps or out_of_time:
                self.save(done)
            if out_of_time:
                return done
        return self.config.steps

    def _agree(self, flag: bool) -> bool:
        """True on every process as soon as it is true on one, so that all leave the loop at the same step."""
        if self.ranks == 1:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag)), "sum") > 0)

    def _step(self, step: int) -> StepResult:
        factor = trapezoid(step, self.config.steps, self.config.warmup, self.config.cooldown)
        batch = self.data.batch(step * self.ranks + self.rank)
        batch = {k: v.to(self.accelerator.device) for k, v in batch.items()}
        with self.accelerator.autocast():
            result = self.method.step(batch, step, self.generator)
        for name in self.method.updates(step):
            self.accelerator.backward(result.losses[name])
            module = self.method.roles[name].module
            norm = self.accelerator.clip_grad_norm_(module.parameters(), self.config.clip)
            if norm is not None:
                result.metrics[f"grad/{name}"] = float(norm)
            for optimizer in self.optimizers[name]:
                for group, lr in zip(optimizer.param_groups, self.base_lr[id(optimizer)], strict=True):
                    group["lr"] = lr * factor
                optimizer.step()
                optimizer.zero_grad()
        for role in self.method.roles.values():
            if role.follows in self.method.updates(step):
                source = self.accelerator.unwrap_model(self.method.roles[role.follows].module)
                update_ema(role, source, step)
        return result

    # Checkpoints: everything a run needs to go on as if it had not stopped

    def save(self, step: int) -> None:
        """Write `checkpoint.pt` atomically: roles that change, optimisers, every process's generator, step."""
        gathered = gather_object([self.generator.get_state()])
        if not self.accelerator.is_main_process:
            return
        changing = {n: r for n, r in self.method.roles.items() if r.trainable or r.follows}
        state: dict[str, Any] = {
            "step": step,
            "roles": {n: self.accelerator.unwrap_model(r.module).state_dict() for n, r in changing.items()},
            "optimizers": {n: [o.state_dict() for o in os_] for n, os_ in self.optimizers.items()},
            "generators": gathered,
        }
        temporary = self.folder / "checkpoint.tmp"
        torch.save(state, temporary)
        os.replace(temporary, self.folder / "checkpoint.pt")

    def _resume(self) -> int:
        path = self.folder / "checkpoint.pt"
        if not path.is_file():
            return 0
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name, weights in state["roles"].items():
            self.accelerator.unwrap_model(self.method.roles[name].module).load_state_dict(weights)
        for name, saved in state["optimizers"].items():
            for optimizer, one in zip(self.optimizers[name], saved, strict=True):
                optimizer.load_state_dict(one)
        if len(state["generators"]) == self.ranks:  # with another number of processes the draws start anew
            self.generator.set_state(state["generators"][self.rank].cpu())
        return int(state["step"])

    def _log(self, step: int, metrics: dict[str, float]) -> None:
        if self.accelerator.is_main_process:
            with open(self.folder / "metrics.jsonl", "a") as file:
                file.write(json.dumps({"step": step, "time": round(time.time(), 1)} | metrics) + "\n")


def read_metrics(folder: Path) -> Iterator[dict[str, float]]:
    """The logged metrics of a run, in order."""
    with open(folder / "metrics.jsonl") as file:
        for line in file:
            yield json.loads(line)
